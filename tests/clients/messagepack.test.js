// The official client with the official parser of MessagePack, against a server that speaks the same.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { io } from "socket.io-client";
import parser from "socket.io-msgpack-parser";

import { Clients, WAYS, arrive, heard, heardTimes, upgraded } from "./support/client.js";
import { Server } from "./support/server.js";

const WITHIN_MS = 10_000;

const VALUES = {
  "null": null,
  "booleans": [true, false],
  "integers of every length": [0, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER],
  "integers below zero": [-1, -32, -33, -128, -129, -32_768, -32_769, -2_147_483_648, -2_147_483_649, Number.MIN_SAFE_INTEGER],
  "fractions": [0.1, -1.25, 1.5e-300, 5e-324],
  "texts of every length": ["", "ahoy", "a".repeat(31), "a".repeat(32), "a".repeat(256), "a".repeat(70_000)],
  "text of other scripts": "てすと Я Б Г Ä ß 🚢\u2028",
  "text with signs that JSON escapes": "\u0000\u001f\"\\/\n\t\u007f",
  "lists in lists": [[], [1, [2, [3, [[]]]]]],
  "a long list": Array.from({ length: 70_000 }, (_, at) => at % 100),
  "objects": { a: { b: { c: [null, { d: "" }] } }, "": 1, "a b": 2 },
  "a wide object": Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`key ${at}`, at])),
  "an object that looks like a placeholder": { _placeholder: "yes", num: -1 },
};

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

function ask(socket, event, ...args) {
  return socket.timeout(WITHIN_MS).emitWithAck(event, ...args);
}

/** What was said is there; after it a server that can recover connections adds its offset. */
function carries(args, said) {
  assert.deepEqual(args.slice(0, said.length), said);
}

for (const way of Object.keys(WAYS)) {
  describe(`in MessagePack over ${way}`, () => {
    const inMessagePack = (url, options) => io(url, { ...options, parser });
    let clients;
    beforeEach(() => {
      clients = new Clients(server, way, inMessagePack, server.urlInMessagePack);
    });
    afterEach(() => clients.leave());

    test("every kind of value goes there and back unchanged", async (t) => {
      const socket = await clients.connect();
      for (const [name, value] of Object.entries(VALUES)) {
        await t.test(name, async () => {
          const echo = heard(socket, "echo-event");
          socket.emit("echo-event", value);
          carries(await echo, [value]);
          assert.deepEqual(await ask(socket, "echo", value), value);
        });
      }
    });

    test("bytes go there and back, alone, nested, and many of them", async () => {
      const socket = await clients.connect();
      const small = Buffer.from([0, 1, 2, 255]);
      const large = Buffer.alloc(100_000, 7);
      for (const value of [small, { a: [small, { b: large }] }, Array.from({ length: 10 }, () => small)]) {
        assert.deepEqual(await ask(socket, "echo", value), value);
        const echo = heard(socket, "echo-event");
        socket.emit("echo-event", value, "and more");
        carries(await echo, [value, "and more"]);
      }
    });

    test("a date is what JSON makes of it, and what is undefined is not there", async () => {
      const socket = await clients.connect();
      const date = new Date(1_700_000_000_123);
      assert.deepEqual(await ask(socket, "echo", { date, none: undefined }), { date: date.toISOString() });
    });

    test("events keep their order, also across an upgrade", async () => {
      const socket = clients.make();
      const echoes = heardTimes(socket, "echo-event", 200);
      await arrive(socket);
      for (let at = 0; at < 200; at++) socket.emit("echo-event", at);
      const order = (await echoes).map(([at]) => at);
      assert.deepEqual(order, Array.from({ length: 200 }, (_, at) => at));
      await upgraded(socket);
    });

    test("rooms and broadcasts reach the same clients as ever", async () => {
      const [a, b] = [await clients.connect(), await clients.connect()];
      const news = heard(b, "news");
      await ask(a, "to", { rooms: [b.id] }, "news", { bytes: Buffer.from("x") });
      carries(await news, [{ bytes: Buffer.from("x") }]);
    });

    test("namespaces are joined, refused and left over one connection", async () => {
      const socket = await clients.connect();
      const foo = clients.beside(socket, "/foo");
      await arrive(foo);
      assert.equal(await ask(foo, "echo", 1), 1);
      const nowhere = clients.beside(socket, "/nowhere");
      await assert.rejects(arrive(nowhere), { message: "Invalid namespace" });
      const refused = clients.make("/auth", { auth: { token: "guess" } });
      const why = await arrive(refused).then(() => assert.fail("was let in"), (error) => error);
      assert.equal(why.message, "not authorized");
      assert.deepEqual(why.data, { code: 401, need: ["token"] });
      foo.disconnect();
      assert.equal(await ask(socket, "echo", 2), 2);
    });

    test("the server ends a namespace", async () => {
      const socket = await clients.connect();
      const left = heard(socket, "disconnect");
      socket.emit("disconnect-me", false);
      assert.equal((await left)[0], "io server disconnect");
    });

    test("a client that speaks text is cut off", async () => {
      const textual = new Clients(server, way, io, server.urlInMessagePack);
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
