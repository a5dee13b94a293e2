// The open room on screen: rows, day lines, the "new" line, and where the reader's eye is.
// A picture of the room comes in (`show`); what the reader does goes out through `wishes`.
// It never asks the server and changes no message; it compares keys and moves what moved.
// Left out: a virtual list; 300 real rows keep find-in-page, selection and screen readers whole.

import { el, fill, icon } from "./dom.js";
import { fold, row as drawRow, signature } from "./row.js";
import { clock, dayName, dayOf, say } from "./strings.js";
import { cleanName } from "./text.js";

const END_WITHIN_PX = 48;
const GROUP_WITHIN_MS = 5 * 60_000;
const PAGE_EARLY_PX = 800;
const FOLD_FROM = 3;

export class MessageList {
  #scroller;
  #list;
  #wishes;
  #nodes = new Map();
  #picture = null;
  #stuck = true;
  // Whether the last row drawn was the newest there is: the end of a page is not the end of the log.
  #tail = true;
  // Whether this room's rows have been on screen: the first time decides where it opens.
  #arrived = false;
  #focused = null;
  #edges;
  #observer;

  /** `wishes` has `older()`, `newer()`, `moved()`, `retry(cid)`, `edit(cid)`, `drop(cid)`, `undo(cid, node)`, `read()`. */
  constructor({ scroller, list, top, bottom }, wishes) {
    this.#scroller = scroller;
    this.#list = list;
    this.#wishes = wishes;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("focusin", (event) => this.#rove(event.target.closest("li")));
    list.addEventListener("click", (event) => this.#clicked(event));
    this.#observer = new IntersectionObserver((seen) => this.#edge(seen, top), {
      root: scroller,
      rootMargin: `${PAGE_EARLY_PX}px 0px`,
    });
    this.#edges = [top, bottom];
    this.loaded();
    // The composer grows, a keyboard opens, a window turns: who was at the end stays there.
    new ResizeObserver(() => this.#stuck && this.#tail && this.toEnd()).observe(scroller);
  }

  /** Whether the newest message is on screen. */
  get atEnd() {
    return this.#stuck && (this.#picture?.log.atTail ?? false);
  }

  /** Draws a room: `{room, log, pending, online, me, people, names, newAt, newCount, target, leaving}`. Another room than before starts afresh. */
  show(picture) {
    if (this.#picture?.room.id !== picture.room.id) this.clear();
    this.#picture = picture;
    const wasAtEnd = this.#stuck && this.#tail;
    const anchor = wasAtEnd ? null : this.#anchor();
    this.#reconcile(this.#items());
    if (!this.#arrived && picture.log.loaded) this.#arrive();
    else if (anchor) this.#scroller.scrollTop += anchor.node.getBoundingClientRect().top - anchor.top;
    else if (wasAtEnd) this.toEnd();
    this.#stuck = this.#near();
    this.#tail = picture.log.atTail || !picture.log.loaded;
  }

  /** Brings the message that the address names into view, if it is here. */
  reveal() {
    const node = this.#nodeOf(this.#picture?.target);
    if (!node) return false;
    const box = node.getBoundingClientRect();
    const { top, height } = this.#scroller.getBoundingClientRect();
    this.#scroller.scrollTop += box.top - top - Math.max(0, (height - box.height) / 2);
    this.#stuck = this.#near();
    node.focus({ preventScroll: true });
    return true;
  }

  /** The next picture is another part of the room: it opens anew. */
  turned() {
    this.#arrived = false;
    this.#stuck = false;
  }

  /** The observer speaks only of changes: after a load, ask it to look again. */
  loaded() {
    for (const edge of this.#edges) {
      this.#observer.unobserve(edge);
      this.#observer.observe(edge);
    }
  }

  clear() {
    this.#list.replaceChildren();
    this.#nodes.clear();
    this.#picture = null;
    this.#focused = null;
    this.#arrived = false;
    this.#stuck = this.#tail = true;
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#stuck = true;
  }

  scroll(pages) {
    this.#scroller.scrollBy(0, pages * this.#scroller.clientHeight * 0.85);
  }

  toTop() {
    this.#scroller.scrollTop = 0;
  }

  focus() {
    (this.#focused ?? this.#rows().at(-1))?.focus();
  }

  get holdsFocus() {
    return this.#list.contains(document.activeElement);
  }

  // ── what stands where ──

  #items() {
    const { log, pending, online, me, names, newAt, newCount, target, leaving } = this.#picture;
    const items = [];
    if (log.loaded && log.atStart && log.rows.length > 0) items.push({ key: "start", kind: "start" });
    const drawn = new Set();
    let before = null;
    let lined = !newAt;
    const add = (row, extra) => {
      const day = dayOf(row.at);
      const newDay = !before || dayOf(before.at) !== day;
      if (newDay) items.push({ key: `d${day}`, kind: "day", at: row.at });
      const line = !lined && row.seq >= newAt;
      if (line) {
        items.push({ key: "new", kind: "new", at: row.at, count: newCount });
        lined = true;
      }
      const grouped =
        !newDay &&
        !line &&
        before.by === row.by &&
        !row.deleted &&
        !before.deleted &&
        row.at - before.at < GROUP_WITHIN_MS;
      items.push({
        key: row.cid ? `${row.by} ${row.cid}` : `id ${row.id}`,
        kind: "row",
        row,
        grouped,
        leaving: leaving.has(row.id),
        found: row.seq === target,
        called: row.by !== me.id && names.calls(String(row.text ?? ""), me.id),
        ...extra,
      });
      before = row;
    };
    for (const row of log.rows) {
      add(row, {});
      if (row.cid) drawn.add(row.cid);
    }
    if (!log.loaded || log.atTail) {
      for (const entry of pending) {
        // A message never stands before one it was written after, whatever the two clocks say.
        if (!drawn.has(entry.cid)) {
          add(
            { by: me.id, cid: entry.cid, text: entry.text, at: Math.max(entry.at, before?.at ?? 0) },
            { entry, queued: online && entry.state === "waiting" },
          );
        }
      }
    }
    return folded(items);
  }

  #reconcile(items) {
    const held = document.activeElement?.closest?.("li");
    const wanted = new Set(items.map((item) => item.key));
    for (const [key, { node }] of this.#nodes) {
      if (wanted.has(key)) continue;
      if (node === held) (node.nextElementSibling ?? node.previousElementSibling)?.focus();
      if (node === this.#focused) this.#focused = null;
      node.remove();
      this.#nodes.delete(key);
    }
    let cursor = this.#list.firstChild;
    for (const item of items) {
      const node = this.#drawn(item);
      if (node === cursor) cursor = cursor.nextSibling;
      else this.#list.insertBefore(node, cursor);
    }
    if (!this.#focused?.isConnected) this.#rove(this.#rows().at(-1));
  }

  #drawn(item) {
    const { people, me, names } = this.#picture;
    const mark =
      item.kind === "row"
        ? signature(item, people, me, names)
        : `${item.at} ${item.count} ${item.found} ${item.rows?.map((row) => row.rev)}`;
    const there = this.#nodes.get(item.key);
    if (there?.mark === mark) return there.node;
    const node = there?.node ?? el("li", { class: item.kind });
    const hadFocus = node.contains(document.activeElement) && document.activeElement !== node;
    if (item.kind === "row") drawRow(node, item, people, me, names);
    else if (item.kind === "fold") fold(node, item.rows, item.found, people, me);
    else fill(node, ...this.#divider(item));
    if (hadFocus) node.focus();
    this.#nodes.set(item.key, { node, mark });
    return node;
  }

  #divider(item) {
    if (item.kind === "start") return [el("p", null, startOf(this.#picture))];
    if (item.kind === "day") return [el("span", null, dayName(item.at))];
    return [
      el("span", null, say.newSince(item.count, clock(item.at))),
      el(
        "button",
        {
          class: "quiet",
          type: "button",
          "data-do": "read",
          "aria-label": say.markRead,
          title: say.markRead,
        },
        icon("close"),
      ),
    ];
  }

  // ── where the eye is ──

  /** Where a room opens: at the message the address names, at the "new" line if that is above the fold, else at the end. */
  #arrive() {
    this.#arrived = true;
    if (this.reveal()) return;
    this.toEnd();
    const line = this.#nodes.get("new")?.node;
    if (!line) return;
    const gap = line.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    if (gap < 0) {
      this.#scroller.scrollTop += gap - this.#scroller.clientHeight * 0.4;
      this.#stuck = this.#near();
    }
  }

  /** The first row on screen and its place: whatever changes around it, it must not move. */
  #anchor() {
    const edge = this.#scroller.getBoundingClientRect().top;
    for (const node of this.#list.children) {
      const box = node.getBoundingClientRect();
      if (box.bottom > edge + 40 && node.classList.contains("row")) return { node, top: box.top };
    }
    return null;
  }

  #near() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < END_WITHIN_PX;
  }

  #scrolled() {
    this.#stuck = this.#near();
    this.#wishes.moved();
  }

  #edge(seen, top) {
    if (!this.#picture?.log.loaded) return;
    for (const one of seen) {
      if (!one.isIntersecting) continue;
      if (one.target === top) this.#wishes.older();
      else this.#wishes.newer();
    }
  }

  // ── keys and clicks ──

  #nodeOf(seq) {
    if (!seq) return null;
    // A folded row is where its fold is.
    return this.#rows().findLast((node) => Number(node.dataset.seq) <= seq && Number(node.dataset.last ?? node.dataset.seq) >= seq);
  }

  #rows() {
    return [...this.#list.querySelectorAll(".row")];
  }

  #rove(node) {
    if (!node?.classList.contains("row")) return;
    if (this.#focused) this.#focused.tabIndex = -1;
    this.#focused = node;
    node.tabIndex = 0;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== this.#focused) return;
    const rows = this.#rows();
    const i = rows.indexOf(this.#focused);
    const next = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: rows.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const node = rows[Math.max(0, Math.min(next, rows.length - 1))];
    node.focus({ preventScroll: true });
    node.scrollIntoView({ block: "nearest" });
  }

  #clicked(event) {
    const button = event.target.closest("button[data-do]");
    if (!button) return;
    const node = button.closest("li");
    this.#wishes[button.dataset.do]?.(node.dataset.cid, node);
  }
}

/** What stands above the first message of a room. */
function startOf({ room, me }) {
  const name = cleanName(room.name);
  if (room.kind !== "direct") return say.roomStart(name);
  return room.with === me.id ? say.notesStart : say.directStart(name);
}

/** Runs of deleted messages become one line each. */
function folded(items) {
  const kept = [];
  for (let i = 0; i < items.length; i += 1) {
    let end = i;
    while (items[end]?.row?.deleted && !items[end].leaving) end += 1;
    if (end - i < FOLD_FROM) {
      kept.push(items[i]);
      continue;
    }
    const run = items.slice(i, end);
    const rows = run.map((item) => item.row);
    kept.push({ key: `fold ${rows[0].seq}`, kind: "fold", rows, found: run.some((item) => item.found) });
    i = end - 1;
  }
  return kept;
}

const READ_AFTER_MS = 1_000;

/** Reading is: tab visible, window focused, newest message on screen, for one second. */
export class Reading {
  #wishes;
  #timer = null;

  /** `wishes` has `room()` (the open one), `atEnd()`, `mark(room, seq)`. */
  constructor(wishes) {
    this.#wishes = wishes;
    for (const name of ["focus", "blur"]) addEventListener(name, () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
  }

  get now() {
    return document.visibilityState === "visible" && document.hasFocus() && this.#wishes.atEnd();
  }

  look() {
    const room = this.#wishes.room();
    if (!room || room.seq <= room.read || !this.now) {
      clearTimeout(this.#timer);
      this.#timer = null;
      return;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      if (this.#wishes.room() === room && this.now) this.#wishes.mark(room, room.seq);
    }, READ_AFTER_MS);
  }
}
