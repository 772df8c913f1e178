//! A backend that breaks its promise is caught by the law of the workload that relies on it.

/// An event for a library of which something else is broken.
macro_rules! sound_event {
    ($library:ty $(, const $leaks:ident)?) => {
        impl$(<const $leaks: bool>)? EventBackend for $library {
            type Event = <Sound as EventBackend>::Event;

            fn new() -> Self::Event {
                <Sound as EventBackend>::new()
            }

            fn set(event: &Self::Event) {
                Sound::set(event);
            }

            fn clear(event: &Self::Event) {
                Sound::clear(event);
            }

            fn wait(event: &Self::Event) -> impl Future<Output = ()> + Send {
                <Sound as EventBackend>::wait(event)
            }
        }
    };
}

mod absent;
mod barriers;
mod conditions;
mod events;
mod exclusion;
mod permits;

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use crate::support::{FLAVOURS, Run, Until, run};
use tokio::sync::{Barrier, Mutex, MutexGuard, Notify};
use tokio::task::yield_now;
use workloads::backend::{
    BarrierBackend, ConditionBackend, EventBackend, Library, MutexBackend, PostBackend, SemaphoreBackend,
    Side, WeightedSemaphoreBackend,
};
use workloads::backends;
use workloads::backends::sync::Primitives as Sound;
use workloads::buffer::Buffer;
use workloads::workloads::condition;
use workloads::workloads::{barrier, event, mix, mutex, semaphore};
use workloads::{HoldMode, Params, Pass, Slot, SlotOutcome, WORKLOADS, Workload};

/// Lets a few thousand operations pass on one thread, on which everything below is deterministic.
fn law_of(case: fn(Slot<'_>) -> SlotOutcome, params: &Params) -> Result<(), String> {
    let Run { outcome, .. } = run(case, params, Pass::Latency, FLAVOURS[0], Until::Samples(2_000));
    outcome.law
}

/// Of the workload's first variant.
fn defaults(workload: &str) -> Params {
    (workload_of(workload).variants[0].defaults)()
}

fn defaults_of(workload: &str, variant: &str) -> Params {
    let known = workload_of(workload).variants.iter().find(|known| known.name == variant);
    (known.expect(variant).defaults)()
}

fn workload_of(name: &str) -> &'static Workload {
    WORKLOADS.iter().find(|known| known.name == name).expect(name)
}

fn assert_caught(law: &Result<(), String>, words: &str) {
    assert!(law.as_ref().is_err_and(|law| law.contains(words)), "{law:?}");
}
