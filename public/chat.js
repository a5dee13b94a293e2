// The page: makes its parts, and gives each the doors it needs.
// Facts from the line come in as `hello` and events; the parts' wishes come in as calls.
// It never draws and keeps no rooms: place.js knows, scene.js shows, and neither knows this file.
// Left out: groups of three and files; the one is a private room, the other is one more part here.

import { Alerts } from "./alerts.js";
import { Composer } from "./composer.js";
import { at } from "./dom.js";
import { Doors } from "./doors.js";
import { Drafts } from "./drafts.js";
import { heard } from "./events.js";
import { furnish } from "./furnish.js";
import { CatchUp, History } from "./history.js";
import { laterParts, lazily } from "./lazy.js";
import { MessageList, Reading } from "./list.js";
import { Announcer, Strip, TypingLine } from "./notices.js";
import { Paths } from "./paths.js";
import { PeopleDrawer } from "./people.js";
import { Place } from "./place.js";
import { RoomsNav } from "./rooms.js";
import { nameOf } from "./row.js";
import { Scene } from "./scene.js";
import { Stay } from "./stay.js";
import { say } from "./strings.js";
import { Wire } from "./wire.js";

const CONTRACT = 1;
const NOTE_FOR_MS = 8_000;

const wide = matchMedia("(min-width: 60rem)");
let noteTimer = null;

// ── the parts ──

const place = new Place();
const drafts = new Drafts(place);
const strip = new Strip(at("strip"));
const announcer = new Announcer(at("polite"), at("urgent"));
const drawer = new PeopleDrawer((person) => order((part) => part.about(person)), () => note(say.partMissing));
const alerts = new Alerts({ ask, go: (room) => paths.go(room), name: (id) => nameOf(id, place.people, place.me) });
const typing = new TypingLine(at("typing"), (id) => nameOf(id, place.people, place.me));
const doors = new Doors({ stage: at("stage"), entered: () => stay.entered() });

const wire = new Wire({
  hello: () => ({ v: CONTRACT, build: stay.build, cursors: place.cursors(), visible: alerts.visible }),
  ready: (answer) => stay.ready(answer),
  event: (name, body) => EVENTS[name]?.(body),
  changed: () => stay.lineChanged(),
  ended: (why) => stay.ended(why),
  heard: () => strip.lower("silent"),
});

const parts = laterParts(place, {
  ask,
  tell: (event, body) => wire.tell(event, body),
  note,
  entered: (room) => paths.enter(room),
  left: (room) => paths.forget(room),
  changed: () => scene.changed(),
  spoken: (words) => announcer.say(words),
  composer: () => composer,
  drafts,
  me: () => place.me,
  unsent: () => stay.outbox.size,
  forgetMe: () => stay.forgetMe(),
});
const { about, actions, completion, dialogs, help, insecure, me, offers, order, search, switcher } = parts;

const nav = new RoomsNav(at("rooms"), {
  browse: () => dialogs((part) => part.browse()),
  create: () => dialogs((part) => part.create()),
  invite: () => dialogs((part) => part.invite()),
  me: (node) => me((part) => part.menu(node)),
});

const catchUp = new CatchUp({
  ask,
  log: (room) => place.logs.get(room),
  caught: (room, rows) => {
    rows.forEach(noted);
    if (room === place.open) list.loaded();
    scene.changed();
  },
  gone: (room) => paths.forget(room),
  resting: () => strip.lower("catchingUp"),
});

const pages = new History(place, {
  ask,
  gone: (room) => paths.forget(room),
  paged: (where, rows) => {
    for (const row of rows) confirm(row);
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
    retry: (cid) => stay.outbox.retry(cid),
    edit: (cid) => composer.restore(stay.outbox.take(cid)),
    drop: (cid) => stay.outbox.take(cid),
    undo: (_, node) => actions((part) => part.undo(node)),
    read: () => {
      markRead(place.room, place.room.seq);
      paths.clearLine();
    },
  },
);

const composer = new Composer(at("write"), {
  send,
  typing: (room, on) => wire.tell("typing", { room, on }),
  draft: (room) => drafts.of(room),
  keep: (room, text) => drafts.keep(room, text),
  key: (event) => keys.part?.fromComposer(event),
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
  pending: (room) => stay.outbox.of(room),
  draft: (room) => drafts.has(room.id),
});

const paths = new Paths(place, {
  composer,
  drafts,
  list,
  pages,
  reading,
  scene,
  typing,
  isReady: () => wire.state === "ready",
  isWide: () => wide.matches,
  noRoom,
  changing: () => actions((part) => part.resume()),
  note,
});

const stay = new Stay(place, {
  alerts,
  announcer,
  catchUp,
  composer,
  doors,
  drafts,
  paths,
  scene,
  strip,
  typing,
  wire,
  ask,
  sent,
  note,
  greeted: () => completion.part?.forget(),
  insecure: () => insecure((part) => part.warn(strip)),
});

const keys = lazily(
  async () =>
    (await import("./keys.js")).bindKeys({
      composer,
      list,
      drawer,
      clearLine: () => paths.clearLine(),
      go: (room) => paths.go(room),
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
    }),
  () => {},
);

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
  route: () => paths.route(),
  forget: (room) => paths.forget(room),
  changed: () => scene.changed(),
});

// ── between them ──

/** Asks over the line; an answer that we are signed out is heard here, whoever asked. */
async function ask(event, body) {
  const answer = await wire.ask(event, body);
  if (answer.code === "auth") stay.ended("expired");
  return answer;
}

async function send(room, text) {
  await paths.toLatest();
  stay.outbox.add(room, text);
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

function noted(row) {
  confirm(row);
  place.noted(row, reading.now);
}

/** A row of mine that came back another way than by its answer. */
function confirm(row) {
  if (row.by === place.me.id && row.cid) stay.outbox.confirm(row.cid);
}

function markRead(room, seq) {
  if (!room || seq <= room.read) return;
  room.read = seq;
  if (seq >= room.seq) room.mentions = 0;
  ask("read", { room: room.id, seq });
  scene.changed();
}

/** The address names a room that is not mine, or a person to whom I have not written. */
function noRoom(id) {
  offers((part) =>
    part.offer(id, {
      ask,
      isHere: (one) => place.open === one && !place.room,
      show: (mark, ...children) => scene.stage(mark, ...children),
      entered: (room) => paths.enter(room),
      found: (room) => {
        place.admit(room);
        paths.route();
      },
    }),
  );
}

/** A few words that nobody needs to answer; they go by themselves. */
function note(text) {
  strip.raise("note", { text });
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => strip.lower("note"), NOTE_FOR_MS);
}

// ── the start ──

function boot() {
  scene.stage("");
  furnish({
    search: () => search((part) => part.open()),
    toLatest: () => paths.toLatest(),
    toList: () => list.focus(),
    toBox: () => composer.focus(),
    more: (node) => about((part) => part.menu(node)),
    named: () => completion((part) => part.look()),
    actions: (then) => actions(then),
  });
  // Where there is a mouse there is a keyboard; a telephone shows one by its first key.
  if (matchMedia("(any-hover: hover)").matches) keys(() => {});
  addEventListener("keydown", () => keys(() => {}));
  addEventListener("hashchange", () => paths.route());
  wide.addEventListener("change", () => paths.route());
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
  setInterval(() => stay.outbox?.of(place.open).some((entry) => entry.resumeAt) && scene.changed(), 1_000);
  stay.entered();
}

boot();
