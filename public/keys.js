// Keys of the whole page: between rooms, through the log, back to the text box.
// It never takes a key that writes into a field, nor one that a menu or dialog has taken.
// Left out: keys of one's own choosing; single ones can be switched off.

import { at } from "./dom.js";
import { prefs } from "./prefs.js";

/** Binds the document's keys and answers those the composer passes on. */
export function bindKeys({ composer, list, drawer, clearLine, hasLine, rooms, unread, open, go, search, help, switchTo, editLast }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (document.body.dataset.view !== "chat") return;
    if (event.key === "Escape") return escape();
    if (event.key === "F6") return region(event);
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      return switchTo();
    }
    if (event.key === "?" && isSingle(event)) {
      event.preventDefault();
      return help();
    }
    if (asksForSearch(event)) {
      event.preventDefault();
      return search();
    }
    if (event.altKey && !event.ctrlKey && !event.metaKey && /^Arrow(Up|Down)$/.test(event.key))
      return turn(event);
    if (startsText(event)) composer.focus();
  });

  function escape() {
    if (drawer.isOpen) return drawer.close();
    if (composer.lent) return composer.giveBack();
    if (hasLine()) clearLine();
    composer.focus();
  }

  function turn(event) {
    event.preventDefault();
    const step = event.key === "ArrowUp" ? -1 : 1;
    const all = rooms();
    const here = all.indexOf(open());
    for (let i = 1; i <= all.length; i += 1) {
      const id = all[(here + step * i + all.length * 2) % all.length];
      if (!event.shiftKey || unread(id) > 0) return go(id);
    }
  }

  function region(event) {
    event.preventDefault();
    const regions = [
      [at("rooms"), () => at("rooms").querySelector("[aria-current], a")?.focus()],
      [at("log"), () => list.focus()],
      [at("write"), () => composer.focus()],
      [at("people"), () => at("people").querySelector("button").focus()],
    ].filter(([node]) => !node.hidden);
    const here = regions.findIndex(([node]) => node.contains(document.activeElement));
    const next = (here + (event.shiftKey ? -1 : 1) + regions.length) % regions.length;
    regions[next][1]();
  }

  return {
    /** PageUp and PageDown scroll the log from the text box; Home and End too while it is empty. */
    fromComposer(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const wish = {
        ArrowUp: composer.empty && !composer.lent && editLast,
        PageUp: () => list.scroll(-1),
        PageDown: () => list.scroll(1),
        Home: composer.empty && (() => list.toTop()),
        End: composer.empty && (() => list.toEnd()),
      }[event.key];
      if (!wish) return;
      event.preventDefault();
      wish();
    },
  };
}

/** Ctrl, or ⌘, with Shift and F anywhere; a slash where nobody is writing. */
function asksForSearch(event) {
  if (event.key.toLowerCase() === "f") return (event.ctrlKey || event.metaKey) && event.shiftKey && !event.altKey;
  return event.key === "/" && isSingle(event);
}

/** A key by itself, where nobody is writing, unless single keys were switched off. */
function isSingle(event) {
  const alone = !event.ctrlKey && !event.metaKey && !event.altKey;
  return prefs.keys && alone && !event.target.closest?.("input, textarea, select");
}

/** A letter typed with nothing in focus belongs into the text box. */
function startsText(event) {
  const nowhere = document.activeElement === document.body || document.activeElement === null;
  return (
    prefs.keys &&
    nowhere &&
    event.key.length === 1 &&
    event.key !== " " &&
    !event.ctrlKey &&
    !event.metaKey &&
    !event.altKey
  );
}
