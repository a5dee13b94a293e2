//! The smallest chat: one event, broadcast to all. Open http://127.0.0.1:3000 in two windows.

use std::io;

use roomcast::http::{Method, Response};
use roomcast::{Config, Server};

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>Chat</title>
<ul id="messages"></ul><form><input autocomplete="off" autofocus><button>Send</button></form>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io(), input = document.querySelector("input"), list = document.querySelector("ul");
  document.forms[0].onsubmit = () => { socket.emit("chat message", input.value); input.value = ""; return false; };
  socket.on("chat message", (text) => { list.append(Object.assign(document.createElement("li"), { textContent: text })); });
</script>"#;

fn main() -> io::Result<()> {
    let mut server = Server::new(Config::default(), ());
    server
        .of("/")
        .on("chat message", |socket, (text,): (String,), _ack| {
            socket.everyone().emit("chat message", &(text,));
        });
    server.route(Method::Get, "/", |_| {
        Response::new(200)
            .header("Content-Type", "text/html; charset=utf-8")
            .body(PAGE)
            .into()
    });
    server.listen(([127, 0, 0, 1], 3000).into())?.run()
}
