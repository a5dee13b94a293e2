// The reference server on Bun's own engine, answering what examples/bench_server.rs does.

import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);

io.on("connection", (socket) => {
  socket.on("msg", (x) => socket.emit("msg", x));
  socket.on("bcast", (x) => io.emit("bcast", x));
  socket.on("join", (room) => socket.join(room));
  socket.on("room", (room, x) => io.to(room).emit("room", x));
});

export default {
  port: Number(process.env.PORT ?? 3000),
  hostname: "127.0.0.1",
  ...engine.handler(),
};
