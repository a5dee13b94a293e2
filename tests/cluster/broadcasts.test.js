// Who hears what is said at one node: clients of another, be it of our kind or the official one.

import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { hearings } from "./support/cluster.js";
import { WIRES, eachWire, pairs, withNodes } from "./support/matrix.js";

eachWire(WIRES, (wire) => {
  const nodes = withNodes(wire);

  for (const [title, from, to] of pairs(nodes)) {
    describe(title, () => {
      // One who says it, at one node; three who may hear it, at the other.
      let ada;
      let bo;
      let cem;
      let dot;
      beforeEach(async () => {
        [ada, bo, cem, dot] = await Promise.all([
          from().client("ada"),
          to().client("bo"),
          to().client("cem"),
          to().client("dot"),
        ]);
        await Promise.all([bo.do("join", "deck"), cem.do("join", "galley"), dot.do("join", "42")]);
        await Promise.all([cem.do("join", "both"), bo.do("join", "both")]);
      });
      afterEach(() => [from(), to()].forEach((node) => node.leave()));

      const heard = async (...say) => {
        await ada.do(...say);
        const [own, ...theirs] = await hearings(ada, [ada, bo, cem, dot]);
        return [own, ...theirs].map((events) => events.map(([, ...args]) => args));
      };

      test("everybody hears it, once", async () => {
        assert.deepEqual(await heard("emit", {}, "news", 1, "two"), [[[1, "two"]], [[1, "two"]], [[1, "two"]], [[1, "two"]]]);
      });

      test("everybody but who says it", async () => {
        assert.deepEqual(await heard("emit", { broadcast: true }, "news", 1), [[], [[1]], [[1]], [[1]]]);
      });

      test("a room", async () => {
        assert.deepEqual(await heard("emit", { rooms: ["deck"] }, "news", 1), [[], [[1]], [], []]);
        assert.deepEqual(await heard("emit", { rooms: ["nobody's"] }, "news", 1), [[], [], [], []]);
      });

      test("a socket's own room", async () => {
        assert.deepEqual(await heard("emit", { rooms: [cem.id] }, "news", 1), [[], [], [[1]], []]);
      });

      test("several rooms, each socket once", async () => {
        const rooms = ["deck", "galley", "both"];
        assert.deepEqual(await heard("emit", { rooms }, "news", 1), [[], [[1]], [[1]], []]);
      });

      test("but not those of another room", async () => {
        assert.deepEqual(await heard("emit", { except: ["deck"] }, "news", 1), [[[1]], [], [[1]], [[1]]]);
        const opts = { rooms: ["both"], except: ["galley"] };
        assert.deepEqual(await heard("emit", opts, "news", 1), [[], [[1]], [], []]);
      });

      test("a room whose name spells a number", async () => {
        assert.deepEqual(await heard("emit", { rooms: ["42"] }, "news", 1), [[], [], [], [[1]]]);
      });

      if (title.endsWith("to the official")) {
        test("a room that was joined as a number", async () => {
          await bo.do("join", 7);
          assert.deepEqual(await heard("emit", { rooms: ["7"] }, "news", 1), [[], [[1]], [], []]);
          assert.deepEqual(await heard("emit", { rooms: ["both"], except: ["7"] }, "news", 1), [[], [], [[1]], []]);
        });
      }

      if (title.startsWith("from the official")) {
        test("a room that is named by a number", async () => {
          assert.deepEqual(await heard("emit", { rooms: [42] }, "news", 1), [[], [], [], [[1]]]);
        });

        test("a date", async () => {
          for (const millis of [0, 1_700_000_000_123, -1_500, 20_000_000_000_001]) {
            const text = new Date(millis).toISOString();
            assert.deepEqual(await heard("emit a date", {}, "news", millis), Array(4).fill([[text]]));
          }
        });
      }

      test("bytes, at any depth", async () => {
        const bytes = Buffer.from([0, 1, 127, 128, 255]);
        const args = [{ a: [bytes, { b: Buffer.alloc(3) }] }, "x", bytes];
        const all = await heard("emit", {}, "news", ...args);
        assert.deepEqual(all, Array(4).fill([args]));
      });

      test("every kind of value as it is", async () => {
        const value = {
          numbers: [0, -1, 1.5, -1e-7, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -(2 ** 31), -129],
          texts: ["", "ä\u0000\"\\", "🦊", "x".repeat(300), "y".repeat(70_000)],
          others: [null, true, false, [], {}, [[[]]]],
          list: Array.from({ length: 20 }, (_, i) => i),
        };
        assert.deepEqual(await heard("emit", {}, "news", value), Array(4).fill([[value]]));
      });

      test("volatile, and not compressed", async () => {
        assert.deepEqual(await heard("emit", { volatile: true, plain: true }, "news", 1), Array(4).fill([[1]]));
      });

      test("what is for this node alone is not for another", async () => {
        assert.deepEqual(await heard("emit", { local: true }, "news", 1), [[[1]], [], [], []]);
      });
    });
  }

  test("a namespace's name may hold what a pattern takes for its own", async () => {
    const [[ours, other], [node]] = [nodes.ours, nodes.node];
    const from = await Promise.all([ours, node].map((each) => each.client("from", "/star*")));
    const to = await Promise.all([ours, node, other].map((each) => each.client("to", "/star*")));
    const beside = await Promise.all([ours, node, other].map((each) => each.client("beside", "/starboard")));
    for (const who of from) {
      await who.do("emit", {}, "news", 1);
      await who.do("emit", { rooms: [to[2].id] }, "news", 2);
      const heard = (await hearings(who, to)).map((events) => events.map(([, what]) => what));
      assert.deepEqual(heard, [[1], [1], [1, 2]]);
    }
    for (const who of beside.slice(0, 2)) assert.deepEqual(await hearings(who, beside), [[], [], []]);
    for (const each of [ours, node, other]) each.leave();
  });
});
