//! What every public type and future is, and is not, of `Send`, `Sync`, `Unpin`, `UnwindSafe` and `RefUnwindSafe`.
//! Checked by the compiler: there is nothing to run.
#![cfg(not(loom))]

mod common;

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use common::assert_not_impl;
use sync::futures::{
    Acquire, AcquireOwned, BarrierWait, BoundedAcquire, BoundedAcquireOwned, ConditionLock, ConditionWait,
    ConditionWaitFor, EventWait, EventWaitOwned, Lock, LockOwned,
};
use sync::{
    AcquireError, Barrier, BarrierError, BarrierStatistics, BarrierWaitResult, BoundedPermit,
    BoundedSemaphore, BoundedSemaphoreStatistics, Condition, ConditionGuard, ConditionStatistics, Event,
    EventStatistics, MappedMutexGuard, Mutex, MutexGuard, MutexStatistics, OwnedBoundedPermit,
    OwnedMappedMutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, ReleaseError, Semaphore, SemaphorePermit,
    SemaphoreStatistics, TryAcquireError, TryLockError,
};

/// `type: is this, and that; not those`.
macro_rules! assert_traits {
    ($($type:ty: $($is:ident)* $(, not $($not:ident)+)?;)*) => {
        $(
            $(
                const _: () = {
                    const fn holds<T: ?Sized + $is>() {}
                    holds::<$type>()
                };
            )*
            $($(assert_not_impl!($type: $not);)+)?
        )*
    };
}

/// May be sent but not shared.
type SendOnly = Cell<u8>;
/// May be shared but not sent.
type SyncOnly = std::sync::MutexGuard<'static, u8>;
/// Neither.
type Neither = Rc<u8>;
/// Sends and shares, but must not be seen after a panic.
type Unsafe = &'static mut u8;
type Predicate = fn(&mut u8) -> bool;

assert_traits! {
    Mutex<u8>: Send Sync Unpin UnwindSafe, not RefUnwindSafe;
    Mutex<dyn Send>: Send Sync;
    Mutex<SendOnly>: Send Sync;
    Mutex<SyncOnly>: Unpin, not Send Sync;
    Mutex<Neither>: Unpin, not Send Sync;
    Mutex<Unsafe>: Send Sync, not UnwindSafe RefUnwindSafe;
    MutexGuard<'static, u8>: Send Sync Unpin, not UnwindSafe RefUnwindSafe;
    MutexGuard<'static, SendOnly>: Send, not Sync;
    MutexGuard<'static, SyncOnly>: Unpin, not Send Sync;
    MutexGuard<'static, Neither>: Unpin, not Send Sync;
    OwnedMutexGuard<u8>: Send Sync Unpin, not UnwindSafe RefUnwindSafe;
    OwnedMutexGuard<SendOnly>: Send, not Sync;
    OwnedMutexGuard<SyncOnly>: Unpin, not Send Sync;
    OwnedMutexGuard<Neither>: Unpin, not Send Sync;
    MappedMutexGuard<'static, u8>: Send Sync Unpin RefUnwindSafe, not UnwindSafe;
    MappedMutexGuard<'static, SendOnly>: Send, not Sync RefUnwindSafe;
    MappedMutexGuard<'static, SyncOnly>: Sync, not Send;
    MappedMutexGuard<'static, Neither>: Unpin, not Send Sync;
    OwnedMappedMutexGuard<u8, u8>: Send Sync Unpin, not UnwindSafe RefUnwindSafe;
    OwnedMappedMutexGuard<SendOnly, u8>: Send, not Sync;
    OwnedMappedMutexGuard<u8, SendOnly>: Send, not Sync;
    OwnedMappedMutexGuard<SyncOnly, u8>: Unpin, not Send Sync;
    OwnedMappedMutexGuard<u8, SyncOnly>: Unpin, not Send Sync;
    OwnedMappedMutexGuard<Neither, Neither>: Unpin, not Send Sync;
    Lock<'static, u8>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    Lock<'static, SendOnly>: Send;
    Lock<'static, SyncOnly>: , not Send Unpin;
    Lock<'static, Neither>: , not Send Unpin;
    LockOwned<u8>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    LockOwned<SendOnly>: Send;
    LockOwned<SyncOnly>: , not Send Unpin;
    LockOwned<Neither>: , not Send Unpin;

    Condition<u8>: Send Sync Unpin, not UnwindSafe RefUnwindSafe;
    Condition<SendOnly>: Send Sync;
    Condition<SyncOnly>: , not Send Sync;
    Condition<Neither>: , not Send Sync;
    ConditionGuard<'static, u8>: Send Sync Unpin, not UnwindSafe RefUnwindSafe;
    ConditionGuard<'static, SendOnly>: Send, not Sync;
    ConditionGuard<'static, SyncOnly>: , not Send Sync;
    ConditionGuard<'static, Neither>: , not Send Sync;
    ConditionLock<'static, u8>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    ConditionLock<'static, SendOnly>: Send;
    ConditionLock<'static, Neither>: , not Send Unpin;
    ConditionWait<'static, u8>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    ConditionWait<'static, SendOnly>: Send;
    ConditionWait<'static, Neither>: , not Send Sync Unpin;
    ConditionWaitFor<'static, u8, Predicate>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    ConditionWaitFor<'static, u8, Neither>: , not Send Sync Unpin;
    ConditionWaitFor<'static, Neither, Predicate>: , not Send Sync Unpin;

    Semaphore: Send Sync Unpin UnwindSafe RefUnwindSafe;
    SemaphorePermit<'static>: Send Sync Unpin UnwindSafe RefUnwindSafe;
    OwnedSemaphorePermit: Send Sync Unpin UnwindSafe RefUnwindSafe;
    Acquire<'static>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    AcquireOwned: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    BoundedSemaphore: Send Sync Unpin UnwindSafe RefUnwindSafe;
    BoundedPermit<'static>: Send Sync Unpin UnwindSafe RefUnwindSafe;
    OwnedBoundedPermit: Send Sync Unpin UnwindSafe RefUnwindSafe;
    BoundedAcquire<'static>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    BoundedAcquireOwned: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    Event: Send Sync Unpin UnwindSafe RefUnwindSafe;
    EventWait<'static>: Send Sync, not Unpin UnwindSafe RefUnwindSafe;
    EventWaitOwned: Send Sync, not Unpin UnwindSafe RefUnwindSafe;

    Barrier: Send Sync Unpin UnwindSafe RefUnwindSafe;
    BarrierWait<'static>: Send Sync, not Unpin;
    BarrierWaitResult: Send Sync Unpin UnwindSafe RefUnwindSafe;
    BarrierError: Send Sync Unpin UnwindSafe RefUnwindSafe;
    BarrierStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe;

    AcquireError: Send Sync Unpin UnwindSafe RefUnwindSafe;
    TryAcquireError: Send Sync Unpin UnwindSafe RefUnwindSafe;
    TryLockError: Send Sync Unpin UnwindSafe RefUnwindSafe;
    ReleaseError: Send Sync Unpin UnwindSafe RefUnwindSafe;
    MutexStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe;
    ConditionStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe;
    SemaphoreStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe;
    BoundedSemaphoreStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe;
    EventStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe;
}
