//! Counts what a thread does beside computing: allocations, and looks at the clock.
//!
//! The clock is counted by standing in for the C library's `clock_gettime`, which is what `Instant::now` calls on 64-bit
//! Linux; elsewhere it is not counted. Nothing of this is in the crate itself, which so is tested as it is used.
#![expect(unsafe_code, reason = "an allocator and a function of the C library can only be replaced so")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Whether looks at the clock are counted here.
pub(crate) const CLOCK_IS_COUNTED: bool =
    cfg!(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"));

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static CLOCK_READS: Cell<u64> = const { Cell::new(0) };
}

/// What happened on this thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) allocations: u64,
    pub(crate) clock_reads: u64,
}

impl Counts {
    fn now() -> Self {
        Self { allocations: ALLOCATIONS.get(), clock_reads: CLOCK_READS.get() }
    }
}

/// Runs `scene` and returns what it did on this thread.
pub(crate) fn count(scene: impl FnOnce()) -> Counts {
    let before = Counts::now();
    scene();
    let after = Counts::now();
    Counts {
        allocations: after.allocations - before.allocations,
        clock_reads: after.clock_reads - before.clock_reads,
    }
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: all work is left to the system's allocator; a counter without a destructor may be touched at any time.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
mod clock {
    //! `clock_gettime`, counted. The linker takes the program's own before the library's.

    use std::ffi::{CStr, c_char, c_int, c_void};

    unsafe extern "C" {
        fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
    }

    type ClockGettime = unsafe extern "C" fn(c_int, *mut c_void) -> c_int;

    /// glibc's name for the next object in the order of search, which is not the program.
    const RTLD_NEXT: isize = -1;
    const NAME: &CStr = c"clock_gettime";

    // SAFETY: name, arguments and result are those of the function that it replaces, and it calls that one.
    #[unsafe(no_mangle)]
    extern "C" fn clock_gettime(clock: c_int, time: *mut c_void) -> c_int {
        super::CLOCK_READS.set(super::CLOCK_READS.get() + 1);
        // SAFETY: the handle is one of dlsym's own, the name ends with a zero.
        let original = unsafe { dlsym(std::ptr::without_provenance_mut(RTLD_NEXT as usize), NAME.as_ptr()) };
        assert!(!original.is_null(), "the C library has no clock");
        // SAFETY: that is its type.
        let original = unsafe { std::mem::transmute::<*mut c_void, ClockGettime>(original) };
        // SAFETY: the caller's promise.
        unsafe { original(clock, time) }
    }
}

/// The counters count: every other test here would pass with counters that stand still.
#[test]
fn an_allocation_and_a_look_at_the_clock_are_counted() {
    let counts = count(|| {
        std::hint::black_box(Box::new(std::hint::black_box(7)));
        std::hint::black_box(std::time::Instant::now());
    });
    assert_eq!(counts, Counts { allocations: 1, clock_reads: u64::from(CLOCK_IS_COUNTED) });
}
