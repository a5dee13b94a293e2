// Those who try to get in where they may not: guesses, old links, old tabs, pages of others.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import { describe, test } from "node:test";

import { byHand, shutOut } from "./support/keeping.js";
import { PASSWORD, Person, withCompany } from "./support/people.js";

const TRIES = 11;

describe("doors", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  withCompany((stage) => ({ browser, roomcast, ada, bo } = stage));

  test("eleven wrong passwords are answered as eleven for nobody, with a wait that grows and is shown", async () => {
    const guesser = await Person.open(browser, roomcast.url);
    const heard = { bo: [], nobody: [] };
    for (const login of Object.keys(heard)) {
      for (let n = 1; n <= TRIES; n += 1) {
        const answer = guesser.page.waitForResponse((response) => response.url().endsWith("/session") && response.request().method() === "POST");
        await guesser.signIn(login, `guess ${n}`);
        const { code, retryMs } = await (await answer).json();
        heard[login].push(code);
        if (code === "slow") assert.ok(retryMs > 0 && retryMs <= 4_000, `${login}, try ${n}: ${retryMs} ms`);
        const words = code === "slow" ? /^Too many tries\. Wait \d+ seconds?, or ask an admin for a sign-in link\.$/ : "Login or password is not right.";
        await guesser.bar.locator("#sign-in-note").getByText(words).first().waitFor();
      }
    }
    assert.deepEqual(heard.bo, heard.nobody);
    assert.deepEqual(heard.bo, [...Array(4).fill("wrong"), ...Array(TRIES - 4).fill("slow")]);
    // It runs out before the reader's eyes, and then one more try is looked at: the next wait is twice as long.
    await guesser.bar.getByText("You can try again now.").waitFor();
    await guesser.signIn("nobody", "guess again");
    await guesser.bar.getByText(/Wait [78] seconds/).first().waitFor();
    // Whom nobody guesses at comes in as always.
    await guesser.signIn("ada");
    await guesser.box.waitFor();
    await guesser.leave();
  });

  test("an old tab learns nothing of a room it was in, by whatever question", async () => {
    await ada.makeRoom("Chartroom", "For two");
    await bo.joinRoom("Chartroom");
    await ada.send("the course is set");
    await bo.send("aye, the course");
    await bo.stands("aye, the course", "sent");
    const room = Number(await bo.room(/^Chartroom/).getAttribute("data-room"));
    await bo.leaveRoom();
    await bo.room(/^Chartroom/).waitFor({ state: "detached" });
    const ask = (room) => [
      ["history", { room }],
      ["history", { room, around: 1 }],
      ["search", { room, q: "course" }],
      ["sync", { room, rev: 0 }],
      ["send", { room, cid: "old-tab", text: "let me in" }],
      ["read", { room, seq: 1 }],
      ["room:leave", { room }],
    ];
    const stale = await byHand(bo, ask(room));
    assert.deepEqual(stale, await byHand(bo, ask(999_999)));
    for (const answer of stale) assert.deepEqual(answer, { ok: false, code: "not_found" });
    assert.equal(await ada.row("let me in").count(), 0);
    const [{ rows }] = await byHand(bo, [["search", { q: "course" }]]);
    assert.deepEqual(rows, []);
  });

  test("a page of another origin gets no socket, and nothing is changed by its forms", async () => {
    const page = http.createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>elsewhere</title>"));
    page.listen(0, "127.0.0.1");
    await once(page, "listening");
    // With bo's cookies: a browser sends them to every port of a name.
    const tab = await bo.context.newPage();
    await tab.goto(`http://127.0.0.1:${page.address().port}/`);
    const tried = await tab.evaluate(async (url) => {
      const opened = await new Promise((resolve) => {
        const socket = new WebSocket(`${url.replace("http", "ws")}socket.io/?EIO=4&transport=websocket`);
        socket.onopen = () => resolve("opened");
        socket.onerror = () => resolve("refused");
      });
      const polled = await fetch(`${url}socket.io/?EIO=4&transport=polling`, { credentials: "include" }).then(
        (response) => response.status,
        () => "refused",
      );
      // Without reading the answer, which a browser lets every page try.
      const posted = await fetch(`${url}session/end`, {
        method: "POST",
        mode: "no-cors",
        credentials: "include",
        headers: { "content-type": "text/plain" },
        body: "{}",
      }).then((response) => response.type);
      return { opened, polled, posted };
    }, roomcast.url);
    assert.deepEqual(tried, { opened: "refused", polled: "refused", posted: "opaque" });
    await tab.close();
    page.close();
    // Still signed in: the foreign form ended nothing.
    await bo.page.reload();
    await bo.box.waitFor();
  });

  test("a program signs in by an event and speaks, all over one connection", async () => {
    const program = await Person.open(browser, roomcast.url);
    const [wrong, right, me, sent, isShared] = await program.page.evaluate(async (password) => {
      const { io } = await import("/socket.io/socket.io.esm.min.js");
      const door = io("/door");
      const ask = (password) => door.timeout(8_000).emitWithAck("session:open", { login: "ada", password });
      const [wrong, right] = [await ask("not-this-one"), await ask(password)];
      const chat = io("/", { auth: { token: right.token } });
      const { me, rooms } = await chat.timeout(8_000).emitWithAck("hello", { v: 1 });
      const message = { room: rooms[0].id, cid: "from-a-program", text: "beep" };
      const sent = await chat.timeout(8_000).emitWithAck("send", message);
      const isShared = door.io === chat.io;
      door.disconnect();
      chat.disconnect();
      return [wrong, right, me, sent, isShared];
    }, PASSWORD);
    assert.deepEqual(wrong, { ok: false, code: "wrong" });
    assert.equal(right.token.length, 43);
    assert.equal(me.login, "ada");
    assert.equal(sent.ok, true);
    assert.equal(isShared, true);
    await ada.room(/^General/).click();
    await ada.row("beep").waitFor();
    await program.leave();
  });

  test("a member has no way into the admins' place", async () => {
    assert.deepEqual(await byHand(bo, [], "/admin"), { refused: "forbidden" });
    const guest = await Person.open(browser, roomcast.url);
    assert.deepEqual(await byHand(guest, [], "/admin"), { refused: "auth" });
    assert.deepEqual(await byHand(guest, []), { refused: "auth" });
    await guest.leave();
  });

  test("a removed member's tab hears nothing from that moment on, and its cookie opens nothing", async () => {
    await bo.hasUpgraded();
    await bo.room(/^General/).click();
    await ada.room(/^General/).click();
    await ada.isIn("General");
    const before = bo.frames.length;
    await shutOut(ada, "Bo", "Remove");
    await ada.send("bo is gone");
    await ada.stands("bo is gone", "sent");
    await bo.page.getByRole("heading", { name: "You have left this place" }).waitFor();
    const heard = bo.frames.slice(before).filter(([way]) => way === "received").map(([, text]) => text);
    const ended = heard.findIndex((text) => text.startsWith('42["session:ended"'));
    assert.ok(ended >= 0);
    assert.deepEqual(heard.slice(ended + 1).filter((text) => text.startsWith("42")), []);
    assert.equal(heard.filter((text) => text.includes("bo is gone")).length, 0);
    assert.deepEqual(await byHand(bo, []), { refused: "removed" });
    await Promise.all([ada.leave(), bo.leave()]);
  });
});
