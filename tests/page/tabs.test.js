// Two tabs and a phone of one person: what is read or said in one is so in all, and she is here until the last has gone.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { PASSWORD, Person, withCompany } from "./support/people.js";

const GRACE_MS = 10_000;

describe("two tabs and a phone of one person", () => {
  let browser;
  let roomcast;
  let ada;
  let tab;
  let phone;
  let bo;
  withCompany(async (stage) => {
    ({ browser, roomcast, ada, bo } = stage);
    await ada.makeRoom("Galley");
    tab = await ada.tab(roomcast.url);
    await tab.isIn("Galley");
    phone = await Person.open(browser, roomcast.url, { width: 390, height: 844 });
    await phone.signIn("ada");
    await phone.room(/^General/).waitFor();
    await Promise.all([ada, tab, phone, bo].map((person) => person.hasUpgraded()));
  });

  const all = () => [ada, tab, phone];

  test("what is read in one is read in all", async (t) => {
    for (const text of ["one", "two", "@ada three"]) await bo.send(text);
    await Promise.all(all().map((person) => person.room(/^General.*3 unread messages, you are mentioned/).waitFor()));
    await ada.page.waitForFunction(() => document.title === "(3) Galley – Pier Nine");
    const title = await ada.page.locator("link[rel=icon]").getAttribute("href");
    assert.match(title, /^data:/, "with a dot");
    await tab.room(/^General/).click();
    await tab.sees(["one", "two", "@ada three"]);
    await tab.hasFrame("sent", (text) => text.includes('"read"'));
    const began = Date.now();
    await Promise.all(all().map((person) => person.room(/^General$/).waitFor()));
    t.diagnostic(`cleared everywhere ${Date.now() - began} ms after it was read`);
    await ada.page.waitForFunction(() => document.title === "Galley – Pier Nine");
    const read = JSON.parse(phone.events("read").at(-1).slice(2))[1];
    assert.deepEqual(read, { room: 1, seq: 3, mentions: 0 });
  });

  test("what is said in one is in the others once, and not unread", async () => {
    await tab.send("said on the desk");
    for (const person of [ada, phone]) {
      await person.room(/^General$/).click();
      await person.sees(["one", "two", "@ada three", "said on the desk"]);
    }
    await phone.send("said on the way");
    const said = ["one", "two", "@ada three", "said on the desk", "said on the way"];
    await Promise.all([...all(), bo].map((person) => person.sees(said)));
    const heard = (person, text) => person.events("message").filter((frame) => frame.includes(text)).length;
    assert.deepEqual([heard(tab, "desk"), heard(ada, "desk"), heard(phone, "desk"), heard(bo, "desk")], [0, 1, 1, 1]);
  });

  test("what is left of one stays in the others: a draft is this browser's, and a level is everybody's", async () => {
    await ada.page.getByLabel("More about this room").click();
    await ada.page.locator("#more").getByLabel("Nothing", { exact: true }).check();
    await ada.page.getByLabel("More about this room").click();
    await Promise.all(all().map((person) => person.page.locator("#rooms a.quiet").filter({ hasText: "General" }).waitFor({ state: "attached" })));
  });

  test("a new password on the phone ends both tabs with the right words, and their drafts stay", async () => {
    await ada.box.fill("half a thought");
    await phone.page.getByRole("link", { name: /^Rooms/ }).click();
    await phone.rooms.locator("summary").click();
    await phone.page.getByRole("button", { name: "Settings" }).click();
    const dialog = phone.page.getByRole("dialog", { name: "Settings" });
    await dialog.getByLabel("Password until now", { exact: true }).fill(PASSWORD);
    await dialog.getByLabel("New password", { exact: true }).fill("harbour-3");
    await dialog.getByRole("button", { name: "Change password" }).click();
    for (const person of [ada, tab]) {
      await person.page.getByText("the password was changed on another device").waitFor();
      assert.deepEqual(person.events("session:ended").map((frame) => JSON.parse(frame.slice(2))[1]), [{ why: "password" }]);
      await person.row("said on the way").waitFor();
      await person.signIn("ada", "harbour-3");
      await person.isIn("General");
      await person.box.waitFor();
    }
    assert.equal(await ada.box.inputValue(), "half a thought");
    await ada.box.fill("");
    await dialog.getByRole("button", { name: "Close" }).click();
    await phone.page.goto(`${roomcast.url}#/r/1`);
    await phone.send("still signed in here");
    await Promise.all([ada, tab].map((person) => person.row("still signed in here").waitFor()));
  });

  test("she is here until the last of them has been gone for ten seconds", async () => {
    const off = () => bo.events("presence").filter((frame) => JSON.parse(frame.slice(2))[1].off.includes(1));
    await phone.leave();
    await tab.page.close();
    const began = Date.now();
    await ada.leave();
    await bo.hasFrame("received", (text) => text.startsWith('42["presence"') && JSON.parse(text.slice(2))[1].off.includes(1));
    assert.ok(Date.now() - began >= GRACE_MS, "and not sooner");
    assert.equal(off().length, 1);
    await bo.page.getByRole("button", { name: "People, 1 here now" }).waitFor();
    const back = await Person.open(browser, roomcast.url);
    await back.signIn("ada", "harbour-3");
    await bo.page.getByRole("button", { name: "People, 2 here now" }).waitFor();
    await back.leave();
  });

  test("nothing went wrong in bo's browser", async () => {
    await bo.leave();
  });
});
