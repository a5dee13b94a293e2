// Doors: signing in, making the first admin, coming in by invite or by a link that sets a password.
// The session's facts and what people type come in; `entered` goes out when a cookie is set.
// It keeps no password, and never touches the draft under the bar.
// Left out: nothing that keeps a session: that is the server's cookie. The sign-in form works without scripts too.

import { at, el, fill, icon } from "./dom.js";
import { hoist } from "./flags.js";
import { say } from "./strings.js";
import { cleanName } from "./text.js";

/** Asks over HTTP. Always answers; no answer is a code of ours. */
export async function http(path, body) {
  const asked =
    body === undefined
      ? { headers: { accept: "application/json" } }
      : {
          method: "POST",
          headers: { "content-type": "application/json", accept: "application/json" },
          body: JSON.stringify(body),
        };
  try {
    const response = await fetch(path, { ...asked, cache: "no-store", credentials: "same-origin" });
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return { ok: true, ...answer };
    return { code: response.status < 500 ? "invalid" : "internal", ...answer, ok: false };
  } catch {
    return { ok: false, code: "unreachable" };
  }
}

export class Doors {
  #stage;
  #bar;
  #note;
  #entered;
  #countdown = null;
  #session = { signUp: "invite", workspace: null };

  constructor({ stage, entered }) {
    this.#stage = stage;
    this.#bar = at("sign-in");
    this.#note = at("sign-in-note");
    this.#entered = entered;
    this.#bar.addEventListener("submit", (event) => this.#signIn(event));
    at("peek").addEventListener("click", (event) => peek(event.currentTarget, at("password")));
  }

  /** The bar alone, over a room that stays as it is. */
  bar(why) {
    this.#say(why ?? "");
    this.#stand("sign-in");
  }

  /** We are in: the composer stands where the bar stood. */
  opened() {
    this.#stand("write");
  }

  /** Signed out, with nothing behind the bar. */
  signIn(session, why) {
    this.#session = session;
    const open = session.signUp === "open";
    this.#welcome(
      hoist(session.workspace || say.brand),
      el("h1", null, cleanName(session.workspace) || say.brand),
      el("p", null, (open ? say.whoToAskOpen : say.whoToAsk)(cleanName(session.contact))),
      el(
        "p",
        { class: "doors" },
        open
          ? el(
              "button",
              { type: "button", class: "plain", onclick: () => this.join(session, "") },
              say.makeAccount,
            )
          : null,
        el(
          "button",
          { type: "button", class: open ? "quiet-link" : "plain", onclick: () => this.#askInvite() },
          say.haveInvite,
        ),
      ),
    );
    this.bar(why);
    if (matchMedia("(pointer: fine)").matches) at("login").focus();
  }

  /** First run: a workspace, an admin. */
  setUp(code) {
    this.#form({
      ornament: hoist(say.brand),
      title: say.setUpTitle,
      text: code ? say.setUpText : say.setUpNoCode,
      submit: say.setUpDo,
      path: "/setup",
      fixed: code ? { code } : {},
      fields: [
        code ? null : { name: "code", label: say.code, class: "mono", autocomplete: "off" },
        { name: "workspace", label: say.workspace, autocomplete: "organization", maxlength: 60 },
        ...ACCOUNT,
      ],
    });
  }

  /** By invite, or by an open door when there is no code. */
  join(session, code) {
    this.#session = session;
    const place = cleanName(session.workspace) || say.brand;
    this.#form({
      ornament: hoist(place),
      title: say.joinTitle(place),
      text: code ? say.joinText : say.joinOpenText,
      submit: say.joinDo,
      path: "/join",
      fixed: code ? { code } : {},
      fields: ACCOUNT,
      back: () => this.signIn(session),
    });
  }

  /** By a link that sets a password. */
  reset(session, code) {
    this.#session = session;
    this.#form({
      ornament: hoist(cleanName(session.workspace) || say.brand),
      title: say.resetTitle,
      text: say.resetText,
      submit: say.resetDo,
      path: "/reset",
      fixed: { code },
      fields: [ACCOUNT.at(-1)],
      back: () => this.signIn(session),
    });
  }

  /** The last page of somebody who was shut out: nothing is asked any more, but by a hand. */
  removed(why) {
    const other = async () => {
      const answer = await http("/session/end", {});
      if (answer.ok) location.replace("/");
    };
    this.#welcome(
      el("h1", null, why === "banned" ? say.bannedTitle : say.removedTitle),
      el("p", null, why === "banned" ? say.bannedText : say.removedText),
      el(
        "p",
        { class: "doors" },
        el("button", { type: "button", class: "quiet-link", onclick: other }, say.otherAccount),
      ),
    );
    this.#stand("none");
  }

  #askInvite() {
    const session = this.#session;
    const input = field({ name: "code", label: say.inviteCode, class: "mono", autocomplete: "off" });
    this.#card(
      hoist(cleanName(session.workspace) || say.brand),
      say.inviteTitle,
      say.inviteText,
      say.inviteDo,
      [input],
      () => this.signIn(session),
      (form) => {
        const code = form.elements.code.value.trim().split("/").pop();
        if (code) this.join(session, code);
        return null;
      },
    );
  }

  #form({ ornament, title, text, submit, path, fixed, fields, back }) {
    this.#card(ornament, title, text, submit, fields.filter(Boolean).map(field), back, async (form) => {
      const body = {
        ...fixed,
        ...Object.fromEntries(
          [...new FormData(form)].map(([name, value]) => [name, name === "password" ? value : value.trim()]),
        ),
      };
      const answer = await http(path, body);
      if (answer.ok) this.#entered();
      return answer;
    });
  }

  #card(ornament, title, text, submit, fields, back, send) {
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
      fields,
      error,
      el(
        "p",
        { class: "doors" },
        go,
        back ? el("button", { type: "button", class: "quiet-link", onclick: back }, say.back) : null,
      ),
    );
    this.#welcome(ornament, el("h1", null, title), el("p", null, text), form);
    this.#stand("none");
    form.querySelector("input")?.focus();
  }

  /** What stands at the foot. The bar is taken out when it is not wanted: one login field at a time. */
  #stand(foot) {
    document.body.dataset.foot = foot;
    if (foot !== "sign-in") this.#bar.remove();
    else if (!this.#bar.isConnected) at("foot").append(this.#bar);
  }

  #welcome(...children) {
    document.body.dataset.view = "door";
    this.#stage.dataset.mark = "door";
    fill(this.#stage, el("div", { class: "welcome" }, ...children));
  }

  async #signIn(event) {
    event.preventDefault();
    const { login, password } = this.#bar.elements;
    if (!login.value.trim()) return this.#refuse(say.enterLogin, login);
    if (!password.value) return this.#refuse(say.enterPassword, password);
    const button = this.#bar.querySelector(".primary");
    if (button.disabled) return;
    button.disabled = true;
    const answer = await http("/session", { login: login.value.trim(), password: password.value });
    button.disabled = false;
    if (answer.code === "slow") return this.#wait(answer.retryMs, password);
    if (!answer.ok)
      return this.#refuse(
        reason(answer),
        answer.code === "wrong" || answer.code === "invalid" ? password : null,
      );
    password.value = "";
    this.#say("");
    this.#entered();
  }

  /** Too many tries: what is left of the wait is shown as it runs out, and said once. */
  #wait(ms, password) {
    const until = Date.now() + ms;
    this.#refuse(say.tooMany(ms), null);
    const said = el("span", { class: "unseen" }, say.tooMany(ms));
    const shown = el("span", { "aria-hidden": "true" });
    fill(this.#note, said, shown);
    const count = () => {
      const left = until - Date.now();
      if (left > 0) shown.textContent = say.tooMany(left);
      else this.#refuse(say.tryAgain, password);
    };
    count();
    this.#countdown = setInterval(count, 500);
  }

  #refuse(words, input) {
    this.#say(words, "error");
    if (!input) return;
    input.focus();
    input.select();
  }

  #say(words, kind = "") {
    clearInterval(this.#countdown);
    this.#note.className = kind;
    this.#note.textContent = words;
  }
}

/** What the address says after a form was posted without scripts. */
export function postedWords(search) {
  const code = new URLSearchParams(search).get("sign-in");
  return code ? reason({ code }) : null;
}

const ACCOUNT = [
  { name: "name", label: say.name, hint: say.nameHint, autocomplete: "name", maxlength: 60 },
  {
    name: "login",
    label: say.login,
    hint: say.loginHint,
    autocomplete: "username",
    autocapitalize: "none",
    spellcheck: "false",
    maxlength: 40,
  },
  {
    name: "password",
    label: say.password,
    hint: say.passwordHint,
    type: "password",
    autocomplete: "new-password",
  },
];

let fields = 0;

/** A label, an input, a hint and a place for what is wrong with it. */
export function field({ label, hint, type = "text", optional, ...attributes }) {
  const id = `field${(fields += 1)}`;
  const input = el("input", { id, type, "aria-describedby": `${id}h`, required: !optional, ...attributes });
  const eye =
    type === "password"
      ? el(
          "button",
          {
            type: "button",
            class: "eye",
            "aria-label": say.showPassword,
            "aria-pressed": "false",
            onclick: (event) => peek(event.currentTarget, input),
          },
          icon("eye"),
        )
      : null;
  return el(
    "div",
    { class: "field" },
    el("label", { for: id }, label),
    el("div", { class: "box" }, input, eye),
    el("p", { id: `${id}h`, class: "hint", "data-hint": hint ?? "" }, hint ?? ""),
  );
}

/** Shows what is wrong where it is wrong. */
export function complain(form, error, answer) {
  const input = answer.field
    ? form.elements[answer.field]
    : answer.code === "taken"
      ? form.elements.login
      : null;
  const where = form.elements.workspace ? "setup" : form.elements.login ? "join" : "reset";
  const words = reason(answer, where);
  error.textContent = input ? "" : words;
  if (input) blame(input, words);
}

function complete(form) {
  for (const input of form.querySelectorAll("input")) blame(input, null);
  const empty = [...form.querySelectorAll("input[required]")].find((input) => !input.value.trim());
  if (empty) empty.focus();
  if (empty) empty.setAttribute("aria-invalid", "true");
  return !empty;
}

function blame(input, words) {
  const hint = at(input.getAttribute("aria-describedby"));
  hint.textContent = words ?? hint.dataset.hint;
  hint.classList.toggle("error", Boolean(words));
  if (!words) return input.removeAttribute("aria-invalid");
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

function reason(answer, where) {
  switch (answer.code) {
    case "wrong":
      return say.wrong;
    case "slow":
      return say.tooMany(answer.retryMs);
    case "busy":
      return say.busy;
    case "full":
      return say.full;
    case "internal":
      return say.fault(answer.ref);
    case "banned":
      return say.banned;
    case "taken":
      return say.taken;
    case "gone":
    case "not_found":
    case "forbidden":
      return { setup: say.codeGone, reset: say.resetGone }[where] ?? say.inviteGone;
    case "unreachable":
      return say.unreachable;
    case "invalid":
      return answer.message || say.invalidField;
    default:
      return answer.message || say.busy;
  }
}

function peek(button, input) {
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.setAttribute("aria-label", shown ? say.hidePassword : say.showPassword);
  fill(button, icon(shown ? "shut" : "eye"));
}
