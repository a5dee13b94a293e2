//! Rooms: join, leave, speak to those inside, and see how many they are. Open http://127.0.0.1:3000 in two windows.
//! (Another address may be given.)
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("members", (room, count) => { … });
//! socket.on("said", (room, from, text) => { … });
//! await socket.emitWithAck("join", "#tea"); // ["#tea"], all that I am in
//! socket.emit("say", "#tea", "hello");
//! ```

use std::io;

use roomcast::http::{Method, Response};
use roomcast::socketio::RoomEvent;
use roomcast::{Config, Server};

/// How the names of our rooms begin. No id does: so they cannot be mistaken for the room that each socket has for itself.
const MARK: char = '#';
const ROOMS_MAX: usize = 20;

fn main() -> io::Result<()> {
    let mut server = Server::new(Config::default(), ());
    server
        .of("/")
        .on("join", |socket, (room,): (String,), ack| {
            if room.starts_with(MARK) && socket.rooms().len() < ROOMS_MAX {
                socket.join(&room);
            }
            let rooms = ours(socket.rooms());
            ack.send(&mut socket.io, &rooms);
        })
        .on("leave", |socket, (room,): (String,), ack| {
            if room.starts_with(MARK) {
                socket.leave(&room);
            }
            let rooms = ours(socket.rooms());
            ack.send(&mut socket.io, &rooms);
        })
        .on("say", |socket, (room, text): (String, String), _ack| {
            // To speak into a room one need not be in it; here one must.
            if room.starts_with(MARK) && socket.is_in(&room) {
                let from = socket.id();
                socket
                    .everyone()
                    .to(&room)
                    .emit("said", &(&room, from, text));
            }
        })
        // Also when somebody's connection is gone: whoever leaves the server leaves all rooms.
        .on_room_event(|context, event| {
            let (RoomEvent::Joined(room, _) | RoomEvent::Left(room, _)) = event else {
                return;
            };
            if room.starts_with(MARK) {
                let count = context.io.of("/").to(room).count();
                context.io.of("/").emit("members", &(&**room, count));
            }
        });
    server.route(Method::Get, "/", |_| {
        Response::new(200)
            .header("Content-Type", "text/html; charset=utf-8")
            .body(PAGE)
            .into()
    });
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    server.listen(address.parse().expect("an address"))?.run()
}

/// Without the one that each socket has for itself.
fn ours(mut rooms: Vec<String>) -> Vec<String> {
    rooms.retain(|room| room.starts_with(MARK));
    rooms
}

const PAGE: &str = r##"<!doctype html><meta charset="utf-8"><title>Rooms</title>
<form><input value="#tea" size="10"> <button type="button" value="join">Join</button> <button type="button" value="leave">Leave</button>
<input autocomplete="off" autofocus> <button>Say</button></form><p></p><ul></ul>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io(), form = document.forms[0], list = document.querySelector("ul"), mine = document.querySelector("p");
  const show = (text) => list.append(Object.assign(document.createElement("li"), { textContent: text }));
  socket.on("members", (room, count) => show(`${room} has ${count}`));
  socket.on("said", (room, from, text) => show(`${room}, ${from === socket.id ? "I" : from}: ${text}`));
  const iAmIn = (rooms) => { mine.textContent = `I am in ${rooms.join(" ") || "none"}`; };
  for (const button of [form[1], form[2]]) button.onclick = () => socket.emit(button.value, form[0].value, iAmIn);
  form.onsubmit = (event) => {
    event.preventDefault();
    socket.emit("say", form[0].value, form[3].value);
    form[3].value = "";
  };
</script>"##;
