// A room with ten thousand messages: opened, searched, read to its first line and written in, with a page's worth of each.
// `MESSAGES=200000 node --test long.test.js` does it with more, and prints how long things took.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Person, company, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

const COUNT = Number(process.env.MESSAGES ?? 10_000);
const UNREAD = 120;
const ROWS_MAX = 320;
const PAGE_MAX = 50;
const MOVED_MAX_PX = 2;
const RSS_GROWTH_MAX_KIB = 3 * 1024;

describe("a long room", () => {
  let browser;
  let roomcast;
  let ada;
  let rss;
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
    const friends = await company(browser, roomcast);
    await Promise.all([friends.ada.leave(), friends.bo.leave()]);
    await roomcast.terminate();
    await roomcast.fill(COUNT, UNREAD);
    await roomcast.start();
    ada = await Person.open(browser, roomcast.url);
    rss = await roomcast.residentKib();
  });
  after(async () => {
    await browser.close();
    await roomcast.remove();
  });

  const timed = async (what, wish) => {
    const began = performance.now();
    const outcome = await wish();
    if (process.env.MESSAGES) console.log(`${what}: ${Math.round(performance.now() - began)} ms`);
    return outcome;
  };

  /** The numbers of the entries on the page, from the first to the last. */
  const entries = () =>
    ada.page.evaluate(() =>
      [...document.querySelectorAll("#list .row .text")].map((node) => Number(/^Entry (\d+):/.exec(node.textContent)[1])),
    );

  async function isWhole() {
    const numbers = await entries();
    numbers.forEach((number, i) => i > 0 && assert.equal(number, numbers[i - 1] + 1, "a row is missing"));
    const { rows, days } = await ada.page.evaluate(() => {
      const list = document.getElementById("list");
      const names = [...list.querySelectorAll(".day")].map((node) => node.textContent);
      const dates = new Set([...list.querySelectorAll(".row time")].map((node) => new Date(node.dateTime).toDateString()));
      return { rows: list.childElementCount, days: [names.length, new Set(names).size, dates.size] };
    });
    assert.ok(rows <= ROWS_MAX, `${rows} rows`);
    assert.deepEqual(days, [days[2], days[2], days[2]], "a line for each day that is shown, once");
    return numbers;
  }

  const scroller = () => ada.page.locator("#scroller");

  /** Scrolls to an edge and waits for the rows behind it. Says how far what was under the eye has moved meanwhile. */
  function page(where) {
    return scroller().evaluate(
      (node, up) =>
        new Promise((done) => {
          const list = document.getElementById("list");
          const edge = () => (up ? list.querySelector(".row[data-seq]") : [...list.querySelectorAll(".row[data-seq]")].at(-1)).dataset.seq;
          const before = edge();
          const eye = up
            ? list.querySelector(".row[data-seq]")
            : [...list.querySelectorAll(".row[data-seq]")].at(-1);
          let top;
          const look = () => {
            if (edge() === before) return;
            observer.disconnect();
            // After the list has put the eye back, before the browser paints.
            queueMicrotask(() => done(Math.abs(eye.getBoundingClientRect().top - top)));
          };
          const observer = new MutationObserver(look);
          node.scrollTop = up ? 0 : node.scrollHeight;
          top = eye.getBoundingClientRect().top;
          observer.observe(list, { childList: true });
        }),
      where === "older",
    );
  }

  test("opens at the line where the reading stopped, soon", async () => {
    await ada.signIn("ada");
    await timed("open", () => ada.page.locator(".new").waitFor());
    await ada.page.getByText(`${UNREAD} new since`).waitFor();
    const painted = await ada.page.evaluate(() => {
      const line = document.querySelector(".new").getBoundingClientRect();
      const view = document.getElementById("scroller").getBoundingClientRect();
      return line.top >= view.top && line.bottom <= view.bottom;
    });
    assert.ok(painted, "the line is in view");
    const numbers = await isWhole();
    const next = await ada.page.evaluate(() => document.querySelector(".new").nextElementSibling.textContent);
    assert.match(next, new RegExp(`Entry ${COUNT - UNREAD + 1}:`));
    assert.ok(numbers.includes(COUNT - UNREAD), "and what is above it is read");
  });

  test("is searched, and what was found is gone to", async () => {
    await ada.page.keyboard.press("Control+Shift+F");
    const dialog = ada.page.getByRole("dialog", { name: "Search" });
    await timed("search", async () => {
      await dialog.getByLabel("Words to look for").fill("kraken");
      await dialog.getByRole("link").first().waitFor();
    });
    assert.equal(await dialog.getByRole("link").count(), 1);
    await timed("jump", async () => {
      await dialog.getByRole("link").click();
      await ada.page.locator("li.found:focus").waitFor();
    });
    assert.match(await ada.page.locator("li.found").textContent(), new RegExp(`Entry ${COUNT / 2 + 1}:.*kraken`));
    const centred = await ada.page.evaluate(() => {
      const row = document.querySelector("li.found").getBoundingClientRect();
      const view = document.getElementById("scroller").getBoundingClientRect();
      return Math.abs((row.top + row.bottom - view.top - view.bottom) / 2);
    });
    assert.ok(centred < 40, `${centred} pixels from the middle`);
    await isWhole();
  });

  test("is searched for a common word a page at a time, and by a person", async () => {
    await ada.page.keyboard.press("Control+Shift+F");
    const dialog = ada.page.getByRole("dialog", { name: "Search" });
    await dialog.getByLabel("Words to look for").fill("tide noon");
    await dialog.getByText("The newest 30").waitFor();
    assert.equal(await dialog.getByRole("listitem").count(), 30);
    await dialog.getByRole("button", { name: "Show older ones" }).click();
    await dialog.getByText("The newest 60").waitFor();
    await dialog.getByLabel("Written by").selectOption("Bo");
    await dialog.getByText("The newest 30").waitFor();
    assert.deepEqual(await dialog.locator("li .name").evaluateAll((nodes) => [...new Set(nodes.map((node) => node.textContent))]), ["Bo"]);
    await dialog.getByLabel("Words to look for").fill("no such words");
    await dialog.getByText(/^No message has all of these words/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
  });

  test("is scrolled up and down without a jump, and keeps at most three hundred rows", async () => {
    let first = (await entries())[0];
    for (let n = 0; n < 9; n += 1) {
      const moved = await timed("page up", () => page("older"));
      assert.ok(moved <= MOVED_MAX_PX, `the text under the eye has moved ${moved} pixels`);
      const numbers = await isWhole();
      assert.ok(numbers[0] < first, "older ones are there");
      [first] = numbers;
    }
    assert.ok((await entries()).length > 250, "most of them stay");
    let last = (await entries()).at(-1);
    for (let n = 0; n < 5; n += 1) {
      const moved = await timed("page down", () => page("newer"));
      assert.ok(moved <= MOVED_MAX_PX, `the text under the eye has moved ${moved} pixels`);
      const numbers = await isWhole();
      assert.ok(numbers.at(-1) > last, "newer ones are there");
      last = numbers.at(-1);
    }
  });

  test("has a first message, a link to it, and nothing above it", async () => {
    await ada.page.evaluate(() => (location.hash = location.hash.replace(/(\/r\/\d+).*/, "$1/1")));
    await ada.page.locator("li.found:focus").filter({ hasText: "Entry 1:" }).waitFor();
    await ada.page.getByText("Here General begins.").waitFor();
    assert.equal((await isWhole())[0], 1);
    const day = await ada.page.evaluate(() => {
      const scroller = document.getElementById("scroller");
      scroller.scrollTop = 600;
      const top = scroller.getBoundingClientRect().top;
      return [...document.querySelectorAll(".day")].some((node) => Math.abs(node.getBoundingClientRect().top - top) < 1);
    });
    assert.ok(day, "the day stays in view at the top");
  });

  test("leads back to its latest message with one click, and with one that is sent", async () => {
    const jump = ada.page.getByRole("button", { name: "Jump to latest" });
    await jump.click();
    await ada.row(`Entry ${COUNT}:`).waitFor();
    await ada.page.evaluate(() => (location.hash = location.hash.replace(/(\/r\/\d+).*/, "$1/2000")));
    await ada.page.locator("li.found:focus").waitFor();
    await ada.send(`Entry ${COUNT + 1}: at last`);
    await ada.stands("at last", "sent");
    const numbers = await isWhole();
    assert.equal(numbers.at(-1), COUNT + 1);
  });

  test("has cost the server no memory, and no answer was longer than a page", async () => {
    const grown = (await roomcast.residentKib()) - rss;
    if (process.env.MESSAGES) console.log(`resident memory: ${rss} KiB, and ${grown} KiB more after all that`);
    assert.ok(grown < RSS_GROWTH_MAX_KIB, `${grown} KiB`);
    const pages = ada.frames.filter(([way, text]) => way === "received" && /^43\d+\[\{.*"rows":\[/.test(text));
    assert.ok(pages.length > 15, `${pages.length} pages were seen`);
    for (const [, text] of pages) {
      const [{ rows }] = JSON.parse(text.slice(text.indexOf("[")));
      assert.ok(rows.length <= PAGE_MAX, `${rows.length} rows`);
    }
  });

  test("nothing went wrong in the browser", () => ada.leave());
});
