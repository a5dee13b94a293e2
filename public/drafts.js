// What is half written: a draft for each room, and the message that is being changed there.
// Texts come in with every key; what was there comes back after a reload, for the same person only.
// It never decides what stands in the box.
// Left out: the same draft in two tabs at once; the one that types last is kept.

import { storage } from "./storage.js";

export class Drafts {
  #place;

  constructor(place) {
    this.#place = place;
  }

  of(room) {
    return storage.get(this.#key("draft", room)) ?? "";
  }

  keep(room, text) {
    this.#put(this.#key("draft", room), text);
  }

  /** The message that was being changed in a room: `{id, at, was, text}`, or null. */
  change(room) {
    return storage.get(this.#key("edit", room));
  }

  keepChange(room, change) {
    this.#put(this.#key("edit", room), change);
  }

  has(room) {
    return storage.has(this.#key("draft", room)) || storage.has(this.#key("edit", room));
  }

  /** Forgets all of this person's. */
  clear() {
    for (const kind of ["draft", "edit"]) storage.dropAll(`${kind}.${this.#place.me.id}.`);
  }

  #put(key, value) {
    if (value) storage.put(key, value);
    else storage.drop(key);
  }

  #key(kind, room) {
    return `${kind}.${this.#place.me.id}.${room}`;
  }
}
