// Menus: what a button opens, made when it is first opened.
// Words and what they lead to come in; a chosen wish is carried out after the menu has closed.
// It keeps nothing, and the button is somebody else's.
// Left out: menus within menus.

import { el, fill } from "./dom.js";
import "./sheet.js";

/** A button that opens a few wishes: a plain disclosure, which every reader knows. */
export class Menu {
  #node;
  #sheet = el("div", { class: "sheet" });

  /** `node` is a `details` with a summary. */
  constructor(node) {
    this.#node = node;
    node.append(this.#sheet);
    document.addEventListener("pointerdown", (event) => {
      if (node.open && !node.contains(event.target)) node.open = false;
    });
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !node.open) return;
      event.stopPropagation();
      this.close();
    });
  }

  close() {
    this.#node.open = false;
    this.#node.querySelector("summary").focus();
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

  /** What it offers, which may be another each time. */
  offer(...entries) {
    fill(this.#sheet, ...entries);
  }
}
