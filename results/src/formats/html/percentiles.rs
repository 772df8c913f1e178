//! The waits of a case as percentile curves: how long the unlucky ones waited, which a histogram hides.
//!
//! Both axes are logarithmic: to the right each decade is ten times as rare, upwards ten times as long.

use std::fmt::Write as _;

use super::{text, wait};
use crate::Cell;
use crate::compare::is_control_arm;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const BOTTOM: f64 = 34.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 24.0;

/// Looks that the style sheet has.
const LOOKS: usize = 9;
/// Points from one halving of the distance to 100 % to the next.
const POINTS_PER_HALF: u32 = 3;

/// A backend's curve: points of rarity (the decades of `1 / (1 - quantile)`) and of decades of nanoseconds.
struct Curve<'a> {
    cell: &'a Cell,
    look: usize,
    points: Vec<(f64, f64)>,
}

/// Appends the figure; nothing where there are no waits. A histogram that cannot be read is left out, the table has
/// its percentiles.
pub(super) fn push(out: &mut String, cells: &[&Cell], series: &[&str]) {
    let curves: Vec<Curve<'_>> = cells.iter().filter_map(|cell| curve(cell, series)).collect();
    let points = || curves.iter().flat_map(|curve| &curve.points);
    if points().next().is_none() {
        return;
    }
    let rarest = points().map(|(rarity, _)| *rarity).fold(1.0, f64::max);
    let low = points().map(|(_, ns)| *ns).fold(f64::INFINITY, f64::min).floor();
    let high = points().map(|(_, ns)| *ns).fold(low + 1.0, f64::max).ceil();
    let scale = Scale { rarest, low, high };
    let _ = writeln!(
        out,
        "<figure>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
        text(&summary(&curves))
    );
    push_axes(out, &scale);
    for curve in &curves {
        push_curve(out, curve, &scale);
    }
    out.push_str("</svg>\n<figcaption>Waits by percentile, both axes logarithmic. ");
    for curve in &curves {
        let _ = write!(
            out,
            "<span class=\"key\"><svg viewBox=\"0 0 34 8\" aria-hidden=\"true\"><path class=\"curve s{}\" d=\"M0 4H34\"/>\
             </svg>{}</span>",
            curve.look,
            text(&curve.cell.backend)
        );
    }
    out.push_str("</figcaption>\n</figure>\n");
}

fn curve<'a>(cell: &'a Cell, series: &[&str]) -> Option<Curve<'a>> {
    if is_control_arm(&cell.backend) {
        return None;
    }
    let histogram = cell.wait_ns.histogram().ok().filter(|histogram| !histogram.is_empty())?;
    let place = series.iter().position(|name| *name == cell.backend)?;
    #[expect(clippy::cast_precision_loss, reason = "places in a drawing")]
    let points = histogram
        .iter_quantiles(POINTS_PER_HALF)
        .filter(|step| step.quantile_iterated_to() < 1.0)
        .map(|step| {
            let rarity = -(1.0 - step.quantile_iterated_to()).log10();
            (rarity, (step.value_iterated_to().max(1) as f64).log10())
        })
        .collect();
    Some(Curve { cell, look: place % LOOKS + 1, points })
}

/// For those who do not see it.
fn summary(curves: &[Curve<'_>]) -> String {
    let of = |curve: &Curve<'_>| {
        let (backend, waits) = (&curve.cell.backend, &curve.cell.wait_ns);
        format!(
            "{backend} p50 {}, p99 {}, longest {}",
            wait(waits.p50),
            wait(waits.p99),
            wait(Some(waits.max))
        )
    };
    format!("Waits by percentile: {}.", curves.iter().map(of).collect::<Vec<_>>().join("; "))
}

/// From decades to places in the drawing.
struct Scale {
    rarest: f64,
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, rarity: f64) -> f64 {
        LEFT + rarity / self.rarest * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, decade: f64) -> f64 {
        HEIGHT - BOTTOM - (decade - self.low) / (self.high - self.low) * (HEIGHT - BOTTOM - TOP)
    }
}

fn push_axes(out: &mut String, scale: &Scale) {
    let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM);
    let mut decade = scale.low;
    while decade <= scale.high {
        let (y, label) =
            (scale.y(decade), crate::format_ns(10_f64.powf(decade)).replace(".00", "").replace(".0", ""));
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>");
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            left - 8.0,
            y + 4.0
        );
        decade += 1.0;
    }
    let shares = [(0.5, "50 %"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];
    let rarer = [(0.99999, "99.999 %"), (0.999_999, "99.9999 %")];
    for (share, label) in [(0.0, "0 %")].into_iter().chain(shares).chain(rarer) {
        let rarity = -f64::log10(1.0 - share);
        if rarity > scale.rarest {
            break;
        }
        let x = scale.x(rarity);
        let _ = writeln!(out, "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\"/>");
        let _ =
            writeln!(out, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>", bottom + 18.0);
    }
}

fn push_curve(out: &mut String, curve: &Curve<'_>, scale: &Scale) {
    let _ = write!(out, "<path class=\"curve s{}\" d=\"", curve.look);
    for (place, (rarity, decade)) in curve.points.iter().enumerate() {
        let command = if place == 0 { 'M' } else { 'L' };
        let _ = write!(out, "{command}{:.1} {:.1}", scale.x(*rarity), scale.y(*decade));
    }
    let _ = writeln!(out, "\"><title>{}</title></path>", text(&curve.cell.backend));
}
