//! What there is, in numbers: questions for the simulated world, which compares the answers with its own books.
//!
//! Exists with feature `world` only. Changes nothing.

use super::core::{Conn, Protocol};
use super::recovery::Recovery;
use super::{App, Server};
use crate::engineio;
use crate::http;

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
    /// Posts whose packets are not all handled yet.
    pub posts: usize,
    /// Bytes of input held for the client of whom most is held: a body, a message in fragments, a packet without its
    /// attachments, a post.
    pub held_bytes_most: usize,
    /// Actions not performed and handlers not told.
    pub unsaid: usize,
}

/// What was done, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Messages of clients handled.
    pub messages: u64,
    /// Bytes that the parsers of HTTP have looked at or copied, in this thread.
    pub http_bytes: u64,
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
                + core.connect_timers.len()
                + core.assembling.len()
                + core.raw.iter().count()
                + core.data.iter().count()
                + core.joining.len()
                + core.recovery.as_ref().map_or(0, Recovery::len),
            timers: core.timers.len(),
            closures: core.acks.len()
                + core.gatherings.len()
                + core.nodes.len()
                + core.jobs.len()
                + core.feeders.len()
                + core.takers.len()
                + core.later.len(),
            assembling: core.assembling.len(),
            half_heads: http().filter(|http| http.is_in_a_head()).count(),
            half_bodies: http().filter(|http| http.is_in_a_body()).count(),
            half_frames: core
                .conns
                .iter()
                .filter(|(_, row)| is_in_a_frame(row))
                .count(),
            posts: core.posts.len(),
            held_bytes_most: self.held_bytes().max().unwrap_or(0),
            unsaid: core.actions.len() + core.deferred.len(),
        }
    }

    fn held_bytes(&self) -> impl Iterator<Item = usize> {
        let conns = self.core.conns.iter().map(|(_, row)| match &row.protocol {
            Protocol::Http(http) => http.held_bytes(),
            Protocol::WebSocket(reader) => reader.held_bytes(),
        });
        let posts = self.core.posts.iter().map(|posted| posted.body.len());
        conns.chain(posts).chain(self.core.sockets.held_bytes())
    }

    /// What was done so far: a turn must not do without end.
    #[must_use]
    pub fn work(&self) -> Work {
        Work {
            messages: self.core.engine.counters().received,
            http_bytes: http::properties::work_so_far(),
        }
    }
}
