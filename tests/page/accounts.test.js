// One's own account: a name, a password, places where one is signed in, and the link of an admin for who has forgotten.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { about, settings } from "./support/keeping.js";
import { PASSWORD, Person, withCompany } from "./support/people.js";

const FRESH = "harbour-2";

describe("an account", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  withCompany((stage) => ({ browser, roomcast, ada, bo } = stage));

  test("has another name at once, for all", async () => {
    await bo.send("who am I");
    await ada.row("who am I").locator(".name", { hasText: /^Bo$/ }).waitFor();
    const dialog = await settings(bo);
    await dialog.getByRole("textbox", { name: "Your name" }).fill("Bo Ek");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByText("Saved.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await bo.rooms.locator("summary").getByText("Bo Ek").waitFor();
    await ada.row("who am I").locator(".name", { hasText: "Bo Ek" }).waitFor();
  });

  test("has another password, which ends the other places and keeps what was being written there", async () => {
    const elsewhere = await Person.open(browser, roomcast.url);
    await elsewhere.signIn("bo");
    await elsewhere.box.fill("half a sentence, and");
    const dialog = await settings(bo);
    await dialog.getByText("Here, and in one other place.").waitFor();
    await dialog.getByLabel("Password until now").fill("not-this-one");
    await dialog.getByLabel("New password", { exact: true }).fill(FRESH);
    await dialog.getByRole("button", { name: "Change password" }).click();
    await dialog.getByText("That is not your password.").waitFor();
    await dialog.getByLabel("Password until now").fill(PASSWORD);
    await dialog.getByRole("button", { name: "Change password" }).click();
    await dialog.getByText("Changed. You are signed out everywhere else; drafts are kept there.").waitFor();
    await dialog.getByText("Only here.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();

    await elsewhere.bar.getByText(/the password was changed on another device/).waitFor();
    await elsewhere.signIn("bo", PASSWORD);
    await elsewhere.bar.getByText("Login or password is not right.").waitFor();
    await elsewhere.signIn("bo", FRESH);
    await elsewhere.box.waitFor();
    assert.equal(await elsewhere.box.inputValue(), "half a sentence, and");
    await elsewhere.leave();
  });

  test("is signed out everywhere else, and then here, too", async () => {
    const [one, two] = await Promise.all([Person.open(browser, roomcast.url), Person.open(browser, roomcast.url)]);
    for (const place of [one, two]) {
      await place.signIn("bo", FRESH);
      await place.box.waitFor();
    }
    const dialog = await settings(one);
    await dialog.getByRole("button", { name: "Sign out everywhere else" }).click();
    await dialog.getByText(/places were signed out\.$/).waitFor();
    await two.bar.getByText(/on another device or tab/).waitFor();
    await bo.bar.waitFor();
    await bo.signIn("bo", FRESH);
    await bo.box.waitFor();
    const anew = one.page.waitForEvent("load");
    await dialog.getByRole("button", { name: "Sign out here, too" }).click();
    await anew;
    await one.bar.waitFor();
    assert.equal(await one.page.evaluate(() => Object.keys(localStorage).length), 0);
    await bo.bar.waitFor();
    await Promise.all([one.leave(), two.leave()]);
  });

  test("whose password is lost is opened by a link, once", async () => {
    const dialog = await about(ada, "Bo Ek");
    await dialog.getByRole("button", { name: "Make a link" }).click();
    const link = await dialog.getByLabel("Link for a new password").inputValue();
    assert.match(link, new RegExp(`^${roomcast.url}reset/`));
    await dialog.getByRole("button", { name: "Close" }).click();

    const owner = await Person.open(browser, link);
    const form = owner.page.getByRole("form", { name: "A new password" });
    await form.waitFor();
    assert.equal(new URL(owner.page.url()).pathname, "/", "the code must not stay in the address");
    await form.getByLabel("Password", { exact: true }).fill("short");
    await form.getByRole("button", { name: "Set it and sign in" }).click();
    await form.getByText("That is not accepted here.").waitFor();
    await form.getByLabel("Password", { exact: true }).fill("harbour-3");
    await form.getByRole("button", { name: "Set it and sign in" }).click();
    await owner.box.waitFor();
    await owner.leave();

    const late = await Person.open(browser, link);
    const again = late.page.getByRole("form", { name: "A new password" });
    await again.getByLabel("Password", { exact: true }).fill("harbour-4");
    await again.getByRole("button", { name: "Set it and sign in" }).click();
    await again.getByText("This link has been used, or it is too old. Ask an admin for a new one.").waitFor();
    await late.leave();
    await bo.signIn("bo", "harbour-3");
    await bo.box.waitFor();
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
