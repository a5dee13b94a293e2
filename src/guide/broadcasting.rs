//! Broadcasting: one event for many sockets.
//!
//! ```no_run
//! use roomcast::{Config, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), ());
//!     server
//!         .of("/")
//!         .on("to all", |socket, (text,): (String,), _ack| {
//!             socket.everyone().emit("news", &(text,));
//!         })
//!         .on("to the others", |socket, (text,): (String,), _ack| {
//!             socket.broadcast().emit("news", &(text,));
//!         })
//!         .on("to some", |socket, (text,): (String,), _ack| {
//!             // Whoever is in either room and not asleep, once each, without the sender.
//!             socket.to("deck").to("galley").except("asleep").emit("news", &(text,));
//!         })
//!         .on("cursor", |socket, (x, y): (f64, f64), _ack| {
//!             // The next one follows at once: who cannot take this one just now does without.
//!             let from = socket.id();
//!             socket.broadcast().volatile().emit("cursor", &(from, x, y));
//!         })
//!         .on("evening", |socket, (): (), ack| {
//!             // From anywhere: a namespace by name, with or without a socket at hand.
//!             socket.io.of("/").to("children").join("asleep");
//!             let up = socket.io.of("/").except("asleep").count();
//!             ack.send(&mut socket.io, &up);
//!         });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("news", (text) => console.log(text));
//! socket.emit("to the others", "hello");
//! ```
//!
//! # For whom
//!
//! A broadcast begins with who is meant and is narrowed down from there:
//!
//! | begins with | who |
//! |---|---|
//! | [`socket.everyone()`](crate::Socket::everyone) | all of the socket's namespace, itself included |
//! | [`socket.broadcast()`](crate::Socket::broadcast) | the others |
//! | [`socket.to(room)`](crate::Socket::to) | the others in a room |
//! | [`io.of(name)`](crate::Io::of) | all of a namespace |
//! | [`io.children(parent)`](crate::Io::children), [`socket.siblings()`](crate::Socket::siblings) | all [children of a parent](super::namespaces) |
//!
//! Then [`to`](crate::server::Operator::to) adds a room (the union of all that are named; each socket hears it once), and
//! [`except`](crate::server::Operator::except) takes one away. What follows is done to all of them:
//! [`emit`](crate::server::Operator::emit), [`emit_with_acks`](crate::server::Operator::emit_with_acks),
//! [`join`](crate::server::Operator::join), [`leave`](crate::server::Operator::leave),
//! [`disconnect`](crate::server::Operator::disconnect); or it is asked who they are ([`ids`](crate::server::Operator::ids)) or
//! how many ([`count`](crate::server::Operator::count)).
//!
//! # What it costs
//!
//! An event is encoded once, and its bytes are shared by all receivers; a queue holds a pointer to them.
//! Writing goes on in slices behind the handler, so that others are not kept waiting by a large room.
//!
//! # Volatile
//!
//! A volatile event goes only to those whose transport could take it at once: no poll is missing, nothing is queued. It is not
//! kept for [those who may come back](super::recovery), and cannot be combined with acknowledgements. Use it for what the next
//! event makes worthless. There is [`Socket::emit_volatile`](crate::Socket::emit_volatile) for a single socket.
