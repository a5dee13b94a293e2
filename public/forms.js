// Forms: fields with a hint, and a place for what is wrong with them.
// Words and refusals come in; elements go out.
// It sends nothing, and keeps nothing that was typed.
// Left out: checks of our own beyond "not empty"; the server knows what it takes.

import { at, el, icon } from "./dom.js";
import { peek, reason } from "./doors.js";
import { gate } from "./strings.doors.js";
import { say } from "./strings.js";

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
  const words = shut(answer.code, where) ?? reason(answer);
  error.textContent = input ? "" : words;
  if (input) blame(input, words);
}

/** Whether every field has something in it; the first that has not is shown. */
export function complete(form) {
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

/** What a door says that does not open, or no longer. */
function shut(code, where) {
  switch (code) {
    case "taken":
      return gate.taken;
    case "gone":
    case "not_found":
    case "forbidden":
      return { setup: gate.codeGone, reset: gate.resetGone }[where] ?? gate.inviteGone;
    default:
      return null;
  }
}
