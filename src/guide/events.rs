//! Events: a name and arguments, from a client to us and back.
//!
//! ```no_run
//! use roomcast::socketio::args::Binary;
//! use roomcast::{Config, Server};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Stroke {
//!     from: (f64, f64),
//!     to: (f64, f64),
//!     color: Option<String>,
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), ());
//!     server
//!         .of("/")
//!         .on_connect(|socket| socket.emit("welcome", &("to the drawing board", 1)))
//!         .on("stroke", |socket, (stroke,): (Stroke,), _ack| {
//!             socket.broadcast().emit("stroke", &(stroke,));
//!         })
//!         .on("picture", |socket, (name, picture): (String, Binary), _ack| {
//!             log::info!("a picture of {} bytes", picture.0.len());
//!             socket.broadcast().emit("picture", &(name, picture));
//!         })
//!         .on("clear", |socket, (): (), _ack| socket.everyone().emit("clear", &()))
//!         .on_raw("cursor", |socket, args, _ack| socket.broadcast().emit("cursor", &args));
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("welcome", (text, number) => console.log(text, number));
//! socket.on("stroke", ({ from, to, color }) => draw(from, to, color ?? "black"));
//! socket.on("picture", (name, bytes) => show(name, bytes));
//! socket.emit("stroke", { from: [0, 0], to: [10, 10] });
//! socket.emit("picture", "cat.png", await file.arrayBuffer());
//! socket.emit("clear");
//! ```
//!
//! # Arguments
//!
//! What comes in is read as a tuple of up to eight types that serde can read. As JavaScript callers expect, arguments
//! beyond the tuple are ignored, and one that is missing is `None` where the type is an `Option`. An event that does not
//! fit costs nobody anything: it goes to [`on_error`](crate::server::Namespace::on_error), and its handler is not called.
//!
//! What goes out is anything that serde can write: a tuple is a list of arguments, anything else is one argument. So a
//! single list is `&(list,)` or `&list`, and no argument at all is `&()`.
//!
//! Bytes are [`Binary`](crate::socketio::args::Binary), at any depth; in JavaScript they are an `ArrayBuffer` in the browser and a
//! `Buffer` in Node. Who wants to pass arguments on without looking at them takes them raw with
//! [`on_raw`](crate::server::Namespace::on_raw): nothing is parsed, and attachments go along.
//!
//! # What cannot be sent
//!
//! [`emit`](crate::Socket::emit) leaves a line in the log if a name is reserved (`connect`, `connect_error`, `disconnect`,
//! `disconnecting`, `newListener`, `removeListener`) or the arguments are no JSON; [`try_emit`](crate::Socket::try_emit) gives
//! the error back. An event may be as large as [`payload_bytes_max`](crate::config::Engine::payload_bytes_max) on its way to us
//! (1 MB), have [`attachments_max`](crate::config::SocketIo::attachments_max) attachments (10) and be
//! [`json_depth_max`](crate::config::SocketIo::json_depth_max) levels deep (128); beyond that the session ends. On its way out it
//! counts against [`queue_bytes_max`](crate::config::Engine::queue_bytes_max), what one client may leave unread (4 MiB).
//!
//! # Order
//!
//! Events of one socket arrive in the order they were sent, both ways, over either transport and across the upgrade from one to
//! the other. Each arrives at most once; one that must arrive wants [an acknowledgement](super::acknowledgements), and one that may
//! be missed by who was cut off for a moment wants [recovery](super::recovery).
