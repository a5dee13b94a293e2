// The bell: two soft tones, made here, so that no sound file is loaded; and the note that the browser shows beside them.
// Left out: another sound; who wants none switches it off.

import { words } from "./strings.later.js";

const TONES = [
  [660, 0],
  [880, 0.11],
];
const LASTS_S = 0.5;
const TEXT_MAX = 200;
let context = null;

export function ring() {
  context ??= new AudioContext();
  // Suspended until somebody has clicked on the page: the browser's own rule.
  context.resume();
  for (const [frequency, after] of TONES) {
    const at = context.currentTime + after;
    const tone = new OscillatorNode(context, { frequency });
    const loudness = new GainNode(context, { gain: 0 });
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.12, at + 0.012);
    loudness.gain.exponentialRampToValueAtTime(0.0005, at + LASTS_S);
    tone.connect(loudness).connect(context.destination);
    tone.start(at);
    tone.stop(at + LASTS_S);
  }
}

/** Says outside the page what somebody has written; a click on it goes there. */
export function note(row, room, name, go) {
  const note = new Notification(room.kind === "direct" ? name : words.noteFrom(name, room.name), {
    body: row.text.slice(0, TEXT_MAX),
    tag: `room ${room.id}`,
    icon: "/icon.svg",
  });
  note.onclick = () => {
    note.close();
    window.focus();
    go();
  };
}
