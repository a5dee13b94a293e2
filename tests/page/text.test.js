// What people write, as it is shown: code, fences, bold, italic and links, and nothing else, in a real document.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Person, launch } from "./support/people.js";
import { Roomcast } from "./support/roomcast.js";

const link = (href, text = href) => `<a href="${href}" rel="noopener noreferrer nofollow ugc" target="_blank">${text}</a>`;

const TABLE = [
  // Code.
  ["run `ls -l` now", "run <code>ls -l</code> now"],
  ["`**not bold**`", "<code>**not bold**</code>"],
  ["one ` alone", "one ` alone"],
  ["empty `` is two", "empty `` is two"],
  ["```\na < b\n```", "<pre><code>a &lt; b</code></pre>"],
  ["```rust\nfn main() {}\n```", "<pre><code>fn main() {}</code></pre>"],
  ["before\n```\n*x*\n```\nafter", "before<pre><code>*x*</code></pre>after"],
  ["``` never closed", "``` never closed"],
  ["```a``` and ``` b", "<pre><code>a</code></pre> and ``` b"],
  // Bold and italic.
  ["**bold** and *italic* and _italic_", "<strong>bold</strong> and <em>italic</em> and <em>italic</em>"],
  ["**bold with *italic* in it**", "<strong>bold with <em>italic</em> in it</strong>"],
  ["2 * 3 * 4, a*b*c, snake_case_name", "2 * 3 * 4, a*b*c, snake_case_name"],
  ["größe_x_y and x_größe_", "größe_x_y and x_größe_"],
  ["*open, **open, _open", "*open, **open, _open"],
  ["*no\nline break*", "*no\nline break*"],
  ["(*yes*), \"_yes_\"!", '(<em>yes</em>), "<em>yes</em>"!'],
  ["* list * of * stars", "* list * of * stars"],
  ["____ **** __", "____ **** __"],
  ["__proto__ ***x***", "__proto__ ***x***"],
  ["**_both_** and _**both**_", "<strong><em>both</em></strong> and <em><strong>both</strong></em>"],
  // Links.
  ["see https://a.example/x_y_z.", `see ${link("https://a.example/x_y_z")}.`],
  ["(https://a.example/(x))", `(${link("https://a.example/(x)")})`],
  ["mailto:a@b.example!", `${link("mailto:a@b.example")}!`],
  ["HTTPS://A.example", link("https://a.example/", "HTTPS://A.example")],
  ["xhttps://a.example", "xhttps://a.example"],
  ["javascript:alert(1) data:text/html,x ftp://a.example file:///etc", "javascript:alert(1) data:text/html,x ftp://a.example file:///etc"],
  ["[text](javascript:alert(1))", "[text](javascript:alert(1))"],
  ["https://bank.example@evil.example/", `${link("https://bank.example@evil.example/")}<span class="target"> (evil.example)</span>`],
  ["https://аpple.example", `${link("https://xn--pple-43d.example/", "https://аpple.example")}<span class="target"> (xn--pple-43d.example)</span>`],
  ['https://a.example/"onmouseover="x', `${link("https://a.example/")}"onmouseover="x`],
  ["https://a.example/\u202egpj.exe", `${link("https://a.example/")}\u202egpj.exe`],
  ["https://", "https://"],
  ["**https://a.example**", `<strong>${link("https://a.example/", "https://a.example")}</strong>`],
  // And nothing else.
  ["# no heading\n- no list\n> no quote", "# no heading\n- no list\n&gt; no quote"],
  ["<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"],
  ["a\u0000b", "a\u0000b"],
  ["\ud800 half", "\ud800 half"],
  ["", ""],
];

const EMOJI = [
  ["🌊", true],
  ["🌊🌊 🚢", true],
  ["👩‍🚀👍🏽❤️", true],
  ["🇩🇪🇫🇷", true],
  ["1️⃣#️⃣", true],
  ["🏴󠁧󠁢󠁳󠁣󠁴󠁿", true],
  ["🌊🌊🌊🌊🌊🌊", true],
  ["🌊🌊🌊🌊🌊🌊🌊", false],
  ["🌊 high", false],
  ["12", false],
  ["", false],
];

describe("a text", () => {
  let browser;
  let roomcast;
  let person;
  before(async () => {
    [browser, roomcast] = await Promise.all([launch(), Roomcast.start()]);
    person = await Person.open(browser, roomcast.url);
  });
  after(async () => {
    await browser.close();
    await roomcast.remove();
  });

  test("has code, bold, italic and links, and is otherwise what was written", async () => {
    const shown = await person.page.evaluate(async (texts) => {
      const { render } = await import("/text.js");
      return texts.map((text) => {
        const box = document.createElement("div");
        box.append(...render(text));
        return [box.innerHTML, box.textContent];
      });
    }, TABLE.map(([text]) => text));
    TABLE.forEach(([text, html], i) => assert.equal(shown[i][0], html, JSON.stringify(text)));
  });

  test("is large if it is nothing but a few emoji", async () => {
    const large = await person.page.evaluate(async (texts) => {
      const { onlyEmoji } = await import("/text.js");
      return texts.map(onlyEmoji);
    }, EMOJI.map(([text]) => text));
    EMOJI.forEach(([text, wanted], i) => assert.equal(large[i], wanted, text));
  });

  test("of four thousand signs of any kind is taken apart in no time to speak of", async () => {
    const parts = await person.page.evaluate(async () => {
      const { render, onlyEmoji } = await import("/text.js");
      const texts = ["*a ", "**", "_a", "`", "```", "https://a(", "🌊", "h", "*_", "a*"];
      return texts.map((text) => {
        const long = text.repeat(4_000 / text.length);
        onlyEmoji(long);
        return render(long).length;
      });
    });
    assert.ok(parts.every((count) => count >= 1), String(parts));
  });

  test("a name loses what turns the text around it, and stands in its line", async () => {
    const names = await person.page.evaluate(async (typed) => {
      const { cleanName } = await import("/text.js");
      return typed.map(cleanName);
    }, ["a\u202eb\u2066c", `Z${"\u0335".repeat(9)}`, null, "<b>"]);
    assert.deepEqual(names, ["abc", `Z${"\u0335".repeat(4)}`, "", "<b>"]);
  });

  test("nothing went wrong in the browser", () => person.leave());
});
