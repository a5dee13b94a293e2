// Words, icons and clicks of the parts that stand in the document itself.
// Wishes go out, to parts that may have to be fetched first.
// It knows nothing of rooms and messages.
// Left out: the sign-in form, which works before any script runs; its eye is all it gets here.

import { at, el, fill, icon, setText } from "./dom.js";
import { showBack } from "./rooms.js";
import { say } from "./strings.js";

const TOUCHES = ["pointerover", "pointerdown", "focusin"];

/** `wishes` has `search()`, `toLatest()`, `toList()`, `toBox()`, `more(details)`, `named()`, `actions(then)`. */
export function furnish(wishes) {
  fill(at("peek"), icon("eye"));
  at("peek").setAttribute("aria-label", say.showPassword);
  fill(at("search-button"), icon("search"));
  at("search-button").setAttribute("aria-label", say.search);
  at("search-button").title = say.search;
  at("search-button").addEventListener("click", wishes.search);
  at("jump").addEventListener("click", wishes.toLatest);
  for (const name of TOUCHES) at("list").addEventListener(name, touched);
  for (const [id, words, target] of [
    ["skip-list", say.skipToMessages, wishes.toList],
    ["skip-write", say.skipToComposer, wishes.toBox],
  ]) {
    setText(at(id), words);
    at(id).addEventListener("click", target);
  }
  fill(at("more"), el("summary", { "aria-label": say.more, title: say.more }, icon("more")));
  at("more").addEventListener("toggle", () => at("more").open && wishes.more(at("more")));
  // The first sign of a name brings the list of names, which then listens for itself.
  at("box").addEventListener("input", function first(event) {
    if (!/[@#]/.test(event.data ?? "")) return;
    at("box").removeEventListener("input", first);
    wishes.named();
  });
  showBack(0);

  /** The words on a row come with the first touch, which is then made once more, for them. */
  function touched(event) {
    const again = new event.constructor(event.type, event);
    wishes.actions(() => {
      for (const name of TOUCHES) at("list").removeEventListener(name, touched);
      if (event.target.isConnected) event.target.dispatchEvent(again);
    });
  }
}
