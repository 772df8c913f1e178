//! The knobs of a case. Plain data: where they come from (arguments, a scenario file) is not known here.

use std::fmt;
use std::time::Duration;

/// How a task spends the time for which it holds what it acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldMode {
    /// Computes without giving the worker away.
    Spin,
    /// Yields to the executor once and again until the time is over, at least once.
    Yield,
    /// Sleeps on the executor's timer (tokio's granularity is 1 ms).
    Sleep,
}

/// How times lie around their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// All the same.
    Constant,
    /// Anything from nothing to twice the mean.
    Uniform,
    /// Mostly short, and now and then a long one: what is left to do says nothing of what was done.
    Exponential,
    /// Nine in ten take half the mean, one in ten takes 5.5 times it.
    Bimodal,
}

/// The knobs of a case. What [`check`](Self::check) refuses is not run.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// Tasks that contend, 1 to 1,000,000.
    pub tasks: usize,
    /// Permits of a semaphore, capacity of a buffer; workloads without permits ignore it.
    pub permits: usize,
    /// Locks of which an operation takes one at random, 1 to 10,000,000; workloads with one lock ignore it.
    pub locks: usize,
    /// Most permits of one request, 1 to `permits`: a request draws a power of two up to it, so that 4 means 1, 2
    /// or 4.
    pub weight: usize,
    /// Tasks that post what the others take, 1 to 1,000,000.
    pub posters: usize,
    /// How long it is held, on average; zero with [`HoldMode::Yield`] is exactly one yield.
    pub hold: Duration,
    /// How the hold times lie around their mean.
    pub hold_distribution: Distribution,
    /// How the hold time is spent.
    pub hold_mode: HoldMode,
    /// Spun between two operations of a task, on average.
    pub think: Duration,
    /// How the think times lie around their mean.
    pub think_distribution: Distribution,
    /// Percentage of acquisitions dropped after their first poll if that was pending, 0 to 100.
    pub cancel_percent: f64,
    /// Open loop: operations that the tasks together begin in a second, up to [`MAX_RATE`](Self::MAX_RATE), by
    /// a schedule that does not wait for them. `None` is the closed loop: each begins when its last is over.
    pub rate_ops_per_s: Option<f64>,
}

/// Parameters that no case can have; says which knob, its value, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamsError {
    /// The knob, named as in [`Params::entries`].
    pub knob: &'static str,
    /// The value that was refused.
    pub value: String,
    /// What the knob takes.
    pub allowed: String,
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be {}: it takes {}", self.knob, self.value, self.allowed)
    }
}

impl std::error::Error for ParamsError {}

/// A knob's value as a report stores it.
#[derive(Clone, Debug, PartialEq)]
pub enum ParamValue {
    /// A count, or a duration in nanoseconds.
    Count(u64),
    /// A percentage or a rate.
    Number(f64),
    /// A mode.
    Text(&'static str),
}

impl Params {
    /// One task and one permit, nothing held, no pauses: what a variant's defaults start from.
    pub const PLAIN: Self = Self {
        tasks: 1,
        permits: 1,
        locks: 1,
        weight: 1,
        posters: 1,
        hold: Duration::ZERO,
        hold_distribution: Distribution::Constant,
        hold_mode: HoldMode::Spin,
        think: Duration::ZERO,
        think_distribution: Distribution::Constant,
        cancel_percent: 0.0,
        rate_ops_per_s: None,
    };

    /// Most tasks of a case; a million tasks take about a gigabyte.
    pub const MAX_TASKS: usize = 1_000_000;

    /// Most permits of a case: as many as every backend can count.
    pub const MAX_PERMITS: usize = 1_000_000_000;

    /// Most locks of a case: two cache lines each, and some locks take more, so that ten million take 1.3 gigabytes
    /// or a few.
    pub const MAX_LOCKS: usize = 10_000_000;

    /// Longest mean of the hold and of the think times. An operation that is under way when the slot ends is finished,
    /// so a slot may outlast its time by as much, and by several times that where the times are distributed.
    pub const MAX_PAUSE: Duration = Duration::from_secs(10);

    /// Highest rate of an open loop: one operation a nanosecond, the clock's own grain.
    pub const MAX_RATE: f64 = 1e9;

    /// Refuses what no slot can be run with.
    ///
    /// # Errors
    ///
    /// The first knob, in the order of [`entries`](Self::entries), whose value is out of its range.
    pub fn check(&self) -> Result<(), ParamsError> {
        check_count("tasks", self.tasks, Self::MAX_TASKS)?;
        check_count("permits", self.permits, Self::MAX_PERMITS)?;
        check_count("locks", self.locks, Self::MAX_LOCKS)?;
        check_weight(self.weight, self.permits)?;
        check_count("posters", self.posters, Self::MAX_TASKS)?;
        check_pause("hold_ns", self.hold)?;
        check_pause("think_ns", self.think)?;
        if !(0.0..=100.0).contains(&self.cancel_percent) {
            return Err(ParamsError {
                knob: "cancel_percent",
                value: self.cancel_percent.to_string(),
                allowed: "0 to 100".to_owned(),
            });
        }
        if let Some(rate) = self.rate_ops_per_s
            && !(rate > 0.0 && rate <= Self::MAX_RATE)
        {
            return Err(ParamsError {
                knob: "rate_ops_per_s",
                value: rate.to_string(),
                allowed: format!("more than 0, up to {}", Self::MAX_RATE),
            });
        }
        Ok(())
    }

    /// Every knob under its report name, in the order of the command line's help; the rate only where there is one
    /// and a distribution only where it is not constant (as it is around a mean of zero), so that cases without them
    /// keep their names.
    pub fn entries(&self) -> Vec<(&'static str, ParamValue)> {
        let distribution = |knob, distribution: Distribution, mean: Duration| {
            let told = distribution != Distribution::Constant && !mean.is_zero();
            told.then_some((knob, ParamValue::Text(distribution.as_str())))
        };
        let mut entries = vec![
            ("tasks", ParamValue::Count(self.tasks as u64)),
            ("permits", ParamValue::Count(self.permits as u64)),
            ("locks", ParamValue::Count(self.locks as u64)),
            ("weight", ParamValue::Count(self.weight as u64)),
            ("posters", ParamValue::Count(self.posters as u64)),
            ("hold_ns", ParamValue::Count(self.hold.as_nanos() as u64)),
        ];
        entries.extend(distribution("hold_distribution", self.hold_distribution, self.hold));
        entries.extend([
            ("hold_mode", ParamValue::Text(self.hold_mode.as_str())),
            ("think_ns", ParamValue::Count(self.think.as_nanos() as u64)),
        ]);
        entries.extend(distribution("think_distribution", self.think_distribution, self.think));
        entries.push(("cancel_percent", ParamValue::Number(self.cancel_percent)));
        entries.extend(self.rate_ops_per_s.map(|rate| ("rate_ops_per_s", ParamValue::Number(rate))));
        entries
    }
}

fn check_count(knob: &'static str, value: usize, max: usize) -> Result<(), ParamsError> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(ParamsError { knob, value: value.to_string(), allowed: format!("1 to {max}") })
}

/// A request for more permits than there are would wait for ever.
fn check_weight(weight: usize, permits: usize) -> Result<(), ParamsError> {
    if (1..=permits).contains(&weight) {
        return Ok(());
    }
    let allowed = format!("1 to {permits}, the number of permits");
    Err(ParamsError { knob: "weight", value: weight.to_string(), allowed })
}

fn check_pause(knob: &'static str, value: Duration) -> Result<(), ParamsError> {
    if value <= Params::MAX_PAUSE {
        return Ok(());
    }
    let (value, allowed) = (value.as_nanos().to_string(), format!("0 to {}", Params::MAX_PAUSE.as_nanos()));
    Err(ParamsError { knob, value, allowed })
}

impl Distribution {
    /// Every distribution, in the order of the command line's help.
    pub const ALL: [Self; 4] = [Self::Constant, Self::Uniform, Self::Exponential, Self::Bimodal];

    /// The name of the command line and of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Uniform => "uniform",
            Self::Exponential => "exponential",
            Self::Bimodal => "bimodal",
        }
    }
}

impl HoldMode {
    /// Every mode, in the order of the command line's help.
    pub const ALL: [Self; 3] = [Self::Spin, Self::Yield, Self::Sleep];

    /// The name of the command line and of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Yield => "yield",
            Self::Sleep => "sleep",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Params {
        Params::PLAIN
    }

    #[test]
    fn both_ends_of_every_range_pass() {
        assert_eq!(fine().check(), Ok(()));
        let most = Params {
            tasks: Params::MAX_TASKS,
            permits: Params::MAX_PERMITS,
            locks: Params::MAX_LOCKS,
            weight: Params::MAX_PERMITS,
            posters: Params::MAX_TASKS,
            hold: Params::MAX_PAUSE,
            think: Params::MAX_PAUSE,
            cancel_percent: 100.0,
            rate_ops_per_s: Some(Params::MAX_RATE),
            ..fine()
        };
        assert_eq!(most.check(), Ok(()));
    }

    #[test]
    fn what_is_out_of_range_is_named_with_its_value() {
        let message = |params: Params| params.check().unwrap_err().to_string();
        assert_eq!(message(Params { tasks: 0, ..fine() }), "tasks cannot be 0: it takes 1 to 1000000");
        assert_eq!(
            message(Params { tasks: 1_000_001, ..fine() }),
            "tasks cannot be 1000001: it takes 1 to 1000000"
        );
        assert_eq!(message(Params { permits: 0, ..fine() }), "permits cannot be 0: it takes 1 to 1000000000");
        assert_eq!(message(Params { locks: 0, ..fine() }), "locks cannot be 0: it takes 1 to 10000000");
        assert_eq!(message(Params { posters: 0, ..fine() }), "posters cannot be 0: it takes 1 to 1000000");
        for weight in [0, 3] {
            assert_eq!(
                message(Params { permits: 2, weight, ..fine() }),
                format!("weight cannot be {weight}: it takes 1 to 2, the number of permits")
            );
        }
        let hold = Params::MAX_PAUSE + Duration::from_nanos(1);
        assert_eq!(
            message(Params { hold, ..fine() }),
            "hold_ns cannot be 10000000001: it takes 0 to 10000000000"
        );
        assert!(message(Params { think: Duration::MAX, ..fine() }).starts_with("think_ns cannot be"));
        for (cancel_percent, shown) in [(-0.1, "-0.1"), (100.5, "100.5"), (f64::NAN, "NaN")] {
            assert_eq!(
                message(Params { cancel_percent, ..fine() }),
                format!("cancel_percent cannot be {shown}: it takes 0 to 100")
            );
        }
    }

    #[test]
    fn rates_that_no_schedule_can_keep_are_refused() {
        for rate in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e12] {
            let error = Params { rate_ops_per_s: Some(rate), ..fine() }.check().unwrap_err();
            assert_eq!((error.knob, error.value), ("rate_ops_per_s", rate.to_string()));
        }
        for rate in [f64::MIN_POSITIVE, 0.5, 20_000.0, 1e9] {
            assert_eq!(Params { rate_ops_per_s: Some(rate), ..fine() }.check(), Ok(()), "{rate}");
        }
    }

    #[test]
    fn the_rate_is_an_entry_only_where_there_is_one() {
        let names = |params: Params| params.entries().iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert!(!names(fine()).contains(&"rate_ops_per_s"));
        let open = Params { rate_ops_per_s: Some(5.0), ..fine() };
        assert_eq!(open.entries().last(), Some(&("rate_ops_per_s", ParamValue::Number(5.0))));
    }

    #[test]
    fn a_distribution_is_an_entry_only_where_it_changes_something() {
        let told = |hold, hold_distribution| {
            let params = Params { hold, hold_distribution, ..fine() };
            let entry = params.entries().into_iter().find(|(name, _)| *name == "hold_distribution");
            entry.map(|(_, value)| value)
        };
        let second = Duration::from_secs(1);
        assert_eq!(told(second, Distribution::Bimodal), Some(ParamValue::Text("bimodal")));
        assert_eq!(told(second, Distribution::Constant), None);
        assert_eq!(told(Duration::ZERO, Distribution::Bimodal), None);
    }

    #[test]
    fn entries_are_in_nanoseconds() {
        let params = Params { hold: Duration::from_micros(3), ..fine() };
        assert!(params.entries().contains(&("hold_ns", ParamValue::Count(3_000))));
    }
}
