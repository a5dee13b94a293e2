// The examples do what they say, and the README's program prints what the README says.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, test } from "node:test";

import { Clients, arrive, heard, heardTimes } from "./support/client.js";
import { Example } from "./support/example.js";

const HERE = fileURLToPath(new URL("./", import.meta.url));
const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const run = promisify(execFile);

/** Starts an example for each test of a description, with clients that are gone at the end. */
function withExample(name) {
  const stage = {};
  beforeEach(async () => {
    stage.example = await Example.start(name);
    stage.clients = new Clients(stage.example, "upgrade");
  });
  afterEach(async () => {
    stage.clients.leave();
    await stage.example.kill();
  });
  return stage;
}

describe("hello", () => {
  const stage = withExample("hello");

  test("prints what the README says", async () => {
    const readme = await readFile(README, "utf8");
    const program = readme.match(/```js\n(.*?)```/s)[1];
    assert.ok(program.includes("http://127.0.0.1:3000"));
    const said = [...program.matchAll(/\/\/ (.*)$/gm)].map(([, line]) => line);
    const here = program.replaceAll("http://127.0.0.1:3000", stage.example.url);
    const { stdout } = await run("node", ["--input-type=module", "--eval", here], { cwd: HERE, timeout: 10_000 });
    assert.deepEqual(stdout.trimEnd().split("\n"), said);
    assert.ok(said.length > 3);
  });
});

describe("private messages", () => {
  const stage = withExample("private_messages");

  test("all windows of one person hear what is said to them, and nobody else", async () => {
    const enter = (name) => stage.clients.connect("/", { auth: { name } });
    const [ada, bo, bosPhone, cem] = [await enter("ada"), await enter("bo"), await enter("bo"), await enter("cem")];
    cem.on("private message", () => assert.fail("not for cem"));
    const said = [heard(bo, "private message"), heard(bosPhone, "private message")];
    assert.equal(await ada.emitWithAck("private message", "bo", "hello"), true);
    assert.deepEqual(await Promise.all(said), [["ada", "bo", "hello"], ["ada", "bo", "hello"]]);
    const shown = heard(bosPhone, "private message");
    await bo.emitWithAck("private message", "ada", "and you");
    assert.deepEqual(await shown, ["bo", "ada", "and you"]);
    assert.equal(await ada.emitWithAck("private message", "nobody", "hello"), false);
    assert.equal(await ada.emitWithAck("private message", cem.id, "by its id"), false);
    assert.equal(await cem.emitWithAck("private message", "nobody", "nothing came before this"), false);
  });

  test("everybody is told who is there", async () => {
    const ada = stage.clients.make("/", { auth: { name: "ada" } });
    const came = heardTimes(ada, "people", 2);
    await arrive(ada);
    const bo = await stage.clients.connect("/", { auth: { name: "bo" } });
    assert.deepEqual(await came, [[["ada"]], [["ada", "bo"]]]);
    const left = heard(ada, "people");
    bo.disconnect();
    assert.deepEqual(await left, [["ada"]]);
  });

  test("who has no name is refused", async () => {
    await assert.rejects(stage.clients.connect("/", { auth: { name: " " } }), { message: "who are you?" });
  });
});

describe("rooms", () => {
  const stage = withExample("rooms");

  test("members are counted, heard, and gone when their connection is", async () => {
    const [ada, bo] = [await stage.clients.connect("/"), await stage.clients.connect("/")];
    const counted = heardTimes(ada, "members", 2);
    assert.deepEqual(await ada.emitWithAck("join", "#tea"), ["#tea"]);
    assert.deepEqual(await bo.emitWithAck("join", "#tea"), ["#tea"]);
    assert.deepEqual(await counted, [["#tea", 1], ["#tea", 2]]);
    const said = heard(ada, "said");
    bo.emit("say", "#tea", "hello");
    assert.deepEqual(await said, ["#tea", bo.id, "hello"]);
    const left = heard(ada, "members");
    bo.disconnect();
    assert.deepEqual(await left, ["#tea", 1]);
    assert.deepEqual(await ada.emitWithAck("join", "no mark"), ["#tea"]);
    assert.deepEqual(await ada.emitWithAck("leave", "#tea"), []);
  });
});

describe("game tick", () => {
  const stage = withExample("game_tick");

  test("a player moves as it is steered", async () => {
    const ada = await stage.clients.connect("/");
    const [[first, [[id, x, y]]]] = await heardTimes(ada, "tick", 1);
    assert.deepEqual([id, x, y], [ada.id, 0, 0]);
    ada.emit("steer", 1, 0);
    for (let at = 0; at < 9; ) {
      const [number, [place]] = await heard(ada, "tick");
      assert.ok(number > first && place[1] >= at && place[2] === 0);
      at = place[1];
    }
  });
});

describe("worker job", () => {
  const stage = withExample("worker_job");

  test("a prime comes home, and the loop answers others meanwhile", async () => {
    const ada = await stage.clients.connect("/");
    const answers = [];
    const prime = ada.emitWithAck("prime", 200_000).then((answer) => answers.push(answer));
    await ada.emitWithAck("ping").then((answer) => answers.push(answer));
    await prime;
    assert.deepEqual(answers, ["pong", { prime: 2_750_159 }]);
    assert.deepEqual(await ada.emitWithAck("prime", 10_000), { prime: 104_729 });
    assert.deepEqual(await ada.emitWithAck("prime", 0), { error: "from the 1st to the 1000000th" });
  });
});

describe("http and socketio", () => {
  const stage = withExample("http_and_socketio");

  test("what is posted is heard, and kept for those who come later", async () => {
    const { url } = stage.example;
    const post = (board, options = {}) => fetch(`${url}/boards/${board}`, { method: "POST", body: "it works", ...options });
    assert.deepEqual(await (await fetch(`${url}/boards`)).json(), ["news"]);
    const ada = await stage.clients.connect("/");
    assert.deepEqual(await ada.emitWithAck("read", "news"), []);
    assert.equal(await ada.emitWithAck("read", "nothing"), null);
    const posted = heard(ada, "posted");
    assert.deepEqual(await (await post("news")).json(), { number: 1, readers: 1 });
    assert.deepEqual(await posted, ["news", 1, "it works"]);
    assert.deepEqual(await (await fetch(`${url}/boards/news`)).json(), ["it works"]);
    const { headers, body } = await fetch(`${url}/stream/news`);
    assert.equal(headers.get("content-type"), "text/event-stream");
    assert.deepEqual(await (await post("news")).json(), { number: 2, readers: 1 });
    const events = body.getReader();
    const { value } = await events.read();
    assert.equal(new TextDecoder().decode(value), 'data: "it works"\n\n');
    await events.cancel();
    assert.equal((await fetch(`${url}/stream/nothing`)).status, 404);
    assert.equal((await post("nothing")).status, 404);
    assert.equal((await post("news", { headers: { origin: "http://elsewhere.example" } })).status, 403);
  });
});
