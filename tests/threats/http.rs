//! HTTP: requests that are slow, large, broken, or two in one.

use std::time::Duration;

use super::*;

pub(super) const PROOFS: Proofs = &[
    (
        "h1",
        "a head that comes slowly, and a socket that says nothing",
        &[
            "tests/threats/http.rs silence_is_closed_without_a_word_and_half_a_head_with_a_408",
            "src/http/tests/deadlines.rs a_head_that_trickles_is_refused_at_its_deadline",
            "benches/siege.rs silent_and_trickling",
        ],
    ),
    (
        "h2",
        "a body that comes slowly",
        &[
            "tests/threats/http.rs a_body_that_stops_is_a_408_and_ends_its_session",
            "src/http/tests/deadlines.rs a_body_may_neither_pause_nor_trickle",
        ],
    ),
    (
        "h3",
        "a head without measure",
        &[
            "tests/threats/http.rs a_head_without_measure_is_refused_by_what_is_too_much_of_it",
            "src/http/tests/refusals.rs limits_of_a_head_are_reached_at_the_byte_however_it_is_cut",
        ],
    ),
    (
        "h4",
        "a head that is none",
        &[
            "tests/threats/http.rs a_broken_head_is_a_400_and_the_end",
            "src/http/tests/refusals.rs each_broken_request_is_refused_with_its_status_however_it_is_cut",
        ],
    ),
    (
        "h5",
        "no Host, or two",
        &["tests/threats/http.rs a_broken_head_is_a_400_and_the_end"],
    ),
    (
        "h6",
        "a body whose length can be read in two ways",
        &["tests/threats/http.rs a_length_that_can_be_read_in_two_ways_is_a_400_and_the_end"],
    ),
    (
        "h7",
        "the body of a refused request, taken for a request",
        &[
            "tests/threats/http.rs what_follows_a_refusal_is_never_a_request_and_the_refusal_arrives",
        ],
    ),
    (
        "h8",
        "chunks that are none, or too many",
        &[
            "tests/threats/http.rs chunks_are_refused_by_what_is_wrong_with_them",
            "src/http/body.rs each_broken_chunk_is_refused_however_it_is_cut",
        ],
    ),
    (
        "h9",
        "chunks of one byte, in segments of one byte",
        &[
            "tests/threats/http.rs a_body_in_chunks_of_one_byte_is_a_body",
            "src/http/body.rs chunks_are_joined_however_they_are_cut",
        ],
    ),
    (
        "h10",
        "ten gigabytes, announced",
        &["tests/threats/http.rs what_is_too_large_is_refused_before_it_comes"],
    ),
    (
        "h11",
        "pipelining, answers read or not",
        &[
            "tests/limits.rs pipelined_requests_are_answered_a_few_at_a_time_and_in_order",
            "src/server/tests/web.rs pipelined_answers_that_nobody_read_were_piled_up",
        ],
    ),
    (
        "h12",
        "methods and targets that are for somebody else",
        &["tests/threats/http.rs a_method_or_a_target_that_is_not_for_us_goes_nowhere"],
    ),
    (
        "h13",
        "paths that lead out",
        &[
            "tests/threats/http.rs a_path_that_leads_out_leads_nowhere",
            "src/http/files.rs only_what_is_in_the_table_is_found",
        ],
    ),
    (
        "h14",
        "an end or a reset anywhere",
        &[
            "tests/threats/http.rs an_end_anywhere_leaves_nothing_behind",
            "tests/reactor.rs however_the_peers_leave_each_end_is_told_once_and_nothing_stays",
        ],
    ),
    (
        "h15",
        "what is not HTTP at all",
        &["tests/threats/http.rs who_speaks_something_else_is_told_so_counted_and_closed"],
    ),
    (
        "h16",
        "an answer split in two by what was asked",
        &[
            "tests/threats/http.rs nothing_that_was_asked_becomes_a_header",
            "src/http/response.rs a_header_that_would_split_the_head_is_noticed_while_testing_and_left_out_in_service",
        ],
    ),
];

const GET: &str = "GET /here HTTP/1.1\r\nHost: a\r\n";
const POST: &str = "POST /here HTTP/1.1\r\nHost: a\r\n";

#[test]
fn silence_is_closed_without_a_word_and_half_a_head_with_a_408() {
    let (rig, _) = rig(|config| config.http.head_within = SOON);
    let mut silent: Vec<_> = (0..100).map(|_| rig.connect()).collect();
    let mut halves: Vec<_> = (0..100).map(|_| rig.connect()).collect();
    for half in &mut halves {
        half.send(GET.as_bytes());
    }
    for client in &mut silent {
        assert_eq!(client.rest(), "");
    }
    for client in &mut halves {
        let rest = client.rest();
        assert!(
            rest.starts_with("HTTP/1.1 408 Request Timeout\r\n"),
            "{rest}"
        );
        assert!(rest.contains("\r\nConnection: close\r\n"));
    }
    assert_well(&rig);
}

#[test]
fn a_body_that_stops_is_a_408_and_ends_its_session() {
    let (rig, ends) = rig(|config| config.http.body_idle_max = SOON);
    let polling = engineio::Polling::joined(&rig);
    let mut client = rig.connect();
    client.send(
        format!(
            "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n42[",
            polling.path()
        )
        .as_bytes(),
    );
    assert_eq!(statuses(&client.rest()), [408]);
    assert_eq!(next(&ends), "transport error");
    wait_until_none_is_left(&rig);
}

#[test]
fn a_head_without_measure_is_refused_by_what_is_too_much_of_it() {
    let (rig, _) = rig(|_| {});
    let long = "x".repeat(9000);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n"), 414),
        (format!("{GET}A: {long}{long}\r\n\r\n"), 431),
        (format!("{GET}A: {long}{long}"), 431),
        (format!("{GET}{}\r\n", "A: b\r\n".repeat(101)), 431),
    ] {
        assert_eq!(statuses(&answered(&rig, request.as_bytes())), [status]);
    }
    assert_well(&rig);
}

#[test]
fn a_broken_head_is_a_400_and_the_end() {
    let (rig, _) = rig(|_| {});
    let mut broken: Vec<String> = [
        "no colon",
        ": empty name",
        "A: nul\0",
        "A: bare\rreturn",
        "A: control\x01",
        "A : space",
        "A: b\r\n folded",
        "A: b\nB: c",
        "Host: b",
    ]
    .iter()
    .map(|header| format!("{GET}{header}\r\n\r\n"))
    .collect();
    broken.push("GET /here HTTP/1.1\r\n\r\n".to_owned());
    broken.push("GET /here HTTP/1.1\nHost: a\n\n".to_owned());
    for request in broken {
        // A request behind it, which nobody must answer.
        let answers = answered(&rig, format!("{request}{GET}\r\n").as_bytes());
        assert_eq!(statuses(&answers), [400], "{request:?}");
        assert!(answers.contains("\r\nConnection: close\r\n"), "{answers}");
    }
    assert_well(&rig);
}

#[test]
fn a_length_that_can_be_read_in_two_ways_is_a_400_and_the_end() {
    let (rig, _) = rig(|_| {});
    for headers in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2\r\nContent-Length: 2",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Content-Length: +2",
        "Content-Length: 2,3",
        "Content-Length: 1e30",
        "Content-Length: -2",
        "Content-Length:",
    ] {
        let request = format!("{POST}{headers}\r\n\r\nab{GET}\r\n");
        assert_eq!(
            statuses(&answered(&rig, request.as_bytes())),
            [400],
            "{headers}"
        );
    }
    assert_well(&rig);
}

#[test]
fn what_follows_a_refusal_is_never_a_request_and_the_refusal_arrives() {
    let (rig, _) = rig(|_| {});
    let hidden = format!("{GET}\r\n").repeat(1000);
    for refused in [
        format!("{POST}Content-Length: 2000000\r\n\r\n"),
        format!("{POST}Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"),
        format!("{POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        format!("{GET}no colon\r\n\r\n"),
    ] {
        // Sent in full before anything is read: a reset would lose the answer.
        let answers = answered(&rig, format!("{refused}{hidden}").as_bytes());
        assert_eq!(statuses(&answers).len(), 1, "{refused:?}: {answers}");
        assert!(statuses(&answers)[0] >= 400);
    }
    assert_well(&rig);
}

#[test]
fn chunks_are_refused_by_what_is_wrong_with_them() {
    let (rig, _) = rig(|_| {});
    let long = "x".repeat(20_000);
    for (body, status) in [
        ("x\r\n".to_owned(), 400),
        ("ffffffffffffffffff\r\n".to_owned(), 400),
        ("2\nab\r\n".to_owned(), 400),
        ("2\r\nabc\r\n".to_owned(), 400),
        (format!("2;{long}\r\n"), 413),
        ("ffffffff\r\n".to_owned(), 413),
        (
            "f4240\r\n".to_owned() + &"x".repeat(1_000_000) + "\r\n1\r\n",
            413,
        ),
        (format!("0\r\nA: {long}\r\n\r\n"), 431),
    ] {
        let request = format!("{POST}Transfer-Encoding: chunked\r\n\r\n{body}");
        let shown = &body[..body.len().min(20)];
        assert_eq!(
            statuses(&answered(&rig, request.as_bytes())),
            [status],
            "{shown:?}"
        );
    }
    assert_well(&rig);
}

#[test]
fn a_body_in_chunks_of_one_byte_is_a_body() {
    let (rig, _) = rig(|_| {});
    let mut client = rig.connect();
    let chunks: String = "hello".chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let request = format!("{POST}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");
    for byte in request.as_bytes() {
        client.send(&[*byte]);
    }
    assert_eq!(client.answer(), (200, "hello".to_owned()));
    client.send(format!("{GET}\r\n").as_bytes());
    assert_eq!(client.answer(), (200, "here".to_owned()), "it goes on");
}

#[test]
fn what_is_too_large_is_refused_before_it_comes() {
    let (rig, _) = rig(|_| {});
    for (headers, status) in [
        ("Content-Length: 10000000000", 413),
        ("Content-Length: 10000000000\r\nExpect: 100-continue", 413),
        ("Content-Length: 1\r\nExpect: x", 417),
    ] {
        let request = format!("{POST}{headers}\r\n\r\n");
        assert_eq!(
            statuses(&answered(&rig, request.as_bytes())),
            [status],
            "{headers}"
        );
    }
}

#[test]
fn a_method_or_a_target_that_is_not_for_us_goes_nowhere() {
    let (rig, _) = rig(|_| {});
    let close = "Host: a\r\nConnection: close\r\n\r\n";
    let engine = "/socket.io/?EIO=4&transport=polling";
    for (line, status, said) in [
        (
            format!("BREW {engine}"),
            400,
            "{\"code\":2,\"message\":\"Bad handshake method\"}",
        ),
        (
            format!("TRACE {engine}"),
            400,
            "{\"code\":2,\"message\":\"Bad handshake method\"}",
        ),
        (
            "BREW /here".to_owned(),
            405,
            "\r\nAllow: GET, HEAD, OPTIONS, POST\r\n",
        ),
        (
            "TRACE /here".to_owned(),
            405,
            "\r\nAllow: GET, HEAD, OPTIONS, POST\r\n",
        ),
        ("CONNECT a:80".to_owned(), 404, "Not Found"),
        ("OPTIONS *".to_owned(), 405, "\r\nAllow: "),
        ("GET http://elsewhere/here".to_owned(), 421, "not a proxy"),
        ("GET http://a/here".to_owned(), 200, "here"),
    ] {
        let answers = answered(&rig, format!("{line} HTTP/1.1\r\n{close}").as_bytes());
        assert_eq!(statuses(&answers), [status], "{line}");
        assert!(answers.contains(said), "{line}: {answers}");
    }
}

#[test]
fn a_path_that_leads_out_leads_nowhere() {
    let (rig, _) = rig(|_| {});
    for (path, status) in [
        ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/..%2f..%2fetc%2fpasswd", 404),
        ("//etc/passwd", 404),
        ("/here%00", 404),
        ("/here\0", 400),
        ("/socket.io/../../../etc/passwd", 400),
        ("/socket.io/socket.io.js/../../etc/passwd", 400),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answers = answered(&rig, request.as_bytes());
        assert_eq!(statuses(&answers), [status], "{path}");
        assert!(!answers.contains("root:"), "{path}");
    }
}

#[test]
fn an_end_anywhere_leaves_nothing_behind() {
    let (rig, _) = rig(|_| {});
    let frame = [support::header(0x81, 2), b"40".to_vec()].concat();
    let post = format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    let lives = [
        format!(
            "{}{post}",
            "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        .into_bytes(),
        [support::UPGRADE, &frame, &frame].concat(),
    ];
    for life in &lives {
        for length in (0..=life.len()).step_by(3) {
            let mut client = rig.connect();
            client.send(&life[..length]);
            if length % 2 == 0 {
                client.reset();
            }
        }
    }
    // Each session ends with its connection, but for those whose handshake was answered by polling.
    assert!(rig.connect().try_open());
    assert_well(&rig);
    let polling = rig.ask(|context| context.io.session_count());
    assert!(polling <= lives[0].len() / 3 + 2, "{polling} sessions");
    assert_eq!(rig.counters().panics, 0);
}

#[test]
fn who_speaks_something_else_is_told_so_counted_and_closed() {
    let (rig, _) = rig(|config| config.http.head_within = Duration::from_millis(500));
    for (hello, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], [400]),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
        (b"SSH-2.0-scanner\r\n\r\n", [400]),
        (b"\0\0\0\0\r\n\r\n", [400]),
    ] {
        assert_eq!(statuses(&answered(&rig, hello)), expected, "{hello:?}");
    }
    assert_eq!(rig.counters().violations, 4);
}

#[test]
fn nothing_that_was_asked_becomes_a_header() {
    let (rig, _) = rig(|config| {
        config.engine.origins = roomcast::config::Origins::Listed(vec!["http://b".to_owned()]);
    });
    let evil = "%0d%0aSet-Cookie:%20a=b";
    for line in [
        format!("GET /{evil}"),
        format!("GET /socket.io/?EIO=4&transport=polling&sid={evil}"),
        format!("GET /socket.io/?EIO=4&transport=polling&t={evil}"),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: a\r\nOrigin: http://a{evil}\r\nConnection: close\r\n\r\n"
        );
        let answers = answered(&rig, request.as_bytes());
        assert_eq!(statuses(&answers).len(), 1, "{line}");
        assert!(!answers.to_lowercase().contains("set-cookie"), "{answers}");
    }
}
