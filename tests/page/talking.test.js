// Two people in one room: what each sees of the other, and that it is there once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withCompany } from "./support/people.js";

describe("two people", () => {
  let roomcast;
  let ada;
  let bo;
  const said = [];
  withCompany((stage) => ({ roomcast, ada, bo } = stage));

  async function say(person, text) {
    await person.send(text);
    said.push(text);
    await person.stands(text, "sent");
  }

  test("see each message of the other once", async () => {
    await say(ada, "ahoy");
    await bo.sees(said);
    await say(bo, "ahoy yourself");
    await ada.sees(said);
    await say(ada, "all well?");
    await Promise.all([ada.sees(said), bo.sees(said)]);
  });

  test("the sender learns of its message by the answer alone", async () => {
    await Promise.all([ada.hasUpgraded(), bo.hasUpgraded()]);
    await say(ada, "no echo, please");
    await bo.hasFrame("received", (text) => text.startsWith('42["message"') && text.includes("no echo, please"));
    // Bo's answer is behind any echo in ada's line.
    await say(bo, "none heard");
    await ada.hasFrame("received", (text) => text.startsWith('42["message"') && text.includes("none heard"));
    assert.deepEqual(ada.events("message").filter((text) => text.includes("no echo, please")), []);
    assert.equal(bo.events("message").filter((text) => text.includes("no echo, please")).length, 1);
    await Promise.all([ada.sees(said), bo.sees(said)]);
  });

  test("see when the other types, and when the other stops", async () => {
    const typing = ada.page.locator("#typing");
    await bo.box.pressSequentially("hm");
    await typing.filter({ hasText: "Bo is typing" }).waitFor();
    await bo.box.fill("");
    await ada.page.waitForFunction(() => document.getElementById("typing").textContent === "");
    await say(bo, "never mind");
    await ada.sees(said);
    assert.equal(await typing.textContent(), "");
  });

  test("see who is here", async () => {
    const here = (count) => ada.page.getByRole("button", { name: `People, ${count} here now` }).waitFor();
    await here(2);
  });

  test("find everything again after a reload", async () => {
    await Promise.all([ada.page.reload(), bo.page.reload()]);
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await say(bo, "still here");
    await ada.sees(said);
  });

  test("a second tab of the same person shows the same, once", async () => {
    const tab = await ada.context.newPage();
    await tab.goto(roomcast.url);
    await tab.getByText("still here").waitFor();
    await say(ada, "from the first tab");
    await tab.getByText("from the first tab").waitFor();
    await bo.sees(said);
    assert.deepEqual(await tab.locator("#list .row .text").allTextContents(), said);
    await tab.close();
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
