// The drawer of people: who is here now, who is away, and for those who keep order a way to each.
// It never asks for presence; it is told.
// Left out: a person's page and direct messages, which a click on a name will open.

import { at, el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { byName, say } from "./strings.js";
import { cleanName } from "./text.js";

export class PeopleDrawer {
  #drawer = at("people");
  #button = at("people-button");
  #body = el("div", { class: "scroll" });
  #people = new Map();
  #me = null;
  #mark = "";
  #about;

  /** `about(person)` is called when somebody who keeps order wants to do something about a person. */
  constructor(about) {
    this.#about = about;
    this.#button.addEventListener("click", () => (this.#drawer.hidden ? this.open() : this.close()));
    fill(
      this.#drawer,
      el(
        "header",
        null,
        el("h2", null, say.people),
        el(
          "button",
          { type: "button", class: "tool", "aria-label": say.close, onclick: () => this.close() },
          icon("close"),
        ),
      ),
      this.#body,
    );
  }

  get isOpen() {
    return !this.#drawer.hidden;
  }

  open() {
    this.#drawer.hidden = false;
    this.show(this.#people, this.#me);
    this.#button.setAttribute("aria-expanded", "true");
    this.#drawer.querySelector("button").focus();
  }

  close() {
    if (!this.isOpen) return;
    this.#drawer.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    this.#button.focus();
  }

  /** The number on the button always; the names only while somebody looks, and only when they change. */
  show(people, me) {
    [this.#people, this.#me] = [people, me];
    const all = [...people.values()].filter((person) => !person.gone);
    const here = all.filter((person) => person.online).sort(byName);
    const mark = this.isOpen ? JSON.stringify([me?.role, all]) : String(here.length);
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#button.setAttribute("aria-label", say.peopleButton(here.length));
    this.#button.title = say.people;
    fill(this.#button, icon("people"), el("span", { class: "number" }, String(here.length)));
    if (!this.isOpen) return;
    const away = all.filter((person) => !person.online).sort(byName);
    const group = (title, list) =>
      list.length === 0
        ? []
        : [
            el("h3", null, title),
            el(
              "ul",
              { "aria-label": title },
              list.map((person) => this.#person(person, me)),
            ),
          ];
    fill(this.#body, ...group(say.hereNow(here.length), here), ...group(say.away(away.length), away));
  }

  #person(person, me) {
    const name = cleanName(person.name);
    const notes = [person.id === me.id && say.you, say.roles[person.role]].filter(Boolean).join(", ");
    return el(
      "li",
      { class: person.online ? "on" : null },
      flag(person.id, name),
      el(
        "span",
        { class: "names" },
        el("bdi", { class: "name" }, name),
        el("span", { class: "login" }, el("bdi", null, cleanName(person.login)), notes ? ` · ${notes}` : ""),
      ),
      mayOrder(me, person) &&
        el(
          "button",
          {
            type: "button",
            class: "tool",
            "aria-label": say.about(name),
            title: say.about(name),
            onclick: () => this.#about(person),
          },
          icon("more"),
        ),
    );
  }
}

/** Whether it is worth asking the server, which decides. */
function mayOrder(me, person) {
  if (person.id === me.id) return false;
  return me.role === "admin" || (me.role === "moderator" && person.role === "member");
}
