// A cluster: nodes of either kind on one Redis, their clients, and words for waiting.
// Nothing here waits for a time to pass: each wait is for something, and its deadline only says when to stop hoping.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { io } from "socket.io-client";

import { answers, freePorts } from "../../support/ports.mjs";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? `${ROOT}target`;
const COMMANDS = {
  ours: [`${TARGET}/debug/examples/cluster_node`],
  node: [process.execPath, fileURLToPath(new URL("./node.js", import.meta.url))],
};
/** Runs one of our examples to its end. */
export async function run(example, ...args) {
  const child = spawn(`${TARGET}/debug/examples/${example}`, args, { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${example} ended with ${code}`);
}

const OFFSET = /^\d{13}-\d+$/;
const HEARD_WITHIN_MS = 15_000;

/** One server. */
export class Node {
  #child;
  #words = "";
  #clients = [];

  constructor(kind, port) {
    this.kind = kind;
    this.port = port;
  }

  static async start(kind, redis, wire, ...more) {
    const port = await freePorts();
    const node = new Node(kind, port);
    const [command, ...args] = COMMANDS[kind];
    const address = kind === "ours" ? `127.0.0.1:${port}` : String(port);
    node.#child = spawn(command, [...args, address, redis.url, wire, ...more], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...redis.env } });
    for (const stream of [node.#child.stdout, node.#child.stderr]) stream.on("data", (data) => (node.#words += data));
    const failed = new Promise((_, reject) => {
      node.#child.once("error", reject);
      node.#child.once("exit", (code, signal) => reject(new Error(`${kind} ended (${code ?? signal}):\n${node.#words}`)));
    });
    // After the start, an end is the tests' own doing.
    failed.catch(() => {});
    await Promise.race([failed, answers(port)]);
    return node;
  }

  /** Ends it without a word, as a crash would. */
  kill() {
    return this.#signal("SIGKILL");
  }

  /** Ends it in order. */
  end() {
    return this.#signal("SIGTERM");
  }

  async #signal(signal) {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill(signal);
    await ended;
  }

  /** A client that is connected, and keeps what it hears; `prepare` sees it before it connects. */
  async client(name, namespace = "/", options = {}, prepare = () => {}) {
    const url = `http://127.0.0.1:${this.port}${namespace}`;
    const socket = io(url, {
      transports: ["websocket"],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      auth: { name },
      query: { who: name },
      ...options,
    });
    this.#clients.push(socket);
    socket.heard = [];
    // With recovery, an event says its place in the stream at its end.
    socket.onAny((...args) => socket.heard.push(OFFSET.test(args.at(-1)) ? args.slice(0, -1) : args));
    prepare(socket);
    socket.connect();
    await heard(socket, "connect");
    /** What the node is asked to do, done. */
    socket.do = (...args) => socket.timeout(HEARD_WITHIN_MS).emitWithAck(...args);
    return socket;
  }

  leave() {
    for (const socket of this.#clients.splice(0)) socket.disconnect();
  }

  /** How our carrier is doing. */
  async status() {
    const response = await fetch(`http://127.0.0.1:${this.port}/carrier`);
    return response.json();
  }
}

/** Waits until every node of `nodes` knows of all the others. */
export async function acquainted(nodes) {
  for (const node of nodes) {
    const client = await node.client("counting");
    await until(async () => (await client.do("other nodes")) === nodes.length - 1);
    client.disconnect();
  }
}

/** The arguments of the next such event. */
export function heard(emitter, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`"${event}" was not heard`)), HEARD_WITHIN_MS);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

/** Asks until the answer is yes. */
export async function until(ask) {
  const giveUpAt = Date.now() + HEARD_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > giveUpAt) throw new Error(`it never was so: ${ask}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

let markers = 0;

/**
 * What each of `sockets` has heard by the time that something has arrived which `from` sends after all it was asked to do: what
 * one node says to everybody in a namespace keeps its order.
 */
export async function hearings(from, sockets) {
  const marker = `marker ${(markers += 1)}`;
  const arrived = sockets.map((socket) => until(() => socket.heard.some(([event]) => event === marker)));
  await from.do("emit", {}, marker);
  await Promise.all(arrived);
  return sockets.map((socket) => socket.heard.splice(0).filter(([event]) => !event.startsWith("marker")));
}
