//! Connecting: who is let into a namespace, and what is known of them.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use roomcast::reactor::lanes::Worker;
//! use roomcast::{App, Config, Server, Verdict};
//! use serde::{Deserialize, Serialize};
//! use serde_json::json;
//!
//! /// Blocks while it looks tokens up, and so lives on a thread of its own.
//! struct Directory;
//!
//! impl Worker for Directory {}
//!
//! impl Directory {
//!     fn name_of(&mut self, token: &str) -> Option<String> {
//!         std::fs::read_to_string(format!("/var/lib/tokens/{token}")).ok()
//!     }
//! }
//!
//! struct Club;
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Member {
//!     name: String,
//!     language: Option<String>,
//! }
//!
//! impl App for Club {
//!     type Data = Member;
//! }
//!
//! /// What a client brings.
//! #[derive(Deserialize)]
//! struct Auth {
//!     token: String,
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), Club);
//!     let directory = server.lane("directory", 100, || Directory);
//!     server
//!         .of("/")
//!         // What the first request said.
//!         .authorize(|socket, _: serde_json::Value| {
//!             let Some(handshake) = socket.handshake() else {
//!                 return Verdict::refuse("who are you?");
//!             };
//!             log::info!("{:?} came by {}", handshake.address(), handshake.url());
//!             socket.data_mut().language = handshake.header("accept-language");
//!             Verdict::Accept
//!         })
//!         // What must be looked up first.
//!         .authorize(move |socket, auth: Auth| {
//!             if !auth.token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
//!                 return Verdict::refuse("that is no token");
//!             }
//!             let id = socket.id();
//!             let look_up = move |directory: &mut Directory| directory.name_of(&auth.token);
//!             socket.io.run(directory, look_up, move |context, found| {
//!                 let verdict = match (found, context.socket(id)) {
//!                     (Ok(Some(name)), Some(mut socket)) => {
//!                         socket.data_mut().name = name;
//!                         Verdict::Accept
//!                     }
//!                     _ => Verdict::Refuse {
//!                         message: "unknown token".to_owned(),
//!                         data: Some(json!({ "again": "/sign-in" })),
//!                     },
//!                 };
//!                 context.io.decide(id, verdict);
//!             });
//!             Verdict::Later { within: Duration::from_secs(5) }
//!         })
//!         .on_connect(|socket| {
//!             let name = socket.data().name.clone();
//!             socket.emit("welcome", &(name,));
//!         });
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000", { auth: { token: "k3yF0rAda" } });
//! socket.on("welcome", (name) => console.log(name));
//! socket.on("connect_error", (error) => console.log(error.message, error.data)); // "unknown token", { again: "/sign-in" }
//! ```
//!
//! # Authorize
//!
//! The steps of [`authorize`](crate::server::Namespace::authorize) are asked in the order they were added, for each namespace anew,
//! before the client is told that it is connected. The first refusal ends it: `message` and `data` arrive as the client's
//! `connect_error`, and the connection stays for other namespaces. What a client brought as `auth` is read as the type that a step
//! names; what does not fit is refused as `invalid auth`.
//!
//! Until the last step has agreed the socket may hold data and join rooms, but is in no list and hears no broadcast: nobody
//! listens in before being let in. A step that must ask somebody first says [`Verdict::Later`](crate::Verdict::Later) with a
//! time; if [`decide`](crate::Io::decide) does not come in time, the answer is no.
//!
//! # The handshake
//!
//! [`Socket::handshake`](crate::Socket::handshake) is the request that opened the connection: headers, cookies, url, query,
//! address and time. The head of a browser is about 585 bytes; with many idle connections
//! [`handshake_kept`](crate::config::Engine::handshake_kept) keeps less. Behind a proxy that is named in
//! [`trusted_proxies`](crate::config::Reactor::trusted_proxies) the address is the one that the proxy names.
//!
//! # Before there is a session
//!
//! [`Server::allow_request`](crate::Server::allow_request) is asked earlier, when a connection has no namespace yet: it sees the
//! HTTP request, and a refusal is answered 403. It may take its time, too ([`Io::admit`](crate::Io::admit)).
//! [`Server::on_connection_error`](crate::Server::on_connection_error) is told of each request that was refused, and why.
//!
//! # Origins
//!
//! A page of another origin is not let in unless [`origins`](crate::config::Engine::origins) names it, over polling (CORS) and over
//! WebSocket alike. The default is the page's own origin.
