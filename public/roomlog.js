// One room's log as this page holds it: a window of rows without holes, and the revision it has seen.
// Rows come in from events, acks, sync and history, in any order and twice; what is missing goes out.
// It never asks, never draws, and knows no clock.
// Left out: rows of rooms long left; the server has them, fifty at a time.

export const ROWS_MAX = 300;
const ROWS_KEPT = 50;

export class RoomLog {
  /** Rows by rising seq, without holes between the first and the last. */
  rows = [];
  /** Whether any page has been loaded yet. */
  loaded = false;
  /** Nothing older than the first row, nothing newer than the last. */
  atStart = false;
  atTail = false;
  /** Everything up to this revision has been seen. */
  cursor;
  #held = new Map();
  // Rows that arrive while a page is on its way: the page may have been read before they were written.
  #early = null;

  constructor(cursor) {
    this.cursor = cursor;
  }

  get gap() {
    return this.#held.size > 0;
  }

  /** A row with its revision. Answers "old", "next" (taken) or "gap" (held until what is missing comes). */
  received(row) {
    if (row.rev <= this.cursor) return "old";
    this.#early?.push(row);
    if (row.rev > this.cursor + 1 && this.loaded) {
      this.#held.set(row.rev, row);
      return "gap";
    }
    this.put(row);
    this.cursor = row.rev;
    this.#drain();
    return "next";
  }

  /** One answer of a catch-up. */
  synced({ rows, rev, reset }) {
    if (reset) {
      this.rows = [];
      this.loaded = this.atTail = true;
      this.atStart = rows.length === 0 || rows[0].seq <= 1;
      this.#held.clear();
    }
    for (const row of rows) this.put(row);
    this.cursor = reset ? rev : Math.max(this.cursor, rev);
    this.#drain();
  }

  /** A page has been asked for. */
  asked() {
    this.#early ??= [];
  }

  /** One page of history. "fresh" replaces the window; "older" and "newer" lengthen it. */
  paged(page, where) {
    this.#joined(page, where);
    const early = this.#early ?? [];
    this.#early = null;
    for (const row of early) this.put(row);
  }

  #joined({ rows, start, end }, where) {
    if (where === "fresh") {
      this.rows = rows.slice();
      this.atStart = Boolean(start);
      this.atTail = Boolean(end);
      this.loaded = true;
      return;
    }
    if (where === "older") this.atStart = Boolean(start);
    const known = new Set(this.rows.map((row) => row.seq));
    const fresh = rows.filter((row) => !known.has(row.seq));
    this.rows = where === "older" ? [...fresh, ...this.rows] : [...this.rows, ...fresh];
    this.rows.sort((a, b) => a.seq - b.seq);
    if (where === "newer") this.atTail = Boolean(end);
    this.#trim(where === "older" ? "tail" : "head");
  }

  /** Puts a row in its place, whatever the cursor says: its newest form wins. */
  put(row) {
    if (!this.loaded) return;
    const i = this.#place(row.seq);
    const there = this.rows[i];
    if (there?.seq === row.seq) {
      if (row.rev >= there.rev) this.rows[i] = row;
      return;
    }
    if (i === this.rows.length ? !this.atTail : i === 0 && !this.atStart && this.rows.length > 0) return;
    this.rows.splice(i, 0, row);
  }

  /** Keeps the window small. At the end of the log the head goes; for a reader further up, the tail. */
  settle(reader) {
    if (this.rows.length > ROWS_MAX) this.#trim(reader === "at the end" ? "head" : "tail");
  }

  /** What is worth keeping of a room that is no longer on screen. */
  left() {
    if (!this.atTail) this.forget();
    else if (this.rows.length > ROWS_KEPT) {
      this.rows = this.rows.slice(-ROWS_KEPT);
      this.atStart = false;
    }
  }

  forget() {
    this.rows = [];
    this.loaded = this.atStart = this.atTail = false;
    this.#held.clear();
    this.#early = null;
  }

  #drain() {
    for (const rev of [...this.#held.keys()].sort((a, b) => a - b)) {
      if (rev > this.cursor + 1) return;
      const row = this.#held.get(rev);
      this.#held.delete(rev);
      if (rev <= this.cursor) continue;
      this.put(row);
      this.cursor = rev;
    }
  }

  #trim(side) {
    if (this.rows.length <= ROWS_MAX) return;
    if (side === "head") {
      this.rows = this.rows.slice(-ROWS_MAX);
      this.atStart = false;
    } else {
      this.rows = this.rows.slice(0, ROWS_MAX);
      this.atTail = false;
    }
  }

  #place(seq) {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.rows[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
