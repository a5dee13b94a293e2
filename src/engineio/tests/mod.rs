//! Sessions in virtual time: no sockets, one sentence a test. Polls, posts and ends are here, the rest by subject.

mod admission;
mod deflate;
mod heartbeat;
mod pressure;
mod revision3;
mod upgrade;

use std::borrow::Cow;
use std::time::Duration;

use super::packet::Packet;
use super::*;
use crate::buffers::Shared;
use crate::reactor::ConnId;
use crate::time::Time;
use crate::websocket::Window;

const SECOND: Duration = Duration::from_secs(1);
const SOFT: usize = 1000;
const HARD: usize = 4000;

/// An engine and the time it lives in. What it utters is written down as words.
struct Bench {
    engine: Engine,
    now: Time,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut config::Engine)) -> Self {
        let mut config = config::Engine {
            queue_bytes_soft_max: SOFT,
            queue_bytes_max: HARD,
            ..config::Engine::default()
        };
        change(&mut config);
        Self {
            engine: Engine::new(config, [7; 32]),
            now: Time::ZERO,
        }
    }

    /// A session whose handshake has been taken from the engine.
    fn open(&mut self, transport: TransportName) -> SessionId {
        let id = self
            .engine
            .opened(self.now, conn(1), transport, Revision::V4);
        assert_eq!(self.said().len(), 1, "the handshake");
        id
    }

    fn polling(&mut self) -> SessionId {
        self.open(TransportName::Polling)
    }

    fn websocket(&mut self) -> SessionId {
        self.open(TransportName::WebSocket)
    }

    /// A polling session with a WebSocket, connection 9, that has proved itself.
    fn probing(&mut self) -> SessionId {
        let id = self.polling();
        self.engine.probed(self.now, id, conn(9));
        self.hear(id, 9, "2probe");
        assert_eq!(self.said(), ["frame 9: 3probe"]);
        id
    }

    fn poll(&mut self, id: SessionId, on: u32) {
        self.engine.polled(self.now, id, conn(on));
    }

    fn send(&mut self, id: SessionId, text: &str) {
        let packet = Packet::message(|out| out.extend_from_slice(text.as_bytes()));
        self.engine.send(self.now, id, &packet);
    }

    /// A text frame from connection `on`; gives the message in it.
    fn hear<'t>(&mut self, id: SessionId, on: u32, text: &'t str) -> Option<Incoming<'t>> {
        self.engine.text(self.now, id, conn(on), text)
    }

    /// A whole post on connection `on`; gives how many messages were in it.
    fn post(&mut self, id: SessionId, on: u32, body: &str) -> usize {
        let mut messages = 0;
        for record in payload::Packets::new(body) {
            let record = record.map_err(|_| packet::Undecodable);
            messages += usize::from(self.engine.posted(self.now, id, record).is_some());
        }
        self.engine.post_ended(id, conn(on));
        messages
    }

    /// What must reach the world.
    fn said(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.engine.poll_output(self.now))
            .map(|output| words(&output))
            .collect()
    }

    fn ended(&mut self) -> Vec<(SessionId, Reason)> {
        std::iter::from_fn(|| self.engine.poll_ended()).collect()
    }

    /// Lets time pass, deadline by deadline as the loop would.
    fn wait(&mut self, until: Time) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(due) = self.engine.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.engine.elapsed(self.now);
            said.extend(self.said());
        }
        self.now = until;
        said
    }
}

fn conn(number: u32) -> ConnId {
    ConnId::from_parts(number, 0)
}

fn at(seconds: f64) -> Time {
    Time::ZERO + Duration::from_secs_f64(seconds)
}

fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\u{1e}', "|");
    match output {
        Output::Answer(conn, Answer::Payload(body) | Answer::PlainPayload(body)) => {
            format!("answer {}: {}", conn.slot(), text(body))
        }
        Output::Answer(conn, Answer::Bytes(body)) => {
            format!("answer {} in bytes: {body:?}", conn.slot())
        }
        Output::Answer(conn, Answer::Accepted) => format!("ok {}", conn.slot()),
        Output::Answer(conn, Answer::Refused(refusal)) => {
            format!("refuse {}: {}", conn.slot(), refusal.message())
        }
        Output::Frame(conn, frame) => {
            let header = if frame[1] < 126 { 2 } else { 4 };
            format!("frame {}: {}", conn.slot(), text(&frame[header..]))
        }
        Output::Close(conn, code) => format!("close {} {code}", conn.slot()),
        Output::Cut(conn) => format!("cut {}", conn.slot()),
        Output::Hold(conn) => format!("hold {}", conn.slot()),
        Output::Show(conn) => format!("show {}", conn.slot()),
    }
}

#[test]
fn a_parked_poll_is_answered_with_all_that_is_sent_in_one_turn() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    assert!(bench.said().is_empty(), "nothing waits");
    bench.send(id, "a");
    bench
        .engine
        .send(bench.now, id, &Packet::binary(&[1, 2, 3]));
    bench.send(id, "b");
    assert_eq!(bench.said(), ["answer 2: 4a|bAQID|4b"]);
}

#[test]
fn what_is_sent_while_no_poll_is_parked_waits_for_the_next() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.send(id, "a");
    bench.send(id, "b");
    assert!(bench.said().is_empty());
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["answer 2: 4a|4b"]);
    bench.poll(id, 2);
    assert!(bench.said().is_empty());
}

#[test]
fn a_post_gives_its_messages_in_order_and_is_answered_once() {
    let mut bench = Bench::new();
    let id = bench.polling();
    let mut messages = Vec::new();
    for record in payload::Packets::new("4a\u{1e}bAQID\u{1e}3\u{1e}4\u{e9}") {
        messages.extend(bench.engine.posted(bench.now, id, record));
    }
    bench.engine.post_ended(id, conn(3));
    assert_eq!(
        messages,
        [
            Incoming::Text("a"),
            Incoming::Binary(Cow::Borrowed(&[1, 2, 3])),
            Incoming::Text("\u{e9}"),
        ]
    );
    assert_eq!(bench.said(), ["ok 3"]);
    assert_eq!(bench.engine.counters().received, 3);
}

#[test]
fn a_bad_packet_ends_the_session_and_those_before_it_count() {
    let mut bench = Bench::new();
    let id = bench.polling();
    assert_eq!(bench.post(id, 3, "4a\u{1e}9"), 1);
    assert_eq!(bench.ended(), [(id, Reason::ParseError)]);
    assert!(bench.engine.is_empty());
}

#[test]
fn a_poll_or_a_post_that_is_aborted_ends_the_session() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    bench.engine.conn_closed(bench.now, id, conn(2));
    assert_eq!(bench.ended(), [(id, Reason::TransportError)]);

    let id = bench.polling();
    bench.engine.post_begun(bench.now, id, conn(3));
    bench.engine.conn_closed(bench.now, id, conn(3));
    assert_eq!(bench.ended(), [(id, Reason::TransportError)]);
}

#[test]
fn a_connection_that_ends_between_two_requests_is_no_abort() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.engine.conn_closed(bench.now, id, conn(1));
    assert!(bench.ended().is_empty());
    bench.poll(id, 2);
    bench.send(id, "a");
    assert_eq!(bench.said(), ["answer 2: 4a"]);
}

#[test]
fn a_client_that_closes_by_post_gets_its_poll_back_empty() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    assert_eq!(bench.post(id, 3, "4a\u{1e}1\u{1e}4late"), 1);
    assert_eq!(bench.said(), ["answer 2: 6", "ok 3"]);
    assert_eq!(bench.ended(), [(id, Reason::TransportClose)]);
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["refuse 2: Session ID unknown"]);
}

#[test]
fn a_websocket_that_broke_a_rule_behind_its_goodbye_was_told_to_go_twice() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.hear(id, 1, "1");
    bench
        .engine
        .websocket_ended(bench.now, id, conn(1), Reason::TransportError, 1002);
    assert_eq!(bench.said(), ["close 1 1000"]);
}

#[test]
fn a_websocket_client_that_closes_ends_its_session() {
    for close in ["packet", "frame", "connection"] {
        let mut bench = Bench::new();
        let id = bench.websocket();
        match close {
            "packet" => drop(bench.hear(id, 1, "1")),
            "frame" => {
                bench
                    .engine
                    .websocket_ended(bench.now, id, conn(1), Reason::TransportClose, 1001)
            }
            _ => bench.engine.conn_closed(bench.now, id, conn(1)),
        }
        let expected: &[&str] = match close {
            "packet" => &["close 1 1000"],
            "frame" => &["close 1 1001"],
            _ => &[],
        };
        assert_eq!(bench.said(), expected, "{close}");
        assert_eq!(bench.ended(), [(id, Reason::TransportClose)]);
        assert!(bench.engine.is_empty());
    }
}

#[test]
fn a_frame_against_the_rules_ends_the_session_with_its_code() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    let reason = Reason::TransportError;
    bench
        .engine
        .websocket_ended(bench.now, id, conn(1), reason, 1009);
    assert_eq!(bench.said(), ["close 1 1009"]);
    assert_eq!(bench.ended(), [(id, reason)]);
}

#[test]
fn a_parked_poll_is_told_of_the_end() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert_eq!(bench.said(), ["answer 2: 1"]);
    assert_eq!(bench.ended(), [(id, Reason::ForcedClose)]);
    assert!(bench.engine.is_empty());
}

#[test]
fn the_next_poll_is_told_of_an_end_that_none_was_parked_for() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert_eq!(bench.ended(), [(id, Reason::ForcedClose)]);
    bench.send(id, "too late");
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["answer 2: 6|1"]);
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["refuse 2: Session ID unknown"]);
}

#[test]
fn a_farewell_is_kept_for_thirty_seconds() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    bench.wait(at(29.9));
    assert_eq!(bench.engine.len(), 1);
    bench.wait(at(30.0));
    assert!(bench.engine.is_empty());
    assert_eq!(bench.engine.deadline(), None);
}

#[test]
fn a_websocket_is_told_what_waits_before_it_is_closed() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.send(id, "bye");
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert_eq!(bench.said(), ["frame 1: 4bye", "close 1 1000"]);
    assert_eq!(bench.ended(), [(id, Reason::ForcedClose)]);
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert!(bench.ended().is_empty(), "it ends once");
}

#[test]
fn all_sessions_end_when_the_process_does() {
    let mut bench = Bench::new();
    let parked = bench.polling();
    bench.poll(parked, 2);
    let away = bench.polling();
    let websocket = bench.websocket();
    bench.engine.close_all(bench.now, Reason::ShuttingDown);
    assert_eq!(bench.said(), ["answer 2: 1", "close 1 1000"]);
    let mut ended = bench.ended();
    ended.sort_unstable_by_key(|(id, _)| id.slot());
    let reason = Reason::ShuttingDown;
    assert_eq!(
        ended,
        [(parked, reason), (away, reason), (websocket, reason)]
    );
}

#[test]
fn what_is_left_after_all_have_gone_is_nothing() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        let ids = [bench.polling(), bench.websocket(), bench.probing()];
        bench.now = bench.now + SECOND;
        for id in ids {
            bench.engine.close(bench.now, id, Reason::ForcedClose);
        }
        bench.wait(bench.now + SECOND * 31);
    }
    assert!(bench.engine.is_empty());
    assert!(bench.engine.sids.is_empty());
    assert!(bench.engine.timers.is_empty());
    assert!(bench.said().is_empty());
}

#[test]
fn what_waited_for_an_upgrade_and_is_taken_at_once_makes_nobody_slow() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.engine.probed(bench.now, id, conn(9));
    bench.hear(id, 9, "2probe");
    bench.said();
    bench.send(id, &"x".repeat(SOFT - 10));
    bench.send(id, &"x".repeat(SOFT - 10));
    bench.hear(id, 9, "5");
    bench.said();
    assert_eq!(bench.engine.session(id).unwrap().slow_since(), None);
}
