// The switcher: a few letters, and one is in a room or writes to a person.
// Rooms and people come from the place; the chosen address goes out by a link.
// It asks nobody: rooms one is not in are in All rooms.
// Left out: guessing; what begins with the letters comes before what has them inside, and then what was heard last.

import { openDialog } from "./dialog.js";
import { el, fill, icon } from "./dom.js";
import { flag } from "./flags.js";
import { say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

const SHOWN_MAX = 9;

/** Opens it. `unread(room)` is what the list shows; `go(address)` goes there. */
export function openSwitcher(place, { unread, go }) {
  const input = el("input", {
    type: "text",
    role: "combobox",
    "aria-label": words.switchHint,
    "aria-expanded": "true",
    "aria-controls": "targets",
    "aria-autocomplete": "list",
    placeholder: words.switchHint,
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = el("ul", { id: "targets", role: "listbox", "aria-label": words.switchTo });
  const dialog = openDialog(words.switchTo, [input, list], undefined, "switcher");
  const all = targets(place, unread);
  let found = [];
  let chosen = 0;
  const draw = () => {
    fill(
      list,
      ...found.map((target, i) =>
        el(
          "li",
          { id: `target${i}`, role: "option", "aria-selected": String(i === chosen), "data-at": i },
          target.person ? flag(target.person, target.name) : icon(target.private ? "lock" : "rooms"),
          el("bdi", { class: "name" }, target.name),
          target.hint && el("span", { class: "hint" }, target.hint),
          target.unread > 0 && el("span", { class: target.forMe ? "badge loud" : "badge" }, String(target.unread)),
        ),
      ),
      found.length === 0 && el("li", { class: "none" }, words.switchNone),
    );
    input.setAttribute("aria-activedescendant", found.length ? `target${chosen}` : "");
  };
  const look = () => {
    found = matching(all, input.value);
    chosen = 0;
    draw();
  };
  const take = (i) => {
    if (!found[i]) return;
    dialog.close();
    go(found[i].address);
  };
  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      chosen = (chosen + step + found.length) % found.length;
      draw();
    } else if (event.key === "Enter" && !event.isComposing) take(chosen);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[data-at]");
    if (option) take(Number(option.dataset.at));
  });
  look();
  input.focus();
}

function targets(place, unread) {
  const rooms = place.sorted().filter((room) => room.id !== place.open);
  const spoken = new Set(rooms.filter((room) => room.kind === "direct").map((room) => room.with));
  const people = [...place.people.values()].filter((one) => !one.gone && !spoken.has(one.id));
  return [
    ...rooms.map((room) => ({
      address: place.address(room.id),
      name: cleanName(room.name),
      words: `${room.name} ${place.other(room)?.login ?? ""}`,
      hint: cleanName(place.other(room)?.login ?? room.topic),
      person: room.kind === "direct" ? room.with : null,
      private: room.kind === "private",
      unread: unread(room),
      forMe: place.isForMe(room),
      at: room.at ?? 0,
    })),
    ...people.map((person) => ({
      address: `#/dm/${person.id}`,
      name: person.id === place.me.id ? say.notes : cleanName(person.name),
      words: `${person.name} ${person.login}`,
      hint: cleanName(person.login),
      person: person.id,
      unread: 0,
      at: -1,
    })),
  ].sort((a, b) => (b.unread > 0) - (a.unread > 0) || Boolean(b.forMe && b.unread) - Boolean(a.forMe && a.unread) || b.at - a.at);
}

/** What has the letters at the start of a word, before what has them anywhere. */
function matching(all, typed) {
  const wanted = typed.trim().toLowerCase();
  if (!wanted) return all.slice(0, SHOWN_MAX);
  const rank = ({ words }) => {
    const at = words.toLowerCase().indexOf(wanted);
    return at < 0 ? -1 : at === 0 || /[^\p{L}\p{N}]/u.test(words[at - 1]) ? 1 : 0;
  };
  return all
    .map((target) => [rank(target), target])
    .filter(([points]) => points >= 0)
    .sort(([a], [b]) => b - a)
    .slice(0, SHOWN_MAX)
    .map(([, target]) => target);
}
