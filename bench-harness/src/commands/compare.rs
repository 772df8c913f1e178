//! `compare`: one stored report against another, cell by cell.

use std::fmt::Write as _;

use comfy_table::{Cell as TableCell, presets};
use results::compare::{BetweenReports, Options, between_reports};
use results::{Comparison, Report, Verdict, format_ratio};
use serde_json::json;

use crate::cli::{CompareArgs, Format};
use crate::exit::{Exit, Usage};
use crate::say::say;
use crate::table::{self, Screen};

/// Prints verdicts; a backend that became slower beyond the threshold makes the exit code 99.
pub(crate) fn run(args: &CompareArgs) -> anyhow::Result<Exit> {
    let folder = args.folder.out.as_ref();
    let base = super::find_report(&args.base, folder)?;
    let candidate = super::find_report(&args.candidate, folder)?;
    let options = Options { margin: args.threshold / 100.0, ..Options::default() };
    let between = between_reports(&base, &candidate, &options);
    refuse_obstacles(args, &between)?;
    let regressions =
        between.comparisons.iter().filter(|comparison| comparison.verdict == Verdict::Slower).count();
    let text = match args.format {
        Format::Table => in_words(&base, &candidate, &between, Screen::of_stdout(), false),
        Format::Markdown => {
            in_words(&base, &candidate, &between, Screen { width: u16::MAX, colour: false }, true)
        }
        Format::Json => format!("{:#}\n", as_json(&base, &candidate, &between)),
    };
    super::print(&text)?;
    if between.comparisons.is_empty() {
        // In a job that relies on it, silence would pass for a good answer.
        return Err(Usage::error(format!(
            "'{}' and '{}' have no case and backend in common: measure the same workloads with the same knobs",
            args.base, args.candidate
        )));
    }
    if regressions > 0 {
        say!(
            "{regressions} of {} figures became worse by more than {} %",
            between.comparisons.len(),
            args.threshold
        );
        return Ok(Exit::Regression);
    }
    Ok(Exit::Done)
}

/// What was measured on another machine or in another way differs for reasons that are not the program's.
fn refuse_obstacles(args: &CompareArgs, between: &BetweenReports) -> anyhow::Result<()> {
    if between.obstacles.is_empty() || args.force {
        return Ok(());
    }
    Err(Usage::error(format!(
        "'{}' and '{}' cannot be compared: {}; measure both alike, or compare them all the same with --force",
        args.base,
        args.candidate,
        between.obstacles.join("; ")
    )))
}

fn in_words(
    base: &Report,
    candidate: &Report,
    between: &BetweenReports,
    screen: Screen,
    markdown: bool,
) -> String {
    let mut out = format!("base       {}\ncandidate  {}\n", base.run.id, candidate.run.id);
    if markdown {
        out = format!("Base `{}`, candidate `{}`.\n", base.run.id, candidate.run.id);
    }
    for difference in &between.differences {
        let _ = writeln!(out, "{}differs: {difference}", if markdown { "- " } else { "  " });
    }
    out.push('\n');
    let mut table = screen.table(&["case", "backend", "metric", "ratio", "interval", "verdict", "shows"]);
    if markdown {
        table.load_style(presets::ASCII_MARKDOWN);
    } else {
        // So that no verdict has to be broken in 80 columns.
        table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 1)));
    }
    let mut last_case = None;
    for comparison in &between.comparisons {
        let case = Some(comparison.case());
        table.add_row(row(comparison, screen, !markdown && case == last_case));
        last_case = case;
    }
    if !between.comparisons.is_empty() {
        let _ = writeln!(
            out,
            "{}\n\nA ratio above 1 means that the candidate is better. Shows: the smallest ratio\n\
             that these rounds would have told from 1 in four of five repetitions.",
            table.trim_fmt()
        );
    }
    for (missing, side) in [(&between.only_in_base, "base"), (&between.only_in_candidate, "candidate")] {
        for name in missing {
            let _ = writeln!(out, "{}only in {side}: {name}", if markdown { "- " } else { "  " });
        }
    }
    out
}

/// For the eye the case stands once above its figures; a reader of markdown may sort the rows.
fn row(comparison: &Comparison, screen: Screen, same_case: bool) -> Vec<TableCell> {
    // The comparison names report and backend; the reports stand above the table.
    let backend = comparison.candidate.rsplit('/').next().unwrap_or_default();
    let case =
        format!("{}.{}\n{}", comparison.workload, comparison.variant, table::describe(&comparison.params));
    let case = match case {
        _ if same_case => String::new(),
        case if screen.width == u16::MAX => case.replace('\n', " · "),
        case => case,
    };
    vec![
        TableCell::new(case),
        TableCell::new(backend),
        TableCell::new(&comparison.metric),
        TableCell::new(table::ratio(comparison)),
        TableCell::new(table::interval(comparison).unwrap_or_else(|| "–".into())),
        screen.verdict(comparison.verdict),
        TableCell::new(comparison.detectable.map_or_else(|| "–".into(), format_ratio)),
    ]
}

fn as_json(base: &Report, candidate: &Report, between: &BetweenReports) -> serde_json::Value {
    json!({
        "baseline": base.run.id,
        "candidate": candidate.run.id,
        "comparisons": between.comparisons,
        "only_in_base": between.only_in_base,
        "only_in_candidate": between.only_in_candidate,
        "differences": between.differences,
    })
}
