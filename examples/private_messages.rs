//! Private messages: everybody has a name, and all windows of one person hear what is said to them.
//! Open http://127.0.0.1:3000 in three windows, two of them under the same name. (Another address may be given.)
//!
//! ```js
//! const ada = io("http://127.0.0.1:3000", { auth: { name: "ada" } });
//! ada.on("people", (names) => { … });
//! ada.on("private message", (from, to, text) => { … });
//! const isThere = await ada.emitWithAck("private message", "bob", "are you there?");
//! ```

use std::collections::BTreeMap;
use std::io;

use roomcast::http::{Method, Response};
use roomcast::{App, Config, Server, Socket, Verdict};
use serde::{Deserialize, Serialize};

/// How many windows each person has open.
#[derive(Default)]
struct People {
    windows: BTreeMap<String, u32>,
}

#[derive(Default, Serialize, Deserialize)]
struct Person {
    name: String,
}

impl App for People {
    type Data = Person;
}

#[derive(Deserialize)]
struct Auth {
    name: String,
}

fn main() -> io::Result<()> {
    let mut server = Server::new(Config::default(), People::default());
    server
        .of("/")
        // Whoever says so is Ada: here a real application would ask for her session's cookie, or a token.
        .authorize(|socket, auth: Auth| match auth.name.trim() {
            "" => Verdict::refuse("who are you?"),
            name => {
                socket.data_mut().name = name.to_owned();
                Verdict::Accept
            }
        })
        .on_connect(|socket| {
            let room = windows_of(&socket.data().name);
            socket.join(&room);
            let (people, person) = socket.app_and_data();
            *people.windows.entry(person.name.clone()).or_default() += 1;
            tell_who_is_there(socket);
        })
        .on(
            "private message",
            |socket, (to, text): (String, String), ack| {
                let from = socket.data().name.clone();
                let (theirs, ours) = (windows_of(&to), windows_of(&from));
                let is_there = socket.app.windows.contains_key(&to);
                // A union of two rooms without the sender: our other windows show it, too.
                let others = socket.to(&theirs).to(&ours);
                others.emit("private message", &(from, to, text));
                ack.send(&mut socket.io, &is_there);
            },
        )
        .on_disconnect(|socket, _reason| {
            let (people, person) = socket.app_and_data();
            if let Some(windows) = people.windows.get_mut(&person.name) {
                *windows -= 1;
            }
            people.windows.retain(|_, windows| *windows > 0);
            tell_who_is_there(socket);
        });
    server.route(Method::Get, "/", |_| {
        Response::new(200)
            .header("Content-Type", "text/html; charset=utf-8")
            .body(PAGE)
            .into()
    });
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    server.listen(address.parse().expect("an address"))?.run()?;
    Ok(())
}

/// The room of all windows of a person. Not the bare name: somebody might call himself by another socket's id, which is
/// the name of a room, too.
fn windows_of(name: &str) -> String {
    format!("windows of {name}")
}

fn tell_who_is_there(socket: &mut Socket<'_, People>) {
    let names: Vec<&String> = socket.app.windows.keys().collect();
    socket.io.of("/").emit("people", &names);
}

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>Private messages</title>
<p>There are: <span></span></p><ul></ul>
<form><select></select> <input autocomplete="off" autofocus><button>Send</button></form>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io({ auth: { name: prompt("Your name") } });
  const [there, list, select, input] = ["span", "ul", "select", "input"].map((name) => document.querySelector(name));
  const show = (text) => list.append(Object.assign(document.createElement("li"), { textContent: text }));
  socket.on("connect_error", (error) => show(error.message));
  socket.on("people", (names) => {
    there.textContent = names.join(", ");
    const chosen = select.value;
    select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  });
  socket.on("private message", (from, to, text) => show(`${from} to ${to}: ${text}`));
  document.forms[0].onsubmit = (event) => {
    event.preventDefault();
    const [to, text] = [select.value, input.value];
    input.value = "";
    socket.emit("private message", to, text, (isThere) => show(isThere ? `to ${to}: ${text}` : `${to} has left`));
  };
</script>"#;
