// The page for admins: a line of its own, sections by address, and names for ids.
// The server decides who may be here; a refusal is put into words, and leads back to the chat.
// Nothing of this is fetched by anybody who does not open it.
// Left out: backups, whose button will stand among the settings.

import { theme } from "../choice.js";
import { at, el, fill, icon, setText } from "../dom.js";
import { hoist } from "../flags.js";
import { http } from "../doors.js";
import { Strip } from "../notices.js";
import { say } from "../strings.js";
import { cleanName } from "../text.js";
import { House } from "./house.js";
import { Line } from "./line.js";
import { Now } from "./now.js";
import { People } from "./people.js";
import { Connections, Invites, Rooms } from "./rolls.js";
import { words } from "./strings.js";
import { Trail } from "./trail.js";

const NOTE_FOR_MS = 6_000;
const LOST_AFTER_MS = 2_000;

const wide = matchMedia("(min-width: 60rem)");
const strip = new Strip(at("strip"));
const people = new Map();
const rooms = new Map();
let workspace = "";
let open = null;
let noteTimer = null;

const line = new Line({
  ready,
  lost: () => strip.raise("note", { text: words.lost }, LOST_AFTER_MS),
  refused,
  stats: (numbers) => sections.now.told(numbers),
});

const ask = (event, body) => line.ask(event, body);
// Nobody has the id of what is done in a terminal.
const name = (user) => (user === 0 ? words.shell : people.get(user) ?? words.gone);
const room = (id) => rooms.get(id) ?? `#${id}`;
const shared = { ask, note, name, room, renamed };

const sections = {
  now: new Now(shared),
  people: new People(shared),
  rooms: new Rooms(shared),
  invites: new Invites(shared),
  settings: new House(shared),
  trail: new Trail(shared),
  connections: new Connections(shared),
};

async function boot() {
  addEventListener("hashchange", route);
  wide.addEventListener("change", route);
  const session = await http("/session");
  if (!session.ok) return setTimeout(boot, 2_000);
  workspace = cleanName(session.workspace) || say.brand;
  if (!session.signedIn) return refused("auth");
  line.open();
}

async function ready() {
  strip.lower("note");
  await learnNames();
  document.body.dataset.view = "chat";
  fill(at("stage"));
  // What was on screen before a loss may be old by now.
  open = null;
  route();
}

/** What ids are called, for rows that have only those. */
async function learnNames() {
  for (const [question, names] of [
    ["user:list", people],
    ["room:list", rooms],
  ]) {
    for (let after, more = true; more; ) {
      const answer = await ask(question, after ? { after } : {});
      if (!answer.ok) break;
      for (const row of answer.rows) names.set(row.id, cleanName(row.name));
      [after, more] = [answer.rows.at(-1)?.id, answer.more];
    }
  }
}

function refused(code) {
  strip.lower("note");
  document.body.dataset.view = "door";
  const isSignedIn = code === "forbidden";
  fill(
    at("stage"),
    el(
      "div",
      { class: "welcome" },
      hoist(workspace || say.brand),
      el("h1", null, isSignedIn ? words.notYours : words.signedOut),
      el("p", null, isSignedIn ? words.notYoursText : words.signedOutText),
      el("p", { class: "doors" }, el("a", { class: "primary", href: "/" }, isSignedIn ? words.toChat : words.signIn)),
    ),
  );
}

function route() {
  if (document.body.dataset.view !== "chat") return;
  const asked = /^#\/(\w+)/.exec(location.hash)?.[1];
  const known = Object.hasOwn(sections, asked ?? "") ? asked : null;
  if (known === null && wide.matches) {
    history.replaceState(null, "", "#/now");
    return route();
  }
  document.body.dataset.pane = known === null ? "list" : "room";
  drawNav(known);
  if (known === open) return;
  sections[open]?.close?.();
  const before = open;
  open = known;
  if (known === null) return at("rooms").querySelector(`[href="#/${before}"]`)?.focus();
  const [title, text] = words.sections[known];
  setText(at("title"), title);
  setText(at("topic"), text);
  document.title = `${title} – ${words.title}`;
  fill(at("deeds"), ...(sections[known].deeds?.() ?? []));
  at("sheet").scrollTop = 0;
  // On a phone the link that led here is gone from the screen, and the focus with it.
  if (!wide.matches) at("title").focus();
  sections[known].open(at("sheet"));
}

function drawNav(here) {
  const link = (key) =>
    el(
      "li",
      null,
      el(
        "a",
        { href: `#/${key}`, "aria-current": wide.matches && key === here ? "page" : null },
        el("span", { class: "name" }, words.sections[key][0]),
      ),
    );
  fill(
    at("rooms"),
    el("header", null, el("p", { class: "workspace" }, workspace)),
    el(
      "div",
      { class: "scroll" },
      el("ul", { class: "rooms" }, Object.keys(sections).map(link)),
    ),
    el(
      "div",
      null,
      theme(),
      el("a", { class: "home", href: "/" }, icon("left"), words.home),
    ),
  );
  const back = at("back");
  back.setAttribute("aria-label", words.sectionsBack);
  fill(back, icon("left"));
}

function renamed(to) {
  workspace = cleanName(to);
  drawNav(open);
}

/** A few words that nobody needs to answer; they go by themselves. */
function note(text) {
  strip.raise("note", { text });
  clearTimeout(noteTimer);
  noteTimer = setTimeout(() => strip.lower("note"), NOTE_FOR_MS);
}

boot();
