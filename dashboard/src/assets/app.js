// Routes by the address's hash, keeps the stream of events, switches the theme. Each view is a module with
// `show(root, rest, query)`, `hide()` and, where it lives on events, `onSnapshot` or `onRun`.

import { repaint } from "./chart.js";
import { ask, setText } from "./dom.js";
import * as live from "./live.js";
import * as recording from "./recording.js";
import * as run from "./run.js";
import * as reports from "./reports.js";
import * as compare from "./compare.js";
import { bytes, integer } from "./format.js";

const VIEWS = { live, recording, run, reports, compare };
let current = null;

function route() {
  const hash = location.hash;
  if (!hash.startsWith("#/")) return;
  const [path, query = ""] = hash.slice(2).split("?");
  const [name, ...rest] = path.split("/").map(decode);
  const view = VIEWS[name] ? name : "live";
  if (current && current !== view) {
    VIEWS[current].hide();
    document.getElementById(current).hidden = true;
  }
  current = view;
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = `${view[0].toUpperCase()}${view.slice(1)} · sync dashboard`;
  const root = document.getElementById(view);
  root.hidden = false;
  VIEWS[view].show(root, rest, new URLSearchParams(query));
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

let stream = null;
let retry = null;

const status = document.getElementById("connection");

function say(state, text) {
  status.dataset.state = state;
  setText(status.lastElementChild, text);
}

// A page nobody looks at listens to nothing: it would cost the watched program, and the browser has few connections.
function connect() {
  clearTimeout(retry);
  stream?.close();
  stream = null;
  if (document.hidden) {
    say("wait", "paused");
    return;
  }
  stream = new EventSource("/api/v1/events?run=overview");
  stream.onopen = () => say("open", "live");
  stream.onmessage = (event) => {
    const snapshot = JSON.parse(event.data);
    showOverhead(snapshot);
    live.onSnapshot(snapshot);
  };
  stream.addEventListener("overview", (event) => run.onRun(JSON.parse(event.data)));
  stream.addEventListener("progress", (event) => run.onProgress(JSON.parse(event.data)));
  stream.onerror = () => {
    say("lost", "not connected");
    // The browser tries again by itself, unless the server refused; then we do, after a while.
    if (stream.readyState === EventSource.CLOSED) retry = setTimeout(connect, 5000);
  };
}

function showOverhead({ overhead, enabled, primitives, recording }) {
  const dropped = overhead.rows_dropped + overhead.sites_dropped + overhead.objects_dropped + overhead.in_flight_dropped + overhead.durations_dropped + overhead.blame_dropped;
  const acquisitions = primitives.reduce((sum, row) => sum + row.acquisitions, 0);
  const parts = [
    `collector ${enabled ? "on" : "off"}`,
    `${integer(acquisitions)} acquisitions`,
    `${integer(overhead.rows)} rows`,
    `${bytes(overhead.memory_bytes)}`,
    `${integer(dropped)} dropped`,
    `${integer(overhead.malformed)} malformed`,
  ];
  if (recording) parts.push(recording.problem ? `recording cannot be written: ${recording.problem}` : `records ${bytes(recording.bytes)}`);
  setText(document.getElementById("overhead"), parts.join(" · "));
}

function switchTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const chosen = dark ? "light" : "dark";
  document.documentElement.dataset.theme = chosen;
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // Not kept, but it holds for this visit.
  }
  repaint();
}

document.getElementById("theme").addEventListener("click", switchTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", connect);

// What the server is there for: a run, a program, or in a server without either what it serves.
function purpose(server) {
  if (server?.run) return "run";
  if (!server || server.collector_enabled) return "live";
  if (server.recording) return "recording";
  return server.reports ? "reports" : "live";
}

const asked = ask("/api/v1/status").catch(() => null);
asked.then((server) => {
  if (server?.run) run.expect();
  // The tab is there where there is something to show.
  document.querySelector("[data-tab=recording]").hidden = !server?.recording;
});
if (!location.hash.startsWith("#/")) history.replaceState(null, "", `#/${purpose(await asked)}`);
route();
connect();
