//! Several servers: what there is today, and what is not.
//!
//! One process serves everybody who is connected to it, with one thread and some megabytes, and that goes a long way. Unless
//! somebody carries what it has to say to others (see below), rooms and broadcasts end at its door. Redis, by which the
//! official servers tell each other of their broadcasts, comes later.
//!
//! What one can do today is to split by what does not meet. Two servers that each have their own teams need no adapter, only
//! a proxy that sends each team to its own:
//!
//! ```no_run
//! use roomcast::{Config, Server};
//!
//! fn main() -> std::io::Result<()> {
//!     let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000);
//!     let mut config = Config::default();
//!     // The proxy names each server's path, brings many clients from one address, and says for whom it speaks.
//!     config.engine.path = format!("/{port}/socket.io/");
//!     config.reactor.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
//!     let mut server = Server::new(config, ());
//!     server.of("/").on("say", |socket, (text,): (String,), _ack| {
//!         socket.everyone().emit("said", &(text,));
//!     });
//!     let mut listening = server.listen(([127, 0, 0, 1], port).into())?;
//!     listening.handle_signals()?;
//!     listening.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("https://chat.example", { path: "/3001/socket.io/" });
//! ```
//!
//! # Behind a proxy that spreads
//!
//! A long-polling session is many requests, and all of them must reach the same process: the proxy must be *sticky*, by address
//! or by cookie. A WebSocket is one connection and needs nothing; a client that says `transports: ["websocket"]` avoids the
//! question. This is so with every Engine.IO server.
//!
//! # The same server, again
//!
//! State is plain data. [`Server::freeze`](crate::Server::freeze) makes bytes of a whole server (sessions, sockets, rooms, what is
//! queued), and [`Server::thaw`](crate::Server::thaw) makes a server of them in another process that was given the descriptors.
//! What waits in closures (acknowledgements, timers, jobs) ends with an error that says so.
//!
//! # Over a carrier of your own
//!
//! What servers have to tell each other is public plain data, broadcasts with their answers, `fetchSockets` and
//! `serverSideEmit` included: [`server::cluster`](crate::server::cluster). Who brings it from one to the other has joined them.
//!
//! # Not yet
//!
//! A carrier that comes with the crate, and emitters in other processes.
