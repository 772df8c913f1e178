//! The command line as users and scripts meet it: the real program, its exit codes and its files.

mod arguments;
mod calibrate;
mod endings;
mod forks;
mod reports;
mod runs;
mod scenarios;
mod serve;
mod support;
