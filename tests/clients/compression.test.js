// permessage-deflate and compressed answers: the official client in all three ways, and the WebSocket package below it in
// every setting it has, against a plain echo.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { constants, deflateRawSync } from "node:zlib";

import WebSocket from "ws";

import { Clients, WAYS, heard } from "./support/client.js";
import { Server } from "./support/server.js";

const EXTENSION = "permessage-deflate";
const WITHIN_MS = 10_000;
const LIMITS_BYTES_MAX = 1000;
const SIZES = [0, 1, 16, 63, 64, 125, 126, 257, 1024, 4096, 32_768, 65_535, 65_536, 131_072, 1_000_000];
const PARTS = [1, 7, 100, 4096];
const PARTS_MAX = 300;

/** What a client may ask for, and what it compresses with. */
const SETTINGS = {
  "as it comes": {},
  "forgetting what it sent": { clientNoContextTakeover: true },
  "asking us to forget": { serverNoContextTakeover: true },
  "with the smallest window for us": { serverMaxWindowBits: 9 },
  "with smaller windows for both": { serverMaxWindowBits: 12, clientMaxWindowBits: 10 },
  "with the largest window for us": { serverMaxWindowBits: 15 },
  "in a hurry": { zlibDeflateOptions: { level: 1 } },
  "without references": { zlibDeflateOptions: { strategy: constants.Z_HUFFMAN_ONLY } },
  "in blocks as they are": { zlibDeflateOptions: { level: 0 } },
};

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

for (const way of Object.keys(WAYS)) {
  describe(`over ${way}`, () => {
    let clients;
    beforeEach(() => {
      clients = new Clients({ url: server.limits }, way);
    });
    afterEach(() => clients.leave());

    test("messages of all sizes arrive both ways", async () => {
      const socket = await clients.connect("/", { perMessageDeflate: { threshold: 0 } });
      const { transport } = socket.io.engine;
      if (way !== "polling") assert.match(transport.ws.extensions, /permessage-deflate/);
      for (const bytes of [0, 1, 63, 64, 65, 500, 600]) {
        assert.equal(await socket.timeout(WITHIN_MS).emitWithAck("size", "é".repeat(bytes / 2)), bytes - (bytes % 2));
        assert.equal(await socket.timeout(WITHIN_MS).emitWithAck("size", Buffer.alloc(bytes, 7)), bytes);
      }
      for (const bytes of [0, 1, 63, 64, 1024, 100_000, 1_000_000]) {
        assert.equal(await socket.timeout(WITHIN_MS).emitWithAck("big", "text", bytes), "a".repeat(bytes));
        assert.deepEqual(await socket.timeout(WITHIN_MS).emitWithAck("big", "binary", bytes), Buffer.alloc(bytes, "a"));
      }
    });

    test("what inflates beyond the limit ends the connection, and no other", async () => {
      const options = { perMessageDeflate: { threshold: 0 } };
      const [socket, other] = [await clients.connect("/", options), await clients.connect("/", options)];
      const gone = heard(socket, "disconnect");
      socket.emit("size", "a".repeat(LIMITS_BYTES_MAX * 100));
      assert.match((await gone)[0], /^transport (close|error)$/);
      assert.equal(await other.timeout(WITHIN_MS).emitWithAck("size", "still here"), 10);
    });
  });
}

describe("an answer to a poll", () => {
  for (const [accepts, coding] of [["gzip, deflate", "gzip"], ["deflate", "deflate"], ["br", null], ["identity", null]]) {
    test(`is sent as ${coding ?? "it is"} to who accepts ${accepts}`, async () => {
      const path = `${server.limits}/socket.io/?EIO=4&transport=polling`;
      const headers = { "Accept-Encoding": accepts };
      const opened = await (await fetch(path)).text();
      const session = `${path}&sid=${JSON.parse(opened.slice(1)).sid}`;
      await fetch(session, { method: "POST", body: "40" });
      const connected = await fetch(session, { headers });
      assert.match(await connected.text(), /^40/);
      assert.equal(connected.headers.get("content-encoding"), null, "too short");
      await fetch(session, { method: "POST", body: '420["big","text",5000]' });
      const answer = await fetch(session, { headers });
      assert.equal(answer.headers.get("content-encoding"), coding);
      assert.match(answer.headers.get("vary"), /Accept-Encoding/);
      assert.equal(await answer.text(), `430["${"a".repeat(5000)}"]`);
    });
  }
});

/** A WebSocket to the plain echo. */
async function echo(perMessageDeflate) {
  const socket = new WebSocket(server.raw, { perMessageDeflate, maxPayload: 0 });
  socket.setMaxListeners(0);
  const opened = new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const messages = [];
  const waiting = [];
  socket.on("message", (data) => (waiting.shift() ?? ((message) => messages.push(message)))(data));
  await opened;
  const next = () =>
    new Promise((resolve, reject) => {
      if (messages.length > 0) return resolve(messages.shift());
      waiting.push(resolve);
      socket.once("close", (code) => reject(new Error(`closed: ${code}`)));
    });
  return { socket, next };
}

function words(bytes) {
  return Buffer.alloc(bytes, "the quick brown fox jumps over the lazy dog, ");
}

/** The same noise each time. */
function noise(bytes) {
  const buffer = Buffer.alloc(bytes);
  let state = 1;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    buffer[i] = state >>> 16;
  }
  return buffer;
}

describe("an echo", () => {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    test(`comes back to a client ${name}`, async () => {
      const { socket, next } = await echo({ threshold: 0, ...setting });
      assert.equal(socket.extensions, EXTENSION);
      for (const [payload, binary] of SIZES.flatMap((bytes) => [[words(bytes), false], [noise(bytes), true]])) {
        for (const compress of [true, false]) {
          socket.send(payload, { binary, compress });
          assert.ok(payload.equals(await next()), `${payload.length} bytes`);
          for (const part of PARTS.filter((part) => payload.length / part <= PARTS_MAX)) {
            for (let at = 0; at < payload.length; at += part) {
              const fin = at + part >= payload.length;
              socket.send(payload.subarray(at, at + part), { binary, compress, fin });
              if (!fin && at % 3 === 0) socket.ping();
            }
            if (payload.length > 0) assert.ok(payload.equals(await next()), `${payload.length} bytes by ${part}`);
          }
        }
      }
      socket.terminate();
    });
  }

  test("is plain for a client that asks for a window we do not have", async () => {
    const { socket, next } = await echo({ threshold: 0, serverMaxWindowBits: 8 });
    assert.equal(socket.extensions, "");
    socket.send("plain");
    assert.equal(String(await next()), "plain");
    socket.terminate();
  });

  const deflated = (payload) => deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const some = deflated("some words");
  const BROKEN = {
    "no deflated data": [[[0xc1, Buffer.from("not deflated")]], 1007],
    "deflated data cut short": [[[0xc1, deflated(words(300)).subarray(0, 20)]], 1007],
    "text that is not UTF-8": [[[0xc1, deflated(Buffer.from("ab\xffcd", "latin1"))]], 1007],
    "a mark on a ping": [[[0xc9, Buffer.from("x")]], 1002],
    "a mark on a continuation": [[[0x41, some.subarray(0, 3)], [0xc0, some.subarray(3)]], 1002],
    "another mark": [[[0xa1, some]], 1002],
    "a bomb": [[[0xc2, deflated(Buffer.alloc(20 * 1024 * 1024))]], 1009],
  };
  for (const [name, [frames, code]] of Object.entries(BROKEN)) {
    test(`ends with ${code} after ${name}`, async () => {
      const { socket } = await echo({ threshold: 0 });
      const closed = new Promise((resolve) => socket.once("close", resolve));
      for (const [first, payload] of frames) socket._socket.write(frame(first, payload));
      assert.equal(await closed, code);
    });
  }
});

/** A client's frame; its mask is zeros, which change nothing. */
function frame(first, payload) {
  const { length } = payload;
  const coded = Buffer.alloc(length < 126 ? 0 : 2);
  if (length >= 126) coded.writeUInt16BE(length);
  return Buffer.concat([Buffer.from([first, 0x80 | (length < 126 ? length : 126)]), coded, Buffer.alloc(4), payload]);
}
