// The list of rooms: where I am, where something waits, and the ways to other rooms.
// Clicks are links, so the address decides what opens.
// It never loads a message and never counts.
// Left out: direct messages and levels; their groups stand under the rooms.

import { at, el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { Menu } from "./menu.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

export class RoomsNav {
  #workspace = el("p", { class: "workspace" });
  #list = el("ul", { class: "rooms" });
  #tools = el("div", { class: "tools" });
  #menu;
  #mark = "";

  /** `wishes` has `browse()`, `create()`, `invite()`, `settings()`, `signOut()`. */
  constructor(nav, wishes) {
    const tool = (wish, name, words) =>
      el(
        "button",
        { type: "button", class: "tool", "data-tool": wish, onclick: () => wishes[wish]() },
        icon(name),
        el("span", null, words),
      );
    fill(
      this.#tools,
      tool("browse", "rooms", say.browse),
      tool("create", "plus", say.newRoom),
      tool("invite", "person", say.invite),
    );
    const me = el("details", { class: "menu me" });
    this.#menu = new Menu(me);
    fill(
      nav,
      el("header", null, this.#workspace),
      el("div", { class: "scroll" }, this.#list, this.#tools),
      me,
    );
    this.wishes = wishes;
  }

  /** `{workspace, me, rooms, open, canInvite, unread(room), draft(room), pending(room), online}` */
  show(picture) {
    const { workspace, me, rooms, open, canInvite, online } = picture;
    this.#workspace.textContent = cleanName(workspace) || say.brand;
    this.#tools.querySelector("[data-tool=invite]").hidden = !canInvite;
    const rows = rooms.map((room) => ({
      id: room.id,
      name: cleanName(room.name),
      unread: picture.unread(room),
      draft: picture.draft(room),
      pending: picture.pending(room),
      here: room.id === open,
    }));
    const mark = JSON.stringify([rows, me, online]);
    if (mark === this.#mark) return;
    this.#mark = mark;
    const focused = document.activeElement?.closest?.("#rooms [data-room]")?.dataset.room;
    fill(this.#list, ...(rows.length ? rows.map(roomLink) : [el("li", { class: "none" }, say.noRooms)]));
    if (focused) this.#list.querySelector(`[data-room="${focused}"]`)?.focus();
    this.#meMenu(me, online);
  }

  #meMenu(me, online) {
    const name = cleanName(me.name);
    this.#menu.show(
      [
        flag(me.id, name),
        el("bdi", { class: "name" }, name),
        el("span", { class: online ? "dot on" : "dot" }),
        el("span", { class: "state" }, online ? say.online : say.offline),
        el("span", { class: "unseen" }, say.settings),
      ],
      null,
      [
        this.#menu.theme(),
        this.#menu.wish(say.settingsDo, () => this.wishes.settings()),
        me.role === "admin" && el("a", { href: "/admin" }, say.adminPage),
        this.#menu.wish(say.signOut, () => this.wishes.signOut()),
      ],
    );
  }
}

function roomLink({ id, name, unread, draft, pending, here }) {
  return el(
    "li",
    null,
    el(
      "a",
      {
        href: `#/r/${id}`,
        "data-room": id,
        "aria-current": here ? "page" : null,
        class: unread > 0 ? "unread" : null,
      },
      el("bdi", { class: "name" }, name),
      draft && !here
        ? el(
            "span",
            { class: "sign", title: say.hasDraft },
            icon("pen"),
            el("span", { class: "unseen" }, say.hasDraft),
          )
        : null,
      pending
        ? el(
            "span",
            { class: "sign", title: say.hasPending },
            icon("hourglass"),
            el("span", { class: "unseen" }, say.hasPending),
          )
        : null,
      unread > 0
        ? el(
            "span",
            { class: "badge" },
            el("span", { "aria-hidden": "true" }, unread > 999 ? "999+" : String(unread)),
            el("span", { class: "unseen" }, say.unreadIn(unread)),
          )
        : null,
    ),
  );
}

/** The tab's title and its icon, which carries a dot while something is unread. */
export function showTitle(unread, parts) {
  const title = parts.filter(Boolean).join(" – ") || say.brand;
  document.title = unread > 0 ? `(${unread}) ${title}` : title;
  const href = unread > 0 ? DOTTED : "/icon.svg";
  const link = document.querySelector("link[rel=icon]");
  if (link.getAttribute("href") !== href) link.setAttribute("href", href);
}

const DOTTED =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><path fill="#F5E3C0" d="M0 0h28v28H0z"/><path fill="#0B6B5E" d="M0 0h5l9 9 9-9h5v5l-9 9 9 9v5h-5l-9-9-9 9H0v-5l9-9-9-9z"/><circle cx="20" cy="20" r="8" fill="#B5390B" stroke="#F5F0E4" stroke-width="2"/></svg>',
  );

/** The number beside the way back on a phone. */
export function showBack(unread) {
  const back = at("back");
  back.setAttribute("aria-label", unread > 0 ? say.backUnread(unread) : say.backToRooms);
  fill(
    back,
    icon("left"),
    unread > 0
      ? el("span", { class: "badge", "aria-hidden": "true" }, unread > 99 ? "99+" : String(unread))
      : null,
  );
}
