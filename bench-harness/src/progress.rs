//! How far the run is, on standard error: a bar in a terminal, a line for each tenth elsewhere.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use crate::say::say;
use indicatif::{ProgressBar, ProgressStyle};

/// How far a run is.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    slots: usize,
    slots_done: usize,
    /// What the slots take by plan; what they take in truth is learnt from those that are over.
    planned: Duration,
    bar: Bar,
}

/// How much of something is done.
#[derive(Debug)]
pub(crate) struct Bar {
    all: u64,
    show: Show,
}

#[derive(Debug)]
enum Show {
    Bar(ProgressBar),
    /// With the tenths printed.
    Lines(u64),
}

impl Progress {
    /// For a run of so many slots that take so long by plan.
    pub(crate) fn new(slots: usize, planned: Duration) -> Self {
        Self { begun: Instant::now(), slots, slots_done: 0, planned, bar: Bar::new(slots as u64) }
    }

    /// Seconds since the run began.
    pub(crate) fn elapsed_s(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Seconds that the run will probably still take.
    pub(crate) fn remaining_s(&self) -> f64 {
        remaining_s(self.elapsed_s(), self.planned.as_secs_f64(), self.slots_done, self.slots)
    }

    /// A slot is about to begin.
    pub(crate) fn update(&mut self, slots_done: usize, phase: &str) {
        self.slots_done = slots_done;
        let remaining_s = self.remaining_s().ceil();
        self.bar.at(slots_done as u64, &format!("{remaining_s:.0} s left · {phase}"));
    }

    /// The run is over.
    pub(crate) fn finish(&self) {
        self.bar.finish();
    }
}

impl Bar {
    /// For `all` there is to do.
    pub(crate) fn new(all: u64) -> Self {
        let show = if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{wide_bar:.dim} {percent:>3} % · {msg}");
            Show::Bar(ProgressBar::new(all).with_style(style.expect("a constant template is valid")))
        } else {
            Show::Lines(0)
        };
        Self { all, show }
    }

    /// So much is done, and this comes next.
    pub(crate) fn at(&mut self, done: u64, next: &str) {
        match &mut self.show {
            Show::Bar(bar) => {
                bar.set_message(next.to_owned());
                bar.set_position(done);
            }
            Show::Lines(printed) => {
                let tenths = done.saturating_mul(10) / self.all.max(1);
                if tenths > *printed || done == 0 {
                    *printed = tenths;
                    say!("{:>3} % · {next}", tenths * 10);
                }
            }
        }
    }

    /// All is done, or nothing more will be.
    pub(crate) fn finish(&self) {
        if let Show::Bar(bar) = &self.show {
            bar.finish_and_clear();
        }
    }
}

/// A length of time as people say it: `45 s`, `3 min`, `2.5 h`.
pub(crate) fn in_words(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 90.0 => format!("{:.0} s", s.ceil()),
        s if s < 5_400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

/// By plan at first, then more and more by what the slots that are over took.
fn remaining_s(elapsed_s: f64, planned_s: f64, slots_done: usize, slots: usize) -> f64 {
    let done = slots_done as f64 / slots.max(1) as f64;
    let by_plan = (planned_s - elapsed_s).max(0.0);
    let learnt = if done > 0.0 { elapsed_s / done * (1.0 - done) } else { by_plan };
    by_plan * (1.0 - done) + learnt * done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_in_the_unit_that_people_use() {
        let words = |s| in_words(Duration::from_secs(s));
        assert_eq!([words(0), words(45), words(180), words(9_000)], ["0 s", "45 s", "3 min", "2.5 h"]);
    }

    #[test]
    fn time_left_follows_the_plan_first_and_the_truth_later() {
        assert_eq!(remaining_s(0.0, 20.0, 0, 100), 20.0);
        assert_eq!(remaining_s(30.0, 20.0, 50, 100), 15.0);
        assert_eq!(remaining_s(40.0, 20.0, 100, 100), 0.0);
        assert!(remaining_s(0.0, 0.0, 0, 0).is_finite());
    }
}
