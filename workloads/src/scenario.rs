//! The scenarios that are shipped: `scenarios/*.toml`, carried in the program as text. What their keys mean is
//! not known here; they are options of the program that drives the workloads.

/// A scenario that is shipped, for `--preset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// The name on the command line, and of the file.
    pub name: &'static str,
    /// The file, TOML.
    pub text: &'static str,
}

macro_rules! scenario {
    ($name:literal) => {
        Scenario {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/", $name, ".toml")),
        }
    };
}

/// Every scenario that is shipped, in the order of `list`. A new one is a file there, and a line here.
pub const SCENARIOS: &[Scenario] = &[
    scenario!("lockhammer"),
    scenario!("abseil-contended"),
    scenario!("parking-lot"),
    scenario!("lock-bench"),
    scenario!("futures-intrusive-mutex"),
    scenario!("futures-intrusive-semaphore"),
    scenario!("asyncband-weighted"),
    scenario!("folly-post-wait"),
    scenario!("notify-waiters"),
    scenario!("event-listener"),
    scenario!("many-tasks"),
];

impl Scenario {
    /// What it is, for `list`: the first line of the comment that every scenario opens with.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches('#').trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows how a scenario is written, and is not one that anybody would run by name.
    const EXAMPLE: &str = "example";

    #[test]
    fn every_file_is_listed_once() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
            .filter(|name| name != EXAMPLE)
            .collect();
        let mut listed: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        files.sort();
        listed.sort_unstable();
        assert_eq!(listed, files);
    }

    #[test]
    fn every_scenario_opens_with_what_it_is() {
        for scenario in SCENARIOS {
            assert!(scenario.text.starts_with("# "), "{}", scenario.name);
            assert!(scenario.summary().len() > 20, "{}: {}", scenario.name, scenario.summary());
        }
    }
}
