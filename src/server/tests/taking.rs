//! Bodies in pieces: what a taker is shown, what it may hold up, and how bodies break off.

use super::*;
use crate::http::{Length, Method, Response};
use crate::server::{Broken, Part};

const CHUNKED: &str = "POST /up HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A route that takes so many bytes, notes each part, and answers at the end with how many came.
fn takes(server: &mut Server<Diary>, bytes_max: Option<u64>) {
    server.route_in_pieces(Method::Post, "/up", move |request| {
        let id = request.id();
        assert!(request.body().is_empty());
        let mut count = 0;
        request
            .io
            .take(id, bytes_max, move |context, part| match part {
                Part::Bytes(bytes) => {
                    count += bytes.len();
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    if text.starts_with("hold") {
                        context.io.hold(id);
                        context
                            .io
                            .after(SECOND, move |context| context.io.resume(id))
                            .unwrap();
                    }
                    context.app.note(text);
                }
                Part::End => {
                    let response = Response::text(200, count.to_string());
                    context.io.answer(id, &response);
                }
                Part::Broken(why) => context.app.note(format!("{why:?}")),
            });
        Answer::Later
    });
}

fn counted(bytes: usize, more: &str) -> String {
    format!("POST /up HTTP/1.1\r\nHost: here\r\n{more}Content-Length: {bytes}\r\n\r\n")
}

#[test]
fn a_body_is_shown_as_it_comes_and_the_next_request_follows() {
    let mut world = world(|server| takes(server, None));
    let conn = world.connect();
    world.receive(conn, (counted(6, "") + "ab").as_bytes());
    assert_eq!(world.diary(), ["ab"]);
    world.receive(conn, b"cdef");
    assert_eq!(world.diary(), ["cdef"]);
    assert_eq!(world.answer(conn), Some((200, "6".into())));
    let all = format!(
        "{CHUNKED}1\r\na\r\n2\r\nbc\r\n0\r\n\r\n{}{CHUNKED}1\r\nx",
        counted(0, "")
    );
    world.receive(conn, all.as_bytes());
    assert_eq!(world.diary(), ["abc", "x"]);
    assert_eq!(world.answer(conn), Some((200, "3".into())));
    assert_eq!(world.answer(conn), Some((200, "0".into())));
    world.receive(conn, b"\r\n0\r\n\r\n");
    assert_eq!(world.answer(conn), Some((200, "1".into())));
    assert!(world.server.core.takers.is_empty() && !world.is_closed(conn));
}

#[test]
fn a_body_that_would_never_fit_in_memory_goes_through() {
    let mut world = world(|server| takes(server, None));
    let conn = world.connect();
    world.receive(conn, counted(100_000_000, "").as_bytes());
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..100 {
        world.receive(conn, &piece);
        assert_eq!(world.diary().len(), 1);
    }
    assert_eq!(world.answer(conn), Some((200, "100000000".into())));
}

#[test]
fn on_hold_nothing_is_read_until_it_goes_on_also_at_the_very_end() {
    for rest in ["and on", ""] {
        let mut world = world(|server| takes(server, None));
        let conn = world.connect();
        let head = counted(4 + rest.len(), "");
        world.receive(conn, format!("{head}hold").as_bytes());
        assert!(world.is_held(conn));
        world.receive(conn, rest.as_bytes());
        assert_eq!(world.diary(), ["hold"]);
        assert_eq!(world.answer(conn), None);
        world.wait(SECOND);
        assert_eq!(world.diary().concat(), rest);
        assert!(!world.is_held(conn));
        let (status, _) = world.answer(conn).unwrap();
        assert_eq!(status, 200);
    }
}

#[test]
fn a_client_that_waits_goes_on_when_the_route_says_so_and_not_before() {
    let mut world = world(|server| {
        server.route_in_pieces(Method::Post, "/up", |request| {
            let id = request.id();
            let is_known = request.header("authorization").is_some();
            request
                .io
                .after(SECOND, move |context| {
                    if !is_known {
                        return context.io.answer(id, &Response::new(401));
                    }
                    context.io.take(id, Some(10), move |context, part| {
                        if part == Part::End {
                            context.io.answer(id, &Response::new(204));
                        }
                    });
                })
                .unwrap();
            Answer::Later
        });
    });
    let conn = world.connect();
    let head = counted(2, "Expect: 100-continue\r\nAuthorization: x\r\n");
    world.receive(conn, head.as_bytes());
    assert_eq!(world.sent(conn), "");
    world.wait(SECOND);
    assert_eq!(world.sent(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    world.receive(conn, b"ab");
    assert!(world.sent(conn).starts_with("HTTP/1.1 204 "));
    world.receive(conn, counted(2, "Expect: 100-continue\r\n").as_bytes());
    assert!(
        world.is_held(conn),
        "nothing is read until somebody decides"
    );
    world.wait(SECOND);
    assert!(world.sent(conn).starts_with("HTTP/1.1 401 "));
    assert!(matches!(world.close(conn), Some(Close::Linger { .. })));
}

#[test]
fn a_route_has_a_limit_of_its_own() {
    let mut world = world(|server| takes(server, Some(5)));
    for (sent, shown) in [
        (counted(6, ""), &["Refused(BodyTooLarge)"][..]),
        (format!("{CHUNKED}4\r\nabcd\r\n"), &["abcd"]),
        (format!("{CHUNKED}6\r\n"), &["Refused(BodyTooLarge)"]),
    ] {
        let conn = world.connect();
        world.receive(conn, sent.as_bytes());
        assert_eq!(world.diary(), shown, "{sent}");
        if shown == ["abcd"] {
            world.receive(conn, b"2\r\n");
            assert_eq!(world.diary(), ["Refused(BodyTooLarge)"]);
        }
        assert!(world.sent(conn).starts_with("HTTP/1.1 413 "));
        assert!(matches!(world.close(conn), Some(Close::Linger { .. })));
    }
    assert_eq!(world.request("POST", "/up", "abcde"), (200, "5".into()));
}

#[test]
fn a_body_is_refused_in_the_middle_by_an_early_answer() {
    let mut world = world(|server| {
        server.route_in_pieces(Method::Post, "/up", |request| {
            let id = request.id();
            request.io.take(id, None, move |context, part| {
                context.app.note(format!("{part:?}"));
                context.io.answer(id, &Response::text(415, "not this"));
            });
            Answer::Later
        });
    });
    let conn = world.connect();
    world.receive(conn, (counted(6, "") + "ab").as_bytes());
    assert_eq!(world.answer(conn), Some((415, "not this".into())));
    assert!(matches!(world.close(conn), Some(Close::Linger { .. })));
    assert_eq!(world.diary(), ["Bytes([97, 98])"]);
    assert!(world.server.core.takers.is_empty());
}

#[test]
fn an_answer_in_pieces_may_begin_before_the_body_has_ended() {
    let mut world = world(|server| {
        server.route_in_pieces(Method::Post, "/up", |request| {
            let id = request.id();
            request.io.begin(id, &Response::new(200), Length::Known(3));
            request.io.write(id, "abc").unwrap();
            request.io.finish(id);
            Answer::Later
        });
    });
    let conn = world.connect();
    world.receive(conn, (counted(6, "") + "ab").as_bytes());
    assert_eq!(world.answer(conn), Some((200, "abc".into())));
    assert!(matches!(world.close(conn), Some(Close::Linger { .. })));
}

#[test]
fn whoever_breaks_off_or_breaks_a_rule_or_is_too_slow_is_told_to_the_taker() {
    let mut world = world(|server| takes(server, None));
    let conns = [world.connect(), world.connect(), world.connect()];
    for conn in conns {
        world.receive(conn, format!("{CHUNKED}2\r\nab\r\n").as_bytes());
    }
    assert_eq!(world.diary(), ["ab", "ab", "ab"]);
    world.hang_up(conns[0]);
    assert_eq!(world.diary(), ["Gone"]);
    world.receive(conns[1], b"x");
    assert_eq!(world.diary(), ["Refused(Chunk)"]);
    assert!(world.sent(conns[1]).starts_with("HTTP/1.1 400 "));
    world.wait(SECOND * 10);
    assert_eq!(world.diary(), ["Refused(BodyTooSlow)"]);
    assert!(world.sent(conns[2]).starts_with("HTTP/1.1 408 "));
    assert!(world.server.core.takers.is_empty());
}

#[test]
fn a_taker_that_panics_has_its_request_answered() {
    let mut world = world(|server| {
        server.route_in_pieces(Method::Post, "/up", |request| {
            let id = request.id();
            request.io.take(id, None, |_, _| panic!("as it should"));
            Answer::Later
        });
    });
    let conn = world.connect();
    world.receive(conn, (counted(6, "") + "ab").as_bytes());
    assert!(world.sent(conn).starts_with("HTTP/1.1 500 "));
    assert!(world.is_closed(conn));
    assert_eq!(world.server.core.counters.panics, 1);
}

#[test]
fn a_freeze_interrupts_bodies_and_an_end_waits_for_them() {
    let mut config = Config::default();
    config.socketio.drain_within = SECOND * 5;
    let mut world = World::with(config, Diary::default(), |server| takes(server, None));
    let conn = world.connect();
    world.receive(conn, (counted(6, "") + "ab").as_bytes());
    assert!(matches!(
        world.server.freeze(world.now),
        Err(FreezeError::Unsaid)
    ));
    assert_eq!(world.diary(), ["ab", "Interrupted"]);
    world.turn();
    assert!(world.sent(conn).starts_with("HTTP/1.1 503 "));

    let conns = [world.connect(), world.connect()];
    for conn in conns {
        world.receive(conn, (counted(6, "") + "ab").as_bytes());
    }
    world.ask_to_stop();
    assert!(!world.is_over);
    world.receive(conns[0], b"cdef");
    assert_eq!(world.answer(conns[0]), Some((200, "6".into())));
    assert_eq!(world.diary(), ["ab", "ab", "cdef"]);
    world.wait(SECOND * 3);
    world.receive(conns[1], b"c");
    world.wait(SECOND * 2);
    assert_eq!(
        world.diary(),
        ["c", format!("{:?}", Broken::Stopped).as_str()]
    );
    assert!(world.sent(conns[1]).starts_with("HTTP/1.1 503 ") && world.is_over);
}

#[test]
fn a_connection_was_not_read_any_more_after_a_late_answer_to_a_request_without_a_body() {
    let mut world = world(|server| {
        server.route_in_pieces(Method::Post, "/up", |request| {
            let id = request.id();
            request
                .io
                .after(SECOND, move |context| {
                    context.io.answer(id, &Response::new(204));
                })
                .unwrap();
            Answer::Later
        });
    });
    let conn = world.connect();
    world.receive(conn, counted(0, "").as_bytes());
    world.wait(SECOND);
    assert!(world.sent(conn).starts_with("HTTP/1.1 204 "));
    assert!(!world.is_held(conn) && !world.is_closed(conn));
}

#[test]
fn routes_of_both_sorts_stand_side_by_side() {
    let mut world = world(|server| {
        takes(server, None);
        server.route(Method::Post, "/whole", |request| {
            Response::text(200, request.body().to_vec()).into()
        });
        server.route_in_pieces(Method::Get, "/up", |_| Response::text(200, "get").into());
    });
    assert_eq!(world.request("POST", "/whole", "abc"), (200, "abc".into()));
    let conn = world.connect();
    world.ask(conn, "GET", "/up", "", "");
    assert_eq!(world.answer(conn), Some((200, "get".into())));
    assert!(
        !world.is_closed(conn),
        "there was no body to be left unread"
    );
    assert_eq!(world.request("PUT", "/up", "abc").0, 405);
    assert_eq!(world.request("POST", "/socket.io/?EIO=4", "abc").0, 400);
}
