//! Roomcast: a Socket.IO server on a hand-rolled event loop.
pub mod config;
pub mod reactor;
pub mod slots;
pub mod time;
