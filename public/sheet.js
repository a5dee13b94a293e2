// The style sheet of the parts that come later: who imports this is not drawn without it.
// Nothing comes in or goes out; the module is there when the sheet is.
// Left out: a failure; a part without its looks is better than none.

import { el } from "./dom.js";

await new Promise((settled) => {
  document.head.append(el("link", { rel: "stylesheet", href: "/later.css", onload: settled, onerror: settled }));
});
