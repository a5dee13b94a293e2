//! The adapter: the one that knows which socket is in which room, and tells of it.
//!
//! ```no_run
//! use std::collections::BTreeMap;
//!
//! use roomcast::socketio::RoomEvent;
//! use roomcast::{App, Config, Server};
//!
//! /// How many are in each room whose name begins with `#`.
//! #[derive(Default)]
//! struct Hall {
//!     members: BTreeMap<String, usize>,
//! }
//!
//! impl App for Hall {
//!     type Data = ();
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), Hall::default());
//!     server
//!         .of("/")
//!         .on_connect(|socket| {
//!             let sockets = socket.io.socket_count("/");
//!             log::info!("{sockets} sockets, {} rooms", socket.app.members.len());
//!         })
//!         .on("join", |socket, (room,): (String,), _ack| socket.join(&room))
//!         .on_room_event(|context, event| match event {
//!             RoomEvent::Created(room) if room.starts_with('#') => {
//!                 context.app.members.insert(room.to_string(), 0);
//!                 context.io.of("/").emit("room opened", &(&**room,));
//!             }
//!             RoomEvent::Joined(room, _) => {
//!                 if let Some(count) = context.app.members.get_mut(&**room) {
//!                     *count += 1;
//!                 }
//!             }
//!             RoomEvent::Left(room, _) => {
//!                 if let Some(count) = context.app.members.get_mut(&**room) {
//!                     *count -= 1;
//!                 }
//!             }
//!             RoomEvent::Deleted(room) if context.app.members.remove(&**room).is_some() => {
//!                 context.io.of("/").emit("room closed", &(&**room,));
//!             }
//!             RoomEvent::Created(_) | RoomEvent::Deleted(_) => {}
//!         });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("room opened", (room) => console.log(room));
//! socket.emit("join", "#tea");
//! ```
//!
//! # Events of rooms
//!
//! `create-room`, `delete-room`, `join-room` and `leave-room` of the official adapter are one
//! [`RoomEvent`](crate::socketio::RoomEvent) each, in the same order and under the same conditions; also for the room that each
//! socket has for itself. [`on_room_event`](crate::server::Namespace::on_room_event) hears them after the handler that caused
//! them: the rooms are by then as that handler left them. Nothing is recorded where nobody listens.
//!
//! # What it is asked
//!
//! [`Socket::rooms`](crate::Socket::rooms), [`Socket::is_in`](crate::Socket::is_in), and of everybody that a broadcast would
//! reach: [`ids`](crate::server::Operator::ids), [`count`](crate::server::Operator::count), and as plain data with rooms,
//! handshake and data [`fetch_sockets`](crate::server::Operator::fetch_sockets). [`Io::room_size`](crate::Io::room_size) and
//! [`Io::socket_count`](crate::Io::socket_count) say how many without a list.
//!
//! Each namespace has an [`Adapter`](crate::socketio::Adapter) of its own. It keeps room and member in vectors that hold each
//! other's index, so that joining and leaving cost the same in a room of three and in one of a hundred thousand; the room of
//! one's own costs nothing until somebody else joins it. It is a plain type and can be used by itself.
//!
//! Left out: adapters of your own to plug in. What other nodes are told is [another matter](super::several_servers).
