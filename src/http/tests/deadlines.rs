//! Time, moved by hand.

use super::*;

#[test]
fn a_silent_connection_is_closed_without_a_word() {
    let mut bench = Bench::new();
    assert_eq!(bench.deadline(), Some(at(10)));
    assert!(bench.receive(at(4), b"\r\n\r\n\r").unwrap().is_none());
    assert_eq!(bench.deadline(), Some(at(10)), "empty lines buy no time");
    assert_eq!(bench.connection.elapsed(at(9), &bench.limits), None);
    assert_eq!(
        bench.connection.elapsed(at(10), &bench.limits),
        Some(Expired::Silent)
    );
    assert_eq!(bench.deadline(), None);
}

#[test]
fn a_head_that_trickles_is_refused_at_its_deadline() {
    let mut bench = Bench::new();
    for second in 4..10 {
        assert!(bench.receive(at(second), b"G").unwrap().is_none());
        assert_eq!(
            bench.deadline(),
            Some(at(10)),
            "the first head counts from the accept"
        );
    }
    let expired = bench.connection.elapsed(at(10), &bench.limits);
    assert_eq!(expired, Some(Expired::Refused(Refusal::HeadTooSlow)));
    let bytes = bench.connection.refuse(wall(at(10)), Refusal::HeadTooSlow);
    assert!(bytes.starts_with(b"HTTP/1.1 408 Request Timeout\r\n"));
}

#[test]
fn an_idle_connection_is_kept_for_its_time_and_a_later_head_has_its_own() {
    let mut bench = Bench::new();
    bench
        .receive(at(1), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap()
        .unwrap();
    bench.answer(at(30), &Response::new(200));
    assert_eq!(bench.deadline(), Some(at(36)));
    assert!(bench.receive(at(35), b"G").unwrap().is_none());
    assert_eq!(bench.deadline(), Some(at(45)));
    bench
        .receive(at(44), b"ET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap()
        .unwrap();
    bench.answer(at(44), &Response::new(200));
    assert_eq!(
        bench.connection.elapsed(at(50), &bench.limits),
        Some(Expired::Silent)
    );
}

#[test]
fn a_body_may_neither_pause_nor_trickle() {
    for framing in ["Content-Length: 900000", "Transfer-Encoding: chunked"] {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n");
        let chunk = |bytes: usize| match framing.starts_with('C') {
            true => "x".repeat(bytes),
            false => format!("{bytes:x}\r\n{}\r\n", "x".repeat(bytes)),
        };
        let mut paused = Bench::new();
        paused.receive(at(5), head.as_bytes()).unwrap();
        assert_eq!(paused.deadline(), Some(at(15)));
        paused.receive(at(9), chunk(1).as_bytes()).unwrap();
        assert_eq!(
            paused.deadline(),
            Some(at(15)),
            "one byte buys no time: 1 KiB/s is asked"
        );
        paused.receive(at(12), chunk(100_000).as_bytes()).unwrap();
        assert_eq!(paused.deadline(), Some(at(22)));
        paused.receive(at(12), b"").unwrap();
        let expired = paused.connection.elapsed(at(22), &paused.limits);
        assert_eq!(expired, Some(Expired::Refused(Refusal::BodyTooSlow)));

        let mut slow = Bench::new();
        slow.receive(at(0), head.as_bytes()).unwrap();
        for second in 1..100 {
            slow.receive(at(second), chunk(2048).as_bytes()).unwrap();
            assert!(slow.deadline().unwrap() > at(second), "2 KiB/s is enough");
        }
        let refused = (100..300).find(|second| {
            let expired = slow.connection.elapsed(at(*second), &slow.limits);
            expired.is_some() || slow.receive(at(*second), chunk(9).as_bytes()).is_err()
        });
        // 99 times 2 KiB earn 198 seconds, and the trickle behind them less than one more.
        assert_eq!(refused, Some(199), "what was earned has been used up");
    }
}
