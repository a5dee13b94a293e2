// The real binary with a data folder of its own, which it finds again after each restart.
// `ROOMCAST_BINARY` names another command that takes the same options.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { answers, freePorts } from "../../support/ports.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
const COMMAND = (process.env.ROOMCAST_BINARY ?? `${TARGET}/debug/roomcast`).split(" ");
const FILL = `${TARGET}/debug/examples/fill`;
const HOST = "127.0.0.1";
const READY_WITHIN_MS = 20_000;
const FIRST_RUN = /Open (http:\S+\/#\/setup\/\S+)/;

export class Roomcast {
  #port;
  #data;
  #child = null;
  #words = "";

  /** A server that nobody has set up yet. */
  static async start() {
    const roomcast = new Roomcast(await freePorts(), await mkdtemp(join(tmpdir(), "roomcast-page-")));
    await roomcast.start();
    return roomcast;
  }

  constructor(port, data) {
    this.#port = port;
    this.#data = data;
  }

  get url() {
    return `http://${HOST}:${this.#port}/`;
  }

  /** The link of the first run, which the program prints for whoever started it. */
  async setUpLink() {
    return (await this.#said(FIRST_RUN))[1];
  }

  /** Starts it, on the port and the folder it had before, and waits until it answers. */
  async start() {
    const [command, ...args] = COMMAND;
    args.push("--listen", `${HOST}:${this.#port}`, "--data", this.#data);
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on("data", (data) => (this.#words += data));
    const failed = new Promise((_, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => reject(new Error(`roomcast ended (${code ?? signal}):\n${this.#words}`)));
    });
    // After the start, an end is the tests' own doing.
    failed.catch(() => {});
    await Promise.race([failed, answers(this.#port)]);
  }

  /** A command from the terminal, on its folder: what it printed. */
  async shell(...words) {
    const [command, ...args] = COMMAND;
    const { stdout } = await promisify(execFile)(command, [...args, ...words, "--data", this.#data]);
    return stdout.trim();
  }

  /** Asks it to end, and waits until it has. Answers with its exit status. */
  terminate() {
    return this.#end("SIGTERM");
  }

  /** Ends it without a word, as a power cut would. */
  kill() {
    return this.#end("SIGKILL");
  }

  /** Fills General with messages, the last of them unread, while it does not run. */
  async fill(count, unread) {
    await promisify(execFile)(FILL, [join(this.#data, "roomcast.db"), String(count), String(unread)]);
  }

  /** The memory it has now. */
  async residentKib() {
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
  }

  /** Ends it, and leaves nothing behind. Everything it printed must be free of panics. */
  async remove() {
    await this.kill();
    await rm(this.#data, { recursive: true, force: true });
    if (/panicked at/.test(this.#words)) throw new Error(`roomcast panicked:\n${this.#words}`);
  }

  async #end(signal) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    return (await ended)[0];
  }

  async #said(pattern) {
    const giveUpAt = Date.now() + READY_WITHIN_MS;
    for (;;) {
      const found = pattern.exec(this.#words);
      if (found) return found;
      if (Date.now() > giveUpAt) throw new Error(`roomcast never said ${pattern}, but:\n${this.#words}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
