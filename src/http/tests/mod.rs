//! What a connection does with requests and answers; its refusals and its deadlines have files of their own.

mod deadlines;
mod refusals;

use std::time::Duration;

use super::properties::{self, Outcome};
use super::*;
use crate::time::{Now, UnixMillis};

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

fn wall(mono: Time) -> Now {
    Now {
        mono,
        wall: UnixMillis(784_111_777_000),
    }
}

/// One connection with its inbox, as the reactor would keep it.
struct Bench {
    connection: Connection,
    inbox: Vec<u8>,
    limits: config::Http,
}

impl Bench {
    fn new() -> Self {
        Self {
            connection: Connection::new(Time::ZERO),
            inbox: Vec::new(),
            limits: config::Http::default(),
        }
    }

    fn receive(&mut self, now: Time, bytes: &[u8]) -> Result<Option<Request<'static>>, Refusal> {
        self.inbox.extend_from_slice(bytes);
        let mut input = &mut self.inbox[..];
        let before = input.len();
        let next = self.connection.next(now, &self.limits, &mut input);
        let next = next.map(|request| request.map(Request::into_owned));
        let taken = before - input.len();
        self.inbox.drain(..taken);
        next
    }

    fn answer(&mut self, now: Time, response: &Response) -> (String, After) {
        let answer = self.connection.answer(wall(now), &self.limits, response);
        let bytes = [answer.head, answer.body].concat();
        (String::from_utf8(bytes).unwrap(), answer.after)
    }

    fn deadline(&self) -> Option<Time> {
        self.connection.deadline(&self.limits)
    }
}

#[test]
fn requests_are_the_same_however_they_are_cut() {
    let streams: [&[u8]; 5] = [
        b"GET /a?b HTTP/1.1\r\nHost: a\r\n\r\nPOST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\nT: x\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\nGET /never HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x80abcd",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\n",
    ];
    let ends = [3, 2, 1, 1, 2];
    for (stream, count) in streams.into_iter().zip(ends) {
        let whole = properties::outcomes(stream, std::iter::once(stream.len()));
        assert_eq!(whole.len(), count, "{whole:?}");
        for first in 1..stream.len() {
            for second in [1, 2, 7, stream.len()] {
                let lengths = std::iter::once(first).chain(std::iter::repeat(second));
                assert_eq!(properties::outcomes(stream, lengths), whole);
            }
        }
    }
}

#[test]
fn what_the_fuzzer_starts_from_keeps_every_promise() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/http_request");
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).expect("the seeds are in the repository") {
        properties::http_request(&std::fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds >= 5, "{seeds} seeds");
}

#[test]
fn spoiled_requests_keep_every_promise() {
    let sound = b"\x03\x01\x05\x02POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: x\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for at in 4..sound.len() {
        for byte in [b'\n', b'\r', b' ', b':', b'0', b'\0', 0xff, b','] {
            let mut spoiled = sound.to_vec();
            spoiled[at] = byte;
            properties::http_request(&spoiled);
            spoiled.insert(at, byte);
            properties::http_request(&spoiled);
            spoiled.drain(at..at + 2);
            properties::http_request(&spoiled);
        }
    }
}

#[test]
fn pipelined_requests_wait_until_the_answer_before_them_is_given() {
    let mut bench = Bench::new();
    let mut raw = Vec::new();
    for number in 0..100 {
        raw.extend_from_slice(format!("GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    }
    let mut next = bench.receive(Time::ZERO, &raw);
    for number in 0..100 {
        assert_eq!(next.unwrap().unwrap().path(), format!("/{number}"));
        assert!(bench.connection.owes());
        assert_eq!(bench.deadline(), None, "while we owe, it is our turn");
        let left = bench.inbox.len();
        assert!(bench.receive(Time::ZERO, b"").unwrap().is_none());
        assert_eq!(
            bench.inbox.len(),
            left,
            "nothing is taken while an answer is owed"
        );
        assert_eq!(
            bench.answer(Time::ZERO, &Response::new(204)).1,
            After::KeepAlive
        );
        next = bench.receive(Time::ZERO, b"");
    }
    assert!(bench.inbox.is_empty() && bench.connection.is_idle());
}

#[test]
fn a_client_that_waits_is_told_to_continue_once_and_only_if_its_body_is_welcome() {
    let head = |more: &str| {
        format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n{more}\r\n\r\n")
    };
    for framing in ["Content-Length: 2", "Transfer-Encoding: chunked"] {
        let mut bench = Bench::new();
        assert!(
            bench
                .receive(Time::ZERO, head(framing).as_bytes())
                .unwrap()
                .is_none()
        );
        let interim = bench.connection.poll_interim().expect("an interim answer");
        assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(bench.connection.poll_interim(), None);
    }
    let mut eager = Bench::new();
    let request = eager.receive(Time::ZERO, (head("Content-Length: 2") + "a").as_bytes());
    assert!(request.unwrap().is_none());
    assert_eq!(eager.connection.poll_interim(), None, "it did not wait");
    let mut bodiless = Bench::new();
    assert!(
        bodiless
            .receive(Time::ZERO, head("X: y").as_bytes())
            .unwrap()
            .is_some()
    );
    assert_eq!(bodiless.connection.poll_interim(), None);
    let mut old = Bench::new();
    let raw = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    assert!(old.receive(Time::ZERO, raw).unwrap().is_none());
    assert_eq!(old.connection.poll_interim(), None);
}

#[test]
fn answers_are_written_as_method_and_version_need_them() {
    const DATE: &str = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let text = Response::text(200, "hi");
    let typed = "Content-Type: text/plain; charset=utf-8\r\n";
    let rows = [
        (
            "GET / HTTP/1.1",
            "",
            &text,
            format!("{typed}Content-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nhi"),
            After::KeepAlive,
        ),
        (
            "HEAD / HTTP/1.1",
            "",
            &text,
            format!("{typed}Content-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\n"),
            After::KeepAlive,
        ),
        (
            "GET / HTTP/1.0",
            "",
            &text,
            format!("{typed}Content-Length: 2\r\nConnection: close\r\n\r\nhi"),
            After::Close,
        ),
        (
            "GET / HTTP/1.0",
            "Connection: keep-alive\r\n",
            &text,
            format!(
                "{typed}Content-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\nhi"
            ),
            After::KeepAlive,
        ),
        (
            "GET / HTTP/1.1",
            "Connection: close\r\n",
            &text,
            format!("{typed}Content-Length: 2\r\nConnection: close\r\n\r\nhi"),
            After::Close,
        ),
        (
            "GET / HTTP/1.1",
            "",
            &text.clone().close(),
            format!("{typed}Content-Length: 2\r\nConnection: close\r\n\r\nhi"),
            After::Linger,
        ),
        (
            "GET / HTTP/1.1",
            "",
            &Response::new(200),
            "Content-Length: 0\r\nKeep-Alive: timeout=5\r\n\r\n".to_owned(),
            After::KeepAlive,
        ),
        (
            "GET / HTTP/1.1",
            "",
            &Response::new(204),
            "Keep-Alive: timeout=5\r\n\r\n".to_owned(),
            After::KeepAlive,
        ),
        (
            "GET / HTTP/1.1",
            "",
            &Response::new(304),
            "Keep-Alive: timeout=5\r\n\r\n".to_owned(),
            After::KeepAlive,
        ),
        (
            "GET / HTTP/1.1",
            "",
            &Response::new(101).header("Upgrade", "websocket"),
            "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n".to_owned(),
            After::Switch,
        ),
    ];
    for (line, header, response, expected, after) in rows {
        let mut bench = Bench::new();
        let raw = format!("{line}\r\nHost: a\r\n{header}\r\n");
        bench.receive(Time::ZERO, raw.as_bytes()).unwrap().unwrap();
        let (status, phrase) = (response.status(), reason(response.status()));
        let expected = format!("HTTP/1.1 {status} {phrase}\r\n{DATE}{expected}");
        assert_eq!(
            bench.answer(Time::ZERO, response),
            (expected, after),
            "{raw}"
        );
    }
}

#[test]
fn a_large_body_is_shared_and_not_copied() {
    let body = bytes::Bytes::from(vec![b'x'; 100_000]);
    let mut bench = Bench::new();
    bench
        .receive(Time::ZERO, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap()
        .unwrap();
    let response = Response::new(200).body(body.clone());
    let answer = bench
        .connection
        .answer(wall(Time::ZERO), &bench.limits, &response);
    assert_eq!(answer.body.as_ptr(), body.as_ptr());
    assert!(answer.head.ends_with(b"\r\n\r\n"));
}

#[test]
fn what_follows_an_upgrade_is_left_for_the_websocket() {
    let mut bench = Bench::new();
    let head = b"GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let request = bench
        .receive(Time::ZERO, &[&head[..], b"\r\n\x81\x80"].concat())
        .unwrap()
        .unwrap();
    assert!(request.is_upgrade() && request.body().is_empty());
    assert_eq!(
        bench.answer(Time::ZERO, &Response::new(101)).1,
        After::Switch
    );
    assert!(bench.receive(Time::ZERO, b"more").unwrap().is_none());
    assert_eq!(bench.inbox, b"\r\n\x81\x80more");
}

#[test]
fn a_large_request_costs_linear_work_byte_by_byte() {
    let body = "x".repeat(100_000);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nX: ".to_owned() + &"y".repeat(15_000);
    let chunked: String = body
        .chars()
        .map(|byte| format!("1\r\n{byte}\r\n"))
        .collect();
    for raw in [
        format!("{head}\r\nContent-Length: 100000\r\n\r\n{body}"),
        format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}0\r\n\r\n"),
    ] {
        let (limits, before) = (config::Http::default(), work::so_far());
        let mut connection = Connection::new(Time::ZERO);
        let mut raw = raw.into_bytes();
        let (mut start, total) = (0, raw.len());
        for end in 1..=total {
            let mut input = &mut raw[start..end];
            let shown = input.len();
            let next = connection.next(Time::ZERO, &limits, &mut input).unwrap();
            let left = input.len();
            assert_eq!(next.is_some(), end == total);
            start += shown - left;
        }
        let spent = work::so_far() - before;
        assert!(spent <= 4 * total as u64, "{spent} for {total}");
    }
}

#[test]
fn a_counted_body_is_lent_and_not_copied() {
    let mut raw = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi".to_vec();
    let address = raw.as_ptr();
    let mut input = &mut raw[..];
    let mut connection = Connection::new(Time::ZERO);
    let request = connection
        .next(Time::ZERO, &config::Http::default(), &mut input)
        .unwrap()
        .unwrap();
    assert_eq!(request.head().as_ptr(), address);
    assert_eq!(
        request.body().as_ptr(),
        address.wrapping_add(request.head().len())
    );
    assert!(
        connection.owes(),
        "the request borrows from the input, not from the connection"
    );
    assert_eq!(request.body(), b"hi");
}

#[test]
fn a_row_is_small() {
    assert!(size_of::<Connection>() <= 32, "{}", size_of::<Connection>());
}

#[test]
fn an_outcome_names_the_end_of_its_request() {
    let stream = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    let outcomes = properties::outcomes(stream, std::iter::once(stream.len()));
    assert!(matches!(outcomes[..], [Outcome::Request { end, .. }] if end == stream.len() - 4));
}

#[test]
fn a_request_is_announced_once_when_its_head_has_come_and_its_body_has_not() {
    for (framing, body) in [
        ("Content-Length: 2", &[&b"h"[..], b"i"][..]),
        (
            "Transfer-Encoding: chunked",
            &[b"1\r\nh\r\n", b"1\r\ni\r\n0\r\n\r\n"],
        ),
    ] {
        let mut bench = Bench::new();
        let head = format!("POST /a?b HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
        let (first, rest) = head.as_bytes().split_at(9);
        assert!(bench.receive(at(0), first).unwrap().is_none());
        assert!(bench.connection.poll_begun(&bench.inbox).is_none());
        assert!(bench.receive(at(0), rest).unwrap().is_none());
        let begun = bench.connection.poll_begun(&bench.inbox).unwrap();
        assert_eq!((begun.path(), begun.query()), ("/a", "b"));
        assert!(begun.body().is_empty());
        assert!(bench.receive(at(0), body[0]).unwrap().is_none());
        assert!(bench.connection.poll_begun(&bench.inbox).is_none());
        let request = bench.receive(at(0), body[1]).unwrap().unwrap();
        assert_eq!(request.body(), b"hi");
        assert!(bench.connection.poll_begun(&bench.inbox).is_none());
    }
    let mut bench = Bench::new();
    let whole = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    assert!(bench.receive(at(0), whole).unwrap().is_some());
    assert!(bench.connection.poll_begun(&bench.inbox).is_none());
}
