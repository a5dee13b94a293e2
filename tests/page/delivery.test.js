// From the box to the disk and to the others, over a line that fails in every way: once, in order, and never in silence.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Line } from "./support/line.js";
import { Person, company, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

const IS_ANSWER_TO_SEND = (text) => /^43\d+\[\{/.test(text) && text.includes('"dup"');

describe("a message on a bad line", () => {
  let browser;
  let roomcast;
  let line;
  let ada;
  let bo;
  const said = [];
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
    line = await Line.to(roomcast.url);
    const friends = await company(browser, roomcast);
    await friends.ada.leave();
    bo = friends.bo;
    ada = await Person.open(browser, line.url);
    await ada.signIn("ada");
    await ada.box.waitFor();
    await ada.hasUpgraded();
  });
  after(async () => {
    await browser.close();
    line.close();
    await roomcast.remove();
  });

  /** What is in the database, in its order, as one sees it who asks for it anew. */
  async function isStored() {
    await bo.page.reload();
    await bo.sees(said);
  }

  async function waits(texts) {
    for (const text of texts) {
      await ada.send(text);
      await ada.stands(text, "waiting");
      assert.equal(await ada.box.isEditable(), true);
      assert.equal(await ada.box.inputValue(), "");
    }
  }

  /** Ada's page loads again, and from now on each of its frames is seen. */
  async function anew() {
    ada.frames.length = 0;
    await ada.page.reload();
    await ada.sees(said);
    await ada.hasUpgraded();
  }

  const sends = () => ada.frames.filter(([way, text]) => way === "sent" && /^42\d+\["send"/.test(text)).length;

  test("cut right after Enter waits with those behind it, outlives a reload, and arrives once", async () => {
    await ada.box.fill("cut off");
    await ada.box.press("Enter");
    line.cut();
    await ada.row("cut off").waitFor();
    await waits(["still cut 1", "still cut 2", "still cut 3"]);
    await ada.page.reload();
    const all = ["cut off", "still cut 1", "still cut 2", "still cut 3"];
    for (const text of all.slice(1)) await ada.stands(text, "waiting");
    line.mend();
    said.push(...all);
    for (const text of all) await ada.stands(text, "sent");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await isStored();
  });

  test("whose answer is lost is sent again under its own id, and is there once", async () => {
    await anew();
    line.lose(IS_ANSWER_TO_SEND);
    await ada.send("the answer is lost");
    said.push("the answer is lost");
    await bo.sees(said);
    await waits(["one behind it", "two behind it", "three behind it"]).catch(() => {});
    assert.equal(sends(), 1, "one is on its way, and the others of its room wait");
    line.cut();
    await ada.page.reload();
    for (const text of ["the answer is lost", "one behind it", "two behind it", "three behind it"]) {
      await ada.stands(text, "waiting");
    }
    ada.frames.length = 0;
    line.lose();
    line.mend();
    said.push("one behind it", "two behind it", "three behind it");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await ada.stands("three behind it", "sent");
    await isStored();
    assert.equal(line.lost.length, 1);
  });

  test("that nobody answers three times has failed, says so, and is sent once more by hand", async () => {
    const hasty = await Person.open(browser, "about:blank");
    // The eight seconds that an answer is waited for are half a second in this browser.
    await hasty.page.addInitScript(() => {
      const later = setTimeout;
      globalThis.setTimeout = (wish, ms, ...rest) => later(wish, ms === 8_000 ? 500 : ms, ...rest);
    });
    await hasty.page.goto(line.url);
    await hasty.signIn("ada");
    await hasty.sees(said);
    await hasty.hasUpgraded();
    const lost = line.lost.length;
    line.lose(IS_ANSWER_TO_SEND);
    await hasty.send("into the fog");
    said.push("into the fog");
    await hasty.stands("into the fog", "failed");
    assert.equal(line.lost.length - lost, 3);
    line.lose();
    await hasty.row("into the fog").getByRole("button", { name: "Retry" }).click();
    await hasty.stands("into the fog", "sent");
    await hasty.hasFrame("received", (text) => text.includes('"dup":true'));
    await Promise.all([hasty.sees(said), bo.sees(said)]);
    await hasty.leave();
    await isStored();
  });

  test("a day old is not sent behind its author's back", async () => {
    line.cut();
    await waits(["yesterday's news"]);
    await ada.page.evaluate(() => {
      const key = Object.keys(localStorage).find((one) => one.startsWith("roomcast.out."));
      const entry = JSON.parse(localStorage.getItem(key));
      localStorage.setItem(key, JSON.stringify({ ...entry, at: entry.at - 25 * 3_600_000 }));
    });
    await ada.page.reload();
    line.mend();
    await ada.stands("yesterday's news", "failed");
    await ada.row("yesterday's news").getByText("Not sent for a day. Send it now?").waitFor();
    await ada.row("yesterday's news").getByRole("button", { name: "Delete" }).click();
    await ada.sees(said);
  });

  test("of two tabs that both have it is there once, and what one takes back the other does not send", async () => {
    line.cut();
    await waits(["from both tabs", "from none"]);
    const tab = await ada.context.newPage();
    await tab.goto(line.url);
    await tab.locator('li[data-state="waiting"]').filter({ hasText: "from none" }).waitFor();
    // Taken back here, where it would be failed or waiting; its place in the browser's storage is gone.
    await ada.page.evaluate(() => {
      for (const key of Object.keys(localStorage)) {
        if (localStorage.getItem(key).includes("from none")) localStorage.removeItem(key);
      }
    });
    line.mend();
    said.push("from both tabs");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await tab.locator('li[data-state="sent"]').filter({ hasText: "from both tabs" }).waitFor();
    await tab.close();
    await isStored();
  });

  test("is never sent by the next person at the same computer", async () => {
    line.cut();
    await waits(["only in ada's name"]);
    // Her session ends without a word from her, and somebody else sits down.
    await ada.context.clearCookies();
    line.mend();
    await ada.page.reload();
    await ada.signIn("bo");
    await ada.box.waitFor();
    await ada.send("bo at ada's desk");
    said.push("bo at ada's desk");
    await ada.stands("bo at ada's desk", "sent");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await ada.context.clearCookies();
    await ada.page.reload();
    await ada.signIn("ada");
    said.push("only in ada's name");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await isStored();
  });

  test("that comes too fast waits its turn and goes by itself", async () => {
    const hurry = Array.from({ length: 12 }, (_, i) => `hurry ${i}`);
    await ada.sendAll(hurry);
    await ada.page.getByText(/^Slow down a little\. Sends in/).first().waitFor();
    await ada.page.getByText("Waits its turn").first().waitFor();
    assert.equal(await ada.page.getByText("Waits for connection").count(), 0);
    said.push(...hurry);
    await bo.sees(said);
    for (const text of hurry) await ada.stands(text, "sent");
    await ada.sees(said);
    await isStored();
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
