//! A place in a queue, its state, and what its owner may do with it. States and invariants stand in [`wait_queue`](super).

use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;
use std::task::Waker;

use super::WaitQueue;
use crate::loom::{AtomicU8, UnsafeCell};
use crate::trace::{Number, Stamp};

// `IDLE` and `DONE` are the lowest, so that one comparison tells that there is nothing to cancel.
/// Not waiting yet.
pub(crate) const IDLE: u8 = 0;
/// The owner took note of the end.
pub(crate) const DONE: u8 = 1;
/// In the list of a condition.
pub(crate) const PARKED: u8 = 2;
/// In the list from which it is granted.
pub(crate) const QUEUED: u8 = 3;
/// It has what it asked for.
pub(crate) const GRANTED: u8 = 4;
/// There will be nothing to get.
pub(crate) const CLOSED: u8 = 5;

/// A place in a queue; part of the future that waits.
pub(crate) struct Waiter {
    /// See the table of states in [`wait_queue`](super).
    pub(super) state: AtomicU8,
    /// Initialised by `prepare` or `grant`, so by whatever is or was in a list; it owns a waker only while it is in one.
    node: UnsafeCell<MaybeUninit<Node>>,
    /// A linked waiter must not move (Q3), and a future that is not `Unpin` is exempt from the uniqueness of
    /// `&mut`, which other threads' access through the list would break.
    _pinned: PhantomPinned,
}

// SAFETY: a waiter's node is touched under a queue's lock or by its owner alone (Q2).
unsafe impl Send for Waiter {}
// SAFETY: as above; `&Waiter` gives outside code nothing.
unsafe impl Sync for Waiter {}

pub(super) struct Node {
    pub(super) prev: *const Waiter,
    pub(super) next: *const Waiter,
    pub(super) waker: Option<Waker>,
    /// Permits asked for; with an event the epoch in which the waiter joined; with a barrier its index, once granted.
    pub(super) tag: u32,
    /// Q5.
    pub(super) len: u32,
    /// When it was granted, as the releaser read the clock before it took the lock; until then the number of its
    /// operation, where somebody watches.
    pub(super) granted_at: Stamp,
}

impl Waiter {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let mut waiter = MaybeUninit::<Self>::uninit();
        let fields = waiter.as_mut_ptr();
        // Written field by field: as a constant the compiler would copy it with its node, which nobody needs yet.
        // SAFETY: both fields that have a size are made, in place.
        unsafe {
            (&raw mut (*fields).state).write(AtomicU8::new(IDLE));
            UnsafeCell::make_uninit(&raw mut (*fields).node);
            waiter.assume_init()
        }
    }

    /// # Safety
    ///
    /// It was prepared, and the caller may read the node (Q2).
    #[inline(always)]
    pub(super) unsafe fn node<R>(&self, f: impl FnOnce(*const Node) -> R) -> R {
        self.node.with(|slot| f(slot.cast()))
    }

    /// # Safety
    ///
    /// It was prepared, and the caller may change the node (Q2).
    #[inline(always)]
    pub(super) unsafe fn node_mut<R>(&self, f: impl FnOnce(*mut Node) -> R) -> R {
        self.node.with_mut(|slot| f(slot.cast()))
    }

    /// Whether the wait is over, or never began; then the waiter is its owner's alone.
    #[inline]
    pub(crate) fn is_idle_or_done(&self) -> bool {
        self.state() <= DONE
    }

    /// Where the wait stands.
    #[inline]
    pub(crate) fn state(&self) -> u8 {
        // Ordering: Acquire pairs with the Release in `LockedQueue::end_front`.
        self.state.load(Ordering::Acquire)
    }

    /// Notes, as the owner, that the wait is over or may begin anew. Not for a linked waiter.
    #[inline]
    pub(crate) fn set_state(&self, state: u8) {
        // Ordering: Relaxed, no other thread knows a waiter that is in no list.
        self.state.store(state, Ordering::Relaxed);
    }

    /// Prepares, as the owner, a waiter that is in no list.
    #[inline]
    pub(crate) fn prepare(&self, waker: Waker, tag: u32, number: Number) {
        // SAFETY: Q2: in no list, so it is the owner's, who alone calls this. Links and length are written by whoever links
        // it, before anybody reads them.
        unsafe {
            self.node_mut(|node| {
                (&raw mut (*node).waker).write(Some(waker));
                (*node).tag = tag;
                (*node).granted_at = number.as_stamp();
            });
        }
    }

    /// Puts, as the owner, a waiter that is in no list and has no waker where a grant at `now` would have put it.
    pub(crate) fn grant(&self, tag: u32, now: Stamp) {
        // SAFETY: Q2: in no list, so it is the owner's, who alone calls this. A waker would be overwritten, not dropped.
        unsafe {
            self.node_mut(|node| {
                (&raw mut (*node).waker).write(None);
                (*node).tag = tag;
                (*node).granted_at = now;
            });
        }
        self.set_state(GRANTED);
    }

    /// Changes the tag of a waiter that is in no list; for a queue's holder, between `prepare` and `push_back`.
    #[inline]
    pub(crate) fn set_tag(&self, tag: u32) {
        // SAFETY: Q2: in no list, so it is the owner's, who alone calls this.
        unsafe { self.node_mut(|node| (*node).tag = tag) };
    }

    /// Takes back the waker of a waiter that was prepared but did not have to join.
    #[inline]
    pub(crate) fn take_waker(&self) -> Option<Waker> {
        // SAFETY: Q2: in no list, so it is the owner's, who alone calls this.
        unsafe { self.node_mut(|node| (*node).waker.take()) }
    }

    /// The tag; for the owner of a waiter that was granted.
    #[inline]
    pub(crate) fn tag(&self) -> u32 {
        // SAFETY: Q2, Q4: the releaser is done with it, and the caller has seen so through `state`.
        unsafe { self.node(|node| (*node).tag) }
    }

    /// When it was granted; for the owner of a waiter that was.
    #[inline]
    pub(crate) fn granted_at(&self) -> Stamp {
        // SAFETY: Q2, Q4: the releaser is done with it, and the caller has seen so through `state`.
        unsafe { self.node(|node| (*node).granted_at) }
    }

    /// Sees to it that `waker` is the one that will be called, for a waiter that was in `state`, whose list is
    /// `queue`'s. Returns the state: if that is another one, nothing was changed.
    pub(crate) fn refresh(&self, queue: &WaitQueue, state: u8, waker: &Waker) -> u8 {
        let locked = queue.lock();
        let seen = self.state();
        // SAFETY: Q2: in `state` the node is guarded by `queue`'s lock, which we hold.
        let same = seen != state
            || unsafe { self.node(|node| (*node).waker.as_ref().is_some_and(|old| old.will_wake(waker))) };
        drop(locked);
        if same {
            return seen;
        }
        // Cloning is foreign code, so it happens between two lockings (Q6); meanwhile the state may change.
        let mut new = Some(waker.clone());
        let locked = queue.lock();
        let seen = self.state();
        if seen == state {
            // SAFETY: as above.
            unsafe { self.node_mut(|node| std::mem::swap(&mut (*node).waker, &mut new)) };
        }
        drop(locked);
        drop(new);
        seen
    }
}
