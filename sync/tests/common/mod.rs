//! What the behaviour tests share: an executor that does nothing on its own, and wakers that can be watched.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test binary uses its own part of this")]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Counts how often it was called.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A future that is polled only when a test says so, and knows how often it was woken.
pub(crate) struct Task<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
}

impl<F: Future> Task<F> {
    pub(crate) fn new(future: F) -> Self {
        Self { future: Box::pin(future), wakes: Arc::default() }
    }

    /// Polled once, and found to have to wait.
    pub(crate) fn waiting(future: F) -> Self {
        let mut task = Self::new(future);
        assert!(task.poll().is_pending(), "it had nothing to wait for");
        task
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.poll_with(&waker)
    }

    pub(crate) fn poll_with(&mut self, waker: &Waker) -> Poll<F::Output> {
        self.future.as_mut().poll(&mut Context::from_waker(waker))
    }

    /// How often it was woken.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    /// What it was woken with, which must have been once.
    #[track_caller]
    pub(crate) fn woken(&mut self) -> F::Output {
        assert_eq!(self.wakes(), 1, "it was not woken once");
        self.ready()
    }

    #[track_caller]
    pub(crate) fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it still waits"),
        }
    }

    /// That it waits on, and was not woken for nothing.
    #[track_caller]
    pub(crate) fn assert_waits(&mut self) {
        assert_eq!(self.wakes(), 0, "it was woken for nothing");
        assert!(self.poll().is_pending(), "it should wait");
    }
}

/// A waker that calls a function when it is woken, and another when its last clone is dropped.
pub(crate) struct Calls {
    on_wake: Box<dyn Fn() + Send + Sync>,
    on_drop: Box<dyn Fn() + Send + Sync>,
}

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        (self.on_wake)();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        (self.on_drop)();
    }
}

/// A waker that calls `f` when it is woken.
pub(crate) fn on_wake(f: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Calls { on_wake: Box::new(f), on_drop: Box::new(|| ()) }))
}

/// A waker that calls `f` when its last clone is dropped.
pub(crate) fn on_drop(f: impl Fn() + Send + Sync + 'static) -> Waker {
    Waker::from(Arc::new(Calls { on_wake: Box::new(|| ()), on_drop: Box::new(f) }))
}

/// Polls once with a waker that nobody hears.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// What a future gives that has nothing to wait for.
#[track_caller]
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match poll_once(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it has to wait"),
    }
}

/// The message with which `f` panics.
#[track_caller]
pub(crate) fn panic_message(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it did not panic");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast::<&str>().map_or_else(|_| "?".into(), |message| (*message).into()),
    }
}

/// Numbers that are the same in each run (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

pub(crate) fn is_send<T: Send>() {}
pub(crate) fn is_sync<T: Sync>() {}

/// Fails to compile where a type has the trait: then the method would be ambiguous.
macro_rules! assert_not_impl {
    ($type:ty: $bound:path) => {
        const _: fn() = || {
            trait AmbiguousIfImplemented<A> {
                fn method() {}
            }
            impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
            struct Implemented;
            impl<T: ?Sized + $bound> AmbiguousIfImplemented<Implemented> for T {}
            let _ = <$type as AmbiguousIfImplemented<_>>::method;
        };
    };
}
pub(crate) use assert_not_impl;
