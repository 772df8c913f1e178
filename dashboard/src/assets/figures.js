// The two tables of a case: what each backend did, and what it cost. A column that no backend has a figure for is
// not shown, and an open loop has columns of its own.

import { h, swatch, Table, verdictBadge } from "./dom.js";
import { decimal, duration, fraction, integer, interval, rate, ratio, small } from "./format.js";

// A figure with what belongs to it in a second line, so that the table needs half the width.
const under = (text, note) => (note ? h("span", { class: "under" }, text, h("small", {}, note)) : text);

const named = (row) => h("span", { class: "under" }, swatch(row.series, row.backend, row.control), row.composed ? h("small", {}, row.composed) : null);

const BACKEND = { title: "backend", cell: named };

const CLOSED_LOOP = [
  { title: "throughput", number: true, hint: "median of the rounds, with the slowest and the fastest", cell: (row) => (row.rounds ? under(rate(row.ops_per_s), `${rate(row.ops_per_s_min)} – ${rate(row.ops_per_s_max)}`) : "–") },
];

const OPEN_LOOP = [
  { title: "asked", number: true, hint: "intended starts in a second", cell: (row) => rate(row.open_loop?.rate_ops_per_s) },
  { title: "achieved", number: true, hint: "as far as they were met", cell: (row) => rate(row.open_loop?.achieved_ops_per_s) },
  { title: "behind", number: true, hint: "began late because their task was still busy", cell: (row) => fraction(row.open_loop?.behind_fraction) },
  { title: "lag", number: true, hint: "the bench's own lag, of operations whose task was free in time; part of their waits", cell: (row) => (row.open_loop ? under(duration(row.open_loop.lag_mean_ns), `max ${duration(row.open_loop.lag_max_ns)}`) : "–") },
];

const JUDGED = [
  { title: "ratio", number: true, hint: "to the baseline, with its interval; above 1 is better", cell: (row) => (row.ratio === null ? "–" : under(ratio(row.ratio), row.ci ? interval(row.ci) : null)) },
  { title: "verdict", cell: (row) => (row.ratio === null && row.verdict === null ? h("span", { class: "dim" }, "baseline") : verdictBadge(row.verdict)) },
  { title: "wait p50", number: true, cell: (row) => duration(row.wait_p50_ns) },
  { title: "p99", number: true, cell: (row) => duration(row.wait_p99_ns) },
  { title: "p99.9", number: true, cell: (row) => duration(row.wait_p999_ns) },
  { title: "longest", number: true, hint: "longest wait of the latency pass", cell: (row) => (row.wait_count ? duration(row.longest_wait_ns) : "–") },
  { title: "rounds", number: true, cell: (row) => integer(row.rounds) },
];

// `has` says whether a backend has the figure at all.
const COSTS = [
  { title: "waited", number: true, hint: "acquisitions that had to wait", has: (row) => row.contended_fraction !== null, cell: (row) => fraction(row.contended_fraction) },
  { title: "queue", number: true, hint: "waiters in the queue, mean", has: (row) => row.queue_depth !== null, cell: (row) => small(row.queue_depth) },
  { title: "held", number: true, hint: "time that the primitive was really held, mean", has: (row) => row.hold_ns !== null, cell: (row) => duration(row.hold_ns) },
  { title: "Jain", number: true, hint: "fairness over the tasks: 1 is even", has: (row) => row.rounds > 0, cell: (row) => (row.rounds ? decimal(row.jain, 3) : "–") },
  { title: "smallest share", number: true, hint: "operations of the worst-served task over the mean of all", has: (row) => row.rounds > 0, cell: (row) => (row.rounds ? fraction(row.smallest_share, 0) : "–") },
  { title: "CPU", number: true, hint: "processor time of the process for an operation", has: (row) => row.cpu_ns_per_op !== null, cell: (row) => duration(row.cpu_ns_per_op) },
  { title: "sleeps", number: true, hint: "voluntary context switches for an operation", has: (row) => row.voluntary_switches_per_op !== null, cell: (row) => small(row.voluntary_switches_per_op) },
  { title: "preempted", number: true, hint: "involuntary context switches for an operation", has: (row) => row.involuntary_switches_per_op !== null, cell: (row) => small(row.involuntary_switches_per_op) },
  { title: "allocations", number: true, hint: "calls of the allocator for an operation, the bench's own included", has: (row) => row.allocations_per_op !== null, cell: (row) => small(row.allocations_per_op) },
  { title: "futile wake-ups", number: true, hint: "woken, looked, and had to wait again, for an operation", has: (row) => row.futile_wakeups_per_op !== null, cell: (row) => small(row.futile_wakeups_per_op) },
  { title: "recorder", number: true, hint: "share of an operation that clock and recorder took, in the latency pass alone", has: (row) => row.recorder_share !== null, cell: (row) => fraction(row.recorder_share, 0) },
  { title: "in the peer's unit", number: true, hint: "median of the rounds, with the smallest and the largest", has: (row) => row.peer !== null, cell: (row) => row.peer ?? "–" },
  { title: "forced yields", number: true, hint: "polls that gave up because tokio's budget was spent, for an operation", has: (row) => row.forced_yields_per_op > 0, cell: (row) => small(row.forced_yields_per_op) },
];

export class FigureTables {
  constructor() {
    this.figures = new Table({ caption: "Backends of this case", columns: [], key: (row) => row.backend });
    this.costs = new Table({ caption: "Fairness and cost of the backends of this case", columns: [], key: (row) => row.backend });
    this.shape = null;
  }

  update(rows) {
    const open = rows.some((row) => row.open_loop);
    const costs = COSTS.filter((column) => rows.some(column.has));
    const shape = `${open} ${costs.map((column) => column.title)}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.figures.setColumns([BACKEND, ...(open ? OPEN_LOOP : CLOSED_LOOP), ...JUDGED]);
      this.costs.setColumns([BACKEND, ...costs]);
    }
    this.figures.update(rows);
    this.costs.update(rows);
  }
}
