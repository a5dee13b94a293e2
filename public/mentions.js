// Names in texts: whom an `@` calls, and which room a `#` names.
// People and rooms come in; a text is asked at a place, and a name that stands there goes out.
// By the rules of the server (`src/chat/mentions.rs`), so that what was counted there is marked here: the longest name that
// fits, small and capital letters as one, up to the end of a word.
// Left out: calling everybody at once.

const NAME_CHARS_MAX = 64;
const SIGNS_MAX = 20;
const OF_A_WORD = /[\p{L}\p{N}\p{M}_]/u;

const caseless = (text) => text.normalize("NFKC").toLowerCase();

export class Names {
  /** Rises whenever a name may mean something else than before. */
  version = 0;
  #people = new Map();
  #rooms = new Map();

  learn(people, rooms) {
    this.version += 1;
    this.#people.clear();
    this.#rooms.clear();
    for (const { id, login, name } of people) {
      for (const one of new Set([caseless(login), caseless(name)])) {
        this.#people.set(one, [...(this.#people.get(one) ?? []), id]);
      }
    }
    for (const { id, kind, name } of rooms) if (kind !== "direct") this.#rooms.set(caseless(name), id);
  }

  /** The name behind the sign at that place: `{end, people}`, `{end, room}`, or null. */
  at(text, start) {
    const known = { "@": this.#people, "#": this.#rooms }[text[start]];
    if (!known || (start > 0 && OF_A_WORD.test(before(text, start)))) return null;
    const ends = [];
    let end = start + 1;
    for (const char of Array.from(text.slice(end, end + 2 * NAME_CHARS_MAX)).slice(0, NAME_CHARS_MAX)) {
      end += char.length;
      if (!OF_A_WORD.test(String.fromCodePoint(text.codePointAt(end) ?? 32))) ends.push(end);
    }
    for (const last of ends.reverse()) {
      const found = known.get(caseless(text.slice(start + 1, last)));
      if (found) return known === this.#people ? { end: last, people: found } : { end: last, room: found };
    }
    return null;
  }

  /** Whether a text calls somebody. */
  calls(text, id) {
    let signs = 0;
    for (let i = text.indexOf("@"); i >= 0; i = text.indexOf("@", i + 1)) {
      if (i > 0 && OF_A_WORD.test(before(text, i))) continue;
      if ((signs += 1) > SIGNS_MAX) return false;
      if (this.at(text, i)?.people.includes(id)) return true;
    }
    return false;
  }
}

/** The whole character before a place, be it of two halves. */
const before = (text, i) => Array.from(text.slice(Math.max(0, i - 2), i)).at(-1) ?? "";
