// Rooms, invites and connections: three rolls, each with one or two things to be done about a row.
// Rows are asked for when a section is opened, and again after each deed.
// Left out: what is said in a room; an admin reads those they are in, like everybody.

import { linkRow, openDialog, sure } from "../dialog.js";
import { el, fill, icon } from "../dom.js";
import { complain, field } from "../forms.js";
import { browser } from "../settings.js";
import { cleanName } from "../text.js";
import { button, face, rest, tag } from "./parts.js";
import { whyNot, words } from "./strings.js";

class Roll {
  constructor({ ask, note, name }) {
    this.ask = ask;
    this.note = note;
    this.name = name;
    this.list = el("ul", { class: "roll" });
    this.more = el("p", { class: "more" });
    this.lead = el("p", { class: "lead" });
  }

  async open(sheet) {
    fill(sheet, this.lead, this.list, this.more);
    await this.load();
  }

  async load(after) {
    const answer = await this.ask(this.question, after ? { after } : {});
    if (!answer.ok) return this.note(whyNot(answer));
    const rows = answer.rows.map((row) => this.row(row));
    if (after) this.list.append(...rows);
    else fill(this.list, ...(rows.length > 0 ? rows : [el("li", { class: "none" }, this.nothing)]));
    fill(this.more, answer.more && button(words.more, () => this.load(answer.rows.at(-1).id)));
    this.told?.(answer);
  }

  async give(event, body, said) {
    const answer = await this.ask(event, body);
    if (!answer.ok) this.note(whyNot(answer));
    else if (said) this.note(said);
    await this.load();
  }
}

export class Rooms extends Roll {
  question = "room:list";
  nothing = words.none;

  row(room) {
    const name = cleanName(room.name);
    const archive = (on) => this.give("room:archive", { room: room.id, on });
    return el(
      "li",
      { class: room.archived ? "out" : null, "data-room": room.id },
      icon("rooms"),
      el(
        "span",
        { class: "names" },
        el("bdi", { class: "name" }, name),
        el("span", { class: "login" }, words.roomFacts(room.members, room.seq)),
      ),
      ...rest(
        [
          tag(words.kind[room.kind]),
          room.general && tag(words.general),
          room.archived && tag(words.archived, "stern"),
        ],
        [
          room.archived
            ? button(words.reopen, () => archive(false))
            : !room.general &&
              button(words.archive, () =>
                sure(words.archiveSure(name), words.archiveText, words.archive, () => archive(true)),
              ),
        ],
      ),
    );
  }
}

export class Invites extends Roll {
  question = "invite:list";
  nothing = words.noInvites;

  deeds() {
    return [button(words.newInvite, () => this.#create())];
  }

  row(invite) {
    return el(
      "li",
      { "data-invite": invite.id },
      ...face(invite.by, this.name(invite.by), words.inviteFacts(invite.expiresAt)),
      ...rest(
        [tag(words.usesLeft(invite.usesLeft))],
        [button(words.kill, () => this.give("invite:kill", { invite: invite.id }, words.killed))],
      ),
    );
  }

  #create() {
    const error = el("p", { class: "error", role: "alert" });
    const number = (name, label, value, max) =>
      field({ name, label, type: "number", inputmode: "numeric", min: 1, max, value });
    const form = el(
      "form",
      {
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          const [uses, days] = ["uses", "days"].map((one) => Number(form.elements[one].value));
          const answer = await this.ask("invite:new", { uses, days });
          if (answer.code === "invalid") return complain(form, error, answer);
          if (!answer.ok) return (error.textContent = whyNot(answer));
          const until = words.inviteUntil(answer.uses, answer.expiresAt);
          fill(form, el("div", { class: "invite" }, ...linkRow(answer.path, words.inviteLink, until)));
          await this.load();
        },
      },
      el("p", { class: "hint" }, words.inviteText),
      number("uses", words.uses, 1, 25),
      number("days", words.days, 7, 7),
      error,
      el("p", { class: "doors" }, el("button", { class: "primary" }, words.make)),
    );
    openDialog(words.newInvite, [form]);
    form.elements.uses.select();
  }
}

export class Connections extends Roll {
  question = "sockets:list";
  nothing = words.noConnections;

  told({ rows, count }) {
    this.lead.textContent = rows.length < count ? words.shown(rows.length, count) : "";
  }

  row({ socket, user, session, transport, address, agent, since }) {
    const below = [browser(agent), words.transport[transport], words.since(since)].filter(Boolean).join(" · ");
    return el(
      "li",
      { "data-socket": socket },
      ...face(user, this.name(user), below),
      ...rest(
        [address && el("span", { class: "mono hint" }, address)],
        [
          button(words.cut, () => this.give("sockets:close", { socket }), "plain", { title: words.cutHint }),
          button(words.endSession, () => this.give("sockets:close", { session }, words.ended)),
        ],
      ),
    );
  }
}
