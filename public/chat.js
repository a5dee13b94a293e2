// The page: makes its parts, gives each the doors it needs, and knows when we are in and when out.
// Facts from the line come in as `hello` and events; the parts' wishes come in as calls.
// It never draws and keeps no rooms: place.js knows, scene.js shows, and neither knows this file.
// Left out: groups of three and files; the one is a private room, the other is one more part here.

import { Alerts } from "./alerts.js";
import { Composer } from "./composer.js";
import { at, el, fill, icon, setText } from "./dom.js";
import { Doors, http, postedWords } from "./doors.js";
import { heard } from "./events.js";
import { CatchUp, History } from "./history.js";
import { bindKeys } from "./keys.js";
import { laterParts } from "./lazy.js";
import { MessageList, Reading } from "./list.js";
import { Menu } from "./menu.js";
import { Announcer, Strip, TypingLine, warnOfPlainHttp } from "./notices.js";
import { Outbox } from "./outbox.js";
import { PeopleDrawer } from "./people.js";
import { Place } from "./place.js";
import { RoomsNav, showBack, showTitle } from "./rooms.js";
import { nameOf } from "./row.js";
import { Scene } from "./scene.js";
import { storage } from "./storage.js";
import { say, whyFailed } from "./strings.js";
import { cleanName } from "./text.js";
import { Wire } from "./wire.js";

const CONTRACT = 1;
const CONNECTING_AFTER_MS = 1_000;
const LOST_AFTER_MS = 2_000;
const CATCHING_UP_AFTER_MS = 500;
const NOTE_FOR_MS = 8_000;

const TOUCHES = ["pointerover", "pointerdown", "focusin"];

const wide = matchMedia("(min-width: 60rem)");
let session = null;
let outbox = null;
let build = null;
let noteTimer = null;

// ── the parts ──

const place = new Place();
const strip = new Strip(at("strip"));
const announcer = new Announcer(at("polite"), at("urgent"));
const drawer = new PeopleDrawer((person) => order((part) => part.about(person)), () => note(say.partMissing));
const alerts = new Alerts({ ask, go, name: (id) => nameOf(id, place.people, place.me) });
const typing = new TypingLine(at("typing"), (id) => nameOf(id, place.people, place.me));
const doors = new Doors({ stage: at("stage"), entered });

const wire = new Wire({
  hello: () => ({ v: CONTRACT, build, cursors: place.cursors(), visible: alerts.visible }),
  ready,
  event: (name, body) => EVENTS[name]?.(body),
  changed: lineChanged,
  ended,
  heard: () => strip.lower("silent"),
});

const parts = laterParts(place, {
  ask,
  tell: (event, body) => wire.tell(event, body),
  note,
  entered: enter,
  left: forget,
  changed: () => scene.changed(),
  spoken: (words) => announcer.say(words),
  composer: () => composer,
  me: () => place.me,
  leave: leaveEverywhere,
});
const { actions, completion, dialogs, help, order, search, settings, sounds, switcher } = parts;

const nav = new RoomsNav(at("rooms"), {
  browse: () => dialogs((part) => part.browse()),
  create: () => dialogs((part) => part.create()),
  invite: () => dialogs((part) => part.invite()),
  settings: () => settings((part) => part.open()),
  sounds: () => sounds((part) => part.openSounds()),
  signOut,
});

const catchUp = new CatchUp({
  ask,
  log: (room) => place.logs.get(room),
  caught: (room, rows) => {
    rows.forEach(noted);
    if (room === place.open) list.loaded();
    scene.changed();
  },
  gone: forget,
  resting: () => strip.lower("catchingUp"),
});

const pages = new History(place, {
  ask,
  gone: forget,
  paged: (where, rows) => {
    for (const row of rows) if (row.by === place.me.id && row.cid) outbox.confirm(row.cid);
    if (where === "fresh") list.turned();
    scene.draw();
    list.loaded();
    if (where === "older" && rows.length > 0 && list.holdsFocus) announcer.say(say.spokenOlder(rows.length));
  },
});

const list = new MessageList(
  { scroller: at("scroller"), list: at("list"), top: at("top"), bottom: at("bottom") },
  {
    older: () => pages.page("older"),
    newer: () => pages.page("newer"),
    moved: () => {
      scene.jump();
      reading.look();
    },
    retry: (cid) => outbox.retry(cid),
    edit: (cid) => composer.restore(outbox.take(cid)),
    drop: (cid) => outbox.take(cid),
    undo: (_, node) => actions((part) => part.undo(node)),
    read: () => {
      markRead(place.room, place.room.seq);
      clearLine();
    },
  },
);

const composer = new Composer(at("write"), {
  send,
  typing: (room, on) => wire.tell("typing", { room, on }),
  draft: (room) => storage.get(draftKey(room)) ?? "",
  keep: (room, text) => (text ? storage.put(draftKey(room), text) : storage.drop(draftKey(room))),
  key: (event) => keys.fromComposer(event),
});

const reading = new Reading({
  room: () => place.room,
  atEnd: () => list.atEnd && document.body.dataset.pane === "room",
  mark: markRead,
});

const scene = new Scene(place, {
  nav,
  drawer,
  list,
  reading,
  inviteLink: (box) => dialogs((part) => box.replaceWith(part.inviteLink())),
  online: () => wire.state === "ready",
  wide: () => wide.matches,
  pending: (room) => outbox.of(room),
  draft: (room) => storage.has(draftKey(room.id)),
});

const keys = bindKeys({
  composer,
  list,
  drawer,
  clearLine,
  go,
  search: () => search((part) => part.open()),
  help: () => help((part) => part.openHelp()),
  switchTo: () =>
    switcher((part) =>
      part.openSwitcher(place, { unread: (room) => scene.unread(room), go: (hash) => (location.hash = hash) }),
    ),
  editLast: () => actions((part) => part.editLast()),
  hasLine: () => place.newAt > 0 || place.target > 0,
  rooms: () => place.sorted().map((room) => room.id),
  unread: (id) => scene.unread(place.rooms.get(id)),
  open: () => place.open,
});

// ── coming in, and going ──

function boot() {
  scene.stage("");
  furnish();
  addEventListener("hashchange", route);
  wide.addEventListener("change", route);
  addEventListener("offline", () => strip.raise("offline"));
  addEventListener("online", () => {
    strip.lower("offline");
    wire.tryNow();
  });
  if (!navigator.onLine) strip.raise("offline");
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && wire.tryNow(),
  );
  // A page brought back by the Back button may be another person's by now.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  // A pause the server asked for is counted down on its row.
  setInterval(() => outbox?.of(place.open).some((entry) => entry.resumeAt) && scene.changed(), 1_000);
  entered();
}

/** Asks who we are, at the start and after each door. */
async function entered() {
  strip.raise("connecting", {}, CONNECTING_AFTER_MS);
  session = await http("/session");
  for (let wait = 500; !session.ok; wait = Math.min(wait * 2, 20_000)) {
    await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    session = await http("/session");
  }
  strip.lower("connecting");
  if (!session.signedIn) return atTheDoor();
  if (location.pathname !== "/" || location.search || location.hash.startsWith("#/setup/")) {
    history.replaceState(null, "", "/");
  }
  // Another person than before: nothing of the one who left may stay, so begin anew.
  if (place.me && place.me.id !== session.me.id) {
    history.replaceState(null, "", "/");
    return location.reload();
  }
  settle(session.me);
  wire.open();
}

function atTheDoor() {
  const code = /^\/join\/([^/]+)/.exec(location.pathname)?.[1];
  const reset = /^\/reset\/([^/]+)/.exec(location.pathname)?.[1];
  const setUp = /^#\/setup\/([\w-]+)/.exec(location.hash)?.[1];
  const words = postedWords(location.search);
  // Codes leave the address at once: it may be photographed, shared, or kept in a history.
  if (code || reset || setUp || location.search) history.replaceState(null, "", "/");
  showTitle(0, [session.workspace]);
  if (session.setup) doors.setUp(setUp);
  else if (reset) doors.reset(session, reset);
  else if (session.ended) doors.removed(session.ended);
  else if (code) doors.join(session, code);
  else doors.signIn(session, words);
}

/** We know who we are: what is kept for that person comes back before the server says a word. */
function settle(me) {
  place.me = me;
  place.name = session.workspace;
  document.body.dataset.view = "chat";
  doors.opened();
  outbox ??= new Outbox({
    uid: me.id,
    storage,
    ask: (body) => ask("send", body),
    report: {
      changed: () => scene.changed(),
      sent,
      failed: (entry) => announcer.urge(say.spokenFailed(whyFailed(entry))),
      silent: () => strip.raise("silent"),
    },
  });
  place.kept = (room) => storage.has(draftKey(room.id)) || outbox.of(room.id).length > 0;
  if (place.rooms.size === 0) place.remember(storage.get(`seen.${me.id}`) ?? {});
  route();
  composer.focus();
}

function ready(answer) {
  const { behind, gone } = place.greeted(answer);
  gone.forEach(forget);
  alerts.greeted(answer);
  completion.part?.forget();
  if (build && answer.build !== build) strip.raise("newVersion");
  build ??= answer.build;
  strip.lower("restarting");
  const { me, people, rooms, database } = answer;
  if (me.muted && !(me.mutedUntil <= answer.now)) note(say.muted(me.mutedUntil));
  storage.put(`seen.${me.id}`, { database, rooms, people: people.map((person) => ({ ...person, online: undefined })) });
  warnOfPlainHttp(strip, place.me);
  route();
  outbox.flushAll();
  if (behind.length === 0) return;
  const changes = behind.reduce(
    (sum, room) => sum + Math.max(0, room.rev - place.logs.get(room.id).cursor),
    0,
  );
  strip.raise("catchingUp", { behind: changes }, CATCHING_UP_AFTER_MS);
  catchUp.now(behind.map((room) => room.id).sort((a, b) => (b === place.open) - (a === place.open)));
}

function lineChanged() {
  if (wire.state === "lost") {
    strip.lower("connecting", "catchingUp", "silent");
    strip.raise("lost", { retryAt: () => wire.retryAt, tryNow: () => wire.tryNow() }, LOST_AFTER_MS);
    typing.clear();
  } else if (wire.state === "connecting") strip.raise("connecting", {}, CONNECTING_AFTER_MS);
  else strip.lower("connecting", "lost", "silent");
  scene.changed();
}

/** Asks over the line; an answer that we are signed out is heard here, whoever asked. */
async function ask(event, body) {
  const answer = await wire.ask(event, body);
  if (answer.code === "auth") ended("expired");
  return answer;
}

/** The session is over: the bar stands where the composer stood; text and place are kept. */
function ended(why) {
  if (document.body.dataset.foot === "sign-in") return;
  wire.close();
  typing.clear();
  strip.lower("restarting", "catchingUp");
  if (why === "removed" || why === "banned") doors.removed(why);
  else doors.bar(say.ended[why] ?? say.ended.other);
}

/** All other devices are out already; so is this one, which forgets what it kept. */
async function leaveEverywhere() {
  const answer = await ask("me:revoke", { all: true });
  if (answer.ok) forgetMe();
  return answer;
}

function forgetMe() {
  wire.close();
  outbox.clear();
  for (const name of ["draft", "seen", "last"]) storage.drop(`${name}.${place.me.id}`);
  location.replace("/");
}

function signOut() {
  const leave = async () => {
    const answer = await http("/session/end", {});
    if (!answer.ok) return note(say.unreachable);
    forgetMe();
  };
  if (outbox.size === 0) return leave();
  dialogs((part) => part.confirm(say.signOutTitle, say.signOutText(outbox.size), say.signOutDo, leave));
}

// ── events ──

const EVENTS = heard(place, {
  parts,
  alerts,
  announcer,
  catchUp,
  composer,
  strip,
  typing,
  noted,
  note,
  route,
  forget,
  changed: () => scene.changed(),
});

function noted(row) {
  if (row.by === place.me.id && row.cid) outbox.confirm(row.cid);
  place.noted(row, reading.now);
}

// ── rooms and messages ──

function route() {
  if (!place.me || document.body.dataset.view !== "chat") return;
  const [, way, id, seq] = /^#\/(r|dm)\/(\d+)(?:\/(\d+))?/.exec(location.hash) ?? [];
  // Somebody to whom I have not written yet has no room: then this is its name.
  const asked = way === "dm" ? (place.directWith(Number(id))?.id ?? `dm ${id}`) : Number(id) || null;
  const target = Number(seq) || 0;
  if (asked === null && wide.matches && place.rooms.size > 0) {
    const last = storage.get(`last.${place.me.id}`);
    // A room that is not among those kept here may be a new one: the server will say.
    if (place.rooms.has(last) || !last || wire.state === "ready") {
      history.replaceState(null, "", place.address(place.rooms.has(last) ? last : place.sorted()[0].id));
      return route();
    }
  }
  document.body.dataset.pane = asked === null ? "list" : "room";
  // A room whose rows are not here yet is turned to anew: what was known of it may be old, or nothing.
  if (asked !== place.open || !place.log?.loaded) turnTo(asked, target);
  else if (target) reveal(target);
  scene.changed();
}

/** A message of the open room: brought here if it is elsewhere in the log, and shown. */
async function reveal(seq) {
  place.target = seq;
  scene.draw();
  if (!list.reveal() && !(await pages.around(seq))) note(say.unreachable);
}

function turnTo(id, target) {
  place.turn(id, target);
  typing.turn(id);
  list.clear();
  const room = place.room;
  if (room) {
    scene.stage("");
    storage.put(`last.${place.me.id}`, id);
    composer.turn(id, cleanName(room.name), place.limits.text);
    // What is not yet shown cannot take the focus.
    scene.draw();
    if (wide.matches && !target) composer.focus();
    pages.load();
    return;
  }
  scene.stage("");
  if (id === null || wire.state !== "ready") return;
  if (typeof id === "string") openDirect(id);
  else offer(id);
}

/** An address of a person: the room we have together is made, unless there is nobody. */
async function openDirect(id) {
  const answer = await ask("dm:open", { user: Number(id.slice(3)) });
  if (place.open !== id) return;
  if (answer.ok) {
    place.admit(answer.room);
    route();
  } else scene.stage(`nobody ${id}`, el("h2", null, answer.code === "not_found" ? say.nobody : say.unreachable));
}

/** An address of a room I am not in: say so, and offer the way in if it is public. */
async function offer(id) {
  const answer = await ask("room:list", {});
  if (place.open !== id || place.room) return;
  const room = answer.rooms?.find((one) => one.id === id);
  scene.stage(
    `offer ${id}`,
    el("h2", null, room ? say.notIn(cleanName(room.name)) : say.roomPrivate),
    room && el("button", { type: "button", class: "primary", onclick: () => join(id) }, say.join),
  );
}

function go(id) {
  const hash = id === null ? "#/" : place.address(id);
  if (location.hash === hash) route();
  else location.hash = hash;
}

/** A room that I have made or joined opens. */
function enter(room) {
  place.admit(room);
  go(room.id);
}

async function join(id) {
  const answer = await ask("room:join", { room: id });
  if (answer.ok) enter(answer.room);
}

function forget(id) {
  place.forget(id);
  if (place.open === id) go(null);
  scene.changed();
}

async function send(room, text) {
  await toLatest();
  outbox.add(room, text);
  list.toEnd();
}

function sent({ room, cid, text }, { id, seq, rev, at }) {
  const row = { room, id, seq, rev, by: place.me.id, cid, at, text };
  const log = place.logs.get(room);
  log?.put(row);
  if (log?.received(row) === "gap") catchUp.soon(room);
  place.noted(row, reading.now);
  if (room === place.open) announcer.say(say.spokenSent);
}

async function toLatest() {
  leaveTarget();
  if (place.log?.loaded && !place.log.atTail) await pages.latest();
  list.toEnd();
  scene.jump();
  reading.look();
}

function markRead(room, seq) {
  if (!room || seq <= room.read) return;
  room.read = seq;
  if (seq >= room.seq) room.mentions = 0;
  ask("read", { room: room.id, seq });
  scene.changed();
}

/** A few words that nobody needs to answer; they go by themselves. */
function note(text) {
  strip.raise("note", { text });
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => strip.lower("note"), NOTE_FOR_MS);
}

function clearLine() {
  place.newAt = 0;
  leaveTarget();
  scene.changed();
}

function draftKey(room) {
  return `draft.${place.me.id}.${room}`;
}

/** The message that the address names is one like the others again. */
function leaveTarget() {
  if (!place.target) return;
  place.target = 0;
  history.replaceState(null, "", place.address(place.open));
}

/** Words, icons and clicks of the parts that stand in the document itself. */
function furnish() {
  fill(at("peek"), icon("eye"));
  at("peek").setAttribute("aria-label", say.showPassword);
  fill(at("search-button"), icon("search"));
  at("search-button").setAttribute("aria-label", say.search);
  at("search-button").title = say.search;
  at("search-button").addEventListener("click", () => search((part) => part.open()));
  at("jump").addEventListener("click", toLatest);
  for (const name of TOUCHES) at("list").addEventListener(name, touched);
  for (const [id, words, target] of [
    ["skip-list", say.skipToMessages, () => list.focus()],
    ["skip-write", say.skipToComposer, () => composer.focus()],
  ]) {
    setText(at(id), words);
    at(id).addEventListener("click", target);
  }
  const more = new Menu(at("more"));
  more.show([icon("more")], say.more, []);
  at("more").addEventListener("toggle", () => at("more").open && parts.about((part) => part.menu(more)));
  // The first sign of a name brings the list of names, which then listens for itself.
  at("box").addEventListener("input", function first(event) {
    if (!/[@#]/.test(event.data ?? "")) return;
    at("box").removeEventListener("input", first);
    completion((part) => part.look());
  });
  showBack(0);
}

/** The words on a row come with the first touch, which is then made once more, for them. */
function touched(event) {
  const again = new event.constructor(event.type, event);
  actions(() => {
    for (const name of TOUCHES) at("list").removeEventListener(name, touched);
    if (event.target.isConnected) event.target.dispatchEvent(again);
  });
}

boot();
