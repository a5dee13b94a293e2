//! Engine.IO: sessions that are not there, requests that do not fit theirs, and clients that leave them.

use std::collections::HashSet;

use super::support::UPGRADE;
use super::*;

pub(super) const PROOFS: Proofs = &[
    (
        "e1",
        "no transport, or an unknown one (CVE-2023-31125)",
        &["tests/threats/engineio.rs a_request_that_fits_nothing_is_refused_in_the_official_words"],
    ),
    (
        "e2",
        "a session that is not there",
        &["tests/threats/engineio.rs a_request_that_fits_nothing_is_refused_in_the_official_words"],
    ),
    (
        "e3",
        "a handshake that is no GET",
        &["tests/threats/engineio.rs a_request_that_fits_nothing_is_refused_in_the_official_words"],
    ),
    (
        "e4",
        "a session on the wrong transport",
        &["tests/threats/engineio.rs a_session_on_the_wrong_transport_is_a_bad_request"],
    ),
    (
        "e5",
        "a page of somebody else",
        &[
            "src/server/tests/web.rs a_page_of_another_origin_opens_no_session_unless_it_is_listed",
            "src/engineio/tests/admission.rs refusals_have_the_official_numbers_and_only_forbidden_is_a_403",
        ],
    ),
    (
        "e6",
        "another revision of the protocol; by WebSocket only after the 101, as clients of the official server expect",
        &["tests/threats/engineio.rs a_request_that_fits_nothing_is_refused_in_the_official_words"],
    ),
    (
        "e7",
        "two polls, or two posts, at once",
        &[
            "tests/threats/engineio.rs two_polls_at_once_end_the_session",
            "src/engineio/tests/heartbeat.rs overlapping_posts_end_the_session_as_soon_as_the_second_begins",
        ],
    ),
    (
        "e8",
        "posts that are none (CVE-2026-59725)",
        &["tests/threats/engineio.rs a_post_that_is_none_is_answered_and_ends_its_session"],
    ),
    (
        "e9",
        "three hundred thousand packets in one post",
        &[
            "src/server/tests/web.rs three_hundred_thousand_packets_in_one_post_kept_the_others_waiting",
        ],
    ),
    (
        "e10",
        "a poll that is reset by its client",
        &["tests/threats/engineio.rs a_poll_that_is_given_up_ends_the_session"],
    ),
    (
        "e11",
        "upgrades that go wrong at every step",
        &[
            "tests/threats/engineio.rs a_second_upgrade_is_closed_and_the_first_goes_on",
            "src/engineio/tests/upgrade.rs a_probing_websocket_that_says_something_else_is_closed_and_polling_goes_on",
            "src/engineio/tests/upgrade.rs an_upgrade_that_takes_too_long_is_given_up",
            "src/engineio/tests/upgrade.rs an_upgrade_moves_what_waits_to_the_websocket_in_order",
            "src/engineio/tests/upgrade.rs a_poll_after_the_upgrade_is_refused_and_harms_nobody",
            "tests/world.rs in_every_world_everything_holds_and_the_rare_branches_are_reached",
        ],
    ),
    (
        "e12",
        "ids that are guessed (CVE-2017-16031)",
        &["tests/threats/engineio.rs no_id_says_anything_of_another"],
    ),
    (
        "e13",
        "an id that a client chose",
        &["tests/threats/engineio.rs an_id_is_never_the_clients_to_choose"],
    ),
    (
        "e14",
        "sessions that are left alone",
        &["tests/threats/engineio.rs a_session_that_is_left_alone_is_gone_in_time"],
    ),
];

const PATH: &str = "/socket.io/?EIO=4&transport=polling";

/// A session by long-polling; each request on a connection of its own.
pub(super) struct Polling {
    sid: String,
}

impl Polling {
    pub(super) fn open(rig: &Wall) -> Self {
        let (status, body) = ask(rig, "GET", PATH, "", "");
        assert_eq!(status, 200);
        let (_, rest) = body.split_once("\"sid\":\"").unwrap();
        Self {
            sid: rest[..20].to_owned(),
        }
    }

    /// One with a socket in `/`.
    pub(super) fn joined(rig: &Wall) -> Self {
        let polling = Self::open(rig);
        assert_eq!(polling.post(rig, "", "40"), (200, "ok".to_owned()));
        assert!(polling.poll(rig).1.starts_with("40{"));
        polling
    }

    pub(super) fn path(&self) -> String {
        format!("{PATH}&sid={}", self.sid)
    }

    pub(super) fn poll(&self, rig: &Wall) -> (u16, String) {
        ask(rig, "GET", &self.path(), "", "")
    }

    pub(super) fn post(&self, rig: &Wall, headers: &str, body: &str) -> (u16, String) {
        ask(rig, "POST", &self.path(), headers, body)
    }

    /// A connection on which a poll waits.
    fn parked(&self, rig: &Wall) -> Client {
        let mut client = rig.connect();
        client.send(format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", self.path()).as_bytes());
        client
    }

    /// A connection that is offered as its WebSocket.
    fn probe(&self, rig: &Wall) -> Client {
        let request = String::from_utf8(UPGRADE.to_vec()).unwrap();
        let with_sid = format!("transport=websocket&sid={}", self.sid);
        let mut client = rig.connect();
        client.send(request.replace("transport=websocket", &with_sid).as_bytes());
        assert!(client.head().starts_with("HTTP/1.1 101 "));
        client
    }
}

fn ask(rig: &Wall, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut client = rig.connect();
    let length = body.len();
    client.send(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .as_bytes(),
    );
    client.answer()
}

const UNKNOWN_TRANSPORT: &str = "{\"code\":0,\"message\":\"Transport unknown\"}";
const UNKNOWN_SESSION: &str = "{\"code\":1,\"message\":\"Session ID unknown\"}";
const BAD_METHOD: &str = "{\"code\":2,\"message\":\"Bad handshake method\"}";
const BAD_REQUEST: &str = "{\"code\":3,\"message\":\"Bad request\"}";
const UNKNOWN_REVISION: &str = "{\"code\":5,\"message\":\"Unsupported protocol version\"}";

#[test]
fn a_request_that_fits_nothing_is_refused_in_the_official_words() {
    let (rig, _) = rig(|_| {});
    let long = format!("EIO=4&transport=polling&sid={}", "x".repeat(2000));
    for (method, query, said) in [
        ("GET", "EIO=4", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=webtransport", UNKNOWN_TRANSPORT),
        ("GET", "EIO=4&transport=__proto__", UNKNOWN_TRANSPORT),
        (
            "GET",
            "EIO=4&transport=polling&sid=unknown",
            UNKNOWN_SESSION,
        ),
        (
            "GET",
            "EIO=4&transport=polling&sid=__proto__",
            UNKNOWN_SESSION,
        ),
        ("GET", "EIO=4&transport=polling&sid=%00", UNKNOWN_SESSION),
        ("GET", &long, UNKNOWN_SESSION),
        ("POST", "EIO=4&transport=polling", BAD_METHOD),
        ("PUT", "EIO=4&transport=polling", BAD_METHOD),
        ("GET", "EIO=4&transport=websocket", BAD_REQUEST),
        ("GET", "transport=polling", UNKNOWN_REVISION),
        ("GET", "EIO=3&transport=polling", UNKNOWN_REVISION),
        ("GET", "EIO=5&transport=polling", UNKNOWN_REVISION),
    ] {
        let answer = ask(&rig, method, &format!("/socket.io/?{query}"), "", "");
        assert_eq!(answer, (400, said.to_owned()), "{method} {query}");
    }
    let upgrade = String::from_utf8(UPGRADE.to_vec()).unwrap();
    for (from, to, said) in [
        (
            "transport=websocket",
            "transport=unknown",
            "Transport unknown",
        ),
        (
            "transport=websocket",
            "transport=websocket&sid=unknown",
            "Session ID unknown",
        ),
    ] {
        let answers = answered(&rig, upgrade.replace(from, to).as_bytes());
        assert_eq!(statuses(&answers), [400], "{to}");
        assert!(answers.ends_with(said), "{answers}");
    }
    let mut client = rig.connect();
    client.send(upgrade.replace("EIO=4", "EIO=5").as_bytes());
    assert!(client.head().starts_with("HTTP/1.1 101 "));
    assert_eq!(client.hear(), "close 1002");
    client.finish();
    assert_eq!(rig.ask(|context| context.io.session_count()), 0);
    assert_well(&rig);
}

#[test]
fn a_session_on_the_wrong_transport_is_a_bad_request() {
    let (rig, ends) = rig(|_| {});
    let polling = Polling::joined(&rig);
    let by_websocket = polling.path().replace("polling", "websocket");
    let answer = ask(&rig, "GET", &by_websocket, "", "");
    assert_eq!(answer, (400, BAD_REQUEST.to_owned()));
    assert_eq!(polling.post(&rig, "", "42[\"echo\",1]").0, 200);
    assert_eq!(polling.poll(&rig), (200, "42[\"echo\",1]".to_owned()));
    assert!(ends.try_recv().is_err(), "it lives on");
}

#[test]
fn two_polls_at_once_end_the_session() {
    let (rig, ends) = rig(|_| {});
    let polling = Polling::joined(&rig);
    let mut first = polling.parked(&rig);
    let mut second = polling.parked(&rig);
    let answers = [first.answer(), second.answer()];
    assert!(answers.contains(&(200, "1".to_owned())), "{answers:?}");
    assert!(
        answers.contains(&(400, BAD_REQUEST.to_owned())),
        "{answers:?}"
    );
    assert_eq!(next(&ends), "transport error");
    assert_eq!(polling.poll(&rig), (400, UNKNOWN_SESSION.to_owned()));
}

#[test]
fn a_post_that_is_none_is_answered_and_ends_its_session() {
    let (rig, ends) = rig(|config| config.engine.farewell_within = SOON);
    for (headers, body, status, reason) in [
        (
            "Content-Type: application/octet-stream\r\n",
            "4",
            400,
            "transport error",
        ),
        ("", "x", 400, "parse error"),
        ("", "", 400, "parse error"),
        ("", "4a\u{1e}", 400, "parse error"),
        ("", "bno base64!", 400, "parse error"),
        ("", "2", 200, "transport error"),
        ("", "0{}", 400, "parse error"),
        ("", "1", 200, "transport close"),
    ] {
        let polling = Polling::joined(&rig);
        let answer = polling.post(&rig, headers, body);
        assert_eq!(answer.0, status, "{body:?}: {}", answer.1);
        assert_eq!(next(&ends), reason, "{body:?}");
    }
    wait_until_none_is_left(&rig);
    assert_well(&rig);
}

#[test]
fn a_poll_that_is_given_up_ends_the_session() {
    let (rig, ends) = rig(|_| {});
    let finishes = |client: &mut Client| client.finish();
    for gives_up in [finishes, Client::reset] {
        let polling = Polling::joined(&rig);
        let mut client = polling.parked(&rig);
        gives_up(&mut client);
        assert_eq!(next(&ends), "transport error");
    }
    wait_until_none_is_left(&rig);
}

#[test]
fn a_second_upgrade_is_closed_and_the_first_goes_on() {
    let (rig, _) = rig(|_| {});
    let polling = Polling::joined(&rig);
    let mut first = polling.probe(&rig);
    first.say("2probe");
    assert_eq!(first.hear(), "3probe");
    assert_eq!(polling.probe(&rig).hear(), "close 1000");
    first.say("5");
    first.say("42[\"echo\",1]");
    assert_eq!(first.hear(), "42[\"echo\",1]");
    assert_eq!(
        polling.probe(&rig).hear(),
        "close 1000",
        "it is one already"
    );
    assert_eq!(polling.poll(&rig), (400, BAD_REQUEST.to_owned()));
    first.say("42[\"echo\",2]");
    assert_eq!(first.hear(), "42[\"echo\",2]");
}

#[test]
fn no_id_says_anything_of_another() {
    const SESSIONS: usize = 200;
    let (rig, _) = rig(|_| {});
    let ids: HashSet<_> = (0..SESSIONS).map(|_| Polling::open(&rig).sid).collect();
    assert_eq!(ids.len(), SESSIONS);
    for place in 0..20 {
        let characters: HashSet<_> = ids.iter().map(|id| id.as_bytes()[place]).collect();
        // Of 64 that are possible; by chance fewer than 40 come in one of 10^9 runs.
        assert!(characters.len() >= 40, "{} at {place}", characters.len());
    }
}

#[test]
fn an_id_is_never_the_clients_to_choose() {
    let (rig, _) = rig(|_| {});
    let chosen = "AAAAAAAAAAAAAAAAAAAA";
    let path = format!("{PATH}&sid={chosen}");
    let answer = ask(&rig, "GET", &path, &format!("Cookie: io={chosen}\r\n"), "");
    assert_eq!(answer, (400, UNKNOWN_SESSION.to_owned()));
    let mut client = rig.connect();
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: a\r\nCookie: io={chosen}\r\n\r\n");
    client.send(request.as_bytes());
    let head = client.head();
    assert!(!head.to_lowercase().contains("set-cookie"), "{head}");
    let mut client = rig.websocket();
    client.say(&format!("40{{\"sid\":\"{chosen}\"}}"));
    assert!(!client.hear().contains(chosen));
}

#[test]
fn a_session_that_is_left_alone_is_gone_in_time() {
    let (rig, ends) = rig(|config| {
        config.engine.ping_every = SOON;
        config.engine.pong_within = SOON;
        config.engine.slow_within = SOON / 2;
    });
    let _ = Polling::joined(&rig);
    assert_eq!(next(&ends), "ping timeout");
    for _ in 0..50 {
        Polling::open(&rig);
    }
    wait_until_none_is_left(&rig);
}
