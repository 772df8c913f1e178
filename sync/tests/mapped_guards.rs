//! Behaviour of the guards that show a part of a `Mutex`'s value.
#![cfg(not(loom))]

mod common;

use std::cell::Cell;
use std::sync::Arc;

use common::{Task, assert_not_impl, is_send, is_sync, now, on_wake, panic_message};
use sync::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

#[test]
fn types_are_send_and_sync_as_tokios_are() {
    is_send::<MappedMutexGuard<'static, Cell<u8>>>();
    is_sync::<MappedMutexGuard<'static, u8>>();
    is_send::<OwnedMappedMutexGuard<Cell<u8>, Cell<u8>>>();
    is_sync::<OwnedMappedMutexGuard<u8, u8>>();
}
assert_not_impl!(MappedMutexGuard<'static, *const u8>: Send);
assert_not_impl!(MappedMutexGuard<'static, std::rc::Rc<u8>>: Sync);
assert_not_impl!(MappedMutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl!(OwnedMappedMutexGuard<*const u8, u8>: Send);
assert_not_impl!(OwnedMappedMutexGuard<u8, *const u8>: Send);
assert_not_impl!(OwnedMappedMutexGuard<Cell<u8>, u8>: Sync);
assert_not_impl!(OwnedMappedMutexGuard<u8, Cell<u8>>: Sync);

fn pair() -> Arc<Mutex<(u8, String)>> {
    Arc::new(Mutex::new((1, String::from("text"))))
}

#[test]
fn part_can_be_changed_and_the_lock_goes_with_it() {
    let mutex = pair();
    let mut number = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.0);
    *number += 1;
    assert!(mutex.is_locked());
    let mut waiter = Task::waiting(mutex.lock());
    waiter.assert_waits();
    drop(number);
    assert_eq!(waiter.woken().0, 2);

    let mut text = OwnedMutexGuard::map(Arc::clone(&mutex).try_lock_owned().unwrap(), |pair| &mut pair.1);
    text.push('s');
    assert!(Arc::ptr_eq(OwnedMappedMutexGuard::mutex(&text), &mutex));
    let mut waiter = Task::waiting(mutex.lock());
    drop(text);
    assert_eq!(waiter.woken().1, "texts");
    drop(waiter);
    assert!(!mutex.is_locked());
}

#[test]
fn parts_of_parts_may_be_unsized() {
    let mutex = pair();
    let text = MutexGuard::map(mutex.try_lock().unwrap(), |pair| &mut pair.1);
    let mut head: MappedMutexGuard<'_, str> = MappedMutexGuard::map(text, |text| &mut text[..2]);
    head.make_ascii_uppercase();
    let none = MappedMutexGuard::try_map(head, |_| None::<&mut u8>);
    let one = MappedMutexGuard::try_map(none.unwrap_err(), |head| Some(&mut head[1..])).unwrap();
    assert_eq!((&*one, mutex.is_locked()), ("E", true));
    drop(one);

    let text = OwnedMutexGuard::map(Arc::clone(&mutex).try_lock_owned().unwrap(), |pair| &mut pair.1);
    let head: OwnedMappedMutexGuard<_, str> = OwnedMappedMutexGuard::map(text, |text| &mut text[..3]);
    let none = OwnedMappedMutexGuard::try_map(head, |_| None::<&mut u8>);
    let one = OwnedMappedMutexGuard::try_map(none.unwrap_err(), |head| Some(&mut head[1..])).unwrap();
    assert_eq!((&*one, mutex.is_locked()), ("Ex", true));
    drop(one);
    assert_eq!(mutex.try_lock().unwrap().1, "TExt");
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn part_that_is_not_there_gives_the_guard_back() {
    let mutex = Arc::new(Mutex::new(None::<u8>));
    let guard = MutexGuard::try_map(mutex.try_lock().unwrap(), Option::as_mut).unwrap_err();
    assert!(mutex.is_locked());
    let mut guard = guard;
    *guard = Some(1);
    assert_eq!(*MutexGuard::try_map(guard, Option::as_mut).unwrap(), 1);

    let owned = || Arc::clone(&mutex).try_lock_owned().unwrap();
    *OwnedMutexGuard::try_map(owned(), Option::as_mut).unwrap() = 2;
    let guard = OwnedMutexGuard::try_map(owned(), |_| None::<&mut u8>).unwrap_err();
    assert_eq!((*guard, mutex.is_locked()), (Some(2), true));
    drop(guard);
    assert!(!mutex.is_locked());
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn function_that_panics_unlocks() {
    let mutex = pair();
    let borrowed = || mutex.try_lock().expect("the last scene unlocked it");
    let owned = || Arc::clone(&mutex).try_lock_owned().expect("the last scene unlocked it");
    let scenes: [&dyn Fn(); 8] = [
        &|| drop(MutexGuard::map(borrowed(), |_| -> &mut u8 { panic!("bad") })),
        &|| drop(MutexGuard::try_map(borrowed(), |_| -> Option<&mut u8> { panic!("bad") })),
        &|| drop(OwnedMutexGuard::map(owned(), |_| -> &mut u8 { panic!("bad") })),
        &|| drop(OwnedMutexGuard::try_map(owned(), |_| -> Option<&mut u8> { panic!("bad") })),
        &|| {
            let part = MutexGuard::map(borrowed(), |pair| &mut pair.0);
            drop(MappedMutexGuard::map(part, |_| -> &mut u8 { panic!("bad") }));
        },
        &|| {
            let part = MutexGuard::map(borrowed(), |pair| &mut pair.0);
            drop(MappedMutexGuard::try_map(part, |_| -> Option<&mut u8> { panic!("bad") }));
        },
        &|| {
            let part = OwnedMutexGuard::map(owned(), |pair| &mut pair.0);
            drop(OwnedMappedMutexGuard::map(part, |_| -> &mut u8 { panic!("bad") }));
        },
        &|| {
            let part = OwnedMutexGuard::map(owned(), |pair| &mut pair.0);
            drop(OwnedMappedMutexGuard::try_map(part, |_| -> Option<&mut u8> { panic!("bad") }));
        },
    ];
    for scene in scenes {
        assert_eq!(panic_message(scene), "bad");
        assert!(!mutex.is_locked());
    }
    assert_eq!(Arc::strong_count(&mutex), 1);
}

#[test]
fn waker_that_panics_at_the_unlock_leaves_the_mutex_granted() {
    let mutex = pair();
    let owned = Arc::clone(&mutex).try_lock_owned().unwrap();
    let part = OwnedMutexGuard::map(owned, |pair| &mut pair.0);
    let mut first = Task::new(mutex.lock());
    assert!(first.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    assert_eq!(panic_message(|| drop(part)), "bad waker");
    assert_eq!(Arc::strong_count(&mutex), 1, "the guard's own went with it");
    let part = MutexGuard::map(first.ready(), |pair| &mut pair.0);
    let mut second = Task::new(mutex.lock());
    assert!(second.poll_with(&on_wake(|| panic!("bad waker"))).is_pending());
    assert_eq!(panic_message(|| drop(part)), "bad waker");
    drop(second.ready());
    assert!(!mutex.is_locked());
}

#[test]
fn owned_part_keeps_its_mutex_alive() {
    let part = OwnedMutexGuard::map(now(pair().lock_owned()), |pair| &mut pair.1);
    assert_eq!(*part, "text");
    assert_eq!(format!("{part:?} {part}"), "\"text\" text");
}

#[test]
fn part_of_a_value_that_borrows_may_be_sent() {
    let mut local = 5;
    {
        let mutex = Mutex::new(&mut local);
        let mut part = MutexGuard::map(mutex.try_lock().unwrap(), |value| &mut **value);
        assert_eq!(format!("{part:?} {part}"), "5 5");
        std::thread::scope(|scope| scope.spawn(move || *part += 1).join().unwrap());
        assert!(!mutex.is_locked());
    }
    assert_eq!(local, 6);
}

/// One text, compiled against both crates: swapping the `use` compiles, and does the same.
macro_rules! scene {
    ($name:ident, $($sync:ident)::+) => {
        #[test]
        fn $name() {
            use $($sync)::+::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

            fn first<'a>(guard: MutexGuard<'a, Vec<u8>>) -> Result<MappedMutexGuard<'a, u8>, MutexGuard<'a, Vec<u8>>> {
                MutexGuard::try_map::<u8, _>(guard, |bytes| bytes.first_mut())
            }
            fn owned(guard: OwnedMutexGuard<Vec<u8>>) -> OwnedMappedMutexGuard<Vec<u8>, [u8]> {
                OwnedMutexGuard::map(guard, |bytes| &mut bytes[..])
            }
            let mutex = Arc::new(Mutex::const_new(Vec::new()));
            let mut empty = first(mutex.try_lock().unwrap()).unwrap_err();
            empty.push(1);
            assert!(std::ptr::eq(MutexGuard::mutex(&empty), &*mutex));
            *first(empty).unwrap() += 1;
            let whole = owned(Arc::clone(&mutex).try_lock_owned().unwrap());
            let one = OwnedMappedMutexGuard::try_map::<u8, _>(whole, |bytes| bytes.first_mut()).unwrap();
            let one: OwnedMappedMutexGuard<Vec<u8>, u8> = OwnedMappedMutexGuard::map(one, |byte| byte);
            assert_eq!(*one, 2);
            let _defaulted: Option<OwnedMappedMutexGuard<u8>> = None;
            std::thread::scope(|scope| {
                scope.spawn(|| assert_eq!(mutex.blocking_lock().len(), 1));
                drop(one);
            });
            assert_eq!(Arc::clone(&mutex).blocking_lock_owned()[..], [2]);
        }
    };
}
scene!(same_text_works_with_this_crate, sync);
scene!(same_text_works_with_tokio, tokio::sync);
