//! Scenarios that are read, and each kind that is refused.

use std::time::Duration;

use super::*;
use crate::cases::registry;
use crate::cli::{HoldMode, RunArgs};

/// The options of a run with the given words typed and the given text in the file.
fn merged(typed: &[&str], text: &str) -> anyhow::Result<Arguments> {
    let typed: Vec<OsString> = ["bench-harness"].iter().chain(typed).map(OsString::from).collect();
    let matches = Cli::command().try_get_matches_from(&typed).unwrap();
    merge(&typed, &matches, Reader::new("s.toml", text).settings()?)
}

fn run_args(typed: &[&str], text: &str) -> RunArgs {
    merged(typed, text).unwrap().cli.run
}

fn refusal(typed: &[&str], text: &str) -> String {
    let error = merged(typed, text).map(|arguments| arguments.cli.run).unwrap_err();
    assert!(error.is::<Usage>(), "{error:#}");
    error.to_string()
}

#[test]
fn every_kind_of_key_is_read_as_its_option() {
    let run = run_args(
        &[],
        "workload = [\"mutex\", \"event\"]\nbackend = \"tokio\"\ntasks = 0x10\nhold = \"1.5us\"\nthink = 0\n\
         hold-mode = \"yield\"\ncancel = 2.5\nrounds = 1_000\nexit = true\nno-dashboard = false\n\
         [sweep]\npermits = [1, 2]\n",
    );
    assert_eq!(
        (run.workload.as_slice(), run.backend.as_slice()),
        (&["mutex", "event"].map(String::from)[..], &["tokio".into()][..])
    );
    assert_eq!((run.knobs.tasks, run.knobs.permits, run.knobs.cancel), (Some(16), None, Some(2.5)));
    assert_eq!(run.knobs.hold, Some(Duration::from_nanos(1_500)));
    assert_eq!((run.knobs.think, run.knobs.hold_mode), (Some(Duration::ZERO), Some(HoldMode::Yield)));
    assert_eq!((run.method.rounds, run.output.exit, run.output.no_dashboard), (1_000, true, false));
    assert_eq!(run.sweep.iter().map(ToString::to_string).collect::<Vec<_>>(), ["permits=1,2"]);
}

#[test]
fn an_empty_file_changes_nothing() {
    let run = run_args(&[], "# nothing yet\n");
    assert_eq!((run.workload, run.method.rounds), (vec!["semaphore".to_owned()], 20));
}

#[test]
fn what_is_typed_wins_over_the_file() {
    let file = "workload = \"mutex\"\ntasks = 4\nexit = true\nlisten = \"127.0.0.1:9\"\n[sweep]\nhold = [\"1us\", \"2us\"]\n";
    let run = run_args(&["--workload", "event", "--tasks", "9"], file);
    assert_eq!((run.workload, run.knobs.tasks, run.output.exit), (vec!["event".to_owned()], Some(9), true));
    // A switch that contradicts one of the file replaces it.
    let run = run_args(&["--stay"], file);
    assert!(run.output.stay && !run.output.exit);
    let run = run_args(&["--no-dashboard"], file);
    assert!(run.output.no_dashboard && run.output.listen.is_none());
    // A value replaces a sweep of the same knob, and a sweep replaces a value and a sweep.
    let run = run_args(&["--hold", "3us"], file);
    assert!(run.sweep.is_empty() && run.knobs.hold == Some(Duration::from_micros(3)));
    let run = run_args(&["--sweep", "tasks=1,2", "--sweep", "hold=5us"], file);
    assert_eq!(run.sweep.iter().map(ToString::to_string).collect::<Vec<_>>(), ["tasks=1,2", "hold=5us"]);
    assert_eq!(run.knobs.tasks, None);
}

#[test]
fn bad_keys_and_values_are_refused_with_file_line_key_and_what_is_right() {
    for (text, expected) in [
        ("hold_mode = \"spin\"", "s.toml, line 1: unknown key hold_mode; did you mean hold-mode?"),
        ("\n\ntasks = \"64\"", "s.toml, line 3: tasks: it takes a number, without quotes"),
        ("tasks = true", "s.toml, line 1: tasks: it takes a number, without quotes"),
        ("tasks = 0", "s.toml, line 1: tasks: cannot be '0': 0 is not in 1..=1000000"),
        (
            "hold = 5",
            "s.toml, line 1: hold: cannot be '5': a duration needs a unit: 500ns, 10us, 2ms or 1.5s",
        ),
        ("hold = [\"5us\"]", "s.toml, line 1: hold: it takes a duration in quotes, such as \"10us\""),
        (
            "hold-mode = \"wish\"",
            "s.toml, line 1: hold-mode: cannot be 'wish': it takes one of spin, yield, sleep",
        ),
        ("cancel = nan", "s.toml, line 1: cancel: cannot be 'nan': expected a percentage, 0 to 100"),
        ("exit = 1", "s.toml, line 1: exit: it takes true or false"),
        ("out = 5", "s.toml, line 1: out: it takes text in quotes"),
        ("workload = []", "s.toml, line 1: workload: it takes a name in quotes, or an array of them"),
        ("tasks = 1\ntasks = 2", "s.toml, line 2: not TOML: duplicate key"),
        (
            "[sweep]\ntasks = 4",
            "s.toml, line 2: [sweep] tasks: expected an array of values, each a number, without quotes",
        ),
        ("[sweep]\ntasks = [1, 0]", "s.toml, line 2: [sweep] tasks cannot be '0': 0 is not in 1..=1000000"),
        (
            "[sweep]\nhold = [\"1us\", true]",
            "s.toml, line 2: [sweep] hold: it takes a duration in quotes, such as \"10us\"",
        ),
    ] {
        assert_eq!(refusal(&[], text), expected, "{text}");
    }
    for (text, beginning) in [
        ("\ntaks = 4", "s.toml, line 2: unknown key taks; there are workload, backend, tasks, "),
        ("scenario = \"other.toml\"", "s.toml, line 1: unknown key scenario; "),
        ("[contention]\ntasks = 4", "s.toml, line 1: unknown key contention; "),
        (
            "[sweep]\nrounds = [6, 7]",
            "s.toml, line 2: [sweep] unknown key rounds; there are tasks, permits, ",
        ),
        ("sweep = \"tasks=1,2\"", "s.toml, line 1: sweep: expected a table: [sweep]"),
        ("tasks = \n", "s.toml, line 1: not TOML: "),
        ("[sweep", "s.toml, line 1: not TOML: "),
    ] {
        let message = refusal(&[], text);
        assert!(message.starts_with(beginning), "{text}: {message}");
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused_with_their_lines() {
    let message = refusal(&[], "stay = true\nexit = true\n");
    for word in ["--stay", "--exit", "stay is in s.toml, line 1", "exit is in s.toml, line 2"] {
        assert!(message.contains(word), "no {word} in {message}");
    }
    let message = refusal(&[], "tasks = 4\n[sweep]\ntasks = [1, 2]\n");
    assert_eq!(
        message,
        "--tasks 4 and --sweep tasks=1,2: a knob is either given or swept; drop one of the two \
         (tasks is in s.toml, line 1; tasks is in s.toml, line 3)"
    );
    assert!(
        refusal(&["--sweep", "hold=1us", "--sweep", "hold=2us"], "")
            .contains("hold=1us and --sweep hold=2us")
    );
    assert!(
        refusal(&["--sweep", "hold=1us", "--hold", "2us"], "").contains("--hold 2us and --sweep hold=1us")
    );
}

#[test]
fn a_message_about_an_option_of_the_file_says_where_it_stands() {
    let origins = merged(&[], "hold-mode = \"spin\"\nhold = \"1s\"\n").unwrap().origins;
    let explained = |message: &str| origins.explain(Usage::error(message)).to_string();
    assert_eq!(explained("--hold 1s is long"), "--hold 1s is long (hold is in s.toml, line 2)");
    assert_eq!(explained("--hold-mode spins"), "--hold-mode spins (hold-mode is in s.toml, line 1)");
    assert_eq!(explained("--tasks 0"), "--tasks 0");
    let failure = origins.explain(anyhow::anyhow!("--hold broke"));
    assert!(!failure.is::<Usage>() && failure.to_string() == "--hold broke");
}

#[test]
fn every_shipped_scenario_plans_at_least_one_case() {
    for scenario in SCENARIOS {
        let run = run_args(&["--preset", scenario.name], scenario.text);
        let plan = registry().plan(&run.workload, &run.backend, &run.knobs, &run.sweep, run.method.slot);
        let plan = plan.unwrap_or_else(|error| panic!("{}: {error:#}", scenario.name));
        assert!(plan.notes.is_empty(), "{}: {:?}", scenario.name, plan.notes);
    }
}
