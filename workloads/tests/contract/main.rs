//! One suite over every registered workload, variant and backend: whatever the parameters and the executor,
//! a slot ends, its law holds, and its figures fit together.

mod broken;
mod support;

use std::time::Duration;

use support::{FLAVOURS, Run, Until, run};
use workloads::{
    Arm, BACKENDS, Backend, Contention, Distribution, HoldMode, Params, Pass, Variant, WORKLOADS, Workload,
};

/// Long enough for thousands of operations, short enough for ten thousand slots.
const SHORT: Until = Until::Milliseconds(2);

/// Samples that a slot of this backend runs to, where `samples` are enough for the others.
///
/// Each poll of saa's that has to wait spins before it queues, so that its slots would take as long as those of all the
/// others together. A tenth of the samples shows the same.
fn samples_of(backend: &Backend, samples: u64) -> Until {
    Until::Samples(if backend.name == "saa" { samples / 10 } else { samples })
}

/// The same for a variant that may begin by the clock, and then takes its time for each.
fn samples_at_its_pace(backend: &Backend, params: &Params, samples: u64) -> Until {
    samples_of(backend, if params.rate_ops_per_s.is_some() { samples / 10 } else { samples })
}

/// With so many permits, none of which is more than one request may ask for.
fn with_permits(permits: usize, params: Params) -> Params {
    Params { permits, weight: params.weight.min(permits), ..params }
}

/// Calls `check` with every workload, variant and arm.
fn each_arm(mut check: impl FnMut(&Workload, &Variant, &Arm)) {
    let mut arms = 0;
    for workload in WORKLOADS {
        for variant in workload.variants {
            for arm in variant.arms {
                check(workload, variant, arm);
                arms += 1;
            }
        }
    }
    assert!(arms >= WORKLOADS.len(), "a workload without an arm");
}

/// Runs every arm that takes the parameters on every executor in both passes and hands to `check` what came of it.
fn each_slot(
    params: impl Fn(&Variant) -> Params,
    until: impl Fn(&Backend, &Params, Pass) -> Until,
    check: impl Fn(&str, &Params, Pass, &Run),
) {
    each_arm(|workload, variant, arm| {
        let params = params(variant);
        if arm.limits.check(&params).is_err() {
            return;
        }
        // An open loop has no throughput to find.
        let passes: &[Pass] = match params.rate_ops_per_s {
            None => &[Pass::Throughput, Pass::Latency],
            Some(_) => &[Pass::Latency],
        };
        for flavour in FLAVOURS {
            for &pass in passes {
                let (workload, backend) = (workload.name, arm.backend.name);
                let label = format!("{workload} {} {backend} {pass:?} {flavour:?} {params:?}", variant.name);
                let run = Run {
                    fair: arm.backend.fair,
                    contends: variant.contention == Contention::Demanded,
                    ..run(arm.run, &params, pass, flavour, until(arm.backend, &params, pass))
                };
                assert_consistent(&label, &params, pass, &run);
                check(&label, &params, pass, &run);
            }
        }
    });
}

/// Runs short slots with parameters made from the defaults; all that is checked is what holds for every slot.
fn each_short_slot(params: impl Fn(Params) -> Params) {
    each_slot(|variant| params((variant.defaults)()), |_, _, _| SHORT, |_, _, _, _| ());
}

/// What holds for every slot.
fn assert_consistent(label: &str, params: &Params, pass: Pass, run: &Run) {
    let outcome = &run.outcome;
    let ops: u64 = outcome.ops_per_task.iter().sum();
    assert_eq!(outcome.law, Ok(()), "{label}");
    assert_eq!(run.started, 1, "{label}");
    assert_eq!(outcome.ops_per_task.len(), params.tasks, "{label}");
    assert!(outcome.cancelled <= outcome.waited, "{label}");
    assert!(outcome.waited <= outcome.acquisitions, "{label}");
    assert!(ops <= outcome.acquisitions - outcome.cancelled, "{label}");
    assert!(outcome.cancelled == 0 || params.cancel_percent > 0.0, "{label}");
    assert!(outcome.hold_ns.is_none_or(|hold_ns| hold_ns >= 0.0), "{label}");
    match pass {
        Pass::Throughput => {
            assert_eq!(outcome.queue_depth, None, "{label}");
            assert!(outcome.recorders.is_empty(), "{label}");
        }
        Pass::Latency => {
            // By the clock none may have begun until the end.
            assert!(outcome.queue_depth.is_some() || outcome.acquisitions == 0, "{label}");
            let depth = outcome.queue_depth.unwrap_or(0.0);
            assert!((0.0..=params.tasks as f64).contains(&depth), "{label}: depth {depth}");
            assert_eq!(outcome.recorders.len(), params.tasks, "{label}");
            assert_eq!(run.recorded, outcome.acquisitions - outcome.cancelled, "{label}");
        }
    }
}

#[test]
fn defaults_contend_and_most_tasks_get_their_turn() {
    each_slot(
        |variant| (variant.defaults)(),
        |backend, params, pass| match pass {
            Pass::Throughput => SHORT,
            Pass::Latency => samples_at_its_pace(backend, params, 200 * params.tasks as u64),
        },
        |label, params, pass, run| {
            assert_eq!(params.check(), Ok(()), "{label}");
            let outcome = &run.outcome;
            // How much a throughput slot gets done depends on the machine; a latency slot runs to its samples here.
            if pass == Pass::Latency && run.flavour.is_one_thread() {
                // Where newcomers overtake, the permits may go round among as many tasks as there are permits for
                // ever: the others wait once, and nobody else does.
                if !run.fair || !run.contends {
                    return;
                }
                // Not all: a condition gives nobody a right to the item that he was told of.
                let worked = outcome.ops_per_task.iter().filter(|&&ops| ops > 0).count();
                assert!(2 * worked > params.tasks, "{label}: {worked} tasks did anything");
                let contended = outcome.waited as f64 / outcome.acquisitions as f64;
                assert!(contended > 0.5, "{label}: {contended} of the acquisitions had to wait");
                assert!(outcome.queue_depth > Some(0.5), "{label}: depth {:?}", outcome.queue_depth);
            }
        },
    );
}

#[test]
fn one_task_is_enough() {
    each_short_slot(|defaults| Params { tasks: 1, ..defaults });
}

#[test]
fn odd_number_of_tasks_shares_one_permit() {
    each_short_slot(|defaults| with_permits(1, Params { tasks: 3, ..defaults }));
}

#[test]
fn thousand_tasks_all_end() {
    each_short_slot(|defaults| Params { tasks: 1_000, ..defaults });
}

#[test]
fn more_permits_than_tasks_are_all_back_at_the_end() {
    each_short_slot(|defaults| Params { tasks: 4, permits: 100, ..defaults });
}

#[test]
fn most_permits_are_taken_by_every_backend() {
    each_short_slot(|defaults| Params { tasks: 2, permits: Params::MAX_PERMITS, ..defaults });
}

#[test]
fn half_of_the_waits_dropped() {
    each_slot(
        |variant| Params { cancel_percent: 50.0, ..(variant.defaults)() },
        |backend, params, pass| match pass {
            Pass::Throughput => SHORT,
            Pass::Latency => samples_at_its_pace(backend, params, 2_000),
        },
        |label, _, pass, run| {
            if pass == Pass::Latency && run.flavour.is_one_thread() && run.contends {
                assert!(run.outcome.cancelled > 0, "{label}: nothing was dropped");
                assert!(run.outcome.ops_per_task.iter().any(|&ops| ops > 0), "{label}: nothing was done");
            }
        },
    );
}

#[test]
fn every_wait_dropped_still_ends() {
    for tasks in [1, 2, 9] {
        each_slot(
            |variant| Params { tasks, cancel_percent: 100.0, ..(variant.defaults)() },
            |_, _, _| SHORT,
            |label, _, _, run| assert_eq!(run.outcome.cancelled, run.outcome.waited, "{label}"),
        );
    }
}

#[test]
fn hold_lasts_as_long_as_asked_in_every_mode_that_reads_a_clock() {
    for hold_mode in HoldMode::ALL {
        for hold in [Duration::ZERO, Duration::from_micros(5)] {
            each_slot(
                |variant| Params {
                    hold,
                    hold_mode,
                    think: Duration::from_nanos(200),
                    cancel_percent: 10.0,
                    ..(variant.defaults)()
                },
                |_, _, _| SHORT,
                |label, _, _, run| {
                    if let Some(hold_ns) = run.outcome.hold_ns
                        && hold_mode != HoldMode::Spin
                    {
                        assert!(hold_ns >= hold.as_nanos() as f64, "{label}: held for {hold_ns} ns");
                    }
                },
            );
        }
    }
}

#[test]
fn times_that_vary_break_no_law() {
    each_short_slot(|defaults| Params {
        hold: Duration::from_micros(2),
        hold_distribution: Distribution::Exponential,
        hold_mode: HoldMode::Yield,
        think: Duration::from_nanos(200),
        think_distribution: Distribution::Bimodal,
        ..defaults
    });
}

#[test]
fn hundred_thousand_locks_are_taken_by_a_thousand_tasks() {
    each_arm(|workload, variant, arm| {
        if !variant.knobs.contains(&"locks") {
            return;
        }
        let params = Params { tasks: 1_000, locks: 100_000, ..(variant.defaults)() };
        let run = run(arm.run, &params, Pass::Throughput, FLAVOURS[0], SHORT);
        let label = format!("{} {} {}", workload.name, variant.name, arm.backend.name);
        assert_consistent(&label, &params, Pass::Throughput, &run);
    });
}

#[test]
fn queued_tasks_do_not_hold_once_the_slot_is_over() {
    let hold = Duration::from_millis(20);
    each_slot(
        |variant| {
            let defaults = (variant.defaults)();
            with_permits(1, Params { tasks: 1_000, hold, hold_mode: HoldMode::Sleep, ..defaults })
        },
        |_, _, _| SHORT,
        |label, params, _, run| {
            if run.outcome.hold_ns.is_some() {
                let holds: u64 = run.outcome.ops_per_task.iter().sum();
                assert!(holds < params.tasks as u64, "{label}: {holds} holds");
            }
        },
    );
}

#[test]
fn slot_that_is_over_at_once_does_nothing() {
    each_slot(
        |variant| (variant.defaults)(),
        |_, _, _| Until::Started,
        |label, _, _, run| assert!(run.outcome.ops_per_task.iter().all(|&ops| ops == 0), "{label}"),
    );
}

#[test]
fn what_check_refuses_is_not_run_and_its_recorders_come_back() {
    each_arm(|workload, variant, arm| {
        let params = Params { tasks: 0, ..(variant.defaults)() };
        for pass in [Pass::Throughput, Pass::Latency] {
            let run = run(arm.run, &params, pass, FLAVOURS[0], SHORT);
            let law = run.outcome.law.expect_err(workload.name);
            assert!(law.contains("tasks cannot be 0"), "{law}");
            assert_eq!(run.started, 0);
        }
    });
}

#[test]
fn names_are_unique_and_every_arm_is_of_a_registered_backend() {
    let workloads = WORKLOADS.iter().flat_map(|workload| workload.aliases.iter().chain([&workload.name]));
    assert_unique("workloads", workloads.copied().collect());
    assert_unique("backends", BACKENDS.iter().map(|backend| backend.name).collect());
    for workload in WORKLOADS {
        assert_unique(workload.name, workload.variants.iter().map(|variant| variant.name).collect());
        for variant in workload.variants {
            assert_unique(variant.name, variant.arms.iter().map(|arm| arm.backend.name).collect());
        }
    }
    each_arm(|workload, variant, arm| {
        let known = BACKENDS.iter().any(|backend| backend.name == arm.backend.name);
        assert!(known, "{} {}: {}", workload.name, variant.name, arm.backend.name);
    });
}

fn assert_unique(what: &str, mut names: Vec<&str>) {
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "{what}: {names:?}");
}

#[test]
fn budget_sends_tokio_back_but_not_its_unconstrained_tasks() {
    let forced_yields = |backend: &str| {
        let arm =
            WORKLOADS[0].variants[0].arms.iter().find(|arm| arm.backend.name == backend).expect(backend);
        // Alone and without a yield of its own, so that only the budget ever interrupts it.
        let params = Params { tasks: 1, ..Params::PLAIN };
        let run = run(arm.run, &params, Pass::Latency, FLAVOURS[0], Until::Samples(10_000));
        assert_eq!(run.outcome.law, Ok(()));
        run.outcome.forced_yields
    };
    assert!(forced_yields("tokio") >= 10_000 / 128 - 1);
    assert_eq!(forced_yields("tokio-unconstrained"), 0);
}

#[test]
fn every_named_backend_has_a_lock_and_who_lacks_a_primitive_has_no_arm_for_it() {
    let named = [
        "sync",
        "sync-traced",
        "tokio",
        "tokio-unconstrained",
        "async-lock",
        "asyncband",
        "saa",
        "futures-intrusive",
        "maitake-sync",
        "futures",
    ];
    let names = BACKENDS.iter().map(|backend| backend.name);
    assert_eq!(names.collect::<Vec<_>>(), named);
    let lacking_for = |workload: &str, variant: Option<&str>| -> Vec<&str> {
        let workload = WORKLOADS.iter().find(|known| known.name == workload).expect(workload);
        let is_meant = |known: &&Variant| variant.is_none_or(|name| known.name == name);
        let variant = workload.variants.iter().find(is_meant).expect(workload.name);
        let has = |name: &str| variant.arms.iter().any(|arm| arm.backend.name == name);
        named.into_iter().filter(|name| !has(name)).collect()
    };
    let lacking = |workload| lacking_for(workload, None);
    assert_eq!(lacking("mutex"), [""; 0]);
    assert_eq!(lacking("semaphore"), ["futures"]);
    assert_eq!(lacking_for("semaphore", Some("weighted")), ["async-lock", "futures"]);
    assert_eq!(lacking_for("semaphore", Some("post-wait")), ["futures"]);
    assert_eq!(lacking("mix"), ["futures"]);
    assert_eq!(lacking("event"), ["futures"]);
    assert_eq!(lacking("condition"), ["saa", "futures-intrusive", "futures"]);
    assert_eq!(lacking("barrier"), ["futures-intrusive", "maitake-sync", "futures"]);
}

#[test]
fn arm_refuses_what_is_past_its_limit_and_names_it() {
    let arm = WORKLOADS[1].variants[0].arms.iter().find(|arm| arm.backend.name == "saa").expect("saa");
    assert_eq!(arm.limits.check(&Params { permits: 63, ..Params::PLAIN }), Ok(()));
    let refused = arm.limits.check(&Params { permits: 64, ..Params::PLAIN }).unwrap_err();
    assert!(refused.contains("at most 63 permits, not 64"), "{refused}");
}

#[test]
fn knobs_are_those_of_the_parameters() {
    each_arm(|workload, variant, _| {
        // The rate is an entry only where there is one, and a distribution where it makes a difference.
        let params = Params {
            hold: Duration::from_micros(1),
            hold_distribution: Distribution::Bimodal,
            think: Duration::from_micros(1),
            think_distribution: Distribution::Uniform,
            rate_ops_per_s: Some(1.0),
            ..(variant.defaults)()
        };
        let entries = params.entries();
        for knob in variant.knobs {
            assert!(entries.iter().any(|(name, _)| name == knob), "{} has a knob {knob}", workload.name);
        }
    });
}

#[test]
fn backends_know_their_locked_version() {
    for backend in BACKENDS {
        let numbers = backend.version.split('.').count();
        assert!(numbers >= 3, "{} {}", backend.name, backend.version);
    }
}

/// Hands `check` what came of a latency slot of every arm under this rate, on every executor.
fn each_open_loop(rate: f64, until: impl Fn(&Backend) -> Until, check: impl Fn(&str, bool, &Params, &Run)) {
    each_arm(|workload, variant, arm| {
        let takes_rate = variant.knobs.contains(&"rate_ops_per_s");
        for cancel_percent in [0.0, 50.0] {
            let defaults = (variant.defaults)();
            let hold_mode = match defaults.hold_mode {
                // There is no time for thousands of sleeps.
                HoldMode::Sleep => HoldMode::Yield,
                mode => mode,
            };
            let params = Params { rate_ops_per_s: Some(rate), cancel_percent, hold_mode, ..defaults };
            let params = Params { hold: Duration::ZERO, ..params };
            for flavour in FLAVOURS {
                let label = format!("{} {} {flavour:?} {params:?}", workload.name, arm.backend.name);
                let until = until(arm.backend);
                check(&label, takes_rate, &params, &run(arm.run, &params, Pass::Latency, flavour, until));
            }
        }
    });
}

#[test]
fn an_open_loop_keeps_its_books_and_others_refuse_the_rate() {
    each_open_loop(
        200_000.0,
        |backend| samples_of(backend, 300),
        |label, takes_rate, params, run| {
            if !takes_rate {
                assert!(run.outcome.law.as_ref().is_err_and(|law| law.contains("open loop")), "{label}");
                return;
            }
            assert_consistent(label, params, Pass::Latency, run);
            let pace = run.outcome.pace.expect(label);
            let begun = pace.on_time + pace.behind;
            assert_eq!(begun, run.outcome.acquisitions, "{label}");
            let done = run.outcome.ops_per_task.iter().sum::<u64>() + run.outcome.cancelled;
            assert!(0 < done && done <= begun, "{label}: {pace:?}");
            // Who comes late to the end of the slot may have begun one operation after it.
            assert!(begun <= pace.due + params.tasks as u64, "{label}: {begun} begun, {pace:?}");
            assert!(pace.window_ns <= run.outcome.wall_ns, "{label}: {pace:?}");
        },
    );
}

#[test]
fn an_open_loop_that_is_over_before_it_begins_ends_and_has_begun_nothing() {
    each_open_loop(
        0.001,
        |_| Until::Started,
        |label, takes_rate, _, run| {
            if takes_rate {
                assert_eq!((run.outcome.law.clone(), run.outcome.acquisitions), (Ok(()), 0), "{label}");
            }
        },
    );
}

#[test]
fn an_open_loop_that_no_machine_can_keep_falls_behind_and_still_ends() {
    each_open_loop(
        Params::MAX_RATE,
        |backend| samples_of(backend, 2_000),
        |label, takes_rate, _, run| {
            if takes_rate {
                let pace = run.outcome.pace.expect(label);
                assert_eq!(run.outcome.law, Ok(()), "{label}");
                assert!(
                    pace.behind > pace.on_time && pace.due > run.outcome.acquisitions,
                    "{label}: {pace:?}"
                );
            }
        },
    );
}
