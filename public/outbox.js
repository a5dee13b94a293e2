// Messages on their way: written down before they are shown, sent one at a time in each room.
// Texts and answers come in; `changed` says what to draw, `sent` what arrived.
// It knows the line only as a function that asks, and never another person's entries.
// Left out: an order between rooms, which do not wait for each other.

const TRIES_MAX = 3;
const OLD_AFTER_MS = 24 * 3_600_000;

/** One entry: `{uid, room, cid, text, at, tries, state, code?, until?, ref?, resumeAt?}`; state is
 *  "waiting" → "sending" → gone, or "failed", which only a person ends. */
export class Outbox {
  #uid;
  #storage;
  #ask;
  #report;
  #entries = [];
  #busy = new Set();

  /** `ask(body)` sends; `report` has `changed(room)`, `sent(entry, answer)`, `failed(entry)`, `silent()`. */
  constructor({ uid, storage, ask, report }) {
    this.#uid = uid;
    this.#storage = storage;
    this.#ask = ask;
    this.#report = report;
    this.#entries = storage
      .values(this.#prefix())
      .filter((entry) => entry?.uid === uid && entry.cid && typeof entry.text === "string")
      .map((entry) => ({ ...entry, state: entry.state === "failed" ? "failed" : "waiting", kept: true }))
      .sort((a, b) => a.at - b.at);
  }

  get size() {
    return this.#entries.length;
  }

  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  add(room, text) {
    const entry = {
      uid: this.#uid,
      room,
      cid: freshId(),
      text,
      at: this.#after(),
      tries: 0,
      state: "waiting",
    };
    this.#entries.push(entry);
    this.#keep(entry);
    this.#report.changed(room);
    this.flush(room);
    return entry;
  }

  /** The row came back another way (an event, a sync): the answer was lost, the message was not. */
  confirm(cid) {
    const entry = this.#find(cid);
    if (entry) this.#drop(entry);
  }

  retry(cid) {
    const entry = this.#find(cid);
    if (!entry || entry.state !== "failed") return;
    Object.assign(entry, {
      state: "waiting",
      tries: 0,
      at: Math.max(entry.at, Date.now() - OLD_AFTER_MS / 2),
      code: undefined,
    });
    this.#keep(entry);
    this.#report.changed(entry.room);
    this.flush(entry.room);
  }

  /** Takes a message back, and says what it was. */
  take(cid) {
    const entry = this.#find(cid);
    if (entry) this.#drop(entry);
    return entry?.text ?? "";
  }

  flushAll() {
    for (const room of new Set(this.#entries.map((entry) => entry.room))) this.flush(room);
  }

  /** Sends what waits in a room, in order, until it is empty or the line is gone. */
  async flush(room) {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    try {
      for (let entry = this.#next(room); entry; entry = this.#next(room)) {
        if (!(await this.#try(entry))) break;
      }
    } finally {
      this.#busy.delete(room);
    }
  }

  /** Forgets everything of this person, in memory and in storage: an explicit sign-out. */
  clear() {
    this.#storage.dropAll(this.#prefix());
    this.#entries = [];
  }

  #next(room) {
    const entry = this.#entries.find((other) => other.room === room && other.state === "waiting");
    if (!entry) return null;
    if (Date.now() - entry.at > OLD_AFTER_MS) {
      this.#fail(entry, "old");
      return this.#next(room);
    }
    // Another tab of mine got it through, or took it back.
    if (entry.kept && !this.#storage.has(this.#key(entry))) {
      this.#drop(entry);
      return this.#next(room);
    }
    return entry;
  }

  /** One attempt. Answers whether the room may go on. */
  async #try(entry) {
    entry.state = "sending";
    this.#report.changed(entry.room);
    const { room, cid, text } = entry;
    const answer = await this.#ask({ room, cid, text });
    if (!this.#entries.includes(entry)) return true;
    if (answer.ok) {
      this.#report.sent(entry, answer);
      this.#drop(entry);
      return true;
    }
    entry.state = "waiting";
    if (answer.code === "timeout") return this.#unanswered(entry);
    if (answer.code === "slow" || answer.code === "busy" || answer.code === "full")
      return this.#pause(entry, answer);
    if (answer.code === "away" || answer.code === "auth") {
      entry.code = undefined;
      this.#report.changed(room);
      return false;
    }
    this.#fail(entry, answer.code, answer);
    return true;
  }

  #unanswered(entry) {
    entry.tries += 1;
    entry.code = "timeout";
    this.#report.silent();
    if (entry.tries >= TRIES_MAX) this.#fail(entry, "timeout");
    else this.#report.changed(entry.room);
    return true;
  }

  async #pause(entry, answer) {
    const delay = Math.min(Math.max(answer.retryMs ?? 2_000, 250), 60_000);
    entry.resumeAt = Date.now() + delay;
    entry.code = answer.code;
    this.#report.changed(entry.room);
    await new Promise((resolve) => setTimeout(resolve, delay));
    entry.resumeAt = entry.code = undefined;
    return true;
  }

  #fail(entry, code, { until, ref } = {}) {
    Object.assign(entry, { state: "failed", code, until, ref });
    this.#keep(entry);
    this.#report.changed(entry.room);
    this.#report.failed(entry);
  }

  #drop(entry) {
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#storage.drop(this.#key(entry));
    this.#report.changed(entry.room);
  }

  #keep(entry) {
    const { uid, room, cid, text, at, tries, state, code, until, ref } = entry;
    const kept = { uid, room, cid, text, at, tries, state, code, until, ref };
    entry.kept = this.#storage.put(this.#key(entry), kept);
  }

  #find(cid) {
    return this.#entries.find((entry) => entry.cid === cid);
  }

  /** Two entries of one millisecond must keep their order through a reload. */
  #after() {
    return Math.max(Date.now(), (this.#entries.at(-1)?.at ?? 0) + 1);
  }

  // One key an entry: two tabs that write one list would erase each other's entries.
  #prefix() {
    return `out.${this.#uid}.`;
  }

  #key(entry) {
    return this.#prefix() + entry.cid;
  }
}

/** 16 random bytes, base64url. `crypto.randomUUID` is withheld on plain http; this is not. */
function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}
