// Alerts: a sound and a note for what is said while nobody looks; and whether anybody does.
// Messages and the server's word about my other tabs come in; rings and notes go out, as the room's level and this browser's
// choices let them.
// It never counts: what is unread is in the list, and in the title.
// Left out: push, which needs a worker and a service of somebody else.

import { prefs } from "./prefs.js";
import { storage } from "./storage.js";

// A glance at another tab is no absence.
const LOOKED_AWAY_AFTER_MS = 5_000;

export class Alerts {
  /** Whether another tab of mine, here or elsewhere, is on screen. */
  watched = false;
  #wishes;
  #told = null;
  #timer = null;

  /** `wishes` has `ask(event, body)`, `go(room)`, `name(id)`. */
  constructor(wishes) {
    this.#wishes = wishes;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#tell(), this.visible ? 0 : LOOKED_AWAY_AFTER_MS);
    });
  }

  get visible() {
    return document.visibilityState === "visible";
  }

  /** A hello was said, with whether we are visible. */
  greeted({ watched }) {
    this.#told = this.visible;
    this.watched = Boolean(watched);
  }

  /** Somebody else has said something. `forMe` is whether it is meant for me; `room` is as the list shows it. */
  heard(row, room, forMe) {
    if (document.hasFocus() && this.visible) return;
    if (!this.visible && this.watched) return;
    if (room.level === "nothing" || (room.level === "mentions" && !forMe)) return;
    // Of several tabs the first one rings.
    if ((storage.get("rung") ?? 0) >= row.id) return;
    storage.put("rung", row.id);
    const rings = prefs.sound === "all" || (prefs.sound === "called" && forMe);
    const notes = prefs.notify && globalThis.Notification?.permission === "granted";
    // What cannot be fetched just now is not made up for later: then it would be no alert.
    if (rings || notes) import("./bell.js").then((bell) => this.#alert(bell, row, room, rings, notes), () => {});
  }

  #alert(bell, row, room, rings, notes) {
    if (rings) bell.ring();
    if (notes) bell.note(row, room, this.#wishes.name(row.by), () => this.#wishes.go(room.id));
  }

  async #tell() {
    if (this.#told === this.visible) return;
    const on = this.visible;
    const answer = await this.#wishes.ask("visible", { on });
    if (answer.ok) this.#told = on;
  }
}
