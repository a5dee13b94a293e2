// Where the page is: the address, the room that is open by it, and the message that it names.
// Addresses and wishes to go come in; the place turns, and the parts that show a room are told.
// It never draws, and asks for nothing but rows.
// Left out: what stands where there is no room to open (offers.js), which few ever see.

import { storage } from "./storage.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

export class Paths {
  #place;
  #page;

  /** `page` has `composer`, `drafts`, `list`, `pages`, `reading`, `scene`, `typing`, and `isReady()`, `isWide()`, `noRoom(id)`,
   *  `changing()`, `note(text)`. */
  constructor(place, page) {
    this.#place = place;
    this.#page = page;
  }

  /** Follows the address. */
  route() {
    const place = this.#place;
    if (!place.me || document.body.dataset.view !== "chat") return;
    const [, way, id, seq] = /^#\/(r|dm)\/(\d+)(?:\/(\d+))?/.exec(location.hash) ?? [];
    // Somebody to whom I have not written yet has no room: then this is its name.
    const asked = way === "dm" ? (place.directWith(Number(id))?.id ?? `dm ${id}`) : Number(id) || null;
    const target = Number(seq) || 0;
    if (asked === null && this.#page.isWide() && place.rooms.size > 0) {
      const last = storage.get(`last.${place.me.id}`);
      // A room that is not among those kept here may be a new one: the server will say.
      if (place.rooms.has(last) || !last || this.#page.isReady()) {
        history.replaceState(null, "", place.address(place.rooms.has(last) ? last : place.sorted()[0].id));
        return this.route();
      }
    }
    document.body.dataset.pane = asked === null ? "list" : "room";
    // A room whose rows are not here yet is turned to anew: what was known of it may be old, or nothing.
    if (asked !== place.open || !place.log?.loaded) this.#turnTo(asked, target);
    else if (target) this.#reveal(target);
    this.#page.scene.changed();
  }

  go(id) {
    const hash = id === null ? "#/" : this.#place.address(id);
    if (location.hash === hash) this.route();
    else location.hash = hash;
  }

  /** A room that I have made or joined opens. */
  enter(room) {
    this.#place.admit(room);
    this.go(room.id);
  }

  forget(id) {
    this.#place.forget(id);
    if (this.#place.open === id) this.go(null);
    this.#page.scene.changed();
  }

  /** To the newest message. */
  async toLatest() {
    const { list, pages, reading, scene } = this.#page;
    this.#leaveTarget();
    if (this.#place.log?.loaded && !this.#place.log.atTail) await pages.latest();
    list.toEnd();
    scene.jump();
    reading.look();
  }

  /** The "new" line goes, and the message that the address names is one like the others again. */
  clearLine() {
    this.#place.newAt = 0;
    this.#leaveTarget();
    this.#page.scene.changed();
  }

  /** A message of the open room: brought here if it is elsewhere in the log, and shown. */
  async #reveal(seq) {
    const { list, pages, scene, note } = this.#page;
    this.#place.target = seq;
    scene.draw();
    if (!list.reveal() && !(await pages.around(seq))) note(say.unreachable);
  }

  #turnTo(id, target) {
    const place = this.#place;
    const { composer, drafts, list, pages, scene, typing } = this.#page;
    place.turn(id, target);
    typing.turn(id);
    list.clear();
    scene.stage("");
    const { room } = place;
    if (!room) {
      if (id !== null && this.#page.isReady()) this.#page.noRoom(id);
      return;
    }
    storage.put(`last.${place.me.id}`, id);
    composer.turn(id, cleanName(room.name), place.limits.text);
    if (drafts.change(id)) this.#page.changing();
    // What is not yet shown cannot take the focus.
    scene.draw();
    if (this.#page.isWide() && !target) composer.focus();
    pages.load();
  }

  #leaveTarget() {
    if (!this.#place.target) return;
    this.#place.target = 0;
    history.replaceState(null, "", this.#place.address(this.#place.open));
  }
}
