// Which wires there are, and who speaks to whom.

import { after, before } from "node:test";

import { Node, acquainted } from "./cluster.js";

/** Those that both kinds of node speak. */
export const WIRES = (process.env.CLUSTER_WIRES ?? "classic,classic-own").split(",");

/** Two nodes of ours and one official, for the tests of one `describe`. */
export function withNodes(redis, wire) {
  const nodes = { ours: [], node: [] };
  before(async () => {
    for (const kind of ["ours", "node", "ours"]) nodes[kind].push(await Node.start(kind, redis(), wire));
    await acquainted([...nodes.ours, ...nodes.node]);
  });
  after(() => Promise.all([...nodes.ours, ...nodes.node].map((node) => node.kill())));
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
