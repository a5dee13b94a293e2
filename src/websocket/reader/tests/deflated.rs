//! Messages marked as deflated.

use super::*;
use crate::websocket::{Deflater, Window};

const RSV1: u8 = 0x40;

/// A payload as its deflated message.
fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    if !Deflater::new(0).deflate(Window::Whole, payload, &mut out) {
        // A block as it is, and the start of the flush.
        let length = u16::try_from(payload.len()).unwrap();
        out.push(0);
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend_from_slice(payload);
        out.push(0);
    }
    out
}

/// Reads it whole, after it has passed every check of [`check_stream`].
fn outcome(limits: &config::WebSocket, stream: &[u8]) -> (Vec<Told>, End) {
    check_stream(limits, Agreed::Deflate, stream, 1);
    let outcome = read(limits, Agreed::Deflate, stream, []);
    (outcome.told, outcome.end)
}

#[test]
fn deflated_messages_are_read_alike_however_they_are_cut() {
    let long = "zwölf Boxkämpfer jagen Viktor ".repeat(20);
    let message = deflated(long.as_bytes());
    let (first, rest) = message.split_at(5);
    let (second, third) = rest.split_at(1);
    let stream = [
        frame(FIN | RSV1 | TEXT, &message),
        frame(FIN | TEXT, b"plain between"),
        frame(
            FIN | RSV1 | BINARY,
            &deflated(b"\xff\xff\xff\xff\xff\xff\xff\xff"),
        ),
        frame(RSV1 | TEXT, first),
        frame(PING, b"between"),
        frame(CONTINUATION, second),
        frame(CONTINUATION, b""),
        frame(FIN, third),
        frame(RSV1 | BINARY, b""),
        frame(FIN, &deflated(b"one")),
        frame(FIN | RSV1 | TEXT, &[0]),
        frame(FIN | RSV1 | TEXT, b""),
        frame(TEXT, b"pl"),
        frame(FIN, b"ain"),
    ]
    .concat();
    let told = vec![
        text(&long),
        text("plain between"),
        Told::Binary(vec![0xff; 8]),
        Told::Ping(b"between".to_vec()),
        text(&long),
        Told::Binary(b"one".to_vec()),
        text(""),
        text(""),
        text("plain"),
    ];
    assert_eq!(outcome(&limits(), &stream), (told.clone(), End::Open));
    for cut in 1..stream.len() {
        let outcome = read(&limits(), Agreed::Deflate, &stream, [cut]);
        assert_eq!((&outcome.told, outcome.end), (&told, End::Open), "{cut}");
    }
}

#[test]
fn the_mark_belongs_on_the_first_frame_of_a_message_and_on_no_other() {
    let hello = deflated(b"hello");
    let rows = [
        frame(PING | RSV1, b"a"),
        frame(PONG | RSV1, b"a"),
        frame(CLOSE | RSV1, b""),
        frame(FIN | RSV1, b"a"),
        frame(FIN | RSV1 | 0x03, b"a"),
        frame(FIN | 0x60 | TEXT, &hello),
        frame(FIN | 0x50 | TEXT, &hello),
        [frame(RSV1 | TEXT, &hello), frame(FIN | RSV1, b"")].concat(),
        [frame(TEXT, b"a"), frame(FIN | RSV1, b"")].concat(),
    ];
    for stream in rows {
        let broken = (vec![], End::Broken(Violation::ReservedBit));
        assert_eq!(outcome(&limits(), &stream), broken, "{stream:x?}");
    }
    let within = [frame(RSV1 | TEXT, &hello), frame(RSV1 | TEXT, &hello)].concat();
    let broken = (vec![], End::Broken(Violation::InterleavedMessage));
    assert_eq!(outcome(&limits(), &within), broken);
}

#[test]
fn the_text_that_counts_is_the_one_that_was_deflated() {
    let rows = [
        (deflated(b"ab\xffcd"), Violation::InvalidUtf8),
        (deflated(b"\xe2\x82"), Violation::InvalidUtf8),
        (b"nothing deflated".to_vec(), Violation::InvalidDeflate),
        (vec![0x06], Violation::InvalidDeflate),
        (
            deflated(&[b'x'; 200])[..3].to_vec(),
            Violation::InvalidDeflate,
        ),
    ];
    for (message, violation) in rows {
        assert_eq!(violation.close_code(), 1007);
        let broken = (vec![], End::Broken(violation));
        let whole = frame(FIN | RSV1 | TEXT, &message);
        assert_eq!(outcome(&limits(), &whole), broken, "{message:x?}");
        let halves = message.split_at(message.len() / 2);
        let split = [frame(RSV1 | TEXT, halves.0), frame(FIN, halves.1)].concat();
        assert_eq!(outcome(&limits(), &split), broken, "{message:x?}");
    }
    // Cut within a character: its bytes are only together once they are inflated.
    let euro = deflated("€€€€€€€€€".as_bytes());
    for at in 0..euro.len() {
        let stream = [frame(RSV1 | TEXT, &euro[..at]), frame(FIN, &euro[at..])].concat();
        assert_eq!(outcome(&limits(), &stream).0, [text("€€€€€€€€€")]);
    }
}

#[test]
fn a_message_may_inflate_to_the_limit_and_no_further() {
    let limits = small(1000);
    let fits = frame(FIN | RSV1 | BINARY, &deflated(&[7; 1000]));
    assert_eq!(
        outcome(&limits, &fits),
        (vec![Told::Binary(vec![7; 1000])], End::Open)
    );
    let too_long = (vec![], End::Broken(Violation::TooLong));
    for bytes in [1001, 10_000_000] {
        let message = deflated(&vec![7; bytes]);
        assert!(message.len() < 20_000);
        let mut stream = frame(FIN | RSV1 | BINARY, &message);
        if message.len() > 1000 {
            // Too long as it is: told from the header alone.
            stream.truncate(8);
        }
        assert_eq!(outcome(&limits, &stream), too_long, "{bytes}");
    }
    let bomb = deflated(&vec![0; 900_000]);
    assert!(bomb.len() < 1000, "{} bytes", bomb.len());
    let fragments = [frame(RSV1 | TEXT, &bomb[..100]), frame(FIN, &bomb[100..])].concat();
    assert_eq!(outcome(&limits, &fragments), too_long);
}

#[test]
fn a_deflated_message_in_fragments_holds_no_more_than_its_limits() {
    let mut limits = small(1000);
    limits.fragments_max = 3;
    let message = deflated(&[b'x'; 600]);
    let mut stream = frame(RSV1 | TEXT, &message[..2]);
    stream.extend(frame(CONTINUATION, &message[2..4]));
    let allowed = [&stream[..], &frame(FIN, &message[4..])].concat();
    assert_eq!(outcome(&limits, &allowed).0, [text(&"x".repeat(600))]);
    let one_more = [&stream[..], &frame(CONTINUATION, b""), &frame(FIN, b"")].concat();
    let broken = (vec![], End::Broken(Violation::TooManyFragments));
    assert_eq!(outcome(&limits, &one_more), broken);
    let over = [&stream[..], &head(FIN, 997)].concat();
    assert_eq!(
        outcome(&limits, &over),
        (vec![], End::Broken(Violation::TooLong))
    );
}

/// A stream with deflated messages in it, in fragments or not, now and then spoiled.
fn random_deflated_stream(random: &mut StdRng) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..random.random_range(1..6) {
        let words = ["", "a", "ö€", "some words ", "0123456789"];
        let count = random.random_range(0..40);
        let mut payload: Vec<u8> = (0..count)
            .flat_map(|_| words.choose(random).unwrap().bytes())
            .collect();
        let kind = [TEXT, BINARY][usize::from(random.random_ratio(1, 2))];
        if random.random_ratio(1, 10) {
            payload = (0..random.random_range(0..300))
                .map(|_| random.random())
                .collect();
        }
        let mut message = deflated(&payload);
        if random.random_ratio(1, 8) {
            let index = random.random_range(0..message.len());
            message[index] = random.random();
        }
        if random.random_ratio(1, 12) {
            message.truncate(random.random_range(0..message.len()));
        }
        let mut rest = &message[..];
        let mut first = RSV1 | kind;
        while rest.len() > 1 && random.random_ratio(1, 2) {
            let (part, after) = rest.split_at(random.random_range(0..rest.len()));
            stream.extend(frame(first, part));
            if random.random_ratio(1, 3) {
                stream.extend(frame(PING, b"between"));
            }
            (first, rest) = (CONTINUATION, after);
        }
        stream.extend(frame(FIN | first, rest));
        if random.random_ratio(1, 20) {
            let index = random.random_range(0..stream.len());
            stream[index] = random.random();
        }
        if random.random_ratio(1, 3) {
            stream.extend(random_stream(random));
        }
    }
    if random.random_ratio(1, 4) {
        stream.truncate(random.random_range(0..=stream.len()));
    }
    stream
}

#[test]
fn random_deflated_streams_are_read_as_another_inflater_and_tungstenite_read_them() {
    let ends = ends_of_random_streams(Agreed::Deflate, random_deflated_stream);
    assert!(ends.contains_key("Broken(InvalidDeflate)"));
}
