//! Socket.IO: namespaces, sockets, rooms, acknowledgements — who gets what.
//!
//! The pure parts: packets from and to text ([`packet`], [`assembler`]) or otherwise ([`parser`]), arguments from and to
//! types ([`args`]), rooms and their members ([`adapter`]). Each is a function of its input and its limits.
//! Knows sessions by id; never a transport, a connection or a byte on the wire.

pub mod adapter;
pub mod args;
pub mod assembler;
mod freeze;
mod json;
pub mod msgpack;
pub mod namespaces;
pub mod packet;
pub mod parser;
pub mod pattern;
#[cfg(any(test, feature = "world"))]
pub mod property;
pub mod replay;
mod sockets;
mod steps;

pub use adapter::{Adapter, RoomEvent, SocketId, SocketKey};
pub use freeze::{Frozen, ThawError};
pub use namespaces::{FamilyId, NamespaceId, Namespaces};
pub use sockets::{Phase, Reason, Refusal, SocketRow, Sockets};
pub use steps::{Attachments, OutOfOrder, Parsed, Step};
