//! The intrusive FIFO queue of waiters behind every primitive, and the state of a waiter in it.
//!
//! A [`WaitQueue`] is one word and a pointer. The word carries the primitive's own state, a bit that locks the
//! list, and a bit that says whether anybody is in it, so that a free acquisition or release is one atomic
//! read-modify-write that notices both. A [`Waiter`] lives in the pinned future that waits: nothing is allocated.
//!
//! # The word
//!
//! | bits | name | meaning |
//! |---|---|---|
//! | 0 | [`LOCKED`] | somebody is at the list; nobody else may change the word |
//! | 1 | [`WAITING`] | the list is not empty |
//! | 2 | [`FLAG`] | permits: closed; event: set; barrier: broken |
//! | 3.. | count | permits: available; event: epoch; barrier: arrivals |
//!
//! # The states of a waiter
//!
//! | state | in a list | who leaves it, and to what |
//! |---|---|---|
//! | [`IDLE`] | no | the owner: `PARKED`, `QUEUED`, or, where nothing had to be waited for, `DONE`, or `GRANTED` without budget |
//! | [`PARKED`] | a condition's | a notifier under both locks: `QUEUED`; the owner under the condition's: `DONE` |
//! | [`QUEUED`] | the granting queue's | a releaser under the lock: `GRANTED`, `CLOSED`; the owner under the lock: `DONE` |
//! | [`GRANTED`] | no | the owner: `DONE` |
//! | [`CLOSED`] | no | the owner: `DONE` |
//! | [`DONE`] | no | nobody; a future that waits again makes it `IDLE` |
//!
//! # Invariants
//!
//! - **Q1.** Who sets `LOCKED` where it was not set holds the lock of the list, and knows the rest of the word. Until it
//!   writes the word back, by a plain store, nobody else touches the list or changes the word in a way that counts:
//!   others change it by a compare-and-swap from a value without `LOCKED`, or by a swap that leaves nothing but `LOCKED`
//!   ([`WaitQueue::give_back_only`]), which over a set `LOCKED` is lost in the holder's store.
//! - **Q2.** A waiter is linked if and only if it is `PARKED` (in its condition's list) or `QUEUED` (in its
//!   granting queue's list); a waiter's links, waker and counts are touched only under the lock of that list, or
//!   by its owner while it is in none.
//! - **Q3.** A linked waiter is pinned and alive: its owner's destructor unlinks it under the lock first.
//! - **Q4.** Leaving `QUEUED` is the last thing a releaser does to a waiter: after that store the owner may free it.
//! - **Q5.** The head's `prev` is the tail and its `len` is the length of the list; the tail's `next` is null.
//!   In other waiters `len` means nothing.
//! - **Q6.** Nothing that can panic, allocate, read a clock or run foreign code happens while `LOCKED` is set.

mod waiter;

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr;
use std::sync::atomic::Ordering;
use std::task::Waker;

pub(crate) use self::waiter::{CLOSED, DONE, GRANTED, IDLE, PARKED, QUEUED, Waiter};
use crate::loom::{
    AtomicUsize, SPIN_LIMIT, UnsafeCell, YIELD_LIMIT, const_fn, spin_loop, store_over, yield_now,
};
use crate::trace::{Number, Stamp};
use crate::wake::WakeBatch;

pub(crate) const LOCKED: usize = 0b001;
pub(crate) const WAITING: usize = 0b010;
pub(crate) const FLAG: usize = 0b100;
pub(crate) const COUNT_SHIFT: u32 = 3;
/// One permit, or one epoch.
pub(crate) const ONE: usize = 1 << COUNT_SHIFT;

/// A state word with a list of waiters behind it.
pub(crate) struct WaitQueue {
    /// See the table at the top of the file.
    word: AtomicUsize,
    /// Guarded by `LOCKED` (Q1).
    head: UnsafeCell<*const Waiter>,
}

// SAFETY: `head` and the waiters behind it are touched only under `LOCKED` (Q1, Q2), and waiters carry nothing
// but wakers, which are Send and Sync.
unsafe impl Send for WaitQueue {}
// SAFETY: as above.
unsafe impl Sync for WaitQueue {}
// Nothing that could unwind runs under `LOCKED`, so a panic finds word and list whole.
impl UnwindSafe for WaitQueue {}
impl RefUnwindSafe for WaitQueue {}

impl WaitQueue {
    const_fn! {
        pub(crate) fn new(word: usize) -> Self {
            Self { word: AtomicUsize::new(word), head: UnsafeCell::new(ptr::null()) }
        }
    }

    /// The word as it is now, possibly with [`LOCKED`].
    #[inline]
    pub(crate) fn load(&self, ordering: Ordering) -> usize {
        self.word.load(ordering)
    }

    /// Replaces `current` by `new`; neither may have [`LOCKED`] (Q1).
    #[inline]
    pub(crate) fn exchange(&self, current: usize, new: usize, success: Ordering) -> Result<usize, usize> {
        self.word.compare_exchange(current, new, success, Ordering::Relaxed)
    }

    /// Waits until nobody is at the list and returns the word of that moment.
    pub(crate) fn load_unlocked(&self) -> usize {
        let mut backoff = Backoff::default();
        loop {
            // Ordering: Relaxed, the caller decides nothing from it without a compare-and-swap or an Acquire load.
            let word = self.word.load(Ordering::Relaxed);
            if word & LOCKED == 0 {
                return word;
            }
            backoff.wait();
        }
    }

    /// Takes the list's lock.
    #[inline]
    pub(crate) fn lock(&self) -> LockedQueue<'_> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & LOCKED == 0 {
                // Ordering: Acquire pairs with the Release of `LockedQueue::drop` and of the free releases; we
                // see the list, and everything that was done before a permit came in.
                match self.word.compare_exchange_weak(
                    word,
                    word | LOCKED,
                    Ordering::Acquire,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => return LockedQueue { queue: self, word },
                    Err(seen) => word = seen,
                }
            } else {
                word = self.load_unlocked();
            }
        }
    }

    /// Gives back the only permit of a queue that has one: a held mutex's. Returns the queue, locked and still without
    /// that permit, where somebody may be waiting for it.
    ///
    /// A swap needs no look at the word before, so that this is one read-modify-write whether somebody waits or not. It
    /// hides the other bits until the word is written back, which only a held mutex can bear: its count is zero anyway,
    /// and nobody reads its flag.
    #[inline]
    pub(crate) fn give_back_only(&self) -> Option<LockedQueue<'_>> {
        // Ordering: Acquire, as in `lock`.
        let word = self.word.swap(LOCKED, Ordering::Acquire);
        if word == 0 {
            // Ordering: Release pairs with the Acquire of the next owner, who sees what we did. A plain store will do: the
            // lock is ours (Q1).
            store_over(&self.word, ONE);
            return None;
        }
        Some(if word & LOCKED == 0 { LockedQueue { queue: self, word } } else { self.lock() })
    }

    /// Whether anybody is in the list, as far as the caller's thread can have heard.
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        // Ordering: Relaxed, whatever happened before the call is seen; who must see more takes the lock.
        self.word.load(Ordering::Relaxed) & WAITING != 0
    }

    /// Waiters in the list now.
    pub(crate) fn len(&self) -> usize {
        // Ordering: Relaxed, a figure for people; whoever needs the list takes the lock below.
        if self.word.load(Ordering::Relaxed) & (LOCKED | WAITING) == 0 { 0 } else { self.lock().len() }
    }
}

/// The list and the word of a [`WaitQueue`], locked. Dropping it writes the word back and unlocks.
pub(crate) struct LockedQueue<'a> {
    queue: &'a WaitQueue,
    /// The word that will stand when the lock is given back, without [`LOCKED`].
    word: usize,
}

impl LockedQueue<'_> {
    #[inline]
    pub(crate) fn flag(&self) -> bool {
        self.word & FLAG != 0
    }

    /// Sets the flag, for all to see at once: whoever is let go because of it finds it set, though the list is still
    /// locked.
    #[inline]
    pub(crate) fn set_flag(&mut self) {
        self.word |= FLAG;
        // Ordering: Release pairs with the Acquire of `Event::is_set` and `Permits::is_closed`. A plain store will do, as
        // for the unlock (Q1).
        store_over(&self.queue.word, self.word | LOCKED);
    }

    #[inline]
    pub(crate) fn clear_flag(&mut self) {
        self.word &= !FLAG;
    }

    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.word >> COUNT_SHIFT
    }

    /// Sets the count, which must fit beside the three bits.
    #[inline]
    pub(crate) fn set_count(&mut self, count: usize) {
        self.word = (count << COUNT_SHIFT) | (self.word & (FLAG | WAITING));
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.word & WAITING == 0
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: Q1, Q3: we hold the lock, and a non-null head is alive.
        self.head().map_or(0, |head| unsafe { (*head).node(|node| (*node).len as usize) })
    }

    /// The tag of the longest waiter.
    #[inline]
    pub(crate) fn front_tag(&self) -> Option<u32> {
        // SAFETY: Q1, Q3.
        self.head().map(|head| unsafe { (*head).node(|node| (*node).tag) })
    }

    /// Changes the tag of the longest waiter, if there is one, for its owner to read when it was granted.
    #[inline]
    pub(crate) fn set_front_tag(&mut self, tag: u32) {
        if let Some(head) = self.head() {
            // SAFETY: Q1, Q3.
            unsafe { (*head).node_mut(|node| (*node).tag = tag) };
        }
    }

    #[inline]
    fn head(&self) -> Option<*const Waiter> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: Q1: we hold the lock.
        Some(self.queue.head.with(|head| unsafe { *head }))
    }

    /// Puts a waiter that is in no list at the end, in `state`. Returns how many are ahead of it.
    ///
    /// # Safety
    ///
    /// `waiter` is pinned, in no list, and its owner unlinks it before it goes (Q3). `state` names this list (Q2).
    #[inline]
    pub(crate) unsafe fn push_back(&mut self, waiter: *const Waiter, state: u8) -> usize {
        // SAFETY: the caller's promise; the waiter is a chain of one.
        unsafe {
            (*waiter).node_mut(|node| (*node).next = ptr::null());
            let ahead = self.append(waiter, waiter, 1);
            // Ordering: Relaxed, whoever acts on it holds the lock; the owner alone reads it outside, and it is
            // either the one that writes here or waits for GRANTED.
            (*waiter).state.store(state, Ordering::Relaxed);
            ahead as usize
        }
    }

    /// Moves up to `limit` of the longest waiters, one at least, as they are linked, to the end of `to`, in the `state`
    /// that names that list. Returns how many. `moved_one`, which is shown each of them, keeps to Q6.
    ///
    /// # Safety
    ///
    /// `to` is another list, `state` names it (Q2), and `limit` is at least 1.
    pub(crate) unsafe fn splice_front(
        &mut self,
        to: &mut LockedQueue<'_>,
        limit: usize,
        state: u8,
        mut moved_one: impl FnMut(Number),
    ) -> usize {
        // Against Q6 a debug build may panic here: both lists are whole yet, and their locks are given back.
        debug_assert_ne!(limit, 0, "nobody to move");
        let Some(first) = self.head() else { return 0 };
        // SAFETY: Q1, Q3: all that is reached over the links is linked here or in `to`, and both locks are held.
        unsafe {
            let (tail, len) = (*first).node(|node| ((*node).prev, (*node).len));
            let mut last = first;
            let mut moved = 0;
            let rest = loop {
                // Ordering: Relaxed, as in `push_back`.
                (*last).state.store(state, Ordering::Relaxed);
                moved += 1;
                let (next, mark) = (*last).node(|node| ((*node).next, (*node).granted_at));
                moved_one(Number::of_stamp(mark));
                if next.is_null() || moved as usize == limit {
                    break next;
                }
                last = next;
            };
            if rest.is_null() {
                self.word &= !WAITING;
            } else {
                (*rest).node_mut(|node| {
                    (*node).prev = tail;
                    (*node).len = len - moved;
                });
            }
            self.queue.head.with_mut(|head| *head = rest);
            (*last).node_mut(|node| (*node).next = ptr::null());
            to.append(first, last, moved);
            moved as usize
        }
    }

    /// Links the chain from `first` to `last`, of `len` waiters, at the end. Returns how many are ahead of it.
    ///
    /// # Safety
    ///
    /// The waiters of the chain are pinned and in no other list, and their owners unlink them before they go (Q3); `last`
    /// has no next one.
    #[inline]
    unsafe fn append(&mut self, first: *const Waiter, last: *const Waiter, len: u32) -> u32 {
        let head = self.head();
        // SAFETY: Q1, Q3 for head and tail; the caller's promise for the chain, whose nodes are others than those two.
        unsafe {
            match head {
                None => {
                    (*first).node_mut(|node| {
                        (*node).prev = last;
                        (*node).len = len;
                    });
                    self.queue.head.with_mut(|head| *head = first);
                    self.word |= WAITING;
                    0
                }
                Some(head) => {
                    let (tail, ahead) = (*head).node_mut(|node| {
                        let ahead = (*node).len;
                        (*node).len = ahead + len;
                        (ptr::replace(&raw mut (*node).prev, last), ahead)
                    });
                    (*tail).node_mut(|node| (*node).next = first);
                    (*first).node_mut(|node| (*node).prev = tail);
                    ahead
                }
            }
        }
    }

    /// Takes the longest waiter out of the list. Its state is left for the caller to change, before anything else
    /// and before the lock is given back.
    #[inline]
    pub(crate) fn pop_front(&mut self) -> Option<*const Waiter> {
        let front = self.head()?;
        // SAFETY: Q1, Q3: all three are linked, and we hold the lock. `front` and `next` are different waiters.
        unsafe {
            let (tail, next, len) = (*front).node(|node| ((*node).prev, (*node).next, (*node).len));
            if next.is_null() {
                self.word &= !WAITING;
            } else {
                (*next).node_mut(|node| {
                    (*node).prev = tail;
                    (*node).len = len - 1;
                });
            }
            self.queue.head.with_mut(|head| *head = next);
        }
        Some(front)
    }

    /// Takes `waiter` out of the list and returns its waker, to be dropped outside the lock. Its state is left for the
    /// owner to change.
    ///
    /// # Safety
    ///
    /// `waiter` is linked in this list.
    pub(crate) unsafe fn remove(&mut self, waiter: &Waiter) -> Option<Waker> {
        let head = self.head();
        if head == Some(ptr::from_ref(waiter)) {
            self.pop_front();
        } else if let Some(head) = head {
            // SAFETY: Q1, Q3: `waiter` is linked and not the head, so its `prev` is a linked waiter.
            unsafe {
                let (prev, next) = waiter.node(|node| ((*node).prev, (*node).next));
                (*prev).node_mut(|node| (*node).next = next);
                // The tail hangs on the head's `prev` (Q5).
                let after = if next.is_null() { head } else { next };
                (*after).node_mut(|node| (*node).prev = prev);
                (*head).node_mut(|node| (*node).len -= 1);
            }
        }
        // SAFETY: Q2: it is in no list any more, and the lock is still ours.
        unsafe { waiter.node_mut(|node| (*node).waker.take()) }
    }

    /// Ends the longest wait: takes the waiter out of the list, sets its last state, and returns its waker. The waiter may
    /// be freed from then on.
    #[inline]
    pub(crate) fn end_front_one(&mut self, state: u8, now: Stamp) -> Option<Waker> {
        let waiter = self.pop_front()?;
        // SAFETY: Q3: it was in the list a moment ago, and its owner cannot free it before it sees `state`, or gets the
        // lock that we hold.
        unsafe { Self::end(waiter, state, now) }
    }

    /// As [`end_front_one`](Self::end_front_one), with the number of the operation, which is to be told that it was granted.
    #[inline]
    pub(crate) fn grant_front_told(&mut self, now: Stamp) -> Option<(Option<Waker>, Number)> {
        let waiter = self.pop_front()?;
        // SAFETY: Q2: it was in this list a moment ago, and its state, which its owner waits for, is not changed yet.
        let number = unsafe { (*waiter).node(|node| Number::of_stamp((*node).granted_at)) };
        // SAFETY: as in `end_front_one`.
        Some((unsafe { Self::end(waiter, GRANTED, now) }, number))
    }

    /// As [`end_front_one`](Self::end_front_one), with the waker put into `batch`, which has room.
    #[inline]
    pub(crate) fn end_front(&mut self, state: u8, now: Stamp, batch: &mut WakeBatch) {
        // Whoever is in a list has a waker.
        if let Some(waker) = self.end_front_one(state, now) {
            batch.push(waker);
        }
    }

    /// Ends the longest waits while their tag is `due` and the batch has room. Returns whether more are due.
    pub(crate) fn end_while(
        &mut self,
        due: impl Fn(u32) -> bool,
        state: u8,
        now: Stamp,
        batch: &mut WakeBatch,
    ) -> bool {
        let Some(first) = self.head() else { return false };
        let mut ended = 0;
        let mut more = false;
        // SAFETY: Q1, Q3: all that is reached over the links is linked, as what was ended is not touched again (Q4).
        unsafe {
            let (tail, len) = (*first).node(|node| ((*node).prev, (*node).len));
            let mut front = first;
            while !front.is_null() {
                let (next, tag) = (*front).node(|node| ((*node).next, (*node).tag));
                if !due(tag) {
                    break;
                }
                if batch.is_full() {
                    more = true;
                    break;
                }
                if let Some(waker) = Self::end(front, state, now) {
                    batch.push(waker);
                }
                ended += 1;
                front = next;
            }
            if front.is_null() {
                self.word &= !WAITING;
            } else if ended != 0 {
                (*front).node_mut(|node| {
                    (*node).prev = tail;
                    (*node).len = len - ended;
                });
            }
            self.queue.head.with_mut(|head| *head = front);
        }
        more
    }

    /// Writes what ends a wait into its waiter, and hands out the waker.
    ///
    /// # Safety
    ///
    /// The waiter was just taken out of a list whose lock is held, or nobody will reach it through that list any more.
    #[inline]
    unsafe fn end(waiter: *const Waiter, state: u8, now: Stamp) -> Option<Waker> {
        // SAFETY: the caller's promise: its owner cannot free it before it sees `state`, or gets the lock.
        unsafe {
            let waker = (*waiter).node_mut(|node| {
                (*node).granted_at = now;
                (*node).waker.take()
            });
            // Ordering: Release pairs with the Acquire in `Waiter::state`; the owner sees what was done before the
            // grant, and takes over its node. It must be our last access (Q4).
            (*waiter).state.store(state, Ordering::Release);
            waker
        }
    }
}

impl Drop for LockedQueue<'_> {
    #[inline]
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire of `lock` and of the free acquisitions. A plain store will do:
        // nobody else changes the word while LOCKED stands in it (Q1).
        store_over(&self.queue.word, self.word);
    }
}

/// Waiting for a queue lock: its critical sections are a few dozen instructions, but their thread can lose its
/// processor within one, so that after a short spin the time is better given to it.
#[derive(Default)]
struct Backoff {
    turns: u32,
}

impl Backoff {
    #[cold]
    fn wait(&mut self) {
        self.turns += 1;
        let spins = 1u32.checked_shl(self.turns).unwrap_or(u32::MAX);
        if spins <= SPIN_LIMIT {
            for _ in 0..spins {
                spin_loop();
            }
        } else if self.turns < YIELD_LIMIT {
            yield_now();
        } else {
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
    }
}
