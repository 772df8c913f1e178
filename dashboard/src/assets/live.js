// What the collector sees now: every primitive, the waits in progress, and one primitive looked at closely.

import { Alerts } from "./alerts.js";
import { draw, forget } from "./chart.js";
import { ask, emptyState, h, setText, Table } from "./dom.js";
import { duration, fraction, integer, place, rate } from "./format.js";
import { LevelControl } from "./level.js";
import { SITES, worstColumns } from "./lines.js";
import { card } from "./report.js";
import { TraceControl } from "./trace.js";
import { WaitsFor } from "./waits_for.js";

const link = (href, text) => h("a", { href }, text);

let latest = null;
let before = null;
let view = null;

export function onSnapshot(snapshot) {
  // Rates come from two snapshots; a restarted program begins anew.
  before = latest && latest.uptime_s < snapshot.uptime_s ? latest : null;
  latest = snapshot;
  view?.update(rows(snapshot), snapshot);
}

export function show(root) {
  if (view) return;
  view = new LiveView(root);
  if (latest) view.update(rows(latest), latest);
}

export function hide() {
  view?.close();
  view = null;
}

// Rows with what two snapshots together tell.
function rows(snapshot) {
  const earlier = new Map((before?.primitives ?? []).map((primitive) => [primitive.id, primitive]));
  const seconds = before ? snapshot.uptime_s - before.uptime_s : 0;
  return snapshot.primitives.map((primitive) => {
    const past = earlier.get(primitive.id);
    const acquired = past ? primitive.acquisitions - past.acquisitions : 0;
    const contended = past ? primitive.contended - past.contended : 0;
    return {
      ...primitive,
      acquisitions_per_s: past && seconds > 0 ? Math.max(0, acquired) / seconds : null,
      contended_now: acquired > 0 ? contended / acquired : null,
      contended_share: primitive.acquisitions > 0 ? primitive.contended / primitive.acquisitions : null,
    };
  });
}

const name = (row) => row.name || place(row.location);

const nameCell = (row) => h("span", { class: "named" }, h("b", {}, name(row)), h("small", {}, row.name ? place(row.location) : row.objects > 1 ? `${integer(row.objects)} objects` : ""));

const COLUMNS = [
  { title: "primitive", cell: nameCell, sort: name },
  { title: "kind", cell: (row) => h("span", { class: "kind" }, row.primitive), sort: (row) => row.primitive },
  { title: "waiting", number: true, hint: "tasks waiting now", cell: (row) => (row.waiters ? h("b", { class: "hot" }, integer(row.waiters)) : "0"), sort: (row) => row.waiters },
  { title: "holding", number: true, hint: "holders now", cell: (row) => integer(row.holders_count), sort: (row) => row.holders_count },
  { title: "acquired", number: true, hint: "acquisitions per second", cell: (row) => rate(row.acquisitions_per_s), sort: (row) => row.acquisitions_per_s },
  { title: "contended", number: true, hint: "of all acquisitions, those that had to wait", cell: (row) => fraction(row.contended_share), sort: (row) => row.contended_share },
  { title: "wait p50", number: true, cell: (row) => measured(row.wait_ns, "p50"), sort: (row) => row.wait_ns.p50 },
  { title: "wait p99", number: true, cell: (row) => measured(row.wait_ns, "p99"), sort: (row) => row.wait_ns.p99 },
  { title: "hold p50", number: true, cell: (row) => measured(row.hold_ns, "p50"), sort: (row) => row.hold_ns.p50 },
  { title: "hold p99", number: true, cell: (row) => measured(row.hold_ns, "p99"), sort: (row) => row.hold_ns.p99 },
  { title: "longest now", number: true, hint: "age of the oldest wait in progress", cell: (row) => (row.waiters ? duration(row.longest_wait_ns) : "–"), sort: (row) => row.longest_wait_ns },
];

const measured = (distribution, percentile) => (distribution.count ? duration(distribution[percentile]) : "–");

const HOLDERS = [
  { title: "line", cell: (holder) => h("code", {}, holder.site) },
  { title: "task", number: true, cell: (holder) => (holder.task ? `#${holder.task.toString(16)}` : "–") },
  { title: "permits", number: true, cell: (holder) => integer(holder.permits) },
  { title: "held for", number: true, cell: (holder) => duration(holder.age_ns) },
  { title: "kept waiting", number: true, hint: "what others waited because of it until now, all together", cell: (holder) => duration(holder.blamed_ns) },
];

class LiveView {
  constructor(root) {
    this.root = root;
    this.selected = null;
    this.tiles = ["primitives", "waiting now", "holding now", "acquired", "longest wait now"].map((label) => tile(label));
    this.table = new Table({ caption: "Live primitives", columns: COLUMNS, key: (row) => row.id, sortBy: "waiting", onSelect: (key) => this.select(key) });
    this.waits = new Table({ caption: "Waits in progress", columns: this.#waitColumns(), key: (wait) => wait.op, sortBy: "waits for", empty: "Nobody waits at this moment.", long: true });
    this.chart = h("div", { class: "chart low", "data-chart": "durations" });
    this.sites = new Table({ caption: "Lines that acquire it", columns: SITES, key: (site) => site.site, sortBy: "waited in all" });
    this.holders = new Table({ caption: "Who holds it now", columns: HOLDERS, key: (holder) => holder.op, empty: "Nobody holds it at this moment." });
    this.worst = new Table({ caption: "Its worst waits", columns: worstColumns(() => latest.uptime_s), key: (wait) => wait.op, sortBy: "waited", empty: "Nobody has waited for it." });
    this.level = new LevelControl();
    this.chosen = h("h2");
    this.alerts = new Alerts();
    this.waitsFor = new WaitsFor();
    this.content = h("div", {},
      this.alerts.root,
      h("div", { class: "tiles" }, ...this.tiles.map(({ root: node }) => node)),
      card("Primitives", "Choose a row to look at it closely; sort by a column's head.", this.table.root),
      h("section", { class: "close-look", "aria-label": "The chosen primitive" }, this.chosen,
        h("div", { class: "grid two" },
          card("Wait and hold times", "Since the start.", this.chart),
          card("Holders", null, this.holders.root)),
        card("Lines", "Who waits where, and whose holding keeps others waiting.", this.sites.root),
        card("Worst waits", "The longest since the start, and who was in the way.", this.worst.root)),
      card("Who waits for whom", "From what is waited for to who has it, and on.", this.waitsFor.root),
      card("Waits in progress", null, this.waits.root),
      new TraceControl().root,
      h("p", { class: "meta" }, "For other tools: ", link("/metrics", "Prometheus metrics"), " · ", link("/api/v1/profile", "pprof profile of contention"), " · ", link("/api/v1/trace", "trace for Perfetto"), " · ", link("/api/v1/snapshot", "JSON of this page")));
    this.notice = h("p", { class: "notice" });
    root.replaceChildren(h("div", { class: "page-head" }, h("h1", {}, "Live"), h("p", { class: "meta" }, "What the collector sees in this program at this moment.")), this.level.root, this.notice, emptyState("Waiting for the first snapshot"));
    this.notice.hidden = true;
    this.names = new Map();
  }

  #waitColumns() {
    return [
      { title: "primitive", cell: (wait) => this.names.get(wait.primitive_id) ?? `#${wait.primitive_id}` },
      { title: "line", cell: (wait) => h("code", {}, wait.site) },
      { title: "task", number: true, cell: (wait) => (wait.task ? `#${wait.task.toString(16)}` : "–") },
      { title: "permits", number: true, cell: (wait) => integer(wait.permits) },
      { title: "ahead", number: true, hint: "waiters ahead when it joined", cell: (wait) => integer(wait.queue) },
      { title: "waits for", number: true, cell: (wait) => duration(wait.age_ns), sort: (wait) => wait.age_ns },
    ];
  }

  update(items, snapshot) {
    this.notice.hidden = snapshot.enabled;
    setText(this.notice, "The collector is off: figures stand still. Switch it on above, or with collector.set_level.");
    this.level.update(snapshot);
    const last = this.root.lastElementChild;
    if (items.length === 0) {
      if (last !== this.hint) last.replaceWith((this.hint ??= emptyHint()));
      return;
    }
    if (last !== this.content) last.replaceWith(this.content);
    this.names = new Map(items.map((row) => [row.id, name(row)]));
    this.#showTiles(items);
    this.table.update(items);
    this.waits.update(snapshot.waits);
    this.alerts.update(snapshot);
    this.waitsFor.update(snapshot.waits_for);
    if (!items.some((row) => String(row.id) === this.selected)) this.selected = String([...items].sort((a, b) => b.contended - a.contended)[0].id);
    this.table.select(this.selected);
    this.#showSelected(items);
  }

  #showTiles(items) {
    const sum = (figure) => items.reduce((total, row) => total + (row[figure] ?? 0), 0);
    const longest = Math.max(...items.map((row) => (row.waiters ? row.longest_wait_ns : 0)));
    const known = items.some((row) => row.acquisitions_per_s !== null);
    const figures = [integer(items.length), integer(sum("waiters")), integer(sum("holders_count")), known ? rate(sum("acquisitions_per_s")) : "–", longest ? duration(longest) : "–"];
    figures.forEach((figure, index) => setText(this.tiles[index].value, figure));
  }

  select(key) {
    this.selected = key;
    this.table.select(key);
    this.#showSelected(this.table.items);
  }

  async #showSelected(items) {
    const row = items.find((candidate) => String(candidate.id) === this.selected);
    if (!row) return;
    setText(this.chosen, `${name(row)} (${row.primitive})`);
    this.sites.update(row.sites);
    this.holders.update(row.holders);
    this.worst.update(row.worst_waits);
    const asked = this.selected;
    // A row may be gone, or the server; the next snapshot tries again.
    const charts = await ask(`/api/v1/primitives/${encodeURIComponent(asked)}/charts`).catch(() => null);
    if (charts && this.selected === asked && this.chart.isConnected) draw(this.chart, charts.durations, `live ${asked}`);
  }

  close() {
    forget(this.root);
    this.root.replaceChildren();
  }
}

function tile(label) {
  const value = h("b", {}, "–");
  return { value, root: h("div", { class: "tile" }, h("span", {}, label), value) };
}

function emptyHint() {
  const code = 'let permits = sync::Semaphore::new(8).with_name("connections");';
  return emptyState(
    "No primitive was used yet",
    "A primitive of the sync package shows up here as soon as a task acquires it while the collector is on. At DEBUG only those that wait are seen; at TRACE every acquisition.",
    h("pre", {}, code),
    h("p", {}, "Give each a name with ", h("code", {}, "with_name"), "; without one it goes by the line that made it."),
  );
}
