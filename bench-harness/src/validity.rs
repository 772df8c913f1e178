//! What must hold before the figures may be believed, and what to change where it does not.

use std::collections::BTreeSet;

use results::compare::{control_arm, is_control_arm};
use results::statistics::median;
use results::{Cell, Check, Comparison, Environment, Params, Round, format_ns, format_rate};
use workloads::Contention;

use crate::cases::registry;
use crate::table;

/// Below this share of acquisitions that had to wait, a primitive's queue was hardly measured.
const CONTENDED_FLOOR: f64 = 0.1;
/// Fewer pairs of rounds than this give no 95 % interval: two to the power of five is less than 40.
const ROUNDS_FLOOR: usize = 6;
/// An open loop must have met this share of its intended starts.
const RATE_FLOOR: f64 = 0.98;
/// Name of the check that there were enough.
pub(crate) const ROUNDS: &str = "rounds";
/// Name of the check that tells what recording costs.
pub(crate) const RECORDER: &str = "recorder";
/// The baseline may differ from itself by this factor. One run in twenty finds *some* difference by the nature of a
/// 95 % interval; that is what the printed noise floor is for. A larger one says that order or memory layout decides.
const NOISE_LIMIT: f64 = 1.05;
/// A spun hold may take this many times as long as asked for …
const HOLD_STRETCH: f64 = 2.0;
/// … plus what the reads of the clock around it may cost.
const HOLD_SLACK_NS: f64 = 1_000.0;

/// On average so many tasks must have been in the queue where a task asked; a run can only fall below with hardly anybody
/// waiting.
const DEPTH_FLOOR: f64 = 0.05;
/// Reading the clock lengthens each timed wait by about one read. Above this share of the mean wait it is mostly the
/// clock that was measured …
const CLOCK_LIMIT: f64 = 0.25;
/// … and above this one it is worth a word.
const CLOCK_WORTH_TELLING: f64 = 0.05;
/// Optimisation levels under which figures mean something.
const OPTIMISED: [&str; 2] = ["opt-level 2", "opt-level 3"];
/// What the checks look at.
pub(crate) struct Evidence<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) cells: &'a [Cell],
    pub(crate) control: &'a [Comparison],
    pub(crate) broken_laws: &'a [String],
    /// Processes that the rounds were spread over, where that was asked for.
    pub(crate) forks: Option<usize>,
}

/// All checks, each once.
pub(crate) fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    let mut checks = vec![
        counts(evidence.broken_laws),
        progress(evidence.cells),
        contended(evidence.cells),
        queue_depth(evidence.cells),
        hold(evidence.cells),
        rounds(evidence.cells, evidence.forks),
        noise_floor(evidence.control),
        debug_assertions(evidence.environment),
        profile(evidence.environment),
        clock(evidence.environment, evidence.cells),
        load(evidence.environment),
        samples(evidence.cells),
    ];
    checks.extend(recorder(evidence.cells));
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
/// while the others wait once and for ever, and that is what such a primitive does under contention. A workload that is
/// about something else than waiting is left out.
fn contended(cells: &[Cell]) -> Check {
    if let Some(why) = demands_no_contention(cells) {
        return check("contended", Ok(why.into()));
    }
    let fraction = |cell: &Cell| over_rounds(cell, |round| Some(round.contended_fraction)).unwrap_or(0.0);
    let demanded = demanded(cells);
    let least = demanded.iter().map(|cell| (fraction(cell), *cell)).min_by(|(a, _), (b, _)| a.total_cmp(b));
    let overtaken: String = cells
        .iter()
        .filter(|cell| is_about_waiting(cell) && !demanded.iter().any(|other| std::ptr::eq(*other, *cell)))
        .filter(|cell| fraction(cell) < CONTENDED_FLOOR)
        .map(|cell| format!("; {} lets newcomers overtake: {}", name(cells, cell), percent(fraction(cell))))
        .collect();
    check(
        "contended",
        match least {
            None => Err("nothing was measured: let it run for longer".into()),
            Some((fraction, cell)) if fraction < CONTENDED_FLOOR => Err(format!(
                "only {} of the acquisitions of {} had to wait, and {} are needed: {MORE_CONTENTION}",
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

const MORE_CONTENTION: &str = "raise --tasks or --hold, lower --permits or --think, or hold with --hold-mode yield (no more \
                               tasks than workers can spin at once)";

/// The queue as the latency pass saw it; asked of the same cells as the share of those who had to wait.
fn queue_depth(cells: &[Cell]) -> Check {
    if let Some(why) = demands_no_contention(cells) {
        return check("queue-depth", Ok(why.into()));
    }
    let depth = |cell: &Cell| {
        median(&cell.latency_rounds.iter().filter_map(|round| round.queue_depth).collect::<Vec<_>>())
    };
    let least = demanded(cells)
        .into_iter()
        .filter_map(|cell| Some((depth(cell)?, cell)))
        .min_by(|(a, _), (b, _)| a.total_cmp(b));
    check(
        "queue-depth",
        match least {
            None => Ok("no queue was sampled".into()),
            Some((depth, cell)) if depth < DEPTH_FLOOR => Err(format!(
                "a task that asked for {} found {depth:.2} others in the queue on average, and {DEPTH_FLOOR} are needed: \
                 {MORE_CONTENTION}",
                name(cells, cell),
            )),
            Some((depth, cell)) => Ok(format!(
                "a task that asked found at least {depth:.2} others in the queue on average ({})",
                name(cells, cell)
            )),
        },
    )
}

/// Why nobody needs to wait in any of the cells.
fn demands_no_contention(cells: &[Cell]) -> Option<&'static str> {
    if cells.is_empty() || cells.iter().any(is_about_waiting) {
        return None;
    }
    Some(if cells.iter().all(Cell::is_open_loop) {
        "not demanded in an open loop: at a rate below capacity most operations need not wait"
    } else {
        "not demanded: these workloads are about something else than waiting"
    })
}

/// The cells in which acquisitions must have had to wait: those of the fair backends, or where there is no fair one,
/// all.
fn demanded(cells: &[Cell]) -> Vec<&Cell> {
    let about_waiting: Vec<&Cell> = cells.iter().filter(|cell| is_about_waiting(cell)).collect();
    let fair: Vec<&Cell> = about_waiting.iter().copied().filter(|cell| is_fair(cell)).collect();
    if fair.is_empty() { about_waiting } else { fair }
}

/// Whether the cell is worth nothing where hardly anybody had to wait; one that is not known is held to it.
fn is_about_waiting(cell: &Cell) -> bool {
    let workload = registry().workloads.iter().find(|workload| workload.name == cell.workload);
    let variant =
        workload.and_then(|workload| workload.variants.iter().find(|variant| variant.name == cell.variant));
    let demanded = variant.is_none_or(|variant| variant.contention == Contention::Demanded);
    demanded && !cell.is_open_loop()
}

/// Whether the cell's backend lets nobody overtake; one that is not known is held to it.
fn is_fair(cell: &Cell) -> bool {
    let of_cell = |name: &str| cell.backend == name || cell.backend == control_arm(name);
    registry().backends.iter().find(|backend| of_cell(backend.name)).is_none_or(|backend| backend.fair)
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

/// Where the rounds are spread over processes, the process is the replicate.
fn rounds(cells: &[Cell], forks: Option<usize>) -> Check {
    let fewest = cells.iter().map(|cell| cell.rounds.len()).min().unwrap_or(0);
    let processes =
        |cell: &Cell| cell.rounds.iter().filter_map(|round| round.fork).collect::<BTreeSet<_>>().len();
    let fewest_processes = cells.iter().map(processes).min().unwrap_or(0);
    check(
        ROUNDS,
        match forks {
            None if fewest >= ROUNDS_FLOOR => Ok(format!("{fewest} rounds")),
            None => Err(format!(
                "{fewest} whole rounds give no interval: at least {ROUNDS_FLOOR} are needed, so raise --rounds"
            )),
            Some(_) if fewest_processes >= ROUNDS_FLOOR => {
                Ok(format!("{fewest} rounds in {fewest_processes} processes"))
            }
            Some(_) => Err(format!(
                "rounds in {fewest_processes} processes give no interval: at least {ROUNDS_FLOOR} are needed, so raise --forks"
            )),
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

fn profile(environment: &Environment) -> Check {
    let profile = &environment.profile;
    check(
        "profile",
        if OPTIMISED.iter().any(|level| profile.contains(level)) {
            Ok(profile.clone())
        } else {
            Err(format!(
                "built as \"{profile}\", so the compiler's laziness was measured: build with the dev, the bench or the \
                 release profile of this workspace"
            ))
        },
    )
}

/// Where nearly all acquisitions have to wait, a wait is worth comparing only if it is much longer than what it costs to
/// look at the clock.
fn clock(environment: &Environment, cells: &[Cell]) -> Check {
    let Some(read_ns) = read_ns(&environment.clock) else {
        return check("clock", Ok(environment.clock.clone()));
    };
    let shortest = demanded(cells)
        .into_iter()
        .filter(|cell| cell.wait_ns.count > 0)
        .min_by(|a, b| a.wait_ns.mean.total_cmp(&b.wait_ns.mean));
    let read = format_ns(read_ns);
    check(
        "clock",
        match shortest.map(|cell| (read_ns / cell.wait_ns.mean, cell)) {
            Some((share, cell)) if share > CLOCK_LIMIT => Err(format!(
                "a read of the clock takes {read}, {} of the mean wait of {}: raise --tasks or --hold, or compare \
                 throughput alone, which is measured without a clock",
                percent(share),
                name(cells, cell),
            )),
            Some((share, cell)) if share > CLOCK_WORTH_TELLING => Ok(format!(
                "a read takes {read}, {} of the mean wait of {}, so waits as short as that are a little too long",
                percent(share),
                name(cells, cell),
            )),
            _ => Ok(format!("a read takes {read}, little beside the waits")),
        },
    )
}

/// What a read of the clock costs, as the environment says it: `fastant (tsc), 11.2 ns a read`.
fn read_ns(clock: &str) -> Option<f64> {
    let (_, cost) = clock.rsplit_once(", ")?;
    cost.split_whitespace().next()?.parse().ok().filter(|ns: &f64| ns.is_finite())
}

/// Told, not judged: waits of a run are compared with waits of the same run, which all carry it.
fn recorder(cells: &[Cell]) -> Option<Check> {
    let largest = cells
        .iter()
        .filter_map(|cell| Some((cell.recorder_share?, cell)))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    let (share, cell) = largest;
    Some(check(
        RECORDER,
        Ok(format!(
            "timing and recording each wait took at most {} of an operation in latency slots ({}); throughput slots have \
             none of it",
            percent(share),
            name(cells, cell)
        )),
    ))
}

/// Advice only: a percentile that rests on too few samples is not shown, and so misleads nobody.
fn samples(cells: &[Cell]) -> Check {
    let missing: Vec<String> = cells
        .iter()
        .filter_map(|cell| {
            let shown = [("p50", cell.wait_ns.p50), ("p99", cell.wait_ns.p99)];
            let (percentile, _) = shown.iter().find(|(_, value)| value.is_none())?;
            Some(format!("{percentile} of {} ({} waits)", name(cells, cell), cell.wait_ns.count))
        })
        .collect();
    check(
        "samples",
        Ok(match missing.as_slice() {
            [] => "enough waits for every percentile that is shown".into(),
            [first, rest @ ..] => format!(
                "too few waits for {first}{}, which is left out: raise --slot or --rounds to see it",
                if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) },
            ),
        }),
    )
}

/// Advice only: the arms of a round share what else goes on, so load widens intervals and does not tilt them;
/// and right after a build the average is always high.
fn load(environment: &Environment) -> Check {
    let Environment { load_before: before, load_after: after, cores, .. } = environment;
    let seen = format!("load average {before:.1} before and {after:.1} after the run on {cores} cores");
    let capacity = *cores as f64;
    check(
        "load",
        Ok(if *before > capacity {
            format!("{seen}: it was busy before; a quiet machine gives tighter intervals")
        } else if *after > 2.0 * capacity {
            // The run's own workers are among those that wait for a processor.
            format!("{seen}: others ran meanwhile; a quiet machine gives tighter intervals")
        } else {
            seen
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
#[path = "validity_tests.rs"]
mod tests;
