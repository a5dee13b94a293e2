//! What there is, in numbers: questions for the simulated world, which compares the answers with its own books.
//!
//! Exists with feature `world` only. Changes nothing.

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
    /// Actions not performed and handlers not told.
    pub unsaid: usize,
}

impl<A: App> Server<A> {
    /// Counts what there is.
    #[must_use]
    pub fn census(&self) -> Census {
        let core = &self.core;
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
            unsaid: core.actions.len() + core.deferred.len(),
        }
    }
}
