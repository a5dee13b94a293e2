// What is this browser's own: sound, notes, keys, and what is read aloud.
// Choices go to prefs.js; where the browser withholds something, it is said why.
// Left out: the theme, which the menu has; name and password, which are the same everywhere (settings.js).

import { ring } from "./bell.js";
import { choice } from "./choice.js";
import { openDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { prefer, prefs } from "./prefs.js";
import { words } from "./strings.later.js";

export function openSounds() {
  const parts = [
    choice(words.sound, words.sounds, prefs.sound, (value) => {
      prefer("sound", value);
      if (value !== "off") ring();
    }),
    notes(),
    choice(words.announce, words.announces, prefs.announce, (value) => prefer("announce", value)),
    el("p", { class: "hint" }, words.announceHint),
    tick(words.singleKeys, prefs.keys, (on) => prefer("keys", on)),
  ];
  openDialog(words.alerts, parts, undefined, "sounds");
}

/** Notes of the system: a tick where they may be, else the reason why not. */
function notes() {
  const box = el("div", { class: "notes" });
  const draw = () => {
    const why = withheld();
    const on = prefs.notify && !why;
    fill(box, tick(words.notify, on, want, Boolean(why)), why && el("p", { class: "hint" }, why));
  };
  const want = async (on) => {
    prefer("notify", on && (await Notification.requestPermission()) === "granted");
    draw();
    box.querySelector("input").focus();
  };
  draw();
  return box;
}

function withheld() {
  if (!isSecureContext) return words.notifyInsecure;
  if (!("Notification" in globalThis)) return words.notifyMissing;
  return Notification.permission === "denied" ? words.notifyDenied : "";
}

const tick = (words, checked, chose, disabled) =>
  el(
    "label",
    { class: "tick" },
    el("input", { type: "checkbox", checked, disabled, onchange: (event) => chose(event.target.checked) }),
    el("span", null, words),
  );
