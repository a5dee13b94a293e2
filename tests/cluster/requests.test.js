// What one node asks of the others: sockets, rooms, answers of clients and of servers; and what a process without sockets says.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { Emitter } from "@socket.io/redis-emitter";

import { hearings, heard, run, until } from "./support/cluster.js";
import { WIRES, eachWire, pairs, withNodes } from "./support/matrix.js";

const WITHIN_MS = 10_000;

eachWire(WIRES, (wire) => {
  const nodes = withNodes(wire);

  for (const [title, from, to] of pairs(nodes)) {
    describe(title, () => {
      let ada;
      let bo;
      let cem;
      beforeEach(async () => {
        [ada, bo, cem] = await Promise.all([from().client("ada"), to().client("bo"), to().client("cem")]);
        await bo.do("join", "deck");
      });
      afterEach(() => [from(), to()].forEach((node) => node.leave()));

      const fetched = async (opts = {}) => {
        const { sockets, missing } = await ada.do("fetch", opts);
        assert.equal(missing, 0);
        return sockets.sort((a, b) => a.data.name.localeCompare(b.data.name));
      };
      /** What a room of the other node's is like: asked until it is so, since nobody says when it is done. */
      const roomIs = (room, names) =>
        until(async () => {
          const sockets = await fetched({ rooms: [room] });
          return sockets.map((socket) => socket.data.name).join() === names.join();
        });

      test("sockets are fetched with their data, rooms and handshakes", async () => {
        const [first, second, third] = await fetched();
        assert.deepEqual([first.id, second.id, third.id], [ada.id, bo.id, cem.id]);
        assert.deepEqual(second.rooms.sort(), [bo.id, "deck"].sort());
        assert.deepEqual(second.data, { name: "bo" });
        assert.equal(second.query, "bo");
        assert.match(second.address, /127\.0\.0\.1$/);
        assert.deepEqual((await fetched({ rooms: ["deck"] })).map(({ id }) => id), [bo.id]);
        assert.deepEqual((await fetched({ except: ["deck"] })).map(({ id }) => id), [ada.id, cem.id]);
        assert.deepEqual((await fetched({ local: true })).map(({ id }) => id), [ada.id]);
      });

      test("sockets join and leave rooms", async () => {
        await ada.do("sockets join", { rooms: ["deck"] }, ["galley", "hold"]);
        await roomIs("galley", ["bo"]);
        await ada.do("sockets join", { except: ["deck"] }, ["galley"]);
        await roomIs("galley", ["ada", "bo", "cem"]);
        await ada.do("sockets leave", { rooms: ["hold"] }, ["galley", "hold"]);
        await roomIs("galley", ["ada", "cem"]);
        await roomIs("hold", []);
      });

      test("sockets are sent away, alone or with their connections", async () => {
        const gone = heard(bo, "disconnect");
        await ada.do("sockets disconnect", { rooms: ["deck"] }, false);
        assert.equal((await gone)[0], "io server disconnect");
        const closed = heard(cem, "disconnect");
        await ada.do("sockets disconnect", { rooms: [cem.id] }, true);
        await closed;
        assert.equal(cem.io.engine.readyState === "open", false);
      });

      test("a broadcast is answered by the clients of all nodes", async () => {
        for (const socket of [ada, bo, cem]) socket.on("q", (value, ack) => ack([value, socket.auth.name]));
        const { answers, complete } = await ada.do("ask", {}, WITHIN_MS, "q", 1);
        assert.equal(complete, true);
        assert.deepEqual(answers.sort(), [[1, "ada"], [1, "bo"], [1, "cem"]]);
        const one = await ada.do("ask", { rooms: ["deck"] }, WITHIN_MS, "q", 2);
        assert.deepEqual(one, { answers: [[2, "bo"]], complete: true });
        const none = await ada.do("ask", { rooms: ["nobody's"] }, WITHIN_MS, "q", 3);
        assert.deepEqual(none, { answers: [], complete: true });
      });

      test("a broadcast is answered with bytes, or with nothing", async () => {
        bo.on("q", (value, ack) => ack(Buffer.concat([value, value])));
        const { answers } = await ada.do("ask", { rooms: ["deck"] }, WITHIN_MS, "q", Buffer.from("ab"));
        assert.deepEqual(answers, [Buffer.from("abab")]);
        cem.on("q", (_, ack) => ack());
        const nothing = await ada.do("ask", { rooms: [cem.id] }, WITHIN_MS, "q", 1);
        assert.equal(nothing.complete, true);
        assert.deepEqual(nothing.answers.map((answer) => answer ?? null), [null]);
      });

      test("who does not answer in time is missing, and the others are not", async () => {
        ada.on("q", (_, ack) => ack("ada"));
        bo.on("q", (_, ack) => ack("bo"));
        const { answers, complete } = await ada.do("ask", {}, 300, "q", 1);
        assert.equal(complete, false);
        assert.deepEqual(answers.sort(), ["ada", "bo"]);
      });

      test("servers speak to the other servers", async () => {
        const value = { list: [1, "two"], nothing: null };
        await ada.do("server side", "hello", value);
        for (const node of [...nodes.ours, ...nodes.node].filter((node) => node !== from())) {
          const client = await node.client("listener");
          await until(async () => {
            const [said] = [await client.do("said")];
            if (said.length > 0) assert.deepEqual(said, [value]);
            return said.length > 0;
          });
          client.disconnect();
        }
        assert.deepEqual(await ada.do("said"), [], "not to itself");
      });

      test("servers answer", async () => {
        assert.deepEqual(await ada.do("server side ack", 21), { answers: [42, 42], missing: 0 });
      });

      test("servers are counted", async () => {
        await until(async () => (await ada.do("other nodes")) === 2);
      });

      if (title.startsWith("from the official")) {
        if (wire.startsWith("classic")) {
          test("all rooms", async () => {
            const rooms = await ada.do("all rooms");
            for (const room of ["deck", ada.id, bo.id, cem.id]) assert.ok(rooms.includes(room), room);
          });
        }
      }
    });
  }

  if (wire.startsWith("classic")) {
    test("an emitter speaks to all, joins and sends away", async () => {
      const client = await nodes.redis.client();
      const emitter = new Emitter(client);
      const all = [...nodes.ours, ...nodes.node];
      const sockets = await Promise.all(all.map((node) => node.client("socket")));
      const [, , third] = sockets;
      const [first] = sockets;
      await first.do("join", "deck");
      emitter.to("deck").emit("news", 1, Buffer.from("x"));
      emitter.except("deck").emit("news", 2);
      emitter.compress(false).emit("news", 3);
      emitter.to("deck").socketsJoin(["galley"]);
      emitter.serverSideEmit("hello", "emitter");
      // And one of ours, another process, once Redis has heard the first.
      await client.ping();
      await run("cluster_emitter", nodes.redis.url, wire, "deck", "news", "4");
      await until(async () => (await first.do("fetch", { rooms: ["galley"] })).sockets.length === 1);
      const all3 = await hearings(third, sockets);
      assert.deepEqual(all3[0], [["news", 1, Buffer.from("x")], ["news", 3], ["news", "4", Buffer.from("4")]]);
      for (const heard of all3.slice(1)) assert.deepEqual(heard, [["news", 2], ["news", 3]]);
      for (const socket of sockets) await until(async () => (await socket.do("said")).includes("emitter"));
      const gone = heard(first, "disconnect");
      emitter.in("galley").disconnectSockets(true);
      await gone;
      await client.close();
      for (const node of all) node.leave();
    });
  }

  if (wire === "sharded" || wire.startsWith("streams")) {
    test("an emitter of ours speaks to all", async () => {
      const all = [...nodes.ours, ...nodes.node];
      const sockets = await Promise.all(all.map((node) => node.client("socket")));
      await sockets[2].do("join", "deck");
      await run("cluster_emitter", nodes.redis.url, wire, "deck", "news", "4");
      const heard = await hearings(sockets[0], sockets);
      assert.deepEqual(heard, [[], [], [["news", "4", Buffer.from("4")]]]);
      for (const node of all) node.leave();
    });
  }

  test("nothing that was asked is left behind", async () => {
    const { waiting_bytes, state, ignored } = await nodes.ours[0].status();
    assert.deepEqual({ waiting_bytes, state, ignored }, { waiting_bytes: 0, state: "Joined", ignored: 0 });
  });
});
