// Ports that are free, and whether somebody listens there. They lie below those the kernel gives to clients.

import net from "node:net";

const HOST = "127.0.0.1";
const READY_WITHIN_MS = 20_000;

/** Tries to connect until somebody listens. */
export async function answers(port) {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  while (!(await connects(port))) {
    if (Date.now() > giveUpAt) throw new Error(`nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST);
    socket.once("connect", () => socket.end(() => resolve(true)));
    socket.once("error", () => resolve(false));
  });
}

/** So many free ports. */
export async function freePorts(count) {
  const free = [];
  while (free.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!free.includes(port) && !(await isTaken(port))) free.push(port);
  }
  return free;
}

function isTaken(port) {
  return new Promise((resolve) => {
    const listener = net.createServer();
    listener.once("error", () => resolve(true));
    listener.listen(port, HOST, () => listener.close(() => resolve(false)));
  });
}
