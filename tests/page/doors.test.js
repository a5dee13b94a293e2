// Coming in and going out: the first run, invites, passwords, and what a page may load.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { PASSWORD, Person, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

describe("a new place", () => {
  let browser;
  let roomcast;
  let link;
  let ada;
  let invite;
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
    link = await roomcast.setUpLink();
  });
  after(async () => {
    await browser.close();
    await roomcast.remove();
  });

  test("without the code there is only a door that asks for it", async () => {
    const stranger = await Person.open(browser, roomcast.url);
    await stranger.page.getByLabel("Set-up code").waitFor();
    await stranger.leave();
  });

  test("a wrong code is refused", async () => {
    const stranger = await Person.open(browser, `${roomcast.url}#/setup/AAAA-AAAA`);
    const answer = await post(stranger, "/setup", { code: "AAAA-AAAA", workspace: "Mine", name: "Eve", login: "eve", password: PASSWORD });
    assert.equal(answer.ok, false);
    await stranger.leave();
  });

  test("the printed link makes the first account", async () => {
    ada = await Person.open(browser, link);
    await ada.setUp();
    await ada.rooms.getByText("Pier Nine").waitFor();
    assert.equal(new URL(ada.page.url()).hash.includes("setup"), false, "the code must not stay in the history");
  });

  test("the link works once", async () => {
    const late = await Person.open(browser, link);
    await late.bar.waitFor();
    const answer = await post(late, "/setup", { code: link.split("/").pop(), workspace: "Mine", name: "Eve", login: "eve", password: PASSWORD });
    assert.deepEqual([answer.ok, answer.code], [false, "gone"]);
    await late.leave();
  });

  test("a second account comes by invite", async () => {
    invite = await ada.invite();
    assert.match(invite, new RegExp(`^${roomcast.url}join/`));
    const bo = await Person.open(browser, invite);
    await bo.join({ name: "Bo", login: "bo" });
    assert.equal(new URL(bo.page.url()).pathname, "/");
    await bo.leave();
  });

  test("a login belongs to one person, however it is written", async () => {
    const other = await Person.open(browser, invite);
    const form = other.page.getByRole("form", { name: /^Come aboard/ });
    await form.getByLabel("Your name").fill("Another Bo");
    await form.getByLabel("Login").fill("BO");
    await form.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await form.getByRole("button", { name: "Join" }).click();
    await form.getByText(/That login is taken/).waitFor();
    await other.leave();
  });

  test("a code that nobody gave lets nobody in", async () => {
    const stranger = await Person.open(browser, `${roomcast.url}join/AAAA-AAAA`);
    const answer = await post(stranger, "/join", { code: "AAAA-AAAA", name: "Eve", login: "eve", password: PASSWORD });
    assert.deepEqual([answer.ok, answer.code], [false, "gone"]);
    await stranger.leave();
  });

  test("a wrong password and an unknown login are told the same", async () => {
    const bo = await Person.open(browser, roomcast.url);
    for (const login of ["bo", "nobody"]) {
      await bo.signIn(login, "not-this-one");
      await bo.bar.getByText("Login or password is not right.").waitFor();
    }
    await bo.signIn("bo");
    await bo.box.waitFor();
    await bo.leave();
  });

  test("who signs out finds the bar, and leaves nothing behind", async () => {
    const bo = await Person.open(browser, roomcast.url);
    await bo.signIn("bo");
    await bo.box.waitFor();
    await bo.send("before I go");
    await bo.stands("before I go", "sent");
    // One more step in the history, to go back to.
    await bo.page.evaluate(() => (location.hash = "#/"));
    await bo.signOut();
    await bo.bar.waitFor();
    await bo.box.waitFor({ state: "hidden" });
    assert.equal(await bo.row("before I go").count(), 0);
    assert.equal(await bo.page.evaluate(() => Object.keys(localStorage).length), 0);
    await bo.page.goBack();
    await bo.bar.waitFor();
    assert.equal(await bo.row("before I go").count(), 0);
    await bo.leave();
  });

  test("signing out ends the session on the server, too", async () => {
    const bo = await Person.open(browser, roomcast.url);
    await bo.signIn("bo");
    await bo.box.waitFor();
    const cookies = await bo.context.cookies();
    assert.ok(cookies.length > 0 && cookies.every(({ httpOnly, sameSite }) => httpOnly && sameSite === "Lax"));
    await bo.signOut();
    await bo.bar.waitFor();
    await bo.context.addCookies(cookies);
    await bo.page.reload();
    await bo.bar.waitFor();
    await bo.leave();
  });

  test("the page may load nothing from elsewhere and run nothing inline", async () => {
    const response = await fetch(roomcast.url);
    const policy = response.headers.get("content-security-policy");
    for (const rule of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
      assert.ok(policy?.includes(rule), `${rule} is missing in ${policy}`);
    }
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    await ada.leave();
  });
});

/** Sends what the page itself would not. */
function post(person, path, body) {
  return person.page.evaluate(
    async ([path, body]) => {
      const response = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      return { ok: response.ok, ...(await response.json()) };
    },
    [path, body],
  );
}
