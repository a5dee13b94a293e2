//! Socket.IO: packets that are none, names that mean something to a language, and clients that do not read.

use super::*;

pub(super) const PROOFS: Proofs = &[
    (
        "s1",
        "packets that are none, and an object as an event's name (CVE-2023-32695)",
        &[
            "tests/threats/socketio.rs a_packet_that_is_none_ends_the_session",
            "src/socketio/packet/tests.rs every_broken_rule_is_refused_in_the_official_words",
        ],
    ),
    (
        "s2",
        "events called `error` (CVE-2024-38355), `__proto__`, `constructor`",
        &["tests/threats/socketio.rs an_event_of_any_name_is_an_event"],
    ),
    (
        "s3",
        "numbers of attachments (CVE-2026-33151, CVE-2026-69185)",
        &["tests/threats/socketio.rs a_packet_that_is_none_ends_the_session"],
    ),
    (
        "s4",
        "placeholders that name nothing (CVE-2022-2421)",
        &[
            "tests/threats/socketio.rs a_packet_that_is_none_ends_the_session",
            "src/socketio/assembler.rs the_same_attachment_may_be_named_twice_and_another_not_at_all",
            "src/socketio/json.rs placeholders_must_name_an_attachment_that_is_there",
        ],
    ),
    (
        "s5",
        "text where bytes are due, bytes where none are",
        &["tests/threats/socketio.rs what_comes_out_of_turn_ends_the_session"],
    ),
    (
        "s6",
        "half packets on many sockets",
        &[
            "tests/limits.rs the_largest_packet_goes_when_all_that_wait_hold_too_much",
            "tests/limits.rs attachments_that_do_not_come_end_the_session",
            "tests/limits.rs the_fullest_inbox_goes_when_all_hold_too_much",
        ],
    ),
    (
        "s7",
        "JSON that is deep, wide, or made to collide",
        &[
            "tests/threats/socketio.rs json_is_deep_up_to_its_limit_and_otherwise_as_it_likes",
            "src/socketio/json.rs unsound_text_neither_hangs_nor_panics",
        ],
    ),
    (
        "s8",
        "ids of acknowledgements beyond counting, and answers to nothing",
        &[
            "tests/threats/socketio.rs a_packet_that_is_none_ends_the_session",
            "tests/threats/socketio.rs an_answer_to_nothing_is_ignored",
        ],
    ),
    (
        "s9",
        "odd JSON, half surrogates",
        &["tests/threats/socketio.rs json_is_deep_up_to_its_limit_and_otherwise_as_it_likes"],
    ),
    (
        "s10",
        "namespaces that are not there, many and long ones",
        &[
            "tests/threats/socketio.rs a_namespace_that_is_not_there_is_refused_however_often",
            "tests/limits.rs a_namespace_too_many_or_too_long_is_refused_and_the_others_stay",
        ],
    ),
    (
        "s11",
        "a second CONNECT",
        &[
            "tests/threats/socketio.rs a_second_connect_ends_the_session_as_the_reference_does",
            "src/socketio/sockets/tests.rs a_second_connect_and_an_event_while_being_judged_are_out_of_order",
        ],
    ),
    (
        "s12",
        "rooms in numbers, and empty ones",
        &[
            "src/socketio/adapter/tests.rs a_socket_in_a_thousand_rooms_leaves_them_one_by_one",
            "src/socketio/adapter/tests.rs it_agrees_with_maps_of_sets_whatever_happens",
        ],
    ),
    (
        "s13",
        "a broadcast to somebody who does not read",
        &[
            "tests/threats/socketio.rs who_does_not_read_is_cut_and_the_others_hear_everything",
            "benches/siege.rs slow_reader",
        ],
    ),
    (
        "s14",
        "answers that never come",
        &[
            "src/server/tests/mod.rs no_more_answers_are_awaited_than_one_socket_may_owe",
            "src/server/tests/mod.rs who_leaves_answers_nothing_any_more",
        ],
    ),
    (
        "s15",
        "handlers that end what they serve",
        &[
            "src/server/tests/mod.rs a_disconnect_in_a_handler_is_told_after_it",
            "src/server/tests/mod.rs who_is_being_judged_gets_no_broadcast_and_who_left_none_either",
        ],
    ),
];

const ONE: &str = "{\"_placeholder\":true,\"num\":0}";

#[test]
fn a_packet_that_is_none_ends_the_session() {
    let (rig, ends) = rig(|_| {});
    let digits = "1".repeat(1000);
    for packet in [
        // Kinds and payloads
        "4".to_owned(),
        "47".to_owned(),
        "4x".to_owned(),
        "42{}".to_owned(),
        "42[]".to_owned(),
        "42[".to_owned(),
        "42[{}]".to_owned(),
        "42[{\"toString\":\"x\"},1]".to_owned(),
        "42[null]".to_owned(),
        "42[\"connect\"]".to_owned(),
        "42[\"disconnect\"]".to_owned(),
        "42[\"disconnecting\"]".to_owned(),
        "42[\"newListener\"]".to_owned(),
        "42[\"a\"] ".to_owned() + "x",
        "43{}".to_owned(),
        // Attachments
        format!("45[\"echo\",{ONE}]"),
        "45-[\"echo\"]".to_owned(),
        "450-[\"echo\"]".to_owned(),
        "45-1-[\"echo\"]".to_owned(),
        "4511-[\"echo\"]".to_owned(),
        format!("45{digits}-[\"echo\"]"),
        format!("451e1-[\"echo\",{ONE}]"),
        format!("450x1-[\"echo\",{ONE}]"),
        format!("45 1-[\"echo\",{ONE}]"),
        // Placeholders
        "451-[\"echo\",{\"_placeholder\":true,\"num\":1}]".to_owned(),
        "451-[\"echo\",{\"_placeholder\":true,\"num\":-1}]".to_owned(),
        "451-[\"echo\",{\"_placeholder\":true,\"num\":\"0\"}]".to_owned(),
        "451-[\"echo\",{\"_placeholder\":true,\"num\":\"splice\"}]".to_owned(),
        "451-[\"echo\",{\"_placeholder\":true}]".to_owned(),
        // Ids
        "429007199254740992[\"echo\"]".to_owned(),
        format!("42{digits}[\"echo\"]"),
        // Deep
        format!("42[\"echo\",{}{}]", "[".repeat(128), "]".repeat(128)),
        format!("42[\"echo\",{}", "[".repeat(100_000)),
    ] {
        let shown = &packet[..packet.len().min(60)];
        let mut client = rig.socket("");
        client.say(&packet);
        // What is a packet after all is answered with silence, and then with this.
        client.say("42[\"echo\",\"heard\"]");
        assert_eq!(client.hear(), "close 1000", "{shown}");
        assert_eq!(next(&ends), "parse error", "{shown}");
    }
    assert_well(&rig);
    assert_eq!(rig.counters().panics, 0);
}

#[test]
fn an_event_of_any_name_is_an_event() {
    let (rig, _) = rig(|_| {});
    let mut client = rig.socket("");
    for name in [
        "error",
        "__proto__",
        "constructor",
        "toString",
        "",
        "\\u0000",
    ] {
        client.say(&format!("42[\"{name}\",{{\"__proto__\":1}}]"));
    }
    client.say("42[7,1]");
    // The reference takes this for an event without a name.
    client.say("42");
    client.say("42[\"echo\",1]");
    assert_eq!(client.hear(), "42[\"echo\",1]");
}

#[test]
fn what_comes_out_of_turn_ends_the_session() {
    let (rig, ends) = rig(|_| {});
    let half = format!("451-[\"echo\",{ONE}]");
    let half = half.as_bytes();
    for (what, frames) in [
        (
            "text where bytes are due",
            vec![(0x81, half), (0x81, &b"42[\"echo\"]"[..])],
        ),
        ("bytes unasked", vec![(0x82, &b"x"[..])]),
    ] {
        let mut client = rig.socket("");
        for (first, payload) in frames {
            client.frame(first, payload);
        }
        assert_eq!(client.hear(), "close 1000", "{what}");
        assert_eq!(next(&ends), "parse error", "{what}");
    }
    let mut client = rig.socket("");
    for (first, payload) in [(0x81, half), (0x82, &b"x"[..]), (0x82, &b"one more"[..])] {
        client.frame(first, payload);
    }
    assert_eq!(client.hear().as_bytes(), half);
    assert_eq!(client.hear(), "x");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "parse error");
}

#[test]
fn json_is_deep_up_to_its_limit_and_otherwise_as_it_likes() {
    let (rig, _) = rig(|_| {});
    let mut client = rig.socket("");
    let keys: String = (0..20_000)
        .map(|number| format!("\"{number}\":0,\"same\":{number},"))
        .collect();
    for value in [
        format!("{}{}", "[".repeat(127), "]".repeat(127)),
        format!("[{}0]", "0,".repeat(200_000)),
        format!("{{{keys}\"__proto__\":{{}}}}"),
        format!("{{\"{}\":0}}", "k".repeat(500_000)),
        "\"\\ud83d\"".to_owned(),
        "1e999".to_owned(),
        format!("1{}", "0".repeat(5000)),
        "\"\\u0000\"".to_owned(),
    ] {
        let event = format!("42[\"echo\",{value}]");
        client.say(&event);
        assert!(client.hear() == event, "{}", &event[..60.min(event.len())]);
    }
}

#[test]
fn an_answer_to_nothing_is_ignored() {
    let (rig, _) = rig(|_| {});
    let mut client = rig.socket("");
    for answer in ["430[]", "439007199254740991[1]", "437[\"x\",{}]"] {
        client.say(answer);
    }
    client.say("42[\"echo\",1]");
    assert_eq!(client.hear(), "42[\"echo\",1]");
}

#[test]
fn a_namespace_that_is_not_there_is_refused_however_often() {
    let (rig, _) = rig(|_| {});
    let mut client = rig.socket("");
    for number in 0..1000 {
        client.say(&format!("40/{number},"));
        let refusal = format!("44/{number},{{\"message\":\"Invalid namespace\"}}");
        assert_eq!(client.hear(), refusal);
    }
    client.say(&format!("40/{},", "n".repeat(100_000)));
    assert!(client.hear().starts_with("44/nnn"));
    client.say("40/a\u{1}b,");
    assert!(client.hear().contains("Invalid namespace"));
    client.say("42[\"echo\",1]");
    assert_eq!(client.hear(), "42[\"echo\",1]");
}

#[test]
fn a_second_connect_ends_the_session_as_the_reference_does() {
    let (rig, ends) = rig(|_| {});
    let mut client = rig.socket("");
    client.say("40");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "forced server close");
    // And so does an event where there is no socket.
    let mut client = rig.socket("");
    client.say("42/chat,[\"echo\"]");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "forced server close");
}

#[test]
fn who_does_not_read_is_cut_and_the_others_hear_everything() {
    const TOLD: usize = 40;
    let (rig, ends) = rig(|_| {});
    let mut deaf = rig.socket("");
    let mut talker = rig.socket("");
    let mut listener = rig.socket("");
    for _ in 0..TOLD {
        // More in all than the kernels between us and the limit hold together.
        talker.say("42[\"tell\",900000]");
        assert!(talker.hear().starts_with("42[\"told\",\"xxx"));
        assert!(listener.hear().starts_with("42[\"told\",\"xxx"));
    }
    assert_eq!(next(&ends), "slow consumer");
    deaf.outlive();
    let counters = rig.engine_counters();
    assert_eq!((counters.slow_consumers, counters.slow_by_queue), (1, 1));
    assert_well(&rig);
}
