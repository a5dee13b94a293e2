mod deflated;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::websocket::properties::{Agreed, End, Told, check, check_stream, read};

const CONTINUATION: u8 = 0x00;
const TEXT: u8 = 0x01;
const BINARY: u8 = 0x02;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const FIN: u8 = 0x80;

/// A client's frame. `first` is its first byte: FIN, the reserved bits and the opcode.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = head(first, payload.len() as u64);
    bytes.extend_from_slice(&mask);
    bytes.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    bytes
}

/// A client's header up to its mask.
fn head(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        126..=0xffff => {
            bytes.push(0xfe);
            bytes.extend_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(0xff);
            bytes.extend_from_slice(&length.to_be_bytes());
        }
    }
    bytes
}

fn limits() -> config::WebSocket {
    config::WebSocket::default()
}

fn small(message_bytes_max: usize) -> config::WebSocket {
    config::WebSocket {
        message_bytes_max,
        ..limits()
    }
}

fn text(text: &str) -> Told {
    Told::Text(text.to_owned())
}

/// Reads it whole, after it has passed every check of [`check_stream`].
fn outcome(limits: &config::WebSocket, stream: &[u8]) -> (Vec<Told>, End) {
    check_stream(limits, Agreed::Nothing, stream, 1);
    let outcome = read(limits, Agreed::Nothing, stream, []);
    (outcome.told, outcome.end)
}

#[test]
fn an_idle_reader_is_small_and_owns_nothing() {
    assert!(size_of::<Reader>() <= 32);
    let mut reader = Reader::new();
    let mut stream = [frame(TEXT, b"a"), frame(FIN, b"b")].concat();
    let mut input = &mut stream[..];
    assert!(reader.next(&limits(), None, &mut input).unwrap().is_some());
    assert_eq!(reader.held_bytes(), 0);
}

#[test]
fn a_whole_message_is_borrowed_from_the_input() {
    let mut stream = [
        frame(FIN | TEXT, "grüß".as_bytes()),
        frame(FIN | BINARY, b"\xff"),
    ]
    .concat();
    let mut input = &mut stream[..];
    let mut reader = Reader::new();
    let first = reader.next(&limits(), None, &mut input).unwrap().unwrap();
    assert!(matches!(first, Message::Text(Cow::Borrowed("grüß"))));
    let second = reader.next(&limits(), None, &mut input).unwrap().unwrap();
    assert!(matches!(second, Message::Binary(Cow::Borrowed(b"\xff"))));
    assert_eq!(reader.next(&limits(), None, &mut input), Ok(None));
    assert!(input.is_empty());
}

#[test]
fn messages_are_read_alike_however_they_are_cut() {
    let long = "x".repeat(300);
    let stream = [
        frame(FIN | TEXT, b"hello"),
        frame(FIN | TEXT, b""),
        frame(TEXT, "a€".as_bytes().split_at(2).0),
        frame(PING, b"between"),
        frame(CONTINUATION, b""),
        frame(PONG, b""),
        frame(FIN, "a€".as_bytes().split_at(2).1),
        frame(FIN | BINARY, long.as_bytes()),
        frame(BINARY, b""),
        frame(FIN, b""),
        frame(CLOSE, b"\x03\xe8bye"),
        frame(FIN | TEXT, b"too late"),
    ]
    .concat();
    let told = vec![
        text("hello"),
        text(""),
        Told::Ping(b"between".to_vec()),
        Told::Pong(vec![]),
        text("a€"),
        Told::Binary(long.into_bytes()),
        Told::Binary(vec![]),
        Told::Close(Some(1000), "bye".to_owned()),
    ];
    assert_eq!(outcome(&limits(), &stream), (told.clone(), End::Closed));
    for cut in 1..stream.len() {
        let outcome = read(&limits(), Agreed::Nothing, &stream, [cut]);
        assert_eq!(
            (&outcome.told, outcome.end),
            (&told, End::Closed),
            "cut at {cut}"
        );
    }
}

#[test]
fn sizes_around_each_coding_of_the_length_are_read() {
    for size in [0, 1, 7, 8, 9, 125, 126, 127, 65_535, 65_536, 1_000_000] {
        let payload: Vec<u8> = (0..=250).cycle().take(size).collect();
        let stream = [frame(FIN | BINARY, &payload), frame(FIN | TEXT, b"after")].concat();
        let expected = (vec![Told::Binary(payload), text("after")], End::Open);
        let outcome = read(&limits(), Agreed::Nothing, &stream, [3, 4, 1000]);
        assert_eq!((outcome.told, outcome.end), expected, "{size} bytes");
    }
}

#[test]
fn a_length_need_not_be_coded_minimally() {
    let stream = [&[FIN | TEXT, 0xfe, 0, 1, 0, 0, 0, 0][..], b"a"].concat();
    let wider = [
        &[FIN | TEXT, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..],
        b"b",
    ]
    .concat();
    assert_eq!(
        outcome(&limits(), &[stream, wider].concat()),
        (vec![text("a"), text("b")], End::Open)
    );
}

/// One row per rule: what comes, which violation it is, and its code.
#[test]
fn every_broken_rule_has_its_violation_and_code() {
    use Violation as V;
    let unmasked = vec![FIN | TEXT, 1, b'a'];
    let long_coded_ping = vec![PING, 0xfe, 0, 1, 0, 0, 0, 0, b'p'];
    let overlong = frame(FIN | TEXT, b"\xc0\xaf");
    let surrogate = frame(FIN | TEXT, b"\xed\xa0\x80");
    let above = frame(FIN | TEXT, b"\xf4\x90\x80\x80");
    let unfinished = frame(FIN | TEXT, b"a\xe2\x82");
    let split = [frame(TEXT, b"\xe2"), frame(FIN, b"\x82")].concat();
    let within = [frame(TEXT, b"a"), frame(FIN | TEXT, b"b")].concat();
    let within_binary = [frame(BINARY, b"a"), frame(BINARY, b"b")].concat();
    let finished = [frame(TEXT, b"a"), frame(FIN, b"b"), frame(FIN, b"c")].concat();
    let rows = [
        (frame(FIN | TEXT | 0x40, b"a"), V::ReservedBit, 1002),
        (frame(FIN | TEXT | 0x20, b"a"), V::ReservedBit, 1002),
        (frame(FIN | TEXT | 0x10, b"a"), V::ReservedBit, 1002),
        (frame(PING | 0x40, b"a"), V::ReservedBit, 1002),
        (frame(FIN | 0x03, b"a"), V::ReservedOpcode, 1002),
        (frame(FIN | 0x07, b"a"), V::ReservedOpcode, 1002),
        (frame(FIN | 0x0b, b"a"), V::ReservedOpcode, 1002),
        (frame(FIN | 0x0f, b"a"), V::ReservedOpcode, 1002),
        (unmasked, V::Unmasked, 1002),
        (frame(0x08, b""), V::FragmentedControl, 1002),
        (frame(0x09, b"a"), V::FragmentedControl, 1002),
        (frame(0x0a, b"a"), V::FragmentedControl, 1002),
        (frame(PING, &[0; 126]), V::LongControl, 1002),
        (frame(CLOSE, &[0; 70_000]), V::LongControl, 1002),
        (long_coded_ping, V::LongControl, 1002),
        (frame(CONTINUATION, b"a"), V::StrayContinuation, 1002),
        (frame(FIN, b"a"), V::StrayContinuation, 1002),
        (finished, V::StrayContinuation, 1002),
        (within, V::InterleavedMessage, 1002),
        (within_binary, V::InterleavedMessage, 1002),
        (frame(CLOSE, b"\x03"), V::HalfCloseCode, 1002),
        (frame(CLOSE, b"\x03\xed"), V::ForbiddenCloseCode, 1002),
        (frame(CLOSE, b"\x03\xe8\xff"), V::InvalidUtf8, 1007),
        (overlong, V::InvalidUtf8, 1007),
        (surrogate, V::InvalidUtf8, 1007),
        (above, V::InvalidUtf8, 1007),
        (unfinished, V::InvalidUtf8, 1007),
        (split, V::InvalidUtf8, 1007),
    ];
    for (stream, violation, code) in rows {
        let (_, end) = outcome(&limits(), &stream);
        assert_eq!(end, End::Broken(violation), "{stream:x?}");
        assert_eq!(violation.close_code(), code);
    }
}

#[test]
fn close_codes_are_those_that_may_be_on_the_wire() {
    let allowed = |code: u16| match code {
        0..=999 | 1004..=1006 | 1015..=2999 | 5000.. => false,
        1000..=1003 | 1007..=1014 | 3000..=4999 => true,
    };
    for code in 0..=u16::MAX {
        let (told, end) = {
            let outcome = read(
                &limits(),
                Agreed::Nothing,
                &frame(CLOSE, &code.to_be_bytes()),
                [],
            );
            (outcome.told, outcome.end)
        };
        if allowed(code) {
            assert_eq!(
                (&told[..], end),
                (&[Told::Close(Some(code), String::new())][..], End::Closed)
            );
        } else {
            assert_eq!(end, End::Broken(Violation::ForbiddenCloseCode), "{code}");
        }
    }
    assert_eq!(
        outcome(&limits(), &frame(CLOSE, b"")),
        (vec![Told::Close(None, String::new())], End::Closed)
    );
    let longest = [b"\x03\xf6", &[b'x'; 123][..]].concat();
    assert_eq!(
        outcome(&limits(), &frame(CLOSE, &longest)).1,
        End::Closed,
        "1014, 125 bytes"
    );
}

#[test]
fn a_message_of_the_limit_is_read_and_one_more_byte_is_refused_from_its_header_alone() {
    let limits = small(1000);
    let (told, end) = outcome(&limits, &frame(FIN | BINARY, &[7; 1000]));
    assert_eq!((told.len(), end), (1, End::Open));
    for length in [
        1001,
        0xffff,
        1 << 16,
        1 << 40,
        (1 << 63) - 1,
        1 << 63,
        u64::MAX,
    ] {
        let stream = head(FIN | TEXT, length);
        let refused = (vec![], End::Broken(Violation::TooLong));
        assert_eq!(
            outcome(&limits, &stream),
            refused,
            "{length}: without even its mask"
        );
    }
    assert_eq!(Violation::TooLong.close_code(), 1009);
}

#[test]
fn the_sum_of_fragments_is_limited_from_the_header_that_exceeds_it() {
    let limits = small(1000);
    let up_to = [frame(BINARY, &[1; 600]), frame(CONTINUATION, &[1; 400])].concat();
    let fits = [&up_to[..], &frame(FIN, b"")].concat();
    assert_eq!(
        outcome(&limits, &fits),
        (vec![Told::Binary(vec![1; 1000])], End::Open)
    );
    for length in [1, 1 << 40, u64::MAX] {
        let over = [&up_to[..], &head(FIN, length)].concat();
        assert_eq!(
            outcome(&limits, &over),
            (vec![], End::Broken(Violation::TooLong))
        );
    }
}

#[test]
fn a_control_frame_is_not_held_to_the_limit_of_a_message() {
    let (told, end) = outcome(&small(0), &frame(PING, &[b'p'; 125]));
    assert_eq!((told, end), (vec![Told::Ping(vec![b'p'; 125])], End::Open));
}

#[test]
fn a_message_in_fragments_holds_memory_up_to_the_limit_and_gives_it_back() {
    let limits = small(1000);
    let mut reader = Reader::new();
    let mut last = 0;
    for index in 0..1000 {
        let first = if index == 0 { BINARY } else { CONTINUATION };
        let mut bytes = frame(first, b"x");
        assert_eq!(reader.next(&limits, None, &mut &mut bytes[..]), Ok(None));
        assert!(
            reader.held_bytes() <= 1000,
            "the buffer doubles, but not beyond the limit"
        );
        assert!(reader.held_bytes() >= last);
        last = reader.held_bytes();
    }
    assert_eq!(last, 1000);
    let mut bytes = frame(FIN, b"");
    let mut input = &mut bytes[..];
    let Ok(Some(Message::Binary(message))) = reader.next(&limits, None, &mut input) else {
        panic!("complete");
    };
    assert_eq!((message.len(), reader.held_bytes()), (1000, 0));
}

#[test]
fn an_announced_fragment_allocates_nothing_before_its_bytes_come() {
    let mut reader = Reader::new();
    let mut bytes = [head(BINARY, 900_000), vec![0; 4 + 10]].concat();
    assert_eq!(reader.next(&limits(), None, &mut &mut bytes[..]), Ok(None));
    assert_eq!(reader.held_bytes(), 10);
}

#[test]
fn the_fragment_beyond_the_last_allowed_is_refused() {
    assert_eq!(limits().fragments_max, 16_384);
    for payload in [&b""[..], b"x"] {
        let mut allowed = frame(TEXT, payload);
        for _ in 2..16_384 {
            allowed.extend(frame(CONTINUATION, payload));
        }
        let finished = [&allowed[..], &frame(FIN, payload)].concat();
        let outcome = read(&limits(), Agreed::Nothing, &finished, []);
        assert_eq!(outcome.told, [text(&"x".repeat(16_384 * payload.len()))]);

        let one_more = [
            &allowed[..],
            &frame(CONTINUATION, payload),
            &frame(FIN, payload),
        ]
        .concat();
        let outcome = read(&limits(), Agreed::Nothing, &one_more, []);
        assert_eq!(
            (outcome.told, outcome.end),
            (vec![], End::Broken(Violation::TooManyFragments))
        );
    }
    assert_eq!(Violation::TooManyFragments.close_code(), 1008);
}

#[test]
fn text_that_is_not_utf8_is_told_at_its_first_bad_byte() {
    // (payload, index of the byte after which it can no longer become UTF-8), RFC 3629 §4
    let rows: [(&[u8], usize); 8] = [
        (b"ab\xffcd", 2),
        (b"a\x80", 1),
        (b"\xc0\xaf", 0),
        (b"\xe0\x9fx", 1),
        (b"\xed\xa0\x80", 1),
        (b"\xf0\x8f\x80\x80", 1),
        (b"\xf4\x90\x80\x80", 1),
        (b"\xe2\x82A\x80", 2),
    ];
    for (bad, index) in rows {
        // In one frame that is far from complete.
        let mut stream = frame(FIN | TEXT, &[bad, &[b'.'; 100]].concat());
        stream.truncate(50);
        let outcome = read(&limits(), Agreed::Nothing, &stream, std::iter::repeat(1));
        assert_eq!(outcome.end, End::Broken(Violation::InvalidUtf8), "{bad:x?}");
        assert_eq!(outcome.shown, 6 + index + 1, "{bad:x?}");

        // In fragments of one byte each, with a ping between: seven bytes a fragment and ten for the ping.
        let mut stream = vec![];
        for (position, byte) in bad.iter().enumerate() {
            stream.extend(frame(
                if position == 0 { TEXT } else { CONTINUATION },
                &[*byte],
            ));
            stream.extend(frame(PING, b"ping"));
        }
        let outcome = read(&limits(), Agreed::Nothing, &stream, std::iter::repeat(1));
        assert_eq!(
            outcome.end,
            End::Broken(Violation::InvalidUtf8),
            "{bad:x?} in fragments"
        );
        assert_eq!(outcome.shown, 17 * index + 7, "{bad:x?} in fragments");
    }
}

#[test]
fn a_flag_is_refused_at_its_byte() {
    for (stream, shown) in [
        (frame(0xc1, b"a"), 1),
        (frame(0x83, b"a"), 1),
        (frame(0x09, b"a"), 1),
        (frame(FIN, b"a"), 1),
        (vec![FIN | TEXT, 5, 0, 0, 0, 0, 0], 2),
        (frame(PING, &[0; 126]), 2),
        (head(FIN | TEXT, 1 << 20), 10),
    ] {
        let outcome = read(&limits(), Agreed::Nothing, &stream, std::iter::repeat(1));
        assert!(matches!(outcome.end, End::Broken(_)));
        assert_eq!(outcome.shown, shown, "{stream:x?}");
    }
}

#[test]
fn a_million_bytes_come_one_at_a_time_in_linear_work() {
    // Were each byte to look at all before it again, this would be half a billion kilobytes.
    let long = "zwölf Boxkämpfer jagen ".repeat(38_000);
    let half = long.len() / 2 + 1;
    let stream = [
        frame(FIN | TEXT, long.as_bytes()),
        frame(TEXT, &long.as_bytes()[..half]),
        frame(FIN, &long.as_bytes()[half..]),
    ]
    .concat();
    let outcome = read(&limits(), Agreed::Nothing, &stream, std::iter::repeat(1));
    assert_eq!(
        (outcome.told, outcome.end),
        (vec![text(&long), text(&long)], End::Open)
    );
}

#[test]
fn an_inbox_that_moves_between_calls_changes_nothing() {
    let stream = frame(FIN | TEXT, "ein Gruß, der wandert".as_bytes());
    let mut reader = Reader::new();
    let mut left = Vec::new();
    let mut told = Vec::new();
    for piece in stream.chunks(3) {
        let mut inbox = [&left[..], piece].concat();
        let mut input = &mut inbox[..];
        told.extend(
            reader
                .next(&limits(), None, &mut input)
                .unwrap()
                .map(Told::from),
        );
        left = input.to_vec();
    }
    assert_eq!(told, [text("ein Gruß, der wandert")]);
}

#[test]
fn unmasking_in_words_is_unmasking_in_bytes() {
    let mask = [0x01, 0x02, 0x40, 0x80];
    let plain: Vec<u8> = (0..=255).collect();
    let masked: Vec<u8> = plain
        .iter()
        .zip(mask.iter().cycle())
        .map(|(a, b)| a ^ b)
        .collect();
    for from in 0..20 {
        for to in from..60 {
            let mut part = masked[from..to].to_vec();
            unmask(&mut part, mask, from);
            assert_eq!(part, plain[from..to], "{from}..{to}");
        }
    }
}

/// Prints the seed of the test that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

/// A stream of frames in mostly the right order, now and then spoiled.
fn random_stream(random: &mut StdRng) -> Vec<u8> {
    const TEXTS: [&[u8]; 8] = [
        b"",
        b"a",
        "ö".as_bytes(),
        "€".as_bytes(),
        "😀".as_bytes(),
        b"\xe2\x82",
        b"\xff",
        b"\xac",
    ];
    let mut stream = Vec::new();
    let mut within = false;
    for _ in 0..random.random_range(1..12) {
        let parts = random.random_range(0..6);
        let mut payload: Vec<u8> = Vec::new();
        for _ in 0..parts {
            let known = if random.random_ratio(1, 20) {
                &TEXTS[..]
            } else {
                &TEXTS[..5]
            };
            payload.extend_from_slice(known.choose(random).unwrap());
        }
        if random.random_ratio(1, 10) {
            payload = vec![b'x'; random.random_range(100..400)];
        }
        let first = match random.random_range(0..12) {
            0 => PING,
            1 => PONG,
            2 => [CLOSE, random.random()][usize::from(random.random_ratio(1, 4))],
            kind => {
                let opcode = if within {
                    CONTINUATION
                } else {
                    [TEXT, BINARY][kind % 2]
                };
                within = random.random_ratio(1, 2);
                opcode | if within { 0 } else { FIN }
            }
        };
        if first == CLOSE && random.random_ratio(3, 4) {
            let code: u16 = random.random_range(995..1020);
            payload.splice(0..0, code.to_be_bytes());
        }
        let mut bytes = frame(first, &payload);
        if random.random_ratio(1, 40) {
            let index = random.random_range(0..bytes.len());
            bytes[index] = random.random();
        }
        stream.extend(bytes);
    }
    if random.random_ratio(1, 4) {
        stream.truncate(random.random_range(0..=stream.len()));
    }
    stream
}

/// Reads streams of each seed, cut in all ways, and says how many came to which end.
fn ends_of_random_streams(
    agreed: Agreed,
    stream: impl Fn(&mut StdRng) -> Vec<u8>,
) -> std::collections::HashMap<String, usize> {
    let sizes = [0, 16, 126, 300, 1_000_000];
    let mut ends = std::collections::HashMap::new();
    for seed in 0..6_000 {
        let _seed = Seed(seed);
        let mut random = StdRng::seed_from_u64(seed);
        let mut limits = small(sizes[random.random_range(0..sizes.len())]);
        limits.fragments_max = random.random_range(1..9);
        let stream = stream(&mut random);
        check_stream(&limits, agreed, &stream, seed);
        let end = read(&limits, agreed, &stream, []).end;
        *ends.entry(format!("{end:?}")).or_default() += 1;
    }
    assert!(ends.len() >= 12, "the generator meets most ends: {ends:?}");
    ends
}

#[test]
fn random_streams_cut_at_random_are_read_as_tungstenite_reads_them() {
    ends_of_random_streams(Agreed::Nothing, random_stream);
}

#[test]
fn the_fuzzers_seeds_keep_the_properties() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/websocket_reader");
    let mut count = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        eprintln!("{}", path.display());
        check(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 5, "{count} seeds");
}
