// What people wrote, as nodes: code, fences, bold, italic, links and names, and nothing else.
// No element or attribute is ever named by the text, but for a link's checked address.
// Left out: headings, lists, HTML, and link texts that differ from the target.

import { el } from "./dom.js";

const LINK = /(?:https?:\/\/|mailto:)[^\s<>"'`\u0000-\u001f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/iy;
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// A flag of two letters, a key with a digit, or a picture with its colour, its tags and what is joined to it.
const PICTURE = String.raw`\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0020}-\u{e007f}]*`;
const EMOJI = new RegExp(
  String.raw`^(?:(?:\p{RI}{2}|[\d#*]\ufe0f?\u20e3|${PICTURE}(?:\u200d${PICTURE})*)\s?){1,6}$`,
  "u",
);

const WORD = /[\p{L}\p{N}]/u;

/** The nodes of a message. `names` knows who and what an `@` and a `#` name. */
export function render(text, names, me) {
  const look = { names, me };
  const nodes = [];
  const parts = text.split("```");
  // An odd fence at the end opens nothing: it stays the three signs it is.
  if (parts.length % 2 === 0) parts.splice(-2, 2, parts.at(-2) + "```" + parts.at(-1));
  parts.forEach((part, i) => {
    if (i % 2 === 1)
      nodes.push(el("pre", null, el("code", null, part.replace(/^[\w+-]{0,20}\n/, "").replace(/\n$/, ""))));
    else nodes.push(...inline(parts.length > 1 ? part.replace(/^\n|\n$/g, "") : part, look));
  });
  return nodes;
}

/** Whether a message is nothing but a few emoji, which are then shown large. */
export const onlyEmoji = (text) => text.length <= 80 && EMOJI.test(text);

/** A name that cannot turn the text around it, nor climb over its line. */
export function cleanName(name) {
  return String(name ?? "")
    .replace(BIDI, "")
    .replace(/(\p{M}{4})\p{M}+/gu, "$1");
}

/** One pass from left to right. A mark whose partner is missing once is not looked for again. */
function inline(text, look) {
  const nodes = [];
  const missing = new Set();
  let plain = 0;
  let i = 0;
  const flush = (end) => {
    if (end > plain) nodes.push(text.slice(plain, end));
  };
  while (i < text.length) {
    const found = code(text, i, missing) ?? strong(text, i, missing, look) ?? link(text, i) ?? named(text, i, look);
    if (!found) {
      i += 1;
      continue;
    }
    flush(i);
    nodes.push(...found.nodes);
    i = found.end;
    plain = i;
  }
  flush(text.length);
  return nodes;
}

function code(text, start, missing) {
  if (text[start] !== "`" || missing.has("`")) return null;
  const end = text.indexOf("`", start + 1);
  if (end < 0) missing.add("`");
  if (end <= start + 1) return null;
  return { nodes: [el("code", null, text.slice(start + 1, end))], end: end + 1 };
}

function strong(text, start, missing, look) {
  const sign = text[start];
  if (sign !== "*" && sign !== "_") return null;
  const mark = text[start + 1] === "*" && sign === "*" ? "**" : sign;
  const first = start + mark.length;
  // A star between spaces or inside a word is a star, and so with a line: "2 * 3 * 4", "a*b*c", "snake_case_name".
  if (missing.has(mark) || /\s|^$/.test(text[first] ?? "") || text[first] === sign) return null;
  if (isWord(text[start - 1], sign)) return null;
  const end = text.indexOf(mark, first);
  if (end < 0) missing.add(mark);
  if (end < 0 || /\s/.test(text[end - 1]) || text.slice(first, end).includes("\n")) return null;
  if (isWord(text[end + mark.length], sign)) return null;
  const inside = text.slice(first, end);
  return { nodes: [el(mark === "**" ? "strong" : "em", null, ...inline(inside, look))], end: end + mark.length };
}

/** A person or a room by name, and the way there. Of several people of one name, to me or to the first. */
function named(text, start, { names, me }) {
  const found = names?.at(text, start);
  if (!found) return null;
  const mine = found.people?.includes(me.id);
  const href = found.room ? `#/r/${found.room}` : `#/dm/${mine ? me.id : found.people[0]}`;
  const shown = text.slice(start, found.end);
  return { nodes: [el("a", { href, class: mine ? "call to-me" : "call" }, shown)], end: found.end };
}

/** Whether what stands beside a sign makes it a part of a word, or of a longer row of signs. */
const isWord = (beside, sign) => beside === sign || WORD.test(beside ?? "");

function link(text, start) {
  const head = text[start];
  if (!/[hm]/i.test(head) || WORD.test(text[start - 1] ?? "")) return null;
  LINK.lastIndex = start;
  const match = LINK.exec(text);
  if (!match) return null;
  const shown = trimmed(match[0]);
  let url;
  try {
    url = new URL(shown);
  } catch {
    return null;
  }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return null;
  const anchor = el(
    "a",
    { href: url.href, rel: "noopener noreferrer nofollow ugc", target: "_blank" },
    shown,
  );
  const nodes = [anchor];
  // "https://bank.example@evil.example" and letters of another script: say where it really goes.
  if (url.host && (url.username || !shown.toLowerCase().includes(`//${url.host}`))) {
    nodes.push(el("span", { class: "target" }, ` (${url.host})`));
  }
  return { nodes, end: start + shown.length };
}

/** An address without the sentence's own full stop or the bracket it stands in. */
function trimmed(address) {
  let end = address.length;
  let open = 0;
  for (const sign of address) open += sign === "(" ? 1 : sign === ")" ? -1 : 0;
  while (end > 0) {
    const last = address[end - 1];
    if (/[.,;:!?*\]}]/.test(last)) end -= 1;
    else if (last === ")" && open < 0) {
      end -= 1;
      open += 1;
    } else break;
  }
  return address.slice(0, end);
}
