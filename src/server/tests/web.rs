//! Requests: routes, the engine's own, and what lies between a request and its answer.

use super::*;
use crate::config::Origins;
use crate::http::{Method, Response};
use crate::sid::Sid;

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";

/// A polling session; gives the path of its requests.
fn open(world: &mut World<Diary>, path: &str) -> String {
    let (status, body) = world.request("GET", path, "");
    assert_eq!(status, 200);
    format!("{path}&sid={}", &body[9..29])
}

/// Raw sessions at `/engine.io/` that send everything back and note their ends.
fn echo(server: &mut Server<Diary>) {
    server
        .raw("/engine.io/")
        .on_message(|session, message| session.send(message))
        .on_close(|session, reason| session.app.note(reason.as_str()));
}

fn open_raw(world: &mut World<Diary>) -> String {
    open(world, "/engine.io/?EIO=4&transport=polling")
}

#[test]
fn a_route_may_answer_later_and_only_its_own_request() {
    let mut world = world(|server| {
        server.route(Method::Get, "/slow/{name}", |request| {
            let (id, name) = (request.id(), request.parameter().unwrap().into_owned());
            request
                .io
                .after(SECOND, move |context| {
                    context.io.answer(id, &Response::text(200, name.clone()));
                    context.io.answer(id, &Response::text(200, "twice"));
                })
                .unwrap();
            Answer::Later
        });
    });
    let (first, second) = (world.connect(), world.connect());
    world.ask(first, "GET", "/slow/a", "", "");
    world.ask(second, "GET", "/slow/b", "", "");
    assert_eq!(world.answer(first), None);
    world.hang_up(second);
    world.wait(SECOND);
    assert_eq!(world.answer(first), Some((200, "a".into())));
    assert_eq!(world.answer(first), None, "one answer to one request");
    assert_eq!(world.answer(second), None);
}

#[test]
fn pipelined_requests_are_answered_in_order_also_behind_a_late_answer() {
    let mut world = world(|server| {
        server.route(Method::Get, "/slow", |request| {
            let id = request.id();
            request
                .io
                .after(SECOND, move |context| {
                    context.io.answer(id, &Response::text(200, "slow"));
                })
                .unwrap();
            Answer::Later
        });
        server.route(Method::Get, "/fast", |_| Response::text(200, "fast").into());
    });
    let conn = world.connect();
    let get = |path| format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    let all = get("/fast") + &get("/slow") + &get("/fast");
    world.receive(conn, all.as_bytes());
    assert_eq!(world.answer(conn), Some((200, "fast".into())));
    assert_eq!(world.answer(conn), None);
    world.wait(SECOND);
    assert_eq!(world.answer(conn), Some((200, "slow".into())));
    assert_eq!(world.answer(conn), Some((200, "fast".into())));
}

#[test]
fn what_is_not_there_is_a_404_and_what_is_not_done_to_it_a_405() {
    let mut world = world(|server| {
        server.route(Method::Get, "/page", |_| Response::text(200, "page").into());
        server.route(Method::Post, "/boom", |_| panic!("as it should"));
    });
    assert_eq!(world.request("GET", "/page", ""), (200, "page".into()));
    assert_eq!(world.request("GET", "/", "").0, 404);
    assert_eq!(world.request("GET", "/page/", "").0, 404);
    assert_eq!(world.request("POST", "/boom", "x").0, 500);
    let conn = world.connect();
    world.ask(conn, "DELETE", "/page", "", "");
    let sent = world.sent(conn);
    assert!(sent.starts_with("HTTP/1.1 405 "));
    assert!(sent.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n"), "{sent}");
    world.ask(conn, "HEAD", "/page", "", "");
    let sent = world.sent(conn);
    assert!(sent.ends_with("\r\n\r\n") && sent.contains("Content-Length: 4\r\n"));
}

#[test]
fn a_page_of_another_origin_opens_no_session_unless_it_is_listed() {
    let refused = (403, r#"{"code":4,"message":"Forbidden"}"#.to_owned());
    let listed = Origins::Listed(vec!["https://friend.example".into()]);
    for (origins, origin, is_allowed) in [
        (Origins::Same, "http://here", true),
        (Origins::Same, "https://here", true),
        (Origins::Same, "https://friend.example", false),
        (Origins::Same, "null", false),
        (Origins::Any, "https://friend.example", true),
        (listed.clone(), "https://friend.example", true),
        (listed.clone(), "https://friend.example.evil", false),
        (listed.clone(), "http://friend.example", false),
        (listed, "http://here", true),
    ] {
        let mut config = Config::default();
        config.engine.origins = origins;
        let mut world = World::with(config, Diary::default(), |server| {
            server.of("/");
        });
        let header = format!("Origin: {origin}\r\n");
        let (polling, websocket) = (world.connect(), world.connect());
        world.ask(polling, "GET", OPEN, &header, "");
        let answer = world.answer(polling).unwrap();
        assert_eq!(answer.0 == 200, is_allowed, "{origin}");
        assert!(is_allowed || answer == refused);
        world.upgrade(websocket, "/socket.io/?EIO=4&transport=websocket", &header);
        let sent = world.sent(websocket);
        let status = if is_allowed { "101" } else { "400" };
        assert!(sent.starts_with(&format!("HTTP/1.1 {status} ")), "{sent}");
        assert_eq!(world.is_closed(websocket), !is_allowed);
    }
}

#[test]
fn an_id_may_be_chosen_and_names_one_session() {
    let mut world = world(|server| {
        server.generate_id(|request| match request.query() {
            query if query.contains("chosen") => Sid::parse("chosen-by-a-program-"),
            query if query.contains("odd") => panic!("no id for this one"),
            _ => None,
        });
    });
    let refused = (400, r#"{"code":3,"message":"Bad request"}"#.to_owned());
    let made = open(&mut world, OPEN);
    assert!(!made.ends_with("chosen-by-a-program-"));
    let chosen = open(&mut world, &format!("{OPEN}&chosen=1"));
    assert!(chosen.ends_with("&sid=chosen-by-a-program-"));
    let again = world.request("GET", &format!("{OPEN}&chosen=1"), "");
    assert_eq!(again, refused, "it is another's");
    let odd = world.request("GET", &format!("{OPEN}&odd=1"), "");
    assert_eq!(odd, refused, "no choice was made");
    let conn = world.connect();
    world.upgrade(conn, "/socket.io/?EIO=4&transport=websocket&chosen=1", "");
    assert_eq!(world.answer(conn), Some((400, "Bad request".to_owned())));
    // The first session has it still, and when it has gone another may.
    assert_eq!(world.request("POST", &chosen, "1").0, 200);
    let last = open(&mut world, &format!("{OPEN}&chosen=1"));
    assert_eq!(last, chosen);
}

#[test]
fn a_post_whose_body_was_on_its_way_did_not_count() {
    let mut world = world(echo);
    let path = open_raw(&mut world);
    let slow = world.connect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n4a");
    world.receive(slow, head.as_bytes());
    assert_eq!(world.request("POST", &path, "4b").0, 400);
    assert_eq!(world.diary(), ["transport error"]);
    assert_eq!(world.request("GET", &path, "").0, 400);
    world.receive(slow, b"aaaaaaaa");
    assert_eq!(world.answer(slow).unwrap().0, 400);
}

#[test]
fn a_post_that_was_aborted_half_way_left_its_session_alive() {
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let mut world = world(echo);
        let path = open_raw(&mut world);
        let conn = world.connect();
        let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\n{framing}\r\n\r\n2\r\n");
        world.receive(conn, head.as_bytes());
        assert!(world.diary().is_empty());
        world.hang_up(conn);
        assert_eq!(world.diary(), ["transport error"], "{framing}");
    }
}

#[test]
fn a_body_that_comes_too_slowly_ends_its_session() {
    let mut world = world(echo);
    let path = open_raw(&mut world);
    let conn = world.connect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 10\r\n\r\n4a");
    world.receive(conn, head.as_bytes());
    world.wait(SECOND * 11);
    assert!(world.sent(conn).starts_with("HTTP/1.1 408 "));
    assert_eq!(world.diary(), ["transport error"]);
}

#[test]
fn a_post_in_pieces_is_one_post() {
    let mut world = world(echo);
    let path = open_raw(&mut world);
    let conn = world.connect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\n");
    for piece in [head.as_bytes(), b"4a", b"\x1e", b"4b"] {
        assert_eq!(world.answer(conn), None);
        world.receive(conn, piece);
    }
    assert_eq!(world.answer(conn), Some((200, "ok".into())));
    world.hang_up(conn);
    assert!(world.diary().is_empty());
    assert_eq!(world.request("GET", &path, ""), (200, "4a\u{1e}4b".into()));
}

#[test]
fn three_hundred_thousand_packets_in_one_post_kept_the_others_waiting() {
    let mut config = Config::default();
    config.engine.queue_bytes_max = usize::MAX;
    config.engine.queue_bytes_soft_max = usize::MAX;
    let mut world = World::with(config, Diary::default(), echo);
    let (path, other) = (open_raw(&mut world), open_raw(&mut world));
    let body = vec!["41"; 300_000].join("\u{1e}");
    let conn = world.connect();
    world.ask(conn, "POST", &path, "", &body);
    assert_eq!(world.server.core.engine.counters().received, 1000);
    assert_eq!(world.answer(conn), None);
    assert_eq!(world.request("POST", &other, "4other"), (200, "ok".into()));
    assert_eq!(world.request("GET", &other, ""), (200, "4other".into()));
    world.turn();
    assert_eq!(world.server.core.engine.counters().received, 2001);
    world.wait(Duration::ZERO);
    assert_eq!(world.answer(conn), Some((200, "ok".into())));
    let (_, all) = world.request("GET", &path, "");
    assert_eq!(all, body);
}

#[test]
fn a_long_post_ends_with_its_session_and_at_a_bad_packet() {
    for (last, is_client_gone) in [("41", true), ("9", false)] {
        let mut world = world(echo);
        let path = open_raw(&mut world);
        let mut packets = vec!["41"; 5000];
        packets.push(last);
        let conn = world.connect();
        world.ask(conn, "POST", &path, "", &packets.join("\u{1e}"));
        if is_client_gone {
            world.hang_up(conn);
        }
        world.wait(Duration::ZERO);
        assert!(world.server.core.posts.is_empty());
        let (reason, answer) = if is_client_gone {
            ("transport error", None)
        } else {
            ("parse error", Some(400))
        };
        assert_eq!(world.diary(), [reason]);
        assert_eq!(world.answer(conn).map(|(status, _)| status), answer);
    }
}

#[test]
fn a_body_that_is_no_text_or_says_it_is_bytes_ends_the_session() {
    let mut world = world(echo);
    let path = open_raw(&mut world);
    let conn = world.connect();
    let bytes = "Content-Type: application/octet-stream\r\n";
    world.ask(conn, "POST", &path, bytes, "4a");
    assert_eq!(world.answer(conn).unwrap().0, 400);
    assert_eq!(world.diary(), ["transport error"]);

    let path = open_raw(&mut world);
    let conn = world.connect();
    let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n4");
    world.receive(conn, &[head.as_bytes(), b"\xff"].concat());
    assert_eq!(world.answer(conn).unwrap().0, 400);
    assert_eq!(world.diary(), ["parse error"]);
}

#[test]
fn pipelined_answers_that_nobody_read_were_piled_up() {
    let mut world = world(|server| {
        server.route(Method::Get, "/", |_| {
            Response::text(200, vec![b'x'; 50_000]).into()
        });
    });
    let conn = world.connect();
    world.receive(conn, &b"GET / HTTP/1.1\r\nHost: here\r\n\r\n".repeat(10));
    assert_eq!(world.server.core.counters.requests, 10, "it takes them");
    world.sent(conn);
    world.refuse(conn, 100_000);
    world.receive(conn, &b"GET / HTTP/1.1\r\nHost: here\r\n\r\n".repeat(10));
    assert!(world.is_held(conn));
    assert_eq!(world.server.core.counters.requests, 10);
    world.drain(conn);
    assert!(!world.is_held(conn));
    assert_eq!(world.server.core.counters.requests, 20);
}

#[test]
fn requests_behind_one_that_is_owed_an_answer_are_not_read_without_end() {
    let mut world = world(|server| {
        server.route(Method::Get, "/", |request| {
            let id = request.id();
            request
                .io
                .after(SECOND, move |context| {
                    context.io.answer(id, &Response::text(200, "late"));
                })
                .unwrap();
            Answer::Later
        });
    });
    let conn = world.connect();
    let request = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
    world.receive(conn, &request.repeat(1000));
    assert!(!world.is_held(conn));
    world.receive(conn, &request.repeat(2000));
    assert!(world.is_held(conn));
    world.wait(SECOND);
    assert_eq!(world.answer(conn), Some((200, "late".into())));
    assert_eq!(world.server.core.counters.requests, 2, "and so on");
}

#[test]
fn a_deadline_that_had_come_nearer_was_missed() {
    let mut world = world(|_| {});
    let conn = world.connect();
    world.ask(conn, "GET", "/", "", "");
    assert_eq!(world.answer(conn).unwrap().0, 404);
    world.wait(Duration::from_micros(5_999_999));
    assert!(!world.is_closed(conn));
    world.wait(Duration::from_micros(1));
    assert!(world.is_closed(conn), "6 s idle, not 10 s for a first head");
}

#[test]
fn an_answer_that_was_read_slowly_lost_its_tail() {
    let large = |_: &mut Request<'_, Diary>| Response::text(200, "x".repeat(1_000_000)).into();
    let mut world = world(|server| {
        server.route(Method::Get, "/large", large);
    });
    let conn = world.connect();
    for is_taken in [true, false] {
        world.fill(conn);
        world.ask(conn, "GET", "/large", "", "");
        world.refuse(conn, 900_000);
        for left in [600_000, 300_000] {
            world.wait(SECOND * 29);
            world.refuse(conn, left);
        }
        world.wait(SECOND * 29);
        assert!(!world.is_closed(conn), "it takes some now and then");
        if is_taken {
            world.drain(conn);
            world.wait(SECOND * 5);
            assert!(!world.is_closed(conn), "idle only since it has all");
        }
    }
    world.wait(SECOND);
    assert_eq!(world.close(conn), Some(Close::Reset));
    assert_eq!(world.server.core.counters.answers_cut, 1);
}

#[test]
fn an_answer_given_while_another_waits_is_not_idle_either() {
    let mut world = world(|server| {
        server.route(Method::Get, "/", |_| {
            Response::text(200, "x".repeat(50_000)).into()
        });
    });
    let conn = world.connect();
    world.fill(conn);
    world.ask(conn, "GET", "/", "", "");
    world.refuse(conn, 40_000);
    world.ask(conn, "GET", "/", "", "");
    world.wait(SECOND * 29);
    assert!(!world.is_closed(conn));
    world.drain(conn);
    world.wait(SECOND * 6);
    assert_eq!(world.close(conn), Some(Close::Flush), "idle, and all taken");
}
