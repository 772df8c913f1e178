//! Throughput of each backend round by round: what a median hides (drift, a slow round) shows here.

use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Marker, Mode, Visible};
use plotly::layout::RangeMode;
use results::{Cell, format_rate};

use super::palette::Series;
use super::{Chart, axis, base_layout, plain, rounded};

/// Rounds of the cells of one case.
pub(crate) fn throughput(cells: &[&Cell]) -> Chart {
    let mut traces = Vec::new();
    let mut medians = Vec::new();
    for cell in cells {
        let series = Series::of(&cell.backend);
        traces.push(plain(&line(cell, &series)));
        if !series.control {
            medians.push(format!("{} {}", cell.backend, format_rate(cell.throughput_ops_per_s.median)));
        }
    }
    let rounds = cells.iter().map(|cell| cell.rounds.len()).max().unwrap_or_default();
    // A tick for each round as long as they are few, so that there is no round 2.5.
    let x_axis = axis::plain("round").tick_format("d").show_grid(false);
    let x_axis = if rounds <= 12 { x_axis.dtick(1.0) } else { x_axis };
    let layout =
        base_layout().x_axis(x_axis).y_axis(axis::plain("").range_mode(RangeMode::ToZero).tick_format("~s"));
    let summary = format!("Throughput over {rounds} rounds. Medians: {}.", medians.join(", "));
    Chart::new(traces, &layout, summary)
}

fn line(cell: &Cell, series: &Series) -> Scatter<usize, Option<f64>> {
    let rates: Vec<_> = cell.rounds.iter().map(|round| round.throughput_ops_per_s().map(rounded)).collect();
    let numbers: Vec<usize> = (1..=rates.len()).collect();
    let texts = numbers.iter().zip(&rates).map(|(number, rate)| {
        let rate = rate.map_or_else(|| "nothing measured".to_owned(), format_rate);
        format!("{}, round {number}: {rate}", cell.backend)
    });
    let texts = texts.collect();
    let trace = Scatter::new(numbers, rates)
        .name(&cell.backend)
        .mode(Mode::LinesMarkers)
        .line(Line::new().color(series.color()).width(series.width()).dash(series.dash()))
        .marker(Marker::new().color(series.color()).symbol(series.symbol()).size(7))
        .hover_text_array(texts)
        .hover_info(HoverInfo::Text);
    if series.control { *trace.visible(Visible::LegendOnly) } else { *trace }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use results::Status;

    #[test]
    fn every_round_is_a_point_at_its_rate() {
        let report = testing::report(7, Status::Running);
        let cell = &report.cells[0];
        let chart = throughput(&[cell]);
        let rates: Vec<f64> =
            chart.data[0]["y"].as_array().unwrap().iter().filter_map(|y| y.as_f64()).collect();
        assert_eq!(rates.len(), 7);
        for (rate, round) in rates.iter().zip(&cell.rounds) {
            let measured = round.throughput_ops_per_s().unwrap();
            assert!((rate / measured - 1.0).abs() < 1e-3, "{rate} {measured}");
        }
    }

    #[test]
    fn a_round_that_took_no_time_is_a_gap() {
        let mut report = testing::report(3, Status::Complete);
        report.cells[0].rounds[1].wall_ns = 0;
        let chart = throughput(&[&report.cells[0]]);
        assert!(chart.data[0]["y"][1].is_null() && chart.data[0]["y"][2].is_number());
    }
}
