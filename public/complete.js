// Completion: names of people after an `@`, of rooms after a `#`, while one writes.
// The text before the caret comes in; a name goes into the box. People of the room come first.
// It takes keys only while it shows something, and says what it shows to who cannot see it.
// Left out: emoji.

import { el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import "./sheet.js";
import { byName, say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

const SHOWN_MAX = 8;
const BEGUN = /(?:^|[^\p{L}\p{N}\p{M}_])([@#])([\p{L}\p{N}\p{M}_.-]*(?: [\p{L}\p{N}\p{M}_.-]+)?)$/u;

export class Completion {
  #box;
  #place;
  #wishes;
  #list = el("ul", { id: "names", role: "listbox", "aria-label": say.people, hidden: true });
  #found = [];
  #chosen = 0;
  #start = 0;
  #members = new Map();

  /** `wishes` has `ask(event, body)`, `spoken(text)`. */
  constructor(box, place, wishes) {
    this.#box = box;
    this.#place = place;
    this.#wishes = wishes;
    box.parentElement.append(this.#list);
    box.setAttribute("aria-autocomplete", "list");
    box.addEventListener("input", () => this.look());
    box.addEventListener("click", () => this.look());
    box.addEventListener("blur", () => this.#close());
    // Before the composer and the page take them.
    box.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[data-at]");
      if (option) this.#take(Number(option.dataset.at));
    });
  }

  /** Somebody is in a room from now on, or no more. */
  member({ room, user, on }) {
    const members = this.#members.get(room);
    if (on) members?.add(user);
    else members?.delete(user);
  }

  forget() {
    this.#members.clear();
  }

  async look() {
    const { open } = this.#place;
    const box = this.#box;
    const upTo = box.selectionStart === box.selectionEnd ? box.value.slice(0, box.selectionStart) : "";
    const begun = BEGUN.exec(upTo);
    if (!begun) return this.#close();
    const [, sign, typed] = begun;
    if (sign === "@" && !this.#members.has(open)) {
      this.#members.set(open, new Set());
      const answer = await this.#wishes.ask("room:members", { room: open });
      if (answer.ok) this.#members.set(open, new Set(answer.members));
      else this.#members.delete(open);
      // What was typed meanwhile counts.
      if (answer.ok) return this.look();
    }
    this.#start = upTo.length - typed.length;
    const wanted = typed.toLowerCase();
    this.#show(sign === "@" ? this.#people(wanted) : this.#rooms(wanted));
  }

  #people(wanted) {
    const { people, me, open } = this.#place;
    const here = this.#members.get(open) ?? new Set();
    return [...people.values()]
      .filter((one) => one.id !== me.id && !one.gone && (begins(one.login, wanted) || begins(one.name, wanted)))
      .sort((a, b) => here.has(b.id) - here.has(a.id) || byName(a, b))
      .map(({ id, login, name }) => ({
        face: flag(id, cleanName(name)),
        name: cleanName(name),
        hint: here.has(id) ? cleanName(login) : `${cleanName(login)}, ${words.notInRoom}`,
        text: login,
      }));
  }

  #rooms(wanted) {
    return this.#place
      .sorted()
      .filter((room) => room.kind !== "direct" && begins(room.name, wanted))
      .map(({ kind, name, topic }) => ({
        face: icon(kind === "private" ? "lock" : "rooms"),
        name: cleanName(name),
        hint: cleanName(topic),
        text: name,
      }));
  }

  #show(found) {
    const before = this.#found.length;
    this.#found = found.slice(0, SHOWN_MAX);
    if (this.#found.length === 0) return this.#close();
    this.#chosen = 0;
    this.#list.hidden = false;
    this.#box.setAttribute("aria-controls", "names");
    this.#draw();
    if (before !== this.#found.length) this.#wishes.spoken(words.found(this.#found.length));
  }

  #draw() {
    fill(
      this.#list,
      ...this.#found.map((one, i) =>
        el(
          "li",
          { id: `name${i}`, role: "option", "aria-selected": String(i === this.#chosen), "data-at": i },
          one.face,
          el("bdi", { class: "name" }, one.name),
          one.hint && el("span", { class: "hint" }, one.hint),
        ),
      ),
    );
    this.#box.setAttribute("aria-activedescendant", `name${this.#chosen}`);
  }

  #close() {
    if (this.#list.hidden) return;
    this.#list.hidden = true;
    this.#found = [];
    this.#box.removeAttribute("aria-activedescendant");
    this.#box.removeAttribute("aria-controls");
  }

  #key(event) {
    if (this.#list.hidden || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.#chosen = (this.#chosen + step + this.#found.length) % this.#found.length;
      this.#draw();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) this.#take(this.#chosen);
    else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #take(i) {
    const { text } = this.#found[i];
    this.#box.setRangeText(`${text} `, this.#start, this.#box.selectionStart, "end");
    this.#close();
    this.#box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
  }
}

/** Whether a word of a name begins with what was typed. */
function begins(name, wanted) {
  const whole = name.toLowerCase();
  const at = whole.indexOf(wanted);
  return at === 0 || (at > 0 && /[^\p{L}\p{N}]/u.test(whole[at - 1]));
}
