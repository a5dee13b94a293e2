// From nothing to talking: a new folder, the printed link, an invite, and two people who write to each other.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Person, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

describe("from nothing to talking", () => {
  let browser;
  let roomcast;
  let link;
  let ada;
  let bo;
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
  });
  after(async () => {
    await browser.close();
    await roomcast.remove();
  });

  test("the printed link makes an admin, whose invite brings another", async () => {
    link = await roomcast.setUpLink();
    ada = await Person.open(browser, link);
    await ada.setUp();
    await ada.isIn("General");
    assert.equal(ada.page.url(), `${roomcast.url}#/r/1`, "the code has left the address");
    // The empty room is the invite.
    const invite = await ada.page.locator("#stage").getByLabel("Invite link").inputValue();
    // One that is asked for while it is made is the same one.
    await ada.page.reload();
    await ada.page.waitForFunction(() => {
      const button = document.querySelector("[data-tool=invite]");
      if (!button || button.hidden) return false;
      button.click();
      button.click();
      return true;
    });
    const shown = ada.page.getByRole("dialog", { name: "Invite somebody" }).getByLabel("Invite link");
    const again = await shown.inputValue();
    await ada.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    assert.equal(await ada.page.locator("#stage").getByLabel("Invite link").inputValue(), again);
    bo = await Person.open(browser, invite);
    await bo.join({ name: "Bo", login: "bo" });
    await bo.isIn("General");
  });

  test("the set-up link works once, in the page and by hand", async () => {
    const late = await Person.open(browser, link);
    await late.bar.waitFor();
    assert.equal(await late.page.getByRole("form", { name: "Open the logbook" }).count(), 0);
    const code = link.split("/").at(-1);
    const answer = await late.page.evaluate(async (body) => {
      const response = await fetch("/setup", { method: "POST", headers: { "content-type": "application/json" }, body });
      return [response.status, await response.json()];
    }, JSON.stringify({ code, workspace: "Mine", name: "Eve", login: "eve", password: "harbour-2" }));
    assert.equal(answer[1].code, "gone");
    assert.ok(answer[0] >= 400);
    await late.leave();
  });

  test("each message shows in the other browser, once, and comes back to nobody", async (t) => {
    await Promise.all([ada.hasUpgraded(), bo.hasUpgraded()]);
    const took = [];
    for (const [from, to, text] of [
      [ada, bo, "Welcome aboard"],
      [bo, ada, "Thank you"],
      [ada, bo, "Coffee?"],
      [bo, ada, "Please"],
    ]) {
      // Both clocks are this machine's.
      const seen = to.page.evaluate(
        (words) =>
          new Promise((resolve) => {
            const look = () => [...document.querySelectorAll("#list .text")].some((node) => node.textContent === words);
            const observer = new MutationObserver(() => look() && resolve(Date.now()));
            observer.observe(document.getElementById("list"), { childList: true, subtree: true });
          }),
        text,
      );
      await from.box.fill(text);
      const began = Date.now();
      await from.box.press("Enter");
      took.push((await seen) - began);
    }
    t.diagnostic(`shown in the other browser after ${took.join(", ")} ms`);
    const said = ["Welcome aboard", "Thank you", "Coffee?", "Please"];
    await Promise.all([ada.sees(said), bo.sees(said)]);
    const heard = (person) => person.events("message").map((frame) => JSON.parse(frame.slice(2))[1].text);
    assert.deepEqual(heard(ada), ["Thank you", "Please"], "ada's own are not sent back to her");
    assert.deepEqual(heard(bo), ["Welcome aboard", "Coffee?"]);
  });

  test("that somebody types is seen, and then not", async () => {
    const typing = (text) => ada.page.waitForFunction((words) => document.getElementById("typing").textContent === words, text);
    // Somebody who has just begun twice is told of again a moment later.
    await bo.box.pressSequentially("On my way now", { delay: 350 });
    await typing("Bo is typing");
    await bo.box.fill("");
    await typing("");
    assert.deepEqual(bo.events("typing").filter((text) => text.includes('"by":2')), [], "nobody is told of their own typing");
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
