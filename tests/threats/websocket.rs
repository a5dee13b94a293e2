//! WebSocket: handshakes, frames and closes against the rules.

use super::support::{UPGRADE, header};
use super::*;

pub(super) const PROOFS: Proofs = &[
    (
        "w1",
        "a handshake that is none",
        &[
            "tests/threats/websocket.rs a_handshake_that_is_none_is_refused_with_its_reason",
            "src/websocket/handshake.rs every_refusal_has_a_request_that_provokes_it",
        ],
    ),
    (
        "w2",
        "more headers than are read, so that Upgrade is missing",
        &["tests/threats/websocket.rs an_upgrade_behind_two_thousand_headers_is_a_431"],
    ),
    (
        "w3",
        "a frame against the rules",
        &[
            "tests/threats/websocket.rs a_broken_rule_is_told_by_its_code_and_is_the_end",
            "src/websocket/reader/tests.rs every_broken_rule_has_its_violation_and_code",
        ],
    ),
    (
        "w4",
        "a message too large, in one frame or in many",
        &[
            "tests/threats/websocket.rs a_broken_rule_is_told_by_its_code_and_is_the_end",
            "src/websocket/reader/tests.rs an_announced_fragment_allocates_nothing_before_its_bytes_come",
        ],
    ),
    (
        "w5",
        "text that is not UTF-8",
        &[
            "tests/threats/websocket.rs a_broken_rule_is_told_by_its_code_and_is_the_end",
            "src/websocket/reader/tests.rs text_that_is_not_utf8_is_told_at_its_first_bad_byte",
        ],
    ),
    (
        "w6",
        "close frames that are none, and what comes behind one",
        &[
            "tests/threats/websocket.rs a_broken_rule_is_told_by_its_code_and_is_the_end",
            "tests/threats/websocket.rs what_follows_a_close_frame_is_not_heard_and_the_line_ends_in_time",
        ],
    ),
    (
        "w7",
        "a message of tiny fragments (CVE-2026-48779)",
        &["tests/threats/websocket.rs a_message_of_tiny_fragments_ends_at_its_limit"],
    ),
    (
        "w8",
        "a bomb of compressed bytes",
        &["tests/threats/websocket.rs a_broken_rule_is_told_by_its_code_and_is_the_end"],
    ),
    (
        "w9",
        "pings whose pongs nobody reads",
        &["tests/threats/websocket.rs of_pongs_that_nobody_reads_the_latest_is_kept"],
    ),
    (
        "w10",
        "a peer that is gone without a word",
        &[
            "tests/limits.rs who_does_not_answer_a_ping_is_closed",
            "src/engineio/tests/heartbeat.rs a_session_whose_ping_is_not_answered_ends_exactly_when_it_was_told_so",
            "src/reactor/listener.rs an_accepted_socket_is_tuned",
        ],
    ),
    (
        "w11",
        "one byte a segment, pings between fragments",
        &[
            "tests/threats/websocket.rs a_message_in_crumbs_with_pings_between_arrives",
            "src/websocket/reader/tests.rs messages_are_read_alike_however_they_are_cut",
        ],
    ),
    (
        "w12",
        "a broken frame glued to the upgrade (CVE-2022-21676), or a reset behind it (CVE-2022-41940)",
        &["tests/threats/websocket.rs what_is_glued_to_the_upgrade_harms_only_its_sender"],
    ),
];

#[test]
fn a_handshake_that_is_none_is_refused_with_its_reason() {
    let (rig, _) = rig(|_| {});
    let whole = String::from_utf8(UPGRADE.to_vec()).unwrap();
    for (from, to, status, said) in [
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "",
            400,
            "Sec-WebSocket-Key",
        ),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "c2hvcnQ=",
            400,
            "Sec-WebSocket-Key",
        ),
        (
            "dGhlIHNhbXBsZSBub25jZQ==",
            "!!!!!!!!!!!!!!!!!!!!!!==",
            400,
            "Sec-WebSocket-Key",
        ),
        (
            "Version: 13",
            "Version: 12",
            426,
            "Sec-WebSocket-Version: 13",
        ),
        (
            "Connection: Upgrade\r\n",
            "",
            400,
            "{\"code\":3,\"message\":\"Bad request\"}",
        ),
        ("Upgrade: websocket", "Upgrade: h2c", 400, ""),
        ("GET ", "POST ", 400, "Bad handshake method"),
    ] {
        assert!(whole.contains(from));
        let request =
            whole
                .replacen(from, to, 1)
                .replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 0);
        let mut client = rig.connect();
        client.send(request.as_bytes());
        let head = client.head();
        assert_eq!(statuses(&head), [status], "{to}: {head}");
        client.finish();
        let all = head + &client.rest();
        assert!(all.contains(said), "{to}: {all}");
    }
    assert_well(&rig);
}

#[test]
fn an_upgrade_behind_two_thousand_headers_is_a_431() {
    let (rig, _) = rig(|_| {});
    let request = String::from_utf8(UPGRADE.to_vec()).unwrap();
    let many = "A: b\r\n".repeat(2300);
    let request = request.replacen("Connection:", &format!("{many}Connection:"), 1);
    assert_eq!(statuses(&answered(&rig, request.as_bytes())), [431]);
    assert_well(&rig);
}

/// A masked frame, its mask zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [header(first, payload.len()), payload.to_vec()].concat()
}

#[test]
fn a_broken_rule_is_told_by_its_code_and_is_the_end() {
    let (rig, ends) = rig(|_| {});
    let large = vec![b'x'; 600_000];
    for (what, bytes, code, reason) in [
        (
            "unmasked",
            vec![0x81, 2, b'4', b'2'],
            1002,
            "transport error",
        ),
        (
            "a reserved bit, as compression uses it",
            frame(0xc1, b"42"),
            1002,
            "transport error",
        ),
        (
            "a reserved opcode",
            frame(0x83, b""),
            1002,
            "transport error",
        ),
        (
            "a ping in fragments",
            frame(0x09, b""),
            1002,
            "transport error",
        ),
        (
            "a ping of 126 bytes",
            frame(0x89, &[0; 126]),
            1002,
            "transport error",
        ),
        (
            "a stray continuation",
            frame(0x80, b""),
            1002,
            "transport error",
        ),
        (
            "a message in a message",
            [frame(1, b"4"), frame(0x81, b"4")].concat(),
            1002,
            "transport error",
        ),
        (
            "2^63 bytes",
            [&[0x81, 0xff, 0x80][..], &[0; 7], &[0; 4]].concat(),
            1009,
            "transport error",
        ),
        (
            "2^40 bytes",
            [&[0x81, 0xff, 0, 0, 1][..], &[0; 5], &[0; 4]].concat(),
            1009,
            "transport error",
        ),
        (
            "a byte too many",
            header(0x81, 1_000_001),
            1009,
            "transport error",
        ),
        (
            "too much in fragments",
            [frame(1, &large), header(0x80, large.len())].concat(),
            1009,
            "transport error",
        ),
        (
            "bad UTF-8",
            frame(0x81, b"42[\"\xff\"]"),
            1007,
            "transport error",
        ),
        (
            "bad UTF-8 in a fragment",
            frame(1, b"42[\"\xc0"),
            1007,
            "transport error",
        ),
        (
            "a surrogate",
            frame(0x81, b"42[\"\xed\xa0\x80\"]"),
            1007,
            "transport error",
        ),
        (
            "half a close code",
            frame(0x88, b"\x03"),
            1002,
            "transport error",
        ),
        (
            "a close code that is none",
            frame(0x88, &1005_u16.to_be_bytes()),
            1002,
            "transport error",
        ),
        (
            "a close reason that is no text",
            frame(0x88, b"\x03\xe8\xff"),
            1007,
            "transport error",
        ),
        ("a close", frame(0x88, b"\x03\xe8"), 1000, "transport close"),
    ] {
        let mut client = rig.socket("");
        client.send(&bytes);
        assert_eq!(client.hear(), format!("close {code}"), "{what}");
        assert_eq!(next(&ends), reason, "{what}");
        client.finish();
        assert_eq!(client.rest(), "", "{what}");
    }
    assert_well(&rig);
}

#[test]
fn what_follows_a_close_frame_is_not_heard_and_the_line_ends_in_time() {
    let (rig, ends) = rig(|config| config.websocket.close_within = SOON);
    let mut client = rig.socket("");
    let behind = frame(0x81, b"42[\"echo\",1]");
    client.send(&[frame(0x88, b"\x03\xe8"), behind].concat());
    assert_eq!(client.hear(), "close 1000");
    // Not ended by us.
    assert_eq!(client.rest(), "");
    assert_eq!(next(&ends), "transport close");
}

#[test]
fn a_message_of_tiny_fragments_ends_at_its_limit() {
    let (rig, ends) = rig(|_| {});
    let mut client = rig.socket("");
    let fragments = frame(0, b"").repeat(16_384);
    client.send(&[frame(1, b"42[\"echo\",1]"), fragments].concat());
    assert_eq!(client.hear(), "close 1008");
    assert_eq!(next(&ends), "transport error");
    assert_well(&rig);
}

#[test]
fn of_pongs_that_nobody_reads_the_latest_is_kept() {
    const PINGS: u32 = 200_000;
    let (rig, _) = rig(|_| {});
    let mut client = rig.socket("");
    let payload = |number: u32| [&number.to_be_bytes()[..], &[0; 100]].concat();
    for first in (0..PINGS).step_by(1000) {
        let pings: Vec<_> = (first..first + 1000)
            .flat_map(|number| frame(0x89, &payload(number)))
            .collect();
        client.send(&pings);
    }
    client.say("42[\"echo\",\"end\"]");
    let (mut pongs, mut last) = (0, 0);
    loop {
        let (first, payload) = client.hear_frame();
        if first == 0x8a {
            pongs += 1;
            last = u32::from_be_bytes(payload[..4].try_into().unwrap());
        } else if payload == b"42[\"echo\",\"end\"]" {
            break;
        }
    }
    // Twenty megabytes of them: more than the kernels between us hold.
    assert!(pongs < PINGS, "all {pongs} were kept");
    if last != PINGS - 1 {
        let (first, payload) = client.hear_frame();
        assert_eq!(
            (first, &payload[..4]),
            (0x8a, &(PINGS - 1).to_be_bytes()[..])
        );
    }
}

#[test]
fn a_message_in_crumbs_with_pings_between_arrives() {
    let (rig, _) = rig(|_| {});
    let mut client = rig.socket("");
    let ping = frame(0x89, b"there?");
    let message = "42[\"echo\",\"h\u{e9}llo\"]";
    let (start, end) = message.as_bytes().split_at(11);
    let bytes = [
        frame(1, start),
        ping.clone(),
        frame(0, b""),
        ping,
        frame(0x80, end),
    ]
    .concat();
    for byte in bytes {
        client.send(&[byte]);
    }
    loop {
        let (first, payload) = client.hear_frame();
        if first == 0x8a {
            assert_eq!(payload, b"there?");
        } else {
            assert_eq!(payload, message.as_bytes());
            break;
        }
    }
}

#[test]
fn what_is_glued_to_the_upgrade_harms_only_its_sender() {
    let (rig, _) = rig(|_| {});
    for (glued, code) in [
        (vec![0x81, 1, b'4'], 1002),
        (frame(0xf1, b"4"), 1002),
        (frame(0x81, b"\xff"), 1007),
    ] {
        let mut client = rig.connect();
        client.send(&[UPGRADE, &glued].concat());
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        assert!(client.hear().starts_with("0{\"sid\":"));
        assert_eq!(client.hear(), format!("close {code}"));
        client.finish();
        assert_eq!(client.rest(), "");
    }
    for _ in 0..100 {
        let mut client = rig.connect_from([127, 0, 0, 2]);
        client.send(UPGRADE);
        client.reset();
    }
    assert_well(&rig);
    wait_until_none_is_left(&rig);
}
