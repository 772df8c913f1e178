// What looks wrong: alerts that last, with who takes part, and those that have ended. A kind is told by its word and sign, not by
// its colour alone.

import { h, setAttribute, setText, Table } from "./dom.js";
import { duration, integer, seconds } from "./format.js";

const KINDS = {
  deadlock: "Deadlock",
  futurelock: "Futurelock",
  lost_wake_up: "Lost wake-up",
  long_wait: "Long wait",
  long_hold: "Long hold",
  starvation: "Starvation",
};

const kind = (alert) => KINDS[alert.kind] ?? alert.kind;
const sign = (alert) => (alert.severity === "critical" ? "✖ critical" : "▲ warning");

export const task = (number) => (number ? `#${number.toString(16)}` : "–");
const primitive = ({ primitive, name, location, object }) => (name ? `${primitive} “${name}”` : `${primitive} ${location || object}`);

const ROLES = { waits: "waits for", holds: "holds", granted: "was granted", elsewhere: "meanwhile took" };

const EVIDENCE = [
  { title: "task", cell: (party) => h("code", {}, task(party.task)) },
  { title: "does", cell: (party) => ROLES[party.role] ?? party.role },
  { title: "what", cell: (party) => primitive(party) },
  { title: "line", cell: (party) => h("code", {}, party.site) },
  { title: "permits", number: true, cell: (party) => integer(party.permits) },
  { title: "for", number: true, cell: (party) => duration(party.age_ns) },
];

export class Alerts {
  constructor() {
    this.cards = new Map();
    this.list = h("div", { class: "alert-list" });
    this.calm = h("p", { class: "calm" });
    this.beyond = h("p", { class: "calm" });
    this.ended = h("ul");
    this.endedHead = h("summary");
    this.past = h("details", { class: "alerts-ended" }, this.endedHead, this.ended);
    // Read out once when an alert comes; the ages that change every second are not.
    this.news = h("p", { class: "visually-hidden", role: "status" });
    this.root = h("section", { class: "alerts", "aria-label": "Alerts" }, this.list, this.calm, this.beyond, this.past, this.news);
  }

  update({ alerts = [], alerts_not_listed: beyond = 0, alerts_ended: ended = [], alerts_total: total = {} }) {
    const seen = new Set(alerts.map((alert) => alert.id));
    for (const [id, card] of this.cards) {
      if (seen.has(id)) continue;
      card.root.remove();
      this.cards.delete(id);
    }
    const fresh = alerts.filter((alert) => !this.cards.has(alert.id));
    for (const alert of fresh) {
      const card = new Card(alert);
      this.cards.set(alert.id, card);
      this.list.append(card.root);
    }
    for (const alert of alerts) this.cards.get(alert.id).update(alert);
    if (fresh.length > 0) setText(this.news, fresh.map((alert) => `${kind(alert)}: ${alert.message}`).join(". "));
    const raised = Object.values(total).reduce((sum, count) => sum + count, 0);
    this.list.hidden = alerts.length === 0;
    this.calm.hidden = alerts.length > 0;
    setText(this.calm, raised === 0 ? "✓ No alert since the start." : `✓ No alert now; ${integer(raised)} since the start.`);
    this.beyond.hidden = beyond === 0;
    setText(this.beyond, `and ${integer(beyond)} more for which there is no room`);
    this.past.hidden = ended.length === 0;
    setText(this.endedHead, `${integer(ended.length)} ended`);
    const lines = ended.map((alert) => `${kind(alert)}, ${duration(alert.age_ns)}, over at ${seconds(alert.ended_s)}: ${alert.message}`);
    if (lines.join("\n") !== this.endedText) {
      this.endedText = lines.join("\n");
      this.ended.replaceChildren(...lines.map((line) => h("li", {}, line)));
    }
  }
}

class Card {
  constructor(alert) {
    this.age = h("span", { class: "age" });
    this.message = h("p");
    this.next = h("p", { class: "next" });
    this.table = new Table({ caption: `Who takes part in alert ${alert.id}`, columns: EVIDENCE, key: (party) => `${party.role} ${party.op}` });
    this.more = h("p", { class: "empty-row" });
    this.root = h("article", { class: `alert ${alert.severity}`, "data-kind": alert.kind, "aria-label": `${kind(alert)}, alert ${alert.id}` },
      h("header", {}, h("span", { class: "sign" }, sign(alert)), h("h3", {}, kind(alert)), this.age),
      this.message, this.next,
      h("details", { open: alert.severity === "critical" }, h("summary", {}, "Who takes part"), this.table.root, this.more));
  }

  update(alert) {
    setText(this.age, `for ${duration(alert.age_ns)}`);
    setText(this.message, alert.message);
    setText(this.next, `Next: ${alert.next}.`);
    setAttribute(this.next, "hidden", !alert.next);
    this.table.update(alert.evidence);
    this.more.hidden = alert.evidence_not_listed === 0;
    setText(this.more, `and ${integer(alert.evidence_not_listed)} more`);
  }
}
