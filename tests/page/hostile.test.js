// Texts and names that want to be more than text, and a screen that is almost too small.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Person, withCompany } from "./support/people.js";

const TEXTS = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "<svg/onload=alert(1)>",
  "[click](javascript:alert(1)) javascript:alert(1)",
  'https://a.example/"onmouseover="alert(1)',
  "data:text/html,<script>alert(1)</script> vbscript:alert(1)",
  "a\u0000b __proto__ constructor",
  "{{7*7}} ${7*7} &lt;b&gt; ' OR 1=1 --",
  "\u202eright to left\u202c Z" + "\u0301".repeat(60),
  `https://${"a".repeat(3_000)}.example/`,
  "x".repeat(4_000),
];
const NAME = '"><img src=x onerror=alert(1)>';
const EDITED = 'edited by eve <img src=x onerror=alert(3)> javascript:alert(3) "><b>';
const ROOM = "<script>alert(2)</script>";
const PHONE = { width: 320, height: 640 };

describe("hostile texts", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  withCompany((stage) => ({ browser, roomcast, ada, bo } = stage));

  test("show as what was written, and run nothing", { timeout: 60_000 }, async () => {
    for (const text of TEXTS) await ada.send(text);
    await bo.sees(TEXTS);
    await ada.sees(TEXTS);
    const kinds = await bo.rows.locator(".text *").evaluateAll((nodes) => [...new Set(nodes.map((node) => node.localName))]);
    assert.deepEqual(kinds.filter((kind) => !["a", "span", "strong", "em", "code", "pre"].includes(kind)), []);
    const links = await bo.rows.locator("a").evaluateAll((nodes) => nodes.map((node) => [node.protocol, node.rel, node.target]));
    for (const [protocol, rel, target] of links) {
      assert.match(protocol, /^(https?|mailto):$/);
      assert.ok(rel.includes("noopener") && target === "_blank");
    }
  });

  test("as the names of people and rooms are names", async () => {
    const eve = await Person.open(browser, await ada.invite());
    await eve.join({ name: NAME, login: "eve" });
    await eve.makeRoom(ROOM, NAME);
    await eve.send("from a room with a strange name");
    await eve.stands("from a room", "sent");
    await eve.room(/^General/).click();
    await eve.isIn("General");
    await eve.send("from a person with a strange name");
    await bo.row("from a person with a strange name").waitFor();
    assert.equal(await bo.row("from a person with a strange name").locator(".name").textContent(), NAME);
    await bo.rooms.getByRole("button", { name: "All rooms" }).click();
    await bo.page.getByRole("button", { name: `Join ${ROOM}`, exact: true }).click();
    await bo.isIn(ROOM);
    await eve.leave();
  });

  test("in what is edited, deleted, typed and found as well", async () => {
    const eve = await Person.open(browser, roomcast.url);
    await eve.signIn("eve");
    await eve.room(/^General/).click();
    await eve.isIn("General");
    await bo.room(/^General/).click();
    await eve.send("to be changed");
    await eve.stands("to be changed", "sent");
    await eve.box.press("ArrowUp");
    await eve.page.getByText(/^Editing your message/).waitFor();
    await eve.box.fill(EDITED);
    await eve.box.press("Enter");
    await bo.row("edited by eve").waitFor();
    assert.equal(await bo.row("edited by eve").locator(".text").textContent(), EDITED);
    await eve.box.pressSequentially("x");
    await bo.page.locator("#typing").filter({ hasText: `${NAME} is typing` }).waitFor();
    await eve.box.fill("");

    await bo.page.getByRole("button", { name: "Search" }).click();
    const dialog = bo.page.getByRole("dialog", { name: "Search" });
    for (const words of ['"', "NEAR(", "AND OR NOT", "alert(1)", "<script>", "\u0000", "edited by eve"]) {
      await dialog.getByLabel("Words to look for").fill(words);
      await bo.hasFrame("sent", (text) => text.includes('["search",') && text.includes(JSON.stringify({ q: words.trim() }).slice(1, -1)));
    }
    const found = dialog.getByRole("link").filter({ hasText: "edited by eve" });
    await found.waitFor();
    assert.equal(await found.locator("p").textContent(), EDITED);
    assert.equal(await found.locator(".name bdi").first().textContent(), NAME);
    assert.deepEqual(await dialog.locator("li *").evaluateAll((nodes) => [...new Set(nodes.map((node) => node.localName))].filter((name) => ["script", "img", "b", "iframe"].includes(name))), []);
    await dialog.getByRole("button", { name: "Close" }).click();

    await eve.page.clock.install();
    await eve.row("edited by eve").hover();
    await eve.row("edited by eve").getByRole("toolbar").getByRole("button", { name: "Delete" }).click();
    await eve.page.clock.runFor(6_000);
    await eve.page.clock.resume();
    await bo.page.getByText(`${NAME} deleted a message`).waitFor();
    await eve.leave();
  });

  test("do not push a page of 320 pixels sideways", async () => {
    const phone = await Person.open(browser, roomcast.url, PHONE);
    const fits = async (where) => {
      const [wanted, there] = await phone.page.evaluate(() => {
        const { documentElement: page } = document;
        const scroller = document.getElementById("scroller");
        return [Math.max(page.scrollWidth, scroller.scrollWidth - scroller.clientWidth + page.clientWidth), page.clientWidth];
      });
      assert.ok(wanted <= there, `${where} is ${wanted} pixels wide`);
    };
    await fits("the door");
    await phone.signIn("ada");
    await phone.room(/^General/).waitFor();
    await fits("the list of rooms");
    await phone.room(/^General/).click();
    await phone.isIn("General");
    await phone.row("from a person with a strange name").waitFor();
    await fits("a room");
    await phone.page.getByRole("button", { name: "Search" }).click();
    await phone.page.getByLabel("Words to look for").fill("alert");
    await phone.page.getByRole("dialog", { name: "Search" }).getByRole("link").first().waitFor();
    await fits("what was found");
    await phone.page.getByRole("dialog", { name: "Search" }).getByRole("button", { name: "Close" }).click();
    await phone.row("from a person with a strange name").hover();
    await phone.page.getByRole("toolbar").waitFor();
    await fits("the words on a row");
    await phone.page.getByRole("button", { name: /^People/ }).click();
    await fits("the list of people");
    await phone.leave();
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
