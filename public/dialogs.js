// What opens over the page in the middle: dialogs to make, find and leave, and the invite's link.
// Questions go out through `ask`; rooms joined or made, and chosen wishes, go to whoever opened it.
// It keeps nothing between two openings but an invite that still holds. Fetched with its first use.
// Left out: who is in a room, which about.js has.

import { choice } from "./choice.js";
import { linkRow, openDialog, sure } from "./dialog.js";
import { el, fill } from "./dom.js";
import { complain, field } from "./forms.js";
import { moment, say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

/** Make a room, find a room, invite somebody, and "are you sure". */
export class Dialogs {
  #ask;
  #entered;
  #invite = null;
  #making = null;
  #open = null;
  #refresh = null;

  /** `ask(event, body)` asks the server; `entered(room)` takes a room that was joined or made. */
  constructor({ ask, entered }) {
    this.#ask = ask;
    this.#entered = entered;
  }

  create() {
    const error = el("p", { class: "error", role: "alert" });
    let kind = "open";
    const kinds = choice(words.roomKind, words.roomKinds, kind, (value) => {
      kind = value;
      const hint = value === "private" ? words.roomNameHintPrivate : words.roomNameHint;
      const line = form.querySelector(".hint");
      line.dataset.hint = hint;
      if (!line.classList.contains("error")) line.textContent = hint;
    });
    const form = el(
      "form",
      {
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          const name = form.elements.name.value.trim();
          if (!name) return form.elements.name.focus();
          const topic = form.elements.topic.value.trim();
          const answer = await this.#ask("room:create", { name, topic, kind });
          if (answer.ok) {
            this.close();
            this.#entered(answer.room);
          } else if (answer.code === "taken")
            complain(form, error, { code: "invalid", field: "name", message: words.roomTaken });
          else error.textContent = answer.code === "slow" ? say.tooMany(answer.retryMs) : say.unreachable;
        },
      },
      field({
        name: "name",
        label: words.roomName,
        hint: words.roomNameHint,
        maxlength: 40,
        autocomplete: "off",
      }),
      field({ name: "topic", label: words.roomTopic, maxlength: 120, autocomplete: "off", optional: true }),
      kinds,
      error,
      el("p", { class: "doors" }, el("button", { class: "primary" }, words.create), this.#cancel()),
    );
    this.#show(say.newRoom, form);
    form.elements.name.focus();
  }

  async browse() {
    const list = el("ul", { class: "found", "aria-label": say.browse });
    this.#show(say.browse, list);
    this.#refresh = async () => {
      const answer = await this.#ask("room:list", {});
      const rooms = answer.ok ? answer.rooms : [];
      fill(
        list,
        ...(rooms.length
          ? rooms.map((room) => this.#found(room))
          : [el("li", { class: "none" }, answer.ok ? words.noPublicRooms : say.unreachable)]),
      );
    };
    await this.#refresh();
  }

  /** Somebody made a room: an open list takes it in. */
  changed() {
    this.#refresh?.();
  }

  invite() {
    this.#show(words.inviteDialogTitle, el("p", null, say.inviteCardText), this.inviteLink());
  }

  /** The link with its buttons; also the heart of the empty room's card. */
  inviteLink() {
    const box = el("div", { class: "invite" }, el("p", { class: "hint" }, words.inviteMaking));
    this.#freshInvite().then((invite) =>
      fill(
        box,
        ...(invite
          ? inviteRow(invite)
          : [
              el("p", { class: "error" }, words.inviteFailed),
              el(
                "button",
                { type: "button", class: "plain", onclick: () => box.replaceWith(this.inviteLink()) },
                say.retry,
              ),
            ]),
      ),
    );
    return box;
  }

  confirm(title, text, doIt, wanted) {
    this.close();
    sure(title, text, doIt, wanted);
  }

  close() {
    this.#open?.close();
  }

  /** Asks to join, and reports the room. */
  async join(id) {
    const answer = await this.#ask("room:join", { room: id });
    if (answer.ok) this.#entered(answer.room);
    return answer.ok;
  }

  /** One is enough for all that show it, also for those who ask while it is made. */
  async #freshInvite() {
    if (this.#invite && this.#invite.expiresAt > Date.now() + 60_000) return this.#invite;
    this.#making ??= this.#ask("invite:new", {});
    const answer = await this.#making;
    this.#making = null;
    this.#invite = answer.ok ? answer : null;
    return this.#invite;
  }

  #found(room) {
    const name = cleanName(room.name);
    return el(
      "li",
      null,
      el(
        "div",
        null,
        el("bdi", { class: "name" }, name),
        el(
          "p",
          { class: "hint" },
          [words.members(room.members), cleanName(room.topic)].filter(Boolean).join(" · "),
        ),
      ),
      room.joined
        ? el(
            "a",
            {
              class: "quiet-link",
              href: `#/r/${room.id}`,
              "aria-label": `${words.openRoom} ${name}`,
              onclick: () => this.close(),
            },
            words.openRoom,
          )
        : el(
            "button",
            {
              type: "button",
              class: "plain",
              "aria-label": `${words.join} ${name}`,
              onclick: async (event) => {
                event.currentTarget.disabled = true;
                if (await this.join(room.id)) this.close();
                else this.#refresh?.();
              },
            },
            words.join,
          ),
    );
  }

  #cancel() {
    return el("button", { type: "button", class: "quiet-link", onclick: () => this.close() }, say.cancel);
  }

  #show(title, ...children) {
    this.close();
    // The browser gives the focus back to where it was.
    this.#open = openDialog(title, children, (dialog) => {
      if (this.#open === dialog) this.#open = this.#refresh = null;
    });
  }
}

function inviteRow({ path, expiresAt, uses }) {
  const until = expiresAt
    ? uses
      ? say.inviteUses(uses, moment(expiresAt))
      : words.inviteUntil(moment(expiresAt))
    : "";
  return linkRow(path, words.inviteLink, until);
}
