// A report on the page, under way or stored: what it comes to, its charts, its table, how it was measured.

import { draw, forget } from "./chart.js";
import { h, setAttribute, setText, statusBadge, swatch, Table, verdictBadge, verdictGlyph } from "./dom.js";
import { decimal, duration, fraction, integer, interval, moment, rate, ratio, seconds } from "./format.js";

const COLUMNS = [
  { title: "backend", cell: (row) => h("span", {}, swatch(row.series, row.backend, row.control), row.composed ? h("small", {}, ` ${row.composed}`) : null) },
  { title: "throughput", number: true, hint: "median of the rounds; in an open loop the rate that was kept", cell: throughput },
  { title: "range", number: true, hint: "slowest and fastest round", cell: (row) => (row.rounds ? `${rate(row.ops_per_s_min)} – ${rate(row.ops_per_s_max)}` : "–") },
  { title: "ratio", number: true, hint: "to the baseline; above 1 is better", cell: (row) => ratio(row.ratio) },
  { title: "interval", number: true, cell: (row) => interval(row.ci) },
  { title: "verdict", cell: (row) => (row.ratio === null && row.verdict === null ? h("span", { class: "dim" }, "baseline") : verdictBadge(row.verdict)) },
  { title: "wait p50", number: true, cell: (row) => duration(row.wait_p50_ns) },
  { title: "wait p99", number: true, cell: (row) => duration(row.wait_p99_ns) },
  { title: "wait p99.9", number: true, cell: (row) => duration(row.wait_p999_ns) },
  { title: "contended", number: true, hint: "acquisitions that had to wait", cell: (row) => fraction(row.contended_fraction) },
  { title: "Jain", number: true, hint: "fairness over the tasks: 1 is even", cell: (row) => (row.rounds ? decimal(row.jain, 3) : "–") },
  { title: "rounds", number: true, cell: (row) => integer(row.rounds) },
];

// An open loop sets the throughput: what it shows is how well the schedule was kept.
function throughput(row) {
  const open = row.open_loop;
  if (!open) return rate(row.ops_per_s);
  const kept = ` of ${rate(open.rate_ops_per_s)} asked, ${fraction(open.behind_fraction)} behind, lag ${duration(open.lag_mean_ns)} (max ${duration(open.lag_max_ns)})`;
  return h("span", {}, rate(open.achieved_ops_per_s), h("small", {}, kept));
}

export function card(title, note, ...children) {
  const head = h("header", {}, h("h3", {}, title), note ? h("p", {}, note) : null);
  return h("article", { class: "card" }, head, ...children);
}

const key = (className, text) => h("span", { class: "key" }, h("i", { class: className, "aria-hidden": "true" }), text);

export const bandKeys = (noise) =>
  h("div", { class: "keys" }, key("band margin", "margin: too small to matter (2 %)"), noise ? key("band noise", "noise floor: baseline against itself") : null);

export class ReportView {
  constructor(root, name) {
    this.root = root;
    this.name = name;
    this.selected = null;
    this.title = h("h1");
    this.status = h("span");
    this.meta = h("p", { class: "meta" });
    this.progress = new ProgressBar();
    this.problems = h("div", { class: "notices" });
    this.picker = h("div", { class: "picker", role: "group", "aria-label": "Case" });
    this.params = h("p", { class: "params" });
    this.headlines = h("div", { class: "headlines", "aria-live": "polite" });
    this.charts = {};
    this.table = new Table({ caption: "Backends of this case", columns: COLUMNS, key: (row) => row.backend });
    this.details = h("div", { class: "grid two" });
    root.replaceChildren(
      h("div", { class: "page-head" }, h("div", { class: "title-line" }, this.title, this.status), this.meta),
      this.progress.root,
      this.problems,
      this.picker,
      this.params,
      this.headlines,
      h("div", { class: "grid two" },
        card("Against the baseline", "Ratio with its interval; further right is better.", bandKeys(true), this.#chart("comparison", "auto")),
        card("Throughput, round by round", "Operations per second. Rounds are the replicates: look for drift and slow ones.", this.#chart("throughput")),
        card("Wait times", "Share of waits by their length; left is better. A double click shows outliers too.", this.#chart("wait_histogram")),
        card("Percentiles of the waits", "The wait that this share of waits does not exceed. Lower is better.", this.#chart("percentiles"))),
      card("Figures", null, this.table.root),
      this.details,
    );
  }

  #chart(name, size = "tall") {
    this.charts[name] = h("div", { class: `chart ${size}`, "data-chart": name });
    return this.charts[name];
  }

  update(page) {
    this.page = page;
    setText(this.title, page.run.id);
    this.status.replaceChildren(statusBadge(page.run.status));
    setText(this.meta, `${moment(page.run.started_at)} · ${seconds(page.run.duration_s)} · seed ${page.run.seed} · ${page.environment.cpu}, ${page.environment.cores} cores`);
    this.showProgress();
    this.#showProblems(page.validity);
    this.#showPicker(page.cases);
    this.#showCase();
    this.#showDetails(page);
  }

  showProgress() {
    this.progress.update(this.page.progress, this.page.run.status);
  }

  close() {
    forget(this.root);
    this.root.replaceChildren();
  }

  #showProblems(validity) {
    const failed = validity.filter((check) => !check.pass);
    this.problems.replaceChildren(...failed.map((check) => h("p", { class: "notice bad", role: "alert" }, h("b", {}, `Not valid, ${check.check}: `), check.detail)));
  }

  #showPicker(cases) {
    if (!cases.some((candidate) => candidate.key === this.selected)) this.selected = cases[0]?.key ?? null;
    this.picker.hidden = cases.length < 2;
    const known = [...this.picker.children].map((button) => button.dataset.key);
    if (known.join("\n") !== cases.map((candidate) => candidate.key).join("\n")) {
      this.picker.replaceChildren(...cases.map((candidate) => this.#pickerButton(candidate, cases)));
    }
    cases.forEach((candidate, index) => {
      const button = this.picker.children[index];
      setAttribute(button, "aria-pressed", String(candidate.key === this.selected));
      const verdict = candidate.headlines[0]?.verdict;
      setText(button.lastElementChild, verdictGlyph(verdict));
      setAttribute(button.lastElementChild, "class", `glyph verdict-${verdict}`);
      setAttribute(button.lastElementChild, "title", candidate.headlines[0]?.text);
    });
  }

  #pickerButton(candidate, cases) {
    const choose = () => {
      this.selected = candidate.key;
      this.#showPicker(this.page.cases);
      this.#showCase();
    };
    const twins = cases.filter((other) => other.workload === candidate.workload && other.variant === candidate.variant);
    const differing = twins.length > 1 ? candidate.params.filter(([name, value]) => twins.some((twin) => twin.params.some(([n, v]) => n === name && v !== value))) : [];
    const suffix = differing.map(([name, value]) => ` ${name} ${value}`).join(",");
    return h("button", { type: "button", "data-key": candidate.key, onclick: choose }, h("b", {}, candidate.workload), ` ${candidate.variant}${suffix}`, h("span", { class: "glyph" }));
  }

  #showCase() {
    const shown = this.page.cases.find((candidate) => candidate.key === this.selected);
    if (!shown) {
      this.headlines.replaceChildren(h("p", { class: "headline" }, "Nothing is measured yet: the first round is thrown away."));
      this.table.update([]);
      return;
    }
    setText(this.params, [`${shown.workload} / ${shown.variant}`, ...shown.params.map(([name, value]) => `${name} ${value}`)].join(" · "));
    this.#showHeadlines(shown);
    this.table.update(shown.rows);
    for (const [name, element] of Object.entries(this.charts)) draw(element, shown.charts[name], `${this.name} ${this.page.run.id} ${shown.key} ${name}`);
  }

  #showHeadlines(shown) {
    const wanted = shown.headlines.length
      ? shown.headlines.map(({ text, verdict, series }) => h("p", { class: `headline verdict-${verdict}` }, h("i", { class: `swatch series-${series}`, "aria-hidden": "true" }), text, verdictBadge(verdict)))
      : [h("p", { class: "headline" }, shown.baseline ? "Too early to compare." : "Only one backend: nothing to compare.")];
    const same = this.headlines.children.length === wanted.length && wanted.every((node, index) => node.isEqualNode(this.headlines.children[index]));
    if (!same) this.headlines.replaceChildren(...wanted);
  }

  #showDetails({ environment, validity, run }) {
    const facts = [
      ["processor", `${environment.cpu}, ${environment.cores} cores`],
      ["runtime", environment.runtime],
      ["build", `${environment.profile}${environment.debug_assertions ? ", debug assertions" : ""}`],
      ["rustc", environment.rustc],
      ["kernel", environment.kernel],
      ["clock", environment.clock],
      ["load before, after", `${decimal(environment.load_before, 2)}, ${decimal(environment.load_after, 2)}`],
      ["commit", environment.git ?? "unknown"],
      ["arguments", run.argv.join(" ") || "none"],
    ];
    const checks = validity.length
      ? h("ul", { class: "checks" }, ...validity.map((check) => h("li", { class: check.pass ? "pass" : "fail" }, h("b", {}, `${check.pass ? "✓" : "✗"} ${check.check}`), h("span", {}, check.detail))))
      : h("p", { class: "dim" }, "Checked when the run ends.");
    const wanted = [
      card("May it be believed?", "What was checked of the measurement itself.", checks),
      card("Measured on", null, h("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))),
    ];
    const same = wanted.every((node, index) => this.details.children[index]?.isEqualNode(node));
    if (!same) this.details.replaceChildren(...wanted);
  }
}

class ProgressBar {
  constructor() {
    this.phase = h("span", { class: "phase" });
    this.left = h("span", { class: "left" });
    this.bar = h("progress", { max: "1", value: "0", "aria-label": "Progress of the run" });
    this.root = h("div", { class: "progress card" }, h("div", {}, this.phase, this.left), this.bar);
  }

  update(progress, status) {
    this.root.hidden = !progress || status !== "running";
    if (!progress) return;
    const share = progress.slots_total ? progress.slots_done / progress.slots_total : 0;
    setText(this.phase, progress.phase);
    const left = progress.remaining_s === null ? "" : ` · about ${seconds(progress.remaining_s)} left`;
    setText(this.left, `${Math.round(100 * share)} % · ${seconds(progress.elapsed_s)}${left}`);
    this.bar.value = share;
  }
}
