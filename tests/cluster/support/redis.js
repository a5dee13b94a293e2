// A Redis of our own, on a port nobody else uses, without a file: it can be stopped, held and started again.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";

import { createClient } from "redis";

import { answers, freePorts } from "../../support/ports.mjs";

export class Redis {
  #child = null;
  #options;

  static async start() {
    const redis = await Redis.later();
    await redis.start();
    return redis;
  }

  /** One that has a port, and is not there yet. */
  static async later() {
    const redis = new Redis();
    redis.port = await freePorts();
    redis.url = `redis://127.0.0.1:${redis.port}`;
    redis.#options = ["--port", String(redis.port)];
    return redis;
  }

  /** One that speaks TLS and nothing else, by `certificate` (./certificates.js). */
  static async sealed(certificate) {
    const redis = await Redis.later();
    redis.#options = ["--tls-port", String(redis.port), "--port", "0", "--tls-auth-clients", "no"];
    const { authority, signed, key } = certificate;
    redis.#options.push("--tls-ca-cert-file", authority, "--tls-cert-file", signed, "--tls-key-file", key);
    redis.url = `rediss://127.0.0.1:${redis.port}`;
    await redis.start();
    return redis;
  }

  async start() {
    const options = [...this.#options, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
    this.#child = spawn("redis-server", options, { stdio: "ignore" });
    await answers(this.port);
  }

  /** Ends it as a crash would: every connection, every subscription and every key is gone. */
  async kill() {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** It goes on to be there, and does nothing. */
  hold() {
    this.#child.kill("SIGSTOP");
  }

  release() {
    this.#child.kill("SIGCONT");
  }

  /** Runs commands beside everybody. */
  async client() {
    return createClient({ url: this.url }).connect();
  }
}

/** Whether there is a Redis on this machine that knows sharded channels; it is no fault of a test if there is not. */
export function version() {
  const words = execFileSync("redis-server", ["--version"], { encoding: "utf8" });
  return Number(/v=(\d+)/.exec(words)[1]);
}
