// The official client with a parser of its own, against a server that has the counterpart: packets as texts of JSON.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { io } from "socket.io-client";

import { Clients, WAYS, arrive, heard } from "./support/client.js";
import { Server } from "./support/server.js";

const WITHIN_MS = 10_000;

class Encoder {
  encode({ type, nsp, id, data }) {
    const bytes = [];
    const without = (value) => {
      if (Buffer.isBuffer(value)) return { _placeholder: true, num: bytes.push(value.toString("base64")) - 1 };
      if (Array.isArray(value)) return value.map(without);
      if (value === null || typeof value !== "object") return value;
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, without(inner)]));
    };
    return [JSON.stringify({ type, nsp, id, data: without(data), bytes })];
  }
}

class Decoder extends EventEmitter {
  add(message) {
    const { bytes, ...packet } = JSON.parse(message);
    packet.data &&= JSON.parse(JSON.stringify(packet.data), (_, value) =>
      value?._placeholder === true ? Buffer.from(bytes[value.num], "base64") : value,
    );
    this.emit("decoded", packet);
  }

  destroy() {}
}

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

function ask(socket, event, ...args) {
  return socket.timeout(WITHIN_MS).emitWithAck(event, ...args);
}

for (const way of Object.keys(WAYS)) {
  describe(`by a parser of its own over ${way}`, () => {
    const inJson = (url, options) => io(url, { ...options, parser: { Encoder, Decoder } });
    let clients;
    beforeEach(() => {
      clients = new Clients(server, way, inJson, server.urlInJson);
    });
    afterEach(() => clients.leave());

    test("values and bytes go there and back", async () => {
      const socket = await clients.connect();
      const value = { list: [1, "てすと 🚢", null, { deep: Buffer.from([0, 1, 255]) }], flag: true };
      assert.deepEqual(await ask(socket, "echo", value), value);
      const echo = heard(socket, "echo-event");
      socket.emit("echo-event", value, "and more");
      assert.deepEqual((await echo).slice(0, 2), [value, "and more"]);
    });

    test("rooms and broadcasts reach the same clients as ever", async () => {
      const [a, b] = [await clients.connect(), await clients.connect()];
      const news = heard(b, "news");
      await ask(a, "to", { rooms: [b.id] }, "news", { bytes: Buffer.from("x") });
      assert.deepEqual((await news)[0], { bytes: Buffer.from("x") });
    });

    test("namespaces are joined, refused and left over one connection", async () => {
      const socket = await clients.connect();
      const foo = clients.beside(socket, "/foo");
      await arrive(foo);
      assert.equal(await ask(foo, "echo", 1), 1);
      await assert.rejects(arrive(clients.beside(socket, "/nowhere")), { message: "Invalid namespace" });
      foo.disconnect();
      assert.equal(await ask(socket, "echo", 2), 2);
      const left = heard(socket, "disconnect");
      socket.emit("disconnect-me", false);
      assert.equal((await left)[0], "io server disconnect");
    });

    test("a client that writes packets as ever is cut off", async () => {
      const textual = new Clients(server, way, io, server.urlInJson);
      try {
        const socket = textual.make();
        const closed = new Promise((resolve) => socket.io.on("close", resolve));
        socket.connect();
        await closed;
      } finally {
        textual.leave();
      }
    });
  });
}
