// The line to the server: connects, says hello, comes back after a loss, asks and is told.
// It never knows what an event means and never stores one: what must survive is in outbox.js.
// Left out: the client's `retries` (one queue for everything, in memory only) and its own
// reconnection, which does not say when it will try next; the delays here are the same.

import { io } from "/socket.io/socket.io.esm.min.js";

const DELAY_MIN_MS = 500;
// Longer than the client's 5 s, so that a thousand pages do not beat a small server that restarts.
const DELAY_MAX_MS = 20_000;
const ANSWER_WITHIN_MS = 8_000;
const HELLO_WITHIN_MS = 10_000;
// Refusals after which only a person can go on.
const FINAL = new Set(["auth", "banned", "removed"]);

export class Wire {
  /** "idle" | "connecting" | "ready" | "lost" | "ended" */
  state = "idle";
  retryAt = 0;
  #socket = null;
  #timer = null;
  #failures = 0;
  #report;

  /** `report` has `hello()` (the body to say), `ready(answer)`, `event(name, body)`, `changed()`, `ended(why)`, `heard()`. */
  constructor(report) {
    this.#report = report;
  }

  open() {
    this.#socket ??= this.#listen(io({ autoConnect: false, reconnection: false, timeout: HELLO_WITHIN_MS }));
    this.#connect();
  }

  /** Skips what is left of the wait. */
  tryNow() {
    if (this.state === "lost") this.#connect();
  }

  close() {
    clearTimeout(this.#timer);
    this.#turn("ended");
    this.#socket?.disconnect();
  }

  /** Asks and waits. Always answers: a lost line or no answer is `{ok:false}` with a code of ours. */
  async ask(event, body, withinMs = ANSWER_WITHIN_MS) {
    if (this.state !== "ready") return { ok: false, code: "away" };
    return this.#ask(event, body, withinMs);
  }

  /** Says something nobody will miss. */
  tell(event, body) {
    if (this.state === "ready") this.#socket.volatile.emit(event, body);
  }

  async #ask(event, body, withinMs) {
    const socket = this.#socket;
    const id = socket.id;
    try {
      const answer = await socket.timeout(withinMs).emitWithAck(event, body);
      this.#report.heard();
      return answer ?? { ok: false, code: "internal" };
    } catch {
      return { ok: false, code: socket.connected && socket.id === id ? "timeout" : "away" };
    }
  }

  #listen(socket) {
    socket.on("connect", () => this.#greet());
    socket.on("disconnect", () => this.#lost());
    socket.on("connect_error", (error) => {
      const code = error?.data?.code;
      if (FINAL.has(code)) this.#end(code === "auth" ? "expired" : code);
      else this.#lost();
    });
    socket.onAny((event, body) => {
      this.#report.heard();
      if (event === "session:ended") this.#end(body?.why);
      // Before hello is answered the page cannot place an event; the sync after it brings them all.
      else if (this.state === "ready") this.#report.event(event, body ?? {});
    });
    return socket;
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#turn("connecting");
    this.#socket.connect();
  }

  async #greet() {
    const answer = await this.#ask("hello", this.#report.hello(), HELLO_WITHIN_MS);
    if (this.state !== "connecting") return;
    if (answer.code === "auth") return this.#end("expired");
    if (!answer.ok) {
      this.#socket.disconnect();
      return this.#lost();
    }
    this.#failures = 0;
    this.state = "ready";
    this.#report.ready(answer);
    this.#report.changed();
  }

  #lost() {
    if (this.state === "ended" || this.state === "lost") return;
    const base = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** this.#failures);
    const delay = base * (0.5 + Math.random());
    this.#failures += 1;
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#turn("lost");
  }

  #end(why) {
    if (this.state === "ended") return;
    this.close();
    this.#report.ended(why);
  }

  #turn(state) {
    this.state = state;
    this.#report.changed();
  }
}
