// The bell: two soft tones, made here, so that no sound file is loaded.
// Left out: another sound; who wants none switches it off.

const TONES = [
  [660, 0],
  [880, 0.11],
];
const LASTS_S = 0.5;
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
