// The strip under the header: what is going on with the line, in words, one thing at a time.
// States come in by name, raised and lowered; the gravest is shown.
// It never decides what is true, and never takes the composer away.
// Left out: colours as signals; words come first.

import { el, fill } from "./dom.js";
import { say } from "./strings.js";

// The gravest first.
const ORDER = ["restarting", "offline", "lost", "connecting", "silent", "catchingUp", "newVersion", "insecure", "note"];

export class Strip {
  #node;
  #raised = new Map();
  #timers = new Map();
  #tick = null;

  constructor(node) {
    this.#node = node;
  }

  /** Shows a state, after a while if asked: what is over sooner was never worth a word. */
  raise(name, data = {}, afterMs = 0) {
    if (afterMs > 0 && !this.#raised.has(name)) {
      if (!this.#timers.has(name)) {
        this.#timers.set(name, setTimeout(() => {
          this.#timers.delete(name);
          this.raise(name, data);
        }, afterMs));
      }
      return;
    }
    this.#raised.set(name, data);
    this.#draw();
  }

  lower(...names) {
    for (const name of names) {
      clearTimeout(this.#timers.get(name));
      this.#timers.delete(name);
      this.#raised.delete(name);
    }
    this.#draw();
  }

  #draw() {
    const name = ORDER.find((one) => this.#raised.has(one));
    const data = this.#raised.get(name);
    clearInterval(this.#tick);
    this.#node.hidden = !name;
    if (!name) return fill(this.#node);
    this.#node.dataset.kind = name;
    if (name !== "lost") return fill(this.#node, ...this.#words(name, data));
    // The seconds are for the eye: a status that counts down aloud would never be quiet.
    const seconds = el("span", { "aria-hidden": "true" });
    const count = () => (seconds.textContent = say.lost(Math.ceil((data.retryAt() - Date.now()) / 1000))[1]);
    const [before, , after] = say.lost(0);
    fill(this.#node, el("span", null, before, seconds, after), this.#button(say.tryNow, data.tryNow), el("span", null, say.keepWriting));
    count();
    this.#tick = setInterval(count, 500);
  }

  #words(name, data) {
    switch (name) {
      case "newVersion":
        return [el("span", null, say.newVersion), this.#button(say.reload, () => location.reload())];
      case "insecure":
        return [el("span", null, say.insecure), this.#button(say.understood, data.understood)];
      case "catchingUp":
        return [el("span", null, say.catchingUp(data.behind))];
      case "note":
        return [el("span", null, data.text)];
      default:
        return [el("span", null, { offline: say.offlineStrip, restarting: say.restarting, connecting: say.connecting, silent: say.silent }[name])];
    }
  }

  #button(words, wish) {
    return el("button", { class: "link", type: "button", onclick: wish }, words);
  }
}
