//! Routes of one's own beside Socket.IO, on the same port and over the same state: other programs post, browsers hear it.
//! Open http://127.0.0.1:3000, then (another address may be given):
//!
//! ```sh
//! curl http://127.0.0.1:3000/boards                              # ["news"]
//! curl --data "it works" http://127.0.0.1:3000/boards/news       # {"number":1,"readers":1}
//! curl http://127.0.0.1:3000/boards/news                         # ["it works"]
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! const texts = await socket.emitWithAck("read", "news");
//! socket.on("posted", (board, number, text) => { … });
//! ```

use std::collections::BTreeMap;
use std::io;

use roomcast::http::{Method, Response};
use roomcast::{App, Config, Server};
use serde::Serialize;
use serde_json::json;

/// Posts of a board that are kept.
const POSTS_MAX: usize = 100;

/// What has been posted, by board. Boards are the application's: nobody outside can make one.
struct Boards {
    boards: BTreeMap<String, Vec<String>>,
}

impl App for Boards {
    type Data = ();
}

fn main() -> io::Result<()> {
    let boards = BTreeMap::from([("news".to_owned(), Vec::new())]);
    let mut server = Server::new(Config::default(), Boards { boards });
    server
        .of("/")
        .on("read", |socket, (board,): (String,), ack| {
            if socket.app.boards.contains_key(&board) {
                socket.join(&board);
            }
            let texts = socket.app.boards.get(&board);
            ack.send(&mut socket.io, &texts);
        });
    server
        .route(Method::Get, "/boards", |request| {
            let names: Vec<&String> = request.app.boards.keys().collect();
            json_of(&names).into()
        })
        .route(Method::Get, "/boards/{board}", |request| {
            let board = request.parameter().unwrap_or_default();
            match request.app.boards.get(&*board) {
                Some(texts) => json_of(texts).into(),
                None => Response::text(404, "no such board\n").into(),
            }
        })
        .route(Method::Post, "/boards/{board}", |request| {
            // A page of another site must not post in its visitor's name; curl is no page.
            if !request.is_same_origin() {
                return Response::text(403, "not from there\n").into();
            }
            let Ok(text) = str::from_utf8(request.body()).map(ToOwned::to_owned) else {
                return Response::text(400, "not UTF-8\n").into();
            };
            let board = request.parameter().unwrap_or_default().into_owned();
            let Some(texts) = request.app.boards.get_mut(&board) else {
                return Response::text(404, "no such board\n").into();
            };
            if texts.len() == POSTS_MAX {
                return Response::text(507, "the board is full\n").into();
            }
            texts.push(text.clone());
            let number = texts.len();
            let readers = request.io.of("/").to(&board).count();
            let room = request.io.of("/").to(&board);
            room.emit("posted", &(&board, number, text));
            json_of(&json!({ "number": number, "readers": readers })).into()
        })
        .route(Method::Get, "/", |_| {
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

fn json_of<T: Serialize + ?Sized>(value: &T) -> Response {
    let text = serde_json::to_string(value).expect("texts and numbers are JSON");
    Response::json(200, text)
}

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>Boards</title><h1>news</h1><ol></ol>
<script src="/socket.io/socket.io.js"></script>
<script>
  const socket = io(), list = document.querySelector("ol");
  const show = (text) => list.append(Object.assign(document.createElement("li"), { textContent: text }));
  socket.on("connect", () => socket.emit("read", "news", (texts) => { list.replaceChildren(); texts.forEach(show); }));
  socket.on("posted", (board, number, text) => show(text));
</script>"#;
