// People in front of a browser: what they see and do, by the names that the page gives to its parts.
// Each person has a browser profile of their own; what must never happen there is written down and checked at the end.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { chromium } from "playwright-core";

import { Roomcast } from "./roomcast.js";

const CHROMIUM = process.env.CHROMIUM || "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SEEN_WITHIN_MS = 20_000;
const WIDE = { width: 1280, height: 800 };
// What a browser itself says of a server that is down, or that answered with a refusal.
const ABOUT_THE_NETWORK = /net::ERR_|status of [45]\d\d|WebSocket connection to/;

export const PASSWORD = "harbour-1";

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET });
}

/** A person with a browser profile and one page. */
export class Person {
  page;
  /** What went over the WebSocket: `["sent" | "received", text]`. */
  frames = [];
  #faults = [];

  /** `more` is more of what the browser's profile is like: a phone's. */
  static async open(browser, url, viewport = WIDE, more = {}) {
    const context = await browser.newContext({ viewport, locale: "en-GB", ...more });
    context.setDefaultTimeout(SEEN_WITHIN_MS);
    const person = new Person(await context.newPage());
    await person.#watch();
    await person.page.goto(url);
    return person;
  }

  constructor(page) {
    this.page = page;
  }

  /** One more tab of this person. */
  async tab(url) {
    const tab = new Person(await this.context.newPage());
    await tab.#watch();
    await tab.page.goto(url);
    return tab;
  }

  get context() {
    return this.page.context();
  }

  /** The addresses that the page asks the server for from now on, its own files left out: those come when they are first needed. */
  asks() {
    const asked = [];
    this.page.on("request", (request) => {
      if (["document", "fetch", "xhr", "websocket"].includes(request.resourceType())) asked.push(request.url());
    });
    this.page.on("websocket", (socket) => asked.push(socket.url()));
    return asked;
  }

  /** Closes the browser profile. Nothing may have been wrong in it: no error, no dialog, nothing the policy refused. */
  async leave() {
    await this.context.close();
    assert.deepEqual(this.#faults, []);
  }

  // ── doors ──

  async setUp({ workspace = "Pier Nine", name = "Ada", login = "ada" } = {}) {
    const form = this.page.getByRole("form", { name: "Open the logbook" });
    await form.getByLabel("Workspace name").fill(workspace);
    await this.#account(form, name, login);
    await form.getByRole("button", { name: "Open the workspace" }).click();
    await this.box.waitFor();
  }

  /** `arrived` waits for what comes then, which is no room on a phone. */
  async join({ name, login }, arrived = () => this.box.waitFor()) {
    const form = this.page.getByRole("form", { name: /^Come aboard/ });
    await this.#account(form, name, login);
    await form.getByRole("button", { name: "Join" }).click();
    await arrived();
  }

  async signIn(login, password = PASSWORD) {
    await this.bar.getByLabel("Login").fill(login);
    await this.bar.getByLabel("Password", { exact: true }).fill(password);
    await this.bar.getByRole("button", { name: "Sign in" }).click();
  }

  /** The form that stands where the composer is while nobody is signed in. */
  get bar() {
    return this.page.getByRole("form", { name: "Sign in" });
  }

  /** Signs out, and waits for the page that comes after: a new one, without anything of the old. */
  async signOut() {
    await this.rooms.locator("summary").click();
    const anew = this.page.waitForEvent("load");
    await this.page.getByRole("button", { name: "Sign out" }).click();
    await anew;
  }

  /** Makes an invite, and answers with its link. */
  async invite() {
    await this.rooms.getByRole("button", { name: "Invite" }).click();
    const dialog = this.page.getByRole("dialog", { name: "Invite somebody" });
    const link = await dialog.getByLabel("Invite link").inputValue();
    await dialog.getByRole("button", { name: "Close" }).click();
    return link;
  }

  async #account(form, name, login) {
    await form.getByLabel("Your name").fill(name);
    await form.getByLabel("Login").fill(login);
    await form.getByLabel("Password", { exact: true }).fill(PASSWORD);
  }

  // ── rooms ──

  get rooms() {
    return this.page.getByRole("navigation", { name: "Rooms" });
  }

  room(name) {
    return this.rooms.getByRole("link", { name });
  }

  async makeRoom(name, topic) {
    await this.rooms.getByRole("button", { name: "New room" }).click();
    const dialog = this.page.getByRole("dialog", { name: "New room" });
    await dialog.getByLabel("Room name").fill(name);
    if (topic) await dialog.getByLabel("Topic").fill(topic);
    await dialog.getByRole("button", { name: "Make room" }).click();
    await this.isIn(name);
  }

  async joinRoom(name) {
    await this.rooms.getByRole("button", { name: "All rooms" }).click();
    await this.page.getByRole("button", { name: `Join ${name}`, exact: true }).click();
    await this.isIn(name);
  }

  async leaveRoom() {
    await this.page.getByLabel("More about this room").click();
    await this.page.getByRole("button", { name: "Leave room" }).click();
    await this.page.getByRole("dialog").getByRole("button", { name: "Leave", exact: true }).click();
  }

  /** Waits until that room is the open one. */
  async isIn(name) {
    await this.page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  }

  // ── messages ──

  get box() {
    return this.page.getByRole("textbox", { name: /^Write to/ });
  }

  async send(text) {
    await this.box.fill(text);
    await this.page.getByRole("button", { name: "Send" }).click();
  }

  /** Sends several at once, faster than a hand could, however slow this machine is just now. */
  async sendAll(texts) {
    await this.page.evaluate((lines) => {
      const form = document.getElementById("write");
      const box = form.querySelector("textarea");
      for (const line of lines) {
        box.value = line;
        box.dispatchEvent(new Event("input", { bubbles: true }));
        form.requestSubmit();
      }
    }, texts);
  }

  get rows() {
    return this.page.getByRole("list", { name: "Messages" }).locator("li[data-cid], li[data-seq]");
  }

  row(text) {
    return this.rows.filter({ hasText: text });
  }

  /** Waits until a message of mine is in that state. */
  async stands(text, state) {
    await this.page.locator(`li[data-state="${state}"]`).filter({ hasText: text }).first().waitFor();
  }

  /** What the rows say, from the first to the last. */
  said() {
    return this.rows.locator(".text").allTextContents();
  }

  /** Waits until the rows say exactly this. */
  async sees(texts) {
    try {
      await this.page.waitForFunction(
        (wanted) => JSON.stringify([...document.querySelectorAll("#list .row .text")].map((node) => node.textContent)) === wanted,
        JSON.stringify(texts),
      );
    } catch {
      assert.deepEqual(await this.said(), texts);
    }
  }

  /** Waits until the connection speaks WebSocket, so that every frame from now on is seen. */
  async hasUpgraded() {
    await this.hasFrame("sent", (text) => text === "5");
  }

  /** Waits for a frame. */
  async hasFrame(direction, matches) {
    const giveUpAt = Date.now() + SEEN_WITHIN_MS;
    while (!this.frames.some(([way, text]) => way === direction && matches(text))) {
      if (Date.now() > giveUpAt) throw new Error(`there was no such frame ${direction}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The events of that name that this page was sent over its WebSocket. */
  events(name) {
    return this.frames.filter(([way, text]) => way === "received" && text.startsWith(`42["${name}"`)).map(([, text]) => text);
  }

  async #watch() {
    const { page } = this;
    page.on("pageerror", (error) => this.#faults.push(`error: ${error.stack}`));
    page.on("dialog", (dialog) => {
      this.#faults.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("console", (message) => {
      if (message.type() === "error" && !ABOUT_THE_NETWORK.test(message.text())) this.#faults.push(`console: ${message.text()}`);
    });
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => this.frames.push(["sent", String(payload)]));
      socket.on("framereceived", ({ payload }) => this.frames.push(["received", String(payload)]));
    });
    await page.exposeFunction("reportViolation", (what) => this.#faults.push(`policy: ${what}`));
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => globalThis.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
  }
}

/** Two people who know each other: ada, who set the place up, and bo, who came by her invite. */
export async function company(browser, roomcast) {
  const ada = await Person.open(browser, await roomcast.setUpLink());
  await ada.setUp();
  const bo = await Person.open(browser, await ada.invite());
  await bo.join({ name: "Bo", login: "bo" });
  return { ada, bo };
}

/**
 * Two people in one place, for the tests of one `describe`: `arrived` is given `{ browser, roomcast, ada, bo }` before the
 * first of them, and all of it is gone after the last.
 */
export function withCompany(arrived) {
  let browser;
  let roomcast;
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
    await arrived({ browser, roomcast, ...(await company(browser, roomcast)) });
  });
  after(async () => {
    await browser?.close();
    await roomcast?.remove();
  });
}
