// What a screen reader hears: short sentences in two live regions apart from the list.
// New messages and outcomes come in; sentences go out, bursts as one.
// It never reads history or trimming aloud, since the list itself is not live.
// Left out: a setting for how much is said; it belongs to the page of settings.

import { say } from "./strings.js";

const BURST_MAX = 3;
const BURST_WITHIN_MS = 2_000;

export class Announcer {
  #polite;
  #urgent;
  #waiting = [];
  #timer = null;

  constructor(polite, urgent) {
    this.#polite = polite;
    this.#urgent = urgent;
  }

  /** A message in the open room. */
  message(name, text, room) {
    this.#waiting.push(say.spokenMessage(name, text));
    this.#timer ??= setTimeout(() => this.#speak(room), this.#waiting.length > 1 ? BURST_WITHIN_MS : 400);
    if (this.#waiting.length === 2) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#speak(room), BURST_WITHIN_MS);
    }
  }

  say(words) {
    this.#add(this.#polite, words);
  }

  urge(words) {
    this.#add(this.#urgent, words);
  }

  #speak(room) {
    this.#timer = null;
    const words = this.#waiting;
    this.#waiting = [];
    if (words.length > BURST_MAX) this.say(say.spokenBurst(words.length, room));
    else for (const one of words) this.say(one);
  }

  #add(region, words) {
    const line = document.createElement("p");
    line.textContent = words;
    region.append(line);
    while (region.childElementCount > 8) region.firstElementChild.remove();
  }
}
