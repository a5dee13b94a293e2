//! Pings, pongs and what silence leads to.

use super::*;

#[test]
fn overlapping_polls_end_the_session() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    bench.poll(id, 3);
    assert_eq!(bench.said(), ["answer 2: 1", "refuse 3: Bad request"]);
    assert_eq!(bench.ended(), [(id, Reason::TransportError)]);
}

#[test]
fn overlapping_posts_end_the_session_as_soon_as_the_second_begins() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.engine.post_begun(bench.now, id, conn(3));
    bench.engine.post_begun(bench.now, id, conn(3));
    assert!(bench.ended().is_empty(), "it is the same one");
    assert!(bench.engine.is_posting_elsewhere(id, conn(4)));
    bench.engine.post_begun(bench.now, id, conn(4));
    assert_eq!(bench.ended(), [(id, Reason::TransportError)]);
}

#[test]
fn a_ping_follows_the_pong_and_not_the_ping_before_it() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    assert_eq!(bench.wait(at(25.0)), ["frame 1: 2"]);
    bench.wait(at(29.0));
    assert_eq!(bench.hear(id, 1, "3"), None);
    assert!(bench.wait(at(53.9)).is_empty());
    assert_eq!(bench.wait(at(54.0)), ["frame 1: 2"]);
}

#[test]
fn a_session_whose_ping_is_not_answered_ends_exactly_when_it_was_told_so() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.wait(at(25.0) + Duration::from_secs(20) - Duration::from_micros(1));
    assert!(bench.ended().is_empty());
    assert_eq!(bench.wait(at(45.0)), ["close 1 1000"]);
    assert_eq!(bench.ended(), [(id, Reason::PingTimeout)]);
    assert_eq!(bench.engine.counters().ping_timeouts, 1);

    let id = bench
        .engine
        .opened(bench.now, conn(1), TransportName::Polling, Revision::V4);
    bench.said();
    bench.wait(at(90.0));
    assert_eq!(
        bench.ended(),
        [(id, Reason::PingTimeout)],
        "it never polled"
    );
}

#[test]
fn the_first_packet_that_is_no_pong_puts_the_end_off_once() {
    for other in ["4x", "6"] {
        let mut bench = Bench::new();
        let id = bench.websocket();
        bench.wait(at(30.0));
        bench.hear(id, 1, other);
        bench.wait(at(40.0));
        bench.hear(id, 1, other);
        bench.wait(at(49.9));
        assert!(bench.ended().is_empty());
        bench.wait(at(50.0));
        assert_eq!(bench.ended(), [(id, Reason::PingTimeout)], "{other}");
    }
}

#[test]
fn a_ping_from_the_client_is_the_wrong_direction() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.hear(id, 1, "2");
    assert_eq!(bench.ended(), [(id, Reason::TransportError)]);
}

#[test]
fn pings_are_rounded_down_to_seconds_only_where_they_are_seconds_apart() {
    let opened = Time::ZERO + Duration::from_millis(700);
    for (every, ping_at) in [
        (25_000, 25_000),
        (10_000, 10_000),
        (9_999, 10_699),
        (300, 1_000),
    ] {
        let mut bench = Bench::with(|c| c.ping_every = Duration::from_millis(every));
        bench.now = opened;
        bench.websocket();
        let ping_at = Time::ZERO + Duration::from_millis(ping_at);
        assert_eq!(bench.engine.deadline(), Some(ping_at), "every {every} ms");
    }
}

#[test]
fn a_herd_is_pinged_a_thousand_a_turn() {
    let mut bench = Bench::new();
    for number in 0..2500 {
        bench.engine.opened(
            bench.now,
            conn(number),
            TransportName::WebSocket,
            Revision::V4,
        );
    }
    bench.said();
    bench.now = at(25.0);
    for pings in [1000, 1000, 500] {
        assert!(bench.engine.deadline().unwrap() <= bench.now);
        bench.engine.elapsed(bench.now);
        assert_eq!(bench.said().len(), pings);
    }
}
