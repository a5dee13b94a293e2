// What was done by those who may do more than others: a log of its own, the newest day first.
// Rows come page by page; each is put into a sentence here, and what has no sentence yet is shown by its name.
// Left out: searching it; ninety days of a small place are soon read.

import { el, fill } from "../dom.js";
import { flag } from "../flags.js";
import { clock, dayName, dayOf } from "../strings.js";
import { cleanName } from "../text.js";
import { button } from "./parts.js";
import { whyNot, words } from "./strings.js";

export class Trail {
  #ask;
  #note;
  #name;
  #room;
  #list = el("ol", { class: "trail" });
  #more = el("p", { class: "more" });
  #day = null;

  /** `name(user)` and `room(room)` say what somebody or something is called. */
  constructor({ ask, note, name, room }) {
    this.#ask = ask;
    this.#note = note;
    this.#name = name;
    this.#room = room;
  }

  async open(sheet) {
    this.#day = null;
    fill(this.#list);
    fill(sheet, this.#list, this.#more);
    await this.#load();
  }

  async #load(before) {
    const answer = await this.#ask("audit:list", before ? { before } : {});
    if (!answer.ok) return this.#note(whyNot(answer));
    this.#list.append(...answer.rows.flatMap((row) => this.#rows(row)));
    if (!before && answer.rows.length === 0) fill(this.#list, el("li", { class: "day none" }, words.noTrail));
    fill(this.#more, answer.more && button(words.more, () => this.#load(answer.rows.at(-1).id)));
  }

  #rows(row) {
    const day = dayOf(row.at);
    const isNew = day !== this.#day;
    this.#day = day;
    const who = cleanName(this.#name(row.by));
    const line = el(
      "li",
      { "data-what": row.what },
      el("time", null, clock(row.at)),
      el("span", { class: "who" }, flag(row.by, who), el("bdi", { class: "name" }, who)),
      el("span", { class: "what" }, this.#sentence(row)),
      el("span", { class: "from" }, row.ip ?? ""),
    );
    return isNew ? [el("li", { class: "day" }, el("span", null, dayName(row.at))), line] : [line];
  }

  #sentence({ what, target }) {
    const known = Object.hasOwn(words.deeds, what) ? words.deeds[what] : null;
    try {
      const told = JSON.parse(target);
      return cleanName(known ? known(told, this.#name, this.#room) : `${what} ${target}`);
    } catch {
      return what;
    }
  }
}
