// Notices: the strip for the line's state, the line of who types, and what is spoken.
// Facts come in; words go out, one thing at a time.
// It never decides what is true, and never takes the composer away.
// Left out: typing said aloud, which would never be quiet; colours as signals: words come first.

import { el, fill } from "./dom.js";
import { say } from "./strings.js";

// The gravest first.
const ORDER = [
  "restarting",
  "offline",
  "lost",
  "connecting",
  "silent",
  "catchingUp",
  "newVersion",
  "insecure",
  "note",
];

/** The strip under the header: states are raised and lowered by name, the gravest is shown. */
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
        this.#timers.set(
          name,
          setTimeout(() => {
            this.#timers.delete(name);
            this.raise(name, data);
          }, afterMs),
        );
      }
      return;
    }
    this.#raised.set(name, data);
    this.#draw();
  }

  lower(...names) {
    let shown = false;
    for (const name of names) {
      clearTimeout(this.#timers.get(name));
      this.#timers.delete(name);
      shown = this.#raised.delete(name) || shown;
    }
    // A status drawn anew is read aloud anew.
    if (shown) this.#draw();
  }

  #draw() {
    const name = ORDER.find((one) => this.#raised.has(one));
    const data = this.#raised.get(name);
    clearInterval(this.#tick);
    if (!name) return fill(this.#node);
    this.#node.dataset.kind = name;
    if (name !== "lost") return fill(this.#node, ...this.#words(name, data));
    // The seconds are for the eye: a status that counts down aloud would never be quiet.
    const seconds = el("span", { "aria-hidden": "true" });
    const count = () => (seconds.textContent = say.lost(Math.ceil((data.retryAt() - Date.now()) / 1000))[1]);
    const [before, , after] = say.lost(0);
    fill(
      this.#node,
      el("span", null, before, seconds, after),
      this.#button(say.tryNow, data.tryNow),
      el("span", null, say.keepWriting),
    );
    count();
    this.#tick = setInterval(count, 500);
  }

  #words(name, data) {
    switch (name) {
      case "newVersion":
        return [el("span", null, say.newVersion), this.#button(say.reload, () => location.reload())];
      case "insecure":
        return [el("span", null, data.text), this.#button(data.answer, data.understood)];
      case "catchingUp":
        return [el("span", null, say.catchingUp(data.behind))];
      case "note":
        return [el("span", null, data.text)];
      default:
        return [
          el(
            "span",
            null,
            {
              offline: say.offlineStrip,
              restarting: say.restarting,
              connecting: say.connecting,
              silent: say.silent,
            }[name],
          ),
        ];
    }
  }

  #button(words, wish) {
    return el("button", { class: "link", type: "button", onclick: wish }, words);
  }
}

const HEARD_FOR_MS = 5_000;

/** Who is typing in the open room; who is not heard of for five seconds has stopped. */
export class TypingLine {
  #node;
  #name;
  #room = null;
  #heard = new Map();

  constructor(node, name) {
    this.#node = node;
    this.#name = name;
  }

  turn(room) {
    this.#room = room;
    this.clear();
  }

  heard(room, by, on) {
    if (room !== this.#room) return;
    clearTimeout(this.#heard.get(by));
    this.#heard.delete(by);
    if (on)
      this.#heard.set(
        by,
        setTimeout(() => this.heard(room, by, false), HEARD_FOR_MS),
      );
    this.#draw();
  }

  clear() {
    for (const timer of this.#heard.values()) clearTimeout(timer);
    this.#heard.clear();
    this.#draw();
  }

  #draw() {
    const names = [...this.#heard.keys()].map((by) => el("bdi", null, this.#name(by)));
    fill(this.#node, ...(names.length > 0 ? say.isTyping(names) : []));
  }
}

const BURST_MAX = 3;
const BURST_WITHIN_MS = 2_000;

/** What a screen reader hears, in two live regions apart from the list; bursts as one sentence. */
export class Announcer {
  #polite;
  #urgent;
  #waiting = [];
  #timer = null;

  constructor(polite, urgent) {
    this.#polite = polite;
    this.#urgent = urgent;
  }

  /** A message in the open room. */
  message(name, text, room) {
    this.#waiting.push(say.spokenMessage(name, text));
    this.#timer ??= setTimeout(() => this.#speak(room), this.#waiting.length > 1 ? BURST_WITHIN_MS : 400);
    if (this.#waiting.length === 2) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#speak(room), BURST_WITHIN_MS);
    }
  }

  say(words) {
    this.#add(this.#polite, words);
  }

  urge(words) {
    this.#add(this.#urgent, words);
  }

  #speak(room) {
    this.#timer = null;
    const words = this.#waiting;
    this.#waiting = [];
    if (words.length > BURST_MAX) this.say(say.spokenBurst(words.length, room));
    else for (const one of words) this.say(one);
  }

  #add(region, words) {
    const line = document.createElement("p");
    line.textContent = words;
    region.append(line);
    while (region.childElementCount > 8) region.firstElementChild.remove();
  }
}
