//! `futures`: the lock in the futures crate, which makes no promise of an order.
//!
//! It has no other primitive of the family. `futures::lock` is `futures_util::lock`, whose version is shown.

use std::future::Future;

use futures_util::lock::{Mutex, MutexGuard};

use crate::Backend;
use crate::backend::{Library, MutexBackend};

/// futures.
pub static BACKEND: Backend = Backend {
    name: "futures",
    version: super::version!("FUTURES_UTIL"),
    summary: "futures::lock::Mutex: a newcomer may overtake",
    fair: false,
    traced: false,
};

/// The futures crate's lock.
#[derive(Debug)]
pub struct Primitives;

impl Library for Primitives {}

impl MutexBackend for Primitives {
    type Mutex = Mutex<u64>;
    type Guard<'a> = MutexGuard<'a, u64>;

    fn new(value: u64) -> Self::Mutex {
        Mutex::new(value)
    }

    #[inline]
    fn lock(mutex: &Self::Mutex) -> impl Future<Output = Self::Guard<'_>> + Send {
        mutex.lock()
    }

    #[inline]
    fn try_lock(mutex: &Self::Mutex) -> Option<Self::Guard<'_>> {
        mutex.try_lock()
    }
}
