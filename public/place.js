// The place as this page knows it: who I am, my rooms, the people, a log for each room.
// Answers and rows come in; numbers, and whether anything is missing, go out.
// It never asks, draws or waits.
// Left out: rooms I am not in; the dialog that lists them asks each time.

import { RoomLog } from "./roomlog.js";
import { byName } from "./strings.js";

export class Place {
  me = null;
  name = null;
  rooms = new Map();
  people = new Map();
  logs = new Map();
  limits = { text: 4000, page: 50 };
  canInvite = false;
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

  sorted() {
    return [...this.rooms.values()].sort(byName);
  }

  /** The revisions seen, of the rooms whose rows are here: only those can have holes. */
  cursors() {
    return Object.fromEntries(
      [...this.logs].filter(([, log]) => log.loaded).map(([id, log]) => [id, log.cursor]),
    );
  }

  /** All a hello says. Answers the rooms whose logs have missed something, and those that are gone. */
  greeted({ me, workspace, limits, canInvite, people, rooms }) {
    Object.assign(this, { me, name: workspace, canInvite, limits: { ...this.limits, ...limits } });
    this.people = new Map(people.map((person) => [person.id, person]));
    const mine = new Set(rooms.map((room) => room.id));
    return {
      gone: [...this.rooms.keys()].filter((id) => !mine.has(id)),
      behind: rooms.filter((room) => this.admit(room) === "behind"),
    };
  }

  /** Takes a room in, new or known. Answers "behind" if our log of it has missed something. */
  admit(room) {
    const known = this.rooms.get(room.id);
    this.rooms.set(room.id, { ...known, ...room, read: Math.max(room.read ?? 0, known?.read ?? 0) });
    const log = this.logs.get(room.id);
    if (log?.loaded) return log.cursor === room.rev ? "level" : "behind";
    this.logs.set(room.id, new RoomLog(room.rev));
    return "level";
  }

  forget(id) {
    this.rooms.delete(id);
    this.logs.delete(id);
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
    if (row.by === this.me.id) room.read = Math.max(room.read, row.seq);
    else if (row.room === this.open && row.seq > room.seq) {
      // Nobody looks: the line goes where the looking stopped.
      if (!reading && this.newAt <= room.read) {
        this.newAt = room.read + 1;
        this.newCount = Math.max(0, room.seq - room.read);
      }
      if (this.newAt > 0) this.newCount += 1;
    }
    room.seq = Math.max(room.seq, row.seq);
  }
}
