//! Several servers as one, over Redis: what they tell each other in the words of the official Node.js adapters.
//!
//! [`Redis`] is a [`Carrier`](crate::server::Carrier): a state machine over bytes and time that is handed to
//! [`Server::carried_by`](crate::Server::carried_by). Within, from the bottom: Redis' own protocol (`resp`), one connection
//! that is kept up (`link`, with `tls` beneath if the feature is on), what all messages have in common (`message`,
//! `questions`), a protocol between nodes (`wire`: `classic`, `sharded`, `streams`; what the last two share is `common`), and
//! who is subscribed to what (`redis`). To the stream belong its entries (`entry`), the reading of its end (`tail`), what waits
//! for itself to come back (`held`) and who comes back to hear what he missed (`sessions`).
//!
//! Whoever may publish on that Redis is a server of the cluster, and can do to clients what servers do: keep it within the
//! house. What comes is held to limits ([`config::Cluster`](crate::config::Cluster)) all the same, and what no node could have
//! meant is passed over and counted.
//! Knows no sockets, no handlers and no transports.
//! Left out: the redirections of Redis Cluster, Sentinel; several streams for one cluster.

mod classic;
mod common;
mod emitter;
mod entry;
mod held;
mod link;
mod message;
#[cfg(feature = "world")]
#[doc(hidden)]
pub mod properties;
mod questions;
mod redis;
mod resp;
mod sessions;
mod sharded;
mod streams;
mod tail;
#[cfg(feature = "tls")]
mod tls;
mod url;
mod wire;

pub use emitter::{Aim, Emitter};
pub use redis::Redis;
pub use url::UrlError;

#[cfg(test)]
mod tests;
