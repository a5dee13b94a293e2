// The line to the admins' namespace: asks and is told; the official client brings it back after a loss.
// What became of the line goes out through `report`; an answer always comes, if only a code of ours.
// It knows no section of the page.
// Left out: anything kept for later; what an admin wants is wanted now.

import { io } from "/socket.io/socket.io.esm.min.js";

const ANSWER_WITHIN_MS = 8_000;
const DELAY_MAX_MS = 20_000;
const AGAIN_AFTER_MS = 5_000;
// Refusals after which only a person can go on.
const FINAL = new Set(["auth", "forbidden", "banned", "removed"]);

export class Line {
  #socket;

  /** `report` has `ready()`, `lost()`, `refused(code)`, `stats(numbers)`. */
  constructor(report) {
    const socket = io("/admin", { autoConnect: false, reconnectionDelay: 500, reconnectionDelayMax: DELAY_MAX_MS });
    let over = null;
    socket.on("connect", () => report.ready());
    socket.on("connect_error", (error) => {
      const code = error?.data?.code;
      if (FINAL.has(code)) return report.refused(code);
      report.lost();
      // Refused for now: the client tries again by itself only after a loss.
      if (code) setTimeout(() => socket.connect(), AGAIN_AFTER_MS);
    });
    socket.on("session:ended", ({ why }) => (over = why));
    socket.on("disconnect", (reason) => {
      if (over) return report.refused("auth");
      report.lost();
      // Cut by the server, which knows why: it will say so when it is asked again.
      if (reason === "io server disconnect") socket.connect();
    });
    socket.on("stats", (numbers) => report.stats(numbers));
    this.#socket = socket;
  }

  open() {
    this.#socket.connect();
  }

  async ask(event, body) {
    if (!this.#socket.connected) return { ok: false, code: "away" };
    try {
      return await this.#socket.timeout(ANSWER_WITHIN_MS).emitWithAck(event, body);
    } catch {
      return { ok: false, code: "timeout" };
    }
  }
}
