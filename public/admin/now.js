// How the server is doing, every two seconds while somebody looks.
// Numbers come in; figures go out, with a line of how they went since this page was opened.
// It asks for them only while it is open.
// Left out: yesterday; that is another program's.

import { el, fill, setText, svg } from "../dom.js";
import { size, span, words } from "./strings.js";

const SAMPLES_MAX = 90;

const ROWS = [
  ["online", (n) => [n.users.online, words.ofAll(n.users.all)], (n) => n.users.online],
  ["sockets", (n) => [n.sockets, ""], (n) => n.sockets],
  ["rate", (n) => [round(n.messagesPerSecond), words.units.second], (n) => n.messagesPerSecond],
  ["lag", (n) => [round(n.lag.p99Ms), words.units.ms], (n) => n.lag.p99Ms],
  ["memory", (n) => size(n.rss), (n) => n.rss ?? 0],
  ["database", (n) => size(n.database), (n) => n.database ?? 0],
  ["waiting", (n) => size(n.queues.bytes), (n) => n.queues.bytes],
  ["jobs", (n) => [n.queues.jobs, ""], (n) => n.queues.jobs],
  ["rooms", (n) => [n.rooms, ""], null],
  ["up", (n) => [span(n.upMs), ""], null],
];

export class Now {
  #ask;
  #samples = [];
  #rows = new Map();

  constructor({ ask }) {
    this.#ask = ask;
  }

  async open(sheet) {
    fill(
      sheet,
      el(
        "dl",
        { class: "figures" },
        ROWS.map(([name, , past]) => this.#row(name, past)),
      ),
    );
    const answer = await this.#ask("stats", { on: true });
    if (answer.ok) this.told(answer.stats);
  }

  close() {
    this.#ask("stats", { on: false });
  }

  told(numbers) {
    this.#samples.push(numbers);
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    for (const [name, now, past] of ROWS) {
      const row = this.#rows.get(name);
      if (!row) return;
      const [figure, unit] = now(numbers);
      setText(row.figure, String(figure));
      setText(row.unit, unit);
      if (past) row.line.setAttribute("d", path(this.#samples.map(past)));
    }
    setText(this.#rows.get("lag").hint, `${words.figures.lag[1]}; ${words.worst(round(numbers.lag.mostMs))}`);
  }

  #row(name, past) {
    const [label, text] = words.figures[name];
    const parts = {
      hint: el("span", { class: "hint" }, text),
      figure: el("span", null, "–"),
      unit: el("span", { class: "unit" }),
      line: past && svg("path", { d: "" }),
    };
    this.#rows.set(name, parts);
    return el(
      "div",
      { "data-figure": name },
      el("dt", null, label, parts.hint),
      el("dd", { class: "chart", "aria-hidden": "true" }, past && spark(parts.line)),
      el("dd", { class: "figure" }, parts.figure, parts.unit),
    );
  }
}

function spark(line) {
  return svg(
    "svg",
    { class: "spark", viewBox: "0 0 100 28", preserveAspectRatio: "none" },
    svg("path", { class: "floor", d: "M0 27.5H100" }),
    line,
  );
}

/** A line over the last samples: nothing is at the floor, the most of them at the top. */
function path(values) {
  const most = Math.max(...values, Number.EPSILON);
  const step = 100 / (SAMPLES_MAX - 1);
  const first = 100 - (values.length - 1) * step;
  const point = (value, i) => `${(first + i * step).toFixed(1)} ${(26 - (value / most) * 24).toFixed(1)}`;
  return `M${values.map(point).join("L")}`;
}

function round(value) {
  return value === 0 ? "0" : value < 10 ? value.toFixed(1) : String(Math.round(value));
}
