// Parts of the page that nobody needs for its first paint: each is fetched with its first use.
// A function that imports comes in; a function that hands out the part goes out.
// A fetch that failed is forgotten, so that the next use tries again.
// Left out: fetching ahead; what nobody opens is never paid for.

import { at } from "./dom.js";
import { say } from "./strings.js";

/** All such parts of the page. `wishes` has `ask(event, body)`, `tell(event, body)`, `note(text)`, `entered(room)`, `left(room)`,
 *  `changed()`, `spoken(text)`, `composer()`, `drafts`, `me()`, `unsent()`, `forgetMe()`. */
export function laterParts(place, wishes) {
  const failed = () => wishes.note(say.partMissing);
  const part = (load) => lazily(load, failed);
  const dialogs = part(async () => new (await import("./dialogs.js")).Dialogs(wishes));
  const settings = part(async () => new (await import("./settings.js")).Settings(wishes));
  const sounds = part(() => import("./sounds.js"));
  return {
    dialogs,
    settings,
    sounds,
    about: part(async () => new (await import("./about.js")).About(place, { ...wishes, dialogs })),
    actions: part(async () => {
      const { Actions } = await import("./actions.js");
      return new Actions(at("list"), place, { ...wishes, composer: wishes.composer() });
    }),
    completion: part(async () => new (await import("./complete.js")).Completion(at("box"), place, wishes)),
    search: part(async () => new (await import("./search.js")).Search(place, wishes.ask)),
    insecure: part(() => import("./insecure.js")),
    help: part(() => import("./help.js")),
    me: part(async () => new (await import("./me.js")).Me({ ...wishes, dialogs, settings, sounds })),
    offers: part(() => import("./offers.js")),
    order: part(async () => new (await import("./order.js")).Order(wishes)),
    switcher: part(() => import("./switcher.js")),
  };
}

/** `load()` makes the part, `failed()` says that it did not come. `use.part` is the part once it is here. */
export function lazily(load, failed) {
  let coming = null;
  async function use(wanted) {
    coming ??= load();
    try {
      use.part = await coming;
    } catch {
      coming = null;
      return failed();
    }
    return wanted(use.part);
  }
  use.part = null;
  return use;
}
