//! Listening: what stands between an event and its handler, who hears all events, and how things end.
//!
//! ```no_run
//! use roomcast::server::Refused;
//! use roomcast::{App, Config, Server};
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! #[derive(Default)]
//! struct Office {
//!     events: u64,
//! }
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Clerk {
//!     is_admin: bool,
//! }
//!
//! impl App for Office {
//!     type Data = Clerk;
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), Office::default());
//!     server
//!         .of("/")
//!         .on_any(|socket, name, args| {
//!             socket.app.events += 1;
//!             log::debug!("{} said {name} with {} arguments", socket.id(), args.len());
//!         })
//!         .on_any_outgoing(|socket, name, _args| log::debug!("{} was told {name}", socket.id()))
//!         .middleware(|socket, event| {
//!             match event.name().starts_with("admin:") && !socket.data().is_admin {
//!                 true => Err(Refused::new("for admins only")),
//!                 false => Ok(()),
//!             }
//!         })
//!         .on("admin:close", |socket, (): (), _ack| socket.everyone().disconnect())
//!         .on_fallback(|_socket, name, _args, _ack| log::info!("nobody knows {name}"))
//!         .on_error(|socket, error, ack| ack.send(&mut socket.io, &json!({ "error": error.to_string() })))
//!         .on_disconnecting(|socket, _reason| log::debug!("{} leaves {:?}", socket.id(), socket.rooms()))
//!         .on_disconnect(|socket, reason| log::debug!("{} has left: {reason}", socket.id()));
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! await socket.emitWithAck("admin:close"); // { error: "for admins only" }
//! ```
//!
//! # The way of an event
//!
//! First each [`on_any`](crate::server::Namespace::on_any) hears it as it came. Then each
//! [`middleware`](crate::server::Namespace::middleware) may rename it, replace its arguments, or refuse it. Then its handler has
//! it; if it has none, [`on_fallback`](crate::server::Namespace::on_fallback). What was refused, or does not fit the handler's
//! types, goes to [`on_error`](crate::server::Namespace::on_error) with the [`Ack`](crate::Ack), so that the client can be told.
//!
//! [`on_any_outgoing`](crate::server::Namespace::on_any_outgoing) hears what was sent, once for each socket it went to, after
//! the handler that sent it. What it sends itself it does not hear.
//!
//! # One table for all sockets
//!
//! Handlers belong to a namespace and not to a socket, so a socket costs no closures, and none can be forgotten on it. Each
//! event has one handler. What Node does with `once` and `off`, a field in the socket's data does here: the handler asks it
//! first.
//!
//! # Ends
//!
//! [`on_disconnecting`](crate::server::Namespace::on_disconnecting) runs while the rooms are still there,
//! [`on_disconnect`](crate::server::Namespace::on_disconnect) when they are gone; the data is there in both. The
//! [`Reason`](crate::socketio::Reason) is written in the official server's words (`transport close`, `ping timeout`,
//! `client namespace disconnect` …), and `slow consumer` is one more, for who did not read what was sent.
//!
//! A handler that panics is caught and logged, and costs its own socket and nobody else.
