// Catching up: asks for what a room has missed, until nothing is missing.
// Rooms come in, after a hello or when a revision was skipped; rows go into their logs.
// It never draws, and never decides which rooms matter: whoever calls puts the open one first.
// Left out: two rooms at once; one after the other keeps the open room's rows first on the line.

// A row from another node may overtake its neighbour by this much; asking sooner would be asking twice.
const GAP_PATIENCE_MS = 300;
const AGAIN_AFTER_MS = 2_000;

export class CatchUp {
  #wishes;
  #queue = [];
  #running = false;
  #patience = new Map();

  /** `wishes` has `ask(event, body)`, `log(room)`, `caught(room, rows)`, `gone(room)`, `resting()`. */
  constructor(wishes) {
    this.#wishes = wishes;
  }

  get running() {
    return this.#running;
  }

  /** A revision was skipped: asks soon, unless the missing one turns up by itself. */
  soon(room, afterMs = GAP_PATIENCE_MS) {
    if (this.#patience.has(room)) return;
    this.#patience.set(room, setTimeout(() => {
      this.#patience.delete(room);
      if (afterMs !== GAP_PATIENCE_MS || this.#wishes.log(room)?.gap) this.now([room]);
    }, afterMs));
  }

  /** Asks for these rooms, in this order. */
  async now(rooms) {
    for (const room of rooms) if (!this.#queue.includes(room)) this.#queue.push(room);
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#queue.length > 0) await this.#catchUp(this.#queue.shift());
    } finally {
      this.#running = false;
      this.#wishes.resting();
    }
  }

  async #catchUp(room) {
    for (;;) {
      const log = this.#wishes.log(room);
      if (!log?.loaded) return;
      const answer = await this.#wishes.ask("sync", { room, rev: log.cursor });
      if (this.#wishes.log(room) !== log) return;
      if (!answer.ok) {
        if (answer.code === "forbidden" || answer.code === "not_found") this.#wishes.gone(room);
        // Away: the next hello brings us back here. Anything else may pass.
        else if (answer.code !== "away") this.soon(room, answer.retryMs ?? AGAIN_AFTER_MS);
        return;
      }
      log.synced(answer);
      this.#wishes.caught(room, answer.rows);
      if (!answer.more) {
        if (log.gap) this.soon(room);
        return;
      }
    }
  }
}
