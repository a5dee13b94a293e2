// Looking for words: a dialog with what was found, the newest first, each a way to its message.
// Words come in as they are typed; `search` events go out through `ask`, the open room first.
// It never opens a room: what was found are links, and the address decides.
// Left out: operators; whoever writes "AND" is looking for that word.

import { el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { nameOf } from "./row.js";
import "./sheet.js";
import { byName, moment, say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

const TYPED_FOR_MS = 400;
const SHOWN_MAX = 280;
const BEFORE_MATCH = 60;

export class Search {
  #place;
  #ask;
  #dialog;
  #input;
  #scope = el("div", { class: "scope", role: "radiogroup", "aria-label": words.searchWhere });
  #from;
  #state = el("p", { class: "state", role: "status" });
  #list = el("ol", { "aria-label": words.searchFound });
  #more;
  #timer = null;
  // Only the latest question is listened to.
  #asked = 0;

  constructor(place, ask) {
    this.#place = place;
    this.#ask = ask;
    this.#input = el("input", {
      type: "search",
      name: "q",
      "aria-label": words.searchFor,
      placeholder: words.searchFor,
      maxlength: 200,
      autocomplete: "off",
      enterkeyhint: "search",
    });
    this.#from = el("select", { "aria-label": words.searchFrom, onchange: () => this.#look() });
    this.#more = el(
      "button",
      { type: "button", class: "plain more", hidden: true, onclick: () => this.#look("older") },
      words.searchMore,
    );
    this.#dialog = this.#furnished();
  }

  /** Opens with what was looked for last, ready to be written over. */
  open() {
    if (this.#dialog.open) return this.#input.focus();
    this.#choices();
    this.#dialog.showModal();
    this.#input.select();
    this.#input.focus();
    this.#look();
  }

  #furnished() {
    const close = el(
      "button",
      { type: "button", class: "tool", "aria-label": words.close, onclick: () => dialog.close() },
      icon("close"),
    );
    const submit = (event) => {
      event.preventDefault();
      this.#look();
    };
    const form = el("form", { role: "search", onsubmit: submit }, this.#input, this.#scope, this.#from);
    const dialog = el(
      "dialog",
      { class: "search", "aria-labelledby": "search-title" },
      el("header", null, el("h2", { id: "search-title" }, say.search), close),
      form,
      this.#state,
      el("div", { class: "scroll" }, this.#list, this.#more),
    );
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look(), TYPED_FOR_MS);
    });
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("ol a")) dialog.close();
    });
    document.body.append(dialog);
    return dialog;
  }

  /** Where to look, and whose words. */
  #choices() {
    const { room, people, me } = this.#place;
    const everywhere = !room || this.#all;
    const choice = (value, label, checked) =>
      el(
        "label",
        null,
        el("input", { type: "radio", name: "where", value, checked, onchange: () => this.#look() }),
        el("span", null, label),
      );
    fill(
      this.#scope,
      room && choice("room", cleanName(room.name), !everywhere),
      choice("all", words.searchAll, everywhere),
    );
    const chosen = this.#from.value;
    const others = [...people.values()].sort(byName);
    fill(
      this.#from,
      el("option", { value: "" }, words.searchAnybody),
      ...others.map((one) => el("option", { value: one.id }, nameOf(one.id, people, me))),
    );
    this.#from.value = chosen;
    if (this.#from.selectedIndex < 0) this.#from.value = "";
  }

  get #all() {
    return this.#scope.querySelector("input:checked")?.value === "all";
  }

  /** Asks for the newest, or for what is older than the last shown. Too quick is asked again by itself. */
  async #look(where = "newest") {
    clearTimeout(this.#timer);
    const number = (this.#asked += 1);
    const q = this.#input.value.trim();
    if (!q) {
      this.#more.hidden = true;
      fill(this.#list);
      return this.#say("");
    }
    const body = { q };
    if (!this.#all && this.#place.room) body.room = this.#place.open;
    if (this.#from.value) body.from = Number(this.#from.value);
    if (where === "older") body.before = Number(this.#list.lastElementChild.dataset.id);
    const answer = await this.#ask("search", body);
    if (number !== this.#asked) return;
    if (answer.code === "slow") {
      this.#timer = setTimeout(() => this.#look(where), answer.retryMs);
      return;
    }
    if (!answer.ok) return this.#say(answer.code === "too_long" ? words.searchTooLong : say.unreachable);
    this.#show(answer, where, q);
  }

  #show({ rows, more, partial }, where, q) {
    const sought = q.split(/\s+/u);
    const found = rows.map((row) => this.#found(row, sought));
    const [first] = found;
    if (where === "older") this.#list.append(...found);
    else {
      fill(this.#list, ...found);
      this.#list.parentElement.scrollTop = 0;
    }
    const held = document.activeElement === this.#more;
    this.#more.hidden = !more;
    if (held && first) first.firstElementChild.focus();
    const shown = this.#list.childElementCount;
    if (shown === 0) this.#say(partial ? words.searchNoneInTime : this.#all ? words.searchNone : words.searchNoneHere);
    else this.#say(partial ? words.searchPartial : words.searchCount(shown, more));
  }

  #found(row, sought) {
    const { people, me, rooms } = this.#place;
    const name = nameOf(row.by, people, me);
    const room = this.#all ? cleanName(rooms.get(row.room)?.name) : "";
    return el(
      "li",
      { "data-id": row.id },
      el(
        "a",
        { href: `#/r/${row.room}/${row.seq}` },
        flag(row.by, name),
        el(
          "span",
          { class: "name" },
          el("bdi", null, name),
          room && el("span", { class: "room" }, words.searchIn, el("bdi", null, room)),
        ),
        el("time", { datetime: new Date(row.at).toISOString() }, moment(row.at)),
        el("p", { dir: "auto" }, ...marked(row.text, sought)),
      ),
    );
  }

  /** Down from the words to what was found, and back. */
  #key(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if (event.target.closest("select, .scope")) return;
    const links = [...this.#list.querySelectorAll("a")];
    const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) this.#input.focus();
    else links[Math.min(next, links.length - 1)]?.focus();
  }

  #say(state) {
    this.#state.textContent = state;
  }
}

/** The part of a text where the words are, with the words marked. */
function marked(text, sought) {
  const plain = text.replace(/\s+/gu, " ");
  const any = sought
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ""))
    .filter(Boolean)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (any.length === 0) return [plain.slice(0, SHOWN_MAX)];
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${any.join("|")})`, "giu");
  const start = Math.max(0, (plain.search(pattern) || 0) - BEFORE_MATCH);
  const shown = (start > 0 ? "…" : "") + plain.slice(start, start + SHOWN_MAX) + (plain.length > start + SHOWN_MAX ? "…" : "");
  const nodes = [];
  let end = 0;
  for (const match of shown.matchAll(pattern)) {
    nodes.push(shown.slice(end, match.index), el("mark", null, match[0]));
    end = match.index + match[0].length;
  }
  return [...nodes, shown.slice(end)];
}
