// Everybody with an account: found, made, and a way to what may be done about each.
// Rows come from the server page by page; orders are given in the same dialog as in the chat.
// Left out: changing somebody's name, which is theirs.

import { linkRow, openDialog } from "../dialog.js";
import { el, fill, icon } from "../dom.js";
import { complain, field } from "../forms.js";
import { Order } from "../order.js";
import { gate } from "../strings.doors.js";
import { words as later } from "../strings.later.js";
import { cleanName } from "../text.js";
import { button, face, rest, tag } from "./parts.js";
import { whyNot, words } from "./strings.js";

const TYPED_FOR_MS = 250;

export class People {
  #ask;
  #note;
  #order;
  #list = el("ul", { class: "roll", "aria-label": words.sections.people[0] });
  #more = el("p", { class: "more" });
  #query = "";
  #timer = null;

  /** `note(words)` says something that goes by itself. */
  constructor({ ask, note }) {
    this.#ask = ask;
    this.#note = note;
    this.#order = new Order({ ask, changed: () => this.#load() });
  }

  deeds() {
    return [button(words.newAccount, () => this.#create())];
  }

  async open(sheet) {
    const box = el("input", {
      type: "search",
      "aria-label": words.find,
      placeholder: words.find,
      value: this.#query,
      oninput: () => {
        this.#query = box.value;
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#load(), TYPED_FOR_MS);
      },
    });
    fill(sheet, el("div", { class: "filter" }, box), this.#list, this.#more);
    await this.#load();
  }

  async #load(after) {
    const query = this.#query;
    const answer = await this.#ask("user:list", after ? { q: query, after } : { q: query });
    if (query !== this.#query) return;
    if (!answer.ok) return this.#note(whyNot(answer));
    const rows = answer.rows.map((person) => this.#row(person));
    if (after) this.#list.append(...rows);
    else fill(this.#list, ...(rows.length > 0 ? rows : [el("li", { class: "none" }, words.nobody)]));
    fill(this.#more, answer.more && button(words.more, () => this.#load(answer.rows.at(-1).id)));
  }

  #row(person) {
    const isOut = person.state === "banned" || person.state === "left";
    const isMuted = person.state === "muted" && !(person.mutedUntil <= Date.now());
    const below = [
      cleanName(person.login),
      later.roles[person.role]?.[0].toLowerCase(),
      person.hasPassword ? words.lastSeen(person.usedAt) : words.noPassword,
    ];
    const name = cleanName(person.name);
    return el(
      "li",
      { class: isOut ? "out" : null, "data-user": person.id },
      ...face(person.id, person.name, below.filter(Boolean).join(" · ")),
      ...rest(
        [
          person.online && tag(words.online, "on"),
          isMuted && tag(words.muted(person.mutedUntil), "stern"),
          isOut && tag(words.state[person.state], "stern"),
        ],
        [
          isOut
            ? button(words.letBack, () => this.#letBack(person))
            : button(icon("more"), () => this.#order.about(person), "tool", {
                "aria-label": words.doAbout(name),
                title: words.doAbout(name),
              }),
        ],
      ),
    );
  }

  async #letBack(person) {
    const answer = await this.#ask("user:unban", { user: person.id });
    if (!answer.ok) this.#note(whyNot(answer));
    await this.#load();
  }

  #create() {
    const error = el("p", { class: "error", role: "alert" });
    const form = el(
      "form",
      {
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          const [login, name] = ["login", "name"].map((one) => form.elements[one].value.trim());
          const answer = await this.#ask("user:create", { login, name });
          if (answer.code === "taken") return complain(form, error, answer);
          if (!answer.ok) return (error.textContent = whyNot(answer));
          fill(
            form,
            el("p", null, words.made(cleanName(name))),
            el("div", { class: "invite" }, ...linkRow(answer.path, words.firstLink, words.firstLinkText(answer.expiresAt))),
          );
          await this.#load();
        },
      },
      el("p", { class: "hint" }, words.newAccountText),
      field({ name: "login", label: words.login, hint: gate.loginHint, maxlength: 32, autocomplete: "off", autocapitalize: "none", spellcheck: "false" }),
      field({ name: "name", label: words.name, hint: gate.nameHint, maxlength: 60, autocomplete: "off" }),
      error,
      el("p", { class: "doors" }, el("button", { class: "primary" }, words.make)),
    );
    openDialog(words.newAccount, [form]);
    form.elements.login.focus();
  }
}
