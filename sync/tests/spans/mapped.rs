//! Spans of guards that were mapped.

use std::pin::pin;
use std::sync::Arc;

use sync::schema::{field, primitive, span};
use sync::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
use tracing_subscriber::filter::LevelFilter;

use crate::capture::{Captured, named, names, only, watch};
use crate::task::Task;

fn assert_released(release: &Captured, acquire: &Captured) {
    for same in [field::PRIMITIVE, field::NAME, field::ID, field::OP, field::TASK] {
        assert_eq!(release.value(same), acquire.value(same), "{same}");
    }
    assert_eq!(release.text(field::PRIMITIVE), primitive::MUTEX);
    assert_ne!(release.number(field::OP), 0);
    assert_ne!(release.number(field::HELD_NS), 0);
}

#[test]
fn mapped_guard_is_released_as_the_operation_that_locked() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new([1, 2]).with_name("pair");
        let part = MutexGuard::map(task.run(mutex.lock()), |pair| &mut pair[..]);
        drop(MappedMutexGuard::map(part, |pair| &mut pair[0]));
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    assert_released(&spans[1], &spans[0]);
}

#[test]
fn owned_mapped_guard_is_released_as_the_operation_that_locked() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Arc::new(Mutex::new([1, 2]).with_name("pair"));
        let part = OwnedMutexGuard::map(task.run(mutex.lock_owned()), |pair| &mut pair[..]);
        drop(OwnedMappedMutexGuard::map(part, |pair| &mut pair[0]));
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    assert_released(&spans[1], &spans[0]);
}

#[test]
fn guard_that_could_not_be_mapped_is_released_once() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new(()).with_name("nothing");
        drop(MutexGuard::try_map(task.run(mutex.lock()), |()| None::<&mut u8>));
    });
    assert_eq!(names(&spans), [span::ACQUIRE, span::RELEASE]);
    assert_released(&spans[1], &spans[0]);
}

#[test]
fn mapped_guard_says_whom_it_woke() {
    let task = Task::new();
    let spans = watch(LevelFilter::TRACE, |_| {
        let mutex = Mutex::new((1, 2));
        let part = MutexGuard::map(task.run(mutex.lock()), |pair| &mut pair.1);
        let mut waiting = pin!(mutex.lock());
        task.wait(waiting.as_mut());
        drop(part);
        drop(task.finish(waiting.as_mut()));
    });
    only(&spans, span::WAIT);
    let woken: Vec<_> = named(&spans, span::RELEASE).iter().map(|span| span.number(field::WOKEN)).collect();
    assert_eq!(woken, [1, 0]);
}
