// Which wires there are, and who speaks to whom.

/** Those that both kinds of node speak. */
export const WIRES = (process.env.CLUSTER_WIRES ?? "classic,classic-own").split(",");

/** A title, who begins and who answers: each kind with the other, and ours alone. The nodes are there when it is run. */
export function pairs(nodes) {
  return [
    ["from ours to the official", () => nodes().ours[0], () => nodes().node[0]],
    ["from the official to ours", () => nodes().node[0], () => nodes().ours[0]],
    ["from ours to ours", () => nodes().ours[0], () => nodes().ours[1]],
  ];
}
