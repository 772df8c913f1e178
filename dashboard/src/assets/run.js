// The run under way: the newest view comes as an event, and is kept for when the tab is opened.

import { emptyState, h } from "./dom.js";
import { ReportView } from "./report.js";

let latest = null;
let view = null;
let root = null;
// A run is known to be there, though its first event has not come yet.
let expected = false;

export function expect() {
  expected = true;
}

export function onRun(page) {
  latest = page;
  if (root) render();
}

// Between two rounds only the progress is new.
export function onProgress(progress) {
  if (!latest) return;
  latest.progress = progress;
  view?.showProgress();
}

export function show(section) {
  root = section;
  render();
}

export function hide() {
  view?.close();
  view = null;
  root = null;
}

function render() {
  if (!latest) {
    if (expected) return;
    root.replaceChildren(
      emptyState(
        "No run under way",
        "This program measures nothing at the moment. Start a run, and it is shown here while it goes on:",
        h("pre", {}, "cargo run -p bench-harness -- --workload semaphore"),
        h("p", {}, "Runs that have ended are under ", h("a", { href: "#/reports" }, "Reports"), "."),
      ),
    );
    return;
  }
  view ??= new ReportView(root, "/api/v1/run");
  view.update(latest);
}
