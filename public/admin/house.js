// Settings of the whole place: its name, who may make an account, whom strangers may ask; and backups of it.
// They are asked for when the section is opened; what is saved holds at once.
// Left out: what is on the command line, which is the operator's.

import { el, fill, setText } from "../dom.js";
import { complain, field } from "../forms.js";
import { cleanName } from "../text.js";
import { button } from "./parts.js";
import { whyNot, words } from "./strings.js";

export class House {
  #ask;
  #note;
  #renamed;

  /** `renamed(name)` is called when the place is called otherwise. */
  constructor({ ask, note, renamed }) {
    this.#ask = ask;
    this.#note = note;
    this.#renamed = renamed;
  }

  async open(sheet) {
    fill(sheet);
    const answer = await this.#ask("settings:get", {});
    if (!answer.ok) return this.#note(whyNot(answer));
    fill(sheet, this.#form(answer), this.#backups());
  }

  #backups() {
    const said = el("p", { class: "hint", role: "status" });
    const make = async () => {
      setText(said, "");
      const answer = await this.#ask("backup:now", {});
      setText(said, answer.ok ? words.backupMade(answer.file, answer.bytes) : whyNot(answer));
    };
    return el(
      "section",
      { "aria-label": words.backup },
      el("h2", null, words.backup),
      el("p", { class: "hint" }, words.backupText),
      el(
        "p",
        { class: "doors" },
        button(words.backupNow, make),
        el("a", { href: "/backup", download: true }, words.backupFetch),
      ),
      said,
    );
  }

  #form({ workspace, signUp, contact }) {
    const error = el("p", { class: "error", role: "alert" });
    const said = el("p", { class: "hint", role: "status" });
    const form = el(
      "form",
      {
        novalidate: true,
        "aria-label": words.sections.settings[0],
        onsubmit: async (event) => {
          event.preventDefault();
          setText(said, "");
          setText(error, "");
          const asked = Object.fromEntries(new FormData(form));
          if (!asked.workspace.trim()) return complain(form, error, { code: "invalid", field: "workspace" });
          const answer = await this.#ask("settings:set", asked);
          if (!answer.ok) return setText(error, whyNot(answer));
          this.#renamed(answer.workspace);
          setText(said, words.saved);
        },
      },
      field({ name: "workspace", label: words.workspace, maxlength: 60, autocomplete: "off", value: cleanName(workspace) }),
      el(
        "fieldset",
        null,
        el("legend", null, words.signUp),
        Object.entries(words.signUps).map(([value, [name, text]]) =>
          el(
            "label",
            { class: "choice" },
            el("input", { type: "radio", name: "signUp", value, checked: value === signUp }),
            el("span", null, el("b", null, name), ` ${text}`),
          ),
        ),
      ),
      field({ name: "contact", label: words.contact, hint: words.contactHint, maxlength: 200, autocomplete: "off", value: cleanName(contact), optional: true }),
      error,
      el("p", { class: "doors" }, el("button", { class: "primary" }, words.save), said),
    );
    return form;
  }
}
