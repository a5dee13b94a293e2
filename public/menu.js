// Menus: a button that opens a few wishes.
// Words and what they lead to come in; a chosen wish is carried out after the menu has closed.
// It keeps nothing but the theme, which belongs to this browser.
// Left out: menus within menus.

import { el, fill } from "./dom.js";
import { say } from "./strings.js";
import { storage } from "./storage.js";

/** A button that opens a few wishes: a plain disclosure, which every reader knows. */
export class Menu {
  #node;

  constructor(node) {
    this.#node = node;
    document.addEventListener("pointerdown", (event) => {
      if (node.open && !node.contains(event.target)) node.open = false;
    });
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !node.open) return;
      event.stopPropagation();
      this.close();
    });
  }

  show(face, label, entries) {
    const open = this.#node.open;
    fill(
      this.#node,
      el("summary", { "aria-label": label, title: label }, ...face),
      el("div", { class: "sheet" }, ...entries),
    );
    this.#node.open = open;
  }

  close() {
    this.#node.open = false;
    this.#node.querySelector("summary")?.focus();
  }

  wish(words, wanted) {
    return el(
      "button",
      {
        type: "button",
        onclick: () => {
          this.close();
          wanted();
        },
      },
      words,
    );
  }

  /** What it offers may come late, or be another each time. */
  offer(...entries) {
    fill(this.#node.querySelector(".sheet"), ...entries);
  }

  /** System, light or dark; kept in this browser, for this browser. */
  theme() {
    return choice(say.theme, say.themes, storage.word("theme") ?? "system", chooseTheme);
  }
}

let choices = 0;

/** One of a few: `words` by value, the one that is chosen now, and who is told of another. */
export function choice(legend, words, chosen, chose) {
  const name = `choice${(choices += 1)}`;
  return el(
    "fieldset",
    { class: "few" },
    el("legend", null, legend),
    Object.entries(words).map(([value, shown]) =>
      el(
        "label",
        null,
        el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => chose(value) }),
        el("span", null, shown),
      ),
    ),
  );
}

function chooseTheme(value) {
  storage.word("theme", value);
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}
