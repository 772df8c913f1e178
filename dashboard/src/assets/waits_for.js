// Who waits for whom: from an object that is waited for to those who have it, and on to what these wait for; and a drawing
// of those who are stuck.

import { task } from "./alerts.js";
import { h, setText } from "./dom.js";
import { duration, integer } from "./format.js";

// Waiters at one object that are named; the rest is counted.
const NAMED = 5;
// Nodes that a drawing can bear.
const DRAWN = 16;

export class WaitsFor {
  constructor() {
    this.tree = h("div", { class: "wait-tree" });
    this.drawing = h("div", { class: "knot", hidden: true });
    this.empty = h("p", { class: "empty-row" }, "Nobody waits at this moment.");
    this.more = h("p", { class: "empty-row" });
    this.root = h("div", { class: "waits-for" }, this.drawing, h("div", {}, this.tree, this.more, this.empty));
    this.shape = null;
    this.ages = new Map();
  }

  update(graph = { nodes: [], edges: [], waits_not_listed: 0 }) {
    const shape = JSON.stringify([graph.nodes, graph.edges.map((edge) => [edge.from, edge.to, edge.kind, edge.op])]);
    // The same people in the same places: only time has passed, and what is folded open stays so.
    if (shape !== this.shape) {
      this.shape = shape;
      this.ages.clear();
      const view = new Tree(graph, this.ages);
      this.tree.replaceChildren(view.root());
      this.#draw(graph);
    }
    for (const edge of graph.edges) {
      const age = this.ages.get(edge.op);
      if (age) setText(age, duration(edge.age_ns));
    }
    this.empty.hidden = graph.edges.length > 0;
    this.more.hidden = graph.waits_not_listed === 0;
    setText(this.more, `and ${integer(graph.waits_not_listed)} more that wait`);
  }

  #draw(graph) {
    const rings = drawn(graph);
    this.drawing.hidden = rings.length === 0;
    this.drawing.replaceChildren(...rings, h("p", { class: "meta" }, "Dashed: waits for. Solid: is held by, or was granted to."));
  }
}

const named = (node) => (node.kind === "task" ? `task ${shortTask(node.id)}` : node.label ? `${node.kind} “${node.label}”` : `${node.kind} ${node.id.slice(7)}`);
const shortTask = (id) => (id.startsWith("task-") ? task(parseInt(id.slice(5), 16)) : `of ${id.replace("-", " ")}`);

class Tree {
  constructor({ nodes, edges }, ages) {
    this.ages = ages;
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    this.waits = edges.filter((edge) => edge.kind === "waits");
    this.holds = edges.filter((edge) => edge.kind !== "waits");
  }

  // An object first whose waiters keep nobody from going on; where all are in a ring, any of them.
  root() {
    const holders = new Set(this.holds.map((edge) => edge.to));
    const free = this.waits.filter((edge) => !holders.has(edge.from)).map((edge) => edge.to);
    const list = h("ul");
    this.shown = new Set();
    for (const id of [...free, ...this.waits.map((edge) => edge.to)]) {
      if (!this.shown.has(id)) list.append(this.#object(id, []));
    }
    return list;
  }

  #object(id, above) {
    const node = this.nodes.get(id);
    if (above.includes(id)) return h("li", {}, h("b", { class: "ring" }, `↺ ${named(node)}, as above: a ring`));
    this.shown.add(id);
    const waits = this.waits.filter((edge) => edge.to === id);
    const holds = this.holds.filter((edge) => edge.from === id);
    const rest = waits.length - NAMED;
    const waiters = waits.slice(0, NAMED).map((edge) => h("li", {}, this.#task(edge.from), " waits at ", ...this.#where(edge)));
    if (rest > 0) waiters.push(h("li", { class: "dim" }, `and ${integer(rest)} more`));
    const has = holds.map((edge) => {
      const does = edge.kind === "granted_to" ? " was granted it and has not come, from " : edge.lent ? " acquired it, and may have given it on, at " : " has it since ";
      const next = this.waits.filter((wait) => wait.from === edge.to);
      const inner = next.map((wait) => this.#object(wait.to, [...above, id]));
      return h("li", {}, this.#task(edge.to), does, ...this.#where(edge), inner.length ? h("span", {}, ", and waits for") : null, inner.length ? h("ul", {}, ...inner) : null);
    });
    const holders = has.length ? h("ul", { class: "holders" }, ...has) : h("p", { class: "dim" }, this.#nobody(node));
    return h("li", {},
      h("details", { open: true },
        h("summary", {}, h("b", {}, named(node)), ` · ${integer(waits.length)} ${waits.length === 1 ? "waits" : "wait"}`),
        h("ul", { class: "waiters" }, ...waiters), holders));
  }

  #nobody(node) {
    return { condition: "until it is notified", event: "until it is set", barrier: "until the others have come" }[node.kind] ?? "nobody is known to have it";
  }

  #task(id) {
    const node = this.nodes.get(id);
    return h("span", { class: "task" }, named(node), node.stuck ? h("span", { class: "badge stuck" }, "✖ stuck") : null);
  }

  #where(edge) {
    const age = h("span", { class: "age" });
    this.ages.set(edge.op, age);
    const permits = edge.permits > 1 ? ` (${integer(edge.permits)} permits)` : "";
    return [h("code", {}, edge.site || "an unknown line"), permits, " for ", age];
  }
}

// The name of SVG, from a drawing that the page has: no address stands in a script of ours.
const SVG = document.querySelector("svg").namespaceURI;

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Each ring of those who wait for each other, on a circle of its own.
function drawn({ nodes, edges }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const stuck = edges.filter((edge) => byId.get(edge.kind === "waits" ? edge.from : edge.to).stuck);
  const onward = new Map();
  for (const edge of stuck) onward.set(edge.from, [...(onward.get(edge.from) ?? []), edge.to]);
  return rings(onward).filter((ids) => ids.length <= DRAWN).map((ids) => ring(ids, stuck.filter((edge) => ids.includes(edge.from) && ids.includes(edge.to)), byId));
}

// Those nodes that lead back to themselves, sorted by whom they share that with, each in the order in which it leads on.
function rings(onward) {
  const reached = (start) => {
    const seen = new Set();
    const open = [start];
    while (open.length > 0) {
      for (const next of onward.get(open.pop()) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        open.push(next);
      }
    }
    return seen;
  };
  const reach = new Map([...onward.keys()].map((id) => [id, reached(id)]));
  const found = [];
  for (const [id, on] of reach) {
    if (!on.has(id) || found.some((ids) => ids.includes(id))) continue;
    found.push([id, ...[...on].filter((other) => other !== id && reach.get(other)?.has(id))]);
  }
  return found;
}

function ring(ids, lines, byId) {
  const [width, height] = [440, 96 + 30 * ids.length];
  const place = new Map(ids.map((id, index) => {
    const angle = (2 * Math.PI * index) / ids.length - Math.PI / 2;
    return [id, { x: width / 2 + (width / 2 - HALF.x - 4) * Math.cos(angle), y: height / 2 + (height / 2 - HALF.y - 4) * Math.sin(angle) }];
  }));
  const arrow = s("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, s("path", { d: "M0 0 8 4 0 8Z" }));
  const paths = lines.map((edge) => line(place.get(edge.from), place.get(edge.to), edge.kind));
  const boxes = ids.map((id) => box(byId.get(id), place.get(id)));
  const title = lines.map((edge) => `${named(byId.get(edge.from))} ${edge.kind.replace("_", " ")} ${named(byId.get(edge.to))}`).join(", ");
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title }, s("defs", {}, arrow), ...paths, ...boxes);
}

const HALF = { x: 86, y: 15 };

// From the border of one box to that of the other.
function line(from, to, kind) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const cut = Math.min(HALF.x / Math.abs(dx || 1e-6), HALF.y / Math.abs(dy || 1e-6));
  const at = (point, sign, gap) => [point.x + sign * dx * (cut + gap), point.y + sign * dy * (cut + gap)];
  const length = Math.hypot(dx, dy) || 1;
  const [x1, y1] = at(from, 1, 2 / length);
  const [x2, y2] = at(to, -1, 3 / length);
  return s("line", { class: kind, x1, y1, x2, y2, "marker-end": "url(#arrow)" });
}

function box(node, { x, y }) {
  // A name is known by its beginning, a place by its end.
  const text = node.kind === "task" ? named(node) : `${node.kind} ${node.label.split("/").at(-1) || node.id.slice(7)}`;
  const label = s("text", { x, y: y + 4, "text-anchor": "middle" }, text.length > 26 ? `${text.slice(0, 25)}…` : text);
  const shape = { x: x - HALF.x, y: y - HALF.y, width: 2 * HALF.x, height: 2 * HALF.y, rx: node.kind === "task" ? HALF.y : 4 };
  return s("g", { class: node.kind === "task" ? "task" : "object" }, s("rect", shape), label);
}
