// A session that ends while somebody writes: what they wrote stays theirs, and nobody else's.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { shutOut } from "./support/keeping.js";
import { Person, withCompany } from "./support/people.js";

// Tall enough that three of them do not fit the screen.
const TALL = [1, 2, 3].map((n) => `page ${n}\n`.padEnd(100, "·\n"));
const DRAFT = "half a sentence, and";

describe("a session that ends under the pen", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  let house;
  withCompany(async (stage) => {
    ({ browser, roomcast, ada, bo } = stage);
    const cem = await Person.open(browser, await ada.invite());
    await cem.join({ name: "Cem", login: "cem" });
    await cem.leave();
    for (const text of TALL) await ada.send(text);
    await ada.stands("page 3", "sent");
    await bo.row("page 3").waitFor();
    // A second tab of ada's, on the page for admins.
    house = await ada.context.newPage();
    await house.goto(`${roomcast.url}admin#/connections`);
  });

  const scrolled = () => bo.page.evaluate(() => Math.round(document.getElementById("scroller").scrollTop));

  async function scrollUp() {
    await bo.page.locator("#scroller").hover();
    await bo.page.mouse.wheel(0, -400);
    await bo.page.locator("#jump").waitFor();
    return scrolled();
  }

  async function revoke() {
    await house.reload();
    await house.locator("[data-socket]").filter({ hasText: "Bo" }).first().getByRole("button", { name: "End session" }).click();
    await house.locator("[data-socket]").filter({ hasText: "Bo" }).waitFor({ state: "detached" });
  }

  test("by an admin's hand: the bar stands where the composer stood, over a draft and a place that stay", async () => {
    await bo.box.fill(DRAFT);
    const place = await scrollUp();
    await revoke();
    await bo.bar.getByText("You were signed out by an admin. Your text is kept.").waitFor();
    assert.ok(Math.abs((await scrolled()) - place) <= 2, "what was on screen stays there");
    await bo.row("page 2").waitFor();
    await bo.signIn("bo");
    await bo.box.waitFor();
    assert.equal(await bo.box.inputValue(), DRAFT);
    assert.ok(Math.abs((await scrolled()) - place) <= 2);
    await bo.box.evaluate((box) => box === document.activeElement || Promise.reject(new Error("the composer has no focus")));
  });

  test("while messages wait: they go out once when the same person is back", async () => {
    await bo.context.route("**/socket.io/**", (route) => route.abort());
    await roomcast.kill();
    await roomcast.start();
    await bo.page.getByText(/^Connection lost/).waitFor();
    await bo.send("waited, one");
    await bo.send("waited, two");
    await bo.stands("waited, two", "waiting");
    await bo.box.fill(DRAFT);
    // The cookie is gone, as if it had expired.
    await bo.context.clearCookies();
    await bo.context.unroute("**/socket.io/**");
    await bo.page.getByRole("button", { name: "Try now" }).click();
    await bo.bar.getByText("You were signed out: the session expired. Your text is kept.").waitFor();
    await bo.stands("waited, two", "waiting");
    await bo.signIn("bo");
    await bo.stands("waited, two", "sent");
    assert.equal(await bo.box.inputValue(), DRAFT);
    for (const text of ["waited, one", "waited, two"]) {
      await ada.row(text).first().waitFor();
      assert.equal(await ada.row(text).count(), 1);
      assert.equal(await bo.row(text).count(), 1);
    }
  });

  test("when another signs in there, nothing of the first is sent or shown", async () => {
    await bo.context.route("**/socket.io/**", (route) => route.abort());
    await roomcast.kill();
    await roomcast.start();
    await bo.page.getByText(/^Connection lost/).waitFor();
    await bo.box.fill("for my eyes");
    await bo.send("bo alone wrote this");
    await bo.stands("bo alone wrote this", "waiting");
    await bo.box.fill("and this is my draft");
    await bo.context.clearCookies();
    await bo.context.unroute("**/socket.io/**");
    await bo.page.getByRole("button", { name: "Try now" }).click();
    await bo.bar.waitFor();
    const anew = bo.page.waitForEvent("load");
    await bo.signIn("cem");
    await anew;
    await bo.box.waitFor();
    assert.equal(await bo.box.inputValue(), "");
    assert.equal(await bo.page.getByText("bo alone wrote this").count(), 0);
    await bo.send("cem speaks");
    await bo.stands("cem speaks", "sent");
    await ada.row("cem speaks").waitFor();
    assert.equal(await ada.row("bo alone wrote this").count(), 0);
    // Its owner finds it again.
    await bo.signOut();
    await bo.signIn("bo");
    await bo.stands("bo alone wrote this", "sent");
    await ada.row("bo alone wrote this").waitFor();
    assert.equal(await bo.box.inputValue(), "and this is my draft");
  });

  test("after a sign-out, no way back shows what was said", async () => {
    await bo.page.evaluate(() => (location.hash = "#/"));
    await bo.signOut();
    await bo.bar.waitFor();
    await bo.page.goBack();
    await bo.bar.waitFor();
    assert.equal(await bo.page.getByText("cem speaks").count(), 0);
    assert.equal(await bo.page.evaluate(() => Object.keys(localStorage).filter((key) => !key.includes("theme")).length), 0);
    await bo.signIn("bo");
    await bo.box.waitFor();
  });

  test("who is banned gets the last page, and their browser asks once at most", async () => {
    const asked = bo.asks();
    await bo.page.clock.install();
    await shutOut(ada, "Bo", "Ban");
    await bo.page.getByRole("heading", { name: "This account is closed" }).waitFor();
    // A line that was only lost would have been tried several times by then.
    await bo.page.clock.runFor(60_000);
    assert.ok(asked.length <= 1, `asked for ${asked}`);
    // A tab that was asleep then learns it when it comes back.
    await bo.page.reload();
    await bo.page.getByRole("heading", { name: "This account is closed" }).waitFor();
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
