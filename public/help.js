// Help: the keys, and what they do.

import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { words } from "./strings.later.js";

export function openHelp() {
  const mac = /mac/i.test(navigator.platform);
  const key = (words) => (mac ? words.replaceAll("Ctrl", "⌘").replaceAll("Alt", "⌥") : words);
  const lines = words.keys.map(([keys, words]) => [
    el("dt", null, ...key(keys).split(/([ ,]+)/).map((one, i) => (i % 2 ? one : el("kbd", null, one)))),
    el("dd", null, words),
  ]);
  openDialog(words.help, [el("dl", null, ...lines.flat())], undefined, "keys");
}
