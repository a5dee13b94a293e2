//! Routes of one's own beside Socket.IO, on the same port and over the same state: other programs post, browsers hear it, and
//! so does who listens by HTTP.
//! Open http://127.0.0.1:3000, then (another address may be given):
//!
//! ```sh
//! curl http://127.0.0.1:3000/boards                              # ["news"]
//! curl --data "it works" http://127.0.0.1:3000/boards/news       # {"number":1,"readers":1}
//! curl http://127.0.0.1:3000/boards/news                         # ["it works"]
//! curl --no-buffer http://127.0.0.1:3000/stream/news             # and each further post, as a server-sent event
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! const texts = await socket.emitWithAck("read", "news");
//! socket.on("posted", (board, number, text) => { … });
//! ```

use std::collections::BTreeMap;
use std::io;

use roomcast::http::{Length, Method, Response};
use roomcast::server::RequestId;
use roomcast::{Answer, App, Config, Io, Server};
use serde::Serialize;
use serde_json::json;

/// Posts of a board that are kept.
const POSTS_MAX: usize = 100;

/// What has been posted, by board. Boards are the application's: nobody outside can make one.
struct Boards {
    boards: BTreeMap<String, Vec<String>>,
    /// Answers in pieces to those who listen by HTTP.
    streams: BTreeMap<String, Vec<RequestId>>,
}

impl App for Boards {
    type Data = ();
}

fn main() -> io::Result<()> {
    let boards = BTreeMap::from([("news".to_owned(), Vec::new())]);
    let streams = BTreeMap::new();
    let mut server = Server::new(Config::default(), Boards { boards, streams });
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
            room.emit("posted", &(&board, number, &text));
            let event = format!("data: {}\n\n", json!(text));
            stream(request.app, &mut request.io, &board, &event);
            json_of(&json!({ "number": number, "readers": readers })).into()
        })
        .route(Method::Get, "/stream/{board}", |request| {
            let board = request.parameter().unwrap_or_default().into_owned();
            if !request.app.boards.contains_key(&board) {
                return Response::text(404, "no such board\n").into();
            }
            let id = request.id();
            let head = Response::new(200).header("Content-Type", "text/event-stream");
            if request.io.begin(id, &head, Length::Unknown) {
                // A comment, by which those are found who have gone.
                stream(request.app, &mut request.io, &board, ":\n\n");
                request.app.streams.entry(board).or_default().push(id);
            }
            Answer::Later
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

/// Tells those who listen by HTTP. Who reads too slowly is cut, and comes back for the texts.
fn stream(boards: &mut Boards, io: &mut Io<'_, Boards>, board: &str, event: &str) {
    let Some(listeners) = boards.streams.get_mut(board) else {
        return;
    };
    listeners.retain(|id| {
        let is_told = io.write(*id, event.to_owned()).is_ok();
        if !is_told {
            io.cut(*id);
        }
        is_told
    });
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
