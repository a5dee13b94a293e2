// How a connection ends and comes again: whose word it was, what is said last, and a server that dies.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { Clients, WAYS, answered, arrive, heard, listen, settled, upgraded } from "./support/client.js";
import { Server } from "./support/server.js";

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

for (const way of Object.keys(WAYS)) {
  describe(`over ${way}`, () => {
    let clients;
    beforeEach(() => {
      clients = new Clients(server, way);
    });
    afterEach(() => clients.leave());

    /** Why the server thinks that socket left, as another one is told. */
    async function reasonOf(id, witness) {
      return (await answered(() => witness.emitWithAck("last-disconnect", id))).reason;
    }

    test("the client leaves", async () => {
      const [socket, witness] = [await clients.connect(), await clients.connect()];
      const { id } = socket;
      const left = heard(socket, "disconnect");
      socket.disconnect();
      assert.equal((await left)[0], "io client disconnect");
      assert.equal(await reasonOf(id, witness), "client namespace disconnect");
    });

    test("the client leaves one of its two namespaces", async () => {
      const [socket, witness] = [await clients.connect(), await clients.connect("/foo")];
      const foo = clients.beside(socket, "/foo");
      await arrive(foo);
      const { id } = foo;
      foo.disconnect();
      assert.equal(await reasonOf(id, witness), "client namespace disconnect");
      await settled(socket);
    });

    test("the client's connection ends without a word", async () => {
      const [socket, witness] = [await clients.connect(), await clients.connect()];
      const { id } = socket;
      const left = heard(socket, "disconnect");
      socket.io.engine.close();
      assert.equal((await left)[0], "forced close");
      assert.equal(await reasonOf(id, witness), "transport close");
    });

    test("the server ends one namespace", async () => {
      const [socket, witness] = [await clients.connect(), await clients.connect()];
      const foo = clients.beside(socket, "/foo");
      await arrive(foo);
      const { id } = socket;
      const left = heard(socket, "disconnect");
      socket.emit("disconnect-me", false);
      assert.equal((await left)[0], "io server disconnect");
      assert.equal(await reasonOf(id, witness), "server namespace disconnect");
      await settled(foo);
    });

    test("the server ends the whole connection", async () => {
      const socket = await clients.connect();
      const foo = clients.beside(socket, "/foo");
      await arrive(foo);
      const left = Promise.all([heard(socket, "disconnect"), heard(foo, "disconnect"), heard(socket.io, "close")]);
      socket.emit("disconnect-me", true);
      const [[first], [second]] = await left;
      assert.deepEqual([first, second], ["io server disconnect", "io server disconnect"]);
    });

    test("the server closes the connection below", async () => {
      const [socket, witness] = [await clients.connect(), await clients.connect()];
      const { id } = socket;
      const left = heard(socket, "disconnect");
      socket.emit("close-engine");
      assert.equal((await left)[0], "transport close");
      assert.equal(await reasonOf(id, witness), "forced close");
    });

    test("the last word comes before the end", async () => {
      for (const close of [false, true]) {
        const socket = await clients.connect();
        const order = [];
        socket.on("bye", () => order.push("bye"));
        socket.on("disconnect", () => order.push("disconnect"));
        const left = heard(socket, "disconnect");
        socket.emit("bye-then-disconnect", close);
        await left;
        assert.deepEqual(order, ["bye", "disconnect"]);
      }
    });

    test("others hear nothing more of rooms whose member has left", async () => {
      const [socket, witness] = [await clients.connect("/chat"), await clients.connect("/chat")];
      await socket.emitWithAck("join", "deck");
      const { id } = socket;
      socket.disconnect();
      await reasonOf(id, witness);
      assert.deepEqual(await witness.emitWithAck("fetch-sockets", { rooms: ["deck"], self: true }), []);
    });

    test("who comes again after leaving is somebody new", async () => {
      const socket = await clients.connect();
      const { id } = socket;
      await socket.emitWithAck("join", "deck");
      socket.disconnect();
      await arrive(socket);
      assert.notEqual(socket.id, id);
      assert.deepEqual(await socket.emitWithAck("rooms"), []);
    });
  });
}

describe("a heartbeat", () => {
  test("is answered over every transport, and the line goes on", async () => {
    const all = Object.keys(WAYS).map((way) => new Clients(server, way));
    const sockets = await Promise.all(all.map((clients) => clients.connect()));
    await Promise.all(sockets.map((socket) => heard(socket.io, "ping")));
    await Promise.all(sockets.map(settled));
    for (const clients of all) clients.leave();
  });
});

describe("a server that dies", () => {
  for (const way of Object.keys(WAYS)) {
    test(`is found again over ${way}, and what was said meanwhile is said then`, async (t) => {
      const mortal = await Server.start();
      const clients = new Clients(mortal, way);
      t.after(() => {
        clients.leave();
        return mortal.kill();
      });
      const socket = clients.make("/", { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 });
      await arrive(socket);
      await upgraded(socket);
      const { id } = socket;
      const left = heard(socket, "disconnect");
      await mortal.kill();
      assert.match((await left)[0], /^transport (close|error)$/);

      const [back, event] = [heard(socket, "connect"), heard(socket, "echo-event")];
      const said = listen(socket, "echo-event");
      socket.emit("echo-event", "said to nobody");
      await heard(socket.io, "reconnect_attempt");
      await mortal.start();
      await back;
      assert.notEqual(socket.id, id);
      assert.ok(!socket.recovered);
      assert.equal((await event)[0], "said to nobody");
      await settled(socket);
      assert.equal(said.length, 1);
    });
  }
});

describe("the browser's client", () => {
  const files = ["socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"];
  for (const file of files) {
    test(`${file} is served as it was published`, async () => {
      const response = await fetch(`${server.url}/socket.io/${file}`);
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type"), /javascript/);
      const published = await readFile(new URL(`node_modules/socket.io-client/dist/${file}`, import.meta.url), "utf8");
      assert.equal(await response.text(), published);
    });
  }
});
