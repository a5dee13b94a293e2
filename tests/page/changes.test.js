// Messages that are edited and deleted: by their authors, by a moderator, in view of others and behind their backs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withCompany } from "./support/people.js";

describe("a message", () => {
  let roomcast;
  let ada;
  let bo;
  withCompany((stage) => ({ roomcast, ada, bo } = stage));

  /** The words on a row, after the pointer has come to it. */
  async function deed(person, text, name) {
    const row = person.row(text).first();
    await row.hover();
    const button = row.getByRole("toolbar").getByRole("button", { name });
    await button.click();
  }

  const gone = (person) => person.page.locator("#list .gone").allTextContents();

  test("is edited where it was written, and the others see it in its place", async () => {
    await ada.send("the ship sails at nine");
    await ada.send("and not before");
    await bo.sees(["the ship sails at nine", "and not before"]);
    await ada.box.fill("half a thought");
    await deed(ada, "the ship sails", "Edit");
    await ada.page.getByText(/^Editing your message of/).waitFor();
    assert.equal(await ada.box.inputValue(), "the ship sails at nine");
    await ada.box.fill("the ship sails at ten");
    await ada.page.getByRole("button", { name: "Save" }).click();
    await Promise.all([ada, bo].map((one) => one.sees(["the ship sails at ten", "and not before"])));
    await bo.row("sails at ten").getByText("edited").waitFor();
    assert.equal(await ada.box.inputValue(), "half a thought", "the draft is as it was");
    await ada.box.fill("");
  });

  test("is edited by the arrow in an empty box, and Escape leaves it as it was", async () => {
    await ada.box.press("ArrowUp");
    await ada.page.getByText(/^Editing your message of/).waitFor();
    assert.equal(await ada.box.inputValue(), "and not before");
    await ada.box.press("x");
    await ada.box.press("Escape");
    assert.equal(await ada.box.inputValue(), "");
    assert.equal(await ada.page.getByText(/^Editing your message of/).count(), 0);
    await ada.box.press("ArrowUp");
    await ada.page.getByText(/^Editing your message of/).waitFor();
    await ada.box.fill("and not a minute before");
    await ada.box.press("Enter");
    await bo.sees(["the ship sails at ten", "and not a minute before"]);
    await ada.sees(["the ship sails at ten", "and not a minute before"]);
  });

  test("that is being edited when the page is left, or the room, is gone on with", async () => {
    const editing = ada.page.getByText(/^Editing your message of/);
    await ada.makeRoom("Galley");
    await ada.room(/^General/).click();
    await ada.isIn("General");
    await ada.box.fill("a draft of General");
    await deed(ada, "sails at ten", "Edit");
    await editing.waitFor();
    await ada.box.fill("the ship sails at eleven");
    await ada.page.reload();
    await editing.waitFor();
    assert.equal(await ada.box.inputValue(), "the ship sails at eleven");
    await ada.room(/^Galley/).click();
    await ada.isIn("Galley");
    assert.equal(await ada.box.inputValue(), "", "another room is written in as ever");
    assert.equal(await editing.count(), 0);
    await ada.room(/^General.*draft/).click();
    await editing.waitFor();
    assert.equal(await ada.box.inputValue(), "the ship sails at eleven");
    await ada.page.getByRole("button", { name: "Save" }).click();
    await bo.row("sails at eleven").getByText("edited").waitFor();
    await editing.waitFor({ state: "detached" });
    assert.equal(await ada.box.inputValue(), "a draft of General", "the draft is as it was");
    // What was saved, and what was given up, does not come back.
    await deed(ada, "sails at eleven", "Edit");
    await ada.box.fill("the ship sails at ten");
    await ada.page.getByRole("button", { name: "Save" }).click();
    await bo.row("sails at ten").waitFor();
    await deed(ada, "sails at ten", "Edit");
    await ada.box.fill("never mind");
    await ada.page.getByRole("button", { name: "Cancel" }).click();
    await ada.page.reload();
    await ada.row("sails at ten").waitFor();
    assert.equal(await ada.box.inputValue(), "a draft of General");
    assert.equal(await editing.count(), 0);
    assert.deepEqual(await ada.page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes(".edit."))), []);
    await ada.box.fill("");
  });

  test("is its author's to edit, and a moderator's to delete", async () => {
    await bo.send("something rude");
    await ada.row("something rude").hover();
    const bar = ada.row("something rude").getByRole("toolbar");
    await bar.getByRole("button", { name: "Delete" }).waitFor();
    assert.equal(await bar.getByRole("button", { name: "Edit" }).count(), 0);
    await bo.row("sails at ten").hover();
    const his = bo.row("sails at ten").getByRole("toolbar");
    await his.getByRole("button", { name: "Copy link" }).waitFor();
    assert.deepEqual(await his.getByRole("button").allTextContents(), ["Copy link"]);
  });

  test("that is deleted can be had back for five seconds, and nobody else has noticed", async () => {
    await bo.hasUpgraded();
    const changes = bo.events("change").length;
    await deed(ada, "something rude", "Delete");
    await ada.page.getByRole("button", { name: "Undo" }).click();
    await ada.row("something rude").waitFor();
    assert.equal(bo.events("change").length, changes);
    await bo.row("something rude").waitFor();
  });

  test("that is deleted leaves a word in its place", async () => {
    await ada.page.clock.install();
    await deed(ada, "something rude", "Delete");
    await ada.page.getByRole("button", { name: "Undo" }).waitFor();
    assert.equal(await bo.row("something rude").count(), 1, "not yet");
    await ada.page.clock.runFor(6_000);
    await ada.page.clock.resume();
    await bo.page.getByText("Ada deleted a message of Bo").waitFor();
    await ada.page.getByText("Ada deleted a message of Bo").waitFor();
    assert.equal(await bo.row("something rude").count(), 0);
  });

  test("in a row of three deleted ones is one of a number", async () => {
    await bo.page.clock.install();
    for (const text of ["one", "two", "three"]) {
      await bo.send(text);
      await bo.stands(text, "sent");
    }
    await ada.row("three").waitFor();
    for (const text of ["one", "two", "three"]) await deed(bo, text, "Delete");
    await bo.page.clock.runFor(6_000);
    await ada.page.getByText("4 messages were deleted").waitFor();
    assert.deepEqual(await gone(ada), ["4 messages were deleted"]);
    assert.deepEqual(await ada.said(), ["the ship sails at ten", "and not a minute before"]);
  });

  test("changes behind the back of who is away, who finds its last form on return", async () => {
    await bo.page.clock.resume();
    const line = /\/socket\.io\/\?/;
    await bo.context.route(line, (route) => route.abort());
    await bo.page.evaluate(() => 0);
    await bo.page.reload();
    await ada.box.press("ArrowUp");
    await ada.box.fill("and not a second before");
    await ada.box.press("Enter");
    await ada.row("not a second").waitFor();
    await bo.context.unroute(line);
    await bo.sees(["the ship sails at ten", "and not a second before"]);
  });

  test("has a link that leads to it", async () => {
    await ada.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: new URL(roomcast.url).origin });
    await deed(ada, "sails at ten", "Copy link");
    const copied = await ada.page.evaluate(() => navigator.clipboard.readText());
    assert.match(copied, /^http:\/\/127\.0\.0\.1:\d+\/#\/r\/\d+\/1$/);
    await bo.page.goto("about:blank");
    await bo.page.goto(copied);
    await bo.page.locator("li.found:focus").filter({ hasText: "sails at ten" }).waitFor();
    await bo.page.keyboard.press("Escape");
    await bo.page.locator("li.found").waitFor({ state: "detached" });
    assert.match(bo.page.url(), /#\/r\/\d+$/);
  });

  test("is reached, and its words with it, by keys alone", async () => {
    await ada.page.keyboard.press("Escape");
    await ada.page.keyboard.press("F6");
    await ada.page.keyboard.press("Shift+F6");
    await ada.page.keyboard.press("Shift+F6");
    await ada.page.locator("#list li:focus").waitFor();
    await ada.page.keyboard.press("Home");
    await ada.row("sails at ten").getByRole("toolbar").waitFor();
    await ada.page.keyboard.press("Tab");
    assert.equal(await ada.page.locator(":focus").textContent(), "Copy link");
  });

  test("is found by a slash, a word, an arrow and Enter", async () => {
    await ada.row("sails at ten").focus();
    await ada.page.keyboard.press("/");
    const dialog = ada.page.getByRole("dialog", { name: "Search" });
    await dialog.waitFor();
    await ada.page.keyboard.type("second before");
    await dialog.getByRole("link").first().waitFor();
    await ada.page.keyboard.press("ArrowDown");
    await ada.page.keyboard.press("Enter");
    await ada.page.locator("li.found:focus").filter({ hasText: "not a second before" }).waitFor();
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
