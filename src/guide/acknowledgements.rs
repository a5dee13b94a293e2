//! Acknowledgements: an answer to one event, from us to a client or from a client to us.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use roomcast::server::AckError;
//! use roomcast::{Config, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), ());
//!     server
//!         .of("/")
//!         // The client asks: answered at once.
//!         .on("add", |socket, (a, b): (i64, i64), ack| {
//!             ack.send(&mut socket.io, &a.checked_add(b));
//!         })
//!         // Answered later: the ack is a value, and goes where the answer will be.
//!         .on("wake me", |socket, (seconds,): (u32,), ack| {
//!             let delay = Duration::from_secs(seconds.min(60).into());
//!             let told = socket.io.after(delay, move |context| ack.send(&mut context.io, &"good morning"));
//!             if let Err(error) = told {
//!                 log::warn!("somebody sleeps on: {error}");
//!             }
//!         })
//!         // We ask one client.
//!         .on_connect(|socket| {
//!             let within = Duration::from_secs(5);
//!             socket.emit_with_ack("your name?", &(), within, |socket, answer: Result<(String,), AckError>| {
//!                 match answer {
//!                     Ok((name,)) => socket.emit("hello", &(name,)),
//!                     Err(error) => log::info!("no name: {error}"),
//!                 }
//!             });
//!         })
//!         // We ask all of a room, and answer with what they said.
//!         .on("who is here?", |socket, (room,): (String,), ack| {
//!             let within = Duration::from_secs(2);
//!             socket.to(&room).emit_with_acks("your name?", &(), within, move |context, gathered| {
//!                 let names: Vec<String> = gathered
//!                     .answers
//!                     .iter()
//!                     .filter_map(|answer| answer.parse::<(String,)>().ok())
//!                     .map(|(name,)| name)
//!                     .collect();
//!                 ack.send(&mut context.io, &(names, gathered.is_complete()));
//!             });
//!         });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("your name?", (answer) => answer("ada"));
//! const sum = await socket.emitWithAck("add", 1, 2);
//! socket.emit("who is here?", "kitchen", (names, isComplete) => console.log(names, isComplete));
//! await socket.timeout(1000).emitWithAck("wake me", 2); // rejects: the client's own patience is its own affair
//! ```
//!
//! # Answering
//!
//! An [`Ack`](crate::Ack) comes with each event. It can be kept, moved into a closure and sent once; nothing happens if the
//! client did not ask ([`is_wanted`](crate::Ack::is_wanted) says so) or has left. A tuple is a list of values: Node's
//! `callback(error, value)` is `&(error, value)`. One that is dropped leaves the client waiting until its own time is up.
//!
//! # Asking
//!
//! Every question of ours has a time. The closure is called exactly once: with the answer, or with an
//! [`AckError`](crate::server::AckError) that says why there is none (too late, gone, of another type, the server was frozen).
//! At most [`acks_max`](crate::config::SocketIo::acks_max) answers are awaited from one socket (1,000).
//!
//! A broadcast with acknowledgements gives all answers at once in a [`Gathered`](crate::server::Gathered), also when the time is up
//! and some are missing: what came is there either way. An answer counts once, and only from a socket that was asked.
//! Their number and size have limits: [`gatherings_max`](crate::config::SocketIo::gatherings_max),
//! [`gathered_bytes_max`](crate::config::SocketIo::gathered_bytes_max).
