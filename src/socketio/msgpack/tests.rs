use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::socketio::property::is_same;

fn limits() -> config::SocketIo {
    config::SocketIo::default()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

/// A packet as the official parser writes it, but for its data.
fn packet(kind: u8, data: &str) -> Vec<u8> {
    let mut bytes = bytes_of("83a474797065");
    bytes.push(kind);
    bytes.extend(bytes_of("a36e7370a12f"));
    bytes.extend(bytes_of("a464617461"));
    bytes.extend(bytes_of(data));
    bytes
}

fn read(bytes: &[u8]) -> Result<(Kind, String, Vec<Bytes>), Violation> {
    let complete = decode(bytes, &limits())?;
    let data = complete.packet().data.unwrap_or("-").to_owned();
    Ok((complete.packet().kind, data, complete.attachments().into()))
}

/// JSON, and what `notepack.io` 2.2.0 makes of it.
fn rows() -> Vec<(String, String)> {
    let long = "x".repeat(256);
    let sixteen: Vec<_> = (0..16).map(|at| format!("\"k{at:x}\":{at}")).collect();
    let keys = (0..16).map(|at| format!("a26b{:02x}{at:02x}", format!("{at:x}").as_bytes()[0]));
    let rows = [
        ("[]", "90"),
        ("[null,true,false]", "93c0c3c2"),
        (
            "[0,127,128,255,256,65535,65536,4294967295,4294967296,9007199254740991]",
            "9a007fcc80ccffcd0100cdffffce00010000ceffffffffcf0000000100000000cf001fffffffffffff",
        ),
        (
            "[-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649,-9007199254740991]",
            "9affe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffffd3ffe0000000000001",
        ),
        (
            "[0.5,-1.25,1e-7]",
            "93cb3fe0000000000000cbbff4000000000000cb3e7ad7f29abcaf48",
        ),
        ("[\"\",\"a\",\"é🚢\"]", "93a0a161a6c3a9f09f9aa2"),
        ("[{\"a\":{\"b\":[]},\"\":{}}]", "9182a16181a16290a080"),
    ];
    let mut rows: Vec<_> = rows
        .map(|(json, hex)| (json.to_owned(), hex.to_owned()))
        .into();
    let ones = ["1"; 16].join(",");
    rows.push((
        format!("[[{ones}]]"),
        format!("91dc0010{}", "01".repeat(16)),
    ));
    rows.push((
        format!("[{{{}}}]", sixteen.join(",")),
        format!("91de0010{}", keys.collect::<String>()),
    ));
    rows.push((
        format!("[\"{}\",\"{}\"]", &long[..31], &long[..32]),
        format!("92bf{}d920{}", "78".repeat(31), "78".repeat(32)),
    ));
    rows.push((
        format!("[\"{long}\"]"),
        format!("91da0100{}", "78".repeat(256)),
    ));
    rows
}

#[test]
fn values_are_written_and_read_as_the_official_parser_has_them() {
    for (json, hex) in rows() {
        let written = encode(Kind::Ack, "/", None, Some(&json), &[]);
        let expected = bytes_of(&format!("83a47479706503a464617461{hex}a36e7370a12f"));
        assert_eq!(written, expected, "{json}");
        let written: serde_json::Value = serde_json::from_str(&json).unwrap();
        let (_, json, _) = read(&packet(3, &hex)).unwrap();
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read, written);
    }
}

#[test]
fn a_packet_of_the_official_client_is_read_whole() {
    let hex = "85a47479706502a46461746196a161c403010203d7000000000000000000d40000c701000482a175d4\
        0000a17601a76f7074696f6e7381a8636f6d7072657373c3a2696407a36e7370a52f63686174";
    let complete = decode(&bytes_of(hex), &limits()).unwrap();
    let packet = complete.packet();
    assert_eq!(
        (packet.kind, packet.namespace, packet.id),
        (Kind::Event, "/chat", Some(7))
    );
    assert_eq!(
        packet.data.unwrap(),
        "[\"a\",{\"_placeholder\":true,\"num\":0},\"1970-01-01T00:00:00.000Z\",null,\
        {\"_placeholder\":true,\"num\":1},{\"v\":1}]"
    );
    assert_eq!(complete.attachments(), [&[1, 2, 3][..], &[4]]);
    let connect = bytes_of("83a47479706500a464617461d40000a36e7370a12f");
    assert_eq!(read(&connect), Ok((Kind::Connect, "-".into(), vec![])));
}

#[test]
fn attachments_are_inside_wherever_their_placeholders_stand() {
    let data =
        "[\"a\",{\"b\":{\"num\":1,\"_placeholder\":true}},{\"_placeholder\":true,\"num\":0}]";
    let attachments = [Bytes::from_static(b"one"), Bytes::from(vec![7; 300])];
    let written = encode(Kind::BinaryEvent, "/", Some(3), Some(data), &attachments);
    let (kind, json, read) = read(&written).unwrap();
    assert_eq!(kind, Kind::Event);
    assert_eq!(
        json,
        "[\"a\",{\"b\":{\"_placeholder\":true,\"num\":0}},{\"_placeholder\":true,\"num\":1}]"
    );
    assert_eq!(read, [attachments[1].clone(), attachments[0].clone()]);
}

#[test]
fn what_json_cannot_say_becomes_what_javascript_makes_of_it() {
    for (hex, json) in [
        ("91cb7ff8000000000000", "[null]"),
        ("92ca7f800000cbfff0000000000000", "[null,null]"),
        ("91ca3fc00000", "[1.5]"),
        ("92cb4008000000000000cb8000000000000000", "[3,0]"),
        ("91cb4415af1d78b58c40", "[1e+20]"),
        ("91cfffffffffffffffff", "[18446744073709551615]"),
        ("91d37fffffffffffffff", "[9223372036854775807]"),
        ("92d40000d40001", "[null,null]"),
        ("9183a161d40000a16201a163d40000", "[{\"b\":1}]"),
        ("9182a161d40000a162d40000", "[{}]"),
        ("918201c0ffc0", "[{\"1\":null,\"-1\":null}]"),
        ("91a1ff", "[\"\u{fffd}\"]"),
        (
            "91d77fffffffffffffffff",
            "[[127,{\"_placeholder\":true,\"num\":0}]]",
        ),
        ("91d7007fffffffffffffff", "[null]"),
        ("91d50001ff", "[[0,{\"_placeholder\":true,\"num\":0}]]"),
        ("91c70205aabb", "[[5,{\"_placeholder\":true,\"num\":0}]]"),
        ("91c8000200aabb", "[{\"_placeholder\":true,\"num\":0}]"),
    ] {
        let (_, read, _) = read(&packet(3, hex)).unwrap_or_else(|broken| panic!("{hex}: {broken}"));
        assert_eq!(read, json, "{hex}");
        serde_json::from_str::<serde_json::Value>(&read).unwrap();
    }
}

#[test]
fn each_broken_rule_is_refused() {
    use Violation::{
        IllegalId, IllegalPlaceholder, InvalidPayload, NotMessagePack, TooManyAttachments,
        UnknownKind,
    };
    let whole = |hex: &str| bytes_of(hex);
    let placeholder = "9181ac5f706c616365686f6c646572c3";
    let rows = [
        (whole(""), NotMessagePack),
        (whole("c1"), NotMessagePack),
        (whole("90"), NotMessagePack),
        (whole("8101c0"), NotMessagePack),
        (whole("80"), UnknownKind(None)),
        (whole("82a47479706509a36e7370a12f"), UnknownKind(Some(9))),
        (whole("82a47479706505a36e7370a12f"), UnknownKind(Some(5))),
        (
            whole("82a474797065cb4000000000000000a36e7370a12f"),
            UnknownKind(None),
        ),
        (whole("81a47479706500"), InvalidPayload),
        (whole("82a47479706500a36e737001"), InvalidPayload),
        (whole("82a47479706502a36e7370a12f"), InvalidPayload),
        (whole("82a47479706500a36e7370a12f00"), NotMessagePack),
        (whole("83a47479706500a36e7370a12fa26964ff"), IllegalId),
        (
            whole("83a47479706500a36e7370a12fa26964cf0020000000000000"),
            IllegalId,
        ),
        (whole("83a47479706500a36e7370a12fa26964c0"), IllegalId),
        (packet(0, "c0"), InvalidPayload),
        (packet(0, "90"), InvalidPayload),
        (packet(1, "80"), InvalidPayload),
        (packet(2, "80"), InvalidPayload),
        (packet(2, "90"), InvalidPayload),
        (packet(2, "91c0"), InvalidPayload),
        (packet(2, "91a7636f6e6e656374"), InvalidPayload),
        (packet(3, "d40000"), InvalidPayload),
        (packet(4, "01"), InvalidPayload),
        (packet(3, "918190c0"), InvalidPayload),
        (packet(3, placeholder), IllegalPlaceholder),
        (
            packet(3, &format!("9b{}", "c400".repeat(11))),
            TooManyAttachments,
        ),
    ];
    for (bytes, violation) in rows {
        let said = bytes.escape_ascii();
        assert_eq!(read(&bytes), Err(violation), "{said}");
    }
    for (_, hex) in rows_cut() {
        assert_eq!(read(&packet(3, &hex)), Err(NotMessagePack), "{hex}");
    }
}

/// Each of [`rows`] without its last byte, and lengths of which nothing has come: no memory is there to hold so much.
fn rows_cut() -> Vec<(String, String)> {
    let mut rows = rows();
    for (_, hex) in &mut rows[1..] {
        hex.truncate(hex.len() - 2);
    }
    rows.remove(0);
    for hex in [
        "ddffffffff",
        "dfffffffff",
        "dbffffffff",
        "c6ffffffff",
        "c9ffffffff00",
        "dcffff01",
    ] {
        rows.push((String::new(), hex.to_owned()));
    }
    rows
}

#[test]
fn the_limits_of_a_packet_hold_here_too() {
    let deep = |levels: usize| packet(3, &format!("{}{}", "91".repeat(levels - 1), "90"));
    assert!(read(&deep(128)).is_ok());
    assert_eq!(read(&deep(129)), Err(Violation::InvalidPayload));
    assert_eq!(read(&deep(100_000)), Err(Violation::InvalidPayload));
    let held_deep = packet(3, &format!("{}c400", "91".repeat(128)));
    assert_eq!(read(&held_deep), Err(Violation::InvalidPayload));
    let bytes = packet(3, "91c40101");
    let mut limits = limits();
    limits.packet_bytes_max = bytes.len();
    assert!(decode(&bytes, &limits).is_ok());
    limits.packet_bytes_max = bytes.len() - 1;
    assert_eq!(decode(&bytes, &limits), Err(Violation::PacketTooLarge));
    limits.namespace_bytes_max = 0;
    assert_eq!(
        decode(&packet(3, "90"), &limits),
        Err(Violation::NamespaceTooLong)
    );
    assert!(
        decode(&packet(0, "80"), &limits).is_ok(),
        "who connects is told"
    );
}

#[test]
fn what_is_made_of_a_packet_is_a_small_multiple_of_it() {
    // The worst that one byte can do: `nil`, a control character, an empty text.
    for byte in ["c0", "a0", "a101", "d7007fffffffffffff"] {
        let bytes = packet(3, &format!("dc1000{}", byte.repeat(0x1000)));
        if let Ok((_, json, _)) = read(&bytes) {
            assert!(json.len() <= 6 * bytes.len(), "{byte}");
        }
    }
}

/// Some JSON, as long as chance wants it.
fn some_json(random: &mut StdRng, depth: usize, attachments: &mut Vec<Bytes>) -> String {
    match random.random_range(0..if depth == 0 { 6 } else { 9 }) {
        0 => ["null", "true", "false"][random.random_range(0..3)].to_owned(),
        1 => (random.random::<i64>() >> random.random_range(0..64)).to_string(),
        2 => (random.random::<u64>() >> random.random_range(0..64)).to_string(),
        3 => serde_json::to_string(&f64::from_bits(random.random::<u64>())).unwrap(),
        4 => {
            let text: String = (0..random.random_range(0..40))
                .map(|_| random.random::<char>())
                .collect();
            serde_json::to_string(&text).unwrap()
        }
        5 if attachments.len() < 10 => {
            attachments.push(vec![random.random(); random.random_range(0..300)].into());
            format!(
                "{{\"_placeholder\":true,\"num\":{}}}",
                attachments.len() - 1
            )
        }
        5 => "[]".to_owned(),
        6 | 7 => {
            let count = random.random_range(0..20);
            let values = (0..count).map(|_| some_json(random, depth - 1, attachments));
            format!("[{}]", values.collect::<Vec<_>>().join(","))
        }
        _ => {
            let count = random.random_range(0..20);
            let fields = (0..count)
                .map(|at| format!("\"{at}\":{}", some_json(random, depth - 1, attachments)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
    }
}

#[test]
fn whatever_json_can_say_comes_back() {
    for seed in 0..500 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut attachments = Vec::new();
        let value = some_json(&mut random, 4, &mut attachments);
        let data = format!("[{value}]");
        let written = encode(Kind::Ack, "/", Some(seed), Some(&data), &attachments);
        let complete = decode(&written, &limits()).unwrap_or_else(|broken| {
            panic!("seed {seed}: {broken}");
        });
        assert_eq!(complete.packet().id, Some(seed));
        assert_eq!(complete.attachments(), attachments, "seed {seed}");
        let meant: serde_json::Value = serde_json::from_str(&data).unwrap();
        let read = serde_json::from_str(complete.packet().data.unwrap()).unwrap();
        assert!(is_same(&meant, &read), "seed {seed}");
    }
}
