// Records the verdicts of the official parsers, for `cargo test --test recorded`, which needs no Node.
//
//   npm ci --ignore-scripts && npm run record
//
// Writes two files beside this one, a JSON array a line, the same ones each time:
//   socketio_parser.jsonl  [messages, [[kind, namespace, id, payload] ...], error]   `Decoder.add`; messages are parted by
//                          U+001E, and one that starts with "b" is an attachment. An attachment in a payload is its placeholder.
//   engineio_parser.jsonl  [function, text, [[type, data] ...]]                      `decodePayload`, `decodePacket`; an error is a type.
//                          Bytes in data are {"base64": ...}.
// Of each file a third is sound, or nearly; the rest is that with something changed.
"use strict";
const { Decoder, Encoder } = require("socket.io-parser");
const { decodePacket, decodePayload } = require("engine.io-parser");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

let state = 12345;
function below(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}
const pick = (among) => among[below(among.length)];

const scalars = [0, 1, -1, 1.5, 1e21, 5e-7, 9007199254740993, true, false, null, "", "a", "é\u2028", '"\\', "\ud83d\ude00",
  "\ud800", "\u0000", "2"];

function value(depth) {
  switch (depth > 0 ? below(6) : 0) {
    case 4: return Array.from({ length: below(4) }, () => value(depth - 1));
    case 5: return Object.fromEntries(Array.from({ length: below(3) },
      () => [pick(["a", "num", "_placeholder", "", "é"]), value(depth - 1)]));
    case 3: return below(3) ? pick(scalars) : Buffer.from([1, 2]);
    default: return pick(scalars);
  }
}

function socketio() {
  const type = pick([0, 1, 2, 2, 2, 2, 3, 3, 4]);
  const args = Array.from({ length: below(4) }, () => value(3));
  const packet = { type, nsp: pick(["/", "/", "/a", "/b?c=d", "/é"]) };
  if (type === 0 && below(2)) packet.data = { token: value(1) };
  if (type === 2) packet.data = [pick(["say", "x", 1, "connect", "éa"]), ...args];
  if (type === 3) packet.data = args;
  if (type === 4) packet.data = below(2) ? { message: "No", data: value(1) } : "No";
  if (type === 3 || (type === 2 && below(2))) packet.id = pick([0, 1, 12, 9007199254740991]);
  return new Encoder().encode(packet).map((part) => typeof part === "string" ? part : "b" + part.toString("latin1"));
}

function engineio() {
  const packet = () => pick([
    () => "4" + JSON.stringify(value(2)), () => "4" + pick(["", "é", "2[\"a\"]", "0/x,{}"]), () => pick(["1", "2", "3", "5", "6"]),
    () => pick(["2probe", "3probe", "2x"]), () => "b" + Buffer.from(pick(["", "a", "ab", "abc", "\xff\xfe"]), "latin1").toString("base64"),
    () => '0{"sid":"x"}',
  ])();
  return Array.from({ length: 1 + below(3) }, packet);
}

const pieces = ["{", "}", "[", "]", '"', ",", "/", "-", "0", "1", "2", "3", "4", "5", "6", "7", " ", "\\u0063", "connect", "b", "=",
  '{"_placeholder":true,"num":0}', '{"_placeholder":true,"num":9}', "true", "null", "e1", ".5", ":", "\x1e", "\x1eb", "/x,", '["a"]',
  "9007199254740993", "51-", "\t"];

function mutate(text) {
  for (let left = 1 + below(3); left > 0; left--) {
    const at = below(text.length + 1);
    const piece = below(3) ? pick(pieces) : "";
    text = text.slice(0, at) + piece + text.slice(at + below(4) * below(2));
  }
  return text;
}

// By name: `JSON.stringify` asks `Buffer.toJSON` before it asks the replacer.
const replacing = (replace) => function (key, shown) {
  if (Buffer.isBuffer(this[key])) return replace(this[key]);
  // Half a surrogate pair is no Unicode, and so neither a string of Rust nor a line of UTF-8.
  return typeof shown === "string" ? shown.toWellFormed() : shown;
};

function decoded(text) {
  const decoder = new Decoder();
  const packets = [];
  let attachments = [];
  const placeholder = replacing((buffer) => ({ _placeholder: true, num: attachments.indexOf(buffer) }));
  decoder.on("decoded", ({ type, nsp, id, data }) => {
    // A line that holds what is too deep for us would itself be too deep.
    const isKept = data !== undefined && text.length <= 200;
    packets.push([type, nsp, id ?? null, isKept ? JSON.parse(JSON.stringify(data, placeholder)) : null]);
  });
  try {
    for (const message of text.split("\x1e")) {
      if (message.startsWith("b")) {
        attachments.push(Buffer.from(message.slice(1)));
        decoder.add(attachments.at(-1));
      } else {
        attachments = [];
        decoder.add(message);
      }
    }
    return [text, packets, null];
  } catch (error) {
    return [text, packets, error.message];
  }
}

function parted(name, text) {
  const packets = name === "decodePayload" ? decodePayload(text) : [decodePacket(text)];
  const base64 = replacing((buffer) => ({ base64: buffer.toString("base64") }));
  const shown = JSON.parse(JSON.stringify(packets.map(({ type, data }) => [type, data ?? null]), base64));
  return [name, text, shown];
}

// What chance does not find: each meets a limit.
const odd = ['2["a",' + "[".repeat(130) + "]".repeat(130) + "]", "2/" + "n".repeat(300) + ',["a"]', "0/" + "n".repeat(300) + ",",
  '51-["a",{"_placeholder":true,"num":0.5}]\x1ebx', '511-["a"]', '2["a",1e400]', '2["a","\\ud800"]', '2["__proto__",{"__proto__":1}]'];

// So many of the sound and of the changed; of each outcome only so many, so that none crowds out the others.
function record(file, first, draw, verdict, outcome, sound, changed) {
  const seen = new Set();
  const counts = new Map();
  const lines = first.map((text) => JSON.stringify(verdict(text)));
  for (const [wanted, change] of [[sound, (text) => text], [changed, mutate]]) {
    for (let tries = 0, start = lines.length; lines.length - start < wanted; tries++) {
      if (tries > 100 * wanted) throw new Error(`only ${lines.length - start} of ${wanted} for ${file}`);
      // What comes over a wire is UTF-8, which has no half of a surrogate pair.
      const text = change(draw().join("\x1e")).toWellFormed();
      if (seen.has(text) || text.length > 160) continue;
      seen.add(text);
      const line = verdict(text);
      const kind = outcome(line);
      const count = counts.get(kind) ?? 0;
      if (kind !== null && count >= changed / 4) continue;
      counts.set(kind, count + 1);
      lines.push(JSON.stringify(line));
    }
  }
  writeFileSync(join(__dirname, file), lines.join("\n") + "\n");
}

record("socketio_parser.jsonl", odd, socketio, decoded, ([, , error]) => error, 1300, 3300);
record("engineio_parser.jsonl", [], engineio, (text) => parted(pick(["decodePayload", "decodePayload", "decodePacket"]), text),
  ([, , packets]) => (packets.at(-1)[0] === "error" ? "error" : null), 700, 1700);
