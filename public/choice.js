// One of a few: words to choose from, one of them chosen. The theme is such a choice.
// Words and who is told come in; elements go out.
// It keeps nothing but the theme, which belongs to this browser.
// Left out: more than fit on a line or two; those are lists.

import { el } from "./dom.js";
import { storage } from "./storage.js";
import { words } from "./strings.later.js";

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

/** System, light or dark; kept in this browser, for this browser. */
export function theme() {
  return choice(words.theme, words.themes, storage.word("theme") ?? "system", (value) => {
    storage.word("theme", value);
    if (value === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
  });
}
