// What is on screen while we are inside: each part is shown its share of the place, once per turn.
// It never asks the server and changes nothing but the document.
// Left out: drawing by halves; comparing short strings costs less than knowing what changed.

import { at, el, fill, icon, setText } from "./dom.js";
import { RoomLog } from "./roomlog.js";
import { showBack, showTitle } from "./rooms.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

const EMPTY = new RoomLog(0);

export class Scene {
  #place;
  #parts;
  #due = false;
  #stage = at("stage");
  #jump = at("jump");

  /** `parts` has `nav`, `drawer`, `list`, `reading`, and `inviteLink(box)`, `online()`, `wide()`, `pending(room)`, `draft(room)`. */
  constructor(place, parts) {
    this.#place = place;
    this.#parts = parts;
  }

  /** Draws once, after everything of this turn has happened. */
  changed() {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => this.draw());
  }

  draw() {
    this.#due = false;
    const { me, room, log, people, names, newAt, newCount, target, leaving } = this.#place;
    const { list, drawer, reading, pending, online } = this.#parts;
    if (!me || document.body.dataset.view !== "chat") return;
    this.#around();
    drawer.show(this.#place);
    document.body.dataset.room = room ? "open" : "none";
    if (!room) return this.#nowhere();
    log?.settle(list.atEnd ? "at the end" : "further up");
    const waiting = pending(room.id);
    this.#empty(log?.loaded && log.atStart && log.rows.length === 0 && waiting.length === 0);
    at("skeleton").hidden = Boolean(log?.loaded);
    list.show({ room, log: log ?? EMPTY, pending: waiting, online: online(), me, people, names, newAt, newCount, target, leaving });
    this.jump();
    reading.look();
  }

  /** The button that leads to the latest message. */
  jump() {
    const { room, log } = this.#place;
    const jump = this.#jump;
    jump.hidden = !room || !log?.loaded || this.#parts.list.atEnd;
    if (jump.hidden) return;
    const newer = this.unread(room);
    if (jump.dataset.newer === String(newer)) return;
    jump.dataset.newer = newer;
    jump.setAttribute("aria-label", newer > 0 ? `${say.latest}, ${say.newer(newer)}` : say.latest);
    fill(jump, icon("down"), newer > 0 && el("span", null, say.newer(newer)));
  }

  unread(room) {
    if (room.id === this.#place.open && this.#parts.reading.now) return 0;
    return Math.max(0, room.seq - room.read);
  }

  /** Gives the middle of the page to a few words, or to nothing. */
  stage(mark, ...children) {
    if (this.#stage.dataset.mark === mark) return;
    this.#stage.dataset.mark = mark;
    fill(this.#stage, children.length > 0 && el("div", { class: "welcome" }, ...children));
  }

  #around() {
    const { me, name, open, room, canInvite } = this.#place;
    const { nav, online, wide, draft, pending } = this.#parts;
    const rooms = this.#place.sorted();
    nav.show({
      workspace: name,
      me,
      groups: this.#place.groups(),
      canInvite,
      draft,
      open: wide() ? open : null,
      online: online(),
      href: (one) => this.#place.address(one.id),
      other: (one) => (one.with === me.id ? undefined : this.#place.other(one)),
      unread: (one) => this.unread(one),
      forMe: (one) => this.#place.isForMe(one),
      pending: (one) => pending(one.id).length > 0,
    });
    const weight = (one) => this.#place.weight(one, this.unread(one));
    const elsewhere = rooms.filter((one) => one.id !== open).reduce((sum, one) => sum + weight(one), 0);
    showTitle(elsewhere + (room ? weight(room) : 0), [cleanName(room?.name), cleanName(name)]);
    showBack(elsewhere);
    setText(at("title"), cleanName(room?.name));
    setText(at("topic"), this.#topic(room));
    this.#close(room);
  }

  /** What stands beside the name of a room; of a direct one, whether the other is here. */
  #topic(room) {
    const other = this.#place.other(room);
    if (!other) return cleanName(room?.topic);
    if (other.id === this.#place.me.id) return say.notesTopic;
    if (other.gone) return say.hasLeft;
    return other.online === undefined ? cleanName(other.login) : other.online ? say.online : say.offline;
  }

  /** With somebody who has left, what was said can be read, and that is all. */
  #close(room) {
    const gone = Boolean(this.#place.other(room)?.gone);
    at("write").hidden = gone;
    setText(at("closed"), gone ? say.closed(cleanName(room.name)) : "");
  }

  /** No room is open: on a wide page something must stand there. */
  #nowhere() {
    if (this.#place.open !== null) return;
    const words = this.#place.rooms.size > 0 ? say.pickRoom : say.noRooms;
    this.stage(words, el("h2", null, words), el("p", null, say.pickRoomText));
  }

  #empty(empty) {
    const { open, canInvite, people } = this.#place;
    if (!empty) return this.stage("");
    const mark = `empty ${open}`;
    if (!canInvite || people.size > 1 || this.#place.room.kind === "direct")
      return this.stage(mark, el("h2", null, say.emptyRoom));
    // A link is made for the card, so the card is made once.
    if (this.#stage.dataset.mark === `${mark} alone`) return;
    const box = el("div", { class: "invite" });
    this.stage(`${mark} alone`, el("h2", null, say.inviteCardTitle), el("p", null, say.inviteCardText), box);
    this.#parts.inviteLink(box);
  }
}
