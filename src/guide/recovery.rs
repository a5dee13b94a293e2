//! Recovery: who was cut off comes back as the same socket, and hears what was said meanwhile.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use roomcast::config::Recovery;
//! use roomcast::server::Recovered;
//! use roomcast::{Config, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let mut recovery = Recovery::default();
//!     recovery.within = Duration::from_secs(300);
//!     let mut config = Config::default();
//!     config.socketio.recovery = Some(recovery);
//!     let mut server = Server::new(config, ());
//!     server
//!         .of("/")
//!         .on_connect(|socket| match socket.recovered() {
//!             // Id, rooms and data are what they were; what was missed has been sent already.
//!             Recovered::Yes => {}
//!             Recovered::Fresh => socket.join("news"),
//!             Recovered::No(why) => {
//!                 log::info!("back, but not as the same: {why:?}");
//!                 socket.join("news");
//!                 socket.emit("start over", &());
//!             }
//!         })
//!         .on("post", |socket, (text,): (String,), _ack| {
//!             socket.everyone().to("news").emit("news", &(text,));
//!         });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("connect", () => console.log(socket.id, socket.recovered));
//! socket.on("news", (text) => console.log(text));
//! socket.io.engine.close(); // as a lost line would: the client comes back by itself
//! ```
//!
//! # What is kept
//!
//! With [`config::SocketIo::recovery`](crate::config::SocketIo::recovery) every event carries an offset, which the official client
//! remembers. A socket that is cut off (not one that left or was made to leave) is *away*: its id, its rooms and its data stay for
//! [`within`](crate::config::Recovery::within), and what is said to its rooms, to its namespace or to its id goes into a log.
//! When the client comes back and both are still there, it takes its place again, and what it missed is sent before it is told that
//! it is connected. Volatile events and those that want an answer are not kept.
//!
//! The log has a size ([`log_bytes_max`](crate::config::Recovery::log_bytes_max), 16 MiB, the oldest go first), and those who
//! are away have a number ([`away_max`](crate::config::Recovery::away_max)). Who came too late, or missed more than the log
//! holds, is told apart from one who never asked: [`Recovered::No`](crate::server::Recovered::No), which Node's server cannot
//! say.
//!
//! # Two things to know
//!
//! The steps of [`authorize`](crate::server::Namespace::authorize) are asked again, so what was revoked meanwhile stays revoked;
//! [`authorize_again`](crate::config::Recovery::authorize_again) switches it off. Node's server leaves them out by default.
//!
//! The log is in memory. A server that is frozen and thawed ([`Server::freeze`](crate::Server::freeze)) takes it along; one that
//! crashes does not. What must not be lost belongs in a store, with a number by which a client asks for the rest.
