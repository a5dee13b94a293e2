//! Holes that were found in others' servers, each with the test that shows it is not here.
//!
//! | number | where | what |
//! |---|---|---|
//! | CVE-2016-10542 | ws | a message without a limit |
//! | CVE-2016-10518, CVE-2026-45736 | ws | memory told to the peer in pings and closes |
//! | CVE-2017-16031 | socket.io 0.9 | ids that can be guessed |
//! | CVE-2020-28481 | socket.io 2.3 | open to every page by default |
//! | CVE-2020-36048, CVE-2020-36049 | engine.io, its parser | quadratic work on a large body |
//! | CVE-2021-32640 | ws | quadratic work on Sec-WebSocket-Protocol |
//! | CVE-2022-21676 | engine.io 6.1 | a broken frame before there is a session |
//! | CVE-2022-41940 | engine.io 6.2 | a reset during the upgrade |
//! | CVE-2022-2421 | socket.io-parser 4.2 | a placeholder's number that is none |
//! | CVE-2023-31125 | engine.io 6.4 | an upgrade to an unknown transport |
//! | CVE-2023-32695 | socket.io-parser 4.2.2 | an object as an event's name |
//! | CVE-2024-37890 | ws 8.17 | more headers than are read |
//! | CVE-2024-38355 | socket.io 4.6 | an event called `error` |
//! | CVE-2026-33151, CVE-2026-69185 | socket.io-parser 4.2.6 | attachments without number, or none |
//! | CVE-2026-48779 | ws 8.20 | a message of tiny fragments |
//! | CVE-2026-59725 | engine.io 6.6.6 | a post of bytes that is never answered |
//! | GHSA-gr94-w7qr-f4j3 | engine.io 6.6.8 | a session called `__proto__` by WebTransport, which is not spoken here |
//! | GHSA-pxg6-pf52-xh8x | cookie | names that break out of their header |
//! | CVE-2026-48802 | python-engineio | a thread for each client: here is one loop, and a limit on connections |
//! | CVE-2023-43669 | tungstenite 0.20 | a head parsed anew at each byte |
//! | CVE-2019-15541 | rustls-mio | a loop that spins on a closed client |

use super::support::UPGRADE;
use super::*;

pub(super) const PROOFS: Proofs = &[
    (
        "CVE-2016-10542",
        "ws",
        &["tests/threats/websocket.rs a_broken_rule_is_told_by_its_code_and_is_the_end"],
    ),
    (
        "CVE-2016-10518, CVE-2026-45736",
        "ws",
        &["tests/threats/published.rs a_ping_and_a_close_come_back_with_their_own_bytes_only"],
    ),
    (
        "CVE-2017-16031",
        "socket.io",
        &["tests/threats/engineio.rs no_id_says_anything_of_another"],
    ),
    (
        "CVE-2020-28481",
        "socket.io",
        &["tests/threats/published.rs no_other_page_is_let_in_by_default"],
    ),
    (
        "CVE-2020-36048, CVE-2020-36049",
        "engine.io",
        &[
            "src/server/tests/web.rs three_hundred_thousand_packets_in_one_post_kept_the_others_waiting",
            "src/http/tests/mod.rs a_large_request_costs_linear_work_byte_by_byte",
        ],
    ),
    (
        "CVE-2021-32640",
        "ws",
        &["tests/threats/published.rs a_list_of_subprotocols_of_blanks_is_read_once"],
    ),
    (
        "CVE-2022-21676",
        "engine.io",
        &["tests/threats/websocket.rs what_is_glued_to_the_upgrade_harms_only_its_sender"],
    ),
    (
        "CVE-2022-41940",
        "engine.io",
        &["tests/threats/websocket.rs what_is_glued_to_the_upgrade_harms_only_its_sender"],
    ),
    (
        "CVE-2022-2421",
        "socket.io-parser",
        &["tests/threats/socketio.rs a_packet_that_is_none_ends_the_session"],
    ),
    (
        "CVE-2023-31125",
        "engine.io",
        &["tests/threats/engineio.rs a_request_that_fits_nothing_is_refused_in_the_official_words"],
    ),
    (
        "CVE-2023-32695",
        "socket.io-parser",
        &["tests/threats/socketio.rs a_packet_that_is_none_ends_the_session"],
    ),
    (
        "CVE-2024-37890",
        "ws",
        &["tests/threats/websocket.rs an_upgrade_behind_two_thousand_headers_is_a_431"],
    ),
    (
        "CVE-2024-38355",
        "socket.io",
        &["tests/threats/socketio.rs an_event_of_any_name_is_an_event"],
    ),
    (
        "CVE-2026-33151, CVE-2026-69185",
        "socket.io-parser",
        &["tests/threats/socketio.rs a_packet_that_is_none_ends_the_session"],
    ),
    (
        "CVE-2026-48779",
        "ws",
        &["tests/threats/websocket.rs a_message_of_tiny_fragments_ends_at_its_limit"],
    ),
    (
        "CVE-2026-59725",
        "engine.io",
        &["tests/threats/engineio.rs a_post_that_is_none_is_answered_and_ends_its_session"],
    ),
    (
        "GHSA-gr94-w7qr-f4j3",
        "engine.io",
        &["tests/threats/engineio.rs a_request_that_fits_nothing_is_refused_in_the_official_words"],
    ),
    (
        "GHSA-pxg6-pf52-xh8x",
        "cookie",
        &["src/http/headers.rs a_header_that_would_break_the_head_is_not_writable"],
    ),
    (
        "CVE-2026-48802",
        "python-engineio",
        &["tests/reactor.rs who_comes_over_the_limit_is_closed_at_once"],
    ),
    (
        "CVE-2023-43669",
        "tungstenite",
        &["src/http/tests/mod.rs a_large_request_costs_linear_work_byte_by_byte"],
    ),
    (
        "CVE-2019-15541",
        "rustls-mio",
        &[
            "tests/reactor.rs however_the_peers_leave_each_end_is_told_once_and_nothing_stays",
            "tests/reactor.rs a_held_connection_that_breaks_is_noticed",
        ],
    ),
];

#[test]
fn a_ping_and_a_close_come_back_with_their_own_bytes_only() {
    let (rig, _) = rig(|_| {});
    for length in [0, 1, 2, 124, 125] {
        let payload: Vec<u8> = (0..length).collect();
        let mut client = rig.socket("");
        client.frame(0x89, &payload);
        assert_eq!(client.hear_frame(), (0x8a, payload));
    }
    for payload in [&b""[..], b"\x03\xe8", b"\x0f\xa0a reason"] {
        let mut client = rig.socket("");
        client.frame(0x88, payload);
        let (first, answer) = client.hear_frame();
        assert_eq!(first, 0x88);
        let code = if payload.is_empty() {
            b"\x03\xe8"
        } else {
            &payload[..2]
        };
        assert_eq!(answer, code);
        client.finish();
        assert_eq!(client.rest(), "");
    }
}

#[test]
fn no_other_page_is_let_in_by_default() {
    let (rig, _) = rig(|_| {});
    let polling = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: here\r\n\r\n";
    for request in [polling.as_bytes(), UPGRADE] {
        let request = String::from_utf8(request.to_vec()).unwrap();
        let foreign = "Origin: http://elsewhere\r\nConnection: close\r\n";
        let foreign = request.replacen("Host: here\r\n", &format!("Host: here\r\n{foreign}"), 1);
        let mut client = rig.connect();
        client.send(foreign.as_bytes());
        client.finish();
        let answer = client.rest();
        assert!(
            !answer.to_lowercase().contains("access-control"),
            "{answer}"
        );
        assert!(answer.contains("Forbidden"), "{answer}");
        assert_eq!(rig.ask(|context| context.io.session_count()), 0);
    }
}

#[test]
fn a_list_of_subprotocols_of_blanks_is_read_once() {
    let (rig, _) = rig(|_| {});
    let request = String::from_utf8(UPGRADE.to_vec()).unwrap();
    let blanks = format!("Sec-WebSocket-Protocol: b{}x\r\n", " ".repeat(15_000));
    let request = request.replacen("Connection:", &format!("{blanks}Connection:"), 1);
    for _ in 0..100 {
        let mut client = rig.connect();
        client.send(request.as_bytes());
        let head = client.head();
        assert!(matches!(statuses(&head)[0], 101 | 400), "{head}");
    }
    assert_well(&rig);
}
