//! The cheapest wakers that are wakers: one that counts, and one that puts its task at the end of a queue.
//!
//! A no-op waker would flatter: it is a constant, so that cloning and dropping it compile to nothing, and a
//! primitive that wakes twice would not show. Those of a runtime are counted in memory that threads share: three
//! atomic read-modify-writes for a wait, which every primitive pays alike and which hide what it adds to them.
//! These here are called through their table like any other, but touch nothing beside the thread's own memory.
//! Making one by hand is what takes the only `unsafe` of the benches.
//!
//! Invariant W1: the functions of both tables read the bits of the pointer and never what they point to.
#![allow(unsafe_code, reason = "`Wake` asks for an `Arc`, and that is what must not be measured")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

thread_local! {
    static WAKES: Cell<u64> = const { Cell::new(0) };
    static READY: RefCell<VecDeque<usize>> = const { RefCell::new(VecDeque::new()) };
}

static COUNTING: RawWakerVTable =
    RawWakerVTable::new(|data| RawWaker::new(data, &COUNTING), count, count, |_| {});

fn count(_: *const ()) {
    WAKES.set(WAKES.get() + 1);
}

/// A waker whose wake-ups [`wakes`] counts.
pub fn counting() -> Waker {
    // SAFETY: W1. The functions may be called on any thread and in any number: each counts for its own.
    unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &COUNTING)) }
}

/// Wake-ups of this thread's counting wakers.
pub fn wakes() -> u64 {
    WAKES.get()
}

static QUEUEING: RawWakerVTable =
    RawWakerVTable::new(|data| RawWaker::new(data, &QUEUEING), enqueue, enqueue, |_| {});

fn enqueue(data: *const ()) {
    READY.with_borrow_mut(|ready| ready.push_back(data.addr()));
}

/// A waker that puts `task` at the end of this thread's queue.
pub fn queueing(task: usize) -> Waker {
    // SAFETY: W1. The pointer is a number in disguise; on another thread it would be put into that one's queue.
    unsafe { Waker::from_raw(RawWaker::new(ptr::without_provenance(task), &QUEUEING)) }
}

/// Takes the first of this thread's queue.
#[inline]
pub fn next() -> Option<usize> {
    READY.with_borrow_mut(VecDeque::pop_front)
}

/// Empties this thread's queue and puts these tasks into it.
pub fn start_with(tasks: impl Iterator<Item = usize>) {
    READY.with_borrow_mut(|ready| {
        ready.clear();
        ready.extend(tasks);
    });
}
