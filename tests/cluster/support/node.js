// The official server as a node of the cluster: it does for its clients what `examples/cluster_node.rs` does.
// Its words: the port, the URL of Redis, the wire.

import { createServer } from "node:http";

import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [port, url, wire] = process.argv.slice(2);

const pub = createClient({ url });
const sub = pub.duplicate();
// A Redis that is away is what some tests are about.
for (const client of [pub, sub]) client.on("error", () => {});
await Promise.all([pub.connect(), sub.connect()]);

const ADAPTERS = {
  classic: () => createAdapter(pub, sub),
  "classic-own": () => createAdapter(pub, sub, { publishOnSpecificResponseChannel: true }),
  sharded: () => createShardedAdapter(pub, sub),
  "sharded-private": () => createShardedAdapter(pub, sub, { subscriptionMode: "dynamic-private" }),
  "sharded-static": () => createShardedAdapter(pub, sub, { subscriptionMode: "static" }),
  streams: () => createStreamsAdapter(pub),
  "streams-recovering": () => createStreamsAdapter(pub),
  "streams-sharded": () => createStreamsAdapter(pub, { useShardedPubSub: true }),
};

const http = createServer();
const recovers = wire === "streams-recovering";
const io = new Server(http, { adapter: ADAPTERS[wire](), ...(recovers && { connectionStateRecovery: {} }) });
const said = [];

/** Whom something is for. */
function aim(socket, { rooms = [], except = [], broadcast, local, volatile, plain }) {
  let operator = broadcast ? socket.broadcast : socket.nsp.in([]);
  for (const room of rooms) operator = operator.to(room);
  for (const room of except) operator = operator.except(room);
  if (local) operator = operator.local;
  if (volatile) operator = operator.volatile;
  return plain ? operator.compress(false) : operator;
}

const DEEDS = {
  join: (socket, room) => socket.join(room),
  leave: (socket, room) => socket.leave(room),
  emit: (socket, opts, event, ...args) => void aim(socket, opts).emit(event, ...args),
  "emit a date": (socket, opts, event, millis) => void aim(socket, opts).emit(event, new Date(millis)),
  "sockets join": (socket, opts, rooms) => aim(socket, opts).socketsJoin(rooms),
  "sockets leave": (socket, opts, rooms) => aim(socket, opts).socketsLeave(rooms),
  "sockets disconnect": (socket, opts, close) => aim(socket, opts).disconnectSockets(close),
  async fetch(socket, opts) {
    try {
      const sockets = await aim(socket, opts).fetchSockets();
      const one = ({ id, rooms, data, handshake }) => ({
        id,
        rooms: [...rooms],
        data,
        query: handshake.query.who ?? null,
        agent: handshake.headers["user-agent"],
        address: handshake.address,
      });
      return { sockets: sockets.map(one), missing: 0 };
    } catch (error) {
      return { sockets: [], missing: 1, error: error.message };
    }
  },
  ask: (socket, opts, millis, event, value) =>
    new Promise((resolve) =>
      aim(socket, opts)
        .timeout(millis)
        .emit(event, value, (error, answers) => resolve({ answers, complete: !error })),
    ),
  "server side": (socket, event, value) => void socket.nsp.serverSideEmit(event, value),
  "server side ack": (socket, value) =>
    new Promise((resolve) =>
      socket.nsp.serverSideEmit("double", value, (error, answers) => resolve({ answers, missing: error ? 1 : 0 })),
    ),
  recovered: (socket) => socket.recovered,
  rooms: (socket) => [...socket.rooms],
  data: (socket) => socket.data,
  said: () => said.splice(0),
  "other nodes": async (socket) => (await socket.adapter.serverCount()) - 1,
  "all rooms": async (socket) => [...(await socket.adapter.allRooms())],
  echo: (_socket, ...args) => args[0],
};

for (const namespace of ["/", "/star*", "/starboard"]) {
  const of = io.of(namespace);
  of.on("connection", (socket) => {
    if (!socket.recovered) socket.data.name = socket.handshake.auth.name ?? "";
    for (const [event, deed] of Object.entries(DEEDS)) {
      socket.on(event, async (...args) => {
        const ack = args.pop();
        ack(await deed(socket, ...args));
      });
    }
  });
  of.on("hello", (value) => said.push(value));
  of.on("double", (value, ack) => ack(value * 2));
}

http.listen(Number(port), "127.0.0.1");
