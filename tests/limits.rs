//! Every limit of the library is reached by a test: those that a whole server shows are reached here over real sockets,
//! and [`REACHED`] says where each one is.
//!
//! Limits of the application have their tests beside it.

mod support;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use roomcast::http::{Method, Response};
use roomcast::server::Handshake;
use roomcast::{App, Config, Server};
use support::{PATIENCE, Rig, header};

/// Each field of the configuration: the file and the test that reach it, or why none does.
const REACHED: &[(&str, &str)] = &[
    // Reactor
    (
        "backlog",
        "not reached: the kernel keeps the count, and what it does with one too many is its own",
    ),
    (
        "connections_max",
        "tests/reactor.rs who_comes_over_the_limit_is_closed_at_once",
    ),
    (
        "connections_per_address_max",
        "src/reactor/listener.rs an_address_has_as_many_connections_as_it_may_and_a_released_one_makes_room",
    ),
    (
        "loopback_exempt",
        "tests/limits.rs an_address_has_so_many_connections_and_another_has_its_own",
    ),
    (
        "trusted_proxies",
        "tests/limits.rs a_proxy_has_as_many_connections_as_it_brings_and_its_clients_are_told_apart",
    ),
    (
        "accepts_per_turn_max",
        "tests/reactor.rs a_herd_is_accepted_over_several_turns",
    ),
    (
        "inbox_bytes_max",
        "tests/reactor.rs a_full_inbox_stops_the_reading_until_something_is_taken",
    ),
    (
        "inboxes_bytes_max",
        "tests/limits.rs the_fullest_inbox_goes_when_all_hold_too_much",
    ),
    (
        "read_bytes_per_turn_max",
        "tests/limits.rs one_that_talks_without_end_does_not_keep_the_others_waiting",
    ),
    (
        "writes_per_turn_max",
        "tests/reactor.rs an_echo_goes_on_while_a_thousand_are_told_something",
    ),
    (
        "flush_within",
        "src/reactor/life/tests.rs whoever_takes_its_last_bytes_slowly_has_time_as_long_as_it_takes_some",
    ),
    (
        "flushing_bytes_max",
        "src/reactor/life/tests.rs whoever_takes_its_last_bytes_slowly_is_cut_when_too_much_waits_for_all",
    ),
    (
        "unacknowledged_within",
        "src/reactor/listener.rs an_accepted_socket_is_tuned",
    ),
    (
        "letters_max",
        "tests/reactor.rs a_letter_too_many_is_given_back_and_so_is_one_for_nobody",
    ),
    // Http
    (
        "request_line_bytes_max",
        "tests/limits.rs a_head_is_as_large_as_it_may_be_and_no_larger",
    ),
    (
        "head_bytes_max",
        "tests/limits.rs a_head_is_as_large_as_it_may_be_and_no_larger",
    ),
    (
        "headers_max",
        "tests/limits.rs a_head_is_as_large_as_it_may_be_and_no_larger",
    ),
    (
        "body_bytes_max",
        "tests/limits.rs a_body_that_is_too_large_is_refused_before_it_comes",
    ),
    (
        "head_within",
        "tests/limits.rs a_head_that_does_not_end_is_refused_in_time",
    ),
    (
        "body_idle_max",
        "tests/limits.rs a_body_that_does_not_end_is_refused_in_time",
    ),
    (
        "body_bytes_per_second_min",
        "src/http/tests/deadlines.rs a_body_may_neither_pause_nor_trickle",
    ),
    (
        "keep_alive_idle_max",
        "tests/limits.rs an_idle_connection_is_closed_without_a_word",
    ),
    (
        "requests_per_turn_max",
        "tests/limits.rs pipelined_requests_are_answered_a_few_at_a_time_and_in_order",
    ),
    (
        "answers_waiting_bytes_max",
        "src/server/tests/web.rs pipelined_answers_that_nobody_read_were_piled_up",
    ),
    (
        "streamed_bytes_soft_max",
        "src/server/tests/sending.rs a_feeder_is_asked_until_there_is_enough_and_again_when_that_is_taken",
    ),
    (
        "streamed_bytes_max",
        "src/server/tests/sending.rs what_is_pushed_has_a_limit_and_a_clear_answer",
    ),
    (
        "streams_bytes_max",
        "src/server/tests/sending.rs when_too_much_waits_for_all_the_one_for_whom_most_waits_goes",
    ),
    (
        "answer_idle_max",
        "src/server/tests/sending.rs a_client_that_takes_nothing_is_cut_in_time",
    ),
    (
        "linger_bytes_max",
        "tests/reactor.rs a_lingering_connection_reads_only_so_much",
    ),
    (
        "linger_within",
        "tests/reactor.rs a_lingering_connection_waits_only_so_long",
    ),
    // WebSocket
    (
        "message_bytes_max",
        "tests/limits.rs a_message_that_is_too_long_is_closed_from_its_header_alone",
    ),
    (
        "fragments_max",
        "tests/limits.rs a_message_in_too_many_fragments_is_closed",
    ),
    (
        "close_within",
        "src/server/tests/mod.rs a_websocket_against_the_rules_is_told_why_and_given_two_seconds",
    ),
    // Engine
    (
        "handshakes_per_second_max",
        "src/server/arrivals.rs an_address_has_its_burst_and_then_so_many_a_second",
    ),
    (
        "handshakes_burst_max",
        "tests/limits.rs an_address_that_opens_too_many_sessions_is_told_to_come_back",
    ),
    ("path", "not a limit"),
    (
        "ping_every",
        "src/engineio/tests/heartbeat.rs a_ping_follows_the_pong_and_not_the_ping_before_it",
    ),
    (
        "pong_within",
        "tests/limits.rs who_does_not_answer_a_ping_is_closed",
    ),
    (
        "upgrade_within",
        "src/engineio/tests/upgrade.rs an_upgrade_that_takes_too_long_is_given_up",
    ),
    (
        "payload_bytes_max",
        "tests/limits.rs a_body_that_is_too_large_is_refused_before_it_comes",
    ),
    (
        "unfinished_bytes_max",
        "tests/limits.rs the_largest_unfinished_message_goes_when_all_hold_too_much",
    ),
    (
        "packets_per_turn_max",
        "src/server/tests/web.rs three_hundred_thousand_packets_in_one_post_kept_the_others_waiting",
    ),
    (
        "queue_bytes_soft_max",
        "tests/limits.rs who_reads_too_slowly_for_too_long_is_cut",
    ),
    (
        "queue_bytes_max",
        "tests/limits.rs who_is_sent_more_than_may_wait_is_cut_at_once",
    ),
    (
        "queues_bytes_max",
        "tests/limits.rs the_longest_queue_goes_when_all_hold_too_much",
    ),
    (
        "slow_within",
        "tests/limits.rs who_reads_too_slowly_for_too_long_is_cut",
    ),
    (
        "farewell_within",
        "src/engineio/tests/mod.rs a_farewell_is_kept_for_thirty_seconds",
    ),
    ("upgrades", "not a limit"),
    ("allow_eio3", "not a limit"),
    ("polling", "not a limit"),
    ("websocket", "not a limit"),
    ("origins", "not a limit"),
    ("cors", "not a limit"),
    ("cookie", "not a limit"),
    ("initial_message", "not a limit"),
    ("serve_client", "not a limit"),
    ("handshake_kept", "not a limit"),
    ("websocket_compression", "not a limit"),
    (
        "websocket_compression_bytes_min",
        "src/engineio/tests/deflate.rs what_is_short_or_says_so_is_sent_as_it_is",
    ),
    ("http_compression", "not a limit"),
    (
        "http_compression_bytes_min",
        "src/server/tests/compression.rs an_answer_to_a_poll_is_compressed_as_its_client_asked",
    ),
    // SocketIo
    (
        "connect_within",
        "tests/limits.rs who_joins_no_namespace_is_closed_in_time",
    ),
    (
        "attachments_max",
        "tests/limits.rs a_packet_beyond_its_limits_ends_the_session",
    ),
    (
        "packet_bytes_max",
        "tests/limits.rs a_packet_beyond_its_limits_ends_the_session",
    ),
    (
        "packets_bytes_max",
        "tests/limits.rs the_largest_packet_goes_when_all_that_wait_hold_too_much",
    ),
    (
        "attachments_within",
        "tests/limits.rs attachments_that_do_not_come_end_the_session",
    ),
    (
        "json_depth_max",
        "tests/limits.rs a_packet_beyond_its_limits_ends_the_session",
    ),
    (
        "namespaces_max",
        "tests/limits.rs a_namespace_too_many_or_too_long_is_refused_and_the_others_stay",
    ),
    (
        "namespace_bytes_max",
        "tests/limits.rs a_namespace_too_many_or_too_long_is_refused_and_the_others_stay",
    ),
    (
        "acks_max",
        "src/server/tests/mod.rs no_more_answers_are_awaited_than_one_socket_may_owe",
    ),
    (
        "children_max",
        "src/server/tests/namespaces.rs clients_call_no_more_namespaces_into_being_than_there_is_room_for",
    ),
    (
        "parser",
        "src/server/tests/messagepack.rs a_socket_lives_its_life_in_messagepack",
    ),
    (
        "empty_children_kept",
        "src/server/tests/namespaces.rs empty_children_stay_if_they_are_to",
    ),
    (
        "gatherings_max",
        "src/server/tests/gathering.rs more_broadcasts_than_may_wait_ask_nobody",
    ),
    (
        "later_max",
        "src/server/tests/later.rs who_wants_one_more_than_may_wait_is_told_so",
    ),
    (
        "nodes_reply_within",
        "src/server/tests/cluster.rs a_reply_may_be_on_its_way_as_long_as_it_is_given_and_no_longer",
    ),
    (
        "gathered_bytes_max",
        "src/server/tests/gathering.rs answers_beyond_the_limit_end_it",
    ),
    (
        "recovery",
        "src/server/tests/recovery.rs what_is_kept_is_bounded",
    ),
    (
        "within",
        "src/server/tests/recovery.rs whoever_takes_too_long_is_a_stranger",
    ),
    (
        "log_bytes_max",
        "src/server/tests/recovery.rs what_is_kept_is_bounded",
    ),
    (
        "away_max",
        "src/server/tests/recovery.rs what_is_kept_is_bounded",
    ),
    (
        "authorize_again",
        "src/server/tests/recovery.rs what_was_revoked_stays_revoked_unless_it_is_not_asked",
    ),
    (
        "drain_within",
        "src/server/tests/stopping.rs a_job_that_takes_too_long_is_not_waited_for",
    ),
    // Cluster
    (
        "wire",
        "src/cluster/tests.rs what_one_says_another_hears_and_nobody_hears_itself",
    ),
    (
        "prefix",
        "src/cluster/tests.rs channels_begin_as_they_are_told_to",
    ),
    ("authorities", "not a limit"),
    (
        "stream",
        "src/cluster/tests/streams.rs keys_are_called_as_they_are_told_to",
    ),
    (
        "stream_entries_max",
        "src/cluster/tests/streams.rs a_stream_is_kept_so_long_and_read_in_such_pages",
    ),
    (
        "stream_page_max",
        "src/cluster/tests/streams.rs a_stream_is_kept_so_long_and_read_in_such_pages",
    ),
    (
        "read_within",
        "src/cluster/tests/streams.rs a_stream_that_is_silent_for_too_long_is_not_there",
    ),
    (
        "session_prefix",
        "src/cluster/tests/streams.rs keys_are_called_as_they_are_told_to",
    ),
    (
        "held_bytes_max",
        "src/cluster/tests/streams.rs what_is_held_is_bounded_and_goes_to_ones_own_clients_at_once_beyond",
    ),
    (
        "missed_bytes_max",
        "src/cluster/tests/streams.rs what_was_missed_is_read_in_pages_and_bounded",
    ),
    (
        "connect_within",
        "src/cluster/link/tests.rs one_that_is_not_made_or_not_greeted_in_time_is_given_up",
    ),
    (
        "confirmed_within",
        "src/cluster/link/tests.rs who_does_not_confirm_in_time_is_given_up_and_what_was_pending_is_lost",
    ),
    (
        "retry_after",
        "src/cluster/link/tests.rs each_try_in_vain_doubles_the_pause_up_to_its_end",
    ),
    (
        "retry_after_max",
        "src/cluster/link/tests.rs each_try_in_vain_doubles_the_pause_up_to_its_end",
    ),
    (
        "count_every",
        "src/cluster/tests.rs nodes_are_counted_every_now_and_then_and_so_a_silent_redis_is_found_out",
    ),
    (
        "waiting_bytes_max",
        "src/cluster/link/tests.rs no_more_waits_than_may_and_what_is_confirmed_makes_room",
    ),
    (
        "message_bytes_max",
        "src/cluster/tests.rs a_message_that_is_too_large_is_passed_over",
    ),
    (
        "attachments_max",
        "src/cluster/tests.rs what_no_node_could_have_meant_is_ignored_and_counted",
    ),
    (
        "depth_max",
        "src/cluster/tests.rs what_no_node_could_have_meant_is_ignored_and_counted",
    ),
    (
        "foreign_questions_max",
        "src/cluster/tests.rs one_question_too_many_is_not_answered",
    ),
    (
        "foreign_question_within",
        "src/cluster/tests.rs one_question_too_many_is_not_answered",
    ),
];

/// Short, but long enough for whatever must happen before it.
const SOON: Duration = Duration::from_millis(50);

#[test]
fn every_field_of_the_configuration_is_reached_by_a_test() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    for (layer, of) in [
        ("reactor", "Reactor"),
        ("http", "Http"),
        ("websocket", "WebSocket"),
        ("engine", "Engine"),
        ("socketio", "SocketIo"),
        ("socketio", "Recovery"),
        ("cluster", "Cluster"),
    ] {
        let config = read(&format!("src/config/{layer}.rs"));
        let start = config.find(&format!("pub struct {of} {{")).unwrap();
        let body = &config[start..start + config[start..].find("\n}").unwrap()];
        let fields = body
            .lines()
            .skip(1)
            .filter_map(|line| line.trim().strip_prefix("pub "))
            .filter_map(|line| line.split(':').next());
        for field in fields {
            let listed = REACHED.iter().any(|(name, _)| *name == field);
            assert!(listed, "{of}::{field} is in no row of REACHED");
        }
    }
    for (field, place) in REACHED {
        let Some((file, test)) = place.split_once(".rs ") else {
            assert!(place.starts_with("not "), "{field}");
            continue;
        };
        let source = read(&format!("{file}.rs"));
        assert!(source.contains(&format!("fn {test}()")), "{field}: {place}");
    }
}

/// An application that tells a test how sockets end.
struct Ends(Sender<&'static str>);

impl App for Ends {
    type Data = ();
}

/// A server with `/` and `/chat` whose ends are told, and what is told.
fn rig(change: impl FnOnce(&mut Config)) -> (Rig<Ends>, Receiver<&'static str>) {
    let (sender, ends) = channel();
    let mut config = Config::default();
    change(&mut config);
    (Rig::new(config, || Ends(sender), describe), ends)
}

fn describe(server: &mut Server<Ends>) {
    server.of("/chat");
    server
        .of("/")
        .on_raw("echo", |socket, args, _| socket.emit("echo", &args))
        .on("address", |socket, (): (), _| {
            let address = socket.handshake().and_then(Handshake::address);
            socket.emit("address", &address.map(|address| address.to_string()));
        })
        .on("flood", |socket, (bytes,): (usize,), _| {
            let piece = "x".repeat(1_000_000);
            for _ in 0..bytes / piece.len() {
                socket.emit("flood", &piece);
            }
        })
        .on_disconnect(|socket, reason| {
            // Once the test is over nobody listens.
            let _ = socket.app.0.send(reason.as_str());
        });
}

fn next(ends: &Receiver<&'static str>) -> &'static str {
    ends.recv_timeout(PATIENCE).expect("an end")
}

#[test]
fn an_address_has_so_many_connections_and_another_has_its_own() {
    let (rig, _) = rig(|config| {
        config.reactor.loopback_exempt = false;
        config.reactor.connections_per_address_max = 2;
    });
    let (mut first, mut second) = (rig.websocket(), rig.websocket());
    rig.connect().outlive();
    rig.connect_from([127, 0, 0, 2]).open();
    first.say("40");
    assert!(first.hear().starts_with("40{"));
    second.say("40");
    assert!(second.hear().starts_with("40{"));
    assert_eq!(rig.counters().connections_turned_away, 1);
    first.finish();
    second.reset();
    // They have made room once the server has heard of their ends.
    while !rig.connect_from([127, 0, 0, 1]).try_open() {}
}

const OPENING: &str = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: here\r\n";

#[test]
fn an_address_that_opens_too_many_sessions_is_told_to_come_back() {
    let (rig, _) = rig(|config| {
        config.reactor.loopback_exempt = false;
        config.engine.handshakes_per_second_max = 1;
        config.engine.handshakes_burst_max = 3;
    });
    // All at once, so that no second passes between them.
    let mut client = rig.connect();
    client.send(format!("{OPENING}\r\n").repeat(5).as_bytes());
    for _ in 0..3 {
        assert_eq!(client.answer().0, 200);
    }
    let head = client.head();
    assert!(
        head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\nRetry-After: 1\r\n"), "{head}");
    client.outlive();
    assert_eq!(rig.counters().handshakes_throttled, 1);
    rig.connect_from([127, 0, 0, 2]).open();
}

#[test]
fn loopback_is_exempt_unless_it_is_counted() {
    let (rig, _) = rig(|config| {
        config.reactor.connections_per_address_max = 0;
        config.engine.handshakes_burst_max = 0;
    });
    rig.websocket();
}

#[test]
fn a_proxy_has_as_many_connections_as_it_brings_and_its_clients_are_told_apart() {
    let (rig, _) = rig(|config| {
        config.reactor.loopback_exempt = false;
        config.reactor.trusted_proxies = vec!["127.0.0.9".parse().unwrap()];
        config.reactor.connections_per_address_max = 1;
        config.engine.handshakes_per_second_max = 1;
        config.engine.handshakes_burst_max = 1;
    });
    let said = |client: &str| format!("{OPENING}X-Forwarded-For: {client}\r\n\r\n");
    let mut first = rig.connect_from([127, 0, 0, 9]);
    let mut second = rig.connect_from([127, 0, 0, 9]);
    // What the client itself said stands further left, and does not make it somebody else.
    first.send((said("192.0.2.1") + &said("6.6.6.6, 192.0.2.1")).as_bytes());
    assert_eq!(first.answer().0, 200);
    assert_eq!(first.answer().0, 429);
    second.send(said("192.0.2.2").as_bytes());
    assert_eq!(second.answer().0, 200);
    let mut third = rig.connect_from([127, 0, 0, 9]);
    third.open_for("X-Forwarded-For: 192.0.2.5\r\n");
    third.say("40");
    assert!(third.hear().starts_with("40{"));
    third.say("42[\"address\"]");
    assert_eq!(third.hear(), "42[\"address\",\"192.0.2.5\"]");
    // Whom nobody trusts speaks for himself alone.
    let mut liar = rig.connect_from([127, 0, 0, 8]);
    liar.send((said("192.0.2.3") + &said("192.0.2.4")).as_bytes());
    assert_eq!(liar.answer().0, 200);
    assert_eq!(liar.answer().0, 429);
}

#[test]
fn the_fullest_inbox_goes_when_all_hold_too_much() {
    let (rig, _) = rig(|config| config.reactor.inboxes_bytes_max = 100_000);
    let post = |whole: usize, sent: usize| {
        let head = format!("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {whole}\r\n\r\n");
        [head.into_bytes(), vec![b'x'; sent]].concat()
    };
    let (mut more, mut less) = (rig.connect(), rig.connect());
    more.send(&post(90_000, 70_000));
    less.send(&post(60_000, 50_000));
    more.outlive();
    less.send(&[b'x'; 10_000]);
    assert_eq!(less.answer().0, 404);
    assert_eq!(rig.counters().connections_cut, 1);
}

#[test]
fn pipelined_requests_are_answered_a_few_at_a_time_and_in_order() {
    let mut config = Config::default();
    config.http.requests_per_turn_max = 4;
    let rig = Rig::new(
        config,
        || (),
        |server| {
            server.route(Method::Get, "/when/{number}", |request| {
                let number = request.parameter().unwrap_or_default().into_owned();
                Response::text(200, format!("{number} {:?}", request.io.now().mono)).into()
            });
        },
    );
    let mut client = rig.connect();
    let requests: String = (0..100)
        .map(|number| format!("GET /when/{number} HTTP/1.1\r\nHost: here\r\n\r\n"))
        .collect();
    client.send(requests.as_bytes());
    let mut turns = Vec::new();
    for number in 0..100 {
        let (status, body) = client.answer();
        let (of, when) = body.split_once(' ').unwrap();
        assert_eq!((status, of), (200, number.to_string().as_str()));
        turns.push(when.to_owned());
    }
    turns.dedup();
    assert!(turns.len() >= 100 / 4, "{} turns", turns.len());
}

#[test]
fn a_head_is_as_large_as_it_may_be_and_no_larger() {
    let (rig, _) = rig(|config| {
        config.http.request_line_bytes_max = 100;
        config.http.head_bytes_max = 400;
        config.http.headers_max = 3;
    });
    let line = |bytes: usize| {
        let path = "x".repeat(bytes - "GET / HTTP/1.1\r\n".len());
        format!("GET /{path} HTTP/1.1\r\nHost: here\r\n\r\n")
    };
    assert_eq!(rig.status_of(line(100).as_bytes()), 404);
    assert_eq!(rig.status_of(line(103).as_bytes()), 414);
    let headers = |count: usize| {
        let more = "A: b\r\n".repeat(count - 1);
        format!("GET / HTTP/1.1\r\nHost: here\r\n{more}\r\n")
    };
    assert_eq!(rig.status_of(headers(3).as_bytes()), 404);
    assert_eq!(rig.status_of(headers(4).as_bytes()), 431);
    let head = |bytes: usize| {
        let empty = "GET / HTTP/1.1\r\nHost: here\r\nA: \r\n\r\n".len();
        let value = "x".repeat(bytes - empty);
        format!("GET / HTTP/1.1\r\nHost: here\r\nA: {value}\r\n\r\n")
    };
    assert_eq!(rig.status_of(head(400).as_bytes()), 404);
    assert_eq!(rig.status_of(head(401).as_bytes()), 431);
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_comes() {
    let (rig, _) = rig(|config| config.engine.payload_bytes_max = 10);
    let post = |headers: &str, body: &str| {
        format!("POST / HTTP/1.1\r\nHost: here\r\n{headers}\r\n\r\n{body}")
    };
    let whole = post("Content-Length: 10", "0123456789");
    assert_eq!(rig.status_of(whole.as_bytes()), 404);
    let declared = post("Content-Length: 11", "");
    assert_eq!(rig.status_of(declared.as_bytes()), 413);
    let chunked = post("Transfer-Encoding: chunked", "6\r\nabcdef\r\n5\r\n");
    assert_eq!(rig.status_of(chunked.as_bytes()), 413);
}

#[test]
fn a_head_that_does_not_end_is_refused_in_time() {
    let (rig, _) = rig(|config| config.http.head_within = SOON);
    assert_eq!(rig.status_of(b"GET / HTTP/1.1\r\nHost: here\r\n"), 408);
    rig.connect().outlive();
}

#[test]
fn a_body_that_does_not_end_is_refused_in_time() {
    let (rig, _) = rig(|config| config.http.body_idle_max = SOON);
    let post = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\nabc";
    assert_eq!(rig.status_of(post), 408);
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let (rig, _) = rig(|config| config.http.keep_alive_idle_max = SOON);
    let mut client = rig.connect();
    client.send(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    assert_eq!(client.answer().0, 404);
    assert_eq!(client.rest(), "");
}

#[test]
fn one_that_talks_without_end_does_not_keep_the_others_waiting() {
    let (rig, ends) = rig(|config| config.reactor.read_bytes_per_turn_max = 1);
    let (mut talker, mut other) = (rig.socket(""), rig.socket(""));
    let packet = "42[\"unknown\"]";
    let mut frame = header(0x81, packet.len());
    frame.extend_from_slice(packet.as_bytes());
    // As much as the two kernels between us hold, so that there is something to read in every turn.
    talker.send(&frame.repeat(20_000));
    other.say("42[\"echo\",1]");
    assert_eq!(other.hear(), "42[\"echo\",1]");
    talker.say("42[\"echo\",2]");
    assert_eq!(talker.hear(), "42[\"echo\",2]");
    assert!(ends.try_recv().is_err());
}

#[test]
fn a_message_that_is_too_long_is_closed_from_its_header_alone() {
    let (rig, ends) = rig(|config| config.engine.payload_bytes_max = 1000);
    let mut client = rig.socket("");
    let fits = format!("42[\"echo\",\"{}\"]", "x".repeat(987));
    assert_eq!(fits.len(), 1000);
    client.say(&fits);
    assert_eq!(client.hear(), fits);
    client.send(&header(0x81, 1001));
    assert_eq!(client.hear(), "close 1009");
    assert_eq!(next(&ends), "transport error");

    let mut client = rig.socket("");
    client.frame(0x01, &[b'x'; 600]);
    client.send(&header(0x80, 401));
    assert_eq!(client.hear(), "close 1009");
}

#[test]
fn a_message_in_too_many_fragments_is_closed() {
    let (rig, ends) = rig(|config| config.websocket.fragments_max = 4);
    let mut client = rig.socket("");
    for (first, part) in [(1, "42"), (0, "[\"ec"), (0, "ho\""), (0x80, ",1]")] {
        client.frame(first, part.as_bytes());
    }
    assert_eq!(client.hear(), "42[\"echo\",1]");
    for first in [1, 0, 0, 0, 0] {
        client.frame(first, b"");
    }
    assert_eq!(client.hear(), "close 1008");
    assert_eq!(next(&ends), "transport error");
}

#[test]
fn who_does_not_answer_a_ping_is_closed() {
    let (rig, ends) = rig(|config| {
        config.engine.ping_every = SOON;
        config.engine.pong_within = SOON;
        config.engine.slow_within = SOON / 2;
    });
    let mut client = rig.socket("");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "ping timeout");
}

#[test]
fn who_is_sent_more_than_may_wait_is_cut_at_once() {
    let (rig, ends) = rig(|config| config.engine.queue_bytes_max = 3_000_000);
    let mut client = rig.socket("");
    client.say("42[\"flood\",4000000]");
    assert_eq!(next(&ends), "slow consumer");
    client.outlive();
}

#[test]
fn who_reads_too_slowly_for_too_long_is_cut() {
    let (rig, ends) = rig(|config| {
        config.engine.queue_bytes_soft_max = 1000;
        config.engine.queue_bytes_max = usize::MAX;
        config.engine.slow_within = SOON;
    });
    let mut client = rig.socket("");
    // More than the two kernels between us hold.
    client.say("42[\"flood\",64000000]");
    assert_eq!(next(&ends), "slow consumer");
    client.outlive();
}

#[test]
fn the_longest_queue_goes_when_all_hold_too_much() {
    let (rig, ends) = rig(|config| {
        config.engine.queue_bytes_soft_max = usize::MAX;
        config.engine.queue_bytes_max = usize::MAX;
        config.engine.queues_bytes_max = 30_000_000;
    });
    let mut modest = rig.socket("");
    let mut greedy = rig.socket("");
    modest.say("42[\"flood\",12000000]");
    modest.say("42[\"echo\",1]");
    // Its turn has come once the first piece is here.
    assert!(modest.hear().starts_with("42[\"flood\""));
    greedy.say("42[\"flood\",64000000]");
    assert_eq!(next(&ends), "slow consumer");
    greedy.outlive();
    for _ in 1..12 {
        assert!(modest.hear().starts_with("42[\"flood\""));
    }
    assert_eq!(modest.hear(), "42[\"echo\",1]");
    let counters = rig.engine_counters();
    assert_eq!((counters.slow_consumers, counters.slow_by_total), (1, 1));
}

#[test]
fn who_joins_no_namespace_is_closed_in_time() {
    let (rig, _) = rig(|config| config.socketio.connect_within = SOON);
    let mut client = rig.websocket();
    assert_eq!(client.hear(), "close 1000");
}

#[test]
fn a_packet_beyond_its_limits_ends_the_session() {
    let (rig, ends) = rig(|config| {
        config.socketio.attachments_max = 2;
        config.socketio.packet_bytes_max = 200;
        config.socketio.json_depth_max = 4;
    });
    let placeholders = "{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}";
    let two = format!("452-[\"echo\",{placeholders}]");
    let mut client = rig.socket("");
    client.say(&two);
    client.frame(0x82, b"a");
    client.frame(0x82, b"b");
    assert_eq!(client.hear(), two);
    client.hear();
    client.hear();
    client.say("42[\"echo\",[[[]]]]");
    assert_eq!(client.hear(), "42[\"echo\",[[[]]]]");
    client.say("42[\"echo\",[[[[]]]]]");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "parse error");

    let mut client = rig.socket("");
    client.say("453-[\"echo\"]");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "parse error");

    let mut client = rig.socket("");
    client.say(&two);
    client.frame(0x82, &[0; 201]);
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "parse error");
}

#[test]
fn the_largest_packet_goes_when_all_that_wait_hold_too_much() {
    let (rig, ends) = rig(|config| config.socketio.packets_bytes_max = 1000);
    let two = "452-[\"echo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]";
    let (mut larger, mut smaller) = (rig.socket(""), rig.socket(""));
    larger.say(two);
    larger.frame(0x82, &[1; 600]);
    smaller.say(two);
    smaller.frame(0x82, &[2; 400]);
    assert_eq!(larger.hear(), "close 1000");
    assert_eq!(next(&ends), "parse error");
    smaller.frame(0x82, b"b");
    assert_eq!(smaller.hear(), two);
    assert_eq!(rig.counters().packets_dropped, 1);
}

#[test]
fn the_largest_unfinished_message_goes_when_all_hold_too_much() {
    let (rig, _) = rig(|config| config.engine.unfinished_bytes_max = 100_000);
    let held = || rig.ask(|context| context.io.metrics().unfinished_bytes);
    let (mut more, mut less) = (rig.connect(), rig.socket(""));
    more.send(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    more.send(&[b"124f8\r\n", &[b'x'; 75_000][..]].concat());
    while held() < 75_000 {}
    // Room that is made for a message in fragments may be twice of what has come.
    less.frame(0x01, &[b"42[\"echo\",\"", &[b'x'; 30_000][..]].concat());
    more.outlive();
    assert!((30_000..75_000).contains(&held()));
    less.frame(0x80, b"\"]");
    assert!(less.hear().starts_with("42[\"echo\",\"xx"));
    assert_eq!((held(), rig.counters().connections_cut), (0, 1));
}

#[test]
fn attachments_that_do_not_come_end_the_session() {
    let (rig, ends) = rig(|config| config.socketio.attachments_within = SOON);
    let mut client = rig.socket("");
    client.say("451-[\"echo\",{\"_placeholder\":true,\"num\":0}]");
    assert_eq!(client.hear(), "close 1000");
    assert_eq!(next(&ends), "parse error");
}

#[test]
fn a_namespace_too_many_or_too_long_is_refused_and_the_others_stay() {
    let (rig, ends) = rig(|config| {
        config.socketio.namespaces_max = 1;
        config.socketio.namespace_bytes_max = 5;
    });
    let mut client = rig.socket("");
    client.say("40/chat,");
    assert_eq!(
        client.hear(),
        "44/chat,{\"message\":\"Too many namespaces\"}"
    );
    client.say("40/chats,");
    assert_eq!(
        client.hear(),
        "44/chats,{\"message\":\"Invalid namespace\"}"
    );
    client.say("42[\"echo\",1]");
    assert_eq!(client.hear(), "42[\"echo\",1]");
    assert!(ends.try_recv().is_err());
}
