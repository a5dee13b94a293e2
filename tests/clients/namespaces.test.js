// Several namespaces over one connection, and who is let into them.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { Clients, WAYS, arrive, heard, listen, settled } from "./support/client.js";
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

    test("namespaces share a connection, each with an id of its own", async () => {
      const main = await clients.connect();
      const others = [clients.beside(main, "/foo"), clients.beside(main, "/chat")];
      for (const other of others) await arrive(other);
      const all = [main, ...others];
      assert.ok(all.every((socket) => socket.io.engine === main.io.engine));
      assert.equal(new Set(all.map((socket) => socket.id)).size, 3);
      for (const socket of all) assert.equal(await socket.emitWithAck("getId"), socket.id);
      assert.ok(all.every((socket) => socket.id !== main.io.engine.id), "the session's id is a secret of its own");
    });

    test("an event stays in its namespace", async () => {
      const main = await clients.connect();
      const foo = clients.beside(main, "/foo");
      await arrive(foo);
      const strays = listen(main, "echo-event");
      const event = heard(foo, "echo-event");
      foo.emit("echo-event", "only here");
      assert.equal((await event)[0], "only here");
      await settled(main);
      assert.deepEqual(strays, []);
    });

    test("who leaves one namespace stays in the others", async () => {
      const main = await clients.connect();
      const foo = clients.beside(main, "/foo");
      await arrive(foo);
      foo.disconnect();
      await settled(main);
      assert.ok(main.connected && !foo.connected);
      const before = foo.id;
      await arrive(foo);
      assert.notEqual(foo.id, before);
      await settled(foo);
    });

    test("a namespace that is not there is refused, and the connection stays", async () => {
      const main = await clients.connect();
      const nowhere = clients.beside(main, "/nowhere");
      await assert.rejects(arrive(nowhere), { message: "Invalid namespace" });
      assert.equal(nowhere.connected, false);
      await settled(main);
    });

    test("a namespace that is not there is refused to a first comer, too", async () => {
      await assert.rejects(clients.connect("/nowhere"), { message: "Invalid namespace" });
    });

    test("who may not come in learns why, in words and in data", async () => {
      const socket = clients.make("/auth", { auth: { token: "guess" } });
      await assert.rejects(arrive(socket), (error) => {
        assert.equal(error.message, "not authorized");
        assert.deepEqual(error.data, { code: 401, need: ["token"] });
        return true;
      });
      assert.equal(socket.connected, false);
    });

    test("who was refused may try again on the same connection", async () => {
      let token = "guess";
      const socket = clients.make("/auth", { auth: (tell) => tell({ token, user: "bo" }) });
      await assert.rejects(arrive(socket), { message: "not authorized" });
      token = "secret";
      const welcome = heard(socket, "welcome");
      await arrive(socket);
      assert.deepEqual((await welcome)[0], { user: "bo", second: true });
    });

    test("what is said while the door is still being answered is heard after it opened", async () => {
      const socket = clients.make("/auth", { auth: { token: "secret", delay: 50 } });
      const event = heard(socket, "echo-event");
      socket.emit("echo-event", "early");
      await arrive(socket);
      assert.equal((await event)[0], "early");
    });

    test("the query of the first request can keep somebody out", async () => {
      const socket = clients.make("/", { query: { fail: "yes" } });
      await assert.rejects(arrive(socket), { message: "Auth failed (main namespace)" });
    });
  });
}
