// The frame of every dialog, a question before a deed, and a link to be copied out of one.
// A title and what stands below it come in; the browser keeps the focus inside, and gives it back.
// It never asks the server.
// Left out: keeping one of them for the next time; they are small and made anew.

import { el, icon } from "./dom.js";
import "./sheet.js";
import { say } from "./strings.js";
import { words } from "./strings.later.js";

let opened = 0;

/** Opens a dialog, and answers with its element; `closed` is called when it is gone, `name` is its class. */
export function openDialog(title, children, closed = () => {}, name = null) {
  const id = `dialog-title-${(opened += 1)}`;
  const dialog = el(
    "dialog",
    { class: name, "aria-labelledby": id },
    el(
      "header",
      null,
      el("h2", { id }, title),
      el(
        "button",
        { type: "button", class: "tool", "aria-label": words.close, onclick: () => dialog.close() },
        icon("close"),
      ),
    ),
    ...children,
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    // A click on the button to close leaves the caret outside the field that has the focus again: there Chromium would type nothing.
    const held = document.activeElement;
    if (typeof held?.selectionStart === "number") held.setSelectionRange(held.selectionStart, held.selectionEnd);
    closed(dialog);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks before a deed that somebody would notice. */
export function sure(title, text, label, deed) {
  const doIt = () => {
    dialog.close();
    deed();
  };
  const dialog = openDialog(title, [
    el("p", null, text),
    el(
      "p",
      { class: "doors" },
      el("button", { type: "button", class: "primary danger", onclick: doIt }, label),
      el("button", { type: "button", class: "quiet-link", onclick: () => dialog.close() }, say.cancel),
    ),
  ]);
}

/** A link with its buttons, and a line below that says how long it holds. */
export function linkRow(path, label, hint) {
  const url = new URL(path, location.origin).href;
  const input = el("input", {
    class: "mono",
    readonly: true,
    value: url,
    "aria-label": label,
    onfocus: (event) => event.target.select(),
  });
  const copy = el(
    "button",
    {
      type: "button",
      class: "primary",
      onclick: async () => {
        // The clipboard is withheld on plain http: then the old way, and then the reader's own hand.
        const done =
          (await navigator.clipboard?.writeText(url).then(
            () => true,
            () => false,
          )) || byHand(input);
        copy.textContent = done ? words.copied : words.copyByHand;
        setTimeout(() => (copy.textContent = words.copy), 2_000);
      },
    },
    words.copy,
  );
  const share = navigator.share
    ? el(
        "button",
        { type: "button", class: "plain", onclick: () => navigator.share({ url }).catch(() => {}) },
        words.share,
      )
    : null;
  return [el("div", { class: "link-row" }, input, copy, share), el("p", { class: "hint" }, hint)];
}

function byHand(input) {
  input.focus();
  input.select();
  return document.execCommand("copy");
}
