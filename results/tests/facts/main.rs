//! What the package promises to others, in one binary so that it is linked once.

mod common;
mod compare;
mod display;
mod formats;
mod paired;
mod reading;
mod schema;
mod store;
mod summary;
mod units;
mod unpaired;
mod waits;
