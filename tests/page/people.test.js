// People and their rooms: messages to one alone, rooms that nobody finds, names in texts, and how much of all that is told.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Person, withCompany } from "./support/people.js";

const PHONE = { width: 390, height: 844 };

describe("people", () => {
  let browser;
  let roomcast;
  let ada;
  let bo;
  let cem;
  withCompany(async (stage) => {
    ({ browser, roomcast, ada, bo } = stage);
    cem = await Person.open(browser, await ada.invite());
    await cem.join({ name: "Cem Yıldız", login: "cem" });
    await Promise.all([ada, bo, cem].map((person) => person.hasUpgraded()));
  });

  const general = async (person) => {
    await person.room(/^General/).click();
    await person.isIn("General");
  };

  describe("two alone", () => {
    test("a name in the drawer is the way to write to somebody, who hears of it with the first message", async () => {
      await ada.page.getByRole("button", { name: /^People/ }).click();
      await ada.page.locator("#people").getByRole("link", { name: "Bo" }).click();
      await ada.isIn("Bo");
      assert.match(ada.page.url(), /#\/dm\/2$/);
      await ada.page.getByText("Nothing here yet").waitFor();
      assert.equal(await bo.room(/^Ada/).count(), 0);
      await ada.send("between us");
      await bo.room(/^Ada.*online.*1 unread message/).click();
      await bo.isIn("Ada");
      await bo.sees(["between us"]);
      await bo.send("and nobody else");
      await ada.sees(["between us", "and nobody else"]);
      assert.equal(await cem.rooms.getByRole("list", { name: "Direct" }).count(), 0);
      assert.deepEqual(cem.events("message"), []);
    });

    test("the address of a person leads to the room of both, also for who has never written", async () => {
      await cem.page.goto(`${roomcast.url}#/dm/2`);
      await cem.isIn("Bo");
      await cem.page.reload();
      await cem.isIn("Bo");
      await cem.page.goto(`${roomcast.url}#/dm/999`);
      await cem.page.getByText("There is nobody here by that address.").waitFor();
      await general(cem);
      assert.equal(await cem.room(/^Bo/).count(), 0, "nothing was said there");
      assert.equal(await bo.room(/^Cem/).count(), 0);
    });

    test("the room in which something was said last stands first", async () => {
      await cem.page.goto(`${roomcast.url}#/dm/1`);
      await cem.isIn("Ada");
      await cem.send("may I come aboard?");
      await ada.room(/^Cem Yıldız.*1 unread/).waitFor();
      const names = () => ada.rooms.getByRole("list", { name: "Direct" }).locator(".name").allTextContents();
      assert.deepEqual(await names(), ["Cem Yıldız", "Bo"]);
      await bo.send("one more thing");
      await ada.row("one more thing").waitFor();
      assert.deepEqual(await names(), ["Bo", "Cem Yıldız"]);
    });

    test("one's own room is for notes", async () => {
      await ada.page.goto(`${roomcast.url}#/dm/1`);
      await ada.isIn("Notes to myself");
      await ada.send("buy rope");
      await ada.stands("buy rope", "sent");
      await general(ada);
    });
  });

  describe("a private room", () => {
    test("is found by nobody, and shows at once to who is added", async () => {
      await bo.rooms.getByRole("button", { name: "New room" }).click();
      const dialog = bo.page.getByRole("dialog", { name: "New room" });
      await dialog.getByLabel("Room name").fill("Crew");
      await dialog.getByLabel("Private").check();
      await dialog.getByText("Only those you add will know of it.").waitFor();
      await dialog.getByRole("button", { name: "Make room" }).click();
      await bo.isIn("Crew");
      await cem.rooms.getByRole("button", { name: "All rooms" }).click();
      const found = cem.page.getByRole("dialog", { name: "All rooms" });
      await found.getByText("General").waitFor();
      assert.equal(await found.getByText("Crew").count(), 0);
      await found.getByRole("button", { name: "Close" }).click();

      await peopleOfRoom(bo);
      await bo.page.getByRole("button", { name: "Add Cem Yıldız" }).click();
      await bo.page.getByRole("button", { name: "Remove Cem Yıldız" }).waitFor();
      await bo.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      await cem.room(/^Crew/).click();
      await cem.isIn("Crew");
      await cem.send("aye");
      await bo.sees(["aye"]);
      assert.equal(await ada.room(/^Crew/).count(), 0);
      assert.deepEqual(ada.events("message").filter((text) => text.includes("aye")), []);
    });

    test("has another name for everybody in it once its maker says so", async () => {
      await peopleOfRoom(bo);
      const dialog = bo.page.getByRole("dialog");
      await dialog.getByLabel("Room name").fill("Deck");
      await dialog.getByLabel("Topic").fill("ropes and paint");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.getByRole("button", { name: "Saved." }).waitFor();
      await dialog.getByRole("button", { name: "Close" }).click();
      await Promise.all([bo.isIn("Deck"), cem.isIn("Deck")]);
      await cem.page.getByText("ropes and paint").waitFor();
      await peopleOfRoom(cem);
      assert.equal(await cem.page.getByRole("dialog").getByLabel("Room name").count(), 0, "who did not make it only looks");
      assert.equal(await cem.page.getByRole("dialog").getByRole("button", { name: /Remove|Add/ }).count(), 0);
      await cem.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    });

    test("is gone for who was removed, who is told so", async () => {
      await peopleOfRoom(bo);
      await bo.page.getByRole("button", { name: "Remove Cem Yıldız" }).click();
      await cem.room(/^Deck/).waitFor({ state: "detached" });
      await cem.page.getByText("You are no longer in Deck.").waitFor();
      await bo.page.getByRole("button", { name: "Add Cem Yıldız" }).waitFor();
      await bo.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    });

    test("is nowhere any more for who was removed: not by its address, by search, in lists or by completion", async () => {
      await general(cem);
      const room = Number(await bo.room(/^Deck/).getAttribute("data-room"));
      for (const way of [`r/${room}`, `r/${room}/1`]) {
        await cem.page.goto(`${roomcast.url}#/${way}`);
        await cem.page.getByText("This room is private, or it is gone.").waitFor();
        await cem.page.reload();
        await cem.page.getByText("This room is private, or it is gone.").waitFor();
        await general(cem);
      }
      // What he said there himself, too.
      await cem.page.getByRole("button", { name: "Search" }).click();
      const search = cem.page.getByRole("dialog");
      await search.getByRole("radio", { name: "All rooms" }).check();
      await search.getByRole("searchbox").fill("aye");
      await search.getByText("No message has all of these words.").waitFor();
      await search.getByRole("button", { name: "Close" }).click();
      await cem.box.press("Control+k");
      await cem.page.getByRole("combobox").fill("Deck");
      await cem.page.getByText("Nothing here is called that.").waitFor();
      await cem.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      await cem.box.pressSequentially("@ad");
      await cem.page.getByRole("option", { name: /Ada/ }).waitFor();
      await cem.box.fill("");
      await cem.box.pressSequentially("#De");
      assert.equal(await cem.page.getByRole("option").count(), 0);
      await cem.box.fill("");
      // Called from inside, he hears nothing of it.
      const before = cem.frames.length;
      await bo.send("@cem would not like this");
      await bo.stands("@cem would", "sent");
      await cem.page.reload();
      await cem.isIn("General");
      assert.deepEqual(cem.frames.slice(before).filter(([, text]) => /would not like|Deck/.test(text)), []);
      await general(bo);
    });

    test("General is left by nobody", async () => {
      await bo.page.getByLabel("More about this room").click();
      await bo.page.getByRole("button", { name: "Room and people" }).waitFor();
      assert.equal(await bo.page.getByRole("button", { name: "Leave room" }).count(), 0);
      await bo.page.getByLabel("More about this room").click();
    });
  });

  describe("names", () => {
    test("are completed by keyboard, people of the room first, and mark what is meant for one", async () => {
      await ada.makeRoom("Galley");
      await cem.joinRoom("Galley");
      await ada.box.pressSequentially("soup? @");
      const list = ada.page.getByRole("listbox", { name: "People" });
      await list.getByRole("option").first().waitFor();
      const options = await list.getByRole("option").allTextContents();
      assert.deepEqual(options, ["CCem Yıldızcem", "BBobo, not in this room"]);
      assert.equal(await ada.box.getAttribute("aria-activedescendant"), "name0");
      assert.equal(await list.locator("#name0").getAttribute("aria-selected"), "true");
      await ada.page.locator("#polite").getByText("2 suggestions").waitFor();
      await ada.page.keyboard.press("ArrowDown");
      assert.equal(await ada.box.getAttribute("aria-activedescendant"), "name1");
      await ada.page.keyboard.press("ArrowUp");
      await ada.page.keyboard.press("Tab");
      assert.equal(await ada.box.inputValue(), "soup? @cem ");
      assert.equal(await ada.box.getAttribute("aria-activedescendant"), null);
      await ada.box.pressSequentially("#gen");
      await ada.page.getByRole("listbox").getByRole("option", { name: "General" }).waitFor();
      await ada.page.keyboard.press("Enter");
      assert.equal(await ada.box.inputValue(), "soup? @cem #General ");
      await ada.page.keyboard.press("Enter");
      await cem.row("soup? @cem #General").locator("a.call.to-me").waitFor();
      assert.match(await cem.row("soup?").getAttribute("class"), /called/);
      assert.doesNotMatch(await ada.row("soup?").getAttribute("class"), /called/);
      await hasRead(cem, 1);
      await cem.page.getByRole("link", { name: "#General" }).click();
      await cem.isIn("General");
    });

    test("Escape leaves the text as it is, and the list stays away from who writes no name", async () => {
      await ada.box.pressSequentially("@b");
      await ada.page.getByRole("listbox").getByRole("option", { name: "Bo" }).waitFor();
      await ada.page.keyboard.press("Escape");
      await ada.page.getByRole("listbox").waitFor({ state: "hidden" });
      assert.equal(await ada.box.inputValue(), "@b");
      await ada.box.fill("mail me@b");
      assert.equal(await ada.page.getByRole("listbox").isVisible(), false);
      await ada.box.fill("");
    });

    test("a mention is a number of its own colour, cleared by reading", async () => {
      await ada.send("@Cem Yıldız, it is hot");
      await ada.send("and good");
      await cem.room(/^Galley.*2 unread messages, you are mentioned/).waitFor();
      assert.equal(await cem.room(/^Galley/).locator(".badge.loud").textContent(), "@22 unread messages, you are mentioned");
      await cem.page.reload();
      await cem.room(/^Galley.*you are mentioned/).click();
      await hasRead(cem, 3);
      await cem.room(/^Galley$/).waitFor();
      await general(cem);
    });

    test("a name inside a word or an address is no name", async () => {
      await ada.send("ada@cem.example, @cemetery, `@`, @");
      await cem.room(/^Galley.*1 unread message$/).waitFor();
      await cem.room(/^Galley/).click();
      await cem.row("cemetery").waitFor();
      await hasRead(cem, 4);
      assert.equal(await cem.row("cemetery").locator(".call").count(), 0);
      await general(cem);
    });
  });

  describe("how much is told", () => {
    const tell = async (person, words) => {
      await person.page.getByLabel("More about this room").click();
      await person.page.locator("#more").getByLabel(words, { exact: true }).check();
      await person.page.getByLabel("More about this room").click();
    };

    test("everything, mentions, or nothing: in the title and in the list", async () => {
      const title = (wanted) => cem.page.waitForFunction((text) => document.title === text, wanted);
      await ada.send("one");
      await title("(1) General – Pier Nine");
      await cem.room(/^Galley/).click();
      await hasRead(cem, 5);
      await tell(cem, "Mentions");
      await general(cem);
      await ada.send("two");
      await cem.room(/^Galley.*1 unread message$/).waitFor();
      await title("General – Pier Nine");
      await ada.send("@cem three");
      await title("(1) General – Pier Nine");
      await cem.room(/^Galley/).click();
      await hasRead(cem, 7);
      await tell(cem, "Nothing");
      await general(cem);
      await ada.send("four");
      await cem.room(/^Galley.*1 unread message$/).waitFor();
      assert.equal(await cem.room(/^Galley/).locator(".badge").count(), 0);
      await title("General – Pier Nine");
      const icon = await cem.page.locator("link[rel=icon]").getAttribute("href");
      assert.equal(icon, "/icon.svg");
      await cem.room(/^Galley/).click();
      await hasRead(cem, 8);
      await tell(cem, "Everything");
      await general(cem);
    });

    test("who looks elsewhere is rung and sent a note, once for all tabs, and not while one of them is on screen", async () => {
      await cem.context.grantPermissions(["notifications"]);
      const tab = await cem.context.newPage();
      for (const page of [cem.page, tab]) {
        await page.addInitScript(() => {
          globalThis.notes = [];
          globalThis.Notification = class {
            static permission = "granted";
            static requestPermission = async () => "granted";
            constructor(title, options) {
              globalThis.notes.push(`${title}: ${options.body}`);
            }
          };
          document.hasFocus = () => false;
          globalThis.hide = (hidden) => {
            Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
            document.dispatchEvent(new Event("visibilitychange"));
          };
        });
      }
      await tab.goto(roomcast.url);
      await cem.page.reload();
      await cem.isIn("General");
      await cem.rooms.locator("summary").click();
      await cem.page.getByRole("button", { name: "Sound and keys" }).click();
      await cem.page.getByLabel("Show a note for what a room may tell").check();
      await cem.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      const notes = async () => [...(await cem.page.evaluate(() => globalThis.notes)), ...(await tab.evaluate(() => globalThis.notes))];

      // The one is hidden, the other on screen but without the focus: that one rings.
      await cem.page.evaluate(() => globalThis.hide(true));
      await cem.hasFrame("sent", (text) => text.includes('"visible"') && text.includes('"on":false'));
      const bell = tab.waitForRequest(/bell\.js/);
      await ada.send("@cem, come");
      await bell;
      await tab.waitForFunction(() => globalThis.notes.length === 1);
      assert.deepEqual(await notes(), ["Ada in Galley: @cem, come"]);
      await bo.page.goto(`${roomcast.url}#/dm/3`);
      await bo.isIn("Cem Yıldız");
      await bo.send("psst");
      await tab.waitForFunction(() => globalThis.notes.length === 2);
      assert.deepEqual(await notes(), ["Ada in Galley: @cem, come", "Bo: psst"]);
      await tab.close();
      await general(bo);
      await general(cem);
    });

    test("on an address that is not encrypted it is said why there are no notes", async () => {
      const plain = await Person.open(browser, roomcast.url);
      await plain.page.addInitScript(() => Object.defineProperty(globalThis, "isSecureContext", { value: false }));
      await plain.page.reload();
      await plain.signIn("bo");
      await plain.box.waitFor();
      await plain.rooms.locator("summary").click();
      await plain.page.getByRole("button", { name: "Sound and keys" }).click();
      await plain.page.getByText("encrypted addresses (https) only").waitFor();
      assert.equal(await plain.page.getByLabel("Show a note").isDisabled(), true);
      await plain.leave();
    });
  });

  describe("the list of rooms", () => {
    test("Ctrl and K leads anywhere by a few letters", async () => {
      await ada.page.keyboard.press("Control+k");
      const dialog = ada.page.getByRole("dialog", { name: "Go to" });
      const box = dialog.getByRole("combobox");
      await box.fill("yıl");
      await dialog.getByRole("option", { name: "Cem Yıldız" }).waitFor();
      assert.equal(await box.getAttribute("aria-activedescendant"), "target0");
      await ada.page.keyboard.press("Enter");
      await ada.isIn("Cem Yıldız");
      await ada.page.keyboard.press("Control+k");
      await dialog.getByRole("combobox").fill("gen");
      await dialog.getByRole("option", { name: "General" }).click();
      await ada.isIn("General");
      await ada.page.keyboard.press("Control+k");
      await dialog.getByRole("combobox").fill("zzz");
      await dialog.getByText("Nothing here is called that.").waitFor();
      await ada.page.keyboard.press("Escape");
    });

    test("Alt and the arrows go through rooms and people", async () => {
      await ada.room(/^Galley/).click();
      await ada.isIn("Galley");
      const names = await ada.rooms.locator("ul.rooms .name").allTextContents();
      assert.equal(names[0], "Galley");
      await ada.page.keyboard.press("Alt+ArrowUp");
      await ada.isIn(names.at(-1));
      await ada.page.keyboard.press("Alt+ArrowDown");
      await ada.isIn("Galley");
      await ada.page.keyboard.press("Alt+ArrowDown");
      await ada.isIn("General");
    });

    test("a question mark shows the keys, unless single keys are off", async () => {
      await bo.page.locator("#list").focus();
      await bo.page.evaluate(() => document.activeElement.blur());
      await bo.page.keyboard.press("?");
      await bo.page.getByRole("dialog", { name: "Keys" }).getByText("go to a room or a person").waitFor();
      await bo.page.keyboard.press("Escape");
      await bo.rooms.locator("summary").click();
      await bo.page.getByRole("button", { name: "Sound and keys" }).click();
      await bo.page.getByLabel(/^Single keys/).uncheck();
      await bo.page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
      await bo.page.evaluate(() => document.activeElement.blur());
      await bo.page.keyboard.press("?");
      await bo.page.keyboard.press("F6");
      assert.equal(await bo.page.getByRole("dialog").count(), 0);
    });

    test("a draft and an unsent message are seen beside the room's name", async () => {
      await ada.box.fill("half a thought");
      await ada.room(/^Galley/).click();
      await ada.isIn("Galley");
      await ada.room(/^General draft$/).waitFor();
      await general(ada);
      assert.equal(await ada.box.inputValue(), "half a thought");
      await ada.box.fill("");
    });

    test("above twelve rooms there is a box to find them by", async () => {
      const filter = ada.page.getByRole("searchbox", { name: "Find a room or a person" });
      assert.equal(await filter.isVisible(), false);
      const ids = await ada.page.evaluate(() => document.querySelectorAll("ul.rooms [data-room]").length);
      for (let n = ids; n <= 12; n += 1) await ada.makeRoom(`Room ${n}`);
      await filter.fill("gal");
      assert.deepEqual(await ada.rooms.locator("ul.rooms .name").allTextContents(), ["Galley"]);
      await filter.fill("nowhere");
      await ada.rooms.getByText("None fits.").waitFor();
      await filter.fill("bo");
      await filter.press("Enter");
      await ada.isIn("Bo");
    });

    test("a draft that is given up takes none of another room with it", async () => {
      // General is the first room; the tenth and those after it begin with the same figure.
      await ada.rooms.locator("ul.rooms [data-room^='1']:not([data-room='1'])").first().click();
      await ada.page.waitForURL(/#\/r\/1\d/);
      await ada.box.fill("to be kept");
      const kept = ada.page.url();
      await general(ada);
      await ada.box.fill("to be given up");
      await ada.box.fill("");
      await ada.page.goto(kept);
      await ada.page.reload();
      await ada.box.waitFor();
      assert.equal(await ada.box.inputValue(), "to be kept");
      await ada.box.fill("");
    });

    test("fits a phone", async () => {
      await cem.page.setViewportSize(PHONE);
      await cem.page.goto(`${roomcast.url}#/`);
      await cem.room(/^Bo/).click();
      await cem.isIn("Bo");
      await cem.page.getByRole("link", { name: /^Rooms/ }).click();
      await cem.rooms.getByRole("list", { name: "Direct" }).waitFor();
      const wide = await cem.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, "nothing is wider than the screen");
    });
  });

  test("with somebody who has left, what was said can be read, and that is all", async () => {
    await ada.page.goto(`${roomcast.url}#/dm/3`);
    await ada.isIn("Cem Yıldız");
    const drawer = ada.page.getByRole("complementary", { name: "People" });
    if (!(await drawer.isVisible())) await ada.page.getByRole("button", { name: /^People/ }).click();
    await drawer.getByRole("button", { name: "What to do about Cem Yıldız" }).click();
    await ada.page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await ada.page.getByRole("dialog", { name: "Remove Cem Yıldız?" }).getByRole("button", { name: "Remove", exact: true }).click();
    await cem.page.getByText("You have left this place").waitFor();
    await ada.page.getByText("Cem Yıldız has left. You can read what was said.").waitFor();
    assert.equal(await ada.box.isVisible(), false);
    await ada.row("may I come aboard?").waitFor();
    await ada.page.reload();
    await ada.row("may I come aboard?").waitFor();
    assert.equal(await ada.box.isVisible(), false);
    await general(ada);
    assert.equal(await ada.box.isVisible(), true);
  });

  test("nothing went wrong in any browser", async () => {
    for (const person of [ada, bo, cem]) await person.leave();
  });
});

/** Waits until somebody has read that far in the open room: it takes a second of looking. */
function hasRead(person, seq) {
  return person.hasFrame("sent", (text) => text.includes('["read"') && text.includes(`"seq":${seq}}`));
}

async function peopleOfRoom(person) {
  await person.page.getByLabel("More about this room").click();
  await person.page.getByRole("button", { name: "Room and people" }).click();
  await person.page.getByRole("dialog", { name: /^People in/ }).waitFor();
}
