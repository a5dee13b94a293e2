// What can be done with a message that was sent: its link, its text, another text, its end.
// The pointer, the focus or a long press comes in; edits and deletions go out through `ask`.
// It draws no row: which messages are leaving is in the place, and the list shows it.
// Left out: replies and reactions; each is one more word on the bar.

import { el, fill } from "./dom.js";
import "./sheet.js";
import { clock, say } from "./strings.js";
import { words } from "./strings.later.js";

const UNDO_WITHIN_MS = 5_000;
const AGAIN_AFTER_MS = 2_000;
const LONG_PRESS_MS = 500;
const MOVED_PX = 10;

/** A bar of words on the row that is pointed at, and what they do. */
export class Actions {
  #list;
  #place;
  #wishes;
  #bar = el("div", { class: "deeds", role: "toolbar", "aria-label": words.deeds });
  #press = null;
  // The finger that called the words is lifted from them: that is no choice.
  #called = false;

  /** `wishes` has `ask(event, body)`, `tell(event, body)`, `composer`, `drafts`, `changed()`, `note(text)`, `spoken(text)`. */
  constructor(list, place, wishes) {
    this.#list = list;
    this.#place = place;
    this.#wishes = wishes;
    list.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#point(event));
    list.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.#leave());
    list.addEventListener("focusin", (event) => this.#point(event));
    list.addEventListener("focusout", (event) => list.contains(event.relatedTarget) || this.#bar.remove());
    list.addEventListener("pointerdown", (event) => event.pointerType !== "mouse" && this.#pressed(event));
    for (const name of ["pointerup", "pointercancel"]) list.addEventListener(name, () => this.#released());
    list.addEventListener("pointermove", (event) => this.#moved(event));
    this.#bar.addEventListener("click", (event) => this.#clicked(event));
    // Who closes the page meant what they deleted.
    addEventListener("pagehide", () => {
      for (const id of place.leaving.keys()) wishes.tell("delete", { id });
    });
  }

  /** Edits the last message of mine that is here. */
  editLast() {
    const row = this.#place.log?.rows.findLast((one) => this.#mine(one) && !one.deleted);
    if (row) this.edit(row);
  }

  edit(row) {
    this.#lend(this.#place.open, { id: row.id, at: row.at, was: row.text, text: row.text });
  }

  /** Goes on with what was being changed when this room was last left. */
  resume() {
    const { open } = this.#place;
    const change = this.#wishes.drafts.change(open);
    if (change && !this.#wishes.composer.lent) this.#lend(open, change);
  }

  #lend(room, change) {
    const { composer, drafts } = this.#wishes;
    const loan = composer.lend({
      words: words.editing(clock(change.at)),
      text: change.text,
      done: (text) => (text === change.was ? composer.giveBack() : this.#save(room, change.id, text, loan)),
      keep: (text) => drafts.keepChange(room, text && text !== change.was ? { ...change, text } : null),
    });
  }

  /** Takes a message from view; it is deleted when nobody has thought better of it. */
  delete(row) {
    const timer = setTimeout(() => this.#send(row.id), UNDO_WITHIN_MS);
    this.#place.leaving.set(row.id, timer);
    this.#wishes.spoken(words.deletedUndo);
    this.#wishes.changed();
  }

  undo(node) {
    const row = this.#row(node);
    clearTimeout(this.#place.leaving.get(row?.id));
    this.#place.leaving.delete(row?.id);
    this.#wishes.changed();
  }

  // ── where the bar stands ──

  #point(event) {
    const node = event.target.closest("li.row");
    const row = node && this.#row(node);
    if (!row || row.deleted || this.#place.leaving.has(row.id)) return this.#bar.remove();
    if (node.contains(this.#bar)) return;
    const deed = (name, label) => el("button", { type: "button", "data-deed": name }, label);
    fill(
      this.#bar,
      matchMedia("(pointer: coarse)").matches && deed("text", words.copyText),
      deed("link", words.copyLink),
      this.#mine(row) && deed("edit", say.edit),
      (this.#mine(row) || /^(admin|moderator)$/.test(this.#place.me.role)) && deed("delete", say.delete),
    );
    node.append(this.#bar);
  }

  #leave() {
    if (!this.#bar.contains(document.activeElement)) this.#bar.remove();
  }

  #pressed(event) {
    this.#called = false;
    if (event.target.closest("a, button")) return;
    this.#bar.remove();
    const timer = setTimeout(() => {
      this.#called = true;
      this.#point(event);
    }, LONG_PRESS_MS);
    this.#press = { timer, x: event.clientX, y: event.clientY };
  }

  #moved(event) {
    const press = this.#press;
    if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > MOVED_PX) this.#released();
  }

  #released() {
    clearTimeout(this.#press?.timer);
    this.#press = null;
  }

  #clicked(event) {
    const deed = event.target.closest("[data-deed]")?.dataset.deed;
    const node = this.#bar.closest("li");
    const row = node && this.#row(node);
    if (!deed || !row || this.#called) return;
    if (deed === "edit") this.edit(row);
    else if (deed === "delete") {
      node.focus();
      this.delete(row);
    } else this.#copy(event.target, deed === "text" ? row.text : linkTo(row));
  }

  async #copy(button, text) {
    const done = await copied(text);
    button.textContent = done ? words.copied : words.copyByHand;
    this.#wishes.spoken(button.textContent);
  }

  // ── what is asked ──

  async #save(room, id, text, loan) {
    const { ask, composer, drafts, spoken } = this.#wishes;
    for (;;) {
      const answer = await ask("edit", { id, text });
      // The room may have been left meanwhile: what is saved is nothing to go on with there.
      if (answer.ok && drafts.change(room)?.id === id) drafts.keepChange(room, null);
      if (!loan.lasts()) return;
      if (answer.ok) {
        composer.giveBack();
        return spoken(words.spokenEdited);
      }
      if (answer.code !== "slow") return loan.complain(whyNotSaved(answer));
      loan.complain(words.savesIn(Math.ceil(answer.retryMs / 1000)));
      await new Promise((resolve) => setTimeout(resolve, answer.retryMs));
      if (!loan.lasts()) return;
    }
  }

  async #send(id) {
    if (!this.#place.leaving.has(id)) return;
    const answer = await this.#wishes.ask("delete", { id });
    const wait = { slow: answer.retryMs, away: AGAIN_AFTER_MS, timeout: AGAIN_AFTER_MS, auth: AGAIN_AFTER_MS }[answer.code];
    if (wait) return this.#place.leaving.set(id, setTimeout(() => this.#send(id), wait));
    this.#place.leaving.delete(id);
    // Gone already is what was wanted.
    if (!answer.ok && answer.code !== "not_found") this.#wishes.note(words.notDeleted);
    this.#wishes.changed();
  }

  #row(node) {
    const seq = Number(node.dataset.seq);
    return this.#place.log?.rows.find((row) => row.seq === seq);
  }

  #mine(row) {
    return row.by === this.#place.me.id;
  }
}

const whyNotSaved = ({ code, until }) =>
  code === "muted" ? say.muted(until) : (words.editFailed[code] ?? words.editFailed.other);

function linkTo(row) {
  return new URL(`/#/r/${row.room}/${row.seq}`, location.origin).href;
}

/** The clipboard is withheld on plain http: then the old way, by a box that is selected. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const box = el("textarea", { class: "unseen", "aria-hidden": "true" });
    const held = document.activeElement;
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    held?.focus();
    return done;
  }
}
