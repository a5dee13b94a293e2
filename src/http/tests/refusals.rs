//! One row for each way to be refused.

use super::*;

#[test]
fn each_broken_request_is_refused_with_its_status_however_it_is_cut() {
    const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\n";
    let get = |header: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n");
    let post = |header: &str| format!("{POST}{header}\r\n\r\n");
    let line = |line: &str| format!("{line}\r\nHost: a\r\n\r\n");
    let rows = [
        // malformed heads
        (get("no colon"), 400, Refusal::Malformed),
        (get(": empty name"), 400, Refusal::Malformed),
        (get("X : space before the colon"), 400, Refusal::Malformed),
        (get("X: nul\0"), 400, Refusal::Malformed),
        (get("X: bare\rreturn"), 400, Refusal::Malformed),
        (get("X: control\x01"), 400, Refusal::Malformed),
        (get("X: a\r\n folded"), 400, Refusal::Malformed),
        (get("X: a\nY: b"), 400, Refusal::BareLineFeed),
        (
            "GET / HTTP/1.1\nHost: a\n\n".to_owned(),
            400,
            Refusal::BareLineFeed,
        ),
        ("\nGET / HTTP/1.1\r\n".to_owned(), 400, Refusal::Malformed),
        ("\rGET / HTTP/1.1\r\n".to_owned(), 400, Refusal::Malformed),
        (" GET / HTTP/1.1\r\n".to_owned(), 400, Refusal::Malformed),
        (line("GET /"), 400, Refusal::Malformed),
        (line("GET  / HTTP/1.1"), 400, Refusal::Malformed),
        (line("GET / HTTP/1.1 "), 400, Refusal::Malformed),
        (line("GET / http/1.1"), 400, Refusal::Malformed),
        (line("G{T / HTTP/1.1"), 400, Refusal::Malformed),
        // targets
        (line("GET here HTTP/1.1"), 400, Refusal::Target),
        (line("GET * HTTP/1.1"), 400, Refusal::Target),
        (line("GET /#top HTTP/1.1"), 400, Refusal::Target),
        (line("GET /caf\u{e9} HTTP/1.1"), 400, Refusal::Target),
        (line("GET ftp://a/ HTTP/1.1"), 400, Refusal::Target),
        (
            line("GET http://elsewhere/ HTTP/1.1"),
            421,
            Refusal::OtherHost,
        ),
        // Host
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400, Refusal::Host),
        (get("hOst: a"), 400, Refusal::Host),
        (line("GET / HTTP/1.1\r\nhost: b"), 400, Refusal::Host),
        (
            "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n".to_owned(),
            400,
            Refusal::Host,
        ),
        (
            "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n".to_owned(),
            400,
            Refusal::Host,
        ),
        (
            "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n".to_owned(),
            400,
            Refusal::Host,
        ),
        // the length of a body
        (
            post("Content-Length: 2\r\nContent-Length: 3"),
            400,
            Refusal::Length,
        ),
        (
            post("Content-Length: 2\r\nContent-Length: 2"),
            400,
            Refusal::Length,
        ),
        (post("Content-Length: 2, 2"), 400, Refusal::Length),
        (post("Content-Length: 2,3"), 400, Refusal::Length),
        (post("Content-Length: +2"), 400, Refusal::Length),
        (post("Content-Length: -2"), 400, Refusal::Length),
        (post("Content-Length: 1e30"), 400, Refusal::Length),
        (
            post("Content-Length: 1000000000000000000000000000000"),
            400,
            Refusal::Length,
        ),
        (post("Content-Length: 0x2"), 400, Refusal::Length),
        (post("Content-Length: 2 2"), 400, Refusal::Length),
        (post("Content-Length:"), 400, Refusal::Length),
        (
            post("Content-Length: 2\r\nTransfer-Encoding: chunked"),
            400,
            Refusal::Length,
        ),
        (
            post("Transfer-Encoding: gzip, chunked"),
            400,
            Refusal::TransferCoding,
        ),
        (
            post("Transfer-Encoding: chunked, identity"),
            400,
            Refusal::TransferCoding,
        ),
        (
            post("Transfer-Encoding: xchunked"),
            400,
            Refusal::TransferCoding,
        ),
        (
            post("Transfer-Encoding: \x0bchunked"),
            400,
            Refusal::Malformed,
        ),
        (post("Transfer-Encoding:"), 400, Refusal::TransferCoding),
        (
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            400,
            Refusal::TransferCoding,
        ),
        (
            line("POST / HTTP/1.0\r\nTransfer-Encoding: chunked"),
            400,
            Refusal::TransferCoding,
        ),
        // chunks (all of them in body.rs)
        (
            post("Transfer-Encoding: chunked") + "x\r\n",
            400,
            Refusal::Chunk,
        ),
        (
            post("Transfer-Encoding: chunked") + "f4241\r\n",
            413,
            Refusal::BodyTooLarge,
        ),
        // bodies too large, expectations
        (post("Content-Length: 1000001"), 413, Refusal::BodyTooLarge),
        (
            post("Content-Length: 10000000000"),
            413,
            Refusal::BodyTooLarge,
        ),
        (
            post("Content-Length: 10000000000\r\nExpect: 100-continue"),
            413,
            Refusal::BodyTooLarge,
        ),
        (
            post("Content-Length: 1\r\nExpect: x"),
            417,
            Refusal::Expectation,
        ),
        // other protocols
        (
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
            505,
            Refusal::Version,
        ),
        (line("GET / HTTP/1.2"), 505, Refusal::Version),
        (line("GET / HTTP/0.9"), 505, Refusal::Version),
        ("\x16\x03\x01\x02".to_owned(), 400, Refusal::Malformed),
    ];
    for (raw, status, refusal) in rows {
        assert_eq!(refusal.status(), status);
        for cut in [1, 2, 3, 5, raw.len()] {
            let mut bench = Bench::new();
            let outcome = raw.as_bytes().chunks(cut).find_map(|piece| {
                bench
                    .receive(Time::ZERO, piece)
                    .map(|request| assert!(request.is_none()))
                    .err()
            });
            assert_eq!(outcome, Some(refusal), "{}", raw.escape_debug());
            assert_eq!(bench.connection.poll_interim(), None);
            let behind = bench.receive(Time::ZERO, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assert!(matches!(behind, Ok(None)), "it is over");
        }
    }
}

#[test]
fn limits_of_a_head_are_reached_at_the_byte_however_it_is_cut() {
    let line = |bytes: usize| {
        format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "p".repeat(bytes - "GET / HTTP/1.1\r\n".len())
        )
    };
    let headers = |count: usize| {
        format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(count - 1)
        )
    };
    let head = |bytes: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(bytes - start.len() - 4))
    };
    let rows = [
        (line(8192), None),
        (line(8193), Some(Refusal::LineTooLong)),
        (headers(100), None),
        (headers(101), Some(Refusal::HeadTooLarge)),
        (headers(2300), Some(Refusal::HeadTooLarge)),
        (head(16_384), None),
        (head(16_385), Some(Refusal::HeadTooLarge)),
        ("G".repeat(9000), Some(Refusal::LineTooLong)),
    ];
    for (raw, refusal) in rows {
        for cut in [1, 4096, raw.len()] {
            let mut bench = Bench::new();
            let mut held_max = 0;
            let outcome = raw.as_bytes().chunks(cut).find_map(|piece| {
                let next = bench.receive(Time::ZERO, piece);
                held_max = held_max.max(bench.inbox.len());
                next.transpose()
            });
            assert_eq!(outcome.expect("an end").err(), refusal, "{}", raw.len());
            assert!(held_max <= bench.limits.head_bytes_max + cut);
        }
    }
}
