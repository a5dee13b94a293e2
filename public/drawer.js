// The drawer's people: who is here now, who is away, and the way to write to each of them alone.
// A place comes in, and is drawn; a name is a link, so the address decides what opens.
// It never asks for presence; it is told. For those who keep order there is a way to each.
// Left out: a person's page; there is nothing to say on it.

import { el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import "./sheet.js";
import { byName, say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

/** What stands in an open drawer. `wishes` has `close()`, and `about(person)` for those who keep order. */
export class Names {
  #body = el("div", { class: "scroll" });
  #about;

  constructor(drawer, { close, about }) {
    this.#about = about;
    fill(
      drawer,
      el(
        "header",
        null,
        el("h2", null, say.people),
        el("button", { type: "button", class: "tool", "aria-label": words.close, onclick: close }, icon("close")),
      ),
      this.#body,
    );
    // On a phone the drawer lies over the room that a name opens.
    this.#body.addEventListener("click", (event) => {
      if (event.target.closest("a") && !matchMedia("(min-width: 60rem)").matches) close();
    });
  }

  draw({ people, me, here }) {
    const all = [...people.values()].filter((person) => !person.gone).sort(byName);
    const near = all.filter((person) => person.online);
    const others = all.filter((person) => !person.online);
    const held = document.activeElement?.closest?.("#people a")?.getAttribute("href");
    // Among many it is not told who is here, but of those in small rooms with me.
    const many = here !== null;
    fill(
      this.#body,
      many && el("p", { class: "hint" }, words.hereOfMany(here)),
      ...group((many ? words.hereNear : words.hereNow)(near.length), near, this.#lines(me)),
      ...group((many ? words.everybody : words.away)(others.length), others, this.#lines(me)),
    );
    if (held) this.#body.querySelector(`a[href="${held}"]`)?.focus();
  }

  #lines(me) {
    return (person) => line(person, me, this.#about);
  }
}

function group(title, list, line) {
  if (list.length === 0) return [];
  return [el("h3", null, title), el("ul", { "aria-label": title }, ...list.map(line))];
}

function line(person, me, about) {
  const name = cleanName(person.name);
  const notes = [person.id === me.id && words.you, say.roles[person.role]].filter(Boolean).join(", ");
  return el(
    "li",
    { class: person.online ? "on" : null },
    el(
      "a",
      { href: `#/dm/${person.id}`, title: person.id === me.id ? say.notes : words.writeDirect(name) },
      flag(person.id, name),
      el(
        "span",
        { class: "names" },
        el("bdi", { class: "name" }, name),
        el("span", { class: "login" }, el("bdi", null, cleanName(person.login)), notes ? ` · ${notes}` : ""),
      ),
    ),
    mayOrder(me, person) &&
      el(
        "button",
        {
          type: "button",
          class: "tool",
          "aria-label": words.about(name),
          title: words.about(name),
          onclick: () => about(person),
        },
        icon("more"),
      ),
  );
}

/** Whether it is worth asking the server, which decides. */
function mayOrder(me, person) {
  if (person.id === me.id) return false;
  return me.role === "admin" || (me.role === "moderator" && person.role === "member");
}
