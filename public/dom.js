// Elements: the only place that makes them, from a tag, attributes and children.
// It never parses markup: text becomes a text node, so nothing anybody wrote becomes an element.
// Left out: templates and diffing; list.js compares keys, the rest is small enough to be rebuilt.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an HTML element. `on*` attributes take functions, `false` and `null` leave one out. */
export function el(tag, attributes, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Makes an SVG element. */
export function svg(tag, attributes, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

/** The element of that id, which the page always has. */
export const at = (id) => document.getElementById(id);

/** Replaces all an element holds. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== false));
  return node;
}

/** Sets text only where it differs, so that live regions stay quiet. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const ICONS = {
  send: "M4 12 20 4l-5 16-3.5-6.5z M11.5 13.5 20 4",
  down: "M12 5v14 M6 13l6 6 6-6",
  left: "M15 5l-7 7 7 7",
  close: "M6 6l12 12 M18 6 6 18",
  plus: "M12 5v14 M5 12h14",
  people: "M6 21V4 M6 5h11l-3 4 3 4H6",
  more: "M5 11.5h.01v1H5z M12 11.5h.01v1H12z M19 11.5h.01v1H19z",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  search: "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12z M15 15l5 5",
  shut: "M4 4l16 16 M9.5 5.9A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-3 3.7 M6 7.5A15 15 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 3.7-.8",
  up: "M7 14l5-5 5 5",
  rooms: "M5 5h14v14H5z M5 10h14 M10 10v9",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8z M4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  lock: "M7 11V8a5 5 0 0 1 10 0v3 M5 11h14v9H5z",
  pen: "M5 19l1-4L16 5l3 3L9 18z",
  hourglass: "M7 4h10 M7 20h10 M8 4c0 5 8 7 8 16 M16 4c0 5-8 7-8 16",
};

/** A line icon, which says nothing to a screen reader: its button has words. */
export function icon(name) {
  return svg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("path", { d: ICONS[name] }),
  );
}

function furnish(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}
