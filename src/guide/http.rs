//! HTTP beside Socket.IO: routes and files of your own, on the same port and over the same state.
//!
//! ```no_run
//! use roomcast::http::{Method, Response};
//! use roomcast::reactor::lanes::Worker;
//! use roomcast::{Answer, Config, Server};
//!
//! /// Reads the disk, which may take a while.
//! struct Disk;
//!
//! impl Worker for Disk {}
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), ());
//!     let disk = server.lane("disk", 100, || Disk);
//!     server
//!         .route(Method::Get, "/health", |request| {
//!             let sockets = request.io.of("/").count();
//!             Response::json(200, format!("{{\"sockets\":{sockets}}}")).into()
//!         })
//!         .route(Method::Post, "/rooms/{room}", |request| {
//!             if !request.is_same_origin() {
//!                 return Response::text(403, "not from there\n").into();
//!             }
//!             let room = request.parameter().unwrap_or_default().into_owned();
//!             let text = String::from_utf8_lossy(request.body()).into_owned();
//!             request.io.of("/").to(&room).emit("news", &(text,));
//!             Response::new(204).into()
//!         })
//!         .route(Method::Get, "/report", move |request| {
//!             let id = request.id();
//!             let read = |_: &mut Disk| std::fs::read("/var/lib/report.txt").ok();
//!             request.io.run(disk, read, move |context, outcome| {
//!                 let response = match outcome {
//!                     Ok(Some(text)) => Response::text(200, text),
//!                     _ => Response::text(503, "not just now\n"),
//!                 };
//!                 context.io.answer(id, &response);
//!             });
//!             Answer::Later
//!         })
//!         .fallback(|_request| Response::text(404, "not here\n").into());
//!     server.of("/").on("join", |socket, (room,): (String,), _ack| socket.join(&room));
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("news", (text) => console.log(text));
//! socket.emit("join", "kitchen");
//! await fetch("http://127.0.0.1:3000/rooms/kitchen", { method: "POST", body: "tea is ready" });
//! ```
//!
//! # Routes
//!
//! A [route](crate::Server::route) is a method and a path, which is exact or ends in one parameter. `GET` answers `HEAD`, too; a
//! path that is known under another method is answered 405. What no route and no file answers goes to the
//! [`fallback`](crate::Server::fallback). A handler is lent a [`Request`](crate::server::Request) with the application and the
//! server in it; so what comes by HTTP can speak to rooms, and the other way round. An answer that must wait is
//! [`Answer::Later`](crate::Answer::Later), and [`Io::answer`](crate::Io::answer) sends it by the request's id.
//!
//! A browser sends cookies along with requests that other sites' pages cause. What changes something asks
//! [`is_same_origin`](crate::server::Request::is_same_origin) first.
//!
//! [`Io::metrics`](crate::Io::metrics) is every number there is, as plain data, for a route to show.
//!
//! # Files
//!
//! [`Server::serve`](crate::Server::serve) serves a [table of files](crate::http::files) from memory, with entity tags and in
//! the codings that were made beforehand. With the feature `client` the browser client is served below the Socket.IO path
//! (`/socket.io/socket.io.js` and its siblings).
//!
//! # Raw Engine.IO
//!
//! [`Server::raw`](crate::Server::raw) serves sessions of a path without Socket.IO above them: plain messages over polling and
//! WebSocket.
//!
//! # Left out
//!
//! Streams in and out: a body and an answer are whole, and a body has a
//! [limit](crate::config::Http::body_bytes_max) (1 MB). TLS: until it is in, a proxy in front speaks it.
