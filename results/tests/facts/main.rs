//! What the package promises to others, in one binary so that it is linked once.

mod common;
mod compare;
mod costs;
mod display;
mod exports;
mod forks;
mod formats;
mod paired;
mod power;
mod reading;
mod schema;
mod store;
mod summary;
mod text_histogram;
mod units;
mod unpaired;
mod waits;
