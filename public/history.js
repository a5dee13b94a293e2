// Rows that are not here yet: pages of history, and what a room has missed.
// The reader's moves and skipped revisions come in; rows go into the logs.
// It never draws, and never decides which rooms matter: whoever calls puts the open one first.
// Left out: reading ahead; 800 px early is soon enough on a slow line.

const AGAIN_AFTER_MS = 2_000;

/** Pages of the open room: the first, the older, the newer, and the way to the latest. */
export class History {
  #place;
  #wishes;
  #paging = false;

  /** `wishes` has `ask(event, body)`, `paged(where, rows)`, `gone(room)`. */
  constructor(place, wishes) {
    this.#place = place;
    this.#wishes = wishes;
  }

  /** The first page: around the message the address names, or the "new" line if that is further up than a page, else the
   *  newest. */
  async load() {
    const { room, log, limits, target } = this.#place;
    if (!room || !log || log.loaded) return;
    const far = room.seq - room.read > limits.page - 10 && room.read > 0;
    log.asked();
    const answer = await this.#ask(room, target ? { around: target } : far ? { around: room.read + 1 } : {});
    if (this.#place.logs.get(room.id) !== log || log.loaded) return;
    if (answer.ok) this.#paged(log, answer, "fresh");
    else if (answer.code === "forbidden" || answer.code === "not_found") this.#wishes.gone(room.id);
    else if (answer.code !== "away") setTimeout(() => this.load(), answer.retryMs ?? AGAIN_AFTER_MS);
  }

  async page(where) {
    const { room, log } = this.#place;
    if (
      this.#paging ||
      !log?.loaded ||
      log.rows.length === 0 ||
      (where === "older" ? log.atStart : log.atTail)
    )
      return;
    this.#paging = true;
    log.asked();
    const answer = await this.#ask(
      room,
      where === "older" ? { before: log.rows[0].seq } : { after: log.rows.at(-1).seq },
    );
    this.#paging = false;
    if (answer.ok && log.loaded && this.#place.log === log) this.#paged(log, answer, where);
  }

  /** Makes the page around a message the one on screen. Answers whether it is. */
  async around(seq) {
    const { room, log } = this.#place;
    if (!log?.loaded) return false;
    log.asked();
    const answer = await this.#ask(room, { around: seq });
    const here = answer.ok && this.#place.log === log && this.#place.target === seq;
    if (here) this.#paged(log, answer, "fresh");
    return here;
  }

  /** Makes the newest page the one on screen, if it is not. */
  async latest() {
    const { room, log } = this.#place;
    if (!log?.loaded || log.atTail) return;
    log.asked();
    const answer = await this.#ask(room, {});
    if (answer.ok && this.#place.log === log) this.#paged(log, answer, "fresh");
  }

  /** Asks, and asks again when it was too soon: nobody who scrolls fast may be left at an edge. */
  async #ask(room, where) {
    for (;;) {
      const answer = await this.#wishes.ask("history", { room: room.id, ...where, limit: this.#place.limits.page });
      if (answer.code !== "slow") return answer;
      await new Promise((resolve) => setTimeout(resolve, answer.retryMs));
    }
  }

  #paged(log, answer, where) {
    log.paged(answer, where);
    this.#wishes.paged(where, answer.rows);
  }
}

// A row from another node may overtake its neighbour by this much; asking sooner would be asking twice.
const GAP_PATIENCE_MS = 300;

/** What rooms have missed: one room after the other, so that the open one has the line to itself. */
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
    this.#patience.set(
      room,
      setTimeout(() => {
        this.#patience.delete(room);
        if (afterMs !== GAP_PATIENCE_MS || this.#wishes.log(room)?.gap) this.now([room]);
      }, afterMs),
    );
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
