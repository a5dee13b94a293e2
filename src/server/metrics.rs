//! Every number there is, in one place and as plain data: for a page of metrics, a log line, a test.
//!
//! Two sorts: what there is just now, and what was counted since the server started (which a thawed one goes on with).
//! How long a turn of the loop took is measured by the reactor, which has the clock, and told.
//! Left out: formats to show them in, and how the times of turns are spread.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::core::Counters;
use super::views::Io;
use crate::engineio;

/// How late the loop was with what was due: what it did meanwhile kept everybody waiting for as long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// The latest measurement.
    pub last: Duration,
    /// The greatest since the server started.
    pub most: Duration,
}

impl Lag {
    pub(super) fn measured(&mut self, lag: Duration) {
        self.last = lag;
        self.most = self.most.max(lag);
    }
}

/// How long the turns of the loop took: the time from being woken until everything was done and written. While one lasts,
/// everybody waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Turns {
    /// How many there were.
    pub count: u64,
    /// How long the last one took that was over.
    pub last: Duration,
    /// The longest since the server started.
    pub most: Duration,
}

impl Turns {
    pub(super) fn measured(&mut self, took: Duration) {
        self.count += 1;
        self.last = took;
        self.most = self.most.max(took);
    }
}

/// All numbers of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Metrics {
    /// Connections that are open, of whatever protocol.
    pub connections: usize,
    /// Engine.IO sessions, those included whose goodbye is on its way.
    pub sessions: usize,
    /// Of these, the ones that speak by long-polling.
    pub sessions_polling: usize,
    /// Sockets in all namespaces, joining and leaving ones included.
    pub sockets: usize,
    /// Of these, the ones that are being authorized.
    pub sockets_joining: usize,
    /// Namespaces.
    pub namespaces: usize,
    /// Rooms in all namespaces, the sockets' own included.
    pub rooms: usize,
    /// Bytes that wait for all clients; a packet counts for each that it waits for.
    pub queued_bytes: usize,
    /// Bytes of all packets on their way out, each once ([`crate::config::Engine::queues_bytes_max`]).
    pub packets_bytes: usize,
    /// Bytes held for packets whose attachments have not come ([`crate::config::SocketIo::packets_bytes_max`]).
    pub assembling_bytes: usize,
    /// Bytes held of bodies and messages whose end has not come ([`crate::config::Engine::unfinished_bytes_max`]).
    pub unfinished_bytes: usize,
    /// Posts with more packets than one turn bears.
    pub posts: usize,
    /// Answers of single sockets that are awaited.
    pub acks_awaited: usize,
    /// Broadcasts whose answers are awaited.
    pub gatherings: usize,
    /// Questions to other nodes whose replies are awaited.
    pub questions: usize,
    /// Jobs that lanes have not brought home.
    pub jobs: usize,
    /// Closures that wait for their time ([`Io::after`]).
    pub later: usize,
    /// How late the loop was.
    pub lag: Lag,
    /// How long its turns took.
    pub turns: Turns,
    /// What the server counted.
    pub server: Counters,
    /// What the engine counted.
    pub engine: engineio::Counters,
}

impl<A: App> Io<'_, A> {
    /// All numbers there are. Looks at each session and each socket once: for once a second, not for each event.
    ///
    /// ```
    /// # use roomcast::http::{Method, Response};
    /// # use roomcast::{Config, Server};
    /// # let mut server = Server::new(Config::default(), ());
    /// server.route(Method::Get, "/metrics.json", |request| {
    ///     let metrics = serde_json::to_string(&request.io.metrics()).expect("numbers are JSON");
    ///     Response::json(200, metrics).into()
    /// });
    /// ```
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let core = &self.core;
        Metrics {
            connections: core.conns.iter().count(),
            sessions: core.engine.len(),
            sessions_polling: core.engine.polling_count(),
            sockets: core.sockets.len(),
            sockets_joining: core.joining.len(),
            namespaces: core.sockets.namespaces().names().count(),
            rooms: core.sockets.room_count(),
            queued_bytes: core.engine.waiting_bytes(),
            packets_bytes: core.engine.packets_bytes(),
            assembling_bytes: core.sockets.assembling_bytes(),
            unfinished_bytes: core.unfinished_bytes,
            posts: core.posts.len(),
            acks_awaited: core.acks.len(),
            gatherings: core.gatherings.len(),
            questions: core.nodes.len(),
            jobs: core.jobs.len(),
            later: core.later.len(),
            lag: core.lag,
            turns: core.turns,
            server: core.counters,
            engine: core.engine.counters(),
        }
    }
}
