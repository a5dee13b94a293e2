//! Rooms: groups of sockets in a namespace, which only the server sees.
//!
//! ```no_run
//! use roomcast::{Config, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), ());
//!     server
//!         .of("/")
//!         .on("enter", |socket, (room,): (String,), ack| {
//!             socket.join(&room);
//!             let rooms = socket.rooms();
//!             ack.send(&mut socket.io, &rooms);
//!         })
//!         .on("leave", |socket, (room,): (String,), _ack| socket.leave(&room))
//!         .on("say", |socket, (room, text): (String, String), _ack| {
//!             let from = socket.id();
//!             socket.to(&room).emit("said", &(&room, from, text));
//!         })
//!         // The room that is named as a socket: mostly there is one in it.
//!         .on("whisper", |socket, (to, text): (String, String), _ack| {
//!             let from = socket.id();
//!             socket.to(&to).emit("whispered", &(from, text));
//!         })
//!         .on_disconnecting(|socket, _reason| {
//!             for room in socket.rooms() {
//!                 let id = socket.id();
//!                 socket.to(&room).emit("left", &(&room, id));
//!             }
//!         });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! await socket.emitWithAck("enter", "kitchen"); // [socket.id, "kitchen"]
//! socket.emit("say", "kitchen", "tea is ready");
//! socket.on("whispered", (from, text) => socket.emit("whisper", from, "I heard you"));
//! ```
//!
//! # Coming and going
//!
//! A room is there as long as somebody is in it: nobody makes or removes one. [`join`](crate::Socket::join) and
//! [`leave`](crate::Socket::leave) take effect at once and may be repeated; who leaves the namespace leaves all rooms, after
//! [`on_disconnecting`](crate::server::Namespace::on_disconnecting) had its say. Joining and leaving cost the same however many
//! rooms there are and however many are in them. A client cannot join by itself: a handler decides. It may join somebody else,
//! too, by id ([`Io::join`](crate::Io::join)) or many at once (`io.of("/").to("a").join("b")`).
//!
//! Whether one must be in a room to speak to it is yours to say ([`is_in`](crate::Socket::is_in)).
//!
//! # The default room
//!
//! Each socket is from the start in a room that is named as its id. So `to(id)` reaches one socket, which is all that a private
//! message needs. Ids are twenty characters that nobody can guess, and in a namespace no two are the same. Rooms of your own
//! live beside these: where clients name rooms freely, give yours a mark that no id has (a blank, a `#`), as
//! `examples/rooms.rs` does.
//!
//! # Private messages to people
//!
//! An id is one connection of one window. A person who comes back has another one, and may have two windows open. So let each
//! socket join a room that stands for the person, once it is known who that is, and speak to that room:
//! `examples/private_messages.rs` is the whole program.
