//! Figures in other benchmarks' units, from rounds made by hand.

use results::units::PeerUnit;
use results::{Cell, OpenLoop};

use crate::common;

/// Two rounds of 8 tasks: 1,000 operations in 1 ms, then in 2 ms; the processor worked for twice as long.
fn cell(params: &[(&str, serde_json::Value)]) -> Cell {
    let mut cell = common::report("a", 1, 2).cells.swap_remove(0);
    cell.params = params.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    cell.params.insert("tasks".to_owned(), 8.into());
    for (round, wall_ns) in cell.rounds.iter_mut().zip([1_000_000, 2_000_000]) {
        (round.ops, round.wall_ns, round.cpu_ns) = (1_000, wall_ns, 2 * wall_ns);
    }
    cell
}

/// Median, smallest and largest round.
#[track_caller]
fn check(unit: PeerUnit, cell: &Cell, expected: [f64; 3]) {
    let figure = unit.figure(cell).expect("a figure");
    for (found, expected) in [figure.median, figure.min, figure.max].into_iter().zip(expected) {
        common::assert_close(found, expected, 1e-9 * expected.abs());
    }
}

#[test]
fn time_of_so_many_operations_is_wall_time() {
    check(PeerUnit::TimePer(1), &cell(&[]), [1_500.0, 1_000.0, 2_000.0]);
    check(PeerUnit::TimePer(3_000), &cell(&[]), [4.5e6, 3e6, 6e6]);
}

#[test]
fn kilohertz_are_of_one_task() {
    // A million and half a million operations a second, by eight tasks.
    check(PeerUnit::KilohertzPerTask, &cell(&[]), [93.75, 62.5, 125.0]);
}

#[test]
fn overhead_is_the_processor_time_that_nobody_asked_for() {
    check(PeerUnit::Overhead, &cell(&[]), [3_000.0, 2_000.0, 4_000.0]);
    let spun = [("hold_ns", 200.into()), ("hold_mode", "spin".into()), ("think_ns", 1_000.into())];
    check(PeerUnit::Overhead, &cell(&spun), [1_800.0, 800.0, 2_800.0]);
    for mode in ["yield", "sleep"] {
        let held = [("hold_ns", 200.into()), ("hold_mode", mode.into())];
        assert_eq!(PeerUnit::Overhead.figure(&cell(&held)), None, "who knows what a {mode} costs");
    }
}

#[test]
fn what_has_no_throughput_has_no_figure() {
    let units = [PeerUnit::TimePer(1), PeerUnit::KilohertzPerTask, PeerUnit::Overhead];
    let mut idle = cell(&[]);
    idle.rounds[1].ops = 0;
    let mut unmeasured = cell(&[]);
    unmeasured.rounds.clear();
    let mut open = cell(&[]);
    open.open_loop = Some(OpenLoop {
        rate_ops_per_s: 1.0,
        achieved_ops_per_s: 1.0,
        lag_mean_ns: 0.0,
        lag_max_ns: 0,
        behind_fraction: 0.0,
    });
    for unit in units {
        for cell in [&idle, &unmeasured, &open] {
            assert_eq!(unit.figure(cell), None, "{unit}");
        }
    }
}
