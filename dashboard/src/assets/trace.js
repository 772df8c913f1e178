// The timeline: a switch that has the collector keep finished waits and holds, and the file of them for a trace viewer.

import { ask, h, setText } from "./dom.js";

export class TraceControl {
  constructor() {
    this.button = h("button", { type: "button", class: "plain-button", onclick: () => this.#want(!this.recording) });
    this.file = h("a", { href: "/api/v1/trace", download: "sync-trace.json" }, "save the trace");
    this.state = h("span", { class: "meta", role: "status" });
    this.problem = h("span", { class: "meta", role: "alert" });
    this.root = h("fieldset", { class: "level", "aria-label": "Timeline" }, h("legend", {}, "Timeline"), this.button, this.state, this.file, this.problem);
    this.#show(false);
    // A server that has gone says so elsewhere on the page.
    ask("/api/v1/status").then((status) => this.#show(status.timeline), () => {});
  }

  #show(recording) {
    this.recording = recording;
    setText(this.button, recording ? "■ Stop recording" : "● Record");
    setText(this.state, recording ? "Keeps the latest 65,000 finished waits and holds." : "Each finished wait and hold, for ui.perfetto.dev and other trace viewers.");
  }

  async #want(recording) {
    setText(this.problem, "");
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ recording }) };
    try {
      const answer = await fetch("/api/v1/trace", request);
      const body = await answer.json();
      if (!answer.ok) throw new Error(`${body.error}: ${body.next}`);
      this.#show(body.recording);
    } catch (error) {
      setText(this.problem, `It was not changed: ${error.message}`);
    }
  }
}
