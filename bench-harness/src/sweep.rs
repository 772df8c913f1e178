//! `--sweep KEY=A,B,C`: one knob, several values. Which knobs there are, and what each takes, is asked of the
//! knobs' own options, so a new knob can be swept without a word here.

use std::error::Error as _;
use std::fmt;

use clap::builder::ValueRange;
use clap::error::{ContextKind, ContextValue};
use clap::{Args as _, Command, FromArgMatches as _};

use crate::cli::Knobs;

/// Most cases of a run: with the default method each takes a quarter of a minute.
pub(crate) const MAX_CASES: usize = 1_000;

/// One knob and the values that it takes one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    /// The knob, spelt as its option: `hold-mode`.
    pub(crate) key: String,
    /// In the order in which they were given; at least one, none twice.
    pub(crate) points: Vec<Point>,
}

/// One value of a swept knob.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// The knob and its value as they were typed: `hold=10us`.
    pub(crate) text: String,
    /// With this one knob set.
    pub(crate) knobs: Knobs,
}

/// Reads `KEY=A,B,C`.
///
/// # Errors
/// A sentence that names the key and the value, and says what is taken.
pub(crate) fn parse(text: &str) -> Result<Axis, String> {
    let (key, values) = text
        .split_once('=')
        .ok_or_else(|| format!("expected KEY=A,B,C, where KEY is one of {}", keys().join(", ")))?;
    let key = option_name(key);
    if !keys().contains(&key) {
        return Err(format!("there is no knob '{key}' to sweep; there are {}", keys().join(", ")));
    }
    let mut axis = Axis { key, points: Vec::new() };
    for value in values.split(',').map(str::trim) {
        let point = axis.point(value)?;
        if axis.points.iter().any(|earlier| earlier.sets_the_same(&point)) {
            return Err(format!("{} has '{value}' twice", axis.key));
        }
        axis.points.push(point);
    }
    Ok(axis)
}

/// The knobs that can be swept, spelt as their options, in the order of the help.
pub(crate) fn keys() -> Vec<String> {
    command().get_arguments().filter_map(|knob| knob.get_long()).map(str::to_owned).collect()
}

/// A key in an option's spelling: `hold_mode` becomes `hold-mode`.
pub(crate) fn option_name(key: &str) -> String {
    key.trim().replace('_', "-")
}

/// Every way to take one point of each axis; a single empty one where there is no axis.
pub(crate) fn combinations<'a>(axes: &[&'a Axis]) -> Vec<Vec<&'a Point>> {
    let mut combinations = vec![Vec::new()];
    for axis in axes {
        combinations = combinations
            .iter()
            .flat_map(|chosen| axis.points.iter().map(move |point| [chosen.as_slice(), &[point]].concat()))
            .collect();
    }
    combinations
}

/// What an option has against its value, without the words that its parser puts around it.
pub(crate) fn reason(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => format!("it takes one of {}", values.join(", ")),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).to_owned()
        }
    }
}

impl fmt::Display for Axis {
    /// `hold=1us,10us`, as it was given.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.points.iter().map(Point::value).collect();
        write!(f, "{}={}", self.key, values.join(","))
    }
}

impl Axis {
    fn point(&self, value: &str) -> Result<Point, String> {
        let key = &self.key;
        if value.is_empty() {
            return Err(format!("{key} has an empty value; expected KEY=A,B,C"));
        }
        let knobs = command()
            .try_get_matches_from([format!("--{key}={value}")])
            .and_then(|matches| Knobs::from_arg_matches(&matches))
            .map_err(|error| format!("{key} cannot be '{value}': {}", reason(&error)))?;
        Ok(Point { text: format!("{key}={value}"), knobs })
    }
}

impl Point {
    fn value(&self) -> &str {
        self.text.split_once('=').map_or("", |(_, value)| value)
    }

    /// `1us` and `1000ns` are the same.
    fn sets_the_same(&self, other: &Self) -> bool {
        // Of two points of one axis, which have the same one knob set.
        format!("{:?}", self.knobs) == format!("{:?}", other.knobs)
    }
}

/// The knobs alone, as if they were a program of their own. A knob that is a switch has no values to sweep.
fn command() -> Command {
    let command = Knobs::augment_args(Command::new("knobs"))
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true);
    debug_assert!(command.get_arguments().all(|knob| knob.get_num_args() != Some(ValueRange::EMPTY)));
    command
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn message(text: &str) -> String {
        parse(text).map(|axis| axis.key).unwrap_err()
    }

    #[test]
    fn a_sweep_reads_its_values_as_the_knob_itself_does() {
        let axis = parse("hold=0,500ns,10us").unwrap();
        assert_eq!(axis.key, "hold");
        let holds: Vec<_> = axis.points.iter().map(|point| point.knobs.hold.unwrap()).collect();
        assert_eq!(holds, [0, 500, 10_000].map(Duration::from_nanos));
        assert_eq!(axis.points[2].text, "hold=10us");
        assert!(axis.points.iter().all(|point| point.knobs.tasks.is_none()));
    }

    #[test]
    fn underscores_and_dashes_name_the_same_knob() {
        for text in ["hold_mode=spin,yield", "hold-mode=spin, yield"] {
            let axis = parse(text).unwrap();
            assert_eq!((axis.key.as_str(), axis.points.len()), ("hold-mode", 2));
        }
    }

    #[test]
    fn every_knob_can_be_swept() {
        for key in ["tasks", "permits", "hold", "hold-mode", "think", "cancel"] {
            assert!(keys().iter().any(|known| known == key), "{key} is missing from {:?}", keys());
        }
    }

    #[test]
    fn what_is_no_sweep_is_refused_with_key_value_and_what_is_taken() {
        let known = keys().join(", ");
        for text in ["", "tasks", "tasks:1,2"] {
            assert!(
                message(text).contains("KEY=A,B,C") && message(text).contains(&known),
                "{}",
                message(text)
            );
        }
        for text in ["task=1,2", "=1", "rounds=6,7", "hold_ns=1"] {
            assert!(message(text).starts_with("there is no knob '"), "{}", message(text));
            assert!(message(text).contains(&known), "{}", message(text));
        }
        for text in ["tasks=", "tasks=1,,2", "tasks=1,"] {
            assert_eq!(message(text), "tasks has an empty value; expected KEY=A,B,C");
        }
        assert_eq!(message("tasks=1,0"), "tasks cannot be '0': 0 is not in 1..=1000000");
        assert!(message("tasks=1,x").starts_with("tasks cannot be 'x': "));
        assert_eq!(
            message("hold=5"),
            "hold cannot be '5': a duration needs a unit: 500ns, 10us, 2ms or 1.5s"
        );
        assert_eq!(
            message("hold-mode=wish"),
            "hold-mode cannot be 'wish': it takes one of spin, yield, sleep"
        );
        assert_eq!(message("cancel=101"), "cancel cannot be '101': expected a percentage, 0 to 100");
        assert_eq!(message("hold=1us,1000ns"), "hold has '1000ns' twice");
    }

    #[test]
    fn several_axes_give_the_cross_product_the_last_one_fastest() {
        let [tasks, permits] = ["tasks=2,4", "permits=1,2,3"].map(|text| parse(text).unwrap());
        let texts = |axes: &[&Axis]| -> Vec<String> {
            let joined = |points: Vec<&Point>| {
                points.iter().map(|point| point.text.as_str()).collect::<Vec<_>>().join(" ")
            };
            combinations(axes).into_iter().map(joined).collect()
        };
        let all = texts(&[&tasks, &permits]);
        assert_eq!(all.len(), 6);
        assert_eq!(all[..2], ["tasks=2 permits=1", "tasks=2 permits=2"]);
        assert_eq!(all[5], "tasks=4 permits=3");
        assert_eq!(texts(&[]), [""]);
    }
}
