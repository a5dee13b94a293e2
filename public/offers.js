// What stands where the address names no room of mine: a way in, or that there is none.
// An address comes in; a room goes out, when it was joined or made.
// It decides nothing: the server says who may come in.
// Left out: a list of what else there is, which is a dialog.

import { el } from "./dom.js";
import { say } from "./strings.js";
import { words } from "./strings.later.js";
import { cleanName } from "./text.js";

/** `id` is a room's, or `dm` with a person's. `wishes` has `ask(event, body)`, `isHere(id)`, `show(mark, ...children)`, `entered(room)`,
 *  `found(room)`. */
export async function offer(id, wishes) {
  const { ask, isHere, show } = wishes;
  if (typeof id === "string") return openDirect(id, wishes);
  const answer = await ask("room:list", {});
  if (!isHere(id)) return;
  const room = answer.rooms?.find((one) => one.id === id);
  const join = async () => {
    const joined = await ask("room:join", { room: id });
    if (joined.ok) wishes.entered(joined.room);
  };
  show(
    `offer ${id}`,
    el("h2", null, room ? words.notIn(cleanName(room.name)) : words.roomPrivate),
    room && el("button", { type: "button", class: "primary", onclick: join }, words.join),
  );
}

/** An address of a person: the room we have together is made, unless there is nobody. */
async function openDirect(id, { ask, isHere, show, found }) {
  const answer = await ask("dm:open", { user: Number(id.slice(3)) });
  if (!isHere(id)) return;
  if (answer.ok) found(answer.room);
  else show(`nobody ${id}`, el("h2", null, answer.code === "not_found" ? words.nobody : say.unreachable));
}
