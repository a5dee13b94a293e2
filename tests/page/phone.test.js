// A slow phone: a quarter of the processor, 400 ms there and back, 320 px, a keyboard over half of it, and away for a while.
// `node slow_phone.js` measures times under the same load; here is what must hold at any speed.
// What cannot be done here: lost packets (the protocol of the browser's tools knows delay and width only), a real telephone, iOS.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { withCompany } from "./support/people.js";
import { PHONE, Throttled } from "./support/phone.js";

const FIRST_VISIT_BYTES_MAX = 57 * 1024;
const FIRST_VISIT_BY_INVITE_BYTES_MAX = 60 * 1024;

describe("a slow phone", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  withCompany(async (stage) => {
    ({ browser, roomcast, ada, bo } = stage);
    await roomcast.terminate();
    await roomcast.fill(60, 0);
    await roomcast.start();
    await Promise.all([ada, bo].map((one) => one.row("Entry 60:").waitFor()));
  });

  /** From nothing to a room that can be written in: what that moved. */
  async function firstVisit(t, url, comesIn, max) {
    const phone = await Throttled.open(browser, url);
    await comesIn(phone.person);
    await phone.person.row("Entry 60:").waitFor();
    const files = [...phone.moved.entries()];
    assert.ok(files.length > 20, "each file is counted");
    const bytes = files.reduce((sum, [, size]) => sum + size, 0);
    t.diagnostic(`${bytes} bytes in ${files.length} files`);
    assert.ok(bytes <= max, `${bytes} bytes: ${files.map(([path, size]) => `${path} ${size}`).join(", ")}`);
    await phone.person.leave();
  }

  test("the first visit moves no more than 57 KB, up to a room that can be written in", async (t) => {
    const comesIn = async (person) => {
      await person.signIn("bo");
      await person.room(/^General/).click();
    };
    await firstVisit(t, roomcast.url, comesIn, FIRST_VISIT_BYTES_MAX);
  });

  test("by an invite it moves no more than 60 KB", async (t) => {
    const comesIn = async (person) => {
      await person.join({ name: "Cem", login: "cem" }, () => person.room(/^General/).click());
    };
    await firstVisit(t, await ada.invite(), comesIn, FIRST_VISIT_BY_INVITE_BYTES_MAX);
  });

  test("the text box stays above the keyboard, and nothing scrolls sideways", async () => {
    await bo.page.setViewportSize(PHONE);
    await bo.row("Entry 60:").waitFor();
    await bo.box.focus();
    await bo.page.setViewportSize({ ...PHONE, height: PHONE.height / 2 });
    for (const text of ["short", "a long line without an end ".repeat(20), "w".repeat(300)]) {
      await bo.box.fill(text);
      const { box, width, height } = await bo.page.evaluate(() => ({
        box: document.querySelector("#write textarea").getBoundingClientRect().toJSON(),
        width: document.documentElement.scrollWidth,
        height: innerHeight,
      }));
      assert.ok(box.top >= 0 && box.bottom <= height, `${text.slice(0, 10)}: ${box.top} to ${box.bottom} of ${height}`);
      assert.ok(width <= PHONE.width, `${width} px wide`);
    }
    await bo.box.fill("");
    await bo.page.setViewportSize(PHONE);
  });

  test("whoever was away has the gap filled by one question a room, and the reading place is kept", async () => {
    await bo.hasUpgraded();
    const line = /\/socket\.io\/\?/;
    await bo.context.setOffline(true);
    await bo.context.route(line, (route) => route.abort());
    await roomcast.kill();
    await roomcast.start();
    for (let at = 1; at <= 8; at += 1) await ada.send(`line ${at}`);
    await ada.stands("line 8", "sent");
    const before = bo.frames.length;
    await bo.context.unroute(line);
    await bo.context.setOffline(false);
    await bo.row("line 8").waitFor();
    const asked = bo.frames.slice(before).filter(([way, text]) => way === "sent" && /^42\d*\["(hello|sync|history)"/.test(text));
    assert.ok(asked.length <= 2, `asked ${asked.map(([, text]) => text.slice(0, 40))}`);
  });

  test("nothing went wrong in any browser", async () => {
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
