// The figures of a sweep: one card a variant, with a choice of the knob and of what is fixed beside it. A figure is
// asked for when its card comes into sight.

import { draw } from "./chart.js";
import { ask, h, setAttribute, swatch, Table, verdictBadge } from "./dom.js";
import { duration, interval, rate, ratio } from "./format.js";

const COLUMNS = [
  { title: "value", cell: (row) => row.value },
  { title: "backend", cell: (row) => swatch(row.series, row.backend, row.control) },
  { title: "ratio", number: true, hint: "to the baseline; above 1 is better", cell: (row) => ratio(row.ratio) },
  { title: "interval", number: true, cell: (row) => interval(row.ci) },
  { title: "verdict", cell: (row) => (row.verdict === null ? h("span", { class: "dim" }, "baseline") : verdictBadge(row.verdict)) },
  { title: "throughput", number: true, hint: "median of the rounds", cell: (row) => rate(row.ops_per_s) },
  { title: "range", number: true, hint: "slowest and fastest round", cell: (row) => (row.ops_per_s === null ? "–" : `${rate(row.ops_per_s_min)} – ${rate(row.ops_per_s_max)}`) },
  { title: "wait p99", number: true, cell: (row) => duration(row.wait_p99_ns) },
];

const CHARTS = [
  ["ratio", "Ratio to the baseline, with its interval; higher is better."],
  ["throughput", "Operations per second, median and range of the rounds."],
  ["wait_p99", "99th percentile of the waits, and range of the rounds; lower is better."],
];

let number = 0;

export class SweepCard {
  // `source` is the route of the report, such as /api/v1/run.
  constructor(line, source, name) {
    this.source = source;
    this.name = name;
    this.key = null;
    this.inSight = false;
    this.stale = true;
    const id = `sweep-${(number += 1)}`;
    this.heading = h("h3", { id }, `${line.workload} ${line.variant}`);
    this.knobs = h("div", { class: "picker", role: "group", "aria-label": "Knob" });
    this.fixed = h("select", { "aria-label": "Fixed beside it", onchange: () => this.#choose(this.fixed.value) });
    this.findings = h("ul", { class: "findings" });
    this.charts = CHARTS.map(([chart, note]) => ({ chart, node: h("div", { class: "chart tall", "data-chart": `sweep_${chart}` }), note }));
    this.table = new Table({ caption: `Figures of ${line.workload} ${line.variant} along the knob`, columns: COLUMNS, key: (row) => `${row.case} ${row.backend}`, long: true });
    this.details = h("details", { class: "in-figures" }, h("summary", {}, "The same in figures"), this.table.root);
    this.root = h("article", { class: "card sweep", "aria-labelledby": id },
      h("header", {}, this.heading, h("p", {}, "The same workload while a knob is turned.")),
      h("div", { class: "chooser" }, this.knobs, this.fixed),
      this.findings,
      h("div", { class: "sweep-charts" }, ...this.charts.map(({ node, note }) => h("figure", {}, h("figcaption", {}, note), node))),
      this.details);
    this.sight = new IntersectionObserver(([entry]) => {
      this.inSight = entry.isIntersecting;
      this.#load();
    }, { rootMargin: "300px 0px" });
    this.sight.observe(this.root);
    this.update(line);
  }

  update(line) {
    this.figures = line.figures;
    const known = this.figures.some((figure) => figure.key === this.key);
    this.key = known ? this.key : this.figures[0].key;
    this.stale = true;
    this.#showChoice();
    this.#load();
  }

  close() {
    this.sight.disconnect();
  }

  #choose(key) {
    if (key === this.key) return;
    this.key = key;
    this.stale = true;
    this.#showChoice();
    this.#load();
  }

  #showChoice() {
    const chosen = this.figures.find((figure) => figure.key === this.key);
    const knobs = [...new Set(this.figures.map((figure) => figure.knob))];
    if ([...this.knobs.children].map((button) => button.textContent).join() !== knobs.join()) {
      const first = (knob) => this.figures.find((figure) => figure.knob === knob).key;
      this.knobs.replaceChildren(...knobs.map((knob) => h("button", { type: "button", onclick: () => this.#choose(first(knob)) }, knob)));
    }
    knobs.forEach((knob, index) => setAttribute(this.knobs.children[index], "aria-pressed", String(knob === chosen.knob)));
    const settings = this.figures.filter((figure) => figure.knob === chosen.knob);
    this.fixed.hidden = settings.length < 2;
    const options = settings.map((figure) => h("option", { value: figure.key, selected: figure.key === this.key }, figure.fixed.map(([name, value]) => `${name} ${value}`).join(", ")));
    const same = this.fixed.children.length === options.length && options.every((option, index) => option.value === this.fixed.children[index].value);
    if (!same) this.fixed.replaceChildren(...options);
    this.fixed.value = this.key;
  }

  async #load() {
    if (!this.inSight || !this.stale) return;
    this.stale = false;
    const key = this.key;
    try {
      const figure = await ask(`${this.source}/sweep?key=${encodeURIComponent(key)}`);
      // The reader may have turned to another figure, or away.
      if (key === this.key && this.root.isConnected) this.#show(figure);
    } catch (error) {
      this.findings.replaceChildren(h("li", {}, `The figure cannot be shown: ${error.message}. Next: ${error.next ?? "reload the page"}.`));
    }
  }

  #show(figure) {
    this.findings.replaceChildren(...figure.findings.map(({ backend, series, text }) => h("li", {}, swatch(series, backend), h("span", {}, text))));
    this.findings.setAttribute("aria-label", `Against ${figure.baseline ?? "the baseline"}, along ${figure.knob}`);
    for (const { chart, node } of this.charts) draw(node, figure.charts[chart], `${this.name} ${figure.key} ${chart}`);
    this.table.update(figure.rows);
  }
}
