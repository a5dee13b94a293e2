//! What there is, in numbers: questions for the simulated world, which compares the answers with its own books.
//!
//! Exists with feature `world` only. Changes nothing.

use super::core::{Conn, Protocol};
use super::{App, Server};
use crate::engineio;

/// Everything that could be left behind, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The engine's part.
    pub engine: engineio::Census,
    /// Connections that have a row.
    pub connections: usize,
    /// Sockets in all namespaces, joining and leaving ones included.
    pub sockets: usize,
    /// Rooms in all namespaces.
    pub rooms: usize,
    /// Rows kept beside sessions and sockets: handshakes, data, deadlines.
    pub side_rows: usize,
    /// Timers of the switchboard.
    pub timers: usize,
    /// Closures that wait: answers, jobs, timers.
    pub closures: usize,
    /// Sessions whose packet waits for attachments.
    pub assembling: usize,
    /// Connections in the middle of a request's head.
    pub half_heads: usize,
    /// Connections in the middle of a request's body.
    pub half_bodies: usize,
    /// WebSockets in the middle of a frame or between a message's fragments.
    pub half_frames: usize,
    /// Actions not performed and handlers not told.
    pub unsaid: usize,
}

impl<A: App> Server<A> {
    /// Counts what there is.
    #[must_use]
    pub fn census(&self) -> Census {
        let core = &self.core;
        let http = || {
            core.conns
                .iter()
                .filter_map(|(_, row)| match &row.protocol {
                    Protocol::Http(http) => Some(http),
                    Protocol::WebSocket(_) => None,
                })
        };
        let is_in_a_frame = |row: &Conn| match &row.protocol {
            Protocol::Http(_) => false,
            Protocol::WebSocket(reader) => reader.is_in_the_middle(),
        };
        Census {
            engine: core.engine.census(),
            connections: core.conns.iter().count(),
            sockets: core.sockets.len(),
            rooms: core.sockets.room_count(),
            side_rows: core.handshakes.iter().count()
                + core.connect_timers.iter().count()
                + core.assembling.iter().count()
                + core.raw.iter().count()
                + core.data.iter().count()
                + core.joining.len(),
            timers: core.timers.len(),
            closures: core.acks.len() + core.gatherings.len() + core.jobs.len() + core.later.len(),
            assembling: core.assembling.iter().count(),
            half_heads: http().filter(|http| http.is_in_a_head()).count(),
            half_bodies: http().filter(|http| http.is_in_a_body()).count(),
            half_frames: core
                .conns
                .iter()
                .filter(|(_, row)| is_in_a_frame(row))
                .count(),
            unsaid: core.actions.len() + core.deferred.len(),
        }
    }
}
