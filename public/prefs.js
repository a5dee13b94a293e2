// What this browser was told about sound, notes and keys; the same for whoever uses it.
// A name and a value come in; the values are read where they are needed.
// It never asks the server: another browser may stand in a louder place.
// Left out: the theme, which must be known before any module runs.

import { storage } from "./storage.js";

const NAME = "prefs";

/** `sound`: "off", "called" (for me) or "all"; `notify`; `keys`: single ones; `announce`: "all", "called" or "off". */
export const prefs = { sound: "called", notify: false, keys: true, announce: "all", ...storage.get(NAME) };

export function prefer(name, value) {
  prefs[name] = value;
  storage.put(NAME, prefs);
}

// Another tab was told.
addEventListener("storage", () => Object.assign(prefs, storage.get(NAME)));
