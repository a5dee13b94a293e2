// The menu of oneself: the theme, settings, sounds, the page for admins, and the way out.
// It is drawn when it opens; what is chosen goes to other parts.
// It keeps nothing: what is forgotten at the end is for the page to forget.
// Left out: who one is, which stands on the menu's button (rooms.js).

import { theme } from "./choice.js";
import { http } from "./doors.js";
import { el } from "./dom.js";
import { Menu } from "./menu.js";
import { say } from "./strings.js";
import { words } from "./strings.later.js";

export class Me {
  #wishes;
  #menu = null;

  /** `wishes` has `dialogs`, `settings`, `sounds` (parts), `me()`, `unsent()`, `note(text)`, `forgetMe()`. */
  constructor(wishes) {
    this.#wishes = wishes;
  }

  /** Fills the menu behind the button with one's name. */
  menu(node) {
    const { settings, sounds, me } = this.#wishes;
    const menu = (this.#menu ??= new Menu(node));
    menu.offer(
      theme(),
      menu.wish(words.settings, () => settings((part) => part.open())),
      menu.wish(words.alerts, () => sounds((part) => part.openSounds())),
      me().role === "admin" && el("a", { href: "/admin" }, words.adminPage),
      menu.wish(words.signOut, () => this.#signOut()),
    );
  }

  #signOut() {
    const { dialogs, unsent, note, forgetMe } = this.#wishes;
    const leave = async () => {
      const answer = await http("/session/end", {});
      if (!answer.ok) return note(say.unreachable);
      forgetMe();
    };
    if (unsent() === 0) return leave();
    dialogs((part) => part.confirm(words.signOutTitle, words.signOutText(unsent()), words.signOutDo, leave));
  }
}
