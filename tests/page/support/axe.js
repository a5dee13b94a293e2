// What axe finds in a page as it stands.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe holds against the page as it stands, each as a line. */
async function faults(page) {
  // The policy lets no script of ours in; the protocol's own door does.
  const found = await page.evaluate(`(() => { ${AXE}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
  // On a phone the list of rooms is a view of its own: navigation and nothing else, with no room to be the heading of.
  const isOfTheList = ({ id }) => ["landmark-one-main", "page-has-heading-one"].includes(id);
  const isList = await page.evaluate(() => document.body.dataset.pane === "list");
  const violations = found.violations.filter((violation) => !(isList && isOfTheList(violation)));
  return violations.map(({ id, impact, nodes }) => `${impact}: ${id} at ${nodes.map((node) => node.target).join(", ")}`);
}

/** Axe must find nothing, in light and in dark. */
export async function isClean(page, what) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await faults(page), [], `${what}, ${colorScheme}`);
  }
}
