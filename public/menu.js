// Menus: a button that opens a few wishes, and the switch between light and dark.
// A face and entries come in; the chosen entry's function is called, and the menu closes.
// It never knows what a wish does, and works as a plain disclosure, which every reader knows.
// Left out: arrow keys; Tab goes through three or four entries.

import { el, fill } from "./dom.js";
import { storage } from "./storage.js";
import { say } from "./strings.js";

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
    fill(this.#node, el("summary", { "aria-label": label, title: label }, ...face), el("div", { class: "sheet" }, ...entries));
    this.#node.open = open;
  }

  close() {
    this.#node.open = false;
    this.#node.querySelector("summary")?.focus();
  }

  wish(words, wanted) {
    return el("button", { type: "button", onclick: () => {
      this.close();
      wanted();
    } }, words);
  }

  /** System, light or dark; kept in this browser, for this browser. */
  theme() {
    const chosen = storage.word("theme") ?? "system";
    return el("fieldset", { class: "theme" },
      el("legend", null, say.theme),
      Object.entries(say.themes).map(([value, words]) =>
        el("label", null,
          el("input", { type: "radio", name: "theme", value, checked: value === chosen, onchange: () => chooseTheme(value) }),
          el("span", null, words))));
  }
}

function chooseTheme(value) {
  storage.word("theme", value);
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}
