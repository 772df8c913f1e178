//! What a benchmark run found: the report, its statistics, comparison and exports.
//!
//! Neither a clock nor a runtime: samples come in as plain numbers.
#![forbid(unsafe_code)]

mod report;

pub use report::{
    Cell, Check, Comparison, Environment, Fairness, Params, Report, Round, Run, SCHEMA, Spread, Status,
    Verdict, WaitSummary,
};
