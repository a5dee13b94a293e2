// Our stay: coming in by the session's cookie, saying hello, being cut off and coming back, and the end.
// What the server says of the session and of the line comes in; doors, strip and place are told.
// It never decides which room is open, and never takes the text away.
// Left out: signing in and signing out themselves, which are doors.js and me.js.

import { http, postedWords } from "./doors.js";
import { Outbox } from "./outbox.js";
import { showTitle } from "./rooms.js";
import { storage } from "./storage.js";
import { say, whyFailed } from "./strings.js";

const CONNECTING_AFTER_MS = 1_000;
const LOST_AFTER_MS = 2_000;
const CATCHING_UP_AFTER_MS = 500;

export class Stay {
  /** What is on its way, once we know whose it is. */
  outbox = null;
  /** Which version of the page the server had when we first came. */
  build = null;
  #session = null;
  #place;
  #page;

  /** `page` has `alerts`, `announcer`, `catchUp`, `composer`, `doors`, `drafts`, `paths`, `scene`, `strip`, `typing`, `wire`, and
   *  `ask(event, body)`, `sent(entry, answer)`, `note(text)`, `greeted()`,
   *  `insecure()`. */
  constructor(place, page) {
    this.#place = place;
    this.#page = page;
  }

  /** Asks who we are, at the start and after each door. */
  async entered() {
    const { strip, wire } = this.#page;
    const { me } = this.#place;
    strip.raise("connecting", {}, CONNECTING_AFTER_MS);
    let session = await http("/session");
    for (let wait = 500; !session.ok; wait = Math.min(wait * 2, 20_000)) {
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
      session = await http("/session");
    }
    this.#session = session;
    strip.lower("connecting");
    if (!session.signedIn) return this.#atTheDoor();
    if (location.pathname !== "/" || location.search || location.hash.startsWith("#/setup/")) {
      history.replaceState(null, "", "/");
    }
    // Another person than before: nothing of the one who left may stay, so begin anew.
    if (me && me.id !== session.me.id) {
      history.replaceState(null, "", "/");
      return location.reload();
    }
    this.#settle(session.me);
    wire.open();
  }

  #atTheDoor() {
    const { doors } = this.#page;
    const session = this.#session;
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
  #settle(me) {
    const { ask, announcer, composer, doors, drafts, paths, scene, sent, strip } = this.#page;
    const place = this.#place;
    place.me = me;
    place.name = this.#session.workspace;
    document.body.dataset.view = "chat";
    doors.opened();
    this.outbox ??= new Outbox({
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
    place.kept = (room) => drafts.has(room.id) || this.outbox.of(room.id).length > 0;
    if (place.rooms.size === 0) place.remember(storage.get(`seen.${me.id}`) ?? {});
    paths.route();
    composer.focus();
  }

  /** The server has answered our hello. */
  ready(answer) {
    const { alerts, catchUp, greeted, note, paths, strip } = this.#page;
    const place = this.#place;
    const { behind, gone } = place.greeted(answer);
    for (const room of gone) paths.forget(room);
    alerts.greeted(answer);
    greeted();
    if (this.build && answer.build !== this.build) strip.raise("newVersion");
    this.build ??= answer.build;
    strip.lower("restarting");
    const { me, people, rooms, database } = answer;
    if (me.muted && !(me.mutedUntil <= answer.now)) note(say.muted(me.mutedUntil));
    storage.put(`seen.${me.id}`, { database, rooms, people: people.map((person) => ({ ...person, online: undefined })) });
    if (me.role === "admin" && location.protocol === "http:") this.#page.insecure();
    paths.route();
    this.outbox.flushAll();
    if (behind.length === 0) return;
    const missed = (room) => Math.max(0, room.rev - place.logs.get(room.id).cursor);
    const changes = behind.reduce((sum, room) => sum + missed(room), 0);
    strip.raise("catchingUp", { behind: changes }, CATCHING_UP_AFTER_MS);
    catchUp.now(behind.map((room) => room.id).sort((a, b) => (b === place.open) - (a === place.open)));
  }

  lineChanged() {
    const { scene, strip, typing, wire } = this.#page;
    if (wire.state === "lost") {
      strip.lower("connecting", "catchingUp", "silent");
      strip.raise("lost", { retryAt: () => wire.retryAt, tryNow: () => wire.tryNow() }, LOST_AFTER_MS);
      typing.clear();
    } else if (wire.state === "connecting") strip.raise("connecting", {}, CONNECTING_AFTER_MS);
    else strip.lower("connecting", "lost", "silent");
    scene.changed();
  }

  /** The session is over: the bar stands where the composer stood; text and place are kept. */
  ended(why) {
    if (document.body.dataset.foot === "sign-in") return;
    const { doors, strip, typing, wire } = this.#page;
    wire.close();
    typing.clear();
    strip.lower("restarting", "catchingUp", "note");
    if (why === "removed" || why === "banned") doors.removed(why);
    else doors.bar(say.ended[why] ?? say.ended.other);
  }

  /** Nothing of this person stays in this browser. */
  forgetMe() {
    const { drafts, wire } = this.#page;
    const { id } = this.#place.me;
    wire.close();
    this.outbox.clear();
    drafts.clear();
    for (const name of ["seen", "last"]) storage.drop(`${name}.${id}`);
    location.replace("/");
  }
}
