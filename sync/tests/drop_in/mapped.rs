//! Every method and trait of tokio's guards of a part of the value. `super` says whose they are.

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::ops::DerefMut;
use std::sync::Arc;

use super::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
use crate::common::{assert_not_impl, is_send, is_sync};

type Dyn = dyn Fn() -> u8 + Send + Sync;

fn is_unpin<T: Unpin + ?Sized>() {}
fn is_guard<G: DerefMut<Target = T> + Debug + Display, T: ?Sized>() {}

#[test]
fn types_have_the_traits_of_tokios() {
    is_send::<MappedMutexGuard<'static, Cell<u8>>>();
    is_sync::<MappedMutexGuard<'static, u8>>();
    is_unpin::<MappedMutexGuard<'static, Dyn>>();
    is_guard::<MappedMutexGuard<'static, str>, str>();
    is_send::<OwnedMappedMutexGuard<Cell<u8>, Cell<u8>>>();
    is_sync::<OwnedMappedMutexGuard<u8, u8>>();
    is_unpin::<OwnedMappedMutexGuard<Dyn, Dyn>>();
    is_guard::<OwnedMappedMutexGuard<u8, str>, str>();
}
assert_not_impl!(MappedMutexGuard<'static, *const u8>: Send);
assert_not_impl!(MappedMutexGuard<'static, Cell<u8>>: Sync);
assert_not_impl!(OwnedMappedMutexGuard<*const u8, u8>: Send);
assert_not_impl!(OwnedMappedMutexGuard<u8, *const u8>: Send);
assert_not_impl!(OwnedMappedMutexGuard<Cell<u8>, u8>: Sync);
assert_not_impl!(OwnedMappedMutexGuard<u8, Cell<u8>>: Sync);

#[derive(Debug, Default)]
struct Pair {
    numbers: [u32; 2],
}

#[test]
fn borrowed_guard_can_be_narrowed_step_by_step() {
    let mutex = Mutex::new(Pair::default());
    let guard: MutexGuard<'_, Pair> = mutex.try_lock().unwrap();
    let numbers: MappedMutexGuard<'_, [u32]> = MutexGuard::map(guard, |pair| &mut pair.numbers[..]);
    let mut second: MappedMutexGuard<'_, u32> = MappedMutexGuard::map(numbers, |numbers| &mut numbers[1]);
    *second = 7;
    assert_eq!(format!("{second:?} {second}"), "7 7");
    assert!(mutex.try_lock().is_err());
    drop(second);
    assert_eq!(mutex.try_lock().unwrap().numbers, [0, 7]);
}

#[test]
fn borrowed_guard_that_cannot_be_narrowed_comes_back() {
    let mutex = Mutex::new(Pair::default());
    let guard: Result<MappedMutexGuard<'_, u8>, MutexGuard<'_, Pair>> =
        MutexGuard::try_map(mutex.try_lock().unwrap(), |_| None::<&mut u8>);
    let guard = guard.unwrap_err();
    assert!(mutex.try_lock().is_err());
    let numbers = MutexGuard::try_map(guard, |pair| Some(&mut pair.numbers[..])).ok().unwrap();
    let numbers: Result<MappedMutexGuard<'_, u8>, MappedMutexGuard<'_, [u32]>> =
        MappedMutexGuard::try_map(numbers, |_| None);
    let numbers = numbers.unwrap_err();
    assert!(mutex.try_lock().is_err());
    drop(MappedMutexGuard::try_map(numbers, |numbers| numbers.first_mut()).unwrap());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn owned_guard_can_be_narrowed_step_by_step() {
    let mutex = Arc::new(Mutex::new(Pair::default()));
    let guard: OwnedMutexGuard<Pair> = Arc::clone(&mutex).try_lock_owned().unwrap();
    let numbers: OwnedMappedMutexGuard<Pair, [u32]> =
        OwnedMutexGuard::map(guard, |pair| &mut pair.numbers[..]);
    let mut second: OwnedMappedMutexGuard<Pair, u32> =
        OwnedMappedMutexGuard::map(numbers, |numbers| &mut numbers[1]);
    *second = 7;
    assert_eq!(format!("{second:?} {second}"), "7 7");
    assert!(mutex.try_lock().is_err());
    drop(second);
    assert_eq!(mutex.try_lock().unwrap().numbers, [0, 7]);
}

#[test]
fn owned_guard_that_cannot_be_narrowed_comes_back() {
    let mutex = Arc::new(Mutex::new(Pair::default()));
    let guard: Result<OwnedMappedMutexGuard<Pair, u8>, OwnedMutexGuard<Pair>> =
        OwnedMutexGuard::try_map(Arc::clone(&mutex).try_lock_owned().unwrap(), |_| None);
    let guard = guard.unwrap_err();
    assert!(mutex.try_lock().is_err());
    let numbers = OwnedMutexGuard::try_map(guard, |pair| Some(&mut pair.numbers[..])).ok().unwrap();
    let numbers: Result<OwnedMappedMutexGuard<Pair, u8>, OwnedMappedMutexGuard<Pair, [u32]>> =
        OwnedMappedMutexGuard::try_map(numbers, |_| None);
    let numbers = numbers.unwrap_err();
    assert!(mutex.try_lock().is_err());
    drop(OwnedMappedMutexGuard::try_map(numbers, |numbers| numbers.first_mut()).unwrap());
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn function_that_panics_while_it_narrows_unlocks() {
    let mutex = Arc::new(Mutex::new(1));
    let thread = std::thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            let guard = mutex.try_lock().unwrap();
            drop(MutexGuard::map(guard, |_| -> &mut u8 {
                std::panic::resume_unwind(Box::new("no message"))
            }));
        }
    });
    assert!(thread.join().is_err());
    assert!(mutex.try_lock().is_ok());
}
