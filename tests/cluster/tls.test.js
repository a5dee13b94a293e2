// A Redis that speaks TLS: who certifies it is believed, and nobody else.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";

import { freePorts } from "../support/ports.mjs";
import { Certificate } from "./support/certificates.js";
import { Node, acquainted, hearings, until } from "./support/cluster.js";
import { Redis } from "./support/redis.js";

const MANY_RECORDS = "x".repeat(300_000);

describe("a Redis that speaks TLS", () => {
  let certificate;
  before(() => {
    certificate = new Certificate();
  });
  after(() => certificate.remove());

  for (const wire of ["classic", "streams"]) {
    describe(`by the wire ${wire}`, () => {
      let redis;
      let nodes;

      before(async () => {
        redis = await Redis.sealed(certificate);
        const { url } = redis;
        const { authority } = certificate;
        nodes = await Promise.all([
          Node.start("ours", { url }, wire, "impatient", `authorities=${authority}`),
          Node.start("ours", { url, env: { SSL_CERT_FILE: authority } }, wire, "impatient"),
          Node.start("node", { url, env: { NODE_EXTRA_CA_CERTS: authority } }, wire),
        ]);
        await acquainted(nodes);
      });
      after(async () => {
        await Promise.all(nodes.map((node) => node.kill()));
        await redis.kill();
      });

      test("has servers of both kinds as one", async () => {
        const all = await Promise.all(nodes.map((node, at) => node.client(`client ${at}`)));
        for (const from of all) {
          await from.do("emit", {}, "said", MANY_RECORDS, Buffer.from([1, 2, 3]));
          for (const heard of await hearings(from, all)) {
            assert.deepEqual(heard, [["said", MANY_RECORDS, Buffer.from([1, 2, 3])]]);
          }
          const { sockets } = await from.do("fetch", {});
          assert.deepEqual(sockets.map(({ data }) => data.name).sort(), ["client 0", "client 1", "client 2"]);
        }
        for (const node of nodes) node.leave();
      });

      test("is joined again after a crash", async () => {
        const [ours] = nodes;
        const { joined } = await ours.status();
        await redis.kill();
        await until(async () => (await ours.status()).state === "Degraded");
        await redis.start();
        await until(async () => (await ours.status()).joined > joined);
        await until(async () => (await ours.status()).state === "Joined");
      });
    });
  }

  /** What a stand-in for Redis sees of one of ours that believes `authority`, and looks for it by the name of `host`. */
  const seen = async (server, host, authority) => {
    const port = await freePorts();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const node = await Node.start("ours", { url: `rediss://${host}:${port}` }, "classic", `authorities=${authority}`);
    const seen = { met: 0, refused: 0 };
    server.on("secureConnection", () => (seen.met += 1));
    server.on("tlsClientError", () => (seen.refused += 1));
    server.on("connection", (socket) => socket.on("error", () => {}));
    try {
      // It tries again, and goes on to do what it does alone.
      await until(() => seen.met > 0 || seen.refused > 1);
      const { state, joined } = await node.status();
      assert.deepEqual([state, joined], ["Joining", 0]);
      return seen;
    } finally {
      await node.kill();
      server.close();
    }
  };
  const standIn = () => tls.createServer({ key: readFileSync(certificate.key), cert: readFileSync(certificate.signed) });

  test("is spoken to if it is certified for its name, by an authority that is believed", async () => {
    const { met, refused } = await seen(standIn(), "127.0.0.1", certificate.authority);
    assert.deepEqual([met, refused], [1, 0]);
  });

  test("is not spoken to by any other name", async () => {
    assert.equal((await seen(standIn(), "localhost", certificate.authority)).met, 0);
  });

  test("is not spoken to if another authority is believed", async () => {
    const other = new Certificate();
    try {
      assert.equal((await seen(standIn(), "127.0.0.1", other.authority)).met, 0);
    } finally {
      other.remove();
    }
  });

  test("is not spoken to if it does not", async () => {
    const plain = net.createServer((socket) => {
      socket.on("error", () => {});
      // As the stand-in would say of who is no client of its.
      plain.emit("tlsClientError");
      socket.end("-ERR unknown command\r\n");
    });
    assert.equal((await seen(plain, "127.0.0.1", certificate.authority)).met, 0);
  });
});
