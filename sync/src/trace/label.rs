//! Who an object is, and which line asked.

use std::panic::Location;
use std::sync::atomic::{AtomicU32, Ordering};

/// Who an object is: where it was made, what it is called, and a number. 24 bytes on a 64-bit machine.
pub(crate) struct Label {
    pub(super) made_at: &'static Location<'static>,
    /// Invariant L1: `name` and `name_len` are the parts of a `&'static str`.
    name: *const u8,
    name_len: u32,
    /// Zero until a span first asks for it. A `u32` keeps a lock small; after 2^32 watched objects numbers repeat.
    pub(super) id: AtomicU32,
}

// SAFETY: L1: the pointer is a shared reference to static text.
unsafe impl Send for Label {}
// SAFETY: as above.
unsafe impl Sync for Label {}

impl Label {
    #[track_caller]
    pub(crate) const fn new() -> Self {
        Self { made_at: Location::caller(), name: "".as_ptr(), name_len: 0, id: AtomicU32::new(0) }
    }

    /// A name past 4 GiB is not kept.
    pub(crate) const fn set_name(&mut self, name: &'static str) {
        if name.len() <= u32::MAX as usize {
            self.name = name.as_ptr();
            self.name_len = name.len() as u32;
        }
    }

    pub(super) fn name(&self) -> &'static str {
        // SAFETY: L1.
        unsafe {
            std::str::from_utf8_unchecked(std::slice::from_raw_parts(self.name, self.name_len as usize))
        }
    }

    pub(super) fn id(&self) -> u64 {
        // Ordering: Relaxed, a number that guards nothing; the exchange settles which one it is.
        let id = self.id.load(Ordering::Relaxed);
        u64::from(if id == 0 { self.assign_id() } else { id })
    }

    #[cold]
    fn assign_id(&self) -> u32 {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        // Ordering: Relaxed, as in `id`. Zero means none, so it is passed over when the numbers wrap.
        let fresh = loop {
            let id = NEXT.fetch_add(1, Ordering::Relaxed);
            if id != 0 {
                break id;
            }
        };
        match self.id.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(other) => other,
        }
    }
}

/// The line that asked.
#[derive(Clone, Copy)]
pub(crate) struct Site(pub(super) &'static Location<'static>);

impl Site {
    #[track_caller]
    #[inline(always)]
    pub(crate) const fn here() -> Self {
        Self(Location::caller())
    }
}
