//! Namespaces: several conversations over one connection, each with its own handlers, sockets and rooms.
//!
//! ```no_run
//! use roomcast::{App, Config, Server};
//!
//! /// The teams that there are.
//! struct Teams {
//!     names: Vec<String>,
//! }
//!
//! impl App for Teams {
//!     type Data = ();
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let teams = Teams { names: vec!["red".to_owned(), "blue".to_owned()] };
//!     let mut server = Server::new(Config::default(), teams);
//!     // By name.
//!     server.of("/admin").on("announce", |socket, (text,): (String,), _ack| {
//!         // A parent speaks to all its children.
//!         socket.io.children("/game-{number}").emit("announcement", &(text,));
//!     });
//!     // By pattern.
//!     server.of_pattern("/game-{number}").on_connect(|socket| {
//!         let number = socket.parameter("number").unwrap_or_default().to_owned();
//!         socket.emit("welcome", &(number,));
//!     });
//!     // By question.
//!     server
//!         .of_matching("teams", |teams, name, _auth| {
//!             name.strip_prefix("/team/").is_some_and(|team| teams.names.iter().any(|known| known == team))
//!         })
//!         .on("goal", |socket, (): (), _ack| {
//!             let team = socket.namespace().to_owned();
//!             socket.siblings().emit("goal", &(team,));
//!         });
//!     server.on_namespace(|_context, name| log::info!("{name} was called into being"));
//!     server.listen(([127, 0, 0, 1], 3000).into())?.run()?;
//!     Ok(())
//! }
//! ```
//!
//! ```js
//! const game = io("http://127.0.0.1:3000/game-7");
//! game.on("welcome", (number) => console.log(number)); // "7"
//! game.on("announcement", (text) => console.log(text));
//! const team = io("http://127.0.0.1:3000/team/red");
//! io("http://127.0.0.1:3000/team/green").on("connect_error", (error) => console.log(error.message)); // "Invalid namespace"
//! ```
//!
//! # By name
//!
//! [`Server::of`](crate::Server::of) describes one namespace; `/` is the one that a client joins if it names none. A client that
//! asks for one that nobody described is refused with `Invalid namespace`, and its connection stays. The same connection may be
//! in [`namespaces_max`](crate::config::SocketIo::namespaces_max) of them (32); in each it is a socket of its own, with an id of
//! its own.
//!
//! # By pattern and by question
//!
//! [`of_pattern`](crate::Server::of_pattern) and [`of_matching`](crate::Server::of_matching) describe a *parent*: the handlers
//! of all namespaces whose names fit. `{number}` in a pattern stands for one or more characters without a slash, and
//! [`Socket::parameter`](crate::Socket::parameter) gives what it stands for. A question sees the application, the name and what
//! the client brought as `auth`; it takes the place of the official server's regular expressions and functions. Of several
//! parents that a name fits, the first that was described has it; what was described by name is nobody's child.
//!
//! A child is made when its first client comes, and removed with its last; so strangers cannot fill the memory with names
//! ([`empty_children_kept`](crate::config::SocketIo::empty_children_kept) keeps them,
//! [`children_max`](crate::config::SocketIo::children_max) bounds them either way).
//!
//! # Parents
//!
//! [`Io::children`](crate::Io::children) is a broadcast to all children of a parent, by its pattern or label;
//! [`Socket::siblings`](crate::Socket::siblings) is the same from one of them.
