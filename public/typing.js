// The line that says who is typing in the open room.
// Word of typing comes in, with the room; a line of text goes out.
// It never asks: whoever is not heard of for five seconds has stopped.
// Left out: saying it aloud; a screen reader would never be quiet.

import { setText } from "./dom.js";
import { say } from "./strings.js";

const HEARD_FOR_MS = 5_000;

export class TypingLine {
  #node;
  #name;
  #room = null;
  #heard = new Map();

  constructor(node, name) {
    this.#node = node;
    this.#name = name;
  }

  turn(room) {
    this.#room = room;
    this.clear();
  }

  heard(room, by, on) {
    if (room !== this.#room) return;
    clearTimeout(this.#heard.get(by));
    this.#heard.delete(by);
    if (on) this.#heard.set(by, setTimeout(() => this.heard(room, by, false), HEARD_FOR_MS));
    this.#draw();
  }

  clear() {
    for (const timer of this.#heard.values()) clearTimeout(timer);
    this.#heard.clear();
    this.#draw();
  }

  #draw() {
    setText(this.#node, this.#heard.size > 0 ? say.isTyping([...this.#heard.keys()].map(this.#name)) : "");
  }
}
