// Settings: one's name, one's password, and where else one is signed in.
// Questions go out through `ask`; what changed comes back as an event that the page hears anyway.
// It keeps no password, and nothing at all between two openings. Fetched with its first use.
// Left out: sounds and notices, which are each browser's own; the theme is in the menu.

import { openDialog } from "./dialog.js";
import { el, fill, setText } from "./dom.js";
import { complain, field } from "./forms.js";
import { gate } from "./strings.doors.js";
import { whyNot, words } from "./strings.later.js";
import { cleanName } from "./text.js";

export class Settings {
  #ask;
  #me;
  #forgetMe;

  /** `ask(event, body)` asks the server, `me()` is who we are, `forgetMe()` ends our stay in this browser. */
  constructor({ ask, me, forgetMe }) {
    this.#ask = ask;
    this.#me = me;
    this.#forgetMe = forgetMe;
  }

  open() {
    const places = el("section", { class: "part", "aria-label": words.sessionsTitle });
    openDialog(words.settings, [this.#name(), this.#password(() => this.#places(places)), places]);
    this.#places(places);
  }

  #name() {
    const input = field({
      name: "name",
      label: words.nameTitle,
      hint: words.nameHint,
      maxlength: 60,
      autocomplete: "name",
      value: cleanName(this.#me().name),
    });
    return this.#form([input], words.save, words.nameTitle, async (form) => {
      const name = form.elements.name.value.trim();
      if (!name) return { code: "invalid", field: "name" };
      const answer = await this.#ask("me:update", { name });
      if (answer.code === "invalid") return { ...answer, field: "name" };
      return answer.ok ? { ok: true, said: words.saved } : answer;
    });
  }

  #password(changed) {
    const inputs = [
      field({ name: "old", label: words.oldPassword, type: "password", autocomplete: "current-password" }),
      field({
        name: "new",
        label: words.newPassword,
        hint: gate.passwordHint,
        type: "password",
        autocomplete: "new-password",
      }),
    ];
    // For the password manager, which wants to know whose password this is.
    const login = el("input", {
      class: "unseen",
      autocomplete: "username",
      value: this.#me().login,
      readonly: true,
      tabindex: -1,
      "aria-hidden": "true",
    });
    return this.#form([login, ...inputs], words.passwordDo, words.passwordTitle, async (form) => {
      const [old, fresh] = [form.elements.old.value, form.elements.new.value];
      if (!old) return { code: "invalid", field: "old" };
      if (new TextEncoder().encode(fresh).length < 8) {
        return { code: "invalid", field: "new", message: gate.passwordHint };
      }
      const answer = await this.#ask("me:password", { old, new: fresh });
      if (answer.code === "wrong") return { code: "invalid", field: "old", message: words.wrongOld };
      if (!answer.ok) return answer;
      for (const name of ["old", "new"]) form.elements[name].value = "";
      changed();
      return { ok: true, said: words.passwordDone(answer.ended) };
    });
  }

  /** Where else: what the browsers there call themselves, and when they were last used. */
  async #places(box) {
    const answer = await this.#ask("me:sessions", {});
    if (!answer.ok) return fill(box, el("p", { class: "error" }, whyNot(answer)));
    const others = answer.sessions.filter((session) => session.id !== answer.this);
    const said = el("p", { class: "hint", role: "status" });
    fill(
      box,
      el("h3", null, words.sessionsTitle),
      el("p", null, others.length > 0 ? words.sessionsMore(others.length) : words.sessionsNone),
      others.length > 0 &&
        el(
          "ul",
          { class: "places" },
          others
            .slice(0, 5)
            .map(({ agent, usedAt }) => el("li", { class: "hint" }, words.lastUsed(browser(agent), usedAt))),
        ),
      el(
        "p",
        { class: "doors" },
        others.length > 0 &&
          el("button", { type: "button", class: "plain", onclick: () => this.#revoke(box, said) }, words.revokeOthers),
        el(
          "button",
          { type: "button", class: "quiet-link", onclick: () => this.#revokeAll(said) },
          words.revokeAll,
        ),
      ),
      said,
    );
  }

  async #revoke(box, said) {
    const answer = await this.#ask("me:revoke", {});
    if (!answer.ok) return setText(said, whyNot(answer));
    await this.#places(box);
    setText(box.querySelector("[role=status]"), words.revoked(answer.ended));
  }

  async #revokeAll(said) {
    const answer = await this.#ask("me:revoke", { all: true });
    if (answer.ok) this.#forgetMe();
    else setText(said, whyNot(answer));
  }

  #form(fields, submit, title, send) {
    const error = el("p", { class: "error", role: "alert" });
    const said = el("p", { class: "hint", role: "status" });
    const go = el("button", { class: "plain" }, submit);
    const form = el(
      "form",
      {
        class: "part",
        "aria-label": title,
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          if (go.disabled) return;
          go.disabled = true;
          setText(said, "");
          const answer = await send(form);
          go.disabled = false;
          for (const input of form.querySelectorAll("[aria-invalid]")) {
            input.removeAttribute("aria-invalid");
            const hint = document.getElementById(input.getAttribute("aria-describedby"));
            hint.textContent = hint.dataset.hint;
            hint.classList.remove("error");
          }
          setText(error, "");
          if (answer.ok) return setText(said, answer.said);
          if (answer.field || answer.code === "slow") complain(form, error, answer);
          else setText(error, whyNot(answer));
        },
      },
      fields,
      error,
      el("p", { class: "doors" }, go, said),
    );
    return form;
  }
}

/** "Firefox on Linux", as far as a browser says so; its full name for itself is for no reader. */
export function browser(agent) {
  const find = (names) => names.find(([mark]) => agent?.includes(mark))?.[1];
  const name = find([
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chromium"],
    ["Safari/", "Safari"],
  ]);
  const system = find([
    ["Android", "Android"],
    ["iPhone", "iPhone"],
    ["iPad", "iPad"],
    ["Windows", "Windows"],
    ["Mac OS", "macOS"],
    ["Linux", "Linux"],
  ]);
  return [name ?? words.unknownAgent, system].filter(Boolean).join(", ");
}
