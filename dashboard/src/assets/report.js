// A report on the page, under way or stored: what it comes to, its charts, its table, how it was measured.

import { CaseList } from "./cases.js";
import { draw, forget } from "./chart.js";
import { ask, h, setText, statusBadge, verdictBadge } from "./dom.js";
import { FigureTables } from "./figures.js";
import { decimal, moment, seconds } from "./format.js";
import { SweepCard } from "./sweep.js";

export function card(title, note, ...children) {
  const head = h("header", {}, h("h3", {}, title), note ? h("p", {}, note) : null);
  return h("article", { class: "card" }, head, ...children);
}

const key = (className, text) => h("span", { class: "key" }, h("i", { class: className, "aria-hidden": "true" }), text);

export const bandKeys = (noise) =>
  h("div", { class: "keys" }, key("band margin", "margin: too small to matter (2 %)"), noise ? key("band noise", "noise floor: baseline against itself") : null);

// Sweeps first, then the list of cases, then the one that is open. Charts are asked for where somebody looks.
export class ReportView {
  // `source` is the route of the report, such as /api/v1/run.
  constructor(root, source) {
    this.root = root;
    this.source = source;
    this.selected = null;
    this.sweepCards = new Map();
    this.title = h("h1");
    this.status = h("span");
    this.meta = h("p", { class: "meta" });
    this.progress = new ProgressBar();
    this.problems = h("div", { class: "notices" });
    this.sweeps = h("section", { class: "stack", "aria-label": "Sweeps" });
    this.list = new CaseList((key) => this.#choose(key));
    this.listCard = card("Cases", "Ratio to the baseline; choose a case to see it below.", this.list.root);
    this.params = h("h2", { class: "params", tabindex: "-1" });
    this.headlines = h("div", { class: "headlines", "aria-live": "polite" });
    this.charts = {};
    this.tables = new FigureTables();
    this.details = h("div", { class: "grid two" });
    root.replaceChildren(
      h("div", { class: "page-head" }, h("div", { class: "title-line" }, this.title, this.status), this.meta),
      this.progress.root,
      this.problems,
      this.sweeps,
      this.listCard,
      this.params,
      this.headlines,
      h("div", { class: "grid two" },
        card("Against the baseline", "Ratio with its interval; further right is better.", bandKeys(true), this.#chart("comparison", "auto")),
        card("Throughput, round by round", "Operations per second. Rounds are the replicates: look for drift and slow ones.", this.#chart("throughput")),
        card("Wait times", "Share of waits by their length; left is better. A double click shows outliers too.", this.#chart("wait_histogram")),
        card("Percentiles of the waits", "The wait that this share of waits does not exceed. Lower is better.", this.#chart("percentiles"))),
      card("Figures", null, this.tables.figures.root),
      card("Fairness and cost", "Per operation, over all rounds.", this.tables.costs.root),
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
    this.#showSweeps(page.sweeps);
    this.#showList(page);
    this.#showCase();
    this.#showDetails(page);
  }

  showProgress() {
    this.progress.update(this.page.progress, this.page.run.status);
  }

  close() {
    for (const sweep of this.sweepCards.values()) sweep.close();
    forget(this.root);
    this.root.replaceChildren();
    this.page = null;
  }

  #showProblems(validity) {
    const failed = validity.filter((check) => !check.pass);
    this.problems.replaceChildren(...failed.map((check) => h("p", { class: "notice bad", role: "alert" }, h("b", {}, `Not valid, ${check.check}: `), check.detail)));
  }

  #showSweeps(lines) {
    this.sweeps.hidden = lines.length === 0;
    for (const line of lines) {
      const name = `${line.workload}/${line.variant}`;
      const known = this.sweepCards.get(name);
      if (known) {
        known.update(line);
        continue;
      }
      const made = new SweepCard(line, this.source, `${this.source} ${this.page.run.id}`);
      this.sweepCards.set(name, made);
      this.sweeps.append(made.root);
    }
  }

  #showList({ cases, tallies }) {
    if (!cases.some((candidate) => candidate.key === this.selected)) this.selected = cases[0]?.key ?? null;
    this.listCard.hidden = cases.length < 2;
    this.list.update(cases, tallies);
    this.list.select(this.selected);
  }

  #choose(key) {
    this.selected = key;
    this.list.select(key);
    this.#showCase();
    this.params.focus({ preventScroll: true });
    this.params.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  async #showCase() {
    const line = this.page.cases.find((candidate) => candidate.key === this.selected);
    if (!line) {
      this.headlines.replaceChildren(h("p", { class: "headline" }, "Nothing is measured yet: the first round is thrown away."));
      this.tables.update([]);
      return;
    }
    setText(this.params, [`${line.workload} / ${line.variant}`, ...line.params.map(([name, value]) => `${name} ${value}`)].join(" · "));
    const request = {};
    this.request = request;
    try {
      const shown = await ask(`${this.source}/case?key=${encodeURIComponent(line.key)}`);
      if (this.request !== request || !this.page) return;
      this.#showHeadlines(shown);
      this.tables.update(shown.rows);
      for (const [name, element] of Object.entries(this.charts)) draw(element, shown.charts[name], `${this.source} ${this.page.run.id} ${shown.key} ${name}`);
    } catch (error) {
      if (this.request === request) this.headlines.replaceChildren(h("p", { class: "headline" }, `The case cannot be shown: ${error.message}. Next: ${error.next ?? "reload the page"}.`));
    }
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
      ...(environment.pinned ? [["pinned to", `processors ${environment.pinned.join(", ")}`]] : []),
      ...(run.forks ? [["processes", `rounds spread over ${run.forks}`]] : []),
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
