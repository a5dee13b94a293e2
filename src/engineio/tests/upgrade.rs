//! From polling to WebSocket, and all that can come between.

use super::*;

#[test]
fn an_upgrade_moves_what_waits_to_the_websocket_in_order() {
    let mut bench = Bench::new();
    let id = bench.probing();
    bench.send(id, "a");
    assert_eq!(bench.post(id, 3, "4in"), 1);
    assert_eq!(bench.said(), ["ok 3"]);
    bench.send(id, "b");
    assert_eq!(bench.hear(id, 9, "5"), None);
    bench.send(id, "c");
    assert_eq!(bench.said(), ["frame 9: 4a", "frame 9: 4b", "frame 9: 4c"]);
    let session = bench.engine.session(id).unwrap();
    assert_eq!(session.transport_name(), TransportName::WebSocket);
    assert_eq!(bench.hear(id, 9, "4d"), Some(Incoming::Text("d")));
    assert_eq!(bench.engine.counters().upgraded, 1);
}

#[test]
fn a_poll_during_the_probe_is_answered_with_nothing_or_with_what_waits() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    bench.engine.probed(bench.now, id, conn(9));
    assert!(bench.said().is_empty(), "the probe has not come");
    bench.hear(id, 9, "2probe");
    assert_eq!(bench.said(), ["frame 9: 3probe", "answer 2: 6"]);
    bench.poll(id, 2);
    bench.send(id, "a");
    assert_eq!(bench.said(), ["answer 2: 4a"]);
}

#[test]
fn a_client_that_goes_on_polling_beside_its_probe_is_answered_ten_times_a_second() {
    let mut bench = Bench::new();
    let id = bench.probing();
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["answer 2: 6"]);
    bench.poll(id, 2);
    assert!(bench.said().is_empty(), "not at the speed of its line");
    let next = bench.now + Duration::from_millis(100);
    assert!(bench.wait(next - Duration::from_micros(1)).is_empty());
    assert_eq!(bench.wait(next), ["answer 2: 6"]);
}

#[test]
fn an_upgrade_without_a_probe_ends_the_parked_poll() {
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.poll(id, 2);
    bench.engine.probed(bench.now, id, conn(9));
    bench.hear(id, 9, "5");
    bench.send(id, "a");
    assert_eq!(bench.said(), ["answer 2: 1", "frame 9: 4a"]);
    assert!(bench.ended().is_empty());
}

#[test]
fn a_poll_after_the_upgrade_is_refused_and_harms_nobody() {
    let mut bench = Bench::new();
    let id = bench.probing();
    bench.hear(id, 9, "5");
    bench.poll(id, 2);
    assert_eq!(bench.said(), ["refuse 2: Bad request"]);
    assert!(bench.ended().is_empty());
}

#[test]
fn a_probing_websocket_that_says_something_else_is_closed_and_polling_goes_on() {
    for wrong in ["4x", "2", "2probex", "3", "", "9"] {
        let mut bench = Bench::new();
        let id = bench.polling();
        bench.engine.probed(bench.now, id, conn(9));
        assert_eq!(bench.hear(id, 9, wrong), None);
        assert_eq!(bench.said(), ["close 9 1000"], "{wrong:?}");
        bench.send(id, "a");
        bench.poll(id, 2);
        assert_eq!(bench.said(), ["answer 2: 4a"]);
    }
    let mut bench = Bench::new();
    let id = bench.polling();
    bench.engine.probed(bench.now, id, conn(9));
    let bytes = Cow::Borrowed(&[1][..]);
    assert_eq!(bench.engine.binary(bench.now, id, conn(9), bytes), None);
    assert_eq!(bench.said(), ["close 9 1000"]);
}

#[test]
fn an_upgrade_that_takes_too_long_is_given_up() {
    let mut bench = Bench::new();
    let id = bench.probing();
    assert!(bench.wait(at(9.9)).is_empty());
    assert_eq!(bench.wait(at(10.0)), ["close 9 1000"]);
    bench.poll(id, 2);
    assert!(bench.said().is_empty(), "nobody probes any more");
    bench.send(id, "a");
    assert_eq!(bench.said(), ["answer 2: 4a"]);
}

#[test]
fn a_probing_websocket_that_dies_leaves_the_session_to_polling() {
    let mut bench = Bench::new();
    let id = bench.probing();
    bench.engine.conn_closed(bench.now, id, conn(9));
    assert!(bench.ended().is_empty());
    bench.engine.probed(bench.now, id, conn(8));
    bench.hear(id, 8, "2probe");
    assert_eq!(bench.said(), ["frame 8: 3probe"], "and may be tried again");
}

#[test]
fn a_second_websocket_is_closed_and_the_first_goes_on() {
    let mut bench = Bench::new();
    let id = bench.probing();
    bench.engine.probed(bench.now, id, conn(8));
    assert_eq!(bench.said(), ["close 8 1000"]);
    bench.hear(id, 9, "5");
    bench.engine.probed(bench.now, id, conn(7));
    assert_eq!(bench.said(), ["close 7 1000"]);
    bench.engine.conn_closed(bench.now, id, conn(7));
    assert_eq!(bench.hear(id, 9, "4a"), Some(Incoming::Text("a")));
}

#[test]
fn a_session_that_ends_takes_its_probing_websocket_along() {
    let mut bench = Bench::new();
    let id = bench.probing();
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert_eq!(bench.said(), ["close 9 1000"]);
}
