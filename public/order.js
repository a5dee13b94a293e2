// What is done about somebody by those who keep order: muting, roles, links for a new password, removing.
// The server says what one may; wishes go out through `ask`, and what came of them is heard as an event.
// It decides nothing, and keeps nothing between two openings. Fetched with its first use.
// Left out: people who are out already; an admin lets them back on the page for admins.

import { linkRow, openDialog, sure } from "./dialog.js";
import { el, fill, setText } from "./dom.js";
import { flag } from "./flags.js";
import { whyNot, words } from "./strings.later.js";
import { cleanName } from "./text.js";

export class Order {
  #ask;
  #changed;
  #dialog = null;

  /** `ask(event, body)` asks the server; `changed()` is called when an order was carried out. */
  constructor({ ask, changed = () => {} }) {
    this.#ask = ask;
    this.#changed = changed;
  }

  async about(person) {
    const body = el("div", { class: "about" });
    this.#dialog?.close();
    this.#dialog = openDialog(cleanName(person.name), [body]);
    await this.#draw(person, body);
  }

  async #draw(person, body, said = "") {
    const stands = await this.#ask("user:about", { user: person.id });
    if (!stands.ok) return fill(body, el("p", null, stands.code === "not_found" ? words.aboutNothing : whyNot(stands)));
    const may = (wish) => stands.may.includes(wish);
    const status = el("p", { class: "hint", role: "status" }, said);
    const give = async (wish, asked, done) => {
      const answer = await this.#ask(`user:${wish}`, { user: person.id, ...asked });
      if (answer.ok) this.#changed();
      if (!answer.ok) setText(status, whyNot(answer));
      else if (done) done(answer);
      else await this.#draw(person, body, words.done[wish]);
    };
    fill(
      body,
      el(
        "p",
        { class: "whose" },
        flag(person.id, cleanName(person.name)),
        el("span", null, el("bdi", { class: "mono" }, cleanName(person.login)), ` · ${words.roles[stands.role]?.[0] ?? ""}`),
      ),
      status,
      may("mute") && this.#mute(stands, give),
      may("role") && this.#role(stands, give),
      may("link") && this.#link(give),
      (may("remove") || may("ban")) && this.#out(person, may, give),
    );
  }

  #mute({ muted, mutedUntil }, give) {
    return part(
      words.muteTitle,
      muted ? words.isMuted(mutedUntil) : words.muteText,
      muted
        ? button(words.unmute, () => give("unmute", {}))
        : words.muteFor.map(([label, forMs]) => button(label, () => give("mute", { forMs }))),
    );
  }

  #role({ role }, give) {
    const choice = (value) => {
      const [name, text] = words.roles[value];
      return el(
        "label",
        { class: "choice" },
        el("input", {
          type: "radio",
          name: "role",
          value,
          checked: value === role,
          onchange: () => give("role", { role: value }),
        }),
        el("span", null, el("b", null, name), ` ${text}`),
      );
    };
    return el(
      "div",
      { class: "part" },
      el("fieldset", null, el("legend", null, words.roleTitle), Object.keys(words.roles).map(choice)),
    );
  }

  #link(give) {
    const box = el("div", { class: "invite" });
    const made = ({ path, expiresAt }) => fill(box, ...linkRow(path, words.link, words.linkUntil(expiresAt)));
    fill(box, el("p", { class: "doors" }, button(words.linkDo, () => give("link", {}, made))));
    return part(words.linkTitle, words.linkText, null, box);
  }

  #out(person, may, give) {
    const name = cleanName(person.name);
    const ask = (wish) =>
      sure(words[`${wish}Sure`](name), words[`${wish}Text`], words[wish], () =>
        give(wish, {}, () => this.#dialog?.close()),
      );
    return part(
      words.outTitle,
      words.outText,
      ["remove", "ban"].filter(may).map((wish) => button(words[wish], () => ask(wish), "plain stern")),
    );
  }
}

function part(title, text, buttons, ...more) {
  return el(
    "section",
    { class: "part", "aria-label": title },
    el("h3", null, title),
    el("p", { class: "hint" }, text),
    buttons && el("p", { class: "doors" }, buttons),
    ...more,
  );
}

function button(label, wish, kind = "plain") {
  return el("button", { type: "button", class: kind, onclick: wish }, label);
}
