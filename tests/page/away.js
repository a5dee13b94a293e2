// What it costs a tab to come back after so many messages in its open room, printed: `node away.js [COUNT…]`.
// Times depend on the machine, so no test holds them to anything. From a thousand on the room begins anew with its last page.

import { company, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

const COUNTS = process.argv.slice(2).map(Number);
const BEFORE = 60;

const browser = await launch();
const roomcast = await Roomcast.start();
try {
  const { ada, bo } = await company(browser, roomcast);
  await bo.leave();
  let there = BEFORE;
  await roomcast.terminate();
  await roomcast.fill(there, 0);
  await roomcast.start();
  await ada.row(`Entry ${there}:`).waitFor();
  for (const count of COUNTS.length > 0 ? COUNTS : [10, 100, 999, 1_001, 10_000]) {
    await ada.hasUpgraded();
    await ada.page.waitForFunction(() => document.getElementById("strip").childElementCount === 0);
    const tools = await ada.context.newCDPSession(ada.page);
    await tools.send("Network.enable");
    let bytes = 0;
    let asked = 0;
    tools.on("Network.dataReceived", ({ dataLength }) => (bytes += dataLength));
    tools.on("Network.webSocketFrameReceived", ({ response }) => (bytes += response.payloadData.length));
    tools.on("Network.webSocketFrameSent", ({ response }) => (asked += /"(hello|sync|history)"/.test(response.payloadData)));
    tools.on("Network.requestWillBeSent", ({ request }) => (asked += (request.postData?.match(/"(hello|sync|history)"/g) ?? []).length));
    await ada.context.setOffline(true);
    await roomcast.kill();
    there += count;
    await roomcast.fill(there, 0);
    await roomcast.start();
    // What the page does from the moment on at which the network is there again.
    const shown = ada.page.evaluate(
      (last) =>
        new Promise((resolve) => {
          let began = 0;
          let longest = 0;
          new PerformanceObserver((list) => {
            for (const task of list.getEntries()) if (began > 0) longest = Math.max(longest, task.duration);
          }).observe({ type: "longtask" });
          addEventListener("online", () => (began = performance.now()), { once: true });
          const look = () => {
            const row = [...document.querySelectorAll("#list .row")].at(-1);
            if (began === 0 || !row?.textContent.includes(`Entry ${last}:`)) return requestAnimationFrame(look);
            requestAnimationFrame(() => resolve([performance.now() - began, longest, document.querySelectorAll("#list .row").length]));
          };
          look();
        }),
      there,
    );
    await ada.context.setOffline(false);
    const [ms, longest, rows] = await shown;
    await tools.detach();
    console.log(
      `${count} messages: shown after ${Math.round(ms)} ms, ${Math.round(bytes / 1024)} KB in ${asked} questions, longest task ${Math.round(longest)} ms, ${rows} rows on the page`,
    );
  }
} finally {
  await browser.close();
  await roomcast.remove();
}
