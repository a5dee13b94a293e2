// Faces: every person flies a signal flag, drawn from the id alone, the same everywhere.
// It asks no server and stores nothing; ten patterns differ for colour-blind eyes too.
// Left out: pictures of one's own, which would need uploads.

import { svg } from "./dom.js";

// Bunting colours; each pair has one dark and one light cloth, so that the pattern can be told.
const CLOTHS = [
  ["#1F4E79", "#F2E9D5"],
  ["#B5390B", "#F5E3C0"],
  ["#0B6B5E", "#EBD9A6"],
  ["#26323A", "#E2B33C"],
  ["#7A1F3D", "#EFD3C4"],
  ["#3F5E2B", "#E9E0BE"],
  ["#54408C", "#E6DAEE"],
  ["#8A4B16", "#D7E4E2"],
];

// Drawn on a field of 28 × 28 in the second colour.
const PATTERNS = [
  (c) => [svg("path", { fill: c, d: "M0 0h14v28H0z" })],
  (c) => [svg("path", { fill: c, d: "M0 0h5l9 9 9-9h5v5l-9 9 9 9v5h-5l-9-9-9 9H0v-5l9-9-9-9z" })],
  (c) => [svg("path", { fill: c, d: "M10 0h8v10h10v8H18v10h-8V18H0v-8h10z" })],
  (c) => [svg("path", { fill: c, d: "M0 0l20 14L0 28z" })],
  (c) => [svg("path", { fill: c, "fill-rule": "evenodd", d: "M0 0h28v28H0zM6 6v16h16V6z" })],
  (c) => [svg("path", { fill: c, d: "M0 0h14v28h14V14H0z" })],
  (c) => [svg("path", { fill: c, d: "M0 0h8v28H0zM20 0h8v28h-8z" })],
  (c) => [svg("circle", { fill: c, cx: 14, cy: 14, r: 10 })],
  (c) => [svg("path", { fill: c, d: "M0 0h28v6H0zM0 11h28v6H0zM0 22h28v6H0z" })],
  (c) => [svg("path", { fill: c, d: "M0 0h9l19 19v9h-9L0 9z" })],
];

/** The flag of a person: pattern and cloth by id, the name's first letter on top. */
export function flag(id, name) {
  const [dark, light] = CLOTHS[(id + Math.floor(id / 40)) % CLOTHS.length];
  return svg(
    "svg",
    { class: "flag", viewBox: "0 0 28 28", "aria-hidden": "true" },
    svg("rect", { width: 28, height: 28, fill: light }),
    PATTERNS[id % PATTERNS.length](dark),
    svg(
      "text",
      {
        x: 14,
        y: 19.2,
        "text-anchor": "middle",
        fill: "#FFFDF6",
        stroke: dark,
        "stroke-width": 3.4,
        "stroke-linejoin": "round",
        "paint-order": "stroke",
      },
      initial(name),
    ),
  );
}

/** A hoist: flags of a word on a line, the ornament of empty pages. */
export function hoist(word) {
  const letters = Array.from(word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "")).slice(0, 9);
  const step = 38;
  const width = letters.length * step + 34;
  const sag = (x) => 6 + 22 * Math.sin((x / width) * Math.PI);
  return svg(
    "svg",
    { class: "hoist", viewBox: `0 0 ${width} 66`, "aria-hidden": "true" },
    svg("path", { class: "line", d: `M0 6Q${width / 2} 50 ${width} 6` }),
    letters.map((letter, i) => {
      const x = 22 + i * step;
      const kind = letter.codePointAt(0);
      const [dark, light] = CLOTHS[kind % CLOTHS.length];
      const tilt = 18 * (0.5 - (x + 14) / width);
      return svg(
        "g",
        { transform: `translate(${x} ${sag(x + 14)}) rotate(${tilt.toFixed(1)} 14 0)` },
        svg("rect", { width: 28, height: 28, fill: light }),
        PATTERNS[(kind * 3 + i) % PATTERNS.length](dark),
      );
    }),
  );
}

function initial(name) {
  const first = Array.from(name.normalize("NFC")).find((letter) => /[\p{L}\p{N}]/u.test(letter));
  return (first ?? "·").toLocaleUpperCase();
}
