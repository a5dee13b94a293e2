// Records what the official parser makes of the seeds of `socketio_packet` and of mutations of them:
//   NODE_PATH=<where socket.io-parser 4.2.7 is installed> node socketio_parser.js > socketio_parser.jsonl
// A line is [messages, packets as [kind, namespace, id], error]. Messages are parted by U+001E; one that starts with
// "b" is an attachment. Left out are texts that hit a difference we want: see `where_we_are_stricter` in property.rs.
const { Decoder } = require("socket.io-parser");
const { readdirSync, readFileSync } = require("fs");
const { join } = require("path");

let state = 12345;
function below(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

const folder = join(__dirname, "../seeds/socketio_packet");
const seeds = readdirSync(folder).sort().map((name) => readFileSync(join(folder, name), "utf8"));
const pieces = ["{", "}", "[", "]", '"', ",", "/", "-", "0", "1", "2", "3", "4", "5", "6", " ", "\\u0063", "connect",
  "_placeholder", "num", "true", "null", "e1", ".5", ":", "\x1e", "\x1eb", "/x,", '["a"]'];

function mutate(text) {
  for (let left = below(4); left > 0; left--) {
    const at = below(text.length + 1);
    const piece = below(3) ? pieces[below(pieces.length)] : "";
    text = text.slice(0, at) + piece + text.slice(at + below(3) * below(2));
  }
  return text;
}

function isWanted(text) {
  return text.split("\x1e").some((message) => {
    const head = message.split(/[[{"]/)[0];
    return message === "" || head.includes(" ") || /^[56]\d*e/.test(message) || message.includes('"num":0.5');
  });
}

function verdict(text) {
  const decoder = new Decoder();
  const packets = [];
  decoder.on("decoded", ({ type, nsp, id }) => packets.push([type, nsp, id ?? null]));
  try {
    for (const message of text.split("\x1e")) {
      decoder.add(message.startsWith("b") ? Buffer.from(message.slice(1)) : message);
    }
    return [text, packets, null];
  } catch (error) {
    return [text, packets, error.message];
  }
}

// Of each outcome only so many, so that none crowds out the others.
const seen = new Set();
const counts = {};
for (let round = 0; round < 40000; round++) {
  const text = mutate(seeds[below(seeds.length)]);
  const outcome = verdict(text);
  const count = counts[outcome[2]] ?? 0;
  if (isWanted(text) || seen.has(text) || count >= 80) continue;
  seen.add(text);
  counts[outcome[2]] = count + 1;
  console.log(JSON.stringify(outcome));
}
