// Who hears what: rooms, unions and exceptions, everybody but the sender, and the room that each socket is born with.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { Clients, WAYS, listen, settled } from "./support/client.js";
import { Server } from "./support/server.js";

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

for (const way of Object.keys(WAYS)) {
  describe(`over ${way}`, () => {
    let clients;
    let ada;
    let bo;
    let cem;
    beforeEach(async () => {
      clients = new Clients(server, way);
      [ada, bo, cem] = await Promise.all([clients.connect("/chat"), clients.connect("/chat"), clients.connect("/chat")]);
    });
    afterEach(() => clients.leave());

    /** What each of the three heard of an event that `say` sends. */
    async function hearings(say) {
      const heard = [ada, bo, cem].map((socket) => listen(socket, "news"));
      await say();
      await Promise.all([ada, bo, cem].map(settled));
      return heard.map((all) => all.map(([what]) => what));
    }

    test("a broadcast is for everybody but the sender", async () => {
      assert.deepEqual(await hearings(() => ada.emitWithAck("broadcast", "news", 1)), [[], [1], [1]]);
    });

    test("everybody includes the sender", async () => {
      assert.deepEqual(await hearings(() => ada.emitWithAck("to", { self: true }, "news", 1)), [[1], [1], [1]]);
    });

    test("a room is for those who joined it, once each, without the sender", async () => {
      assert.deepEqual(await ada.emitWithAck("join", "deck"), ["deck"]);
      assert.deepEqual(await bo.emitWithAck("join", ["deck", "galley"]), ["deck", "galley"]);
      const news = await hearings(() => ada.emitWithAck("to", { rooms: ["deck", "galley"] }, "news", 1));
      assert.deepEqual(news, [[], [1], []]);
    });

    test("a room hears from who is not in it", async () => {
      await bo.emitWithAck("join", "deck");
      assert.deepEqual(await hearings(() => cem.emitWithAck("to", { rooms: ["deck"] }, "news", 1)), [[], [1], []]);
    });

    test("an exception outweighs a room", async () => {
      for (const socket of [ada, bo, cem]) await socket.emitWithAck("join", "deck");
      await cem.emitWithAck("join", "asleep");
      const news = await hearings(() => ada.emitWithAck("to", { rooms: ["deck"], except: ["asleep"], self: true }, "news", 1));
      assert.deepEqual(news, [[1], [1], []]);
    });

    test("who left a room hears nothing more of it", async () => {
      await bo.emitWithAck("join", "deck");
      await cem.emitWithAck("join", "deck");
      assert.deepEqual(await bo.emitWithAck("leave", "deck"), []);
      assert.deepEqual(await hearings(() => ada.emitWithAck("to", { rooms: ["deck"] }, "news", 1)), [[], [], [1]]);
    });

    test("an id is the name of a room with one in it", async () => {
      assert.deepEqual(await hearings(() => ada.emitWithAck("to", { rooms: [cem.id] }, "news", 1)), [[], [], [1]]);
    });

    test("a room of one namespace is unknown in another", async () => {
      const stranger = await clients.connect("/foo");
      await stranger.emitWithAck("join", "deck");
      await bo.emitWithAck("join", "deck");
      const strays = listen(stranger, "news");
      assert.deepEqual(await hearings(() => ada.emitWithAck("to", { rooms: ["deck"] }, "news", 1)), [[], [1], []]);
      await settled(stranger);
      assert.deepEqual(strays, []);
    });

    test("bytes reach a whole room", async () => {
      for (const socket of [ada, bo, cem]) await socket.emitWithAck("join", "deck");
      const bytes = Buffer.from([0, 255, 1]);
      const news = await hearings(() => ada.emitWithAck("to", { rooms: ["deck"], self: true }, "news", { bytes }));
      assert.deepEqual(news, [[{ bytes }], [{ bytes }], [{ bytes }]]);
    });

    test("what may be lost is heard once, if at all", async () => {
      for (const socket of [ada, bo, cem]) await socket.emitWithAck("join", "deck");
      const [sender, ...others] = await hearings(() => ada.emitWithAck("to", { rooms: ["deck"], volatile: true }, "news", 1));
      assert.deepEqual(sender, []);
      for (const all of others) assert.ok(all.length <= 1 && all.every((what) => what === 1));
    });
  });
}
