// The official client, in the three ways it can speak, and words for waiting.
// Nothing here waits for a time to pass: each wait is for an event, and its deadline only says when to stop hoping.

import { io } from "socket.io-client";

const HEARD_WITHIN_MS = 10_000;

/** How a client may speak: each scenario runs in all three. */
export const WAYS = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrade: { transports: ["polling", "websocket"] },
};

/** The clients of one test, which are gone at its end. */
export class Clients {
  #url;
  #connect;
  #options;
  #sockets = [];

  /** `connect` is the function of that name of another generation of the client, and `url` where it is let in. */
  constructor(server, way, connect = io, url = server.url) {
    this.#url = url;
    this.#connect = connect;
    this.#options = { ...WAYS[way], forceNew: true, reconnection: false, autoConnect: false };
  }

  /** A client that is not connected yet. */
  make(namespace = "/", options = {}) {
    const socket = this.#connect(this.#url + namespace, { ...this.#options, ...options });
    this.#sockets.push(socket);
    return socket;
  }

  /** Another namespace over the connection of `socket`. */
  beside(socket, namespace, options = {}) {
    const other = socket.io.socket(namespace, options);
    this.#sockets.push(other);
    return other;
  }

  /** A client that is connected and, if it may, upgraded. */
  async connect(namespace, options) {
    const socket = this.make(namespace, options);
    await arrive(socket);
    await upgraded(socket);
    return socket;
  }

  leave() {
    for (const socket of this.#sockets) {
      socket.io.reconnection(false);
      socket.disconnect();
      socket.io.engine?.close();
    }
  }
}

/** Connects, and waits for the server's yes or no. */
export function arrive(socket) {
  return new Promise((resolve, reject) => {
    const settle = (outcome) => {
      clearTimeout(timer);
      socket.off("connect", connected);
      socket.off("connect_error", refused);
      socket.off("error", refused);
      outcome();
    };
    const connected = () => settle(resolve);
    const refused = (error) => settle(() => reject(error));
    const timer = setTimeout(() => refused(new Error("neither let in nor refused")), HEARD_WITHIN_MS);
    socket.on("connect", connected);
    socket.on("connect_error", refused);
    // The word of the second generation.
    socket.on("error", refused);
    socket.connect();
  });
}

/** Waits until the connection speaks WebSocket, if it is allowed to. */
export async function upgraded(socket) {
  const { engine, opts } = socket.io;
  if (opts.transports.at(-1) === "polling") return;
  while (engine.transport.name !== "websocket") await heard(engine, "upgrade");
}

/** The arguments of the next such event. */
export async function heard(emitter, event) {
  const [args] = await heardTimes(emitter, event, 1);
  return args;
}

/** The arguments of the next `times` such events, in the order they came. */
export function heardTimes(emitter, event, times) {
  const all = [];
  return new Promise((resolve, reject) => {
    const settle = (outcome) => {
      clearTimeout(timer);
      emitter.off(event, listener);
      outcome();
    };
    const timer = setTimeout(
      () => settle(() => reject(new Error(`"${event}" was heard ${all.length} of ${times} times`))),
      HEARD_WITHIN_MS,
    );
    const listener = (...args) => {
      all.push(args);
      if (all.length === times) settle(() => resolve(all));
    };
    emitter.on(event, listener);
  });
}

/** Keeps what comes under that name, for those who must not hear it. */
export function listen(socket, event) {
  const all = [];
  socket.on(event, (...args) => all.push(args));
  return all;
}

/** Comes back when everything the server sent to this socket before has arrived, since answers keep their place in the line. */
export async function settled(socket) {
  await socket.timeout(HEARD_WITHIN_MS).emitWithAck("echo", "settled");
}

/** Asks until there is an answer that is something. */
export async function answered(ask) {
  const giveUpAt = Date.now() + HEARD_WITHIN_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > giveUpAt) throw new Error("there never was an answer");
  }
}
