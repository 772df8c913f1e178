//! `calibrate`: a backend against itself, many times, as a run compares two: how often is a difference found where
//! there is none?
//!
//! Pairs do not share rounds, though it would be faster: two comparisons in one round would share what disturbs it, and
//! the interval of the share rests on their independence.

use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Cell as TableCell, CellAlignment};
use results::compare::{self, Options};
use results::statistics::share_interval;
use results::{Comparison, Environment, Verdict};
use serde::Serialize;

use crate::assemble::Findings;
use crate::bench::{self, Stage};
use crate::cases::{Case, registry};
use crate::cli::{CalibrateArgs, ListFormat};
use crate::environment;
use crate::exit::{Exit, Usage};
use crate::interrupt::Interrupt;
use crate::live::Live;
use crate::progress::{self, Progress};
use crate::runner::{self, CaseTally, Ending, Kept, Observer, Position, Settings, schedule};
use crate::say::say;
use crate::table::{self, Screen};

/// Value of [`Calibration::schema`].
const SCHEMA: &str = "bench-harness/calibration/v1";
/// How sure the interval of a share is.
const CONFIDENCE: f64 = 0.95;
/// The metric that runs are judged by, and so is the calibration.
const JUDGED: &str = "throughput";

/// What it prints.
#[derive(Debug, Serialize)]
struct Calibration {
    schema: &'static str,
    complete: bool,
    workload: &'static str,
    variant: &'static str,
    params: results::Params,
    backend: &'static str,
    rounds: usize,
    slot_ns: u64,
    seed: u64,
    environment: Environment,
    comparisons_planned: usize,
    figures: Vec<Figure>,
}

/// What the comparisons came to on one metric.
#[derive(Debug, PartialEq, Serialize)]
struct Figure {
    metric: String,
    /// Those that have an interval.
    comparisons: u64,
    /// Intervals that exclude 1: false positives.
    excluding: u64,
    /// Share of them.
    rate: Option<f64>,
    /// Interval of that share, by Clopper and Pearson.
    rate_ci: [f64; 2],
    confidence: f64,
    /// The share that is to be expected: what the intervals' confidence leaves.
    nominal: Option<f64>,
    contains_nominal: bool,
    faster: u64,
    slower: u64,
    equivalent: u64,
    inconclusive: u64,
}

/// Compares and prints. More false positives than promised make the exit code 3.
pub(crate) fn run(args: &CalibrateArgs) -> anyhow::Result<Exit> {
    let stage = Stage::new(&args.engine)?;
    let case = only_case(args)?;
    let seed = args.seed.unwrap_or_else(bench::drawn_seed);
    let settings = Settings { rounds: args.rounds, slot: args.slot, seed, observed: false };
    let live = Live::without_page(case.entrants.iter().any(|entrant| entrant.arm.backend.traced))?;
    let interrupt = Interrupt::install()?;
    let mut environment = environment::describe(stage.executor, &stage.pins);
    let mut machine = stage.machine(&interrupt, live.switch())?;

    let cases = [case];
    let (slots, time) = runner::extent(&cases, &Kept::new(), &settings);
    let planned = Duration::from_secs_f64(time.as_secs_f64() * args.comparisons as f64);
    say!(
        "{} comparisons of {} with itself in {}, about {}; seed {seed}",
        args.comparisons,
        cases[0].baseline,
        cases[0].name(),
        progress::in_words(planned)
    );
    let progress = Progress::new(slots * args.comparisons, planned);
    let mut watcher = Watcher { progress, slots, comparison: 0, comparisons: args.comparisons };
    let mut found: Vec<Comparison> = Vec::new();
    let mut ending = Ending::Complete;
    let mut broken_laws = Vec::new();
    for comparison in 0..args.comparisons {
        watcher.comparison = comparison;
        let settings = Settings { seed: schedule::part_seed(seed, comparison), ..settings };
        let measured = runner::run(&cases, &Kept::new(), &settings, &mut machine, &mut watcher);
        ending = measured.ending;
        if ending != Ending::Complete {
            break;
        }
        let findings = Findings::of(&cases, &measured.tallies);
        broken_laws.extend(findings.broken_laws);
        found.extend(compare::control(&findings.cells, cases[0].baseline, &Options::default()));
    }
    watcher.progress.finish();
    environment.load_after = environment::load_average();
    let calibration = Calibration {
        schema: SCHEMA,
        complete: ending == Ending::Complete,
        workload: cases[0].workload.name,
        variant: cases[0].variant.name,
        params: runner::params(&cases[0]),
        backend: cases[0].baseline,
        rounds: args.rounds,
        slot_ns: args.slot.as_nanos() as u64,
        seed,
        environment,
        comparisons_planned: args.comparisons,
        figures: figures(&found),
    };
    super::print(&match args.format {
        ListFormat::Table => in_words(&calibration, Screen::of_stdout()),
        ListFormat::Json => format!("{}\n", serde_json::to_string_pretty(&calibration)?),
    })?;
    Ok(exit(&calibration, &ending, &broken_laws))
}

/// One workload, one variant, one backend, one set of parameters.
fn only_case(args: &CalibrateArgs) -> anyhow::Result<Case> {
    let (workload, backend) = (&args.workload, &args.backend);
    let one = |option: &str, name: &str| {
        Usage::error(format!("{option} {name}: a calibration is of one; name it, as `list` does"))
    };
    if backend == "all" {
        return Err(one("--backend", backend));
    }
    let plan = registry().plan(
        std::slice::from_ref(workload),
        std::slice::from_ref(backend),
        &args.knobs,
        &[],
        args.slot,
    )?;
    for note in &plan.notes {
        say!("note: {note}");
    }
    match <[Case; 1]>::try_from(plan.cases) {
        Ok([case]) => Ok(case),
        Err(_) => Err(one("--workload", workload)),
    }
}

fn exit(calibration: &Calibration, ending: &Ending, broken_laws: &[String]) -> Exit {
    if let Some(law) = broken_laws.first() {
        say!("error: {law}; a primitive that loses updates is wrong, not fast: report it to its authors");
        return Exit::Invalid;
    }
    match ending {
        Ending::Failed(what) => {
            say!("error: {what}; the figures are of the comparisons before");
            return Exit::Failed;
        }
        Ending::Interrupted => {
            say!("interrupted: the figures are of the comparisons until then");
            return Exit::Interrupted;
        }
        Ending::Complete => {}
    }
    let judged = calibration.figures.iter().find(|figure| figure.metric == JUDGED);
    match judged.and_then(|figure| Some((figure, figure.nominal?))) {
        Some((figure, nominal)) if figure.rate_ci[0] > nominal => {
            say!(
                "more false positives than promised: something of this machine or of this workload tilts slots; close \
                 other programs, or raise --slot or --pin"
            );
            Exit::Invalid
        }
        _ => Exit::Done,
    }
}

/// By metric, in the order in which they were compared.
fn figures(comparisons: &[Comparison]) -> Vec<Figure> {
    let mut metrics: Vec<&str> = Vec::new();
    for comparison in comparisons {
        if !metrics.contains(&comparison.metric.as_str()) {
            metrics.push(&comparison.metric);
        }
    }
    let of = |metric: &&str| {
        let own: Vec<&Comparison> =
            comparisons.iter().filter(|it| it.metric == **metric && it.ci.is_some()).collect();
        figure(metric, &own)
    };
    metrics.iter().map(of).collect()
}

fn figure(metric: &str, comparisons: &[&Comparison]) -> Figure {
    let count = |is: &dyn Fn(&Comparison) -> bool| comparisons.iter().filter(|it| is(it)).count() as u64;
    let excludes = |it: &Comparison| it.ci.is_some_and(|[low, high]| low > 1.0 || high < 1.0);
    let (trials, excluding) = (comparisons.len() as u64, count(&excludes));
    let mean = |sum: f64| (trials > 0).then(|| sum / trials as f64);
    let nominal = mean(comparisons.iter().map(|it| 1.0 - it.confidence).sum());
    let rate_ci = share_interval(excluding, trials, CONFIDENCE);
    let verdicts = |verdict: Verdict| count(&|it: &Comparison| it.verdict == verdict);
    Figure {
        metric: metric.to_owned(),
        comparisons: trials,
        excluding,
        rate: mean(excluding as f64),
        rate_ci,
        confidence: CONFIDENCE,
        nominal,
        contains_nominal: nominal.is_some_and(|nominal| (rate_ci[0]..=rate_ci[1]).contains(&nominal)),
        faster: verdicts(Verdict::Faster),
        slower: verdicts(Verdict::Slower),
        equivalent: verdicts(Verdict::Equivalent),
        inconclusive: verdicts(Verdict::Inconclusive),
    }
}

const HEADER: &[&str] =
    &["metric", "compared", "found", "rate", "95 % interval", "nominal", "faster", "slower"];

fn in_words(calibration: &Calibration, screen: Screen) -> String {
    let mut out = format!(
        "{}.{} · {}\n{} against itself · {} · {} rounds of {:?}\n\n",
        calibration.workload,
        calibration.variant,
        table::describe(&calibration.params),
        calibration.backend,
        calibration.environment.runtime,
        calibration.rounds,
        Duration::from_nanos(calibration.slot_ns),
    );
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut table = screen.table(HEADER);
    for figure in &calibration.figures {
        let [low, high] = figure.rate_ci.map(|share| format!("{:.1}", share * 100.0));
        table.add_row(vec![
            TableCell::new(&figure.metric),
            TableCell::new(figure.comparisons),
            TableCell::new(figure.excluding),
            TableCell::new(figure.rate.map_or_else(|| "–".into(), percent)),
            TableCell::new(format!("{low}–{high}")),
            TableCell::new(figure.nominal.map_or_else(|| "–".into(), percent)),
            TableCell::new(figure.faster),
            TableCell::new(figure.slower),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let _ = writeln!(out, "{}\n", table.trim_fmt());
    for figure in &calibration.figures {
        let _ = writeln!(out, "{}", screen.wrap(&sentence(figure)));
    }
    if calibration.figures.is_empty() {
        let _ = writeln!(out, "No comparison was finished.");
    }
    out
}

fn sentence(figure: &Figure) -> String {
    let (Some(rate), Some(nominal)) = (figure.rate, figure.nominal) else {
        return format!("{}: no comparison has an interval; raise --slot.", figure.metric);
    };
    let [low, high] = figure.rate_ci;
    let seen = format!(
        "{}: {} of {} intervals exclude 1 ({:.1} %, surely {:.1} to {:.1} %), and {:.1} % are promised",
        figure.metric,
        figure.excluding,
        figure.comparisons,
        rate * 100.0,
        low * 100.0,
        high * 100.0,
        nominal * 100.0
    );
    if figure.contains_nominal {
        format!("{seen}: as it should be.")
    } else if high < nominal {
        format!("{seen}: fewer than promised, so intervals are a little wider than they need be.")
    } else {
        format!("{seen}: MORE than promised, so verdicts of this machine are not to be relied on.")
    }
}

/// Tells the terminal how far it is.
struct Watcher {
    progress: Progress,
    /// Of one comparison.
    slots: usize,
    comparison: usize,
    comparisons: usize,
}

impl Observer for Watcher {
    fn slot_begins(&mut self, at: &Position) {
        let phase = format!("comparison {} of {}", self.comparison + 1, self.comparisons);
        self.progress.update(self.comparison * self.slots + at.slots_done, &phase);
    }

    fn round_counts(&mut self, _: &[CaseTally]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(metric: &str, ci: Option<[f64; 2]>) -> Comparison {
        Comparison {
            workload: "mutex".into(),
            variant: "exclusive".into(),
            params: results::Params::new(),
            metric: metric.into(),
            baseline: "tokio".into(),
            candidate: "tokio (control)".into(),
            ratio: Some(1.0),
            ci,
            confidence: 0.952,
            method: String::new(),
            rounds: 20,
            p_adjusted: None,
            detectable: None,
            verdict: Options::default().verdict(ci),
        }
    }

    #[test]
    fn intervals_that_exclude_one_are_counted_on_either_side() {
        let mut all = vec![comparison("throughput", Some([0.99, 1.01])); 96];
        all.extend(
            [[1.001, 1.01], [1.03, 1.05], [0.9, 0.95], [0.99, 0.999]]
                .map(|ci| comparison("throughput", Some(ci))),
        );
        all.push(comparison("throughput", None));
        all.push(comparison("wait_p50", Some([0.9, 1.2])));
        let found = figures(&all);
        let throughput = &found[0];
        assert_eq!((throughput.comparisons, throughput.excluding, throughput.rate), (100, 4, Some(0.04)));
        assert_eq!((throughput.faster, throughput.slower), (1, 1), "beyond the margin of equivalence");
        assert!((throughput.nominal.unwrap() - 0.048).abs() < 1e-12);
        assert!(throughput.contains_nominal && sentence(throughput).contains("as it should be"));
        assert_eq!((found[1].metric.as_str(), found[1].inconclusive), ("wait_p50", 1));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn too_many_and_too_few_are_told_apart() {
        let with = |excluding: usize| {
            let mut all = vec![comparison("throughput", Some([0.99, 1.01])); 200 - excluding];
            all.extend(vec![comparison("throughput", Some([1.001, 1.01])); excluding]);
            figures(&all).remove(0)
        };
        assert!(!with(0).contains_nominal && sentence(&with(0)).contains("fewer than promised"));
        assert!(with(10).contains_nominal);
        assert!(!with(30).contains_nominal && sentence(&with(30)).contains("MORE than promised"));
    }

    #[test]
    fn nothing_compared_is_no_rate() {
        assert_eq!(figures(&[]), []);
        let none = figures(&[comparison("throughput", None)]).remove(0);
        assert_eq!(
            (none.comparisons, none.rate, none.nominal, none.contains_nominal),
            (0, None, None, false)
        );
    }
}
