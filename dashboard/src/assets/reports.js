// Stored reports: the list, or one of them opened.

import { ask, emptyState, h, statusBadge, Table } from "./dom.js";
import { moment, seconds } from "./format.js";
import { card, ReportView } from "./report.js";

let view = null;
let wanted = null;

const compareLink = (id) => h("a", { href: `#/compare?candidate=${encodeURIComponent(id)}` }, "compare");

const route = (id) => `/api/v1/reports/${encodeURIComponent(id)}`;

// So many verdicts are read one by one; more are counted.
const VERDICTS_LIMIT = 8;

function verdicts({ verdicts: lines, tallies }) {
  if (lines.length <= VERDICTS_LIMIT) return lines;
  return tallies.map(({ backend, baseline, faster, slower, equivalent, inconclusive }) => {
    const counts = { faster, slower, equivalent, inconclusive };
    const said = Object.entries(counts).filter(([, count]) => count > 0).map(([verdict, count]) => `${count} ${verdict}`);
    return `${backend} against ${baseline}: ${said.join(", ")}`;
  });
}

const COLUMNS = [
  { title: "report", cell: (report) => h("a", { href: `#/reports/${encodeURIComponent(report.id)}` }, report.id), sort: (report) => report.id },
  { title: "when", cell: (report) => moment(report.started_at), sort: (report) => report.started_at },
  { title: "took", number: true, cell: (report) => seconds(report.duration_s), sort: (report) => report.duration_s },
  { title: "workloads", cell: (report) => report.workloads.join(", ") || "–", sort: (report) => report.workloads.join() },
  { title: "backends", cell: (report) => report.backends.join(", ") || "–" },
  { title: "status", cell: (report) => statusBadge(report.status), sort: (report) => report.status },
  { title: "verdicts", cell: (report) => h("ul", { class: "verdicts" }, ...verdicts(report).map((line) => h("li", {}, line))) },
  { title: "", cell: (report) => compareLink(report.id) },
];

export async function show(root, [id]) {
  hide();
  const request = {};
  wanted = request;
  try {
    const body = await ask(id ? `${route(id)}/overview` : "/api/v1/reports");
    // The reader may have gone elsewhere meanwhile.
    if (wanted !== request) return;
    if (id) open(root, id, body);
    else list(root, body);
  } catch (error) {
    if (wanted === request) root.replaceChildren(emptyState(`Cannot show ${id ?? "the reports"}`, `${error.message}. Next: ${error.next ?? "reload the page"}.`, h("p", {}, h("a", { href: "#/reports" }, "All reports"))));
  }
}

export function hide() {
  wanted = null;
  view?.close();
  view = null;
}

function open(root, id, page) {
  const body = h("div");
  root.replaceChildren(h("p", { class: "crumbs" }, h("a", { href: "#/reports" }, "Reports"), ` / ${id} · `, compareLink(id), " · ", h("a", { href: route(id) }, "JSON")), body);
  view = new ReportView(body, route(id));
  view.update(page);
}

function list(root, { reports, problems }) {
  const table = new Table({ caption: "Stored reports", columns: COLUMNS, key: (report) => report.id, sortBy: "when" });
  const notices = problems.map(({ file, error }) => h("p", { class: "notice bad" }, h("b", {}, file), ` ${error}`));
  const head = h("div", { class: "page-head" }, h("h1", {}, "Reports"), h("p", { class: "meta" }, `${reports.length} in this folder, newest first`));
  if (reports.length === 0) {
    root.replaceChildren(head, ...notices, emptyState("No reports yet", "Every run writes one when it ends:", h("pre", {}, "cargo run -p bench-harness -- --workload semaphore")));
    return;
  }
  root.replaceChildren(head, ...notices, card("All reports", null, table.root));
  table.update(reports);
}
