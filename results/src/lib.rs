//! What a benchmark run found: the report, its statistics, comparison and exports.
//!
//! | module | for |
//! |---|---|
//! | `report` | [`Report`] and its parts: plain data, the wire format |
//! | `read` | JSON to [`Report`] and back, its JSON Schema; says what is wrong with what is not a report |
//! | `costs` | what an operation cost beside its time |
//! | `waits` | between histograms and [`WaitSummary`] |
//! | [`statistics`] | medians, fairness, paired and unpaired estimates, Holm's adjustment |
//! | [`compare`] | backends within a run; one report against another |
//! | [`store`] | reads a folder of reports |
//! | [`formats`] | what a report can be exported to |
//! | `display` | figures as people read them |
//! | `text_histogram` | a distribution in one line of text |
//! | [`units`] | figures in other benchmarks' units |
//!
//! Neither a clock nor a runtime: samples come in as plain numbers, and nothing here writes a file.
#![forbid(unsafe_code)]

mod costs;
mod display;
mod error;
mod read;
mod report;
mod text_histogram;
mod waits;

pub mod compare;
pub mod formats;
pub mod statistics;
pub mod store;
pub mod units;

pub use costs::Costs;
pub use display::{format_count, format_difference, format_ns, format_rate, format_ratio};
pub use error::ReadError;
pub use report::{
    Cell, Check, Comparison, Environment, Fairness, LatencyRound, OpenLoop, Params, PeerFigure, Report,
    Round, Run, SCHEMA, Spread, Status, Verdict, WaitSummary,
};
pub use text_histogram::{TextHistogram, text_histogram};
