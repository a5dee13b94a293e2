//! Clients that do not take what they are sent.

use super::*;

#[test]
fn a_close_packet_shared_an_answer_with_messages_and_the_client_lost_them() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    bench.send(id, "bye");
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert_eq!(bench.said(), ["answer 2: 4bye"]);
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["answer 2: 6|1"]);
    assert!(bench.engine.is_empty());

    let id = bench.polling();
    bench.send(id, "bye");
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    bench.poll(id, 2);
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["answer 2: 4bye", "answer 2: 6|1"]);
    assert!(bench.engine.is_empty());
}

#[test]
fn a_queue_above_the_hard_limit_is_cut_at_once() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.engine.refused(bench.now, id, conn(1), 10);
    bench.send(id, &"x".repeat(HARD));
    assert_eq!(bench.ended(), [(id, Reason::SlowConsumer)]);
    assert_eq!(bench.said(), ["cut 1"]);
    assert_eq!(bench.engine.counters().slow_consumers, 1);

    let id = bench.polling();
    for _ in 0..5 {
        bench.send(id, &"x".repeat(HARD / 4));
    }
    assert_eq!(bench.ended(), [(id, Reason::SlowConsumer)]);
    assert!(bench.engine.is_empty());
}

#[test]
fn a_websocket_above_the_soft_limit_is_not_read_from_until_it_has_taken_all() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.engine.refused(bench.now, id, conn(1), SOFT + 1);
    assert_eq!(bench.said(), ["hold 1"]);
    bench.send(id, "a");
    assert!(bench.said().is_empty(), "the kernel has enough");
    bench.engine.drained(id, conn(1));
    assert_eq!(bench.said(), ["frame 1: 4a", "show 1"]);
}

#[test]
fn who_stays_above_the_soft_limit_for_too_long_is_a_slow_consumer() {
    let mut bench = Bench::new();
    let id = bench.websocket();
    bench.wait(at(1.0));
    bench.engine.refused(bench.now, id, conn(1), SOFT + 1);
    bench.wait(at(5.0));
    bench.engine.refused(bench.now, id, conn(1), SOFT + 2);
    bench.wait(at(10.9));
    assert!(bench.ended().is_empty());
    bench.wait(at(11.0));
    assert_eq!(bench.ended(), [(id, Reason::SlowConsumer)]);
}

#[test]
fn a_websocket_that_is_not_read_from_does_not_die_for_its_silence() {
    let mut bench = Bench::with(|config| config.slow_within = Duration::from_secs(60));
    let id = bench.websocket();
    bench.wait(at(25.0));
    bench.engine.refused(bench.now, id, conn(1), SOFT + 1);
    bench.wait(at(46.0));
    assert!(bench.ended().is_empty());
    bench.engine.drained(id, conn(1));
    bench.said();
    bench.wait(at(65.0));
    assert_eq!(bench.ended(), [(id, Reason::PingTimeout)]);
}

#[test]
fn a_post_is_answered_when_the_client_has_taken_what_waits_for_it() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.send(id, &"x".repeat(SOFT));
    bench.said();
    assert_eq!(bench.post(id, 3, "4a"), 1, "a polling session is read");
    assert!(bench.said().is_empty(), "the answer is held back");
    assert!(bench.engine.is_posting_elsewhere(id, conn(4)));
    bench.poll(id, 2);
    let said = bench.said();
    assert!(said[0].starts_with("answer 2: 4xx"));
    assert_eq!(said[1..], ["ok 3"]);
}

#[test]
fn a_held_post_is_answered_when_the_session_ends() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.send(id, &"x".repeat(SOFT));
    bench.said();
    bench.post(id, 3, "4a");
    bench.wait(at(10.0));
    assert_eq!(bench.ended(), [(id, Reason::SlowConsumer)]);
    assert!(bench.engine.is_empty());
}

#[test]
fn what_may_be_lost_leaves_only_if_the_transport_could_take_it() {
    let mut bench = Bench::new();
    let id = bench.polling();
    assert!(!bench.engine.is_writable(id), "no poll is parked");
    bench.poll(id, 2);
    assert!(bench.engine.is_writable(id));
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert!(!bench.engine.is_writable(id));
    bench.said();

    let id = bench.websocket();
    assert!(bench.engine.is_writable(id));
    bench.engine.refused(bench.now, id, conn(1), 1);
    assert!(!bench.engine.is_writable(id), "the kernel refused bytes");
    bench.engine.drained(id, conn(1));
    assert!(bench.engine.is_writable(id));
    bench.send(id, &"x".repeat(SOFT));
    assert!(!bench.engine.is_writable(id), "above the soft limit");
}

fn at_most_in_all(bytes: usize) -> Bench {
    Bench::with(|config| {
        config.queue_bytes_soft_max = usize::MAX;
        config.queue_bytes_max = usize::MAX;
        config.queues_bytes_max = bytes;
    })
}

#[test]
fn the_longest_queue_goes_first_when_all_together_are_too_long() {
    let mut bench = at_most_in_all(10_000);
    let [short, longest, long] = [1000, 5000, 3000].map(|bytes| {
        let id = bench.polling();
        bench.send(id, &"x".repeat(bytes));
        id
    });
    assert!(bench.ended().is_empty());
    bench.send(long, &"x".repeat(1000));
    assert_eq!(bench.ended(), [(longest, Reason::SlowConsumer)]);
    let counters = bench.engine.counters();
    assert_eq!((counters.slow_consumers, counters.slow_by_total), (1, 1));

    // What waits for a session's goodbye counts as well, and its end was told before.
    bench.engine.close(bench.now, long, Reason::ForcedClose);
    assert_eq!(bench.ended(), [(long, Reason::ForcedClose)]);
    bench.said();
    let next = bench.polling();
    bench.send(next, &"x".repeat(3900));
    assert_eq!(bench.engine.len(), 3);
    bench.send(short, &"x".repeat(2000));
    assert_eq!((bench.engine.len(), bench.ended()), (2, Vec::new()));
}

#[test]
fn a_packet_for_many_weighs_once() {
    let mut bench = at_most_in_all(10_000);
    let packet = Packet::message(|out| out.resize(5000, b'x'));
    for _ in 0..100 {
        let id = bench.polling();
        bench.engine.send(bench.now, id, &packet);
    }
    assert!(bench.ended().is_empty());
    assert_eq!(bench.engine.counters().slow_consumers, 0);
}
