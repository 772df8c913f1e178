// The cases of a report: a row each, with the ratio of every backend to the baseline, and how often each won.

import { h, swatch, Table, verdictGlyph } from "./dom.js";
import { ratio } from "./format.js";

const result = (line, backend) => line.results.find((found) => found.backend === backend);

// What this case has that another of the same variant has not.
function differing(line, lines) {
  const twins = lines.filter((other) => other.workload === line.workload && other.variant === line.variant);
  const differs = ([name, value]) => twins.some((twin) => !twin.params.some(([n, v]) => n === name && v === value));
  return line.params.filter(differs).map(([name, value]) => `${name} ${value}`).join(", ");
}

export class CaseList {
  constructor(onSelect) {
    this.table = new Table({ caption: "Cases; choose one to see its charts", columns: [], key: (line) => line.key, onSelect, descending: false, long: true, empty: "Nothing is measured yet." });
    this.tally = h("ul", { class: "tally" });
    this.backends = null;
    this.root = h("div", {}, this.tally, this.table.root);
  }

  update(lines, tallies) {
    const backends = [...new Set(lines.flatMap((line) => line.results.map((found) => found.backend)))];
    const wanted = backends.join("\n");
    this.names = new Map(lines.map((line) => [line.key, differing(line, lines)]));
    if (this.backends !== wanted) {
      this.backends = wanted;
      this.table.setColumns([this.#caseColumn(), ...backends.map((backend) => column(backend, lines))]);
    }
    this.table.update(lines);
    this.#showTally(tallies, lines.length);
  }

  select(key) {
    this.table.select(key);
  }

  #caseColumn() {
    const name = (line) => `${line.workload} ${line.variant} ${this.names.get(line.key)}`;
    const cell = (line) => h("span", { class: "under" }, h("b", {}, `${line.workload} ${line.variant}`), h("small", {}, this.names.get(line.key) || null));
    return { title: "case", cell, sort: name };
  }

  #showTally(tallies, cases) {
    const wanted = tallies.map(({ backend, series, baseline, faster, slower, equivalent, inconclusive }) => {
      const parts = [["faster", faster], ["slower", slower], ["equivalent", equivalent], ["inconclusive", inconclusive]].filter(([, count]) => count > 0);
      const counts = parts.map(([verdict, count]) => h("span", { class: `verdict-${verdict}` }, `${verdictGlyph(verdict)} ${count} ${verdict}`));
      return h("li", {}, swatch(series, backend), h("small", {}, `against ${baseline}`), ...counts);
    });
    const same = this.tally.children.length === wanted.length && wanted.every((node, index) => node.isEqualNode(this.tally.children[index]));
    if (!same) this.tally.replaceChildren(...wanted);
    this.tally.hidden = cases < 2;
  }
}

function column(backend, lines) {
  const series = lines.map((line) => result(line, backend)).find(Boolean).series;
  const cell = (line) => {
    const found = result(line, backend);
    if (!found) return h("span", { class: "dim" }, "–");
    return h("span", { class: `glyph verdict-${found.verdict}`, title: found.verdict }, `${verdictGlyph(found.verdict)} ${ratio(found.ratio)}`, h("span", { class: "visually-hidden" }, ` ${found.verdict}`));
  };
  return { title: backend, series, number: true, hint: "ratio to the baseline: ▲ faster, ▼ slower, = equivalent, ? inconclusive", cell, sort: (line) => result(line, backend)?.ratio ?? null };
}
