// Reading: tab visible, window focused, newest message on screen, for one second.
// Every reason to look again comes in; one `read` for a room goes out, at most one a second.
// It never draws; it knows the open room and asks what is on screen.
// Left out: rows scrolled past on the way; who has not seen the end has not read the room.

const READ_AFTER_MS = 1_000;

export class Reading {
  #wishes;
  #timer = null;

  /** `wishes` has `room()` (the open one), `atEnd()`, `mark(room, seq)`. */
  constructor(wishes) {
    this.#wishes = wishes;
    for (const name of ["focus", "blur"]) addEventListener(name, () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
  }

  get now() {
    return document.visibilityState === "visible" && document.hasFocus() && this.#wishes.atEnd();
  }

  look() {
    const room = this.#wishes.room();
    if (!room || room.seq <= room.read || !this.now) {
      clearTimeout(this.#timer);
      this.#timer = null;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (this.#wishes.room() === room && this.now) this.#wishes.mark(room, room.seq);
    }, READ_AFTER_MS);
  }
}
