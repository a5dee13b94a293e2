// What plain http means, told to admins once a week, in the strip. On this machine itself it means nothing.
// Left out: how to add TLS, which the README says.

import { storage } from "./storage.js";
import { words } from "./strings.later.js";

const EVERY_MS = 7 * 24 * 3_600_000;

export function warn(strip) {
  const isHere = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  const last = storage.get("insecure-said") ?? 0;
  if (isHere || Date.now() - last < EVERY_MS) return;
  strip.raise("insecure", {
    text: words.insecure,
    answer: words.understood,
    understood: () => {
      storage.put("insecure-said", Date.now());
      strip.lower("insecure");
    },
  });
}
