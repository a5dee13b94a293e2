// Draws the page in both sizes and both schemes, for the README and for whoever works on it: `node pictures.js [FOLDER]`.
// The people and their words are always the same; only the times differ.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Person, company, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

const FOLDER = process.argv[2] ?? fileURLToPath(new URL("../../target/pictures/", import.meta.url));
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const SCHEMES = ["light", "dark"];

const browser = await launch();
const roomcast = await Roomcast.start();
try {
  await mkdir(FOLDER, { recursive: true });
  const door = await Person.open(browser, await roomcast.setUpLink());
  await draw(door, "first");
  await door.leave();
  const { ada, bo } = await company(browser, roomcast);
  await talk(ada, bo, await Person.open(browser, await ada.invite()));
  await draw(ada, "room");
  await ada.page.setViewportSize(SIZES.phone);
  await ada.page.goto(roomcast.url);
  await draw(ada, "rooms", ["phone"]);
  await ada.page.goto(`${roomcast.url}admin#/now`);
  await ada.page.locator("[data-figure=online] .unit").getByText("of 3").waitFor();
  await draw(ada, "admin");
  const stranger = await Person.open(browser, roomcast.url);
  await stranger.bar.waitFor();
  await draw(stranger, "signed-out");
  for (const person of [stranger, ada, bo]) await person.leave();
} finally {
  await browser.close();
  await roomcast.remove();
}

/** A morning in three rooms, so that there is something to see. */
async function talk(ada, bo, cem) {
  await cem.join({ name: "Cem Yıldız", login: "cem" });
  await ada.makeRoom("Crossing", "Who sails on Saturday, and what we still need");
  await ada.makeRoom("Galley");
  await bo.joinRoom("Galley");
  await bo.send("the stove is fixed");
  await ada.row("the stove is fixed").waitFor();
  for (const person of [bo, cem]) await person.joinRoom("Crossing");
  await ada.room(/^Crossing/).click();
  await ada.isIn("Crossing");
  const lines = [
    [ada, "Morning! The forecast moved: **west 4, gusts 6** until noon."],
    [ada, "I would rather leave at `09:30` and take the tide along."],
    [bo, "Fine by me, @ada. I bring the chart and coffee for five."],
    [cem, "Can somebody pick me up at the station at 8? I have the new sail with me, it is about two metres long and I will not get it on the bus."],
    [bo, "I have the van. 8 it is, platform side."],
    [cem, "Perfect, thank you"],
    [ada, "The harbour office opens at 8:30: https://harbour.example/opening-hours"],
    [ada, "Then nobody is late. See you on Saturday!"],
  ];
  for (const [person, text] of lines) {
    await person.send(text);
    await ada.row(text.replaceAll(/[*`]|, @ada.*/g, "").slice(0, 30)).first().waitFor();
  }
  await bo.room(/^Galley/).click();
  await bo.isIn("Galley");
  await bo.send("who has the big pot?");
  await ada.room(/Galley.*unread/).waitFor();
  await bo.page.goto(`${roomcast.url}#/dm/1`);
  await bo.box.waitFor();
  await bo.send("I found your hat");
  await ada.room(/^Bo/).waitFor();
  await cem.box.pressSequentially("I");
  await ada.page.getByText("Cem Yıldız is typing").waitFor();
}

async function draw(person, name, sizes = Object.keys(SIZES)) {
  for (const size of sizes) {
    await person.page.setViewportSize(SIZES[size]);
    for (const scheme of SCHEMES) {
      await person.page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await person.page.screenshot({ path: join(FOLDER, `${name}-${size}-${scheme}.png`) });
    }
  }
}
