// One message as a line of the log: time, who, what was said, and how it fares.
// It never knows where the row stands, nor what a button on it will do.
// Left out: reactions, edit and delete; their place is the `fate` line under the text.

import { el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { clock, moment, say, whyFailed } from "./strings.js";
import { cleanName, onlyEmoji, render } from "./text.js";

let labels = 0;

/** What a row looks like, as a string: while it stays the same, nothing is drawn. */
export function signature({ row, grouped, entry }, people, me) {
  return [
    row.id,
    row.rev,
    row.at,
    grouped,
    nameOf(row.by, people, me),
    entry?.state,
    entry?.code,
    entry && pauseOf(entry),
  ].join("\u0001");
}

/** Fills a list item. The visible pieces are its accessible name, so a grouped row still names its author. */
export function row(node, { row, grouped, entry }, people, me) {
  const name = nameOf(row.by, people, me);
  const id = (node.dataset.label ??= `m${(labels += 1)}`);
  node.className = ["row", grouped && "grouped", row.by === me.id && "mine"].filter(Boolean).join(" ");
  node.tabIndex = node.tabIndex === 0 ? 0 : -1;
  node.setAttribute("aria-labelledby", `${id}w ${id}t ${id}x${entry ? ` ${id}f` : ""}`);
  mark(node, "cid", row.cid);
  mark(node, "seq", row.seq);
  mark(node, "state", entry ? entry.state : row.by === me.id ? "sent" : null);
  fill(
    node,
    el(
      "time",
      { id: `${id}t`, datetime: new Date(row.at).toISOString(), title: moment(row.at) },
      clock(row.at),
    ),
    el(
      "div",
      { class: "who" },
      grouped ? null : flag(row.by, name),
      el("bdi", { id: `${id}w`, class: "name" }, name),
    ),
    el("div", { class: "what" }, ...said(row, name, `${id}x`), entry ? fate(entry, `${id}f`) : null),
  );
}

/** A person's name as it may be shown; who left has none. */
export function nameOf(by, people, me) {
  return cleanName(by === me.id ? me.name : people.get(by)?.name) || say.someone;
}

function said(row, name, id) {
  if (row.deleted) return [el("p", { id, class: "gone" }, say.deletedBy(name))];
  const text = String(row.text ?? "");
  const nodes = [
    el("div", { id, class: onlyEmoji(text) ? "text large" : "text", dir: "auto" }, ...render(text)),
  ];
  if (row.edited) nodes.push(el("span", { class: "edited" }, say.edited));
  return nodes;
}

function fate(entry, id) {
  if (entry.state === "failed") {
    return el(
      "div",
      { class: "fate failed" },
      el("span", { id: id }, whyFailed(entry)),
      button("retry", say.retry),
      button("edit", say.edit),
      button("drop", say.delete),
    );
  }
  if (entry.state === "sending" && !entry.code) {
    return el("div", { class: "fate ring", id, role: "img", "aria-label": "…" });
  }
  const words = entry.resumeAt
    ? (say.paused[entry.code] ?? say.slowDown(pauseOf(entry)))
    : entry.code === "timeout"
      ? say.retrying
      : say.waiting;
  return el("div", { class: "fate waiting" }, icon("hourglass"), el("span", { id }, words));
}

const button = (wish, words) => el("button", { class: "link", type: "button", "data-do": wish }, words);

const pauseOf = (entry) =>
  entry.resumeAt ? Math.max(1, Math.ceil((entry.resumeAt - Date.now()) / 1000)) : 0;

function mark(node, name, value) {
  if (value === null || value === undefined) delete node.dataset[name];
  else node.dataset[name] = value;
}
