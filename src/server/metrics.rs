//! Every number there is, in one place and as plain data: for a page of metrics, a log line, a test.
//!
//! Two sorts: what there is just now, and what was counted since the server started (which a thawed one goes on with).
//! How long a turn of the loop took is measured by the reactor, which has the clock, and told.
//! Left out: formats to show them in.

use std::time::Duration;

use serde::Serialize;

use super::App;
use super::carrier::CarrierStatus;
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
    /// Of the last thousand: 99 of a hundred were over by then.
    pub p99: Duration,
}

/// How many turns are remembered one by one: what a busy server does in a moment, and an idle one in some minutes.
const TURNS_REMEMBERED: usize = 1000;

/// The turns as they come.
#[derive(Debug, Default)]
pub(super) struct TurnLog {
    count: u64,
    last: Duration,
    most: Duration,
    /// The latest ones in microseconds, the oldest overwritten by the newest; grows to its size once.
    latest: Vec<u32>,
    next: usize,
}

impl TurnLog {
    pub(super) fn measured(&mut self, took: Duration) {
        self.count += 1;
        self.last = took;
        self.most = self.most.max(took);
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        if self.latest.len() < TURNS_REMEMBERED {
            self.latest.push(micros);
        } else {
            self.latest[self.next] = micros;
            self.next = (self.next + 1) % TURNS_REMEMBERED;
        }
    }

    fn shown(&self) -> Turns {
        let mut latest = self.latest.clone();
        // The first that at least 99 of a hundred do not exceed.
        let place = (latest.len() * 99).div_ceil(100).checked_sub(1);
        let p99 = place.map_or(0, |place| *latest.select_nth_unstable(place).1);
        Turns {
            count: self.count,
            last: self.last,
            most: self.most,
            p99: Duration::from_micros(p99.into()),
        }
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
    /// How what other nodes are told is carried, if it is ([`super::Server::carried_by`]).
    pub carrier: Option<CarrierStatus>,
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
            turns: core.turns.shown(),
            carrier: self.carrier(),
            server: core.counters,
            engine: core.engine.counters(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(micros: impl IntoIterator<Item = u64>) -> Turns {
        let mut log = TurnLog::default();
        for took in micros {
            log.measured(Duration::from_micros(took));
        }
        log.shown()
    }

    #[test]
    fn all_but_a_hundredth_of_the_turns_were_over_by_then() {
        assert_eq!(after([]).p99, Duration::ZERO);
        assert_eq!(after([7]).p99, Duration::from_micros(7));
        assert_eq!(after(1..=100).p99, Duration::from_micros(99));
        assert_eq!(after((1..=1000).rev()).p99, Duration::from_micros(990));
        let one_long = after((0..100).map(|n| if n == 50 { 5000 } else { 10 }));
        assert_eq!(one_long.p99, Duration::from_micros(10));
        assert_eq!(one_long.most, Duration::from_millis(5));
    }

    #[test]
    fn turns_of_long_ago_are_counted_and_no_longer_weighed() {
        let long = std::iter::repeat_n(1_000_000, 500);
        let short = std::iter::repeat_n(3, TURNS_REMEMBERED);
        let turns = after(long.chain(short));
        assert_eq!(turns.count, 1500);
        assert_eq!(turns.p99, Duration::from_micros(3));
        assert_eq!(turns.most, Duration::from_secs(1));
    }
}
