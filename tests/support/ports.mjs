// Ports for servers under test, and whether somebody listens there: shared by all the packages beside this folder.
// They lie below those the kernel gives to clients, so that nobody takes one while its server is down.

import net from "node:net";

const HOST = "127.0.0.1";
const FIRST = 10_000;
const LAST = 32_000;
const READY_WITHIN_MS = 20_000;

/** The first of so many ports in a row that are free. */
export async function freePorts(count = 1) {
  for (;;) {
    const first = FIRST + Math.floor(Math.random() * (LAST - FIRST - count));
    const taken = await Promise.all(Array.from({ length: count }, (_, at) => isTaken(first + at)));
    if (!taken.includes(true)) return first;
  }
}

/** Tries to connect until somebody listens. */
export async function answers(port) {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (!(await connects(port))) {
    if (Date.now() > giveUpAt) throw new Error(`nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isTaken(port) {
  return new Promise((resolve) => {
    const listener = net.createServer();
    listener.once("error", () => resolve(true));
    listener.listen(port, HOST, () => listener.close(() => resolve(false)));
  });
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST);
    socket.once("connect", () => socket.end(() => resolve(true)));
    socket.once("error", () => resolve(false));
  });
}
