//! permessage-deflate and compressed answers, from the handshake to the bytes.

use super::*;
use crate::http::{Method, Response};
use crate::websocket::{Deflater, Inflater, Window};

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
const AGREED: &str = "\r\nSec-WebSocket-Extensions: permessage-deflate; \
    server_no_context_takeover; client_no_context_takeover\r\n";
const WEBSOCKET: &str = "/engine.io/?EIO=4&transport=websocket";
const POLLING: &str = "/engine.io/?EIO=4&transport=polling";

/// Raw sessions that send everything back.
fn echo(change: impl FnOnce(&mut Config)) -> World<Diary> {
    let mut config = Config::default();
    config.engine.websocket_compression = true;
    config.engine.http_compression = true;
    config.engine.http_compression_bytes_min = 1024;
    change(&mut config);
    World::with(config, Diary::default(), |server| {
        server
            .raw("/engine.io/")
            .on_message(|session, message| session.send(message))
            .on_close(|session, reason| session.app.note(reason.as_str()));
    })
}

fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    assert!(Deflater::new(0).deflate(Window::Whole, payload, &mut message));
    message
}

/// The frames in some bytes: the first byte of each, and what its payload was before it was deflated.
fn frames(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, length, rest @ ..] = bytes {
        let (length, rest) = match length {
            126 => (
                usize::from(u16::from_be_bytes([rest[0], rest[1]])),
                &rest[2..],
            ),
            length => (usize::from(*length), rest),
        };
        let (payload, rest) = rest.split_at(length);
        let payload = match first {
            0xc1 | 0xc2 => Inflater::new().inflate(payload, 1_000_000).unwrap(),
            _ => payload.to_vec(),
        };
        frames.push((*first, payload));
        bytes = rest;
    }
    frames
}

#[test]
fn an_offer_is_agreed_to_only_where_it_is_wanted_and_can_be_kept() {
    let cannot = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n";
    for (wanted, offer, is_agreed) in [
        (true, OFFER, true),
        (false, OFFER, false),
        (true, "", false),
        (true, cannot, false),
        (true, &format!("{cannot}{OFFER}"), true),
    ] {
        let mut world = echo(|config| config.engine.websocket_compression = wanted);
        let conn = world.connect();
        world.upgrade(conn, WEBSOCKET, offer);
        let sent = world.sent(conn);
        assert!(sent.starts_with("HTTP/1.1 101 "), "never a refusal: {sent}");
        assert_eq!(sent.contains(AGREED), is_agreed, "{wanted} {offer}");
        assert_eq!(sent.contains("permessage"), is_agreed);
        // The mark of a deflated frame is a broken rule unless it was agreed on.
        world.frame(conn, 0xc1, &deflated(&[b'4'; 50]));
        assert_eq!(world.is_closed(conn), !is_agreed);
    }
}

#[test]
fn messages_go_both_ways_deflated_and_small_ones_as_they_are() {
    let mut world = echo(|_| {});
    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, OFFER);
    world.bytes_sent(conn);
    let long = "4many words ".repeat(100);
    world.frame(conn, 0xc1, &deflated(long.as_bytes()));
    world.frame(conn, 0xc2, &deflated(&[7; 2000]));
    let message = deflated(long.as_bytes());
    world.frame(conn, 0x41, &message[..9]);
    world.frame(conn, 0x80, &message[9..]);
    world.say(conn, "4small");
    world.say(conn, &"4x".repeat(512));
    world.say(conn, &"4x".repeat(511));
    let expected = [
        (0xc1, long.clone().into_bytes()),
        (0xc2, vec![7; 2000]),
        (0xc1, long.into_bytes()),
        (0x81, b"4small".to_vec()),
        (0xc1, "4x".repeat(512).into_bytes()),
        (0x81, "4x".repeat(511).into_bytes()),
    ];
    assert_eq!(frames(&world.bytes_sent(conn)), expected);
}

#[test]
fn an_upgraded_session_agrees_as_a_fresh_one_does() {
    let mut world = echo(|_| {});
    let (_, body) = world.request("GET", POLLING, "");
    let sid = body[9..29].to_owned();
    let conn = world.connect();
    world.upgrade(conn, &format!("{WEBSOCKET}&sid={sid}"), OFFER);
    assert!(world.sent(conn).contains(AGREED));
    world.say(conn, "2probe");
    world.say(conn, "5");
    assert_eq!(
        frames(&world.bytes_sent(conn)),
        [(0x81, b"3probe".to_vec())]
    );
    let long = "4many words ".repeat(100);
    world.frame(conn, 0xc1, &deflated(long.as_bytes()));
    assert_eq!(frames(&world.bytes_sent(conn)), [(0xc1, long.into_bytes())]);
}

#[test]
fn a_bomb_is_closed_with_1009_and_what_is_not_deflated_with_1007() {
    for (message, code) in [
        (deflated(&vec![0; 10_000_000]), 1009_u16),
        (deflated(b"4ab\xffcd ab\xffcd ab\xffcd"), 1007),
        (b"4plain".to_vec(), 1007),
    ] {
        let mut world = echo(|_| {});
        let conn = world.connect();
        world.upgrade(conn, WEBSOCKET, OFFER);
        world.bytes_sent(conn);
        world.frame(conn, 0xc1, &message);
        let close = (0x88, code.to_be_bytes().to_vec());
        assert_eq!(frames(&world.bytes_sent(conn)), [close]);
        assert_eq!(world.diary(), ["transport error"]);
    }
}

#[test]
fn a_broadcast_is_deflated_once_for_all_who_agreed() {
    let mut config = Config::default();
    config.engine.websocket_compression = true;
    let mut world = World::with(config, Diary::default(), |server| {
        server.of("/").on("say", |socket, (text,): (String,), _| {
            socket.everyone().emit("said", &text)
        });
    });
    let mut conns = Vec::new();
    for offer in [OFFER, OFFER, OFFER, ""] {
        let conn = world.connect();
        world.upgrade(conn, "/socket.io/?EIO=4&transport=websocket", offer);
        world.say(conn, "40");
        world.bytes_sent(conn);
        conns.push(conn);
    }
    let text = "many words ".repeat(200);
    world.frame(
        conns[0],
        0xc1,
        &deflated(format!("42[\"say\",\"{text}\"]").as_bytes()),
    );
    let heard = format!("42[\"said\",\"{text}\"]").into_bytes();
    for (conn, first) in conns.into_iter().zip([0xc1, 0xc1, 0xc1, 0x81]) {
        assert_eq!(frames(&world.bytes_sent(conn)), [(first, heard.clone())]);
    }
    assert_eq!(world.server.core.engine.deflated(), 1);
}

/// A poll's answer when `bytes` of echo wait for it.
fn polled(world: &mut World<Diary>, headers: &str, bytes: usize) -> (String, Vec<u8>) {
    let (_, body) = world.request("GET", POLLING, "");
    let path = format!("{POLLING}&sid={}", &body[9..29]);
    let message = format!("4{}", "x".repeat(bytes - 1));
    assert_eq!(world.request("POST", &path, &message).0, 200);
    let conn = world.connect();
    world.ask(conn, "GET", &path, headers, "");
    let sent = world.bytes_sent(conn);
    let end = sent
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let head = String::from_utf8(sent[..end].to_vec()).unwrap();
    let length = format!("\r\nContent-Length: {}\r\n", sent.len() - end);
    assert!(head.contains(&length), "{head}");
    (head, sent[end..].to_vec())
}

#[test]
fn an_answer_to_a_poll_is_compressed_as_its_client_asked() {
    let mut world = echo(|_| {});
    for (accepts, bytes, coding) in [
        ("gzip, deflate, br", 1024, Some("gzip")),
        ("deflate", 1024, Some("deflate")),
        ("gzip;q=0.5, deflate", 5000, Some("deflate")),
        ("br", 1024, None),
        ("identity", 1024, None),
        ("gzip, deflate", 1023, None),
    ] {
        let headers = format!("Accept-Encoding: {accepts}\r\n");
        let (head, body) = polled(&mut world, &headers, bytes);
        let says = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Encoding: "));
        assert_eq!(says, coding, "{accepts}, {bytes} bytes");
        assert_eq!(
            head.contains("\r\nVary: Accept-Encoding\r\n"),
            bytes >= 1024
        );
        assert_eq!(body.len() < 100, coding.is_some());
    }
    assert!(!polled(&mut world, "", 5000).0.contains("Content-Encoding"));
}

#[test]
fn nothing_is_compressed_unless_it_is_switched_on() {
    let mut world = echo(|config| config.engine.http_compression = false);
    let (head, body) = polled(&mut world, "Accept-Encoding: gzip\r\n", 5000);
    assert!(!head.contains("Encoding"), "{head}");
    assert_eq!(body.len(), 5000);
}

#[test]
fn answers_of_routes_are_their_own() {
    let mut world = echo(|_| {});
    world.server.route(Method::Get, "/long", |_| {
        Response::text(200, "x".repeat(5000)).into()
    });
    let conn = world.connect();
    world.ask(conn, "GET", "/long", "Accept-Encoding: gzip\r\n", "");
    assert_eq!(world.answer(conn).unwrap().1.len(), 5000);
}
