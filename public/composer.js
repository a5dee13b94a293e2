// The composer: a box that grows, a button, a counter, a draft for each room.
// Keys come in; a finished text goes out through `send`, and word that somebody types.
// It never knows the line: it is never disabled because of the network.
// It can be lent: to change a text that was sent, which leaves the draft as it was.
// Left out: files; their place is left of the box.

import { el, fill, icon } from "./dom.js";
import { say } from "./strings.js";

const COUNT_FROM = 500;
const TYPING_EVERY_MS = 3_000;

export class Composer {
  #form;
  #box;
  #count;
  #note;
  #wishes;
  #room = null;
  #loan = null;
  #words = el("span", null, say.send);
  #button = el("button", { class: "primary send" }, this.#words, icon("send"));
  #typedAt = 0;
  #max = 4000;

  /** `wishes` has `send(room, text)`, `typing(room, on)`, `draft(room)`, `keep(room, text)`, `key(event)`. */
  constructor(form, wishes) {
    this.#form = form;
    this.#wishes = wishes;
    this.#box = el("textarea", {
      id: "box",
      rows: 1,
      dir: "auto",
      autocomplete: "off",
      enterkeyhint: enterSends() ? "send" : "enter",
      "aria-describedby": "count",
    });
    this.#count = el("span", { id: "count", class: "count" });
    this.#note = el("p", { class: "error", role: "alert" });
    fill(
      form,
      this.#note,
      el("div", { class: "box" }, this.#box, this.#count),
      this.#button,
    );
    this.#name(say.send);
    form.addEventListener("submit", (event) => this.#submit(event));
    this.#box.addEventListener("input", () => this.#changed("by hand"));
    this.#box.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Turns to a room, with its draft. */
  turn(room, name, max) {
    this.#max = max;
    this.#box.placeholder = say.writeTo(name);
    this.#box.setAttribute("aria-label", say.writeTo(name));
    if (this.#room === room) return;
    // What was being changed there waits there.
    this.#unlend();
    this.#room = room;
    this.#put(this.#wishes.draft(room));
  }

  /** Lends the box for another text: `{words, text, done(text), keep(text)}`, where `keep` is told of every change, and of the
   *  end by an empty text. Answers with what the borrower may ask of it. */
  lend({ words, text, done, keep }) {
    this.giveBack();
    const loan = { done, keep };
    const leave = el("button", { type: "button", class: "link", onclick: () => this.giveBack() }, say.cancel);
    loan.bar = el("p", { class: "lent" }, el("span", null, words), leave);
    this.#loan = loan;
    this.#form.prepend(loan.bar);
    this.#name(say.save);
    this.#put(text);
    this.focus();
    this.#box.setSelectionRange(text.length, text.length);
    const lasts = () => this.#loan === loan;
    return { lasts, complain: (why) => lasts() && (this.#note.textContent = why) };
  }

  /** Ends a loan: the draft is there again. */
  giveBack() {
    if (!this.#loan) return;
    this.#loan.keep("");
    this.#unlend();
    this.#put(this.#wishes.draft(this.#room));
    this.focus();
  }

  #unlend() {
    this.#loan?.bar.remove();
    this.#loan = null;
    this.#note.textContent = "";
    this.#name(say.send);
  }

  get lent() {
    return this.#loan !== null;
  }

  /** Puts a text back to be changed; what stood there stays before it. */
  restore(text) {
    this.giveBack();
    this.#put(this.#box.value ? `${this.#box.value}\n${text}` : text);
    this.#changed("by hand");
    this.focus();
  }

  focus() {
    this.#box.focus();
  }

  get empty() {
    return this.#box.value === "";
  }

  get focused() {
    return document.activeElement === this.#box;
  }

  #name(words) {
    this.#words.textContent = words;
    this.#button.setAttribute("aria-label", words);
  }

  #put(text) {
    this.#box.value = text;
    this.#changed("by us");
  }

  #key(event) {
    // While an input method composes, Enter chooses a word.
    if (
      event.key === "Enter" &&
      !event.shiftKey &&
      !event.isComposing &&
      event.keyCode !== 229 &&
      enterSends()
    ) {
      event.preventDefault();
      this.#form.requestSubmit();
      return;
    }
    this.#wishes.key(event);
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#box.value.replace(/^\n+|\s+$/g, "");
    const length = Array.from(text).length;
    if (!text.trim() || this.#room === null) return this.focus();
    if (length > this.#max) {
      this.#note.textContent = say.tooLong(length, this.#max);
      return this.focus();
    }
    if (this.#loan) return this.#loan.done(text);
    const room = this.#room;
    this.#put("");
    this.#wishes.keep(room, "");
    this.#tellTyping(false);
    this.#wishes.send(room, text);
    this.focus();
  }

  #changed(how) {
    const { value } = this.#box;
    // As it is sent: what stands empty at the end does not count.
    const text = value.trimEnd();
    const length = text.length > this.#max - COUNT_FROM ? Array.from(text).length : text.length;
    const counted = length > this.#max - COUNT_FROM;
    this.#count.textContent = counted ? say.counter(length, this.#max) : "";
    this.#count.classList.toggle("error", length > this.#max);
    if (length <= this.#max) this.#note.textContent = "";
    this.#form.classList.toggle("ready", text.trim() !== "");
    this.#grow();
    if (how === "by us") return;
    if (this.#loan) return this.#loan.keep(value);
    this.#wishes.keep(this.#room, value);
    this.#tellTyping(value.trim() !== "");
  }

  /** Browsers without `field-sizing` are told the height. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#box.style.setProperty("height", "auto");
    this.#box.style.setProperty("height", `${this.#box.scrollHeight + 2}px`);
  }

  #tellTyping(on) {
    const now = Date.now();
    if (on && now - this.#typedAt < TYPING_EVERY_MS) return;
    if (!on && this.#typedAt === 0) return;
    this.#typedAt = on ? now : 0;
    this.#wishes.typing(this.#room, on);
  }
}

/** On touch, Enter makes a new line and only the button sends. */
function enterSends() {
  return !matchMedia("(pointer: coarse)").matches;
}
