// About a room: its menu, who is in it, its name, and how much of it one wants to hear.
// The room comes from the place; wishes go out through `ask`, and what is new comes back as events.
// It keeps no members: it asks when it opens, and is told of changes while it is open.
// Left out: roles within a room; it has one maker.

import { choice } from "./choice.js";
import { openDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { flag } from "./flags.js";
import { complain, field } from "./forms.js";
import { Menu } from "./menu.js";
import { nameOf } from "./row.js";
import { byName, say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

export class About {
  #place;
  #wishes;
  #menu = null;
  #shown = null;

  /** `wishes` has `ask(event, body)`, `dialogs(use)`, `note(text)`, `changed()`, `left(room)`. */
  constructor(place, wishes) {
    this.#place = place;
    this.#wishes = wishes;
  }

  /** What can be done with the open room. */
  menu(node) {
    const menu = (this.#menu ??= new Menu(node));
    const { room, canInvite } = this.#place;
    if (!room) return menu.offer();
    const others = room.kind !== "direct";
    menu.offer(
      choice(words.level, others ? words.levels : twoLevels(), room.level, (level) => this.#tell(room, level)),
      others && menu.wish(words.aboutRoom, () => this.open()),
      canInvite && menu.wish(say.invite, () => this.#wishes.dialogs((part) => part.invite())),
      others && !room.general && menu.wish(words.leave, () => this.#leave()),
    );
  }

  async #tell(room, level) {
    const before = room.level;
    room.level = level;
    this.#wishes.changed();
    const answer = await this.#wishes.ask("room:level", { room: room.id, level });
    if (answer.ok) return;
    room.level = before;
    this.#wishes.changed();
    this.#refused(answer);
  }

  async #leave() {
    const { id, name, kind } = this.#place.room;
    const members = kind === "private" ? await this.#ask(id) : [];
    const text = kind === "open" ? words.leaveText : members.length === 1 ? words.leaveTextLast : words.leaveTextPrivate;
    const leave = async () => {
      const answer = await this.#wishes.ask("room:leave", { room: id });
      if (answer.ok) this.#wishes.left(id);
      else this.#refused(answer);
    };
    this.#wishes.dialogs((part) => part.confirm(words.leaveTitle(cleanName(name)), text, words.leaveDo, leave));
  }

  /** Who is in the open room; for who may, also its name and more people. */
  async open() {
    const { room } = this.#place;
    const list = el("ul", { class: "found people-of" });
    const shown = { id: room.id, list, members: await this.#ask(room.id) };
    const closed = () => {
      if (this.#shown === shown) this.#shown = null;
    };
    openDialog(words.membersOf(cleanName(room.name)), [this.#form(room), list].filter(Boolean), closed, "room-about");
    this.#shown = shown;
    this.#draw();
  }

  /** Somebody is in a room from now on, or no more. */
  member({ room, user, on }) {
    if (this.#shown?.id !== room) return;
    const others = this.#shown.members.filter((id) => id !== user);
    this.#shown.members = on ? [...others, user] : others;
    this.#draw();
  }

  async #ask(room) {
    const answer = await this.#wishes.ask("room:members", { room });
    return answer.ok ? answer.members : [];
  }

  #form(room) {
    if (!this.#place.manages(room)) return room.topic ? el("p", { class: "hint" }, cleanName(room.topic)) : null;
    const error = el("p", { class: "error", role: "alert" });
    const save = el("button", { class: "plain" }, words.save);
    const form = el(
      "form",
      {
        class: "inline",
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          const { name, topic } = form.elements;
          const body = { room: room.id, name: name.value.trim(), topic: topic.value.trim() };
          const answer = await this.#wishes.ask("room:update", body);
          error.textContent = "";
          if (answer.ok) {
            save.textContent = words.saved;
            setTimeout(() => (save.textContent = words.save), 2_000);
          } else if (answer.code === "taken") complain(form, error, { code: "invalid", field: "name", message: words.roomTaken });
          else if (answer.code === "invalid") complain(form, error, { code: "invalid", field: "name" });
          else error.textContent = say.unreachable;
        },
      },
      field({ name: "name", label: words.roomName, value: room.name, maxlength: 40, autocomplete: "off" }),
      field({ name: "topic", label: words.roomTopic, value: room.topic, maxlength: 120, autocomplete: "off", optional: true }),
      save,
      error,
    );
    return form;
  }

  #draw() {
    const { id, list, members } = this.#shown;
    const room = this.#place.rooms.get(id);
    if (!room) return;
    const { people } = this.#place;
    const inside = new Set(members);
    const all = [...people.values()].filter((person) => !person.gone).sort(byName);
    const mine = this.#place.manages(room);
    const others = mine && !room.general ? all.filter((person) => !inside.has(person.id)) : [];
    const held = document.activeElement?.dataset?.user;
    fill(
      list,
      ...all.filter((person) => inside.has(person.id)).map((person) => this.#person(person, room, mine)),
      others.length > 0 && el("li", { class: "others" }, el("h3", null, words.addSomebody)),
      ...others.map((person) => this.#other(person, room)),
    );
    if (held) (list.querySelector(`[data-user="${held}"]`) ?? list.querySelector("button, a"))?.focus();
  }

  #person(person, room, mine) {
    const name = nameOf(person.id, this.#place.people, this.#place.me);
    const me = person.id === this.#place.me.id;
    const notes = [me && words.you, person.id === room.by && words.makerOf, say.roles[person.role]];
    return this.#line(
      person,
      name,
      notes.filter(Boolean).join(", "),
      mine &&
        !me &&
        !room.general &&
        this.#button(person, "room:remove", words.removeMember, words.removeFrom(name), "quiet-link"),
    );
  }

  #other(person, room) {
    const name = nameOf(person.id, this.#place.people, this.#place.me);
    return this.#line(person, name, "", this.#button(person, "room:add", words.add, words.addTo(name), "plain"), room);
  }

  #line(person, name, notes, button) {
    return el(
      "li",
      null,
      flag(person.id, name),
      el(
        "div",
        null,
        el("bdi", { class: "name" }, name),
        el("p", { class: "hint" }, el("bdi", null, cleanName(person.login)), notes && ` · ${notes}`),
      ),
      button,
    );
  }

  #button(person, event, words, label, look) {
    const wanted = async (clicked) => {
      clicked.currentTarget.disabled = true;
      const { id } = this.#shown;
      const answer = await this.#wishes.ask(event, { room: id, user: person.id });
      if (answer.ok) this.member({ room: id, user: person.id, on: event === "room:add" });
      else {
        this.#refused(answer);
        if (this.#shown) this.#draw();
      }
    };
    return el("button", { type: "button", class: look, "aria-label": label, "data-user": person.id, onclick: wanted }, words);
  }

  #refused(answer) {
    this.#wishes.note(say.failed[answer.code] ?? say.unreachable);
  }
}

/** Between two, every message is a mention. */
function twoLevels() {
  const { all, nothing } = words.levels;
  return { all, nothing };
}
