// An example under test: a process of its own, on a port nobody else uses.

import { spawn } from "node:child_process";
import { once } from "node:events";

import { answers, freePorts } from "../../support/ports.mjs";
import { TARGET } from "./server.js";

const HOST = "127.0.0.1";

export class Example {
  #child;

  static async start(name) {
    const example = new Example();
    example.port = await freePorts();
    example.#child = spawn(`${TARGET}/debug/examples/${name}`, [`${HOST}:${example.port}`], { stdio: "ignore" });
    const failed = new Promise((_, reject) => {
      example.#child.once("error", reject);
      example.#child.once("exit", (code, signal) => reject(new Error(`the example ended (${code ?? signal})`)));
    });
    // After the start, an end is the tests' own doing.
    failed.catch(() => {});
    await Promise.race([failed, answers(example.port)]);
    return example;
  }

  get url() {
    return `http://${HOST}:${this.port}`;
  }

  async kill() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
