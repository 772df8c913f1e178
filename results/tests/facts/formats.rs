//! Exports.

use crate::common::{open_loop_report, report};
use results::formats::{FORMATS, find};
use results::{Report, Status};

fn write(name: &str, report: &Report) -> String {
    (find(name).expect(name).write)(report).expect("written")
}

/// Fields of RFC 4180, line by line.
fn parse_csv(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut fields, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (quoted, character) {
            (true, '"') if characters.peek() == Some(&'"') => field.extend(characters.next()),
            (_, '"') => quoted = !quoted,
            (false, ',') => fields.push(std::mem::take(&mut field)),
            (false, '\r') => assert_eq!(characters.peek(), Some(&'\n')),
            (false, '\n') => {
                fields.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut fields));
            }
            (_, other) => field.push(other),
        }
    }
    assert!(!quoted && field.is_empty() && fields.is_empty(), "the last line is not ended");
    lines
}

#[test]
fn names_are_unique_and_found() {
    for format in FORMATS {
        assert_eq!(FORMATS.iter().filter(|other| other.name == format.name).count(), 1);
        assert_eq!(find(format.name).unwrap().extension, format.extension);
        assert!(!format.summary.is_empty() && !format.extension.starts_with('.'));
    }
    assert!(find("punch-cards").is_none());
}

#[test]
fn json_is_the_report() {
    let report = report("r", 1, 6);
    assert_eq!(Report::from_json(write("json", &report).as_bytes()).unwrap(), report);
}

#[test]
fn csv_has_a_line_for_each_cell_and_a_column_for_each_parameter() {
    let mut report = report("r", 2, 8);
    report.cells[0].params.insert("permits".to_owned(), 8.into());
    let lines = parse_csv(&write("csv", &report));
    assert_eq!(lines.len(), 1 + 6);
    assert!(lines.iter().all(|line| line.len() == lines[0].len()));
    let column = |name: &str| lines[0].iter().position(|head| head == name).expect(name);
    assert_eq!(lines[1][column("param.permits")], "8");
    assert_eq!(lines[2][column("param.permits")], "");
    assert_eq!(lines[2][column("param.hold_mode")], "spin");
    assert_eq!(lines[2][column("control")], "true");
    let sync = &lines[6];
    assert_eq!((sync[column("backend")].as_str(), sync[column("verdict")].as_str()), ("sync", "faster"));
    let median: f64 = sync[column("throughput_median_ops_per_s")].parse().unwrap();
    assert_eq!(median.to_bits(), report.cells[5].throughput_ops_per_s.median.to_bits());
    assert_eq!(sync[column("wait_p99_ns")], report.cells[5].wait_ns.p99.unwrap().to_string());
    assert_eq!(sync[column("ratio")], report.comparisons[3].ratio.unwrap().to_string());
}

#[test]
fn csv_tells_costs_for_each_operation() {
    let report = report_with_costs();
    let lines = parse_csv(&write("csv", &report));
    let column = |name: &str| lines[0].iter().position(|head| head == name).expect(name);
    let figures = |line: usize, names: &[&str]| {
        names.iter().map(|name| lines[line][column(name)].clone()).collect::<Vec<_>>()
    };
    let names = [
        "voluntary_switches_per_op",
        "involuntary_switches_per_op",
        "allocations_per_op",
        "futile_wakeups_per_op",
        "queue_depth",
    ];
    assert_eq!(figures(1, &names), ["0.5", "0.25", "2", "0", "3.5"]);
    // What was not counted is left empty, which is not zero.
    assert_eq!(figures(2, &names), ["", "", "", "", "3.5"]);
    assert_eq!(figures(3, &["detectable"]), [report.comparisons[0].detectable.unwrap().to_string()]);
}

/// Rounds of 1,000 operations, whose first cell counted what they cost.
fn report_with_costs() -> Report {
    let mut report = report("r", 1, 8);
    for round in &mut report.cells[0].rounds {
        round.ops = 1_000;
        (round.voluntary_switches, round.involuntary_switches) = (Some(500), Some(250));
        round.futile_wakeups = Some(0);
    }
    for round in &mut report.cells[0].latency_rounds {
        (round.ops, round.allocations) = (500, Some(1_000));
    }
    report
}

#[test]
fn markdown_shows_costs_where_they_were_counted() {
    let markdown = write("markdown", &report_with_costs());
    assert!(
        markdown.contains("| backend | CPU | context switches | allocations | futile wake-ups |"),
        "{markdown}"
    );
    assert!(markdown.contains("| tokio | 390 µs | 0.75 | 2 | 0 |"), "{markdown}");
    assert!(markdown.contains("| sync | 261 ns | – | – | – |"), "{markdown}");
    let markdown = write("markdown", &report("r", 1, 8));
    assert!(markdown.contains("| backend | CPU |\n") && !markdown.contains("allocations"), "{markdown}");
}

#[test]
fn markdown_of_several_cases_says_first_who_won_where() {
    let overview = |report: &results::Report| {
        let markdown = write("markdown", report);
        markdown.split("\n## ").next().unwrap().to_owned()
    };
    let several = report("r", 2, 8);
    let ratio = results::format_ratio(several.comparisons[0].ratio.unwrap());
    let text = overview(&several);
    assert!(text.contains(&format!(" {ratio} ▲ |")) && text.contains("| – |"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("| semaphore/pool")).count(), 2, "{text}");
    assert!(!overview(&report("r", 1, 8)).contains('▲'));
}

#[test]
fn markdown_says_what_could_have_been_found() {
    let report = report("r", 1, 8);
    let shown = results::format_ratio(report.comparisons[0].detectable.unwrap());
    let markdown = write("markdown", &report);
    assert!(markdown.contains(&format!("| faster | {shown} |")), "{markdown}");
    assert!(markdown.contains("would have told from 1"), "{markdown}");
}

#[test]
fn csv_quotes_what_would_break_it() {
    let mut report = report("r", 1, 2);
    let odd = "a,\"b\"\r\nc";
    report.cells[0].backend_version = odd.to_owned();
    report.cells[0].params.insert(odd.to_owned(), odd.into());
    let lines = parse_csv(&write("csv", &report));
    assert_eq!(lines.len(), 4);
    assert!(lines[0].contains(&format!("param.{odd}")));
    assert_eq!(lines[1].iter().filter(|field| *field == odd).count(), 2);
}

#[test]
fn markdown_shows_cases_backends_and_validity() {
    let markdown = write("markdown", &report("20261122T190501Z-semaphore-3f9a", 2, 8));
    assert!(markdown.starts_with("# 20261122T190501Z-semaphore-3f9a\n"));
    assert_eq!(markdown.matches("\n## semaphore/pool").count(), 2);
    for words in
        ["| sync |", "| faster |", "| noise floor |", "M/s", "1.5", "than tokio", "| contended | passed |"]
    {
        assert!(markdown.contains(words), "{words} is not in\n{markdown}");
    }
}

#[test]
fn every_row_of_a_markdown_table_has_as_many_cells_as_its_head() {
    let mut report = report("r", 1, 2);
    report.cells[0].backend = "a|b\nc".to_owned();
    report.validity[0].detail = "x | y\r\n| z".to_owned();
    let markdown = write("markdown", &report);
    let mut width = None;
    for line in markdown.lines() {
        if !line.starts_with('|') {
            width = None;
            continue;
        }
        let bars = line.replace("\\|", "").matches('|').count();
        assert_eq!(*width.get_or_insert(bars), bars, "{line}");
    }
}

#[test]
fn markup_in_a_report_stays_text() {
    let mut report = report("r", 1, 2);
    report.environment.cpu = "<script>alert(1)</script> [link](http://x) `code`".to_owned();
    let markdown = write("markdown", &report);
    assert!(!markdown.contains("<script>") && !markdown.contains("[link](") && !markdown.contains(" `code`"));
}

#[test]
fn markdown_says_when_figures_are_not_to_be_trusted() {
    let mut report = report("r", 1, 2);
    for (status, words) in [
        (Status::Interrupted, "Interrupted"),
        (Status::Invalid, "Not valid"),
        (Status::Running, "Still running"),
    ] {
        report.run.status = status;
        assert!(write("markdown", &report).contains(words));
    }
    report.validity[0].pass = false;
    assert!(write("markdown", &report).contains("**failed**"));
}

#[test]
fn a_report_without_cells_is_exported() {
    let mut report = report("r", 1, 2);
    report.cells.clear();
    report.comparisons.clear();
    report.control.clear();
    for format in FORMATS {
        assert!(!(format.write)(&report).unwrap().is_empty());
    }
}

#[test]
fn an_open_loop_shows_its_rate_and_lag_in_every_export() {
    let report = open_loop_report();
    let lines = parse_csv(&write("csv", &report));
    let column = |name: &str| lines[0].iter().position(|head| head == name).expect(name);
    let figures = ["achieved_ops_per_s", "lag_mean_ns", "lag_max_ns", "behind_fraction"];
    assert_eq!(figures.map(|name| lines[1][column(name)].as_str()), ["19900", "150", "4000", "0.125"]);
    let markdown = write("markdown", &report);
    assert!(markdown.contains("Open loop:") && markdown.contains("| 20.0 k/s | 19.9 k/s |"), "{markdown}");
    assert!(!write("markdown", &self::report("r", 1, 8)).contains("Open loop"));
    assert_eq!(Report::from_json(write("json", &report).as_bytes()).unwrap(), report);
}

/// What is wrong with the nesting of a page's elements.
fn fault_of_nesting(html: &str) -> Option<String> {
    const VOID: [&str; 4] = ["meta", "br", "path/", "!DOCTYPE"];
    let mut open: Vec<&str> = Vec::new();
    for tag in html.split('<').skip(1) {
        let (inside, _) = tag.split_once('>')?;
        let name = inside.split_whitespace().next()?;
        if let Some(closed) = name.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Some(format!("</{closed}> closes nothing"));
            }
        } else if !VOID.contains(&name) && !inside.ends_with('/') {
            open.push(name);
        }
    }
    open.pop().map(|name| format!("<{name}> is not closed"))
}

#[test]
fn a_page_has_every_case_with_verdict_and_curves() {
    let html = write("html", &report("20261122T190501Z-semaphore-3f9a", 2, 8));
    assert_eq!(fault_of_nesting(&html), None);
    assert_eq!(html.matches("<h2 id=\"case-").count(), 2);
    assert_eq!(html.matches("<figure>").count(), 2);
    for words in
        ["faster</b>", "Noise floor: tokio against itself", "wait p50", "99 %", "contended", "passed"]
    {
        assert!(html.contains(words), "{words} is not in the page");
    }
    // The control arm repeats the baseline's curve.
    assert_eq!(html.matches("<span class=\"key\">").count(), 2 * 2);
}

#[test]
fn every_row_of_a_page_has_as_many_cells_as_its_head() {
    let html = write("html", &report_with_costs());
    for table in html.split("<table>").skip(1) {
        let table = table.split("</table>").next().unwrap();
        let columns = table.matches("<th ").count();
        for row in table.split("<tr>").skip(2) {
            assert_eq!(row.matches("<td").count(), columns, "{row}");
        }
    }
}

#[test]
fn a_page_loads_nothing_runs_nothing_and_takes_text_for_text() {
    let mut report = report("\"'><script>alert(1)</script>", 1, 8);
    let odd = "</title><img src=x onerror=alert(1)> & \"b\" '\u{7}";
    report.environment.cpu = odd.to_owned();
    report.environment.git = Some(odd.to_owned());
    report.validity[0].detail = odd.to_owned();
    for cell in &mut report.cells {
        cell.workload = odd.to_owned();
        cell.composed = Some(odd.to_owned());
        cell.params.insert(odd.to_owned(), odd.into());
    }
    report.cells[2].backend = odd.to_owned();
    let html = write("html", &report);
    assert_eq!(fault_of_nesting(&html), None);
    for forbidden in ["<script", "<img", "<link", "src=x ", "http:", "https:", "url(", "@import", "\u{7}"] {
        let found = html.replace("src=x onerror", "").contains(forbidden);
        assert!(!found, "{forbidden} is in the page");
    }
    assert!(html.contains("default-src 'none'") && html.contains("&lt;img src=x"));
}

#[test]
fn a_page_says_what_an_inconclusive_run_could_have_found() {
    let mut report = report("r", 1, 8);
    report.comparisons[0].verdict = results::Verdict::Inconclusive;
    let shown = results::format_ratio(report.comparisons[0].detectable.unwrap());
    let words = format!("<b>inconclusive</b>; these rounds would have told {shown} from 1");
    assert!(write("html", &report).contains(&words));
    report.run.status = Status::Invalid;
    assert!(write("html", &report).contains("Not valid"));
    assert!(write("html", &open_loop_report()).contains("Open loop:"));
}
