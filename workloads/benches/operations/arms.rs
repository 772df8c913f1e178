//! What the benches ask of a rival beyond the traits of the backends: the lock whose guard may go anywhere.
//!
//! A rival that lacks it leaves the trait out and does not appear in that group.

use std::future::Future;
use std::sync::Arc;

use workloads::backend::MutexBackend;
use workloads::backends;

/// Takes the lock for as long as a guard lives that keeps the lock alive.
pub trait LockOwned: MutexBackend {
    /// With the clone of the `Arc` that it takes.
    fn lock_owned(mutex: &Arc<Self::Mutex>) -> impl Future<Output: Sized>;
}

/// `lock_owned!(backend)`, where the library calls it that and wants an `Arc` of its own.
macro_rules! lock_owned {
    ($($backend:ident)*) => {$(
        impl LockOwned for backends::$backend::Primitives {
            #[inline]
            fn lock_owned(mutex: &Arc<Self::Mutex>) -> impl Future<Output: Sized> {
                Arc::clone(mutex).lock_owned()
            }
        }
    )*};
}

lock_owned!(sync tokio asyncband maitake_sync futures);

impl LockOwned for backends::async_lock::Primitives {
    #[inline]
    fn lock_owned(mutex: &Arc<Self::Mutex>) -> impl Future<Output: Sized> {
        mutex.lock_arc()
    }
}
