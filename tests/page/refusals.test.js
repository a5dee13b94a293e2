// What a message's row says when the server does not take it, word by word; the refusals are put into the line on its way.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Person, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

/** What is answered in the server's place, what the row says then, and what becomes of it. */
const REFUSALS = [
  [{ code: "full", retryMs: 1_000 }, "The server is out of space. Your text is safe here; tell an admin.", "goes out"],
  [{ code: "busy", retryMs: 1_000 }, "The server is busy just now. It goes out in a moment.", "goes out"],
  [{ code: "slow", retryMs: 1_400 }, /^Slow down a little\. Sends in [12] s\.$/, "goes out"],
  [{ code: "muted", until: new Date().setHours(23, 59, 0, 0) }, "You are muted here until 23:59.", "stays"],
  [{ code: "muted" }, "You are muted here.", "stays"],
  [{ code: "not_found" }, "This room is private, or it is gone.", "stays"],
  [{ code: "internal", ref: "7KQ2M4" }, "That did not go through. It is kept here; press Retry. (7KQ2M4)", "stays"],
];

describe("a message that is refused", () => {
  let browser;
  let roomcast;
  let ada;
  let refusal = null;
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
    ada = await Person.open(browser, await roomcast.setUpLink());
    await ada.setUp();
    await ada.page.routeWebSocket(/socket\.io/, (line) => {
      const server = line.connectToServer();
      line.onMessage((text) => {
        const id = /^42(\d+)\["send"/.exec(text)?.[1];
        if (!id || !refusal) return server.send(text);
        line.send(`43${id}${JSON.stringify([{ ok: false, ...refusal }])}`);
        refusal = null;
      });
    });
    const speaks = ada.page.waitForEvent("websocket").then((socket) => socket.waitForEvent("framesent", ({ payload }) => payload === "5"));
    await ada.page.reload();
    await ada.box.waitFor();
    await speaks;
  });
  after(async () => {
    await browser.close();
    await roomcast.remove();
  });

  for (const [answer, words, fate] of REFUSALS) {
    test(`as ${JSON.stringify(answer)} says why, and ${fate}`, async () => {
      refusal = answer;
      const text = `not taken: ${answer.code} ${answer.until ? "until" : ""}`.trim();
      await ada.send(text);
      const row = ada.rows.filter({ hasText: text }).last();
      await row.getByText(words, { exact: true }).waitFor();
      if (fate === "goes out") return ada.stands(text, "sent");
      assert.equal(await row.getAttribute("data-state"), "failed");
      await row.getByRole("button", { name: "Retry" }).click();
      await ada.stands(text, "sent");
    });
  }

  test("is there once in the end", async () => {
    await ada.page.reload();
    await ada.row("not taken: internal").waitFor();
    assert.equal((await ada.said()).length, REFUSALS.length);
    await ada.leave();
  });
});
