// The reference server (socket.io on ws), answering what examples/bench_server.rs does.

import { createServer } from "node:http";
import { Server } from "socket.io";

const BACKLOG = 4096;

const server = createServer();
const io = new Server(server, { serveClient: false });

io.on("connection", (socket) => {
  socket.on("msg", (x) => socket.emit("msg", x));
  socket.on("bcast", (x) => io.emit("bcast", x));
  socket.on("join", (room) => socket.join(room));
  socket.on("room", (room, x) => io.to(room).emit("room", x));
});

server.listen({ port: Number(process.env.PORT ?? 3000), host: "127.0.0.1", backlog: BACKLOG });
