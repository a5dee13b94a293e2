// The official client's older generations: whoever has not updated a page for years finds the same server.
// What is said here every generation understands; what only the newest can do is in the other files.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";

import { io as io4 } from "socket.io-client";
import io2 from "socket.io-client-2";
import { io as io3 } from "socket.io-client-3";

import { Clients, WAYS, arrive, heard, heardTimes, listen, upgraded } from "./support/client.js";
import { Server } from "./support/server.js";

const today = (server) => server.url;
const forAll = (server) => server.urlForAll;

/**
 * `credentials` is how a client shows who it is where it enters a namespace, and `why` what is left of a refusal that says
 * more than a word. A server that lets the second generation in is still one for the others.
 */
const GENERATIONS = {
  "2": {
    connect: io2,
    url: forAll,
    credentials: (auth) => ({ query: auth }),
    why: (_, data) => data,
  },
  "3": { connect: io3, url: today },
  "3, where the second is let in": { connect: io3, url: forAll },
  "4, where the second is let in": { connect: io4, url: forAll },
};
const ANSWERED_WITHIN_MS = 10_000;

let server;
before(async () => {
  server = await Server.start();
});
after(() => server.kill());

/** What was said is there; after it a server that can recover connections adds its offset. */
function carries(args, said) {
  assert.deepEqual(args.slice(0, said.length), said);
}

/** The values of the acknowledgement. */
function ask(socket, event, ...args) {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new Error(`"${event}" was not acknowledged`));
    const timer = setTimeout(giveUp, ANSWERED_WITHIN_MS);
    socket.emit(event, ...args, (...values) => {
      clearTimeout(timer);
      resolve(values);
    });
  });
}

/** Waits for the server's no, and for what it says: an error of today, or the bare words of the second generation. */
async function refusal(socket, expected) {
  const letIn = () => assert.fail("was let in");
  const told = await arrive(socket).then(letIn, (error) => error);
  const { message, data } = told;
  assert.deepEqual(told instanceof Error ? { message, ...(data && { data }) } : told, expected);
}

for (const [name, generation] of Object.entries(GENERATIONS)) {
  const { connect, url, credentials = (auth) => ({ auth }), why = (message, data) => ({ message, data }) } = generation;
  for (const way of Object.keys(WAYS)) {
    describe(`socket.io-client ${name} over ${way}`, () => {
      let clients;
      beforeEach(() => {
        clients = new Clients(server, way, connect, url(server));
      });
      afterEach(() => clients.leave());

      test("client and server agree on the socket's id", async () => {
        const socket = await clients.connect();
        assert.deepEqual(await ask(socket, "getId"), [socket.id]);
      });

      test("events keep their values and their order", async () => {
        const socket = await clients.connect();
        const said = [[], [null, true, -1.5, "てすと 🚢 \u0000\"", [1, [2]], { a: { b: [] } }], ["last"]];
        const events = heardTimes(socket, "echo-event", said.length);
        for (const args of said) socket.emit("echo-event", ...args);
        for (const [i, args] of (await events).entries()) carries(args, said[i]);
      });

      test("bytes go there and back, alone, nested and none", async () => {
        const socket = await clients.connect();
        const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
        for (const args of [[every], [{ parts: [{ body: every }, "between", every] }], [Buffer.alloc(0), "after none"]]) {
          const event = heard(socket, "echo-event");
          socket.emit("echo-event", ...args);
          carries(await event, args);
        }
      });

      test("the server acknowledges, with several values and with bytes", async () => {
        const socket = await clients.connect();
        const args = [1, { two: [2] }, Buffer.from("3")];
        assert.deepEqual(await ask(socket, "echo", ...args), args);
      });

      test("the client acknowledges, with values and with bytes", async () => {
        const socket = await clients.connect();
        socket.on("question", (question, answer) => answer(question, [Buffer.from("bytes")]));
        const [{ values }] = await ask(socket, "server-ack", ANSWERED_WITHIN_MS, "question", "why?");
        assert.deepEqual(values, ["why?", [Buffer.from("bytes")]]);
      });

      test("700 kB of text and of bytes come down whole", async () => {
        const socket = await clients.connect();
        const wanted = Buffer.alloc(700_000, "a");
        assert.deepEqual(await ask(socket, "big", "text", wanted.length), [wanted.toString()]);
        assert.deepEqual(await ask(socket, "big", "binary", wanted.length), [wanted]);
      });

      test("a broadcast reaches the room and nobody else, and a private message its socket", async () => {
        const [speaker, member, stranger] = [await clients.connect(), await clients.connect(), await clients.connect()];
        await ask(member, "join", "deck");
        const strays = listen(stranger, "news");
        const news = heardTimes(member, "news", 2);
        await ask(speaker, "to", { rooms: ["deck"] }, "news", "to the room");
        await ask(speaker, "to", { rooms: [member.id] }, "news", "to you", Buffer.from("alone"));
        const [first, second] = await news;
        carries(first, ["to the room"]);
        carries(second, ["to you", Buffer.from("alone")]);
        await ask(stranger, "echo");
        assert.deepEqual(strays, []);
      });

      test("a second namespace shares the connection, and may be left alone", async () => {
        const socket = await clients.connect();
        const foo = clients.beside(socket, "/foo");
        await arrive(foo);
        assert.equal(foo.io.engine, socket.io.engine);
        assert.notEqual(foo.id, socket.id);
        const news = heard(foo, "news");
        await ask(foo, "to", { rooms: [foo.id], self: true }, "news", "to me");
        carries(await news, ["to me"]);
        assert.deepEqual(await ask(foo, "echo", Buffer.from("x")), [Buffer.from("x")]);
        foo.disconnect();
        assert.deepEqual(await ask(socket, "echo", 1), [1]);
      });

      test("a namespace that is not there is refused, and the connection stays", async () => {
        const socket = await clients.connect();
        await refusal(clients.beside(socket, "/nowhere"), { message: "Invalid namespace" });
        assert.deepEqual(await ask(socket, "echo", 1), [1]);
      });

      test("who may not come in learns why, and who may is let in", async () => {
        const refused = clients.make("/auth", credentials({ token: "guess" }));
        await refusal(refused, why("not authorized", { code: 401, need: ["token"] }));
        const member = clients.make("/auth", credentials({ token: "secret", user: "bo" }));
        const welcome = heard(member, "welcome");
        await arrive(member);
        carries(await welcome, [{ user: "bo", second: true }]);
      });

      test("the server ends a namespace, and a connection", async () => {
        for (const close of [false, true]) {
          const socket = await clients.connect();
          const left = heard(socket, "disconnect");
          socket.emit("disconnect-me", close);
          assert.equal((await left)[0], "io server disconnect");
        }
      });

      test("a heartbeat is answered, and the line goes on", async () => {
        const socket = await clients.connect();
        await heard(socket.io.engine, "pong");
        assert.deepEqual(await ask(socket, "echo", 1), [1]);
      });

      test("a server that died is found again", async (t) => {
        const mortal = await Server.start();
        const clients = new Clients(mortal, way, connect, url(mortal));
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
        const back = heard(socket, "connect");
        await mortal.start();
        await back;
        assert.notEqual(socket.id, id);
        assert.deepEqual(await ask(socket, "echo", "again"), ["again"]);
      });
    });
  }
}
