// The place as this page knows it: who I am, my rooms, the people, a log for each room.
// Answers and rows come in; numbers, and whether anything is missing, go out.
// It never asks, draws or waits.
// Left out: rooms I am not in; the dialog that lists them asks each time.

import { Names } from "./mentions.js";
import { RoomLog } from "./roomlog.js";
import { byName, say } from "./strings.js";

export class Place {
  me = null;
  name = null;
  rooms = new Map();
  people = new Map();
  /** Whether a room of two in which nothing was said is to be shown. */
  kept = () => false;
  logs = new Map();
  names = new Names();
  limits = { text: 4000, page: 50 };
  canInvite = false;
  /** How many are here, where so many are that it is not told who. */
  here = null;
  /** Which history the server has: another one once an older one was restored. */
  database;
  /** The room on screen, and its "new" line: where it stands (0 is nowhere) and how many it counts. */
  open = null;
  newAt = 0;
  newCount = 0;
  /** The message that the address names, by its seq; 0 is none. */
  target = 0;
  /** Messages of mine that go when nobody undoes it: their ids, each with its timer. */
  leaving = new Map();

  get room() {
    return this.rooms.get(this.open);
  }

  get log() {
    return this.logs.get(this.open);
  }

  /** Rooms by name; those of two by when something was last said. One in which nothing was said is there while it is open,
   *  or there is a reason to keep it. */
  groups() {
    const all = [...this.rooms.values()];
    return {
      rooms: all.filter((room) => room.kind !== "direct").sort(byName),
      direct: all
        .filter((room) => room.kind === "direct" && (room.seq > 0 || room.id === this.open || this.kept(room)))
        .sort((a, b) => b.at - a.at || byName(a, b)),
    };
  }

  /** All rooms, in the order of the list. */
  sorted() {
    const { rooms, direct } = this.groups();
    return [...rooms, ...direct];
  }

  /** The other one of a direct room: what is known of them. */
  other(room) {
    return room?.kind === "direct" ? this.people.get(room.with) : undefined;
  }

  /** My room with somebody, if there is one. */
  directWith(user) {
    return [...this.rooms.values()].find((room) => room.kind === "direct" && room.with === user);
  }

  address(id) {
    const room = this.rooms.get(id);
    return room?.kind === "direct" ? `#/dm/${room.with}` : `#/r/${id}`;
  }

  /** Whether I may change a room and say who is in it. */
  manages(room) {
    return room.kind !== "direct" && (room.by === this.me.id || ["admin", "moderator"].includes(this.me.role));
  }

  /** The revisions seen, of the rooms whose rows are here: only those can have holes. */
  cursors() {
    return Object.fromEntries(
      [...this.logs].filter(([, log]) => log.loaded).map(([id, log]) => [id, log.cursor]),
    );
  }

  /** All a hello says. Answers the rooms whose logs have missed something, and those that are gone. */
  greeted({ me, workspace, limits, canInvite, here, people, rooms, database }) {
    // What we know of another history means nothing in this one.
    if (this.database && this.database !== database) {
      this.rooms.clear();
      this.logs.clear();
    }
    this.database = database;
    Object.assign(this, { me, name: workspace, canInvite, here: here ?? null, limits: { ...this.limits, ...limits } });
    this.people = new Map(people.map((person) => [person.id, person]));
    const mine = new Set(rooms.map((room) => room.id));
    const behind = rooms.filter((room) => this.#taken(room) === "behind");
    this.#learn();
    return { gone: [...this.rooms.keys()].filter((id) => !mine.has(id)), behind };
  }

  /** Takes a room in, new or known, or what is new about it. Answers "behind" if our log of it has missed something. */
  admit(room) {
    const answer = this.#taken(room);
    this.#learn();
    return answer;
  }

  #taken(fresh) {
    const known = this.rooms.get(fresh.id);
    const room = { ...known, ...fresh };
    room.read = Math.max(fresh.read ?? 0, known?.read ?? 0);
    room.seq = Math.max(fresh.seq ?? 0, known?.seq ?? 0);
    this.rooms.set(room.id, room);
    const log = this.logs.get(room.id);
    if (log?.loaded) return fresh.rev === undefined || log.cursor === fresh.rev ? "level" : "behind";
    if (!log || fresh.rev !== undefined) this.logs.set(room.id, new RoomLog(room.rev));
    return "level";
  }

  /** Somebody is new, or has changed. */
  met(person) {
    this.people.set(person.id, person);
    if (person.id === this.me.id) this.me = { ...this.me, ...person };
    this.#learn();
  }

  /** What is kept from an earlier visit, until the server has spoken. */
  remember({ rooms = [], people = [], database }) {
    this.database ??= database;
    for (const person of people) this.people.set(person.id, person);
    for (const room of rooms) this.rooms.set(room.id, room);
    this.#learn();
  }

  /** Names mean what they mean now; a room of two is called after the other one. */
  #learn() {
    for (const room of this.rooms.values()) {
      if (room.kind !== "direct") continue;
      room.name = room.with === this.me.id ? say.notes : (this.people.get(room.with)?.name ?? say.someone);
    }
    this.names.learn(this.people.values(), this.rooms.values());
  }

  forget(id) {
    this.rooms.delete(id);
    this.logs.delete(id);
    this.#learn();
  }

  /** Turns to a room; the "new" line is placed once, where the reading stopped. */
  turn(id, target = 0) {
    if (id !== this.open) this.log?.left();
    this.open = id;
    this.target = target;
    const room = this.room;
    this.newCount = room ? Math.max(0, room.seq - room.read) : 0;
    this.newAt = this.newCount > 0 ? room.read + 1 : 0;
  }

  /** A row is in its log: what follows for the room's numbers. `reading` is whether anybody looks. */
  noted(row, reading) {
    const room = this.rooms.get(row.room);
    if (!room) return;
    if (row.by === this.me.id) {
      room.read = Math.max(room.read, row.seq);
      if (row.seq >= room.seq) room.mentions = 0;
    } else if (row.seq > room.seq) {
      if (this.names.calls(row.text, this.me.id)) room.mentions = (room.mentions ?? 0) + 1;
      if (row.room === this.open) this.#line(room, reading);
    }
    room.seq = Math.max(room.seq, row.seq);
    room.at = Math.max(room.at ?? 0, row.at);
  }

  #line(room, reading) {
    // Nobody looks: the line goes where the looking stopped.
    if (!reading && this.newAt <= room.read) {
      this.newAt = room.read + 1;
      this.newCount = Math.max(0, room.seq - room.read);
    }
    if (this.newAt > 0) this.newCount += 1;
  }

  /** How much of a room is worth a number, with `unread` messages: what its level lets through. */
  weight(room, unread) {
    if (unread === 0 || room.level === "nothing") return 0;
    return room.level === "mentions" && room.kind !== "direct" ? (room.mentions ?? 0) : unread;
  }

  /** Whether what is unread in a room is meant for me. */
  isForMe(room) {
    return room.kind === "direct" || (room.mentions ?? 0) > 0;
  }
}
