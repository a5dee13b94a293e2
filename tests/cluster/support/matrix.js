// Which wires there are, and who speaks to whom.

import { after, before, describe } from "node:test";

import { Node, acquainted } from "./cluster.js";
import { Redis } from "./redis.js";

/**
 * Those that both kinds of node speak; beside them there are "sharded-static" and "streams-sharded", in which nothing can go wrong
 * that cannot in the others.
 */
export const WIRES = (process.env.CLUSTER_WIRES ?? "classic,classic-own,sharded,sharded-private,streams,streams-recovering").split(",");

/** One of each family, for what the others of it cannot do differently. */
export const FAMILIES = ["classic", "sharded", "streams", "streams-recovering"].filter((wire) => WIRES.includes(wire));

/** Describes something for each wire, side by side: most of the time somebody waits. */
export function eachWire(wires, body) {
  describe("side by side", { concurrency: wires.length }, () => {
    for (const wire of wires) describe(`by the ${wire} wire`, { concurrency: 1 }, () => body(wire));
  });
}

/** A Redis, two nodes of ours and one official, for the tests of one `describe`. */
export function withNodes(wire) {
  const nodes = { ours: [], node: [], redis: null };
  before(async () => {
    nodes.redis = await Redis.start();
    const start = (kind) => Node.start(kind, nodes.redis, wire);
    const [first, official, second] = await Promise.all([start("ours"), start("node"), start("ours")]);
    nodes.ours.push(first, second);
    nodes.node.push(official);
    await acquainted([...nodes.ours, ...nodes.node]);
  });
  after(async () => {
    await Promise.all([...nodes.ours, ...nodes.node].map((node) => node.kill()));
    await nodes.redis.kill();
  });
  return nodes;
}

/** A title, who begins and who answers: each kind with the other, and ours alone. The nodes are there when it is run. */
export function pairs(nodes) {
  return [
    ["from ours to the official", () => nodes.ours[0], () => nodes.node[0]],
    ["from the official to ours", () => nodes.node[0], () => nodes.ours[0]],
    ["from ours to ours", () => nodes.ours[0], () => nodes.ours[1]],
  ];
}
