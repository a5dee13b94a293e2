// Rooms: made by one, found by another, left again; what is said in one is not heard in another.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withCompany } from "./support/people.js";

describe("rooms", () => {
  let roomcast;
  let ada;
  let bo;
  withCompany((stage) => ({ roomcast, ada, bo } = stage));

  test("one makes a room, and the other finds and joins it", async () => {
    await ada.makeRoom("Galley", "What is for dinner");
    await ada.page.getByText("What is for dinner").waitFor();
    assert.equal(await bo.room(/^Galley/).count(), 0);
    await bo.joinRoom("Galley");
    await bo.send("soup");
    await ada.sees(["soup"]);
  });

  test("a name is given once", async () => {
    await ada.rooms.getByRole("button", { name: "New room" }).click();
    const dialog = ada.page.getByRole("dialog", { name: "New room" });
    await dialog.getByLabel("Room name").fill("Galley");
    await dialog.getByRole("button", { name: "Make room" }).click();
    await dialog.getByText("There is a room of that name already.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
  });

  test("a message counts as unread in a room that is not open, and not once it was read", async () => {
    await bo.room(/^General/).click();
    await bo.isIn("General");
    await ada.send("with bread");
    await bo.room(/Galley.*1 unread message/).waitFor();
    await bo.room(/^Galley/).click();
    await bo.sees(["soup", "with bread"]);
    await bo.room(/^Galley$/).waitFor();
  });

  test("an address leads to a room, and to nothing where there is none", async () => {
    const id = await ada.room(/^Galley/).getAttribute("data-room");
    await ada.page.goto(`${roomcast.url}#/r/999999`);
    await ada.page.getByText("This room is private, or it is gone.").waitFor();
    await ada.page.goto(`${roomcast.url}#/r/${id}`);
    await ada.isIn("Galley");
  });

  test("who left a room hears nothing more of it, and may come again", async () => {
    await bo.hasUpgraded();
    await bo.leaveRoom();
    await bo.room(/^Galley/).waitFor({ state: "detached" });
    await ada.send("bo does not hear this");
    await ada.stands("bo does not hear this", "sent");
    await ada.room(/^General/).click();
    await ada.isIn("General");
    await ada.send("but this");
    await bo.room(/^General/).click();
    await bo.row("but this").waitFor();
    assert.deepEqual(bo.events("message").filter((text) => text.includes("bo does not hear this")), []);
    await bo.joinRoom("Galley");
    await bo.sees(["soup", "with bread", "bo does not hear this"]);
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
