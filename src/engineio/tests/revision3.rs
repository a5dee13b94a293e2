//! Engine.IO 3: what a client of Socket.IO 2.x is told, and in which form.

use super::*;

/// An engine that lets such clients in.
fn bench() -> Bench {
    Bench::with(|config| config.allow_eio3 = true)
}

const BYTES: Revision = Revision::V3 { base64: false };
const BASE64: Revision = Revision::V3 { base64: true };

fn open(bench: &mut Bench, transport: TransportName, revision: Revision) -> SessionId {
    let id = bench.engine.opened(bench.now, conn(1), transport, revision);
    let said = bench.said();
    assert_eq!(said.len(), 1, "the handshake");
    id
}

fn post(bench: &mut Bench, id: SessionId, body: &str) -> Vec<String> {
    bench.engine.post_begun(bench.now, id, conn(3));
    for record in payload_v3::Packets::of_text(body) {
        let _ = bench.engine.posted(bench.now, id, record);
    }
    bench.engine.post_ended(id, conn(3));
    bench.said()
}

fn message(text: &str) -> Packet {
    Packet::message(|out| out.extend_from_slice(text.as_bytes()))
}

#[test]
fn the_handshake_is_an_answer_of_its_own_and_has_its_length_in_front() {
    let mut bench = bench();
    let id = bench
        .engine
        .opened(bench.now, conn(1), TransportName::Polling, BYTES);
    bench.engine.send(bench.now, id, &message("0"));
    let said = bench.said();
    let (length, packet) = said[0]
        .strip_prefix("answer 1: ")
        .and_then(|payload| payload.split_once(':'))
        .unwrap();
    assert_eq!(length.parse(), Ok(packet.len()));
    assert!(packet.starts_with("0{\"sid\":\""), "{packet}");
    assert_eq!(said.len(), 1);
    bench.engine.polled(bench.now, id, conn(2));
    assert_eq!(bench.said(), ["answer 2: 2:40"]);
}

#[test]
fn bytes_are_polled_as_bytes_or_as_base64() {
    for (revision, answer) in [
        (BASE64, "answer 2: 5:4hé🚢6:b4AQID"),
        (
            BYTES,
            r#"answer 2 in bytes: b"\0\x08\xff4h\xc3\xa9\xf0\x9f\x9a\xa2\x01\x04\xff\x04\x01\x02\x03""#,
        ),
    ] {
        let mut bench = bench();
        let id = open(&mut bench, TransportName::Polling, revision);
        bench.engine.send(bench.now, id, &message("hé🚢"));
        bench
            .engine
            .send(bench.now, id, &Packet::binary(&[1, 2, 3]));
        bench.engine.polled(bench.now, id, conn(2));
        assert_eq!(bench.said(), [answer]);
    }
}

#[test]
fn bytes_have_their_type_in_front_over_websocket() {
    for (revision, frame) in [
        (BYTES, &[0x82, 3, 4, 1, 2][..]),
        (BASE64, b"\x81\x06b4AQI="),
    ] {
        let mut bench = bench();
        let id = open(&mut bench, TransportName::WebSocket, revision);
        bench.engine.send(bench.now, id, &Packet::binary(&[1, 2]));
        let output = bench.engine.poll_output(bench.now);
        assert_eq!(output, Some(Output::Frame(conn(1), Shared::fixed(frame))));

        let came = bench
            .engine
            .binary(bench.now, id, conn(1), Cow::Borrowed(&[4, 7]));
        assert_eq!(came, Some(Incoming::Binary(Cow::Borrowed(&[7]))));
        let came = bench.engine.text(bench.now, id, conn(1), "b4Bw==");
        assert_eq!(came, Some(Incoming::Binary(Cow::Borrowed(&[7]))));
    }
}

#[test]
fn bytes_without_their_type_are_no_packet() {
    for bytes in [&[][..], &[2], &[5, 1]] {
        let mut bench = bench();
        let id = open(&mut bench, TransportName::WebSocket, BYTES);
        let came = bench
            .engine
            .binary(bench.now, id, conn(1), Cow::Borrowed(bytes));
        assert_eq!(came, None);
        assert_eq!(bench.engine.poll_ended(), Some((id, Reason::ParseError)));
    }
}

#[test]
fn the_client_pings_and_the_server_answers() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::WebSocket, BYTES);
    for beat in 1..5 {
        bench.now = at(40.0 * f64::from(beat));
        bench.engine.elapsed(bench.now);
        let _ = bench.engine.text(bench.now, id, conn(1), "2");
        assert_eq!(bench.said(), ["frame 1: 3"]);
    }
    assert_eq!(bench.engine.poll_ended(), None);
}

#[test]
fn a_client_that_does_not_ping_is_gone_after_both_times_whatever_else_it_says() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::WebSocket, BYTES);
    bench.now = at(44.0);
    let _ = bench.engine.text(bench.now, id, conn(1), "4still here");
    bench.now = at(44.9);
    bench.engine.elapsed(bench.now);
    assert_eq!(bench.engine.poll_ended(), None);
    bench.now = at(45.1);
    bench.engine.elapsed(bench.now);
    assert_eq!(bench.engine.poll_ended(), Some((id, Reason::PingTimeout)));
}

#[test]
fn a_pong_comes_from_the_wrong_side() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::WebSocket, BYTES);
    let _ = bench.engine.text(bench.now, id, conn(1), "3");
    assert_eq!(
        bench.engine.poll_ended(),
        Some((id, Reason::TransportError))
    );
}

#[test]
fn a_ping_is_answered_over_polling_too_and_bytes_are_posted() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::Polling, BYTES);
    bench.engine.polled(bench.now, id, conn(2));
    assert_eq!(bench.said(), [] as [&str; 0]);
    assert_eq!(post(&mut bench, id, "1:2"), ["ok 3", "answer 2: 1:3"]);
    assert_eq!(
        post(&mut bench, id, "3:4ab6:b4AQID"),
        ["ok 3"],
        "two messages"
    );
    assert_eq!(bench.engine.counters().received, 2);
}

#[test]
fn it_upgrades_and_ends_as_in_revision_4() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::Polling, BYTES);
    bench.engine.polled(bench.now, id, conn(2));
    bench.engine.probed(bench.now, id, conn(4));
    let _ = bench.engine.text(bench.now, id, conn(4), "2probe");
    assert_eq!(bench.said(), ["frame 4: 3probe", "answer 2: 1:6"]);
    let _ = bench.engine.text(bench.now, id, conn(4), "5");
    bench.engine.send(bench.now, id, &message("up"));
    assert_eq!(bench.said(), ["frame 4: 4up"]);

    let id = open(&mut bench, TransportName::Polling, BYTES);
    bench.engine.polled(bench.now, id, conn(2));
    assert_eq!(post(&mut bench, id, "1:1"), ["answer 2: 1:6", "ok 3"]);

    let id = open(&mut bench, TransportName::Polling, BYTES);
    bench.engine.close(bench.now, id, Reason::ForcedClose);
    bench.engine.polled(bench.now, id, conn(2));
    assert_eq!(bench.said(), ["answer 2: 1:61:1"]);
}

#[test]
fn overlapping_polls_end_the_session() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::Polling, BYTES);
    bench.engine.polled(bench.now, id, conn(2));
    bench.engine.polled(bench.now, id, conn(3));
    assert_eq!(bench.said(), ["answer 2: 1:1", "refuse 3: Bad request"]);
}

fn asked<'a>(sid: Option<&'a str>, revision: Option<&'a str>, base64: bool) -> Asked<'a> {
    Asked {
        method: Method::Get,
        transport: Some(b"polling"),
        sid: sid.map(str::as_bytes),
        revision: revision.map(str::as_bytes),
        base64,
        upgrade: false,
    }
}

#[test]
fn whatever_is_not_4_is_3_where_that_is_allowed_and_stays_so() {
    let mut bench = bench();
    let id = open(&mut bench, TransportName::Polling, BYTES);
    for revision in [None, Some("3"), Some("abc")] {
        for base64 in [true, false] {
            assert_eq!(
                bench.engine.admit(asked(None, revision, base64)),
                Ok(Admission::Open(
                    TransportName::Polling,
                    Revision::V3 { base64 }
                ))
            );
        }
    }
    let sid = bench.engine.session(id).unwrap().sid();
    let sid = Some(sid.as_str());
    assert_eq!(
        bench.engine.admit(asked(sid, Some("3"), false)),
        Ok(Admission::Poll(id))
    );
    assert_eq!(
        bench.engine.admit(asked(sid, Some("4"), false)),
        Err(Refusal::BadRequest)
    );
}
