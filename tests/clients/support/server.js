// A server under test: the conformance example as a process of its own, on ports nobody else uses.
// `ROOMCAST_CONFORMANCE` names another command that keeps the same contract, such as one on the official packages.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { answers, freePorts } from "../../support/ports.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const TARGET = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
const COMMAND = (process.env.ROOMCAST_CONFORMANCE ?? `${TARGET}/debug/examples/conformance`).split(" ");
const HOST = "127.0.0.1";
// One port for each profile of the example.
const PORTS = 9;
const MAIN = 2;
/** The profile of raw Engine.IO sessions. */
export const EIO_CLIENT = 3;
const LIMITS = 4;
const RAWWS = 5;
const MAIN_FOR_ALL = 6;
const MAIN_IN_MESSAGEPACK = 7;
const MAIN_IN_JSON = 8;

export class Server {
  #base;
  #child = null;
  #words = "";

  static async start() {
    const server = new Server(await freePorts(PORTS));
    await server.start();
    return server;
  }

  constructor(base) {
    this.#base = base;
  }

  get url() {
    return this.urlOf(MAIN);
  }

  /** Where one profile listens. */
  urlOf(profile) {
    return `http://${HOST}:${this.#base + profile}`;
  }

  /** Where clients of the second generation are let in, too. */
  get urlForAll() {
    return this.urlOf(MAIN_FOR_ALL);
  }

  /** Where clients have a parser of their own. */
  get urlInJson() {
    return this.urlOf(MAIN_IN_JSON);
  }

  /** Where clients speak MessagePack. */
  get urlInMessagePack() {
    return this.urlOf(MAIN_IN_MESSAGEPACK);
  }

  /** Where sizes are small and compression is on. */
  get limits() {
    return this.urlOf(LIMITS);
  }

  /** A WebSocket that sends everything back. */
  get raw() {
    return `ws://${HOST}:${this.#base + RAWWS}`;
  }

  /** Starts it, on the ports it had before if it ran before, and waits until it answers. */
  async start() {
    const [command, ...args] = COMMAND;
    const env = { ...process.env, CONF_BASE_PORT: String(this.#base), CONF_HOST: HOST };
    this.#child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.on("data", (data) => (this.#words += data));
    const failed = new Promise((_, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => reject(new Error(`the server ended (${code ?? signal}):\n${this.#words}`)));
    });
    // After the start, an end is the tests' own doing.
    failed.catch(() => {});
    const ready = Promise.all([MAIN, MAIN_FOR_ALL, MAIN_IN_MESSAGEPACK, MAIN_IN_JSON].map((profile) => answers(this.#base + profile)));
    await Promise.race([failed, ready]);
  }

  /** Ends it without a word, as a crash would. */
  async kill() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
