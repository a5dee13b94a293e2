// The page: makes its parts, gives each the doors it needs, and knows which room is open.
// Facts from the line come in as `hello` and events; the parts' wishes come in as calls.
// It never draws a row and never speaks HTTP itself; each part does its own, and none knows another.
// Left out: direct messages, mentions, search and the rest of the plan; each is one more part here.

import { Announcer } from "./announce.js";
import { CatchUp } from "./catchup.js";
import { Composer } from "./composer.js";
import { Dialogs } from "./dialogs.js";
import { at, el, fill, icon, setText } from "./dom.js";
import { Doors, http, postedWords } from "./doors.js";
import { bindKeys } from "./keys.js";
import { MessageList } from "./list.js";
import { Menu } from "./menu.js";
import { Outbox } from "./outbox.js";
import { PeopleDrawer } from "./people.js";
import { Reading } from "./reading.js";
import { RoomLog } from "./roomlog.js";
import { RoomsNav, showBack, showTitle } from "./rooms.js";
import { nameOf } from "./row.js";
import { storage } from "./storage.js";
import { say } from "./strings.js";
import { Strip } from "./strip.js";
import { cleanName } from "./text.js";
import { TypingLine } from "./typing.js";
import { Wire } from "./wire.js";

const CONTRACT = 1;
const CATCHING_UP_AFTER_MS = 500;
const CONNECTING_AFTER_MS = 1_000;
const LOST_AFTER_MS = 2_000;
const INSECURE_EVERY_MS = 7 * 24 * 3_600_000;

const wide = matchMedia("(min-width: 60rem)");
const rooms = new Map();
const people = new Map();
const logs = new Map();
let session = null;
let me = null;
let workspace = null;
let limits = { text: 4000, page: 50 };
let canInvite = false;
let build = null;
let open = null;
let newAt = 0;
let newCount = 0;
let outbox = null;
let drawing = false;

const strip = new Strip(at("strip"));
const announcer = new Announcer(at("polite"), at("urgent"));
const doors = new Doors({ stage: at("stage"), entered: () => entered() });
const drawer = new PeopleDrawer();
const typing = new TypingLine(at("typing"), (id) => nameOf(id, people, me));
const moreMenu = new Menu(at("more"));

const wire = new Wire({
  hello: () => ({ v: CONTRACT, build, cursors: Object.fromEntries([...logs].filter(([, log]) => log.loaded).map(([id, log]) => [id, log.cursor])) }),
  ready,
  event: (name, body) => EVENTS[name]?.(body),
  changed: lineChanged,
  ended,
  heard: () => strip.lower("silent"),
});

const ask = (event, body) => wire.ask(event, body).then((answer) => {
  if (answer.code === "auth") ended("expired");
  return answer;
});

const dialogs = new Dialogs({ ask, entered: (room) => {
  admit(room);
  go(room.id);
} });

const nav = new RoomsNav(at("rooms"), {
  browse: () => dialogs.browse(),
  create: () => dialogs.create(),
  invite: () => dialogs.invite(),
  signOut,
});

const catchUp = new CatchUp({
  ask,
  log: (room) => logs.get(room),
  caught: (room, rows) => {
    for (const row of rows) noted(row);
    if (room === open) list.loaded();
    draw();
  },
  gone: forget,
  resting: () => strip.lower("catchingUp"),
});

const list = new MessageList({ scroller: at("scroller"), list: at("list"), top: at("top"), bottom: at("bottom") }, {
  older: () => page("older"),
  newer: () => page("newer"),
  moved: () => {
    showJump();
    reading.look();
  },
  retry: (cid) => outbox.retry(cid),
  edit: (cid) => composer.restore(outbox.take(cid)),
  drop: (cid) => outbox.take(cid),
  read: () => {
    markRead(rooms.get(open), rooms.get(open).seq);
    clearLine();
  },
});

const composer = new Composer(at("write"), {
  send: (room, text) => send(room, text),
  typing: (room, on) => wire.tell("typing", { room, on }),
  draft: (room) => storage.get(draftKey(room)) ?? "",
  keep: (room, text) => (text ? storage.put(draftKey(room), text) : storage.drop(draftKey(room))),
  key: (event) => keys.fromComposer(event),
});

const reading = new Reading({
  room: () => rooms.get(open),
  atEnd: () => list.atEnd && document.body.dataset.pane === "room",
  mark: markRead,
});

const keys = bindKeys({
  composer, list, drawer, clearLine,
  hasLine: () => newAt > 0,
  rooms: () => sorted().map((room) => room.id),
  unread: (id) => unread(rooms.get(id)),
  open: () => open,
  go,
});

// ── coming in ──

async function boot() {
  say4static();
  addEventListener("hashchange", route);
  wide.addEventListener("change", route);
  addEventListener("online", () => {
    strip.lower("offline");
    wire.tryNow();
  });
  addEventListener("offline", () => strip.raise("offline"));
  // A page brought back by the Back button may be another person's by now.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wire.tryNow());
  at("jump").addEventListener("click", toLatest);
  if (!navigator.onLine) strip.raise("offline");
  setInterval(() => outbox?.of(open).some((entry) => entry.resumeAt) && draw(), 1_000);
  await entered();
}

/** Asks who we are, at the start and after each door. */
async function entered() {
  strip.raise("connecting", {}, CONNECTING_AFTER_MS);
  let answer = await http("/session");
  for (let wait = 500; !answer.ok; wait = Math.min(wait * 2, 20_000)) {
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    answer = await http("/session");
  }
  strip.lower("connecting");
  session = answer;
  if (!session.signedIn) return atTheDoor();
  if (location.pathname !== "/" || location.hash.startsWith("#/setup/") || location.search) {
    history.replaceState(null, "", "/");
  }
  // Another person than before: nothing of the one who left may stay, so begin anew.
  if (me && me.id !== session.me.id) {
    history.replaceState(null, "", "/");
    return location.reload();
  }
  settle(session.me);
  wire.open();
}

function atTheDoor() {
  const code = /^\/join\/([^/]+)/.exec(location.pathname)?.[1];
  const setup = /^#\/setup\/([\w-]+)/.exec(location.hash)?.[1];
  const words = postedWords(location.search);
  if (code || setup || location.search) history.replaceState(null, "", "/");
  showTitle(0, [session.workspace]);
  if (session.setup) doors.setUp(setup);
  else if (code) doors.join(session, decodeURIComponent(code));
  else doors.signIn(session, words);
}

/** We know who we are: what is kept for that person comes back before the server says a word. */
function settle(person) {
  me = person;
  workspace = session.workspace;
  document.body.dataset.view = "chat";
  doors.opened();
  outbox ??= new Outbox({ uid: me.id, storage, ask: (body) => ask("send", body), report: {
    changed: () => draw(),
    sent,
    failed: (entry) => announcer.urge(say.spokenFailed(say.failed[entry.code] ?? say.failed.other)),
    silent: () => strip.raise("silent"),
    signedOut: () => ended("expired"),
  } });
  const kept = rooms.size === 0 ? storage.get(`seen.${me.id}`) : null;
  for (const room of kept?.rooms ?? []) rooms.set(room.id, room);
  for (const person of kept?.people ?? []) people.set(person.id, person);
  route();
  composer.focus();
}

function ready(answer) {
  me = answer.me;
  workspace = answer.workspace;
  limits = { ...limits, ...answer.limits };
  canInvite = answer.canInvite;
  if (build && answer.build !== build) strip.raise("newVersion");
  build ??= answer.build;
  strip.lower("restarting");
  people.clear();
  for (const person of answer.people) people.set(person.id, person);
  const mine = new Set(answer.rooms.map((room) => room.id));
  for (const id of [...rooms.keys()]) if (!mine.has(id)) forget(id);
  const behind = answer.rooms.filter((room) => admit(room) === "behind");
  storage.put(`seen.${me.id}`, { rooms: answer.rooms, people: answer.people.map((person) => ({ ...person, online: false })) });
  warnOfPlainHttp();
  route();
  outbox.flushAll();
  if (behind.length === 0) return;
  strip.raise("catchingUp", { behind: behind.reduce((sum, room) => sum + Math.max(0, room.rev - logs.get(room.id).cursor), 0) }, CATCHING_UP_AFTER_MS);
  catchUp.now(behind.map((room) => room.id).sort((a, b) => (b === open) - (a === open)));
}

/** Takes a room in, new or known. Answers "behind" if our log of it has missed something. */
function admit(room) {
  const known = rooms.get(room.id);
  rooms.set(room.id, { ...known, ...room, read: Math.max(room.read ?? 0, known?.read ?? 0) });
  const log = logs.get(room.id);
  if (!log?.loaded) logs.set(room.id, new RoomLog(room.rev));
  else if (log.cursor !== room.rev) return "behind";
  return "level";
}

function forget(id) {
  rooms.delete(id);
  logs.delete(id);
  if (open === id) go(null);
  draw();
}

function lineChanged() {
  const state = wire.state;
  if (state === "lost") {
    strip.lower("connecting", "catchingUp", "silent");
    strip.raise("lost", { retryAt: () => wire.retryAt, tryNow: () => wire.tryNow() }, LOST_AFTER_MS);
    typing.clear();
  } else if (state === "ready") strip.lower("connecting", "lost", "silent");
  else if (state === "connecting") strip.raise("connecting", {}, CONNECTING_AFTER_MS);
  else if (state === "ended") strip.lower("connecting", "lost", "silent", "restarting", "catchingUp");
  if (me) draw();
}

/** The session is over: the bar stands where the composer stood; text and place are kept. */
function ended(why) {
  if (document.body.dataset.foot === "sign-in") return;
  wire.close();
  typing.clear();
  if (why === "removed") return doors.removed();
  doors.bar(say.ended[why] ?? say.ended.other);
}

function signOut() {
  const leave = async () => {
    wire.close();
    const answer = await http("/session/end", {});
    if (!answer.ok) strip.raise("note", { text: say.unreachable });
    outbox.clear();
    for (const name of ["draft", "seen", "last"]) storage.drop(`${name}.${me.id}`);
    location.replace("/");
  };
  if (outbox.size === 0) return leave();
  dialogs.confirm(say.signOutTitle, say.signOutText(outbox.size), say.signOutDo, leave);
}

// ── events ──

const EVENTS = {
  message: (row) => {
    const room = rooms.get(row.room);
    const log = logs.get(row.room);
    if (!room || !log) return;
    const outcome = log.received(row);
    if (outcome === "gap") return catchUp.soon(row.room);
    if (outcome === "old") return;
    noted(row);
    if (row.by !== me.id && row.room === open) announcer.message(nameOf(row.by, people, me), row.text, cleanName(room.name));
    typing.heard(row.room, row.by, false);
    draw();
  },
  typing: ({ room, by, on }) => typing.heard(room, by, on),
  presence: ({ on = [], off = [] }) => {
    for (const [ids, online] of [[on, true], [off, false]]) {
      for (const id of ids) if (people.has(id)) people.get(id).online = online;
    }
    draw();
  },
  person: (person) => {
    people.set(person.id, { ...people.get(person.id), ...person });
    draw();
  },
  room: ({ room }) => {
    const known = rooms.get(room.id);
    admit(known ? { ...room, read: Math.max(known.read, room.read ?? 0) } : room);
    if (known && logs.get(room.id).loaded && logs.get(room.id).cursor < room.rev) catchUp.soon(room.id);
    draw();
  },
  "room:gone": ({ room }) => forget(room),
  "room:new": () => dialogs.changed(),
  read: ({ room, seq }) => {
    const known = rooms.get(room);
    if (known) known.read = Math.max(known.read, seq);
    draw();
  },
  "server:restarting": ({ inMs }) => {
    strip.raise("restarting");
    // Said in good faith; if nothing comes of it, the words must not stay.
    setTimeout(() => strip.lower("restarting"), (inMs ?? 0) + 30_000);
  },
};

/** A row is in its log: what follows for the room's numbers and for what I have on the way. */
function noted(row) {
  const room = rooms.get(row.room);
  if (!room) return;
  if (row.by === me.id) {
    if (row.cid) outbox.confirm(row.cid);
    room.read = Math.max(room.read, row.seq);
  } else if (row.room === open && row.seq > room.seq) {
    // Nobody looks: the line goes where the looking stopped.
    if (!reading.now && newAt <= room.read) [newAt, newCount] = [room.read + 1, Math.max(0, room.seq - room.read)];
    if (newAt > 0) newCount += 1;
  }
  room.seq = Math.max(room.seq, row.seq);
}

// ── sending ──

async function send(room, text) {
  const log = logs.get(room);
  if (log?.loaded && !log.atTail) await toLatest();
  outbox.add(room, text);
  list.toEnd();
}

function sent(entry, { id, seq, rev, at }) {
  const log = logs.get(entry.room);
  const row = { room: entry.room, id, seq, rev, by: me.id, cid: entry.cid, at, text: entry.text };
  if (!log) return;
  log.put(row);
  if (log.received(row) === "gap") catchUp.soon(entry.room);
  noted(row);
  if (entry.room === open) announcer.say(say.spokenSent);
}

// ── rooms ──

function route() {
  if (!me || document.body.dataset.view !== "chat") return;
  const asked = Number(/^#\/r\/(\d+)/.exec(location.hash)?.[1]) || null;
  if (asked === null && wide.matches && rooms.size > 0) {
    const last = storage.get(`last.${me.id}`);
    const first = rooms.has(last) ? last : sorted()[0].id;
    history.replaceState(null, "", `#/r/${first}`);
    return route();
  }
  document.body.dataset.pane = asked === null ? "list" : "room";
  // A room whose rows are not here yet is turned to anew: what was known of it may be old, or nothing.
  if (asked !== open || (rooms.has(open) && !logs.get(open)?.loaded)) turnTo(asked);
  else if (asked !== null && !rooms.has(asked) && wire.state === "ready") offer(asked);
  draw();
}

function go(id) {
  const hash = id === null ? "#/" : `#/r/${id}`;
  if (location.hash !== hash) location.hash = hash;
  else route();
}

function turnTo(id) {
  if (id !== open) logs.get(open)?.left();
  open = id;
  newAt = 0;
  typing.turn(id);
  list.clear();
  const room = rooms.get(id);
  if (!room) {
    if (id !== null && wire.state === "ready") offer(id);
    return;
  }
  fill(at("stage"));
  delete at("stage").dataset.empty;
  storage.put(`last.${me.id}`, id);
  newCount = room.seq - room.read;
  if (newCount > 0) newAt = room.read + 1;
  composer.turn(id, cleanName(room.name), limits.text);
  if (wide.matches) composer.focus();
  load();
}

/** The first page of the open room: around the "new" line if that is far up, else the newest. */
async function load() {
  const room = rooms.get(open);
  const log = logs.get(open);
  if (!room || !log || log.loaded || wire.state !== "ready") return;
  const far = room.seq - room.read > limits.page - 10 && room.read > 0;
  log.asked();
  const answer = await ask("history", far ? { room: room.id, around: room.read + 1, limit: limits.page } : { room: room.id, limit: limits.page });
  if (logs.get(room.id) !== log || log.loaded) return;
  if (!answer.ok) return refused(room.id, answer);
  log.paged(answer, "fresh");
  for (const row of answer.rows) if (row.by === me.id && row.cid) outbox.confirm(row.cid);
  draw();
  list.loaded();
}

let paging = null;

async function page(where) {
  const log = logs.get(open);
  if (!log?.loaded || paging || wire.state !== "ready" || (where === "older" ? log.atStart : log.atTail) || log.rows.length === 0) return;
  const room = open;
  const edge = where === "older" ? { before: log.rows[0].seq } : { after: log.rows.at(-1).seq };
  paging = room;
  if (where === "newer") log.asked();
  const answer = await ask("history", { room, ...edge, limit: limits.page });
  paging = null;
  if (logs.get(room) !== log || !log.loaded || room !== open) return;
  if (!answer.ok) return;
  log.paged(answer, where);
  draw();
  list.loaded();
  if (where === "older" && answer.rows.length > 0 && list.holdsFocus) announcer.say(say.spokenOlder(answer.rows.length));
}

async function toLatest() {
  const log = logs.get(open);
  if (log && !log.atTail && log.loaded) {
    log.asked();
    const answer = await ask("history", { room: open, limit: limits.page });
    if (answer.ok && logs.get(open) === log) log.paged(answer, "fresh");
    drawNow();
  }
  list.toEnd();
  list.loaded();
  showJump();
  reading.look();
}

function refused(room, answer) {
  if (answer.code === "forbidden" || answer.code === "not_found") forget(room);
  else if (answer.code !== "away") setTimeout(() => open === room && load(), answer.retryMs ?? 2_000);
}

/** An address of a room I am not in: say so, and offer the way in if it is public. */
async function offer(id) {
  delete at("stage").dataset.empty;
  fill(at("stage"));
  const answer = await ask("room:list", {});
  if (open !== id || rooms.has(id)) return;
  const room = answer.rooms?.find((one) => one.id === id);
  fill(at("stage"), el("div", { class: "welcome" },
    el("h2", null, room ? say.notIn(cleanName(room.name)) : say.roomPrivate),
    room ? el("button", { type: "button", class: "primary", onclick: () => dialogs.join(id) }, say.join) : null));
}

function leaveRoom() {
  const room = rooms.get(open);
  dialogs.confirm(say.leaveTitle(cleanName(room.name)), say.leaveText, say.leaveDo, async () => {
    const answer = await ask("room:leave", { room: room.id });
    if (answer.ok) forget(room.id);
    else strip.raise("note", { text: say.failed[answer.code] ?? say.unreachable });
  });
}

function markRead(room, seq) {
  if (!room || seq <= room.read) return;
  room.read = seq;
  ask("read", { room: room.id, seq });
  draw();
}

function clearLine() {
  newAt = 0;
  draw();
}

// ── drawing ──

/** Draws once, after everything of this turn has happened. */
function draw() {
  if (drawing) return;
  drawing = true;
  queueMicrotask(() => {
    drawing = false;
    drawNow();
  });
}

function drawNow() {
  if (!me || document.body.dataset.view !== "chat") return;
  const room = rooms.get(open);
  const log = logs.get(open);
  const name = cleanName(room?.name);
  nav.show({
    workspace, me, open: wide.matches ? open : null, canInvite, unread,
    rooms: sorted(),
    online: wire.state === "ready",
    draft: (one) => Boolean(storage.get(draftKey(one.id))),
    pending: (one) => outbox.has(one.id),
  });
  drawer.show(people, me);
  const elsewhere = sorted().filter((one) => one.id !== open).reduce((sum, one) => sum + unread(one), 0);
  showTitle(elsewhere + (room ? unread(room) : 0), [name, cleanName(workspace)]);
  showBack(elsewhere);
  setText(at("title"), name);
  setText(at("topic"), cleanName(room?.topic));
  document.body.dataset.room = room ? "open" : "none";
  if (!room) return showNowhere();
  log?.settle(list.atEnd ? "at the end" : "further up");
  const pending = outbox.of(open);
  const empty = log?.loaded && log.atStart && log.rows.length === 0 && pending.length === 0;
  showEmpty(empty);
  at("skeleton").hidden = Boolean(log?.loaded);
  list.show({ room, log: log ?? new RoomLog(0), pending, me, people, newAt, newCount });
  showJump();
  reading.look();
}

function showEmpty(empty) {
  const stage = at("stage");
  if (!empty) {
    if (stage.dataset.empty) fill(stage);
    delete stage.dataset.empty;
    return;
  }
  const alone = canInvite && people.size <= 1;
  const mark = `${open} ${alone}`;
  if (stage.dataset.empty === mark) return;
  stage.dataset.empty = mark;
  fill(stage, el("div", { class: "welcome" },
    alone
      ? [el("h2", null, say.inviteCardTitle), el("p", null, say.inviteCardText), dialogs.inviteLink()]
      : el("h2", null, say.emptyRoom)));
}

/** No room is open: on a wide page something must stand there. */
function showNowhere() {
  const stage = at("stage");
  if (open !== null || stage.dataset.empty === "nowhere") return;
  stage.dataset.empty = "nowhere";
  fill(stage, el("div", { class: "welcome" }, el("h2", null, rooms.size > 0 ? say.pickRoom : say.noRooms), el("p", null, say.pickRoomText)));
}

function showJump() {
  const jump = at("jump");
  const room = rooms.get(open);
  const log = logs.get(open);
  jump.hidden = !room || !log?.loaded || list.atEnd;
  if (jump.hidden) return;
  const newer = unread(room);
  const mark = String(newer);
  if (jump.dataset.mark === mark) return;
  jump.dataset.mark = mark;
  jump.setAttribute("aria-label", newer > 0 ? `${say.latest}, ${say.newer(newer)}` : say.latest);
  fill(jump, icon("down"), newer > 0 ? el("span", null, say.newer(newer)) : null);
}

function unread(room) {
  if (room.id === open && reading.now) return 0;
  return Math.max(0, room.seq - room.read);
}

const sorted = () => [...rooms.values()].sort((a, b) => a.name.localeCompare(b.name));
const draftKey = (room) => `draft.${me.id}.${room}`;

/** Once a week admins are told what plain http means; on this machine itself it means nothing. */
function warnOfPlainHttp() {
  const here = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  const last = storage.get("insecure-said") ?? 0;
  if (me.role !== "admin" || location.protocol === "https:" || here || Date.now() - last < INSECURE_EVERY_MS) return;
  strip.raise("insecure", { understood: () => {
    storage.put("insecure-said", Date.now());
    strip.lower("insecure");
  } });
}

/** Words and icons of the parts that stand in the document itself. */
function say4static() {
  fill(at("peek"), icon("eye"));
  at("peek").setAttribute("aria-label", say.showPassword);
  for (const [id, words, target] of [["skip-list", say.skipToMessages, () => list.focus()], ["skip-write", say.skipToComposer, () => composer.focus()]]) {
    setText(at(id), words);
    at(id).addEventListener("click", target);
  }
  moreMenu.show([icon("more")], say.more, [
    moreMenu.wish(say.invite, () => dialogs.invite()),
    moreMenu.wish(say.leave, leaveRoom),
  ]);
  showBack(0);
}

boot();
