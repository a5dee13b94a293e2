// Small parts that several sections are made of: buttons, rows, faces.
// It asks nobody and keeps nothing.

import { el } from "../dom.js";
import { flag } from "../flags.js";
import { cleanName } from "../text.js";

export function button(label, wish, kind = "plain", more = {}) {
  return el("button", { type: "button", class: kind, onclick: wish, ...more }, label);
}

export function tag(label, kind = "") {
  return el("span", { class: `tag ${kind}` }, label);
}

/** A person as the first thing of a row: flag, name, and a line below. */
export function face(id, name, below) {
  const clean = cleanName(name);
  return [
    flag(id, clean),
    el("span", { class: "names" }, el("bdi", { class: "name" }, clean), el("span", { class: "login" }, below)),
  ];
}

/** What stands behind the first thing of a row: words about it, and what can be done. */
export function rest(tags, acts) {
  const kept = (list) => list.filter(Boolean);
  return [el("span", { class: "tags" }, kept(tags)), el("span", { class: "acts" }, kept(acts))];
}
