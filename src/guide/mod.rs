//! The guide: what a program says to its clients, chapter by chapter, each with one whole program.
//!
//! Nothing here but words and programs that the compiler has read. Each program listens on 127.0.0.1:3000 and stands alone;
//! beside it is what a client writes in JavaScript with the official `socket.io-client`. Who knows the official server
//! may begin with [`coming_from_node`], where each of its calls has ours beside it.
//!
//! | chapter | |
//! |---|---|
//! | [`events`] | names and arguments, both ways, with bytes in them |
//! | [`acknowledgements`] | answers, both ways, at once or later |
//! | [`broadcasting`] | to all, to all but the sender, to some; what may be lost |
//! | [`namespaces`] | by name, by pattern, by question; parents that speak to all their children |
//! | [`rooms`] | groups of sockets, the room each has for itself, private messages |
//! | [`connecting`] | who is let in, and what is known of them |
//! | [`listening`] | middleware, listeners to all events, errors, ends |
//! | [`recovery`] | who was cut off comes back and hears what was missed |
//! | [`adapter`] | who is in which room, and what happens to rooms |
//! | [`threads`] | work that takes a while, other threads, timers |
//! | [`http`] | routes of your own beside Socket.IO |
//! | [`several_servers`] | what there is today, and what is not |
//! | [`coming_from_node`] | the official server's calls and options, with ours beside them |
//! | [`features`] | everything that servers of this kind have: yes, not yet, or left out and why |
//!
//! # What all programs have in common
//!
//! A [`Server`](crate::Server) is made of a [`Config`](crate::Config) and an application, which is any type of yours that says
//! [`App`](crate::App); `()` is one that has no state. Handlers are named first, then [`listen`](crate::Server::listen) opens the
//! port, and [`run`](crate::server::Listening::run) stays until the server is asked to stop.
//!
//! A handler is lent a [`Socket`](crate::Socket), which has three parts: `socket.app`, your own state, plainly mutable;
//! `socket.io`, the server; and the socket itself. They last as long as the call. What you keep for later is an id
//! ([`SocketId`](crate::socketio::SocketId)), and [`Context::socket`](crate::Context::socket) finds its socket again, or nothing if
//! it has left. There is one thread, so there are no locks; and while a handler runs nobody else does, so what takes
//! a while goes [to another thread](threads).

pub mod acknowledgements;
pub mod adapter;
pub mod broadcasting;
pub mod coming_from_node;
pub mod connecting;
pub mod events;
pub mod features;
pub mod http;
pub mod listening;
pub mod namespaces;
pub mod recovery;
pub mod rooms;
pub mod several_servers;
pub mod threads;
