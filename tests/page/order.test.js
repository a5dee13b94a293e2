// Keeping order: who may speak, who may stay, and the page for admins.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { isClean } from "./support/axe.js";
import { about, byHand, order, promote, shutOut } from "./support/keeping.js";
import { PASSWORD, Person, withCompany } from "./support/people.js";

const PHONE = { width: 320, height: 640 };
const STRANGE = '"><img src=x onerror=alert(1)>';
const SECTIONS = ["Now", "People", "Rooms", "Invites", "Settings", "Audit log", "Connections"];

describe("order", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  let cem;
  withCompany(async (stage) => {
    ({ browser, roomcast, ada, bo } = stage);
    cem = await Person.open(browser, await ada.invite());
    await cem.join({ name: "Cem", login: "cem" });
  });

  test("is not a member's business", async () => {
    await bo.page.getByRole("button", { name: /^People/ }).click();
    const drawer = bo.page.getByRole("complementary", { name: "People" });
    await drawer.getByText("Cem", { exact: true }).waitFor();
    assert.equal(await drawer.getByRole("button", { name: /^What to do about/ }).count(), 0);
    assert.equal(await bo.rooms.getByRole("link", { name: "Admin page" }).count(), 0);
    const refused = await byHand(bo, [["user:remove", { user: 3 }], ["user:role", { user: 2, role: "admin" }]]);
    assert.deepEqual(refused.map(({ code }) => code), ["forbidden", "forbidden"]);
    assert.deepEqual(await byHand(bo, [], "/admin"), { refused: "forbidden" });
  });

  test("a moderator is made, and may do what a moderator may", async () => {
    await promote(ada, "Bo", "Moderator");
    await bo.rooms.getByRole("button", { name: "Invite" }).waitFor();
    const dialog = await about(bo, "Cem");
    await dialog.getByRole("button", { name: "1 hour" }).waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Ban" }).count(), 0);
    assert.equal(await dialog.getByRole("radio").count(), 0);
    await dialog.getByRole("button", { name: "Close" }).click();
    const drawer = bo.page.getByRole("complementary", { name: "People" });
    assert.equal(await drawer.getByRole("button", { name: "What to do about Ada" }).count(), 0);
  });

  test("who is muted reads along, is told until when, and keeps what was not sent", async () => {
    await order(bo, "Cem", "1 hour", "Muted.");
    await cem.page.getByText(/^You are muted here until /).first().waitFor();
    await cem.send("but I must say");
    await cem.stands("but I must say", "failed");
    await cem.row("but I must say").getByText(/^You are muted here until \d/).waitFor();
    await ada.send("he reads this");
    await cem.row("he reads this").waitFor();
    await order(bo, "Cem", "Let them speak", "They may speak again.");
    await cem.row("but I must say").getByRole("button", { name: "Retry" }).click();
    await cem.stands("but I must say", "sent");
    await ada.row("but I must say").waitFor();
  });

  test("who is removed has a last page, and their browser asks for nothing more", async () => {
    await cem.hasUpgraded();
    const asked = cem.asks();
    await shutOut(bo, "Cem", "Remove");
    await ada.send("he does not hear this");
    await cem.page.getByRole("heading", { name: "You have left this place" }).waitFor();
    await ada.page.getByRole("button", { name: /^People, 2 here now/ }).waitFor();
    assert.deepEqual(cem.events("message").filter((text) => text.includes("he does not hear this")), []);
    assert.ok(asked.length <= 1, `asked for ${asked}`);
    await cem.page.reload();
    await cem.page.getByRole("heading", { name: "You have left this place" }).waitFor();
    assert.equal(await cem.row("he reads this").count(), 0);
    await cem.page.getByRole("button", { name: "Sign in with another account" }).click();
    await cem.signIn("cem");
    await cem.bar.getByText("This account has been closed by an admin.").waitFor();
  });

  test("the page for admins is for admins", async () => {
    await bo.page.goto(`${roomcast.url}admin`);
    await bo.page.getByRole("heading", { name: "This page is for admins" }).waitFor();
    await bo.page.getByRole("link", { name: "To the chat" }).click();
    await bo.box.waitFor();
    await cem.page.goto(`${roomcast.url}admin`);
    await cem.page.getByRole("heading", { name: "You are signed out" }).waitFor();
    await cem.leave();
  });

  test("shows numbers that move, and every section", async () => {
    await ada.rooms.locator("summary").click();
    await ada.rooms.getByRole("link", { name: "Admin page" }).click();
    const online = ada.page.locator("[data-figure=online] .figure");
    await online.getByText("2", { exact: true }).waitFor();
    const third = await Person.open(browser, roomcast.url);
    await third.signIn("bo");
    await third.box.waitFor();
    await ada.page.locator("[data-figure=sockets] .figure").getByText("3", { exact: true }).waitFor();
    for (const section of SECTIONS) {
      await ada.page.getByRole("navigation").getByRole("link", { name: section }).click();
      await ada.page.getByRole("heading", { level: 1, name: section }).waitFor();
    }
    await ada.page.locator("[data-socket]").filter({ hasText: "Bo" }).first().waitFor();
    await third.leave();
  });

  test("an account is made there, and one is let back", async () => {
    const go = (section) => ada.page.getByRole("navigation").getByRole("link", { name: section }).click();
    await go("People");
    await ada.page.getByRole("button", { name: "New account" }).click();
    const dialog = ada.page.getByRole("dialog", { name: "New account" });
    await dialog.getByLabel("Login").fill("BO");
    await dialog.getByLabel("Name").fill("Another");
    await dialog.getByRole("button", { name: "Make it" }).click();
    await dialog.getByText(/That login is taken/).waitFor();
    await dialog.getByLabel("Login").fill("dora");
    await dialog.getByLabel("Name").fill("Dora");
    await dialog.getByRole("button", { name: "Make it" }).click();
    const link = await dialog.getByLabel("Link for the first password").inputValue();
    await dialog.getByRole("button", { name: "Close" }).click();
    const dora = await Person.open(browser, link);
    const form = dora.page.getByRole("form", { name: "A new password" });
    await form.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await form.getByRole("button", { name: "Set it and sign in" }).click();
    await dora.box.waitFor();
    await dora.leave();

    const row = ada.page.locator("[data-user]").filter({ hasText: "Cem" });
    await row.getByRole("button", { name: "Let back" }).click();
    await row.getByRole("button", { name: "What to do about Cem" }).waitFor();
    const back = await Person.open(browser, roomcast.url);
    await back.signIn("cem");
    await back.row("he does not hear this").waitFor();
    await back.leave();
  });

  test("invites and rooms are ended there, and settings hold at once", async () => {
    const go = (section) => ada.page.getByRole("navigation").getByRole("link", { name: section }).click();
    await go("Invites");
    const invites = ada.page.locator("[data-invite]");
    await invites.first().waitFor();
    await invites.first().getByRole("button", { name: "End it" }).click();
    await ada.page.getByText("No invite lets anybody in just now.").waitFor();
    await go("Settings");
    await ada.page.getByLabel("Name of the place").fill("Pier Ten");
    await ada.page.getByLabel("Whom to ask for an account").fill("Ask Ada, on deck.");
    await ada.page.getByRole("radio", { name: /^Open/ }).check();
    await ada.page.getByRole("button", { name: "Save" }).click();
    await ada.page.getByText("Saved. It holds from now on.").waitFor();
    await bo.rooms.getByText("Pier Ten").waitFor();
    await ada.page.getByRole("button", { name: "Back up now" }).click();
    await ada.page.getByText(/^chat-20\S+Z\.db, \d+ KB\.$/).waitFor();
    const fetched = ada.page.waitForEvent("download");
    await ada.page.getByRole("link", { name: "Download" }).click();
    assert.match((await fetched).suggestedFilename(), /^chat-20\S+Z\.db$/);
    const stranger = await Person.open(browser, roomcast.url);
    await stranger.page.getByRole("button", { name: "Make an account" }).waitFor();
    await stranger.leave();
    await go("Audit log");
    for (const sentence of ["made Bo a moderator", "removed Cem", "let Cem back", "made an account for Dora (dora)"]) {
      await ada.page.getByText(sentence).first().waitFor();
    }
  });

  test("names that want to be more are names there, too", async () => {
    const go = (section) => ada.page.getByRole("navigation").getByRole("link", { name: section }).click();
    await go("People");
    await ada.page.getByRole("button", { name: "New account" }).click();
    const dialog = ada.page.getByRole("dialog", { name: "New account" });
    await dialog.getByLabel("Login").fill("eve");
    await dialog.getByLabel("Name").fill(STRANGE);
    await dialog.getByRole("button", { name: "Make it" }).click();
    await dialog.getByLabel("Link for the first password").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    const row = ada.page.locator("[data-user]").filter({ hasText: "eve" });
    assert.equal(await row.locator(".name").textContent(), STRANGE);
    await row.getByRole("button", { name: /^What to do about/ }).click();
    const about = ada.page.getByRole("dialog", { name: STRANGE, exact: true });
    await about.getByRole("button", { name: "1 day" }).click();
    await about.getByText("Muted.", { exact: true }).waitFor();
    await about.getByRole("button", { name: "Close" }).click();
    await go("Settings");
    await ada.page.getByLabel("Whom to ask for an account").fill(STRANGE);
    await ada.page.getByRole("button", { name: "Save" }).click();
    await ada.page.getByText("Saved. It holds from now on.").waitFor();
    await go("Audit log");
    await ada.page.getByText(`made an account for ${STRANGE} (eve)`).waitFor();
    const kinds = await ada.page.locator("#sheet img, #sheet script, #sheet iframe, dialog img").count();
    assert.equal(kinds, 0);
    const stranger = await Person.open(browser, roomcast.url);
    await stranger.page.getByText(STRANGE).waitFor();
    await stranger.leave();
  });

  test("the page for admins comes back by itself after a restart", async () => {
    await ada.page.getByRole("navigation").getByRole("link", { name: "Now" }).click();
    await roomcast.kill();
    await ada.page.getByText("Connection lost. Trying again.").waitFor();
    await roomcast.start();
    await ada.page.getByText("Connection lost. Trying again.").waitFor({ state: "detached" });
    await ada.page.locator("[data-figure=up] .figure").getByText("0 min").waitFor();
  });

  test("is clean for axe and fits 320 pixels, section by section", async () => {
    for (const section of SECTIONS) {
      await ada.page.getByRole("navigation").getByRole("link", { name: section }).click();
      await ada.page.getByRole("heading", { level: 1, name: section }).waitFor();
      await isClean(ada.page, section);
    }
    await ada.page.setViewportSize(PHONE);
    await ada.page.goto(`${roomcast.url}admin`);
    for (const section of SECTIONS) {
      await ada.page.getByRole("navigation").getByRole("link", { name: section }).click();
      await ada.page.getByRole("heading", { level: 1, name: section }).waitFor();
      const [wanted, there] = await ada.page.evaluate(() => {
        const sheet = document.getElementById("sheet");
        return [sheet.scrollWidth, sheet.clientWidth];
      });
      assert.ok(wanted <= there, `${section} is ${wanted} pixels wide, of ${there}`);
      await ada.page.getByRole("link", { name: "Sections" }).click();
    }
  });

  test("who is an admin no more is shown the door of that page", async () => {
    await ada.page.setViewportSize({ width: 1280, height: 800 });
    await ada.page.goto(roomcast.url);
    await ada.box.waitFor();
    await promote(ada, "Bo", "Admin");
    await bo.page.goto(`${roomcast.url}admin`);
    await bo.page.locator("[data-figure=online]").waitFor();
    await promote(ada, "Bo", "Member");
    await bo.page.getByRole("heading", { name: "This page is for admins" }).waitFor();
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
