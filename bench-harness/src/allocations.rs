//! The program's allocator: the system's, which counts the calls of the threads that run tasks while it is told to.
//!
//! Outside of that it costs one relaxed load a call, so that a rival that allocates is not slowed where its
//! throughput is measured. Threads count in shards of their own, so that it is not slowed much elsewhere either.
//! What other threads ask for (the progress bar, the dashboard) is never counted.
//!
//! It is the one file of this package with unsafe code: an allocator cannot be had without.
#![expect(
    unsafe_code,
    reason = "`GlobalAlloc` is an unsafe trait; every method hands on to the system's allocator"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::threads;

/// The allocator of the whole program, tests included.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// More than most machines have processors; beyond, two threads share one and only wait for each other.
const SHARDS: usize = 64;

static ON: AtomicBool = AtomicBool::new(false);
static CALLS: [Shard; SHARDS] = [const { Shard(AtomicU64::new(0)) }; SHARDS];

/// Two cache lines, which processors fetch together.
#[repr(align(128))]
struct Shard(AtomicU64);

struct Counting;

/// Counts from now on, where `on`; stops where not.
pub(crate) fn count(on: bool) {
    // Ordering: Relaxed here and below, a statistic that guards no data; a call at the edge may be on either side.
    ON.store(on, Ordering::Relaxed);
}

/// Calls that were counted since the program began.
pub(crate) fn counted() -> u64 {
    CALLS.iter().map(|shard| shard.0.load(Ordering::Relaxed)).fold(0, u64::wrapping_add)
}

#[inline]
fn note() {
    if ON.load(Ordering::Relaxed) {
        note_of_thread();
    }
}

#[cold]
fn note_of_thread() {
    if let Some(number) = threads::number() {
        CALLS[number % SHARDS].0.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every method hands its arguments on to `System` unchanged and gives back what that gave, so what `System`
// promises holds here too. Noting a call neither allocates nor unwinds: it reads and adds to statics and to a
// thread-local value that needs no initialisation and no destructor.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller promises what `System.alloc` asks for: a layout that is not empty.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller promises that the block came from here with this layout, and here it came from
        // `System`; and that the new size is neither zero nor too large.
        unsafe { System.realloc(block, layout, new_size) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that the block came from here with this layout, and here it came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}
