// Doors: signing in, the way to the doors that people come through once (gates.js), and the way out for good.
// The session's facts and what people type come in; `entered` goes out when a cookie is set.
// It keeps no password, and never touches the draft under the bar.
// Left out: nothing that keeps a session: that is the server's cookie. The sign-in form works without scripts too.

import { at, el, fill, icon } from "./dom.js";
import { hoist } from "./flags.js";
import { lazily } from "./lazy.js";
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
  #missing = null;
  #gates = lazily(
    async () => {
      const { Gates } = await import("./gates.js");
      return new Gates({
        show: (...children) => this.#alone(...children),
        entered: this.#entered,
        signIn: (session) => this.signIn(session),
      });
    },
    () => this.#missing(),
  );

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
          { type: "button", class: open ? "quiet-link" : "plain", onclick: () => this.#gate((gates) => gates.askInvite(session)) },
          say.haveInvite,
        ),
      ),
    );
    this.bar(why);
    if (matchMedia("(pointer: fine)").matches) at("login").focus();
  }

  /** First run: a workspace, an admin. */
  setUp(code) {
    this.#gate((gates) => gates.setUp(code));
  }

  /** By invite, or by an open door when there is no code. */
  join(session, code) {
    this.#gate((gates) => gates.join(session, code));
  }

  /** By a link that sets a password. */
  reset(session, code) {
    this.#gate((gates) => gates.reset(session, code));
  }

  /** The last page of somebody who was shut out: nothing is asked any more, but by a hand. */
  removed(why) {
    const other = async () => {
      const answer = await http("/session/end", {});
      if (answer.ok) location.replace("/");
    };
    this.#alone(
      el("h1", null, why === "banned" ? say.bannedTitle : say.removedTitle),
      el("p", null, why === "banned" ? say.bannedText : say.removedText),
      el(
        "p",
        { class: "doors" },
        el("button", { type: "button", class: "quiet-link", onclick: other }, say.otherAccount),
      ),
    );
  }

  /** The other doors come with their first use. Their codes have left the address by then: whoever tries again needs no other. */
  #gate(wanted) {
    const again = el("button", { type: "button", class: "plain", onclick: () => this.#gate(wanted) }, say.tryNow);
    this.#missing = () => this.#alone(el("p", null, say.partMissing), el("p", { class: "doors" }, again));
    // Who came in meanwhile needs no door.
    this.#gates((gates) => document.body.dataset.view !== "chat" && wanted(gates));
  }

  /** Nothing at the foot: what stands in the middle is all there is to do. */
  #alone(...children) {
    this.#welcome(...children);
    this.#stand("none");
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

/** Why it did not go on, in words. */
export function reason(answer) {
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
    case "unreachable":
      return say.unreachable;
    case "invalid":
      return answer.message || say.invalidField;
    default:
      return answer.message || say.busy;
  }
}

/** Shows or hides the letters of a password. */
export function peek(button, input) {
  const shown = input.type === "password";
  input.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  button.setAttribute("aria-label", shown ? say.hidePassword : say.showPassword);
  fill(button, icon(shown ? "shut" : "eye"));
}
