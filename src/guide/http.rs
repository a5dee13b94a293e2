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
//! What only the operator may ask comes by a path on this machine instead of a port
//! ([`Listening::also_at`](crate::server::Listening::also_at)): a Unix socket that processes of the same user and of root can open,
//! and nobody else. A route asks [`is_by_unix_socket`](crate::server::Request::is_by_unix_socket).
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
//! # Bodies in pieces
//!
//! A body that is not to wait in memory until it is whole goes in pieces, in either direction:
//!
//! ```no_run
//! use std::fs::File;
//! use std::io::{self, Read, Write};
//!
//! use roomcast::http::{Length, Method, Response};
//! use roomcast::reactor::lanes::Worker;
//! use roomcast::server::{Feed, Part, RequestId};
//! use roomcast::{Answer, App, Config, Server};
//!
//! /// The files that are being read and written, on a thread of their own.
//! #[derive(Default)]
//! struct Disk {
//!     export: Option<File>,
//!     upload: Option<File>,
//! }
//!
//! impl Worker for Disk {}
//!
//! /// The next 64 KiB; empty at the end.
//! fn read(disk: &mut Disk) -> io::Result<Vec<u8>> {
//!     if disk.export.is_none() {
//!         disk.export = Some(File::open("/var/lib/export.csv")?);
//!     }
//!     let mut piece = Vec::new();
//!     if let Some(file) = &mut disk.export {
//!         file.take(64 * 1024).read_to_end(&mut piece)?;
//!     }
//!     if piece.is_empty() {
//!         disk.export = None;
//!     }
//!     Ok(piece)
//! }
//!
//! fn write(disk: &mut Disk, piece: &[u8]) -> io::Result<()> {
//!     if disk.upload.is_none() {
//!         disk.upload = Some(File::create("/var/lib/upload")?);
//!     }
//!     disk.upload.as_mut().map_or(Ok(()), |file| file.write_all(piece))
//! }
//!
//! /// Pages that listen to server-sent events.
//! #[derive(Default)]
//! struct Listeners(Vec<RequestId>);
//!
//! impl App for Listeners {
//!     type Data = ();
//! }
//!
//! fn main() -> io::Result<()> {
//!     let mut server = Server::new(Config::default(), Listeners::default());
//!     let disk = server.lane("disk", 100, Disk::default);
//!     server
//!         // Out, as fast as the client reads: the disk is asked for more whenever that was taken. (For one client at a
//!         // time, lest the example grow; a real one opens a file for each.)
//!         .route(Method::Get, "/export", move |request| {
//!             let id = request.id();
//!             let head = Response::new(200).header("Content-Type", "text/csv");
//!             request.io.begin(id, &head, Length::Unknown);
//!             request.io.feed(id, move |context, feed| {
//!                 if feed != Feed::More {
//!                     return; // the client has gone
//!                 }
//!                 context.io.run(disk, read, move |context, outcome| match outcome {
//!                     Ok(Ok(piece)) if piece.is_empty() => context.io.finish(id),
//!                     Ok(Ok(piece)) => drop(context.io.write(id, piece)),
//!                     _ => context.io.cut(id),
//!                 });
//!             });
//!             Answer::Later
//!         })
//!         // Out, as events come: a socket's handler writes to all who listen.
//!         .route(Method::Get, "/events", |request| {
//!             let id = request.id();
//!             let head = Response::new(200).header("Content-Type", "text/event-stream");
//!             if request.io.begin(id, &head, Length::Unknown) {
//!                 request.app.0.push(id);
//!             }
//!             Answer::Later
//!         })
//!         // In: while a piece is on its way to the disk, nothing more is read from the client.
//!         .route_in_pieces(Method::Put, "/upload", move |request| {
//!             let id = request.id();
//!             if !request.is_same_origin() {
//!                 return Response::text(403, "not from there\n").into();
//!             }
//!             request.io.take(id, Some(1 << 30), move |context, part| match part {
//!                 Part::Bytes(bytes) => {
//!                     let piece = bytes.to_vec();
//!                     context.io.hold(id);
//!                     let job = move |disk: &mut Disk| write(disk, &piece);
//!                     context.io.run(disk, job, move |context, outcome| match outcome {
//!                         Ok(Ok(())) => context.io.resume(id),
//!                         _ => context.io.answer(id, &Response::text(507, "the disk said no\n")),
//!                     });
//!                 }
//!                 Part::End => context.io.answer(id, &Response::new(204)),
//!                 Part::Broken(why) => log::info!("an upload broke off: {why:?}"),
//!             });
//!             Answer::Later
//!         });
//!     server.of("/").on("say", |socket, (text,): (String,), _ack| {
//!         let event = format!("data: {text}\n\n");
//!         let (app, io) = (&mut *socket.app, &mut socket.io);
//!         app.0.retain(|id| io.write(*id, event.clone()).is_ok());
//!     });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! **Out.** [`Io::begin`](crate::Io::begin) sends the head; then whoever has a piece [writes](crate::Io::write) it, by the
//! request's id, and [`Io::finish`](crate::Io::finish) ends it. A [feeder](crate::Io::feed) is asked for more each time the client
//! has taken what it was given, so that an export of any size holds some tens of kilobytes. Who writes without being asked is
//! told how much room there is, and that a piece is [not taken](crate::server::NotWritten) once
//! [`streamed_bytes_max`](crate::config::Http::streamed_bytes_max) wait or the client has gone. A client that takes nothing for
//! [`answer_idle_max`](crate::config::Http::answer_idle_max) is cut; one that ends its side of the connection counts as
//! gone. Such a body is not compressed, and not sent in answer to HEAD. One to which nothing is written says
//! nothing, also to a client that has vanished without a word: a comment now and then (`:\n\n`, by
//! [`Io::after`](crate::Io::after)) finds that out, and keeps proxies from giving it up.
//!
//! An answer given as a whole waits for a slow client in the same way, and all of it at once. Who takes a byte now and then keeps a
//! connection, and what is left of the answer, for as long as he likes: as many as
//! [one address](crate::config::Reactor::connections_per_address_max) may have, and all together no more than
//! [`connections_max`](crate::config::Reactor::connections_max). Large ones are better begun and fed: those have a
//! [limit for all](crate::config::Http::streams_bytes_max).
//!
//! **In.** A [route in pieces](crate::Server::route_in_pieces) is called when the head has come, and nothing of the body is read
//! before it is [taken](crate::Io::take); so a route may ask somebody first, or refuse, and a client that waits for a word
//! (`Expect: 100-continue`) gets it then. [`Io::hold`](crate::Io::hold) stops the reading, [`Io::resume`](crate::Io::resume) goes
//! on. An answer before the end closes the connection behind it.
//!
//! A body that breaks off is told as such, with [why](crate::server::Broken): the client has gone, broke a rule or was too
//! slow, or the server ends or is frozen. An orderly end waits for uploads, and for what waits of answers, as it does for jobs.
//!
//! # Left out
//!
//! A body in both directions at once, byte ranges, trailers. TLS: until it is in, a proxy in front speaks it.
