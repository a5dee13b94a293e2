// A browser as slow as a cheap phone on a poor line, by the browser's own tools.

import { Person } from "./people.js";

export const PHONE = { width: 320, height: 640 };
const CPU_TIMES = 4;
const ROUND_TRIP_MS = 400;
/** 1.6 Mbit/s down, 0.75 up: a phone's third generation, on a good day. */
const DOWN_BYTES = 200_000;
const UP_BYTES = 94_000;

/** A person on a slow phone, and the bytes of each file that their page was sent, as they were compressed. */
export class Throttled {
  moved = new Map();

  static async open(browser, url) {
    const person = await Person.open(browser, "about:blank", PHONE, { isMobile: true, hasTouch: true });
    const phone = new Throttled();
    phone.person = person;
    const tools = await person.context.newCDPSession(person.page);
    tools.on("Network.responseReceived", ({ response }) => {
      const { pathname } = new URL(response.url);
      const bytes = Object.entries(response.headers).find(([name]) => name.toLowerCase() === "content-length");
      if (pathname !== "/socket.io/" && bytes) phone.moved.set(pathname, Number(bytes[1]));
    });
    await tools.send("Network.enable");
    await tools.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: ROUND_TRIP_MS,
      downloadThroughput: DOWN_BYTES,
      uploadThroughput: UP_BYTES,
    });
    await tools.send("Emulation.setCPUThrottlingRate", { rate: CPU_TIMES });
    await person.page.goto(url);
    return phone;
  }
}
