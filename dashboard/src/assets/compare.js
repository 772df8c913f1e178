// Two stored reports side by side. What is chosen stands in the address, so that it can be shared.

import { draw, forget } from "./chart.js";
import { ask, emptyState, h, swatch, Table, verdictBadge } from "./dom.js";
import { integer, interval, moment, ratio } from "./format.js";
import { bandKeys, card } from "./report.js";

let shown = null;
let wanted = null;

const COLUMNS = [
  { title: "backend", cell: (row) => swatch(row.series, row.backend) },
  { title: "metric", cell: (row) => row.metric },
  { title: "ratio", number: true, hint: "above 1: the candidate is better", cell: (row) => ratio(row.comparison.ratio) },
  { title: "interval", number: true, cell: (row) => interval(row.comparison.ci) },
  { title: "rounds", number: true, cell: (row) => integer(row.comparison.rounds) },
  { title: "verdict", cell: (row) => verdictBadge(row.comparison.verdict) },
];

export async function show(root, _rest, query) {
  hide();
  shown = root;
  const request = {};
  wanted = request;
  try {
    const { reports } = await ask("/api/v1/reports");
    if (wanted !== request) return;
    if (reports.length < 2) {
      root.replaceChildren(head(), emptyState("Two reports are needed", `There ${reports.length === 1 ? "is one report" : "are no reports"} yet. Run the benchmark again to have something to compare.`));
      return;
    }
    const candidate = known(reports, query.get("candidate")) ?? reports[0].id;
    const baseline = known(reports, query.get("baseline")) ?? reports.find((report) => report.id !== candidate).id;
    const result = h("div", {}, h("p", { class: "dim" }, "comparing …"));
    root.replaceChildren(head(), chooser(reports, baseline, candidate), result);
    const page = await ask(`/api/v1/compare?baseline=${encodeURIComponent(baseline)}&candidate=${encodeURIComponent(candidate)}`);
    if (wanted === request) render(result, page);
  } catch (error) {
    if (wanted === request) root.replaceChildren(head(), emptyState("Cannot compare", `${error.message}. Next: ${error.next ?? "reload the page"}.`));
  }
}

export function hide() {
  wanted = null;
  if (shown) forget(shown);
  shown = null;
}

const head = () => h("div", { class: "page-head" }, h("h1", {}, "Compare"), h("p", { class: "meta" }, "The candidate against the baseline, from two runs. Rounds of different runs make no pairs, so intervals are wider than within a run."));

const known = (reports, id) => reports.find((report) => report.id === id)?.id;

function chooser(reports, baseline, candidate) {
  const pick = (name, chosen) => {
    const options = reports.map((report) => h("option", { value: report.id, selected: report.id === chosen }, `${report.id} (${report.status}, ${moment(report.started_at)})`));
    const select = h("select", { name, onchange: go }, ...options);
    return { select, label: h("label", {}, h("span", {}, name), select) };
  };
  const sides = { baseline: null, candidate: null };
  function go() {
    location.hash = `#/compare?baseline=${encodeURIComponent(sides.baseline.select.value)}&candidate=${encodeURIComponent(sides.candidate.select.value)}`;
  }
  sides.baseline = pick("baseline", baseline);
  sides.candidate = pick("candidate", candidate);
  const swap = () => {
    location.hash = `#/compare?baseline=${encodeURIComponent(candidate)}&candidate=${encodeURIComponent(baseline)}`;
  };
  return h("div", { class: "chooser card" }, sides.baseline.label, h("button", { type: "button", class: "plain-button", onclick: swap, "aria-label": "Swap baseline and candidate" }, "⇄"), sides.candidate.label);
}

function render(root, page) {
  const differences = [...page.differences, ...page.only_in_baseline.map((name) => `only in the baseline: ${name}`), ...page.only_in_candidate.map((name) => `only in the candidate: ${name}`)];
  const notice = differences.length
    ? h("div", { class: "notice" }, h("b", {}, "The runs differ, so differences may not be the code's:"), h("ul", {}, ...differences.map((line) => h("li", {}, line))))
    : h("p", { class: "notice good" }, "Both runs were made on the same machine and build settings.");
  const cases = page.cases.map((compared) => {
    const table = new Table({ caption: `Comparisons of ${compared.case}`, columns: COLUMNS, key: (row) => `${row.backend} ${row.metric}` });
    table.update(compared.rows);
    const chart = h("div", { class: "chart auto", "data-chart": "comparison" });
    return { compared, chart, node: card(compared.case, null, bandKeys(false), h("div", { class: "grid two" }, chart, table.root)) };
  });
  const nothing = cases.length ? [] : [emptyState("Nothing in common", "The two reports measured different cases.")];
  root.replaceChildren(notice, ...nothing, ...cases.map(({ node }) => node));
  for (const { compared, chart } of cases) draw(chart, compared.chart, `compare ${page.baseline.id} ${page.candidate.id} ${compared.case}`);
}
