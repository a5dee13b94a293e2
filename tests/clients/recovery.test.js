// Connection state recovery: who was cut off finds everything again, and hears what was said meanwhile, once and in order.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { Clients, WAYS, answered, arrive, heard, settled, upgraded } from "./support/client.js";
import { Server } from "./support/server.js";

const AT_ONCE = { reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 1, randomizationFactor: 0 };

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

for (const way of Object.keys(WAYS)) {
  describe(`recovery, ${way}`, () => {
    let clients;
    beforeEach(() => {
      clients = new Clients(server, way);
    });
    afterEach(() => clients.leave());

    /** A client that comes back by itself, and has an offset to come back with. */
    async function faithful() {
      const socket = clients.make("/", AT_ONCE);
      await arrive(socket);
      const first = heard(socket, "echo-event");
      socket.emit("echo-event", "first");
      await first;
      return socket;
    }

    /**
     * Cuts the connection, does something, and waits until the client is back. Never in the middle of an upgrade: the client
     * then puts aside what its last poll brought, without noting the offset, and is told it once more.
     */
    async function cut(socket, meanwhile = () => {}) {
      await upgraded(socket);
      const back = heard(socket, "connect");
      socket.io.engine.close();
      await meanwhile();
      await back;
    }

    test("the id, the rooms and the data are what they were", async () => {
      const socket = await faithful();
      await socket.emitWithAck("join", ["harbour", "pier"]);
      await socket.emitWithAck("set-data", "name", "Ada");
      const { id } = socket;
      await cut(socket);
      assert.equal(socket.recovered, true);
      assert.equal(socket.id, id);
      const state = await socket.emitWithAck("state");
      assert.deepEqual([state.recovered, state.rooms, state.data], [true, ["harbour", "pier"], { name: "Ada" }]);
    });

    test("under load nothing is lost, doubled or told out of order", async () => {
      const [socket, other] = [await faithful(), await clients.connect()];
      await socket.emitWithAck("join", "harbour");
      const came = [];
      socket.on("news", (number) => came.push(number));
      let [said, cuts] = [0, 0];
      const speak = async () => {
        for (let i = 0; i < 20; i += 1) {
          const whom = said % 2 ? { rooms: ["harbour"] } : {};
          other.emit("to", whom, "news", said);
          said += 1;
        }
        await settled(other);
      };
      for (; cuts < 10; cuts += 1) {
        await speak();
        await cut(socket, speak);
        assert.equal(socket.recovered, true, `after cut ${cuts}`);
      }
      await speak();
      await settled(socket);
      assert.deepEqual(came, Array.from({ length: said }, (_, i) => i));
    });

    test("what was said to the one who is away waits for it", async () => {
      const socket = await faithful();
      const came = heard(socket, "later");
      socket.emit("later", { target: "socket", ms: 100 }, "later", "for you");
      await settled(socket);
      await cut(socket);
      const [text] = await came;
      assert.equal(text, "for you");
    });

    test("who goes away on purpose starts anew", async () => {
      const socket = await faithful();
      const { id } = socket;
      socket.disconnect();
      await arrive(socket);
      assert.equal(socket.recovered, false);
      assert.notEqual(socket.id, id);
      const left = await answered(() => socket.emitWithAck("last-disconnect", id));
      assert.equal(left.reason, "client namespace disconnect");
    });
  });
}
