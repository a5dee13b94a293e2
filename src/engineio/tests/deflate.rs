//! permessage-deflate: who is sent which form, and what it weighs meanwhile.

use super::*;
use crate::websocket::Inflater;

fn deflating(bytes_min: usize) -> Bench {
    Bench::with(|config| config.websocket_compression_bytes_min = bytes_min)
}

/// The next frame, and the text it was made from.
fn frame(bench: &mut Bench) -> (Shared, String) {
    let frame = loop {
        match bench.engine.poll_output(bench.now).expect("a frame") {
            Output::Frame(_, frame) => break frame,
            Output::Hold(_) | Output::Show(_) => {}
            other => panic!("{other:?}"),
        }
    };
    let header = if frame[1] < 126 { 2 } else { 4 };
    let payload = &frame[header..];
    let text = match frame[0] {
        0x81 => payload.to_vec(),
        0xc1 => Inflater::new().inflate(payload, 1_000_000).unwrap(),
        first => panic!("{first:x}"),
    };
    (frame, String::from_utf8(text).unwrap())
}

#[test]
fn a_long_packet_is_deflated_for_who_agreed_to_it_and_weighs_what_is_sent() {
    let mut bench = deflating(100);
    let plain = bench.websocket();
    let agreed = bench
        .engine
        .opened(bench.now, conn(2), TransportName::WebSocket, Revision::V4);
    bench.engine.deflates(agreed, conn(2), Window::Whole);
    bench.said();
    for id in [plain, agreed] {
        let on = if id == plain { 1 } else { 2 };
        bench.engine.refused(bench.now, id, conn(on), 10);
        bench.send(id, &"x".repeat(SOFT * 3));
    }
    let weight = |bench: &Bench, id| bench.engine.waiting_bytes_of(id) - 10;
    assert_eq!(weight(&bench, plain), SOFT * 3 + 1 + 4);
    let deflated = weight(&bench, agreed);
    assert!(deflated < 50, "{deflated} bytes");
    assert!(!bench.engine.is_writable(agreed));
    bench.engine.drained(agreed, conn(2));
    let (sent, text) = frame(&mut bench);
    assert_eq!((sent[0], sent.len()), (0xc1, deflated));
    assert_eq!(text, format!("4{}", "x".repeat(SOFT * 3)));
    assert!(bench.engine.is_writable(agreed), "nothing waits any more");
    bench.engine.drained(plain, conn(1));
    assert_eq!(frame(&mut bench).0[0], 0x81);
}

#[test]
fn what_is_short_or_says_so_is_sent_as_it_is() {
    let mut bench = deflating(100);
    let id = bench.websocket();
    bench.engine.deflates(id, conn(1), Window::Whole);
    bench.send(id, &"x".repeat(98));
    bench.send(id, &"x".repeat(99));
    let message = Packet::message(|out| out.resize(500, b'x'));
    bench.engine.send(bench.now, id, &message.plain());
    let firsts: Vec<_> = (0..3).map(|_| frame(&mut bench).0[0]).collect();
    assert_eq!(firsts, [0x81, 0xc1, 0x81]);
}

#[test]
fn an_upgraded_session_deflates_also_what_waited_for_the_upgrade() {
    let mut bench = deflating(100);
    let id = bench.polling();
    bench.engine.probed(bench.now, id, conn(9));
    bench.engine.deflates(id, conn(9), Window::Small);
    bench.hear(id, 9, "2probe");
    assert_eq!(bench.said(), ["frame 9: 3probe"]);
    let long = "before ".repeat(50);
    bench.send(id, &long);
    let waiting = |bench: &Bench| bench.engine.waiting_bytes_of(id);
    assert_eq!(
        waiting(&bench),
        long.len() + 5,
        "who polls is not deflated for"
    );
    bench.hear(id, 9, "5");
    bench.send(id, &long);
    for _ in 0..2 {
        let (sent, text) = frame(&mut bench);
        assert_eq!((sent[0], text), (0xc1, format!("4{long}")));
    }
    assert!(bench.said().is_empty());
    assert_eq!(waiting(&bench), 0);
    bench.engine.refused(bench.now, id, conn(9), 1);
    bench.send(id, &long);
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    assert_eq!(frame(&mut bench).0[0], 0xc1, "the last words too");
}

#[test]
fn only_the_websocket_that_agreed_is_deflated_for() {
    let mut bench = deflating(100);
    let id = bench.probing();
    bench.engine.deflates(id, conn(1), Window::Whole);
    bench.engine.deflates(id, conn(8), Window::Whole);
    bench.hear(id, 9, "5");
    bench.send(id, &"x".repeat(500));
    assert_eq!(frame(&mut bench).0[0], 0x81);
}

#[test]
fn an_answer_may_be_compressed_if_one_of_its_packets_may() {
    let mut bench = Bench::new();
    let id = bench.polling();
    let text = |text: &str| Packet::message(|out| out.extend_from_slice(text.as_bytes()));
    for (packets, expected) in [
        (vec![text("a").plain()], Answer::PlainPayload("4a".into())),
        (
            vec![text("a").plain(), text("b")],
            Answer::Payload("4a\u{1e}4b".into()),
        ),
    ] {
        for packet in packets {
            bench.engine.send(bench.now, id, &packet);
        }
        bench.poll(id, 2);
        let said = bench.engine.poll_output(bench.now);
        assert_eq!(said, Some(Output::Answer(conn(2), expected)));
    }
}
