//! What must hold before the figures may be believed, and what to change where it does not.

use results::compare::{control_arm, is_control_arm};
use results::statistics::median;
use results::{Cell, Check, Comparison, Environment, Params, Round, format_ns, format_rate};

use crate::cases::REGISTRY;
use crate::table;

/// Below this share of acquisitions that had to wait, a primitive's queue was hardly measured.
const CONTENDED_FLOOR: f64 = 0.1;
/// Fewer pairs of rounds than this give no 95 % interval: two to the power of five is less than 40.
const ROUNDS_FLOOR: usize = 6;
/// An open loop must have met this share of its intended starts.
const RATE_FLOOR: f64 = 0.98;
/// Name of the check that there were enough.
pub(crate) const ROUNDS: &str = "rounds";
/// The baseline may differ from itself by this factor. One run in twenty finds *some* difference by the nature of a
/// 95 % interval; that is what the printed noise floor is for. A larger one says that order or memory layout decides.
const NOISE_LIMIT: f64 = 1.05;
/// A spun hold may take this many times as long as asked for …
const HOLD_STRETCH: f64 = 2.0;
/// … plus what the reads of the clock around it may cost.
const HOLD_SLACK_NS: f64 = 1_000.0;

/// What the checks look at.
pub(crate) struct Evidence<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) cells: &'a [Cell],
    pub(crate) control: &'a [Comparison],
    pub(crate) broken_laws: &'a [String],
}

/// All checks, each once.
pub(crate) fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    let mut checks = vec![
        counts(evidence.broken_laws),
        progress(evidence.cells),
        contended(evidence.cells),
        hold(evidence.cells),
        rounds(evidence.cells),
        noise_floor(evidence.control),
        debug_assertions(evidence.environment),
        load(evidence.environment),
    ];
    checks.extend(rate(evidence.cells));
    checks
}

/// `Ok` is what was seen, `Err` also what to change.
fn check(name: &str, result: Result<String, String>) -> Check {
    let pass = result.is_ok();
    Check { check: name.to_owned(), pass, detail: result.unwrap_or_else(|detail| detail) }
}

fn counts(broken_laws: &[String]) -> Check {
    check(
        "counts",
        match broken_laws {
            [] => Ok("every round's own sum came out right".into()),
            [first, rest @ ..] => Err(format!(
                "{first}{}; a primitive that loses updates is wrong, not fast: report it to its authors",
                if rest.is_empty() { String::new() } else { format!(" (and {} more slots)", rest.len()) },
            )),
        },
    )
}

/// A slot that is over before anybody has had his turn says nothing of the primitive, and a rate of 0 least of all.
fn progress(cells: &[Cell]) -> Check {
    let idle = |cell: &Cell| cell.rounds.iter().filter(|round| round.ops == 0).count();
    let stalled = cells.iter().find(|cell| !cell.is_open_loop() && idle(cell) > 0);
    check(
        "progress",
        match stalled {
            None => Ok("somebody finished an operation in every slot".into()),
            Some(cell) => Err(format!(
                "nobody finished an operation of {} in {} of {} slots: raise --slot, or lower --tasks, --hold or \
                 --cancel",
                name(cells, cell),
                idle(cell),
                cell.rounds.len(),
            )),
        },
    )
}

/// An open loop that cannot keep its schedule measures how fast a backlog grows, which depends on how long it runs.
fn rate(cells: &[Cell]) -> Option<Check> {
    let share = |cell: &Cell| cell.open_loop.map(|open| open.achieved_ops_per_s / open.rate_ops_per_s);
    let least =
        cells.iter().filter_map(|cell| Some((share(cell)?, cell))).min_by(|(a, _), (b, _)| a.total_cmp(b));
    let (share, cell) = least?;
    let asked = cell.open_loop.map_or_else(String::new, |open| format_rate(open.rate_ops_per_s));
    Some(check(
        "rate",
        if share >= RATE_FLOOR {
            Ok(format!(
                "at least {:.1} % of the {asked} asked for were met ({})",
                share * 100.0,
                name(cells, cell)
            ))
        } else {
            Err(format!(
                "{} met {:.1} % of the {asked} asked for, and {} are needed: lower --rate, raise --tasks, \
                 or raise --slot where only those under way at its end are missing",
                name(cells, cell),
                share * 100.0,
                percent(RATE_FLOOR),
            ))
        },
    ))
}

/// Demanded of the backends that let nobody overtake: where newcomers do, a few tasks can go round among themselves
/// while the others wait once and for ever, and that is what such a primitive does under contention.
fn contended(cells: &[Cell]) -> Check {
    let closed = || cells.iter().filter(|cell| !cell.is_open_loop());
    if !cells.is_empty() && closed().next().is_none() {
        let detail = "not demanded in an open loop: at a rate below capacity most operations need not wait";
        return check("contended", Ok(detail.into()));
    }
    let fraction = |cell: &Cell| over_rounds(cell, |round| Some(round.contended_fraction)).unwrap_or(0.0);
    let all_unfair = closed().all(|cell| !is_fair(cell));
    let demanded = closed().filter(|cell| all_unfair || is_fair(cell));
    let least = demanded.map(|cell| (fraction(cell), cell)).min_by(|(a, _), (b, _)| a.total_cmp(b));
    let overtaken: String = closed()
        .filter(|cell| !all_unfair && !is_fair(cell) && fraction(cell) < CONTENDED_FLOOR)
        .map(|cell| format!("; {} lets newcomers overtake: {}", name(cells, cell), percent(fraction(cell))))
        .collect();
    check(
        "contended",
        match least {
            None => Err("nothing was measured: let it run for longer".into()),
            Some((fraction, cell)) if fraction < CONTENDED_FLOOR => Err(format!(
                "only {} of the acquisitions of {} had to wait, and {} are needed: raise --tasks or --hold, lower \
             --permits or --think, or hold with --hold-mode yield (no more tasks than workers can spin at once)",
                percent(fraction),
                name(cells, cell),
                percent(CONTENDED_FLOOR),
            )),
            Some((fraction, cell)) => Ok(format!(
                "at least {} of the acquisitions had to wait ({}){overtaken}",
                percent(fraction),
                name(cells, cell)
            )),
        },
    )
}

/// Whether the cell's backend lets nobody overtake; one that is not known is held to it.
fn is_fair(cell: &Cell) -> bool {
    let of_cell = |name: &str| cell.backend == name || cell.backend == control_arm(name);
    REGISTRY.backends.iter().find(|backend| of_cell(backend.name)).is_none_or(|backend| backend.fair)
}

/// Only a spun hold can be held to its time: yields and sleeps are the executor's affair.
fn hold(cells: &[Cell]) -> Check {
    let mut seen = 0;
    for cell in cells {
        let Some(asked_ns) = spun_hold_ns(&cell.params).filter(|&asked_ns| asked_ns > 0.0) else { continue };
        let Some(held_ns) = over_rounds(cell, |round| round.hold_ns) else { continue };
        seen += 1;
        if held_ns < asked_ns * 0.9 || held_ns > asked_ns * HOLD_STRETCH + HOLD_SLACK_NS {
            return check(
                "hold",
                Err(format!(
                    "{} held for {} where {} were asked for: close other programs, or lower --workers below the \
                 number of cores",
                    name(cells, cell),
                    format_ns(held_ns),
                    format_ns(asked_ns),
                )),
            );
        }
    }
    check(
        "hold",
        Ok(if seen == 0 {
            "no hold time was spun, so there is none to compare".into()
        } else {
            format!("measured hold times agree with those asked for in {seen} cells")
        }),
    )
}

fn spun_hold_ns(params: &Params) -> Option<f64> {
    let spins = params.get("hold_mode").and_then(|mode| mode.as_str()).is_none_or(|mode| mode == "spin");
    params.get("hold_ns").filter(|_| spins)?.as_f64()
}

fn rounds(cells: &[Cell]) -> Check {
    let fewest = cells.iter().map(|cell| cell.rounds.len()).min().unwrap_or(0);
    check(
        ROUNDS,
        if fewest >= ROUNDS_FLOOR {
            Ok(format!("{fewest} rounds"))
        } else {
            Err(format!(
                "{fewest} whole rounds give no interval: at least {ROUNDS_FLOOR} are needed, so raise --rounds"
            ))
        },
    )
}

fn noise_floor(control: &[Comparison]) -> Check {
    let of_throughput: Vec<&Comparison> =
        control.iter().filter(|comparison| comparison.metric == "throughput").collect();
    let apart = of_throughput.iter().find(|comparison| {
        comparison.ci.is_some_and(|[low, high]| low > NOISE_LIMIT || high < 1.0 / NOISE_LIMIT)
    });
    let limit_percent = (NOISE_LIMIT - 1.0) * 100.0;
    check(
        "noise-floor",
        match apart {
            Some(comparison) => Err(format!(
                "{} came out more than {limit_percent:.0} % off itself in {}.{} with {} ({}): close other programs or raise \
                 --rounds, then run again",
                comparison.baseline,
                comparison.workload,
                comparison.variant,
                table::describe(&comparison.params),
                interval(comparison),
            )),
            None if of_throughput.is_empty() && !control.is_empty() => {
                Ok("open loop: there is no throughput to compare the baseline's with its own".into())
            }
            None => Ok(format!(
                "the baseline was not shown to be {limit_percent:.0} % off itself in any of {} cases",
                of_throughput.len()
            )),
        },
    )
}

fn debug_assertions(environment: &Environment) -> Check {
    check(
        "debug-assertions",
        if environment.debug_assertions {
            Err("debug assertions are compiled in: build with the dev or the release profile".into())
        } else {
            Ok(format!("not compiled in ({})", environment.profile))
        },
    )
}

/// Advice only: the arms of a round share what else goes on, so load widens intervals and does not tilt them;
/// and right after a build the average is always high.
fn load(environment: &Environment) -> Check {
    let (load, cores) = (environment.load_before, environment.cores);
    check(
        "load",
        Ok(if load <= cores as f64 {
            format!("load average {load:.1} on {cores} cores before the run")
        } else {
            format!(
                "load average {load:.1} on {cores} cores before the run: busy; a quiet machine gives tighter intervals"
            )
        }),
    )
}

fn over_rounds(cell: &Cell, figure: impl Fn(&Round) -> Option<f64>) -> Option<f64> {
    median(&cell.rounds.iter().filter_map(figure).collect::<Vec<_>>())
}

/// With the parameters where the run has the variant under several.
fn name(cells: &[Cell], cell: &Cell) -> String {
    let control = if is_control_arm(&cell.backend) { ", the baseline's second arm" } else { "" };
    let swept = cells.iter().any(|other| {
        (&other.workload, &other.variant) == (&cell.workload, &cell.variant) && other.params != cell.params
    });
    let params = if swept { format!(" ({})", table::describe(&cell.params)) } else { String::new() };
    format!("{}.{}{params} on {}{control}", cell.workload, cell.variant, cell.backend)
}

fn percent(fraction: f64) -> String {
    format!("{:.0} %", fraction * 100.0)
}

fn interval(comparison: &Comparison) -> String {
    comparison.ci.map_or_else(|| "no interval".into(), |[low, high]| format!("{low:.3}–{high:.3}"))
}

#[cfg(test)]
mod tests {
    use results::Verdict;

    use super::*;

    fn control(ci: [f64; 2], verdict: Verdict) -> Comparison {
        Comparison {
            workload: "mutex".into(),
            variant: "exclusive".into(),
            params: Params::new(),
            metric: "throughput".into(),
            baseline: "tokio".into(),
            candidate: "tokio (control)".into(),
            ratio: Some((ci[0] * ci[1]).sqrt()),
            ci: Some(ci),
            confidence: 0.95,
            method: String::new(),
            rounds: 20,
            p_adjusted: None,
            detectable: None,
            verdict,
        }
    }

    #[test]
    fn small_difference_of_the_baseline_to_itself_is_noise() {
        assert!(noise_floor(&[control([1.021, 1.04], Verdict::Faster)]).pass);
        assert!(noise_floor(&[control([0.8, 1.3], Verdict::Inconclusive)]).pass);
        assert!(noise_floor(&[]).pass);
    }

    #[test]
    fn large_difference_of_the_baseline_to_itself_is_named_with_what_to_do() {
        for ci in [[1.06, 1.2], [0.8, 0.95]] {
            let check =
                noise_floor(&[control([0.99, 1.01], Verdict::Equivalent), control(ci, Verdict::Faster)]);
            assert!(!check.pass);
            assert!(
                check.detail.contains("mutex.exclusive") && check.detail.contains("--rounds"),
                "{}",
                check.detail
            );
        }
    }

    #[test]
    fn slot_in_which_nobody_finished_is_named_with_what_to_do() {
        let round = |ops| Round {
            order: 0,
            ops,
            wall_ns: 1,
            cpu_ns: 1,
            contended_fraction: 1.0,
            jain: 1.0,
            smallest_share: 1.0,
            hold_ns: None,
            forced_yields: 0,
            cancelled: 0,
            voluntary_switches: None,
            involuntary_switches: None,
            futile_wakeups: None,
            fork: None,
        };
        let mut cell = Cell {
            workload: "event".into(),
            variant: "broadcast".into(),
            backend: "sync".into(),
            backend_version: String::new(),
            composed: None,
            params: Params::new(),
            rounds: vec![round(5), round(7)],
            throughput_ops_per_s: results::statistics::spread(&[1.0]),
            wait_ns: results::WaitSummary::from_histogram(&hdrhistogram::Histogram::new(2).unwrap()),
            latency_rounds: Vec::new(),
            fairness: results::Fairness { jain: 1.0, smallest_share: 1.0, longest_wait_ns: 0 },
            open_loop: None,
        };
        assert!(progress(&[cell.clone()]).pass);
        cell.rounds[1].ops = 0;
        let check = progress(&[cell]);
        assert!(!check.pass);
        assert!(
            check.detail.contains("event.broadcast on sync in 1 of 2 slots: raise --slot"),
            "{}",
            check.detail
        );
    }

    #[test]
    fn broken_law_fails_the_counts_and_is_quoted() {
        let check = counts(&["3 updates were lost".to_owned(), "another".to_owned()]);
        assert!(!check.pass);
        assert!(
            check.detail.contains("3 updates were lost") && check.detail.contains("1 more"),
            "{}",
            check.detail
        );
        assert!(counts(&[]).pass);
    }
}
