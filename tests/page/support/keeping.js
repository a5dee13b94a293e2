// Those who keep order: the drawer of people, the dialog about somebody, settings, and the page for admins.

/** Opens the dialog about somebody, from the drawer of people. */
export async function about(person, name) {
  const drawer = person.page.getByRole("complementary", { name: "People" });
  if (!(await drawer.isVisible())) await person.page.getByRole("button", { name: /^People/ }).click();
  await drawer.getByRole("button", { name: `What to do about ${name}` }).click();
  return person.page.getByRole("dialog", { name, exact: true });
}

/** Does one thing about somebody, and closes the dialog. */
export async function order(person, name, label, done) {
  const dialog = await about(person, name);
  await dialog.getByRole("button", { name: label, exact: true }).click();
  if (done) await dialog.getByText(done, { exact: true }).waitFor();
  if (done) await dialog.getByRole("button", { name: "Close" }).click();
}

/** Shuts somebody out: asks, and is sure. */
export async function shutOut(person, name, label) {
  const dialog = await about(person, name);
  await dialog.getByRole("button", { name: label, exact: true }).click();
  const sure = person.page.getByRole("dialog", { name: `${label} ${name}?` });
  await sure.getByRole("button", { name: label, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

/** Gives somebody another role. */
export async function promote(person, name, role) {
  const dialog = await about(person, name);
  await dialog.getByRole("radio", { name: new RegExp(`^${role}`) }).check();
  await dialog.getByText("Changed.").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
}

/** Opens one's settings. */
export async function settings(person) {
  await person.rooms.locator("summary").click();
  await person.page.getByRole("button", { name: "Settings" }).click();
  const dialog = person.page.getByRole("dialog", { name: "Settings" });
  // The last part to come.
  await dialog.getByRole("button", { name: "Sign out here, too" }).waitFor();
  return dialog;
}

/** Asks the server by hand over a socket of one's own; answers in the order of the questions. */
export function byHand(person, questions, place = "/") {
  return person.page.evaluate(
    async ([questions, place]) => {
      const { io } = await import("/socket.io/socket.io.esm.min.js");
      const socket = io(place, { forceNew: true, reconnection: false, transports: ["websocket"] });
      try {
        const refused = await new Promise((resolve) => {
          socket.on("connect", () => resolve(null));
          socket.on("connect_error", (error) => resolve({ refused: error.data?.code ?? error.message }));
        });
        if (refused) return refused;
        const answers = [];
        for (const [event, body] of questions) answers.push(await socket.timeout(8_000).emitWithAck(event, body));
        return answers;
      } finally {
        socket.disconnect();
      }
    },
    [questions, place],
  );
}
