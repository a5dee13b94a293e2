// No mouse, no screen: every step by keyboard, what is spoken and what is not, and what axe finds in each state of the page.
// What cannot be done here: listening to a real screen reader; the texts that one would read are looked at instead.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { isClean } from "./support/axe.js";
import { PASSWORD, Person, withCompany } from "./support/people.js";

const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 800 };
/** A desktop at 400 % zoom (WCAG 1.4.10), or the narrowest phone. */
const NARROW = { width: 320, height: 640 };

/** Goes on by Tab until the focus is on what a screen reader would call that. */
async function tabTo(page, name) {
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press("Tab");
    if (name.test(await focused(page))) return;
  }
  assert.fail(`nothing by the name ${name} can be reached`);
}

function focused(page) {
  return page.evaluate(() => {
    const node = document.activeElement;
    const label = node.labels?.[0]?.textContent;
    return node.getAttribute("aria-label") ?? label ?? node.textContent.trim();
  });
}

/** What has been spoken in the quiet voice. */
const spoken = (page) => page.locator("#polite").textContent();

async function hears(page, words) {
  await page.waitForFunction((wanted) => document.getElementById("polite").textContent.includes(wanted), words);
}

describe("no mouse, no screen", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  withCompany((stage) => ({ browser, roomcast, ada, bo } = stage));

  test("a person signs in, finds a room, reads, writes, hears the answer and signs out, all by keyboard", async () => {
    await bo.makeRoom("Galley");
    for (let at = 1; at <= 12; at += 1) await bo.send(`line ${at}`);
    await bo.stands("line 12", "sent");
    const reader = await Person.open(browser, await ada.invite());
    await reader.join({ name: "Rea", login: "rea" });
    await reader.joinRoom("Galley");
    await reader.signOut();

    const { page } = reader;
    await reader.bar.waitFor();
    await tabTo(page, /^Login/);
    await page.keyboard.type("rea");
    await tabTo(page, /^Password/);
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await reader.box.waitFor();
    assert.match(await focused(page), /^Write to/, "after signing in, the text box has the focus");

    await page.keyboard.press("F6");
    await tabTo(page, /^Galley/);
    await page.keyboard.press("Enter");
    await reader.isIn("Galley");
    await reader.row("line 12").waitFor();

    while (!(await page.evaluate(() => document.querySelector("#log").contains(document.activeElement)))) {
      await page.keyboard.press("F6");
    }
    await page.keyboard.press("End");
    const read = [];
    for (let back = 0; back < 10; back += 1) {
      const name = await page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent);
      read.push(name);
      await page.keyboard.press("ArrowUp");
    }
    assert.equal(new Set(read).size, 10, `ten messages, one by one: ${read.join(" | ")}`);
    for (const name of read) assert.match(name, /Bo/, "each says whose it is, also in a group");

    await page.keyboard.press("Escape");
    await page.keyboard.type("is anybody there?");
    await page.keyboard.press("Enter");
    await hears(page, "Sent");
    const focus = await focused(page);
    await bo.send("I am");
    await hears(page, "Bo: I am");
    assert.equal(await focused(page), focus, "what comes takes no focus");
    assert.equal((await spoken(page)).match(/Bo: I am/g).length, 1, "and is said once");
    await reader.leave();
  });

  test("a burst is summed up, and old messages are not read out", async () => {
    const { page } = ada;
    await ada.joinRoom("Galley");
    await ada.row("I am").waitFor();
    assert.doesNotMatch(await spoken(page), /line \d/, "what was there before is not read out");
    // Somebody who has not said anything yet, and so may say five things at once.
    const cem = await Person.open(browser, await ada.invite());
    await cem.join({ name: "Cem", login: "cem" });
    await cem.joinRoom("Galley");
    await cem.sendAll([1, 2, 3, 4, 5].map((at) => `quick ${at}`));
    await ada.row("quick 5").waitFor();
    await page.waitForFunction(() => /\d new messages in Galley/.test(document.getElementById("polite").textContent));
    await cem.leave();
  });

  test("axe finds nothing in any state, wide and narrow, light and dark", async () => {
    for (const [size, viewport] of Object.entries({ WIDE, PHONE, NARROW })) {
      await ada.page.setViewportSize(viewport);
      await isClean(ada.page, `a room, ${size}`);
      await ada.page.goto(`${roomcast.url}#/`);
      await isClean(ada.page, `the rooms, ${size}`);
      await ada.page.setViewportSize(WIDE);
      await ada.room(/^Galley/).click();
      await ada.isIn("Galley");
    }
    for (const [name, close] of [
      ["All rooms", "Close"],
      ["New room", "Cancel"],
      ["Invite", "Close"],
    ]) {
      await ada.rooms.getByRole("button", { name }).click();
      const dialog = ada.page.getByRole("dialog");
      await dialog.waitFor();
      await isClean(ada.page, name);
      await dialog.getByRole("button", { name: close, exact: true }).first().click();
      assert.equal(await focused(ada.page).then((text) => text.includes(name)), true, `the focus is back on ${name}`);
    }
    const { page } = ada;
    await ada.send("found by its words");
    await ada.stands("found by", "sent");
    await page.getByRole("button", { name: "Search" }).click();
    const search = page.getByRole("dialog", { name: "Search" });
    await search.getByLabel("Words to look for").fill("found by");
    await search.getByRole("link").first().waitFor();
    await isClean(page, "search");
    await search.getByRole("link").first().click();
    await page.locator("li.found").getByRole("toolbar").waitFor();
    await isClean(page, "the words on a row");
    await page.locator("li.found").getByRole("button", { name: "Edit" }).click();
    await page.getByText(/^Editing your message/).waitFor();
    await isClean(page, "editing");
    await page.keyboard.press("Escape");
    const stranger = await Person.open(browser, roomcast.url);
    await stranger.bar.waitFor();
    await isClean(stranger.page, "signed out");
    await stranger.leave();
  });

  test("nothing is cut off or scrolls sideways at 320 px, and forced colours keep the focus visible", async () => {
    const { page } = ada;
    await page.setViewportSize(NARROW);
    for (const place of ["#/", `#/r/1`]) {
      await page.goto(`${roomcast.url}${place}`);
      await page.waitForFunction(() => document.body.dataset.view === "chat");
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, place);
    }
    await page.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
    await ada.box.focus();
    await page.keyboard.press("Tab");
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(ring, "none", "a ring shows where the focus is");
    await page.emulateMedia({ forcedColors: "none" });
    await page.setViewportSize(WIDE);
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
