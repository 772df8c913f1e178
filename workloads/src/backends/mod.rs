//! One file for each backend, and the list of them.
//!
//! A new backend is a file here that holds its `BACKEND` and its `Primitives`, and its line in `backends!`. Which
//! primitives it has is seen from the traits that its `Primitives` implement, so no workload needs to know of it.
//!
//! A rival is used as its documentation recommends for programs with std, through its own futures where it names
//! them, and compiled as we are. What it lacks is put together the way its users do it, or left out; its file opens
//! with what sets it apart.

use crate::Backend;

/// The list of backends, in the order of `list`. Makes of each its module and its place in [`BACKENDS`], and of all of
/// them `each_backend!`, which hands their names to another macro.
macro_rules! backends {
    ($($backend:ident)+) => {
        $(pub mod $backend;)+

        /// Every backend, in the order of `list`.
        pub const BACKENDS: &[&Backend] = &[$(&$backend::BACKEND),+];

        /// `each_backend!(module::what, (arguments))` is `crate::module::what!((arguments) every backend)`.
        macro_rules! each_backend {
            ($module:ident::$what:ident, $argument:tt) => { $crate::$module::$what!($argument $($backend)+) };
        }
    };
}

backends! {
    sync
    sync_traced
    tokio
    tokio_unconstrained
    async_lock
    asyncband
    saa
    futures_intrusive
    maitake_sync
    futures
}
pub(crate) use each_backend;

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

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::claims_of;
