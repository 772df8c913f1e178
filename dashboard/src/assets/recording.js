// A recording: a slider over its time, and what was counted in the span that ends there.

import { draw, forget } from "./chart.js";
import { ask, emptyState, h, setText, Table } from "./dom.js";
import { duration, integer, seconds } from "./format.js";
import { card } from "./report.js";

let view = null;

export function show(root) {
  view ??= new RecordingView(root);
}

export function hide() {
  view?.close();
  view = null;
}

const clock = (time) => new Date(time * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
const measured = (distribution, figure) => (distribution.count ? duration(distribution[figure]) : "–");
const column = (title, metric, figure) => ({ title, number: true, cell: (row) => measured(row[metric], figure), sort: (row) => row[metric][figure] });
const key = (row) => `${row.primitive}/${row.name}`;

const COLUMNS = [
  { title: "primitive", cell: (row) => h("b", {}, row.name), sort: (row) => row.name },
  { title: "kind", cell: (row) => h("span", { class: "kind" }, row.primitive), sort: (row) => row.primitive },
  { title: "waits", number: true, hint: "acquisitions that had to wait", cell: (row) => integer(row.wait_ns.count), sort: (row) => row.wait_ns.count },
  column("wait p50", "wait_ns", "p50"),
  column("wait p99", "wait_ns", "p99"),
  column("wait max", "wait_ns", "max"),
  column("queued p99", "queued_ns", "p99"),
  column("wake p99", "wake_ns", "p99"),
  { title: "holds", number: true, cell: (row) => integer(row.hold_ns.count), sort: (row) => row.hold_ns.count },
  column("hold p50", "hold_ns", "p50"),
  column("hold p99", "hold_ns", "p99"),
  { title: "given up", number: true, hint: "waits that were dropped before the grant", cell: (row) => integer(row.cancelled_wait_ns.count), sort: (row) => row.cancelled_wait_ns.count },
];

// Widths of the span, in seconds; zero is one interval, and infinity all of it.
const WIDTHS = [[0, "one interval"], [60, "a minute"], [600, "ten minutes"], [3600, "an hour"], [86400, "a day"], [Infinity, "everything"]];

class RecordingView {
  constructor(root) {
    this.root = root;
    this.asked = 0;
    this.selected = null;
    this.width = h("select", { id: "recording-width", onchange: () => this.#load() }, ...WIDTHS.map(([width, name]) => h("option", { value: String(width) }, name)));
    this.width.value = "Infinity";
    this.slider = h("input", { type: "range", id: "recording-time", min: "1", max: "1", step: "1", value: "1", oninput: () => this.#slid() });
    this.when = h("output", { for: "recording-time recording-width", "aria-live": "polite" });
    this.newest = h("button", { type: "button", class: "plain-button", onclick: () => this.#toNewest() }, "newest");
    this.problems = h("ul", { class: "recording-problems" });
    this.table = new Table({ caption: "Recorded primitives", columns: COLUMNS, key, sortBy: "wait p99", empty: "Nothing was counted in this span.", onSelect: (chosen) => this.#select(chosen) });
    this.chosen = h("h2");
    this.chart = h("div", { class: "chart low", "data-chart": "recorded" });
    const controls = h("fieldset", { class: "level recording-span" }, h("legend", {}, "Span"),
      h("label", { for: "recording-width" }, "show"), this.width, h("label", { for: "recording-time" }, "until"), this.slider, this.newest, this.when);
    this.content = h("div", {}, controls, this.problems,
      card("Primitives", "Choose a row for its histogram.", this.table.root),
      h("section", { class: "close-look", "aria-label": "The chosen primitive" }, this.chosen, card("Wait and hold times", "Within the span.", this.chart)));
    root.replaceChildren(h("div", { class: "page-head" }, h("h1", {}, "Recording"), h("p", { class: "meta" }, "What was counted in a span of time, from the recorded files.")), emptyState("Reading the recording"));
    this.#load();
  }

  // The slider counts intervals from the beginning of the recording.
  #until() {
    return Math.min(this.recorded[0] + Number(this.slider.value) * this.step, this.recorded[1]);
  }

  // The span that is asked for. One interval is that of a moment in its middle: each may be a little longer than the shortest.
  #span() {
    if (!this.recorded) return {};
    const [width, to] = [Number(this.width.value), this.#until()];
    if (width === 0) return { from: to - this.step / 2, to: to - this.step / 2 };
    if (width === Infinity) return this.#atEnd() ? {} : { to };
    return { from: to - width, to };
  }

  #atEnd() {
    return this.slider.value === this.slider.max;
  }

  #sayWhen() {
    this.slider.setAttribute("aria-valuetext", this.#atEnd() ? "the end" : clock(this.#until()));
  }

  #slid() {
    // A drag passes many places; the last one is asked for.
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.#load(), 120);
    this.#sayWhen();
  }

  #toNewest() {
    this.slider.value = this.slider.max;
    this.#load();
  }

  async #load() {
    const asked = ++this.asked;
    const query = new URLSearchParams(Object.entries(this.#span()).map(([name, value]) => [name, value.toFixed(3)]));
    if (this.selected) {
      const [primitive, ...name] = this.selected.split("/");
      query.set("primitive", primitive);
      query.set("name", name.join("/"));
    }
    try {
      const past = await ask(`/api/v1/recording?${query}`);
      if (asked === this.asked && view === this) this.#show(past);
    } catch (error) {
      if (asked === this.asked && view === this) this.root.lastElementChild.replaceWith(emptyState(error.message, error.next ?? "reload the page"));
    }
  }

  #show(past) {
    if (!past.recorded_s) {
      this.root.lastElementChild.replaceWith(emptyState("Nothing is recorded yet", "An interval is written every few seconds while primitives are used.", ...past.problems.map(({ file, error }) => `${file}: ${error}`)));
      return;
    }
    if (this.root.lastElementChild !== this.content) this.root.lastElementChild.replaceWith(this.content);
    this.#scale(past);
    const [from, to] = past.covered_s ?? [0, 0];
    setText(this.when, past.covered_s ? `${clock(from)} to ${clock(to)}: ${past.intervals === 1 ? "one interval" : `${integer(past.intervals)} intervals`} over ${seconds(to - from)}` : "no interval in this span");
    this.problems.replaceChildren(...past.problems.map(({ file, error }) => h("li", {}, h("code", {}, file), `: ${error}`)));
    this.table.update(past.primitives);
    if (!past.primitives.some((row) => key(row) === this.selected)) {
      const busiest = [...past.primitives].sort((a, b) => b.wait_ns.count - a.wait_ns.count)[0];
      if (busiest) this.#select(key(busiest));
      return;
    }
    this.table.select(this.selected);
    setText(this.chosen, this.selected.split("/").slice(1).join("/"));
    if (past.chart) draw(this.chart, past.chart, `recorded ${this.selected}`);
  }

  // A recording grows; who looks at its end goes on to do so.
  #scale({ recorded_s: recorded, interval_s: interval }) {
    const until = this.recorded && !this.#atEnd() ? this.#until() : null;
    this.recorded = recorded;
    this.step = Math.max(interval, (recorded[1] - recorded[0]) / 5000, 0.001);
    this.slider.max = String(Math.max(1, Math.ceil((recorded[1] - recorded[0]) / this.step)));
    this.slider.value = until === null ? this.slider.max : String(Math.round((until - recorded[0]) / this.step));
    this.#sayWhen();
  }

  #select(chosen) {
    this.selected = chosen;
    this.#load();
  }

  close() {
    clearTimeout(this.soon);
    forget(this.root);
    this.root.replaceChildren();
  }
}
