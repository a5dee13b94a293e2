// What goes over the wire: every kind of value, bytes, acknowledgements, sizes and order.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { NodeWebSocket, NodeXHR } from "socket.io-client";

import { Clients, WAYS, arrive, heard, heardTimes, settled, upgraded } from "./support/client.js";
import { Server } from "./support/server.js";

const WITHIN_MS = 10_000;
const MAX_PAYLOAD_BYTES = 1_000_000;

const VALUES = {
  "null": null,
  "true": true,
  "false": false,
  "zero": 0,
  "a negative number": -1,
  "a fraction": 0.1,
  "the largest safe integer": Number.MAX_SAFE_INTEGER,
  "a number with an exponent": 1.5e-300,
  "no text": "",
  "text": "ahoy",
  "text of other scripts": "てすと Я Б Г Ä ß 🚢\u2028",
  "text with signs that JSON escapes": "\u0000\u001f\"\\/\n\t\u007f",
  "half of a pair": "\ud83d",
  "text that looks like a packet": "42[\"event\"]\u001e2",
  "long text": "a".repeat(100_000),
  "no list": [],
  "lists in lists": [1, [2, [3, [[]]]]],
  "no object": {},
  "objects in objects": { a: { b: { c: [null, { d: "" }] } }, "": 1, "a b": 2 },
  "an object that looks like a placeholder": { _placeholder: "yes", num: -1 },
};

/** What was said is there; after it a server that can recover connections adds its offset. */
function carries(args, said) {
  assert.deepEqual(args.slice(0, said.length), said);
}

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

    test("every kind of JSON goes there and back unchanged", async (t) => {
      const socket = await clients.connect();
      for (const [name, value] of Object.entries(VALUES)) {
        await t.test(name, async () => {
          const event = heard(socket, "echo-event");
          socket.emit("echo-event", value);
          carries(await event, [value]);
          assert.deepEqual(await socket.timeout(WITHIN_MS).emitWithAck("echo", value), value);
        });
      }
    });

    test("an event may have no argument, or many", async () => {
      const socket = await clients.connect();
      for (const args of [[], Object.values(VALUES)]) {
        const event = heard(socket, "echo-event");
        socket.emit("echo-event", ...args);
        carries(await event, args);
      }
    });

    test("the server sees of which kind each argument is", async () => {
      const socket = await clients.connect();
      const kinds = await socket.timeout(WITHIN_MS).emitWithAck("types", null, true, 1, "", [], {}, Buffer.alloc(1));
      assert.deepEqual(kinds, ["null", "boolean", "number", "string", "array", "object", "binary"]);
    });

    test("bytes go there and back, alone, nested, several and none", async (t) => {
      const socket = await clients.connect();
      const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const cases = {
        "alone": [every],
        "none": [Buffer.alloc(0)],
        "nested": [{ head: "x", parts: [{ body: every }, "between", { body: Buffer.from("tail") }] }],
        "several": [Buffer.from("one"), "two", Buffer.from("three"), [Buffer.from("four")], Buffer.alloc(0)],
        "beside a null": [null, Buffer.from("x"), null],
        "large": [Buffer.alloc(700_000, "roomcast")],
      };
      for (const [name, args] of Object.entries(cases)) {
        await t.test(name, async () => {
          const event = heard(socket, "echo-event");
          socket.emit("echo-event", ...args);
          carries(await event, args);
          assert.deepEqual(await socket.timeout(WITHIN_MS).emitWithAck("echo", ...args), args[0]);
        });
      }
    });

    test("views of bytes arrive as the bytes they show", async () => {
      const socket = await clients.connect();
      const whole = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7]);
      const answer = await socket.timeout(WITHIN_MS).emitWithAck("echo", { middle: whole.subarray(2, 5), buffer: whole.buffer });
      assert.deepEqual(answer, { middle: Buffer.from([2, 3, 4]), buffer: Buffer.from(whole) });
    });

    test("an acknowledgement carries several values", async () => {
      const socket = await clients.connect();
      const values = await new Promise((resolve) => socket.emit("echo", 1, { two: [2] }, Buffer.from("3"), (...all) => resolve(all)));
      assert.deepEqual(values, [1, { two: [2] }, Buffer.from("3")]);
    });

    test("an acknowledgement that never comes is a timeout", async () => {
      const socket = await clients.connect();
      await assert.rejects(socket.timeout(50).emitWithAck("no-ack"), /operation has timed out/);
      await settled(socket);
    });

    test("an event that was acknowledged twice is answered once", async () => {
      const socket = await clients.connect();
      const answers = [];
      socket.emit("double-ack", (answer) => answers.push(answer));
      await settled(socket);
      assert.deepEqual(answers, ["first"]);
    });

    test("a thousand acknowledgements find the event that each belongs to", async () => {
      const socket = await clients.connect();
      const asked = Array.from({ length: 1_000 }, (_, i) => socket.timeout(WITHIN_MS).emitWithAck("echo", i));
      assert.deepEqual(await Promise.all(asked), Array.from({ length: 1_000 }, (_, i) => i));
    });

    test("the server asks, and the client answers with values and bytes", async () => {
      const socket = await clients.connect();
      socket.on("question", (question, answer) => answer(question, [Buffer.from("bytes")]));
      const { values } = await socket.timeout(WITHIN_MS).emitWithAck("server-ack", WITHIN_MS, "question", "why?");
      assert.deepEqual(values, ["why?", [Buffer.from("bytes")]]);
    });

    test("the server does not wait for ever for an answer", async () => {
      const socket = await clients.connect();
      const outcome = await socket.timeout(WITHIN_MS).emitWithAck("server-ack", 50, "nobody listens");
      assert.deepEqual(outcome, { error: "operation has timed out" });
    });

    for (const kind of ["text", "binary"]) {
      test(`3 MB of ${kind} come down whole, and the line stays`, async () => {
        const socket = await clients.connect();
        const big = await socket.timeout(WITHIN_MS).emitWithAck("big", kind, 3_000_000);
        const wanted = Buffer.alloc(3_000_000, "a");
        assert.ok(kind === "text" ? big === wanted.toString() : wanted.equals(big));
        await settled(socket);
      });
    }

    test("a message just below the limit goes up", async () => {
      const socket = await clients.connect();
      const bytes = MAX_PAYLOAD_BYTES - 1_000;
      assert.equal(await socket.timeout(WITHIN_MS).emitWithAck("size", "a".repeat(bytes)), bytes);
    });

    for (const [kind, value] of [["text", "a".repeat(MAX_PAYLOAD_BYTES + 1)], ["binary", Buffer.alloc(MAX_PAYLOAD_BYTES + 1)]]) {
      test(`a ${kind} message above the limit closes its connection and no other`, async () => {
        const [socket, other] = [await clients.connect(), await clients.connect()];
        const left = heard(socket, "disconnect");
        socket.emit("echo-event", value);
        const [reason] = await left;
        assert.match(reason, /^transport (close|error)$/);
        await settled(other);
      });
    }
  });
}

describe("during the upgrade", () => {
  let clients;
  beforeEach(() => {
    clients = new Clients(server, "upgrade");
  });
  afterEach(() => clients.leave());

  /** A client that is connected by polling, and begins its upgrade just now. */
  async function early() {
    let begin;
    const begun = new Promise((resolve) => (begin = resolve));
    class LateWebSocket extends NodeWebSocket {
      doOpen() {
        begun.then(() => super.doOpen());
      }
    }
    const socket = clients.make("/", { transports: [NodeXHR, LateWebSocket] });
    await arrive(socket);
    assert.equal(socket.io.engine.transport.name, "polling");
    begin();
    return socket;
  }

  test("a thousand messages each way keep their order", async () => {
    const socket = await early();
    const came = heardTimes(socket, "echo-event", 1_000);
    // One at a time, so that some go before, some in the middle, and some after.
    for (let i = 0; i < 1_000; i += 1) {
      socket.emit("echo-event", i);
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    assert.deepEqual((await came).map(([i]) => i), Array.from({ length: 1_000 }, (_, i) => i));
    await upgraded(socket);
  });

  test("bytes stay with the message they belong to", async () => {
    const socket = await early();
    const came = heardTimes(socket, "echo-event", 200);
    for (let i = 0; i < 200; i += 1) {
      socket.emit("echo-event", i, Buffer.from(String(i)));
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    for (const [i, args] of (await came).entries()) carries(args, [i, Buffer.from(String(i))]);
    await upgraded(socket);
  });

  test("what the server says meanwhile is heard once and in order", async () => {
    const other = await clients.connect();
    const socket = await early();
    const came = heardTimes(socket, "news", 500);
    const heardAll = [];
    socket.on("news", (i) => heardAll.push(i));
    for (let i = 0; i < 500; i += 1) {
      other.emit("broadcast", "news", i);
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    await came;
    await upgraded(socket);
    await settled(socket);
    assert.deepEqual(heardAll, Array.from({ length: 500 }, (_, i) => i));
  });
});
