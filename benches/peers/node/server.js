// The reference server (socket.io on ws), answering what examples/bench_server.rs does; one of several on the Redis at $REDIS,
// if there is one, by the adapter that $WIRE names.

import { createServer } from "node:http";
import { Server } from "socket.io";

const BACKLOG = 4096;

async function adapter(url, wire = "classic") {
  const { createClient } = await import("redis");
  const pub = await createClient({ url }).connect();
  if (wire === "streams") {
    const { createAdapter } = await import("@socket.io/redis-streams-adapter");
    return createAdapter(pub);
  }
  const { createAdapter, createShardedAdapter } = await import("@socket.io/redis-adapter");
  const sub = await pub.duplicate().connect();
  const wires = {
    classic: () => createAdapter(pub, sub),
    "classic-own": () => createAdapter(pub, sub, { publishOnSpecificResponseChannel: true }),
    sharded: () => createShardedAdapter(pub, sub),
  };
  return wires[wire]();
}

const { REDIS, WIRE } = process.env;
const server = createServer();
const io = new Server(server, { serveClient: false, ...(REDIS && { adapter: await adapter(REDIS, WIRE) }) });

io.on("connection", (socket) => {
  socket.on("msg", (x) => socket.emit("msg", x));
  socket.on("bcast", (x) => io.emit("bcast", x));
  socket.on("join", (room) => socket.join(room));
  socket.on("room", (room, x) => io.to(room).emit("room", x));
});

server.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1", backlog: BACKLOG });
