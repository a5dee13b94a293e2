//! Roomcast: a Socket.IO server on a hand-rolled event loop.
#[cfg(feature = "chat")]
pub mod chat;
pub mod config;
#[cfg(feature = "client")]
mod embedded;
pub mod engineio;
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
