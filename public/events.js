// What the server says, event by event, to be read as a list.
// Bodies come in; the place takes them in, and the parts that are asked to are told.
// It asks for nothing but what a skipped revision has missed.
// Left out: `hello` and its answer, with which a page comes in (chat.js).

import { prefs } from "./prefs.js";
import { nameOf } from "./row.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

const RESTART_WITHIN_MS = 30_000;

/** The table. `page` has the parts it names, and `noted(row)`, `note(text)`, `route()`, `forget(room)`, `changed()`. */
export function heard(place, page) {
  const { parts, alerts, announcer, catchUp, composer, strip, typing, noted, note, route, forget, changed } = page;
  return {
    change: ({ row }) => {
      if (place.logs.get(row.room)?.received(row) === "gap") catchUp.soon(row.room);
      changed();
    },
    message: (row) => {
      const room = place.rooms.get(row.room);
      const outcome = place.logs.get(row.room)?.received(row);
      if (outcome === "gap") catchUp.soon(row.room);
      if (outcome !== "next") return;
      noted(row);
      typing.heard(row.room, row.by, false);
      if (row.by !== place.me.id) {
        const called = place.names.calls(row.text, place.me.id);
        alerts.heard(row, room, called || room.kind === "direct");
        if (row.room === place.open && (prefs.announce === "all" || (prefs.announce === "called" && called))) {
          announcer.message(nameOf(row.by, place.people, place.me), row.text, cleanName(room.name));
        }
      }
      changed();
    },
    typing: ({ room, by, on }) => typing.heard(room, by, on),
    presence: ({ on = [], off = [], here }) => {
      if (here !== undefined) place.here = here;
      for (const id of on) if (place.people.has(id)) place.people.get(id).online = true;
      for (const id of off) if (place.people.has(id)) place.people.get(id).online = false;
      changed();
    },
    person: (person) => {
      place.met(person);
      changed();
    },
    me: ({ me, canInvite }) => {
      const was = place.me;
      Object.assign(place, { me, canInvite });
      if (me.muted) note(say.muted(me.mutedUntil));
      else if (was.muted) note(say.unmuted);
      changed();
    },
    workspace: ({ name }) => {
      place.name = name;
      changed();
    },
    member: (news) => {
      parts.about.part?.member(news);
      parts.completion.part?.member(news);
    },
    room: ({ room }) => {
      const known = place.rooms.has(room.id);
      if (place.admit(room) === "behind") catchUp.now([room.id]);
      if (!known && room.kind !== "direct") note(say.addedTo(cleanName(room.name)));
      if (room.id === place.open) composer.turn(room.id, cleanName(room.name), place.limits.text);
      route();
    },
    "room:gone": ({ room }) => {
      note(say.goneFrom(cleanName(place.rooms.get(room)?.name)));
      forget(room);
    },
    "room:new": () => parts.dialogs.part?.changed(),
    read: ({ room, seq, mentions }) => {
      const known = place.rooms.get(room);
      if (known) Object.assign(known, { read: Math.max(known.read, seq), mentions });
      changed();
    },
    visible: ({ on }) => (alerts.watched = on),
    "server:restarting": ({ inMs }) => {
      strip.raise("restarting");
      // Said in good faith; if nothing comes of it, the words must not stay.
      setTimeout(() => strip.lower("restarting"), (inMs ?? 0) + RESTART_WITHIN_MS);
    },
  };
}
