// How much the collector wants to know: a choice of three, and what it costs.

import { ask, h, setText } from "./dom.js";
import { duration, fraction } from "./format.js";

const MEANINGS = {
  off: "Nothing is collected; figures stand still.",
  waits: "Waits alone: a call that does not wait costs nothing. Holders are not known.",
  calls: "Every call: acquisitions, holders and who keeps others waiting.",
};

export class LevelControl {
  constructor() {
    this.enabled = null;
    this.meaning = h("span", { class: "meta", id: "level-meaning" });
    this.cost = h("span", { class: "meta" });
    this.problem = h("span", { class: "meta", role: "alert" });
    this.choices = Object.keys(MEANINGS).map((level) => {
      const input = h("input", { type: "radio", name: "collector-level", value: level, onchange: () => this.#want(level), "aria-describedby": "level-meaning" });
      return { level, input, root: h("label", {}, input, level) };
    });
    this.root = h("fieldset", { class: "level" }, h("legend", {}, "Collect"), ...this.choices.map((choice) => choice.root), this.meaning, this.cost, this.problem);
  }

  // What the program itself may have changed meanwhile is seen when the collector goes on or off.
  update({ enabled, overhead }) {
    if (enabled !== this.enabled) {
      this.enabled = enabled;
      this.#ask();
    }
    const known = overhead.calls_sampled > 0;
    setText(this.cost, known ? `Takes ${duration(overhead.ns_per_call)} a call, ${fraction(overhead.core_share, 2)} of a core since the start.` : "");
  }

  async #ask() {
    const answer = await ask("/api/v1/collector").catch(() => null);
    if (answer) this.#show(answer.level);
  }

  #show(level) {
    for (const choice of this.choices) choice.input.checked = choice.level === level;
    setText(this.meaning, MEANINGS[level] ?? "");
  }

  async #want(level) {
    setText(this.problem, "");
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ level }) };
    try {
      const answer = await fetch("/api/v1/collector", request);
      const body = await answer.json();
      if (!answer.ok) throw new Error(`${body.error}: ${body.next}`);
      this.enabled = body.level !== "off";
      this.#show(body.level);
    } catch (error) {
      setText(this.problem, `It was not changed: ${error.message}`);
      this.#ask();
    }
  }
}
