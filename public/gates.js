// Gates: doors that people come through once: set-up, an invite, a link that sets a password.
// A code and what the session says of this place come in; `entered` goes out when a cookie is set.
// It keeps no password and no code.
// Left out: signing in, for which the bar is always there (doors.js).

import { http } from "./doors.js";
import { el } from "./dom.js";
import { hoist } from "./flags.js";
import { complain, complete, field } from "./forms.js";
import { gate } from "./strings.doors.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

const NAME = { name: "name", label: gate.name, hint: gate.nameHint, autocomplete: "name", maxlength: 60 };
const LOGIN = {
  name: "login",
  label: say.login,
  hint: gate.loginHint,
  autocomplete: "username",
  autocapitalize: "none",
  spellcheck: "false",
  maxlength: 40,
};
const PASSWORD = {
  name: "password",
  label: say.password,
  hint: gate.passwordHint,
  type: "password",
  autocomplete: "new-password",
};

export class Gates {
  #wishes;

  /** `wishes` has `show(...children)`, `entered()`, `signIn(session)`. */
  constructor(wishes) {
    this.#wishes = wishes;
  }

  /** First run: a workspace, an admin. */
  setUp(code) {
    this.#form({
      place: say.brand,
      title: gate.setUpTitle,
      text: code ? gate.setUpText : gate.setUpNoCode,
      submit: gate.setUpDo,
      path: "/setup",
      fixed: code ? { code } : {},
      fields: [
        code ? null : { name: "code", label: gate.code, class: "mono", autocomplete: "off" },
        { name: "workspace", label: gate.workspace, autocomplete: "organization", maxlength: 60 },
        NAME,
        LOGIN,
        PASSWORD,
      ],
    });
  }

  /** By invite, or by an open door when there is no code. */
  join(session, code) {
    const place = nameOf(session);
    this.#form({
      place,
      title: gate.joinTitle(place),
      text: code ? gate.joinText : gate.joinOpenText,
      submit: gate.joinDo,
      path: "/join",
      fixed: code ? { code } : {},
      fields: [NAME, LOGIN, PASSWORD],
      back: () => this.#wishes.signIn(session),
    });
  }

  /** By a link that sets a password. */
  reset(session, code) {
    this.#form({
      place: nameOf(session),
      title: gate.resetTitle,
      text: gate.resetText,
      submit: gate.resetDo,
      path: "/reset",
      fixed: { code },
      fields: [PASSWORD],
      back: () => this.#wishes.signIn(session),
    });
  }

  /** A link that was handed over as words. */
  askInvite(session) {
    this.#card({
      place: nameOf(session),
      title: gate.inviteTitle,
      text: gate.inviteText,
      submit: gate.inviteDo,
      fields: [{ name: "code", label: gate.inviteCode, class: "mono", autocomplete: "off" }],
      back: () => this.#wishes.signIn(session),
      send: (form) => {
        const code = form.elements.code.value.trim().split("/").pop();
        if (code) this.join(session, code);
        return null;
      },
    });
  }

  #form({ path, fixed, ...card }) {
    const send = async (form) => {
      const filled = [...new FormData(form)].map(([name, value]) => [name, name === "password" ? value : value.trim()]);
      const answer = await http(path, { ...fixed, ...Object.fromEntries(filled) });
      if (answer.ok) this.#wishes.entered();
      return answer;
    };
    this.#card({ ...card, send });
  }

  #card({ place, title, text, submit, fields, back, send }) {
    const error = el("p", { class: "error", role: "alert" });
    const go = el("button", { class: "primary" }, submit);
    const form = el(
      "form",
      {
        class: "card",
        "aria-label": title,
        novalidate: true,
        onsubmit: async (event) => {
          event.preventDefault();
          if (go.disabled || !complete(form)) return;
          go.disabled = true;
          const answer = await send(form);
          go.disabled = false;
          if (answer && !answer.ok) complain(form, error, answer);
        },
      },
      fields.filter(Boolean).map(field),
      error,
      el(
        "p",
        { class: "doors" },
        go,
        back ? el("button", { type: "button", class: "quiet-link", onclick: back }, gate.back) : null,
      ),
    );
    this.#wishes.show(hoist(place), el("h1", null, title), el("p", null, text), form);
    form.querySelector("input")?.focus();
  }
}

const nameOf = (session) => cleanName(session.workspace) || say.brand;
