// The button that counts who is here, and the drawer that it opens.
// The place comes in; the names in the drawer come with its first opening.
// It never asks for presence; it is told.
// Left out: the names themselves, which drawer.js draws.

import { at, el, fill, icon } from "./dom.js";
import { lazily } from "./lazy.js";
import { say } from "./strings.js";

export class PeopleDrawer {
  #drawer = at("people");
  #button = at("people-button");
  #names;
  #place = null;
  #mark = "";

  /** `about(person)` is called when somebody who keeps order wants to do something about a person; `failed()` says that the
   *  names did not come. */
  constructor(about, failed) {
    const close = () => this.close();
    this.#names = lazily(async () => new (await import("./drawer.js")).Names(this.#drawer, { close, about }), failed);
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
  }

  get isOpen() {
    return !this.#drawer.hidden;
  }

  open() {
    this.#names((names) => {
      if (!this.#place) return;
      names.draw(this.#place);
      this.#drawer.hidden = false;
      this.#button.setAttribute("aria-expanded", "true");
      this.#drawer.querySelector("button").focus();
    });
  }

  close() {
    if (!this.isOpen) return;
    this.#drawer.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    this.#button.focus();
  }

  /** The number on the button always; the names only while somebody looks, and only when they change. */
  show(place) {
    this.#place = place;
    const all = [...place.people.values()].filter((person) => !person.gone);
    const count = place.here ?? all.filter((person) => person.online).length;
    const mark = this.isOpen ? JSON.stringify([place.me.role, all, count]) : String(count);
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#button.setAttribute("aria-label", count > 0 ? say.peopleButton(count) : say.people);
    this.#button.title = say.people;
    // Nobody is not even me: then it is not known.
    fill(this.#button, icon("people"), count > 0 && el("span", { class: "number" }, String(count)));
    if (this.isOpen) this.#names((names) => names.draw(place));
  }
}
