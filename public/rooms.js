// The list of rooms: where I am, where something waits, and the ways to other rooms and people.
// Clicks are links, so the address decides what opens.
// It never loads a message and never counts.
// Left out: an order of one's own; names for rooms, the last word for people.

import { at, el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

const FILTER_FROM = 12;

export class RoomsNav {
  #workspace = el("p", { class: "workspace" });
  #filter = el("input", {
    type: "search",
    class: "filter",
    placeholder: say.filter,
    "aria-label": say.filter,
    autocomplete: "off",
    hidden: true,
  });
  #list = el("ul", { class: "rooms", "aria-label": say.rooms });
  #direct = el("ul", { class: "rooms", "aria-label": say.direct });
  #tools = el("div", { class: "tools" });
  #me = el("summary");
  #mark = "";
  #rows = { rooms: [], direct: [] };

  /** `wishes` has `browse()`, `create()`, `invite()`, and `me(details)`, which fills the menu of oneself when it opens. */
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
    const me = el("details", { class: "menu me", ontoggle: () => me.open && wishes.me(me) }, this.#me);
    this.#filter.addEventListener("input", () => this.#draw());
    this.#filter.addEventListener("keydown", (event) => this.#filterKey(event));
    fill(
      nav,
      el("header", null, this.#workspace),
      el("div", { class: "scroll" }, this.#filter, this.#list, el("h2", null, say.direct), this.#direct, this.#tools),
      me,
    );
  }

  /** `{workspace, me, groups, open, canInvite, online, href(room), unread(room), forMe(room), other(room), draft(room), pending(room)}` */
  show(picture) {
    const { workspace, me, groups, open, canInvite, online } = picture;
    this.#workspace.textContent = cleanName(workspace) || say.brand;
    this.#tools.querySelector("[data-tool=invite]").hidden = !canInvite;
    const row = (room) => ({
      id: room.id,
      href: picture.href(room),
      kind: room.kind,
      name: cleanName(room.name),
      online: picture.other(room)?.online,
      unread: picture.unread(room),
      quiet: room.level === "nothing",
      forMe: picture.forMe(room),
      draft: picture.draft(room),
      pending: picture.pending(room),
      here: room.id === open,
    });
    const rows = { rooms: groups.rooms.map(row), direct: groups.direct.map(row) };
    const mark = JSON.stringify([rows, me, online]);
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#rows = rows;
    this.#draw();
    this.#meFace(me, online);
  }

  #draw() {
    const { rooms, direct } = this.#rows;
    this.#filter.hidden = rooms.length + direct.length <= FILTER_FROM;
    const wanted = this.#filter.hidden ? "" : this.#filter.value.trim().toLowerCase();
    const fits = ({ name }) => name.toLowerCase().includes(wanted);
    const focused = document.activeElement?.closest?.("#rooms [data-room]")?.dataset.room;
    const shown = rooms.filter(fits);
    const none = () => el("li", { class: "none" }, wanted ? say.noneFits : say.noRooms);
    fill(this.#list, ...(shown.length ? shown.map(roomLink) : [none()]));
    fill(this.#direct, ...direct.filter(fits).map(roomLink));
    this.#direct.previousElementSibling.hidden = this.#direct.hidden = this.#direct.childElementCount === 0;
    if (focused) at("rooms").querySelector(`[data-room="${focused}"]`)?.focus();
  }

  /** Enter opens the first that fits; Escape shows all again. */
  #filterKey(event) {
    if (event.key === "Enter") at("rooms").querySelector("[data-room]")?.click();
    else if (event.key !== "Escape" || !this.#filter.value) return;
    event.preventDefault();
    event.stopPropagation();
    this.#filter.value = "";
    this.#draw();
  }

  #meFace(me, online) {
    const name = cleanName(me.name);
    fill(
      this.#me,
      flag(me.id, name),
      el("bdi", { class: "name" }, name),
      el("span", { class: online ? "dot on" : "dot" }),
      el("span", { class: "state" }, online ? say.online : say.offline),
      el("span", { class: "unseen" }, say.settings),
    );
  }
}

function roomLink({ id, href, kind, name, online, unread, quiet, forMe, draft, pending, here }) {
  const direct = kind === "direct";
  return el(
    "li",
    null,
    el(
      "a",
      {
        href,
        "data-room": id,
        "aria-current": here ? "page" : null,
        class: [unread > 0 && "unread", quiet && "quiet"].filter(Boolean).join(" ") || null,
      },
      direct && el("span", { class: online === undefined ? "dot unknown" : online ? "dot on" : "dot" }),
      el("bdi", { class: "name" }, name),
      direct && online !== undefined && el("span", { class: "unseen" }, online ? say.online : say.offline),
      kind === "private" && sign("lock", say.isPrivate),
      draft && !here && sign("pen", say.hasDraft),
      pending && sign("hourglass", say.hasPending),
      unread > 0 &&
        (quiet
          ? el("span", { class: "unseen" }, say.unreadIn(unread))
          : el(
              "span",
              { class: forMe ? "badge loud" : "badge" },
              el("span", { "aria-hidden": "true" }, (forMe && !direct ? "@" : "") + (unread > 999 ? "999+" : unread)),
              el("span", { class: "unseen" }, forMe && !direct ? say.calledIn(unread) : say.unreadIn(unread)),
            )),
    ),
  );
}

const sign = (name, words) =>
  el("span", { class: "sign", title: words }, icon(name), el("span", { class: "unseen" }, words));

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
