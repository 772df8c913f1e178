//! A backend keeps its colour, dash and marker in every chart and table, whatever else is shown.
//!
//! The colours themselves stand in the style sheet, once for light and once for dark; they can be told apart
//! by people who see red and green alike. Dash and marker say the same without colour.

use plotly::common::{DashType, MarkerSymbol};
use results::compare::is_control_arm;

/// Colours that the style sheet defines.
const SERIES_COUNT: usize = 10;

/// Backends that have a colour of their own, in the order of the colours.
const KNOWN: [&str; SERIES_COUNT] = [
    "sync",
    "tokio",
    "sync-traced",
    "async-lock",
    "asyncband",
    "saa",
    "futures-intrusive",
    "maitake-sync",
    "futures",
    "tokio-unconstrained",
];

/// How a backend looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    /// From 1; the style sheet's `--series-N`.
    pub(crate) index: usize,
    /// The baseline measured a second time: same colour, thin and dotted.
    pub(crate) control: bool,
}

impl Series {
    pub(crate) fn of(backend: &str) -> Self {
        let control = is_control_arm(backend);
        // The control arm is named `tokio (control)`.
        let name = if control { backend.split(" (").next().unwrap_or(backend) } else { backend };
        let exact = KNOWN.iter().position(|&known| known == name);
        let known =
            exact.or_else(|| KNOWN.iter().position(|&known| name.strip_prefix(known).is_some_and(is_arm)));
        let slot = known.unwrap_or_else(|| name.bytes().map(usize::from).sum::<usize>() % SERIES_COUNT);
        Self { index: slot + 1, control }
    }

    pub(crate) fn color(&self) -> String {
        format!("var(--series-{})", self.index)
    }

    pub(crate) fn fill(&self) -> String {
        format!("var(--series-{}-soft)", self.index)
    }

    /// No two that look alike in colour have the same dash.
    pub(crate) fn dash(&self) -> DashType {
        match self.index {
            _ if self.control => DashType::Dot,
            1 | 10 => DashType::Solid,
            2 | 5 | 8 => DashType::Dash,
            3 | 6 | 9 => DashType::DashDot,
            _ => DashType::LongDash,
        }
    }

    /// Each has a shape of its own.
    pub(crate) fn symbol(&self) -> MarkerSymbol {
        match self.index {
            _ if self.control => MarkerSymbol::CircleOpen,
            1 => MarkerSymbol::Circle,
            2 => MarkerSymbol::Square,
            3 => MarkerSymbol::Diamond,
            4 => MarkerSymbol::TriangleUp,
            5 => MarkerSymbol::TriangleDown,
            6 => MarkerSymbol::Cross,
            7 => MarkerSymbol::X,
            8 => MarkerSymbol::Star,
            9 => MarkerSymbol::Pentagon,
            _ => MarkerSymbol::Hourglass,
        }
    }

    pub(crate) fn width(&self) -> f64 {
        if self.control { 1.25 } else { 2.25 }
    }
}

/// `async-lock-barging` is an arm of `async-lock` and looks like it, unless it is known itself.
fn is_arm(rest: &str) -> bool {
    rest.starts_with('-') && !rest.starts_with("-traced") && !rest.starts_with("-intrusive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_backend_has_a_colour_of_its_own() {
        let mut indices: Vec<_> = KNOWN.iter().map(|name| Series::of(name).index).collect();
        indices.dedup();
        assert_eq!(indices, (1..=SERIES_COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn the_control_has_its_baselines_colour_and_another_line() {
        let (tokio, control) = (Series::of("tokio"), Series::of("tokio (control)"));
        assert_eq!(tokio.color(), control.color());
        assert!(control.control && !tokio.control);
        assert!(control.width() < tokio.width());
    }

    #[test]
    fn no_two_backends_share_a_marker() {
        let mut symbols: Vec<String> =
            KNOWN.iter().map(|name| format!("{:?}", Series::of(name).symbol())).collect();
        symbols.sort();
        symbols.dedup();
        assert_eq!(symbols.len(), SERIES_COUNT);
    }

    #[test]
    fn an_unknown_backend_gets_one_of_the_colours() {
        for name in ["", "mine", "日本", " (control)"] {
            assert!((1..=SERIES_COUNT).contains(&Series::of(name).index));
        }
    }
}
