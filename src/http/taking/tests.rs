//! Bodies in pieces: which bytes come, when, and how they break off.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::http::{After, Expired, Response, properties};
use crate::time::Now;

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// A connection that takes every body in pieces, and its inbox.
struct Bench {
    connection: Connection,
    inbox: Vec<u8>,
    limits: config::Http,
}

impl Bench {
    /// With a request begun.
    fn new(head: &str) -> Self {
        let mut bench = Self {
            connection: Connection::new(Time::ZERO),
            inbox: format!("POST /up HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n").into_bytes(),
            limits: config::Http::default(),
        };
        let mut input = &mut bench.inbox[..];
        let (connection, limits) = (&mut bench.connection, &bench.limits);
        let in_pieces = |method, path: &str| method == Method::Post && path == "/up";
        let request = connection.next_or_begun(Time::ZERO, limits, &mut input, &in_pieces);
        assert!(request.unwrap().unwrap().body().is_empty());
        assert_eq!(input.len(), 0);
        bench.inbox.clear();
        bench
    }

    /// The bytes that are shown, and whether the end was.
    fn receive(&mut self, now: Time, bytes: &[u8]) -> Result<(Vec<u8>, bool), Refusal> {
        self.inbox.extend_from_slice(bytes);
        let mut input = &mut self.inbox[..];
        let before = input.len();
        let (mut body, mut is_whole) = (Vec::new(), false);
        let (connection, limits) = (&mut self.connection, &self.limits);
        while let Some(piece) = connection.next_piece(now, limits, &mut input)? {
            match piece {
                Piece::Bytes(bytes) => {
                    assert!(!bytes.is_empty());
                    body.extend_from_slice(bytes);
                }
                Piece::End => is_whole = true,
            }
        }
        let taken = before - input.len();
        self.inbox.drain(..taken);
        Ok((body, is_whole))
    }

    fn answer(&mut self) -> After {
        let response = Response::new(204);
        let answer = self
            .connection
            .answer(Now::default(), &self.limits, &response);
        answer.after
    }
}

#[test]
fn the_pieces_are_the_body_however_it_is_cut() {
    let chunked = b"3\r\nabc\r\n1;x=y\r\nd\r\n0b\r\nefghijklmno\r\n0\r\nT: x\r\n\r\nGET /next";
    let rows: [(&str, &[u8], &[u8]); 4] = [
        (
            "Content-Length: 15",
            b"abcdefghijklmnoGET /next",
            b"abcdefghijklmno",
        ),
        ("Transfer-Encoding: chunked", chunked, b"abcdefghijklmno"),
        ("Transfer-Encoding: chunked", b"0\r\n\r\nGET /next", b""),
        ("Content-Length: 0", b"GET /next", b""),
    ];
    for (framing, raw, expected) in rows {
        for cut in 1..=raw.len() {
            let mut bench = Bench::new(framing);
            assert_eq!(bench.connection.accept(Time::ZERO, u64::MAX), Ok(None));
            let (mut body, mut ends) = bench.receive(Time::ZERO, b"").unwrap();
            for piece in raw.chunks(cut) {
                let (more, is_whole) = bench.receive(Time::ZERO, piece).unwrap();
                assert!(more.is_empty() || !ends, "nothing comes after the end");
                body.extend_from_slice(&more);
                ends |= is_whole;
            }
            assert_eq!((&*body, ends), (expected, true), "{framing} by {cut}");
            assert_eq!(bench.inbox, b"GET /next");
            assert!(bench.connection.owes() && !bench.connection.is_taking());
            assert_eq!(bench.answer(), After::KeepAlive);
        }
    }
}

#[test]
fn nothing_is_taken_before_it_is_accepted_nor_while_it_is_on_hold() {
    let mut bench = Bench::new("Content-Length: 6\r\nExpect: 100-continue");
    assert!(bench.connection.is_on_hold());
    bench.connection.resume(Time::ZERO);
    assert!(bench.connection.is_on_hold(), "it was not accepted");
    assert_eq!(bench.connection.deadline(&bench.limits), None);
    let interim = bench.connection.accept(Time::ZERO, 6).unwrap().unwrap();
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(bench.connection.accept(Time::ZERO, 1), Ok(None));
    assert_eq!(
        bench.receive(Time::ZERO, b"ab"),
        Ok((b"ab".to_vec(), false))
    );
    bench.connection.hold(Time::ZERO);
    assert_eq!(bench.receive(Time::ZERO, b"cd"), Ok((Vec::new(), false)));
    assert_eq!(bench.connection.deadline(&bench.limits), None);
    bench.connection.resume(at(3600));
    assert_eq!(bench.connection.deadline(&bench.limits), Some(at(3610)));
    assert_eq!(bench.receive(at(3601), b"ef"), Ok((b"cdef".to_vec(), true)));
}

#[test]
fn a_client_that_has_begun_to_send_is_not_told_to_continue() {
    let mut bench = Bench::new("Content-Length: 6");
    assert_eq!(bench.connection.accept(Time::ZERO, 6), Ok(None));
    let mut empty = Bench::new("Content-Length: 0\r\nExpect: 100-continue");
    assert_eq!(empty.connection.accept(Time::ZERO, 6), Ok(None));
}

#[test]
fn more_than_was_accepted_is_refused_as_early_as_it_is_known() {
    let mut bench = Bench::new("Content-Length: 7");
    let accepted = bench.connection.accept(Time::ZERO, 6);
    assert_eq!(accepted, Err(Refusal::BodyTooLarge));
    let mut bench = Bench::new("Transfer-Encoding: chunked");
    assert_eq!(bench.connection.accept(Time::ZERO, 6), Ok(None));
    assert_eq!(
        bench.receive(Time::ZERO, b"4\r\nabcd\r\n"),
        Ok((b"abcd".to_vec(), false))
    );
    let more = bench.receive(Time::ZERO, b"3\r");
    assert_eq!(more, Err(Refusal::BodyTooLarge));
    let mut bench = Bench::new("Transfer-Encoding: chunked");
    assert_eq!(bench.connection.accept(Time::ZERO, 6), Ok(None));
    assert_eq!(
        bench.receive(Time::ZERO, b"4\r\nabcd\r\n3\r\n"),
        Err(Refusal::BodyTooLarge),
        "also when it comes at once"
    );
}

#[test]
fn a_broken_chunk_is_refused_in_the_middle() {
    let mut bench = Bench::new("Transfer-Encoding: chunked");
    assert_eq!(bench.connection.accept(Time::ZERO, 100), Ok(None));
    assert!(bench.receive(Time::ZERO, b"1\r\na\r\n").is_ok());
    assert_eq!(bench.receive(Time::ZERO, b"x"), Err(Refusal::Chunk));
}

#[test]
fn an_early_answer_closes_unless_there_was_no_body() {
    for (framing, after) in [
        ("Content-Length: 1", After::Linger),
        ("Transfer-Encoding: chunked", After::Linger),
        ("Content-Length: 0", After::KeepAlive),
        ("Connection: close", After::Close),
    ] {
        assert_eq!(Bench::new(framing).answer(), after, "{framing}");
    }
}

#[test]
fn a_body_that_pauses_or_trickles_is_refused_but_not_for_our_pauses() {
    let mut bench = Bench::new("Content-Length: 100000");
    assert_eq!(bench.connection.accept(at(5), 100_000), Ok(None));
    assert_eq!(bench.connection.deadline(&bench.limits), Some(at(15)));
    assert!(bench.receive(at(10), &[b'x'; 10_240]).is_ok());
    assert_eq!(
        bench.connection.deadline(&bench.limits),
        Some(at(15)),
        "ten seconds' worth of bytes have been paid for"
    );
    bench.connection.hold(at(14));
    bench.connection.resume(at(114));
    assert_eq!(bench.connection.deadline(&bench.limits), Some(at(115)));
    let elapsed = bench.connection.elapsed(at(115), &bench.limits);
    assert_eq!(elapsed, Some(Expired::Refused(Refusal::BodyTooSlow)));
}

#[test]
fn random_bodies_are_the_same_whole_and_in_pieces() {
    for seed in 0..3_000 {
        eprintln!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let bytes = random.random_range(0..160_u8);
        let mut data = if random.random_ratio(1, 4) {
            vec![1, bytes]
        } else {
            vec![0]
        };
        let is_chunked = data.len() == 1;
        let mut left = usize::from(bytes);
        while is_chunked && left > 0 {
            let size = random.random_range(1..=left);
            left -= size;
            let extension = if random.random() { ";a=b" } else { "" };
            data.extend(format!("{size:x}{extension}\r\n").into_bytes());
            data.extend((0..size).map(|_| random.random::<u8>()));
            data.extend(b"\r\n");
        }
        if is_chunked {
            data.extend(b"0\r\n\r\n");
        } else {
            data.extend((0..left).map(|_| random.random::<u8>()));
        }
        if random.random_ratio(1, 4) {
            let place = random.random_range(1..data.len());
            data[place] = random.random();
        }
        if random.random_ratio(1, 4) {
            data.truncate(random.random_range(1..=data.len()));
        }
        data.extend(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        properties::http_body(&data);
    }
}
