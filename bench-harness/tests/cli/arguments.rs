//! What is typed wrong, and what there is to type.

use std::fs;

use tempfile::TempDir;

use super::support::{run, stderr, stdout};

#[test]
fn bad_values_are_refused_before_anything_runs_naming_option_and_value() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below_a_file = file.join("reports");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--workload", "mutexx"], &["--workload", "'mutexx'", "mutex", "semaphore", "condition", "event"]),
        (&["--workload", "mutex.nope"], &["--workload", "'nope'", "exclusive"]),
        (&["--backend", "tokyo"], &["--backend", "'tokyo'", "sync", "tokio"]),
        (&["--backend", "sync,"], &["--backend", "''"]),
        (&["--tasks", "0"], &["--tasks", "'0'"]),
        (&["--tasks", "-3"], &["--tasks", "'-3'"]),
        (&["--tasks", "1000001"], &["--tasks", "'1000001'"]),
        (&["--permits", "0"], &["--permits", "'0'"]),
        (&["--locks", "0"], &["--locks", "'0'"]),
        (&["--locks", "10000001"], &["--locks", "'10000001'", "10000000"]),
        (&["--weight", "0"], &["--weight", "'0'"]),
        (
            &["--workload", "semaphore.weighted", "--permits", "4", "--weight", "5"],
            &["--weight", "cannot be 5", "1 to 4, the number of permits"],
        ),
        (
            &["--workload", "semaphore.weighted", "--sweep", "permits=8,2"],
            &["--weight", "cannot be 4", "1 to 2, the number of permits"],
        ),
        (&["--posters", "0"], &["--posters", "'0'"]),
        (&["--hold-distribution", "normal"], &["--hold-distribution", "'normal'", "exponential", "bimodal"]),
        (&["--think-distribution", ""], &["--think-distribution", "constant", "uniform"]),
        (&["--peer-unit", "furlongs"], &["--peer-unit", "'furlongs'", "time-per-N", "khz-per-task"]),
        (&["--peer-unit", "time-per-0"], &["--peer-unit", "'time-per-0'"]),
        (&["--rounds", "0"], &["--rounds", "'0'"]),
        (&["--hold", "soon"], &["--hold", "'soon'"]),
        (&["--hold", "-1ms"], &["--hold"]),
        (&["--hold", "1h"], &["--hold", "'1h'"]),
        (&["--hold", "1s"], &["--hold", "1s", "--slot"]),
        (&["--think", "99999999999999999999s"], &["--think"]),
        (&["--slot", "0"], &["--slot", "'0'"]),
        (&["--cancel", "101"], &["--cancel", "'101'"]),
        (&["--cancel", "NaN"], &["--cancel", "'NaN'"]),
        (&["--rate", "0"], &["--rate", "'0'"]),
        (&["--rate", "-1"], &["--rate", "'-1'"]),
        (&["--rate", "NaN"], &["--rate", "'NaN'"]),
        (&["--rate", "inf"], &["--rate", "'inf'"]),
        (&["--rate", "1e12"], &["--rate", "'1e12'", "1e9"]),
        (
            &["--rate", "1000", "--workload", "event"],
            &["--rate", "event.broadcast", "mutex.exclusive", "semaphore.pool"],
        ),
        (
            &["--rate", "1000", "--workload", "mutex,condition"],
            &["--rate", "condition.bounded-buffer", "semaphore.pool"],
        ),
        (&["--seed", "-1"], &["--seed"]),
        (&["--workers", "0"], &["--workers", "'0'"]),
        (&["--runtime", "current-thread", "--workers", "2"], &["--workers", "--runtime"]),
        (&["--hold-mode", "wish"], &["--hold-mode", "'wish'", "spin"]),
        (&["--sweep", "tasks"], &["--sweep", "'tasks'", "KEY=A,B,C", "permits"]),
        (&["--sweep", "task=1,2"], &["--sweep", "'task'", "tasks", "hold-mode"]),
        (&["--sweep", "tasks=1,0"], &["--sweep", "tasks", "'0'"]),
        (&["--sweep", "tasks=1,,2"], &["--sweep", "tasks", "empty"]),
        (&["--sweep", "tasks=1,2", "--tasks", "3"], &["--sweep tasks=1,2", "--tasks 3"]),
        (&["--sweep", "tasks=1,2", "--sweep", "tasks=3"], &["--sweep tasks=1,2", "--sweep tasks=3"]),
        (&["--sweep", "hold=1us,1s"], &["--sweep hold", "1s", "--slot"]),
        (&["--sweep", "hold=11s", "--slot", "60s"], &["--sweep hold", "11000000000"]),
        (&["--workload", "event", "--sweep", "permits=1,2"], &["--sweep permits=1,2", "permits"]),
        (&["--preset", "hammer"], &["--preset", "'hammer'", "lockhammer", "notify-waiters"]),
        (&["--preset", "lockhammer", "--scenario", "mine.toml"], &["--preset", "--scenario"]),
        (&["--scenario", "missing.toml"], &["--scenario", "'missing.toml'"]),
        (&["--format", "xml"], &["--format", "'xml'", "json"]),
        (&["--listen", "here"], &["--listen", "'here'"]),
        (&["--listen", "127.0.0.1:0", "--no-dashboard"], &["--listen", "--no-dashboard"]),
        (&["--stay", "--exit"], &["--stay", "--exit"]),
        (&["--out", below_a_file.to_str().unwrap()], &["--out", below_a_file.to_str().unwrap()]),
    ];
    for (arguments, mentioned) in cases {
        let output = run(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        for word in *mentioned {
            assert!(message.contains(word), "{arguments:?} does not mention {word}: {message}");
        }
    }
}

#[test]
fn a_busy_port_that_was_asked_for_is_refused() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let folder = TempDir::new().unwrap();
    let output = run(&["--listen", &address, "--out", folder.path().to_str().unwrap(), "--exit"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--listen") && stderr(&output).contains(&address),
        "{}",
        stderr(&output)
    );
}

#[test]
fn more_cases_than_a_run_may_have_are_refused_naming_the_limit() {
    let values = |key: &str| format!("{key}={}", Vec::from_iter((1..=32).map(|it| it.to_string())).join(","));
    let output = run(&["--sweep", &values("tasks"), "--sweep", &values("permits")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("1024 cases") && stderr(&output).contains("1000"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn processors_that_are_not_there_are_refused() {
    for (arguments, mentioned) in [
        (["--pin=4000", "--workers=1"], ["--pin", "no processor 4000"]),
        (["--pin=0", "--workers=2"], ["--pin=0", "--workers 1"]),
        (["--pin=0,0", "--workers=2"], ["--pin", "named twice"]),
        (["--pin=first", "--workers=1"], ["--pin", "0,1"]),
        (["--pin", "--workers=1024"], ["--pin", "--workers"]),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        for word in mentioned {
            assert!(stderr(&output).contains(word), "no {word} in {}", stderr(&output));
        }
    }
}

#[test]
fn list_names_workloads_and_backends() {
    let text = stdout(&run(&["list"]));
    for name in ["mutex.exclusive", "alias lock", "semaphore.pool", "sync-traced", "tokio", "--tasks"] {
        assert!(text.contains(name), "no {name} in {text}");
    }
    let json: serde_json::Value = serde_json::from_slice(&run(&["list", "--format", "json"]).stdout).unwrap();
    let names: Vec<&str> =
        json["workloads"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mutex", "semaphore", "condition", "event", "barrier", "mix"]);
    for preset in workloads::SCENARIOS {
        assert!(text.contains(preset.name), "no {} in {text}", preset.name);
        assert!(json["presets"].as_array().unwrap().iter().any(|it| it["name"] == preset.name));
    }
}
