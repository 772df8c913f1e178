//! What an operation cost beside its time.

use results::Costs;

use crate::common::report;

#[test]
fn a_cost_is_that_of_all_rounds_over_their_operations() {
    let mut cell = report("costs", 1, 2).cells.remove(0);
    for (round, (ops, cpu_ns, switches)) in
        cell.rounds.iter_mut().zip([(1_000, 50_000, Some(10)), (3_000, 350_000, Some(50))])
    {
        (round.ops, round.cpu_ns, round.voluntary_switches) = (ops, cpu_ns, switches);
    }
    let costs = cell.costs();
    assert_eq!(costs.cpu_ns_per_op, Some(100.0), "not the mean of 50 and 117");
    assert_eq!(costs.voluntary_switches_per_op, Some(0.015));
}

#[test]
fn a_round_that_did_not_count_is_left_out_with_its_operations() {
    let mut cell = report("costs", 1, 2).cells.remove(0);
    (cell.rounds[0].ops, cell.rounds[0].futile_wakeups) = (1_000, None);
    (cell.rounds[1].ops, cell.rounds[1].futile_wakeups) = (500, Some(250));
    assert_eq!(cell.costs().futile_wakeups_per_op, Some(0.5));
}

#[test]
fn what_nobody_counted_costs_nothing_that_could_be_said() {
    let mut cell = report("costs", 1, 3).cells.remove(0);
    assert_eq!(cell.costs().allocations_per_op, None);
    cell.rounds.clear();
    cell.latency_rounds.clear();
    assert_eq!(cell.costs(), Costs::default());
}
