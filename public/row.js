// One message as a line of the log: time, who, what was said, and how it fares.
// It never knows where the row stands, nor what a button on it will do.
// Left out: reactions; their place is the `fate` line under the text.

import { el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { clock, moment, say, whyFailed } from "./strings.js";
import { cleanName, onlyEmoji, render } from "./text.js";

let labels = 0;

/** What a row looks like, as a string: while it stays the same, nothing is drawn. */
export function signature({ row, grouped, entry, queued, leaving, found, called }, people, me, names) {
  return [
    row.id,
    row.rev,
    row.at,
    grouped,
    leaving,
    found,
    called,
    /[@#]/.test(row.text) && names.version,
    row.deletedBy && nameOf(row.deletedBy, people, me),
    nameOf(row.by, people, me),
    entry?.state,
    entry?.code,
    queued,
    entry && pauseOf(entry),
  ].join("\u0001");
}

/** Fills a list item. The visible pieces are its accessible name, so a grouped row still names its author. */
export function row(node, { row, grouped, entry, queued, leaving, found, called }, people, me, names) {
  const name = nameOf(row.by, people, me);
  const id = (node.dataset.label ??= `m${(labels += 1)}`);
  node.className = ["row", grouped && "grouped", row.by === me.id && "mine", found && "found", called && "called"].filter(Boolean).join(" ");
  node.tabIndex = node.tabIndex === 0 ? 0 : -1;
  node.setAttribute("aria-labelledby", `${id}w ${id}t ${id}x${row.edited && !row.deleted && !leaving ? ` ${id}e` : ""}${entry ? ` ${id}f` : ""}`);
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
    el(
      "div",
      { class: "what" },
      ...(leaving ? leave(`${id}x`) : row.deleted ? gone(row, name, `${id}x`, people, me) : said(row, `${id}x`, me, names)),
      entry ? fate(entry, queued, `${id}f`) : null,
    ),
  );
}

/** Fills a list item with a row of deleted messages: one line for all of them. */
export function fold(node, rows, found, people, me) {
  const [first] = rows;
  const alone = rows.every((row) => (row.deletedBy ?? row.by) === (first.deletedBy ?? first.by));
  const words = alone
    ? say.deletedRunBy(bdi(nameOf(first.deletedBy ?? first.by, people, me)), rows.length)
    : say.deletedRun(rows.length);
  node.className = found ? "row fold found" : "row fold";
  node.tabIndex = node.tabIndex === 0 ? 0 : -1;
  mark(node, "seq", first.seq);
  mark(node, "last", rows.at(-1).seq);
  fill(
    node,
    el("time", { datetime: new Date(first.at).toISOString(), title: moment(first.at) }, clock(first.at)),
    el("div", { class: "who" }),
    el("div", { class: "what" }, el("p", { class: "gone" }, ...words)),
  );
}

/** A person's name as it may be shown; who left has none. */
export function nameOf(by, people, me) {
  return cleanName(by === me.id ? me.name : people.get(by)?.name) || say.someone;
}

const bdi = (name) => el("bdi", null, name);

function gone(row, name, id, people, me) {
  const words = row.deletedBy
    ? say.deletedFor(bdi(nameOf(row.deletedBy, people, me)), bdi(name))
    : say.deletedBy(bdi(name));
  return [el("p", { id, class: "gone" }, ...words)];
}

/** Deleted by me, and for a few seconds not yet. */
function leave(id) {
  return [el("p", { class: "gone" }, el("span", { id }, say.deleted), " · ", button("undo", say.undo))];
}

function said(row, id, me, names) {
  const text = String(row.text ?? "");
  const nodes = [
    el("div", { id, class: onlyEmoji(text) ? "text large" : "text", dir: "auto" }, ...render(text, names, me)),
  ];
  if (row.edited) nodes.push(el("span", { id: id.replace(/x$/, "e"), class: "edited", title: moment(row.edited) }, say.edited));
  return nodes;
}

function fate(entry, queued, id) {
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
      : queued
        ? say.queued
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
