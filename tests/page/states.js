// Brings the page into each of its states and draws it there, in both sizes and both schemes, for whoever works on its looks:
// `node states.js [FOLDER] [NAME…]`. `index.html` beside the pictures shows them all.
// What the server would have to be ill for is said by hand, on the way between it and the page.
// Left out: judging. No test compares pictures; a person looks at them.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { about, order, settings, shutOut } from "./support/keeping.js";
import { Person, company, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";
import { hold, overPolling, rewrite } from "./support/way.js";

const FOLDER = process.argv[2] ?? fileURLToPath(new URL("../../target/states/", import.meta.url));
const WANTED = process.argv.slice(3);
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const SCHEMES = ["light", "dark"];

const browser = await launch();
const roomcast = await Roomcast.start();
const drawn = new Map();
let ada;
let bo;

/** Who comes in by an invite, with a browser of their own. */
async function another(name, login, url) {
  const person = await Person.open(browser, url ?? (await ada.invite()));
  await person.join({ name, login });
  return person;
}

/** Bo once more, in another browser: what becomes of that page is no matter to the others. */
async function boAnew(prepare = async () => {}) {
  const person = await Person.open(browser, roomcast.url);
  await prepare(person);
  await person.signIn("bo");
  await person.box.waitFor();
  return person;
}

async function talk() {
  await ada.makeRoom("Crossing", "Who sails on Saturday, and what we still need");
  await bo.joinRoom("Crossing");
  for (const [person, text] of [
    [ada, "Morning! The forecast moved: **west 4, gusts 6** until noon."],
    [bo, "Fine by me, @ada. I bring the chart and coffee for five."],
    [ada, "The harbour office opens at 8:30: https://harbour.example/opening-hours"],
    [bo, "```\ndepth  4.5 m\nwind   W 4\n```"],
    [bo, "a line that was a mistake"],
  ]) {
    await person.send(text);
    await person.stands(text.replaceAll(/[*`]/g, "").slice(0, 12), "sent");
  }
}

async function row(person, text) {
  await person.row(text).first().hover();
  return person.row(text).first().getByRole("toolbar");
}

const menu = (person) => person.rooms.locator("summary").click();
const more = (person) => person.page.getByLabel("More about this room").click();
/** Whoever was about somebody has the drawer open. */
async function noDrawer(person) {
  const close = person.page.getByRole("complementary", { name: "People" }).getByRole("button", { name: "Close" });
  if (await close.isVisible()) await close.click();
}

const strip = (person, text) => person.page.locator("#strip").getByText(text).waitFor();

/** Each state: how somebody's page comes into it. What is left of it is undone by leaving, or by the second function. */
const STATES = {
  // ── the strip and the line (chat.md, 3.9) ──
  connecting: async () => {
    const person = await boAnew();
    await person.page.clock.install();
    await hold(person, () => true);
    await person.page.reload();
    await person.page.locator("#skeleton").waitFor();
    return person;
  },
  slow: async () => {
    const person = await boAnew();
    await hold(person, () => true);
    await person.page.reload();
    await strip(person, "Connecting…");
    return person;
  },
  reconnecting: async () => {
    const person = await boAnew();
    await roomcast.kill();
    await strip(person, "Connection lost.");
    await person.send("written while the line is gone");
    await person.stands("written while", "waiting");
    return [person, () => roomcast.start()];
  },
  offline: async () => {
    const person = await boAnew();
    await person.context.setOffline(true);
    await strip(person, "You are offline.");
    return person;
  },
  "catching-up": async () => {
    const person = await boAnew(overPolling);
    await person.row("a line that was a mistake").waitFor();
    await hold(person, (body) => /"sync"/.test(body));
    await person.context.setOffline(true);
    await strip(person, "You are offline.");
    await ada.send("said while bo was away");
    await ada.stands("said while bo", "sent");
    await person.context.setOffline(false);
    await strip(person, "Catching up…");
    return person;
  },
  restarting: async () => {
    const person = await boAnew();
    await roomcast.terminate();
    await strip(person, "The server is restarting");
    return [person, () => roomcast.start()];
  },
  "signed-out": async () => {
    const person = await boAnew();
    await person.box.fill("half a thought");
    await person.page.evaluate(() => fetch("/session/end", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" }));
    await person.bar.waitFor();
    return person;
  },
  removed: async () => {
    const person = await another("Cem Yıldız", "cem");
    await shutOut(ada, "Cem Yıldız", "Remove");
    await noDrawer(ada);
    await person.page.getByRole("heading", { name: "You have left this place" }).waitFor();
    return person;
  },
  banned: async () => {
    const person = await another("Dora", "dora");
    await shutOut(ada, "Dora", "Ban");
    await noDrawer(ada);
    await person.page.getByRole("heading", { name: "This account is closed" }).waitFor();
    return person;
  },
  "new-version": async () => {
    const person = await boAnew(overPolling);
    await rewrite(person, /"build":"\w+"/, '"build":"another"');
    await roomcast.kill();
    await roomcast.start();
    await strip(person, "A new version is ready.");
    return person;
  },
  insecure: async () => {
    const person = await boAnew();
    // Of another address than this machine's own, as far as the page can tell.
    await person.page.evaluate(() => {
      const words = document.createElement("span");
      words.textContent = "This address is not encrypted. Passwords can be read on the network. Fine at home, not on the internet.";
      const button = Object.assign(document.createElement("button"), { className: "link", textContent: "Understood" });
      document.getElementById("strip").replaceChildren(words, button);
    });
    return person;
  },

  // ── a message on its way ──
  sending: async () => {
    const person = await boAnew(overPolling);
    await hold(person, (body) => /"send"/.test(body));
    await person.send("on its way, and no answer yet");
    await person.page.locator(".fate.ring").waitFor();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return person;
  },
  failed: async () => {
    const person = await another("Eve", "eve");
    await order(ada, "Eve", "1 hour", "Muted.");
    await noDrawer(ada);
    await person.send("may I say something?");
    await person.stands("may I say", "failed");
    return person;
  },
  "slow-down": async () => {
    const person = await boAnew();
    await person.sendAll(Array.from({ length: 9 }, (_, n) => `quick word ${n + 1}`));
    await person.page.getByText(/^Slow down a little\. Sends in/).first().waitFor();
    return person;
  },
  full: async () => {
    const person = await boAnew(async (person) => {
      await overPolling(person);
      await rewrite(person, /\[\{[^[\]]*"dup":false[^[\]]*\}\]/, '[{"ok":false,"code":"full","retryMs":60000}]');
    });
    await person.send("the disk has no room for this");
    await person.page.getByText("The server is out of space.").waitFor();
    return person;
  },
  "too-long": async () => {
    const person = await boAnew();
    await person.box.fill("many words ".repeat(420));
    await person.page.getByRole("button", { name: "Send" }).click();
    await person.page.getByText(/Shorten it\./).waitFor();
    return person;
  },
  editing: async () => {
    const person = await boAnew();
    await (await row(person, "Fine by me")).getByRole("button", { name: "Edit" }).click();
    await person.page.getByText(/^Editing your message/).waitFor();
    return person;
  },
  deeds: async () => {
    const person = await boAnew();
    await person.row("Fine by me").first().focus();
    await person.row("Fine by me").getByRole("toolbar").waitFor();
    return person;
  },
  deleted: async () => {
    const person = await boAnew();
    await person.page.clock.install();
    await (await row(person, "a line that was a mistake")).getByRole("button", { name: "Delete" }).click();
    await person.page.getByRole("button", { name: "Undo" }).waitFor();
    return [person, () => person.page.getByRole("button", { name: "Undo" }).click()];
  },

  // ── doors ──
  "first-run": async () => Person.open(browser, first),
  door: async () => {
    const person = await Person.open(browser, roomcast.url);
    await person.bar.waitFor();
    return person;
  },
  "wrong-password": async () => {
    const person = await Person.open(browser, roomcast.url);
    await person.signIn("nobody", "guess again");
    await person.page.getByText("Login or password is not right.").waitFor();
    return person;
  },
  join: async () => {
    const person = await Person.open(browser, await ada.invite());
    const form = person.page.getByRole("form", { name: /^Come aboard/ });
    await form.getByLabel("Login").fill("ada");
    await form.getByLabel("Your name").fill("Ada");
    await form.getByLabel("Password", { exact: true }).fill("harbour-1");
    await form.getByRole("button", { name: "Join" }).click();
    await person.page.getByText("That login is taken.").waitFor();
    return person;
  },
  "ask-invite": async () => {
    const person = await Person.open(browser, roomcast.url);
    await person.page.getByRole("button", { name: "I have an invite" }).click();
    await person.page.getByLabel("Invite link or code").waitFor();
    return person;
  },

  // ── rooms and people ──
  room: async () => boAnew(),
  rooms: async () => {
    // A wide page always has a room open.
    const person = await boAnew();
    await person.page.setViewportSize(SIZES.phone);
    await person.page.goto(`${roomcast.url}#/`);
    await draw(person, "rooms", ["phone"]);
    return person;
  },
  empty: async () => {
    const person = await boAnew();
    await person.makeRoom("Empty locker");
    await person.page.getByText("Nothing here yet.").waitFor();
    return [person, () => person.leaveRoom()];
  },
  offer: async () => {
    const person = await another("Flo", "flo");
    await person.page.goto(`${roomcast.url}#/r/2`);
    await person.page.getByText("You are not in Crossing yet.").waitFor();
    return person;
  },
  nowhere: async () => {
    const person = await boAnew();
    await person.page.goto(`${roomcast.url}#/r/999`);
    await person.page.getByText("This room is private, or it is gone.").waitFor();
    return person;
  },
  found: async () => {
    const person = await boAnew();
    await person.page.goto(`${roomcast.url}#/r/2/3`);
    await person.page.locator(".row.found").waitFor();
    return person;
  },
  people: async () => {
    await ada.page.getByRole("button", { name: /^People/ }).click();
    await ada.page.getByRole("complementary", { name: "People" }).waitFor();
    return [ada, () => noDrawer(ada)];
  },
  "about-person": async () => {
    const dialog = await about(ada, "Bo");
    await dialog.getByRole("button", { name: "1 hour" }).waitFor();
    return [ada, () => dialog.getByRole("button", { name: "Close" }).click().then(() => noDrawer(ada))];
  },
  "menu-me": async () => {
    await menu(ada);
    await ada.page.getByRole("button", { name: "Settings" }).waitFor();
    return [ada, () => menu(ada)];
  },
  "menu-room": async () => {
    await ada.room(/^Crossing/).click();
    await more(ada);
    await ada.page.getByRole("button", { name: "Room and people" }).waitFor();
    return [ada, () => more(ada)];
  },

  // ── dialogs ──
  settings: async () => dialogOf(ada, settings(ada)),
  sounds: async () => {
    await menu(ada);
    await ada.page.getByRole("button", { name: "Sound and keys" }).click();
    return dialogOf(ada);
  },
  "new-room": async () => {
    await ada.rooms.getByRole("button", { name: "New room" }).click();
    return dialogOf(ada);
  },
  "all-rooms": async () => {
    await ada.rooms.getByRole("button", { name: "All rooms" }).click();
    return dialogOf(ada, ada.page.getByRole("dialog").getByText("Crossing").waitFor());
  },
  invite: async () => {
    await ada.rooms.getByRole("button", { name: "Invite" }).click();
    return dialogOf(ada, ada.page.getByRole("dialog").getByLabel("Invite link").waitFor());
  },
  "room-about": async () => {
    await more(ada);
    await ada.page.getByRole("button", { name: "Room and people" }).click();
    return dialogOf(ada, ada.page.getByRole("dialog").getByText("Bo").first().waitFor());
  },
  leave: async () => {
    await more(bo);
    await bo.page.getByRole("button", { name: "Leave room" }).click();
    return dialogOf(bo);
  },
  keys: async () => {
    await ada.page.locator("#list .row").last().focus();
    await ada.page.keyboard.press("?");
    return dialogOf(ada);
  },
  switcher: async () => {
    await ada.box.press("Control+k");
    return dialogOf(ada, ada.page.getByRole("option").first().waitFor(), "Escape");
  },
  search: async () => {
    await ada.page.getByRole("button", { name: "Search" }).click();
    await ada.page.getByRole("searchbox").fill("harbour");
    return dialogOf(ada, ada.page.getByRole("dialog").getByRole("link").first().waitFor());
  },
  "search-none": async () => {
    await ada.page.getByRole("button", { name: "Search" }).click();
    await ada.page.getByRole("searchbox").fill("submarine");
    return dialogOf(ada, ada.page.getByText(/^No message has all/).waitFor());
  },
  completion: async () => {
    await ada.box.pressSequentially("thank you @");
    await ada.page.getByRole("option").first().waitFor();
    return [ada, () => ada.box.fill("")];
  },
};

/** A dialog that is open, and closed again when it was drawn. */
async function dialogOf(person, ready, key) {
  await person.page.getByRole("dialog").waitFor();
  await ready;
  const close = () => person.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  return [person, () => (key ? person.page.keyboard.press(key) : close())];
}

async function draw(person, name, sizes = Object.keys(SIZES)) {
  if (drawn.has(name)) return;
  drawn.set(name, []);
  const tools = await person.context.newCDPSession(person.page);
  for (const size of sizes) {
    await person.page.setViewportSize(SIZES[size]);
    await tools.send("Emulation.setTouchEmulationEnabled", { enabled: size === "phone" });
    for (const colorScheme of SCHEMES) {
      await person.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const file = `${name}-${size}-${colorScheme}.png`;
      await person.page.screenshot({ path: join(FOLDER, file) });
      drawn.get(name).push(file);
    }
  }
  await person.page.setViewportSize(SIZES.desktop);
  await tools.send("Emulation.setTouchEmulationEnabled", { enabled: false });
  await tools.detach();
}

let first;
try {
  await mkdir(FOLDER, { recursive: true });
  first = await roomcast.setUpLink();
  if (WANTED.length === 0 || WANTED.includes("first-run")) {
    const door = await STATES["first-run"]();
    await door.page.getByRole("form").waitFor();
    await draw(door, "first-run");
    await door.context.close();
  }
  ({ ada, bo } = await company(browser, roomcast));
  await talk();
  for (const [name, come] of Object.entries(STATES)) {
    if (name === "first-run" || (WANTED.length > 0 && !WANTED.includes(name))) continue;
    const came = await come().catch((error) => console.error(`${name}: ${error.message}`));
    if (!came) continue;
    const [person, undo] = [came].flat();
    await draw(person, name);
    await undo?.();
    if (person !== ada && person !== bo) await person.context.close();
  }
  const figure = (file) => `<img src="${file}" height="400">`;
  const section = ([name, files]) => `<h2 id="${name}">${name}</h2><p>${files.map(figure).join("")}</p>`;
  await writeFile(join(FOLDER, "index.html"), `<!doctype html><title>States</title>${[...drawn].map(section).join("")}`);
} finally {
  await browser.close();
  await roomcast.remove();
}
