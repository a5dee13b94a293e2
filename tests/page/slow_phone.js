// How long a slow phone takes, printed: `node slow_phone.js`. Times depend on the machine, so no test holds them to anything.

import { company, launch } from "./support/people.js";
import { Throttled } from "./support/phone.js";
import { Roomcast } from "./support/roomcast.js";

// As many as one person may say.
const MESSAGES_A_SECOND = 1;
const KEYS = 60;

const browser = await launch();
const roomcast = await Roomcast.start();
try {
  const { ada } = await company(browser, roomcast);
  await roomcast.terminate();
  await roomcast.fill(60, 0);
  await roomcast.start();
  await ada.row("Entry 60:").waitFor();

  let began = performance.now();
  const phone = await Throttled.open(browser, roomcast.url);
  const { person } = phone;
  await person.bar.waitFor();
  console.log(`from nothing to the sign-in bar: ${Math.round(performance.now() - began)} ms`);
  began = performance.now();
  await person.signIn("bo");
  await person.room(/^General/).click();
  await person.row("Entry 60:").waitFor();
  console.log(`from signing in to a room that can be written in: ${Math.round(performance.now() - began)} ms`);
  began = performance.now();
  await person.page.reload();
  await person.row("Entry 60:").waitFor();
  console.log(`a second visit: ${Math.round(performance.now() - began)} ms`);

  // How long a key takes to show, while others write.
  let isOver = false;
  const others = (async () => {
    for (let at = 0; !isOver; at += 1) {
      await ada.box.fill(`meanwhile ${at}`);
      await ada.box.press("Enter");
      await new Promise((resolve) => setTimeout(resolve, 1_000 / MESSAGES_A_SECOND));
    }
  })();
  await person.page.evaluate(() => {
    globalThis.delays = [];
    document.querySelector("#write textarea").addEventListener("input", (event) => {
      requestAnimationFrame(() => globalThis.delays.push(performance.now() - event.timeStamp));
    });
  });
  for (let at = 0; at < KEYS; at += 1) await person.box.press("a", { delay: 30 });
  const delays = (await person.page.evaluate(() => globalThis.delays)).sort((a, b) => a - b);
  console.log(`a key shows after: median ${Math.round(delays[delays.length >> 1])} ms, p95 ${Math.round(delays[Math.floor(delays.length * 0.95)])} ms`);
  isOver = true;
  await others;
} finally {
  await browser.close();
  await roomcast.remove();
}
