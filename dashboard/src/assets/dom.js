// Making and updating elements. Text is only ever set as text: a name cannot become markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Writes only what changed, so that a selection in the page survives an update.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

// A table whose rows keep their identity from one update to the next.
//
// A column: { title, hint, number, cell(item) } gives text or a node, and { sort(item) } makes it sortable.
export class Table {
  constructor({ caption, columns, key, empty, onSelect, sortBy, descending = true, long = false }) {
    Object.assign(this, { key, onSelect, sortBy, descending });
    this.rows = new Map();
    this.items = [];
    this.selected = null;
    this.headRow = h("tr");
    this.body = h("tbody");
    this.setColumns(columns);
    this.empty = h("p", { class: "empty-row" }, empty ?? "Nothing yet.");
    this.table = h("table", {}, h("caption", { class: "visually-hidden" }, caption), h("thead", {}, this.headRow), this.body);
    this.root = h("div", { class: long ? "table-wrap long" : "table-wrap", tabindex: "0", role: "region", "aria-label": caption }, this.table, this.empty);
  }

  // Other columns are another table to the reader: the rows are made anew.
  setColumns(columns) {
    this.columns = columns;
    this.heads = columns.map((column) => this.#head(column));
    this.headRow.replaceChildren(...this.heads);
    this.body.replaceChildren();
    this.rows.clear();
  }

  #head(column) {
    const attributes = { scope: "col", class: column.number ? "number" : null, title: column.hint };
    if (!column.sort) return h("th", attributes, column.title);
    const sort = () => {
      this.descending = this.sortBy === column.title ? !this.descending : Boolean(column.number);
      this.sortBy = column.title;
      this.update(this.items);
    };
    return h("th", attributes, h("button", { type: "button", onclick: sort }, column.title));
  }

  update(items) {
    this.items = items;
    const column = this.columns.find((candidate) => candidate.title === this.sortBy);
    const ordered = column?.sort ? [...items].sort((a, b) => compare(column.sort(a), column.sort(b)) * (this.descending ? -1 : 1)) : items;
    this.heads.forEach((head, index) => {
      const sorted = this.columns[index].title === this.sortBy;
      setAttribute(head, "aria-sort", sorted ? (this.descending ? "descending" : "ascending") : null);
    });
    const seen = new Set();
    ordered.forEach((item, index) => {
      const key = String(this.key(item));
      seen.add(key);
      const row = this.rows.get(key) ?? this.#row(key);
      this.#fill(row, item);
      if (this.body.children[index] !== row) this.body.insertBefore(row, this.body.children[index] ?? null);
    });
    for (const [key, row] of this.rows) {
      if (seen.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    this.empty.hidden = items.length > 0;
    this.table.hidden = items.length === 0;
  }

  select(key) {
    this.selected = key === null ? null : String(key);
    for (const [known, row] of this.rows) setAttribute(row, "aria-selected", this.onSelect ? String(known === this.selected) : null);
  }

  #row(key) {
    const row = h("tr", {}, ...this.columns.map((column) => h("td", { class: column.number ? "number" : null })));
    if (this.onSelect) {
      row.tabIndex = 0;
      row.addEventListener("click", () => this.onSelect(key));
      row.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        this.onSelect(key);
      });
      setAttribute(row, "aria-selected", String(key === this.selected));
    }
    this.rows.set(key, row);
    return row;
  }

  #fill(row, item) {
    this.columns.forEach((column, index) => {
      const cell = row.children[index];
      const content = column.cell(item);
      if (!(content instanceof Node)) setText(cell, String(content));
      else if (!cell.firstChild?.isEqualNode(content)) cell.replaceChildren(content);
    });
    setAttribute(row, "class", item.control ? "control" : null);
  }
}

function compare(a, b) {
  if (typeof a === "string" || typeof b === "string") return String(a).localeCompare(String(b));
  return (a ?? -Infinity) - (b ?? -Infinity);
}

export const swatch = (series, name, control) =>
  h("span", { class: "backend" }, h("i", { class: `swatch series-${series}${control ? " dotted" : ""}`, "aria-hidden": "true" }), name);

const VERDICTS = { faster: "▲ faster", slower: "▼ slower", equivalent: "= equivalent", inconclusive: "? inconclusive" };

export const verdictGlyph = (verdict) => VERDICTS[verdict]?.split(" ")[0] ?? "";

export const verdictBadge = (verdict) =>
  verdict ? h("span", { class: `badge verdict-${verdict}` }, VERDICTS[verdict] ?? verdict) : h("span", { class: "dim" }, "–");

export const statusBadge = (status) => h("span", { class: `badge status-${status}` }, status);

export function emptyState(title, ...lines) {
  return h("div", { class: "empty" }, h("h2", {}, title), ...lines.map((line) => (line instanceof Node ? line : h("p", {}, line))));
}

// Asks the server; an error carries what it said and what to do next.
export async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const body = await answer.json().catch(() => ({}));
  if (answer.ok) return body;
  const error = new Error(body.error ?? `the server answered ${answer.status}`);
  error.next = body.next ?? "reload the page";
  error.status = answer.status;
  throw error;
}
