// The lines that acquire a primitive, who of them keeps others waiting, and its worst waits.

import { h } from "./dom.js";
import { duration, integer } from "./format.js";

const code = (text) => h("code", {}, text || "an unknown line");
const task = (number) => (number ? `#${number.toString(16)}` : "–");
const measured = (distribution, percentile) => (distribution?.count ? duration(distribution[percentile]) : "–");

export const SITES = [
  { title: "line", cell: (site) => code(site.site), sort: (site) => site.site },
  { title: "acquired", number: true, cell: (site) => integer(site.acquisitions), sort: (site) => site.acquisitions },
  { title: "waited", number: true, cell: (site) => integer(site.contended), sort: (site) => site.contended },
  { title: "waited in all", number: true, hint: "sum of the waits of this line", cell: (site) => duration(site.wait_total_ns), sort: (site) => site.wait_total_ns },
  { title: "kept waiting", number: true, hint: "what others waited, all together, while this line held it; shared where several hold at once", cell: (site) => duration(site.blamed_ns), sort: (site) => site.blamed_ns },
  { title: "wait p99", number: true, cell: (site) => measured(site.wait_ns, "p99"), sort: (site) => site.wait_ns.p99 },
  { title: "hold p50", number: true, cell: (site) => measured(site.hold_ns, "p50"), sort: (site) => site.hold_ns.p50 },
  { title: "hold p99", number: true, cell: (site) => measured(site.hold_ns, "p99"), sort: (site) => site.hold_ns.p99 },
  { title: "cancelled", number: true, hint: "waits that were dropped, and half of them after how long", cell: cancelled, sort: (site) => site.cancelled },
  { title: "closed", number: true, hint: "ended since the primitive was closed", cell: (site) => integer(site.closed), sort: (site) => site.closed },
];

function cancelled({ cancelled: count, cancelled_wait_ns: lasted }) {
  return lasted?.count ? `${integer(count)} after ${duration(lasted.p50)}` : integer(count);
}

// `now` tells the uptime of the snapshot that is shown.
export const worstColumns = (now) => [
  { title: "waited", number: true, cell: (wait) => duration(wait.wait_ns), sort: (wait) => wait.wait_ns },
  { title: "and was", cell: (wait) => wait.outcome },
  { title: "at the line", cell: (wait) => code(wait.site) },
  { title: "task", number: true, cell: (wait) => task(wait.task) },
  { title: "in its way", cell: blocker },
  { title: "its task", number: true, cell: (wait) => task(wait.blocker?.task) },
  { title: "ended", number: true, cell: (wait) => `${duration(Math.max(0, now() - wait.ended_at_s) * 1e9)} ago`, sort: (wait) => wait.ended_at_s },
];

function blocker({ blocker: held }) {
  if (!held) return "not known";
  return h("span", {}, code(held.site), held.released ? " released it" : " holds it");
}
