// A client is cut off from one node and comes back to another: it finds its id, its rooms and its data there, and what it has
// missed, once and in order. By the wire of streams, which is the one that keeps what was said.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";

import { Node, hearings, until } from "./support/cluster.js";
import { WIRES, pairs, withNodes } from "./support/matrix.js";

const WIRE = "streams-recovering";

/** The numbers among what a client has heard. */
const counted = (socket) => socket.heard.filter(([event]) => event === "count").map(([, number]) => number);

describe("recovery", { concurrency: 1, skip: !WIRES.includes(WIRE) }, () => {
  let redis;
  after(() => redis.close());
  const nodes = withNodes(WIRE);
  before(async () => {
    redis = await nodes.redis.client();
  });
  afterEach(() => [...nodes.ours, ...nodes.node].forEach((node) => node.leave()));

  /** Cuts a client off, and waits until that has come to Redis. */
  const cutOff = async (socket) => {
    const session = `sio:session:${socket._pid}`;
    socket.io.engine.close();
    await until(() => redis.exists(session));
  };
  const back = (node, socket, offset = socket._lastOffset, pid = socket._pid) =>
    node.client("another name", "/", {}, (fresh) => Object.assign(fresh, { _pid: pid, _lastOffset: offset }));

  for (const [title, from, to] of pairs(nodes)) {
    test(`${title}: what was missed is there, once and in order`, async () => {
      const [ada, bo] = await Promise.all([from().client("ada"), to().client("bo")]);
      const { id } = ada;
      await ada.do("join", "deck");
      await hearings(bo, [ada, bo]);
      await cutOff(ada);
      await bo.do("emit", {}, "news", "to all");
      await bo.do("emit", { rooms: ["deck"] }, "news", Buffer.from("bytes"), { a: [1] });
      await bo.do("emit", { rooms: ["galley"] }, "news", "not for her");
      await bo.do("emit", { except: ["deck"] }, "news", "nor this");
      await bo.do("emit", { rooms: [id, "galley"] }, "news", "to her");
      await hearings(bo, [bo]);
      const again = await back(to(), ada);
      assert.equal(again.recovered, true);
      assert.equal(again.id, id);
      assert.deepEqual((await again.do("rooms")).sort(), [id, "deck"].sort());
      assert.deepEqual(await again.do("data"), { name: "ada" });
      assert.equal(await again.do("recovered"), true);
      const [missed] = await hearings(bo, [again]);
      const news = missed.filter(([event]) => event === "news").map(([, ...args]) => args);
      assert.deepEqual(news, [["to all"], [Buffer.from("bytes"), { a: [1] }], ["to her"]]);
      // It is one of them again: also for those who speak to its id at another node.
      const third = await from().client("cem");
      await third.do("emit", { rooms: [id] }, "news", "still here");
      assert.deepEqual((await hearings(third, [again]))[0], [["news", "still here"]]);
      // And what it says itself, it does not hear as missed later.
      await again.do("emit", { broadcast: true }, "news", "her own");
      await hearings(bo, [bo, again]);
      await cutOff(again);
      const home = await back(from(), again);
      assert.equal(home.recovered, true);
      assert.deepEqual((await hearings(bo, [home]))[0], []);
    });
  }

  test("from ours to ours: nothing is missing and nothing is twice while somebody goes on speaking", async () => {
    const [one, two] = nodes.ours;
    const [ada, bo, cem] = await Promise.all([one.client("ada"), two.client("bo"), nodes.node[0].client("cem")]);
    let speaks = true;
    let said = 0;
    const speak = async (from) => {
      while (speaks) await from.do("emit", {}, "count", (said += 1));
    };
    const speakers = [bo, cem].map(speak);
    let current = ada;
    const heard = [];
    for (const node of [two, one, two, one]) {
      const before = said;
      await until(() => said > before + 20 && counted(current).length > 5);
      await cutOff(current);
      heard.push(...counted(current));
      current = await back(node, current);
      assert.equal(current.recovered, true);
    }
    speaks = false;
    await Promise.all(speakers);
    await hearings(bo, [current, bo]).then(([events]) => heard.push(...events.filter(([event]) => event === "count").map(([, n]) => n)));
    assert.equal(new Set(heard).size, heard.length, "none twice");
    assert.deepEqual(heard.toSorted((a, b) => a - b), Array.from({ length: said }, (_, i) => i + 1));
  });

  test("who claims what is not his, or what is gone, starts anew", async () => {
    const [one, two] = nodes.ours;
    const [ada, bo] = await Promise.all([one.client("ada"), two.client("bo")]);
    await hearings(bo, [ada]);
    const { id, _lastOffset: offset } = ada;
    for (const [claimed, pid] of [[offset, "abcdefghijklmnopqrst"], [offset, "x"], ["0-1", ada._pid], ["x", ada._pid], ["9999999999999-0", ada._pid]]) {
      const fresh = await back(two, ada, claimed, pid);
      assert.equal(fresh.recovered, false, `${claimed} ${pid}`);
      assert.notEqual(fresh.id, id);
    }
    await cutOff(ada);
    const again = await back(two, ada);
    assert.equal(again.recovered, true);
    const twice = await back(one, ada);
    assert.equal(twice.recovered, false);
    assert.notEqual(twice.id, id);
  });

  test("of a node of ours that ends in order nobody is lost; of one that dies everybody is a stranger elsewhere", async () => {
    const [one] = nodes.ours;
    const bo = await one.client("bo");
    for (const [end, recovered] of [["end", true], ["kill", false]]) {
      const doomed = await Node.start("ours", nodes.redis, WIRE);
      const ada = await doomed.client("ada");
      await ada.do("join", "deck");
      await until(async () => (await doomed.status()).state === "Joined");
      await hearings(bo, [ada]);
      await doomed[end]();
      await bo.do("emit", { rooms: ["deck"] }, "news", 1);
      const again = await back(one, ada);
      assert.equal(again.recovered, recovered, end);
      const [heard] = await hearings(bo, [again]);
      assert.deepEqual(heard, recovered ? [["news", 1]] : []);
      again.disconnect();
    }
  });

  test("nothing that was asked is left behind", async () => {
    for (const node of nodes.ours) {
      const { waiting_bytes, state, ignored } = await node.status();
      assert.deepEqual({ waiting_bytes, state, ignored }, { waiting_bytes: 0, state: "Joined", ignored: 0 });
    }
  });
});
