//! The collector from outside: spans in, snapshot out.

mod bounds;
mod foreign;
mod meaning;
mod primitives;
mod support;
