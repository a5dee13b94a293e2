//! Every limit and duration, each with the reason for its default.
//!
//! Plain values with public fields: change what you need and hand the whole to [`crate::Server`]. Units are the last
//! word of a name. Each layer is lent its own part and sees no other.
//! Knows std and ranges of addresses only.

#[cfg(feature = "chat")]
pub mod chat;
#[cfg(feature = "redis")]
mod cluster;
mod engine;
mod http;
mod reactor;
mod socketio;
mod websocket;

#[cfg(feature = "redis")]
pub use self::cluster::{Cluster, RoomChannels, Wire};
pub use self::engine::{Cookie, Cors, Engine, HandshakeKept, Origins, SameSite};
pub use self::http::Http;
pub use self::reactor::Reactor;
pub use self::socketio::{Parser, Recovery, SocketIo};
pub use self::websocket::WebSocket;

/// All of it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Config {
    /// The loop and its connections.
    pub reactor: Reactor,
    /// HTTP/1.1.
    pub http: Http,
    /// WebSocket.
    pub websocket: WebSocket,
    /// Engine.IO sessions.
    pub engine: Engine,
    /// Socket.IO namespaces and sockets.
    pub socketio: SocketIo,
}
