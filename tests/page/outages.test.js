// A server that restarts, dies or is away: nothing is lost, nothing comes twice, and nobody is kept from writing.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withCompany } from "./support/people.js";

describe("an outage", () => {
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

  test("an orderly restart keeps all, and both go on where they were", async () => {
    await say(ada, "before the restart");
    await bo.sees(said);
    assert.equal(await roomcast.terminate(), 0);
    for (const { page } of [ada, bo]) await page.getByRole("status").getByText(/The server is restarting/).waitFor();
    await roomcast.start();
    await say(bo, "after the restart");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await say(ada, "so it is");
    await Promise.all([ada.sees(said), bo.sees(said)]);
  });

  test("a message that was acknowledged survives a kill right after", async () => {
    await say(ada, "written in stone");
    await roomcast.kill();
    await roomcast.start();
    await Promise.all([ada.page.reload(), bo.page.reload()]);
    await Promise.all([ada.sees(said), bo.sees(said)]);
  });

  test("a kill in the middle of a burst loses nothing and doubles nothing", async () => {
    for (let i = 1; i <= 4; i += 1) {
      await ada.send(`burst ${i}`);
      said.push(`burst ${i}`);
    }
    await ada.stands("burst 1", "sent");
    await roomcast.kill();
    await roomcast.start();
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await ada.stands("burst 4", "sent");
  });

  test("while the server is away, messages wait, outlive a reload, and arrive once and in order", async () => {
    await roomcast.kill();
    const waiting = ["away 1", "away 2", "away 3"];
    for (const text of waiting) {
      await ada.send(text);
      await ada.stands(text, "waiting");
      assert.equal(await ada.box.isEditable(), true);
      assert.equal(await ada.box.inputValue(), "");
    }
    await ada.page.getByRole("status").getByText(/Connection lost/).waitFor();

    // The page loads again, but its line stays cut.
    const line = /\/socket\.io\/\?/;
    await ada.context.route(line, (route) => route.abort());
    await roomcast.start();
    await ada.page.reload();
    for (const text of waiting) await ada.stands(text, "waiting");
    assert.equal(await ada.page.locator('li[data-state="waiting"]').count(), 3);

    await ada.context.unroute(line);
    said.push(...waiting);
    await Promise.all([ada.sees(said), bo.sees(said)]);
    for (const text of waiting) await ada.stands(text, "sent");
  });

  test("what was missed while away is there on return", async () => {
    const line = /\/socket\.io\/\?/;
    await bo.context.route(line, (route) => route.abort());
    await bo.page.reload();
    await say(ada, "you missed this");
    await say(ada, "and this");
    await bo.context.unroute(line);
    await bo.sees(said);
  });

  test("a restored backup is what both see, and both go on from there", async () => {
    await say(ada, "in the backup");
    const restored = said.slice();
    const [backup] = (await roomcast.shell("backup")).split(" (");
    await say(ada, "after the backup");
    await bo.sees(said);
    await ada.box.fill("a draft");
    await roomcast.shell("restore", backup);
    // Told so, and back by themselves, at the same address.
    await Promise.all([ada.sees(restored), bo.sees(restored)]);
    assert.equal(await ada.box.inputValue(), "a draft");
    said.splice(0, said.length, ...restored);
    await say(bo, "after the restore");
    await Promise.all([ada.sees(said), bo.sees(said)]);
    await say(ada, "and on");
    await Promise.all([ada.sees(said), bo.sees(said)]);

    // One that was away meanwhile knows it only by what its browser kept.
    const line = /\/socket\.io\/\?/;
    await bo.context.route(line, (route) => route.abort());
    await bo.page.reload();
    await say(ada, "nobody will have read this");
    said.splice(0, said.length, ...restored);
    await roomcast.shell("restore", backup);
    await ada.sees(said);
    await bo.context.unroute(line);
    await bo.sees(said);
    assert.match(await roomcast.shell("check"), /^All is well/);
  });

  test("nothing went wrong in either browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
