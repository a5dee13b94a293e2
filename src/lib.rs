//! Roomcast: a Socket.IO server on a hand-rolled event loop, and the group chat that stands on it.
//!
//! It speaks the Socket.IO protocol 5 over Engine.IO 4, byte for byte, to the official clients of every language: events with
//! any JSON and binary, acknowledgements both ways, namespaces over one connection, rooms, broadcasts to all or to all
//! but the sender. One thread, no locks, no async runtime: a handler is a closure that is lent your own state, plainly
//! mutable, for as long as it runs.
//!
//! ```no_run
//! use roomcast::{App, Config, Server, Verdict};
//! use serde::{Deserialize, Serialize};
//!
//! /// The application's own state, lent to each handler.
//! #[derive(Default)]
//! struct Lobby {
//!     said: u64,
//! }
//!
//! /// The data of one socket.
//! #[derive(Default, Serialize, Deserialize)]
//! struct Guest {
//!     name: String,
//! }
//!
//! impl App for Lobby {
//!     type Data = Guest;
//! }
//!
//! #[derive(Deserialize)]
//! struct Auth {
//!     name: String,
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), Lobby::default());
//!     server
//!         .of("/chat")
//!         .authorize(|socket, auth: Auth| {
//!             if auth.name.is_empty() {
//!                 return Verdict::refuse("who are you?");
//!             }
//!             socket.data_mut().name = auth.name;
//!             Verdict::Accept
//!         })
//!         .on_connect(|socket| socket.join("lobby"))
//!         .on("message", |socket, (text,): (String,), ack| {
//!             socket.app.said += 1;
//!             let (number, name) = (socket.app.said, socket.data().name.clone());
//!             socket.to("lobby").emit("message", &(number, name, text));
//!             ack.send(&mut socket.io, &number);
//!         });
//!     server.listen("127.0.0.1:3000".parse().expect("an address"))?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! [`guide`] goes on from here, chapter by chapter; who comes from Node finds each official call beside ours in
//! [`guide::coming_from_node`].
//!
//! # The house, room by room
//!
//! Four sentences decide everything: a lower layer never knows the one above; ids are stored and views are borrowed; only the
//! reactor has a clock, a socket or a thread; state is plain data.
//!
//! ```text
//!         bytes ↑ borrowed slices                          ↓ actions (data)
//! reactor     sockets, readiness, outboxes, threads, signals, the clock   knows no protocol
//! http        requests / responses       websocket   messages / frames
//! engineio    sessions over two transports, heartbeat, upgrade, the one queue to a client
//! socketio    namespaces, sockets, the adapter (rooms), acks: who gets what
//! server      the switchboard: the one room with a door to every other
//! cluster     what servers tell each other, to and from Redis
//! chat        the application: sees sockets, requests and its own types; no bytes, no transports
//! ```
//!
//! | room | what it is for |
//! |---|---|
//! | [`config`] | every limit and duration, with the reason for its default |
//! | [`addresses`] | which addresses count as one, and ranges of them |
//! | [`buffers`] | bytes on their way out, shared, and their memory used again |
//! | [`slots`], [`time`], [`timers`], [`sid`] | ids with generations, moments, deadlines, ids nobody can guess |
//! | [`reactor`] | the loop: what happens goes up as calls of [`reactor::Service`], what is to be done comes down as [`reactor::Action`]s |
//! | [`http`] | one keep-alive connection: requests out of bytes, answers into bytes; files and routes |
//! | [`websocket`] | messages out of frames (RFC 6455), frames out of messages |
//! | [`engineio`] | sessions: which transport, when to ping, when to give up |
//! | [`socketio`] | packets, arguments, sockets, and the [`Adapter`](socketio::Adapter), the one owner of rooms and their members |
//! | [`server`] | [`Server`] with its handlers and what they see: [`Socket`], [`Io`], [`Ack`] |
#![cfg_attr(
    feature = "redis",
    doc = "| [`cluster`] | several servers as one over Redis, those of Node.js among them |"
)]
#![cfg_attr(
    feature = "chat",
    doc = "| [`chat`] | accounts, rooms and messages in SQLite, and the page |"
)]
//!
//! All below `server` is sans-IO: a function of state, time, bytes and a seed. The same code runs behind the kernel's
//! sockets, in a simulated world of virtual time, and under a fuzzer.
//!
//! # Features
//!
//! `client` embeds the official browser client and serves it; `chat` is the application and the binary, and brings `client`;
//! `compression` is permessage-deflate and compressed answers to polls, both of them off until the configuration says
//! otherwise, and 120 KB; `redis` is [`cluster`]. All these are on by default; `tls`, for a Redis behind
//! `rediss://`, is not. Without them this is the library alone, which needs
//! neither Node.js nor SQLite.

pub mod addresses;
pub mod buffers;
#[cfg(feature = "chat")]
pub mod chat;
#[cfg(feature = "redis")]
pub mod cluster;
pub mod config;
#[cfg(feature = "client")]
mod embedded;
pub mod engineio;
pub mod guide;
pub mod http;
pub mod reactor;
pub mod server;
pub mod sid;
pub mod slots;
pub mod socketio;
pub mod time;
pub mod timers;
pub mod websocket;
#[cfg(feature = "world")]
#[doc(hidden)]
pub mod world;

pub use config::Config;
pub use server::{Ack, Answer, App, Context, Io, Server, Socket, Verdict};
