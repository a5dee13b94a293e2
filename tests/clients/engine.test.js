// Engine.IO without Socket.IO above it: the official client against sessions that greet and send everything back.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { Socket } from "engine.io-client";

import { answered, heard, heardTimes, listen } from "./support/client.js";
import { EIO_CLIENT, Server } from "./support/server.js";

const WAYS = { polling: ["polling"], websocket: ["websocket"], upgrade: ["polling", "websocket"] };

let server;
let url;
before(async () => {
  server = await Server.start();
  url = server.urlOf(EIO_CLIENT);
});
after(() => server.kill());

let sockets;
beforeEach(() => {
  sockets = [];
});
afterEach(() => {
  for (const socket of sockets) socket.close();
});

/** A client on its way in. */
function make(transports, options = {}) {
  const socket = new Socket(url, { transports, ...options });
  socket.binaryType = "arraybuffer";
  sockets.push(socket);
  return socket;
}

/** A client that was greeted and, if it may, upgraded. */
async function greeted(transports, options) {
  const socket = make(transports, options);
  const [[greeting]] = await Promise.all([
    heard(socket, "message"),
    transports.length > 1 ? heard(socket, "upgrade") : null,
  ]);
  assert.equal(greeting, "hi");
  return socket;
}

/** What comes back. */
async function said(socket, message) {
  const answer = heard(socket, "message");
  socket.send(message);
  return (await answer)[0];
}

for (const [way, transports] of Object.entries(WAYS)) {
  describe(`over ${way}`, () => {
    test("what is said comes back, text and bytes, in order", async () => {
      const socket = await greeted(transports);
      assert.equal(await said(socket, "hello"), "hello");
      assert.equal(await said(socket, "кириллица, てすと, 😀"), "кириллица, てすと, 😀");
      assert.deepEqual(new Uint8Array(await said(socket, new Uint8Array([0, 255, 30, 98]))), new Uint8Array([0, 255, 30, 98]));
      // Of text, since the client takes bytes for shorter than they are in base64 and would post too much at once.
      const all = heardTimes(socket, "message", 100);
      for (let i = 0; i < 100; i++) socket.send(`${i}`);
      assert.deepEqual(
        (await all).map(([message]) => Number(message)),
        Array.from({ length: 100 }, (_, i) => i),
      );
    });

    test("the server sends bytes and text of its own", async () => {
      const socket = await greeted(transports);
      assert.deepEqual(new Uint8Array(await said(socket, "give binary")), new Uint8Array([0, 1, 2, 3, 4]));
      assert.equal(await said(socket, "give utf8"), "пойду спать всем спокойной ночи");
    });

    test("a message is as long as it may be and no longer", async () => {
      const socket = await greeted(transports);
      // A packet of text has a byte in front.
      const long = "a".repeat(99);
      assert.equal(await said(socket, long), long);
      const ended = heard(socket, "close");
      const returned = listen(socket, "message");
      socket.send("a".repeat(101));
      const [reason, details] = await ended;
      if (way === "polling") {
        assert.equal(reason, "transport error");
        assert.equal(details.message, "xhr post error");
        assert.equal(details.description, 413);
        assert.equal(details.context.responseText, "");
      } else {
        assert.equal(reason, "transport close");
        assert.equal(details.description, "websocket connection closed");
        assert.equal(details.context.code, 1009);
        assert.equal(details.context.reason, "");
      }
      assert.deepEqual(returned, []);
    });

    test("many small messages go in posts that are not too long", async () => {
      const socket = await greeted(transports);
      const all = heardTimes(socket, "message", 40);
      for (let i = 0; i < 40; i++) socket.send("é".repeat(10));
      for (const [message] of await all) assert.equal(message, "é".repeat(10));
    });

    test("the client goes, and its session with it", async () => {
      const socket = await greeted(transports);
      const { id } = socket;
      const ended = heard(socket, "close");
      socket.close();
      assert.equal((await ended)[0], "forced close");
      await gone(id);
    });

    test("the session beats on", async () => {
      const socket = await greeted(transports);
      await heardTimes(socket, "ping", 2);
      assert.equal(await said(socket, "alive"), "alive");
    });

    test("the application hears the session beat", async () => {
      const socket = await greeted(transports, { query: { tell: "heartbeats" } });
      assert.deepEqual(await heardTimes(socket, "message", 2), [["you live"], ["you live"]]);
    });

    test("the application chooses the session's id, which nobody else gets meanwhile", async () => {
      const id = `chosen-by-${way.padEnd(10, "-")}`;
      const socket = await greeted(transports, { query: { id } });
      assert.equal(socket.id, id);
      await heard(make([transports[0]], { query: { id } }), "error");
      const again = await fetch(`${url}/engine.io/?EIO=4&transport=polling&id=${id}`);
      assert.equal(await again.text(), '{"code":3,"message":"Bad request"}');
      const ended = heard(socket, "close");
      socket.close();
      await ended;
      await gone(id);
      assert.equal((await greeted(transports, { query: { id } })).id, id);
    });
  });
}

/** Polls until the session is gone: its end may still be on its way. */
async function gone(id) {
  await answered(async () => {
    const response = await fetch(`${url}/engine.io/?EIO=4&transport=polling&sid=${id}`);
    const answer = await response.text();
    return answer === '{"code":1,"message":"Session ID unknown"}';
  });
}

describe("by polling alone", () => {
  test("headers of the client's own arrive, also those of a browser's jar", async () => {
    const token = "my-secret-access-token";
    const socket = await greeted(["polling"], { extraHeaders: { "X-Custom-Header": token, Cookie: "user=1" } });
    const headers = JSON.parse(await said(socket, "sendHeaders"));
    assert.equal(headers["x-custom-header"], token);
    assert.equal(headers.cookie, "user=1");
  });

  test("cookies that live are sent back, if they may", async () => {
    const socket = await greeted(["polling"], { withCredentials: true });
    assert.equal(JSON.parse(await said(socket, "sendHeaders")).cookie, "1=1; 2=2");
    const other = await greeted(["polling"]);
    assert.equal(JSON.parse(await said(other, "sendHeaders")).cookie, undefined);
  });

  test("who is not allowed is told so", async () => {
    const socket = make(["polling"], { query: { deny: 1 } });
    const [error] = await heard(socket, "error");
    assert.equal(error.message, "xhr poll error");
    assert.equal(error.description, 403);
    const answer = await fetch(`${url}/engine.io/?EIO=4&transport=polling&deny=1`);
    assert.deepEqual(await answer.json(), { code: 4, message: "Forbidden" });
  });
});

describe("by WebSocket alone", () => {
  test("who is not allowed is told so", async () => {
    const socket = make(["websocket"], { query: { deny: 1 } });
    const [error] = await heard(socket, "error");
    assert.equal(error.message, "websocket error");
    assert.equal(error.description.message, "Unexpected server response: 400");
  });

  test("the next way is tried where the first is not open", async () => {
    const socket = make(["websocket", "polling"], { query: { deny: 1 }, tryAllTransports: true });
    const [error] = await heard(socket, "error");
    assert.equal(error.message, "xhr poll error");
  });
});

describe("while it upgrades", () => {
  test("what is said is neither lost nor doubled nor turned round", async () => {
    const socket = make(["polling", "websocket"]);
    const all = heardTimes(socket, "message", 201);
    const isUpgraded = heard(socket, "upgrade");
    await heard(socket, "open");
    for (let i = 0; i < 100; i++) socket.send(`${i}`);
    await isUpgraded;
    for (let i = 100; i < 200; i++) socket.send(`${i}`);
    const back = (await all).map(([message]) => message);
    assert.deepEqual(back, ["hi", ...Array.from({ length: 200 }, (_, i) => `${i}`)]);
  });

  test("who closes is gone when it is done", async () => {
    const socket = make(["polling", "websocket"]);
    await heard(socket, "open");
    const { id } = socket;
    const ended = heard(socket, "close");
    socket.close();
    assert.equal((await ended)[0], "forced close");
    await gone(id);
  });
});

test("a server that dies ends its sessions", async () => {
  const [polling, websocket] = [await greeted(["polling"]), await greeted(["websocket"])];
  const ended = [heard(polling, "close"), heard(websocket, "close")];
  await server.kill();
  const reasons = (await Promise.all(ended)).map(([reason]) => reason);
  assert.deepEqual(reasons, ["transport error", "transport close"]);
  await server.start();
});
