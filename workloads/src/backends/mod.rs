//! One file for each backend, and the table of who has which primitive.
//!
//! A new backend is a file here that holds its `BACKEND` and its `Primitives`, its `mod` line, its place in
//! [`BACKENDS`](crate::BACKENDS), and its name in the lines of `arms!` for the primitives that it has.

pub mod sync;
pub mod sync_traced;
pub mod tokio;

/// The version of a dependency as Cargo.lock has it (the build script hands it over).
macro_rules! version {
    ($name:literal) => {
        match option_env!(concat!("VERSION_", $name)) {
            Some(version) => version,
            None => "unknown",
        }
    };
}
use version;

/// Who has which primitive, one line for each family, and the arms of a variant made of it: `arms!(mutex, exclusive)` is the function `exclusive` on every backend with a mutex.
macro_rules! arms {
    (mutex, $run:ident) => { $crate::backends::arms!(@ MutexBackend, $run: sync sync_traced tokio) };
    (semaphore, $run:ident) => { $crate::backends::arms!(@ SemaphoreBackend, $run: sync sync_traced tokio) };
    (event, $run:ident) => { $crate::backends::arms!(@ EventBackend, $run: sync sync_traced tokio) };
    (condition, $run:ident) => { $crate::backends::arms!(@ ConditionBackend, $run: sync sync_traced tokio) };
    (@ $family:ident, $run:ident: $($backend:ident)+) => {
        &[$($crate::Arm {
            backend: &$crate::backends::$backend::BACKEND,
            composed: <$crate::backends::$backend::Primitives as $crate::backend::$family>::COMPOSED,
            run: $run::<$crate::backends::$backend::Primitives>,
        }),+]
    };
}
pub(crate) use arms;

#[cfg(test)]
mod tests;
