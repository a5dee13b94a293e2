// Pages of the open room's history: the first, the older, the newer, and the way to the latest.
// The reader's movements come in; rows go into the log, and `drawn` says that there is more to see.
// It never draws, and has one page on its way at a time.
// Left out: loading ahead of the reader; 800 px early is soon enough on a slow line.

const AGAIN_AFTER_MS = 2_000;

export class History {
  #place;
  #wishes;
  #paging = false;

  /** `wishes` has `ask(event, body)`, `paged(where, rows)`, `gone(room)`. */
  constructor(place, wishes) {
    this.#place = place;
    this.#wishes = wishes;
  }

  /** The first page: around the "new" line if that is further up than a page, else the newest. */
  async load() {
    const { room, log, limits } = this.#place;
    if (!room || !log || log.loaded) return;
    const far = room.seq - room.read > limits.page - 10 && room.read > 0;
    log.asked();
    const answer = await this.#ask(room, far ? { around: room.read + 1 } : {});
    if (this.#place.logs.get(room.id) !== log || log.loaded) return;
    if (answer.ok) this.#paged(log, answer, "fresh");
    else if (answer.code === "forbidden" || answer.code === "not_found") this.#wishes.gone(room.id);
    else if (answer.code !== "away") setTimeout(() => this.load(), answer.retryMs ?? AGAIN_AFTER_MS);
  }

  async page(where) {
    const { room, log } = this.#place;
    if (this.#paging || !log?.loaded || log.rows.length === 0 || (where === "older" ? log.atStart : log.atTail)) return;
    this.#paging = true;
    log.asked();
    const answer = await this.#ask(room, where === "older" ? { before: log.rows[0].seq } : { after: log.rows.at(-1).seq });
    this.#paging = false;
    if (answer.ok && log.loaded && this.#place.log === log) this.#paged(log, answer, where);
  }

  /** Makes the newest page the one on screen, if it is not. */
  async latest() {
    const { room, log } = this.#place;
    if (!log?.loaded || log.atTail) return;
    log.asked();
    const answer = await this.#ask(room, {});
    if (answer.ok && this.#place.log === log) this.#paged(log, answer, "fresh");
  }

  #ask(room, where) {
    return this.#wishes.ask("history", { room: room.id, ...where, limit: this.#place.limits.page });
  }

  #paged(log, answer, where) {
    log.paged(answer, where);
    this.#wishes.paged(where, answer.rows);
  }
}
