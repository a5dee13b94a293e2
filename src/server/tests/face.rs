//! What an Engine.IO client notices of the server's settings and hooks: headers, cookies, refusals.

use super::*;
use crate::config::{Cookie, Origins, SameSite};
use crate::http::Response;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

fn with(
    set: impl FnOnce(&mut config::Engine),
    describe: impl FnOnce(&mut Server<Diary>),
) -> World<Diary> {
    let mut config = Config::default();
    set(&mut config.engine);
    World::with(config, Diary::default(), describe)
}

/// What a request is sent, head and body.
fn raw(world: &mut World<Diary>, method: &str, path: &str, headers: &str, body: &str) -> String {
    let conn = world.connect();
    world.ask(conn, method, path, headers, body);
    world.sent(conn)
}

fn values(sent: &str, name: &str) -> Vec<String> {
    let head = sent.split("\r\n\r\n").next().unwrap();
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
        .collect()
}

fn status(sent: &str) -> &str {
    sent.get(9..12).unwrap_or("none")
}

fn body(sent: &str) -> &str {
    sent.split_once("\r\n\r\n").unwrap().1
}

/// The path of a session's requests, from the answer that opened it.
fn session(path: &str, sent: &str) -> String {
    format!("{path}&sid={}", &body(sent)[9..29])
}

fn echo(server: &mut Server<Diary>) {
    server
        .raw("/engine.io/")
        .on_open(|session| session.send_text("hi"))
        .on_message(|session, message| session.send(message));
}

#[test]
fn the_cookie_comes_with_the_handshake_of_polling_and_never_again() {
    let mut world = with(
        |engine| engine.cookie = Some(Cookie::default()),
        |server| {
            server.of("/");
        },
    );
    let sent = raw(&mut world, "GET", POLLING, "", "");
    let path = session(POLLING, &sent);
    let cookie = format!(
        "io={}; Path=/; HttpOnly; SameSite=Lax",
        &path[path.len() - 20..]
    );
    assert_eq!(values(&sent, "set-cookie"), [cookie]);
    let sent = raw(&mut world, "POST", &path, "", "40");
    assert_eq!(
        (status(&sent), values(&sent, "set-cookie").len()),
        ("200", 0)
    );
    let sent = raw(&mut world, "GET", &path, "", "");
    assert_eq!(
        (status(&sent), values(&sent, "set-cookie").len()),
        ("200", 0)
    );
    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "");
    let sent = world.sent(conn);
    assert_eq!(
        (status(&sent), values(&sent, "set-cookie").len()),
        ("101", 0)
    );
}

#[test]
fn the_cookie_is_as_it_was_configured() {
    let cookie = |change: fn(&mut Cookie)| {
        let mut cookie = Cookie::default();
        change(&mut cookie);
        cookie
    };
    let rows = [
        (
            cookie(|cookie| cookie.name = "woot".into()),
            "woot=SID; Path=/; HttpOnly; SameSite=Lax",
        ),
        (
            cookie(|cookie| cookie.path = Some("/custom".into())),
            "io=SID; Path=/custom; HttpOnly; SameSite=Lax",
        ),
        (
            cookie(|cookie| cookie.path = None),
            "io=SID; HttpOnly; SameSite=Lax",
        ),
        (
            cookie(|cookie| cookie.http_only = false),
            "io=SID; Path=/; SameSite=Lax",
        ),
        (
            cookie(|cookie| cookie.same_site = Some(SameSite::Strict)),
            "io=SID; Path=/; HttpOnly; SameSite=Strict",
        ),
        (
            cookie(|cookie| {
                cookie.same_site = Some(SameSite::None);
                cookie.secure = true;
                cookie.domain = Some("a.example".into());
                cookie.max_age = Some(SECOND * 60);
            }),
            "io=SID; Max-Age=60; Domain=a.example; Path=/; HttpOnly; Secure; SameSite=None",
        ),
        (
            cookie(|cookie| cookie.same_site = None),
            "io=SID; Path=/; HttpOnly",
        ),
    ];
    for (cookie, expected) in rows {
        let mut world = with(|engine| engine.cookie = Some(cookie), |_| {});
        let sent = raw(&mut world, "GET", POLLING, "", "");
        let sid = &body(&sent)[9..29];
        assert_eq!(values(&sent, "set-cookie"), [expected.replace("SID", sid)]);
    }
}

const ALLOW: &str = "access-control-allow-origin";

#[test]
fn an_origin_is_named_as_configured_also_in_refusals() {
    let listed = Origins::Listed(vec!["http://a".into(), "http://b".into()]);
    let rows = [
        (Origins::Same, false, "http://a", None, None),
        (Origins::Any, false, "http://a", Some("*"), None),
        (
            Origins::Any,
            true,
            "http://a",
            Some("http://a"),
            Some("Origin"),
        ),
        (
            listed.clone(),
            true,
            "http://b",
            Some("http://b"),
            Some("Origin"),
        ),
        (listed, true, "http://c", None, Some("Origin")),
        (
            Origins::Fixed("http://a".into()),
            false,
            "http://a",
            Some("http://a"),
            Some("Origin"),
        ),
        (
            Origins::Fixed("http://a".into()),
            true,
            "http://c",
            Some("http://a"),
            Some("Origin"),
        ),
    ];
    for (origins, credentials, origin, named, vary) in rows {
        let mut world = with(
            |engine| {
                engine.origins = origins;
                engine.cors.credentials = credentials;
                engine.cors.exposed_headers = vec!["x-a".into(), "x-b".into()];
            },
            |_| {},
        );
        let origin = format!("Origin: {origin}\r\n");
        for path in [POLLING, "/socket.io/?EIO=4&transport=tobi"] {
            let sent = raw(&mut world, "GET", path, &origin, "");
            assert_eq!(values(&sent, ALLOW).first().map(String::as_str), named);
            assert_eq!(values(&sent, "vary").first().map(String::as_str), vary);
            let allowed = values(&sent, "access-control-allow-credentials");
            let expected: &[&str] = if credentials && named.is_some() {
                &["true"]
            } else {
                &[]
            };
            assert_eq!(allowed, expected);
            let exposed = values(&sent, "access-control-expose-headers");
            assert!(exposed.is_empty() || exposed == ["x-a,x-b"]);
            assert_eq!(exposed.is_empty(), named.is_none() && vary.is_none());
            assert!(values(&sent, "access-control-allow-methods").is_empty());
            assert!(values(&sent, "access-control-allow-headers").is_empty());
        }
    }
}

#[test]
fn a_preflight_is_told_what_is_allowed() {
    let asks = "Origin: http://a\r\nAccess-Control-Request-Headers: x-one, x-two\r\n";
    let mut world = with(|engine| engine.origins = Origins::Any, |_| {});
    let sent = raw(&mut world, "OPTIONS", POLLING, asks, "");
    assert_eq!((status(&sent), body(&sent)), ("204", ""));
    assert_eq!(values(&sent, ALLOW), ["*"]);
    let methods = values(&sent, "access-control-allow-methods");
    assert_eq!(methods, ["GET,HEAD,PUT,PATCH,POST,DELETE"]);
    assert_eq!(
        values(&sent, "access-control-allow-headers"),
        ["x-one, x-two"]
    );
    assert_eq!(values(&sent, "vary"), ["Access-Control-Request-Headers"]);
    assert!(values(&sent, "access-control-max-age").is_empty());

    let mut world = with(
        |engine| {
            engine.origins = Origins::Fixed("http://good".into());
            engine.cors.credentials = true;
            engine.cors.methods = vec!["GET".into(), "POST".into()];
            engine.cors.allowed_headers = Some(vec!["x-custom".into(), "x-other".into()]);
            engine.cors.exposed_headers = vec!["x-seen".into()];
            engine.cors.max_age = Some(SECOND * 90);
        },
        |_| {},
    );
    let sent = raw(&mut world, "OPTIONS", POLLING, asks, "");
    assert_eq!(status(&sent), "204");
    for (name, value) in [
        (ALLOW, "http://good"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-headers", "x-custom,x-other"),
        ("access-control-expose-headers", "x-seen"),
        ("access-control-max-age", "90"),
        ("vary", "Origin"),
    ] {
        assert_eq!(values(&sent, name), [value], "{name}");
    }
}

#[test]
fn without_cors_a_preflight_is_a_bad_handshake() {
    let mut world = with(|_| {}, |_| {});
    let sent = raw(&mut world, "OPTIONS", POLLING, "Origin: http://a\r\n", "");
    assert_eq!(status(&sent), "400");
    assert_eq!(
        body(&sent),
        r#"{"code":2,"message":"Bad handshake method"}"#
    );
    assert!(values(&sent, ALLOW).is_empty());
}

#[test]
fn a_request_that_is_not_allowed_is_told_why() {
    let mut world = world(|server| {
        server.allow_request(|request| {
            request
                .app
                .note(request.http().path_and_query().into_owned());
            match request.header("x-deny") {
                Some(message) => Verdict::refuse(message),
                None => Verdict::Accept,
            }
        });
        server.of("/");
    });
    for (header, told) in [
        ("X-Deny: say \"please\"\r\n", "say \\\"please\\\""),
        ("X-Deny:\r\n", "Forbidden"),
    ] {
        let sent = raw(&mut world, "GET", POLLING, header, "");
        assert_eq!(status(&sent), "403");
        assert_eq!(values(&sent, "content-type"), ["application/json"]);
        assert_eq!(
            body(&sent),
            format!("{{\"code\":4,\"message\":\"{told}\"}}")
        );
    }
    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "X-Deny: no\r\n");
    let sent = world.sent(conn);
    assert_eq!((status(&sent), body(&sent)), ("400", "no"));
    assert_eq!(values(&sent, "connection"), ["close"]);
    assert!(world.is_closed(conn));
    assert_eq!(world.diary().len(), 3);

    let sent = raw(&mut world, "GET", POLLING, "", "");
    let path = session(POLLING, &sent);
    raw(&mut world, "POST", &path, "X-Deny: too late\r\n", "40");
    let asked = world.diary();
    assert_eq!(asked, [POLLING], "once a session");
}

#[test]
fn a_request_that_is_out_of_order_is_nobody_s_to_allow() {
    let mut world = world(|server| {
        server.allow_request(|request| {
            request.app.note("asked");
            Verdict::Accept
        });
    });
    raw(
        &mut world,
        "GET",
        "/socket.io/?EIO=4&transport=tobi",
        "",
        "",
    );
    raw(&mut world, "POST", POLLING, "", "");
    raw(
        &mut world,
        "GET",
        POLLING,
        "Origin: http://elsewhere\r\n",
        "",
    );
    assert!(world.diary().is_empty());
}

/// Requests are allowed after a second, if they do not say otherwise.
fn thinks_about_requests(server: &mut Server<Diary>) {
    server.allow_request(|request| {
        let (id, denies) = (request.id(), request.header("x-deny").is_some());
        request
            .io
            .after(SECOND, move |context| {
                let verdict = if denies {
                    Verdict::refuse("no")
                } else {
                    Verdict::Accept
                };
                context.io.admit(id, verdict);
                context.io.admit(id, Verdict::refuse("twice"));
            })
            .unwrap();
        Verdict::Later { within: SECOND * 2 }
    });
    server.of("/");
}

#[test]
fn a_request_may_be_allowed_later() {
    let mut world = world(thinks_about_requests);
    let (yes, no, gone) = (world.connect(), world.connect(), world.connect());
    world.ask(yes, "GET", POLLING, "", "");
    world.ask(no, "GET", POLLING, "X-Deny: 1\r\n", "");
    world.ask(gone, "GET", POLLING, "", "");
    world.hang_up(gone);
    assert_eq!(world.answer(yes), None);
    world.wait(SECOND);
    let (status, body) = world.answer(yes).unwrap();
    assert_eq!((status, &body[..8]), (200, "0{\"sid\":"));
    let refused = (403, r#"{"code":4,"message":"no"}"#.to_owned());
    assert_eq!(world.answer(no), Some(refused));
    assert_eq!(world.server.core.engine.len(), 1);
    assert_eq!(world.server.core.waiting.iter().count(), 0);
}

#[test]
fn what_a_websocket_says_before_it_is_allowed_is_heard_after() {
    let mut world = world(thinks_about_requests);
    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "");
    world.say(conn, "40");
    assert_eq!(world.sent(conn), "");
    world.wait(SECOND);
    let sent = world.sent(conn);
    assert_eq!(status(&sent), "101");
    assert!(body(&sent).contains("40{\"sid\":"), "{sent}");
}

#[test]
fn a_verdict_on_a_request_that_does_not_come_is_a_refusal() {
    let mut world = world(|server| {
        server.allow_request(|_| Verdict::Later { within: SECOND });
    });
    let conn = world.connect();
    world.ask(conn, "GET", POLLING, "", "");
    world.wait(SECOND);
    let refused = (403, r#"{"code":4,"message":"timeout"}"#.to_owned());
    assert_eq!(world.answer(conn), Some(refused));
}

#[test]
fn the_verdict_on_a_request_that_was_answered_otherwise_met_the_next_one() {
    let mut world = world(|server| {
        server.allow_request(|request| {
            let id = request.id();
            let response = Response::text(503, "later");
            request
                .io
                .after(SECOND, move |context| context.io.answer(id, &response))
                .unwrap();
            Verdict::Later { within: SECOND * 2 }
        });
        server.raw("/engine.io/");
    });
    let conn = world.connect();
    world.ask(conn, "GET", POLLING, "", "");
    world.wait(SECOND);
    assert_eq!(world.answer(conn), Some((503, "later".into())));
    world.wait(SECOND / 2);
    world.ask(conn, "GET", POLLING, "", "");
    world.wait(SECOND / 2);
    assert_eq!(world.answer(conn), None, "its own time is not up");
    world.wait(SECOND / 2);
    assert_eq!(world.answer(conn), Some((503, "later".into())));
}

#[test]
fn headers_are_asked_for_each_answer_of_a_session_and_once_for_its_first() {
    let mut world = with(
        |engine| engine.cookie = Some(Cookie::default()),
        |server| {
            server.initial_headers(|request, headers| {
                request.app.note("initial");
                headers.add("Set-Cookie", "a=1");
                headers.add("Set-Cookie", "b=2; Path=/");
            });
            server.headers(|request, headers| {
                request.app.note("each");
                headers.add("X-Each", request.header("x-say").unwrap_or("nothing"));
            });
            server.of("/");
        },
    );
    let sent = raw(&mut world, "GET", POLLING, "X-Say: hello\r\n", "");
    let path = session(POLLING, &sent);
    assert_eq!(values(&sent, "x-each"), ["hello"]);
    let cookies = values(&sent, "set-cookie");
    assert!(cookies[0].starts_with("io="));
    assert_eq!(cookies[1..], ["a=1", "b=2; Path=/"]);
    let sent = raw(&mut world, "POST", &path, "X-Say: post\r\n", "40");
    assert_eq!(values(&sent, "x-each"), ["post"]);
    let sent = raw(&mut world, "GET", &path, "", "");
    assert_eq!(
        (values(&sent, "x-each"), values(&sent, "set-cookie")),
        (vec!["nothing".into()], vec![])
    );
    let conn = world.connect();
    world.upgrade(conn, &path.replace("polling", "websocket"), "");
    let sent = world.sent(conn);
    assert_eq!((status(&sent), values(&sent, "x-each").len()), ("101", 1));
    assert_eq!(world.diary(), ["initial", "each", "each", "each", "each"]);

    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "");
    let sent = world.sent(conn);
    assert_eq!(values(&sent, "set-cookie"), ["a=1", "b=2; Path=/"]);
    assert_eq!(values(&sent, "x-each"), ["nothing"]);
    let sent = raw(&mut world, "GET", "/socket.io/", "", "");
    assert_eq!((status(&sent), values(&sent, "x-each").len()), ("400", 0));
}

#[test]
fn a_hook_that_panics_costs_its_headers_alone() {
    let mut world = world(|server| {
        server.headers(|_, _| panic!("as it should"));
        server.headers(|_, headers| headers.add("X-Second", "1"));
        server.of("/");
    });
    let sent = raw(&mut world, "GET", POLLING, "", "");
    assert_eq!((status(&sent), values(&sent, "x-second").len()), ("200", 1));
    assert_eq!(world.server.core.counters.panics, 1);
}

#[test]
fn middleware_stands_before_everything_in_order() {
    let mut world = world(|server| {
        server.middleware(|request, headers| {
            request.app.note("first");
            headers.add("X-First", "1");
            let is_closed = request.header("x-closed").is_some();
            is_closed.then(|| Response::text(503, "closed"))
        });
        server.middleware(|request, headers| {
            request.app.note("second");
            headers.add("X-Second", "2");
            assert!(request.header("x-panic").is_none(), "as it should");
            None
        });
        server.of("/");
    });
    let sent = raw(&mut world, "GET", POLLING, "", "");
    assert_eq!((status(&sent), values(&sent, "x-second").len()), ("200", 1));
    let path = session(POLLING, &sent);
    let sent = raw(&mut world, "POST", &path, "", "40");
    assert_eq!((status(&sent), values(&sent, "x-first").len()), ("200", 1));
    let sent = raw(&mut world, "GET", "/socket.io/?EIO=4", "", "");
    assert_eq!((status(&sent), values(&sent, "x-first").len()), ("400", 1));
    assert_eq!(world.diary(), ["first", "second"].repeat(3));

    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "");
    let sent = world.sent(conn);
    assert_eq!((status(&sent), values(&sent, "x-second").len()), ("101", 1));
    world.diary();

    let sent = raw(&mut world, "GET", POLLING, "X-Closed: 1\r\n", "");
    assert_eq!((status(&sent), body(&sent)), ("503", "closed"));
    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "X-Closed: 1\r\n");
    assert_eq!(status(&world.sent(conn)), "503");
    assert!(world.is_closed(conn));
    assert_eq!(world.diary(), ["first", "first"]);

    let sent = raw(&mut world, "GET", POLLING, "X-Panic: 1\r\n", "");
    assert_eq!(body(&sent), r#"{"code":3,"message":"Bad request"}"#);
    let conn = world.connect();
    world.upgrade(conn, WEBSOCKET, "X-Panic: 1\r\n");
    let sent = world.sent(conn);
    assert_eq!((status(&sent), body(&sent)), ("400", "Bad request"));
}

#[test]
fn a_post_above_the_limit_is_a_413_without_a_word_and_its_session_goes_on() {
    for framing in ["Content-Length: 101", "Transfer-Encoding: chunked"] {
        let mut world = with(
            |engine| {
                engine.payload_bytes_max = 100;
                engine.origins = Origins::Any;
            },
            echo,
        );
        let path = "/engine.io/?EIO=4&transport=polling";
        let path = session(path, &raw(&mut world, "GET", path, "", ""));
        let conn = world.connect();
        let head = format!("POST {path} HTTP/1.1\r\nHost: here\r\n{framing}\r\n\r\n");
        world.receive(conn, head.as_bytes());
        if framing.starts_with("Transfer") {
            world.receive(conn, format!("65\r\n4{}", "a".repeat(100)).as_bytes());
        }
        let sent = world.sent(conn);
        assert_eq!((status(&sent), body(&sent)), ("413", ""), "{framing}");
        assert_eq!(values(&sent, "content-length"), ["0"]);
        assert_eq!(values(&sent, ALLOW), ["*"]);
        assert!(world.is_closed(conn));
        let most = format!("4{}", "a".repeat(99));
        assert_eq!(world.request("POST", &path, &most), (200, "ok".into()));
        assert_eq!(world.request("GET", &path, "").1, format!("4hi\x1e{most}"));
    }
    let mut world = with(|engine| engine.payload_bytes_max = 100, |_| {});
    let sent = raw(&mut world, "POST", "/elsewhere", "", &"a".repeat(101));
    assert_eq!(
        (status(&sent), body(&sent)),
        ("413", "request body too large\n")
    );
}

#[test]
fn a_websocket_of_another_revision_is_opened_and_told_why_it_is_closed() {
    for revision in ["3", "5", "abc"] {
        let mut world = world(|_| {});
        let conn = world.connect();
        let path = format!("/socket.io/?EIO={revision}&transport=websocket");
        world.upgrade(conn, &path, "");
        let sent = world.sent(conn);
        assert_eq!(status(&sent), "101");
        assert!(body(&sent).ends_with("Unsupported protocol version"));
        assert!(matches!(world.close(conn), Some(Close::Linger { .. })));
        world.say(conn, "40");
        assert_eq!(world.server.core.engine.len(), 0);
    }
}

#[test]
fn old_browsers_are_told_not_to_filter_answers() {
    let mut world = world(|_| {});
    for (agent, is_told) in [
        ("Mozilla/4.0 (compatible;MSIE 8.0; Windows NT 6.1)", true),
        (
            "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko",
            true,
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0",
            false,
        ),
    ] {
        let agent = format!("User-Agent: {agent}\r\n");
        let sent = raw(&mut world, "GET", POLLING, &agent, "");
        assert_eq!(!values(&sent, "x-xss-protection").is_empty(), is_told);
        let sent = raw(&mut world, "POST", &session(POLLING, &sent), &agent, "40");
        assert_eq!(!values(&sent, "x-xss-protection").is_empty(), is_told);
    }
}

#[test]
fn a_session_outlives_connections_that_close_behind_each_answer() {
    let mut world = world(echo);
    let close = "Connection: close\r\n";
    let path = "/engine.io/?EIO=4&transport=polling";
    let sent = raw(&mut world, "GET", path, close, "");
    assert_eq!(values(&sent, "connection"), ["close"]);
    let path = session(path, &sent);
    assert_eq!(body(&raw(&mut world, "GET", &path, close, "")), "4hi");
    for _ in 0..3 {
        let conn = world.connect();
        world.ask(conn, "GET", &path, close, "");
        assert_eq!(world.answer(conn), None);
        let sent = raw(&mut world, "POST", &path, close, "4again");
        assert_eq!(body(&sent), "ok");
        assert_eq!(world.answer(conn), Some((200, "4again".into())));
        assert_eq!(world.close(conn), Some(Close::Flush));
        world.hang_up(conn);
    }
    assert_eq!(world.server.core.engine.len(), 1);
}

#[test]
fn the_handshake_is_answered_by_itself_or_with_the_initial_message() {
    for initial in [None, Some("welcome")] {
        let mut world = with(
            |engine| engine.initial_message = initial.map(ToOwned::to_owned),
            echo,
        );
        let path = "/engine.io/?EIO=4&transport=polling";
        let sent = raw(&mut world, "GET", path, "", "");
        let packets: Vec<_> = body(&sent).split('\x1e').collect();
        assert_eq!(packets.len(), 1 + usize::from(initial.is_some()));
        assert_eq!(packets.get(1).copied(), initial.map(|_| "4welcome"));
        let sid = &packets[0][9..29];
        let next = world.request("GET", &format!("{path}&sid={sid}"), "").1;
        assert_eq!(next, "4hi");
    }
}

#[test]
fn a_raw_session_knows_the_request_that_carried_its_message() {
    let mut world = world(|server| {
        server
            .raw("/engine.io/")
            .on_open(|session| {
                let path = session.request().unwrap().path_and_query().into_owned();
                let kept = session.handshake().unwrap().url().to_owned();
                session.app.note(format!("open {} {}", path, path == kept));
            })
            .on_message(|session, _| {
                let carried = session.request().and_then(|request| request.header("x-n"));
                let carried = carried.unwrap_or("none").to_owned();
                let transport = session.transport().unwrap().as_str();
                session.app.note(format!("{transport} {carried}"));
            });
    });
    let path = "/engine.io/?EIO=4&transport=polling";
    let sent = raw(&mut world, "GET", path, "", "");
    assert_eq!(world.diary(), [format!("open {path} true")]);
    let path = session(path, &sent);
    raw(&mut world, "POST", &path, "X-N: 1\r\n", "4a\x1e4b");
    assert_eq!(world.diary(), ["polling 1", "polling 1"]);
    let many = vec!["4a"; 1500].join("\x1e");
    raw(&mut world, "POST", &path, "X-N: 2\r\n", &many);
    world.wait(Duration::ZERO);
    assert_eq!(world.diary(), vec!["polling 2"; 1500]);

    let conn = world.connect();
    world.upgrade(conn, "/engine.io/?EIO=4&transport=websocket", "X-N: 3\r\n");
    world.say(conn, "4a");
    assert_eq!(world.diary()[1..], ["websocket none"]);
}

#[test]
fn a_path_is_the_beginning_of_what_is_served() {
    let opens = |world: &mut World<Diary>, path: &str| {
        let path = format!("{path}?EIO=4&transport=polling");
        world.request("GET", &path, "").0
    };
    let mut world = world(|server| {
        server.raw("/engine.io/");
    });
    for path in ["/socket.io/", "/socket.io/default/", "/engine.io/foo/bar/"] {
        assert_eq!(opens(&mut world, path), 200, "{path}");
    }
    for path in ["/socket.io", "/engine.io", "/Socket.io/", "/"] {
        assert_eq!(opens(&mut world, path), 404, "{path}");
    }
    let conn = world.connect();
    world.upgrade(conn, "/elsewhere?EIO=4&transport=websocket", "");
    assert_eq!(world.answer(conn).unwrap().0, 404);
    let mut world = with(|engine| engine.path = "/socket.io".into(), |_| {});
    for path in ["/socket.io", "/socket.io/"] {
        assert_eq!(opens(&mut world, path), 200, "{path}");
    }
}

#[test]
fn no_way_leads_to_a_transport_that_is_not_served() {
    let upgrades = |set: fn(&mut config::Engine)| {
        let mut world = with(set, |_| {});
        let sent = raw(&mut world, "GET", POLLING, "", "");
        assert!(sent.contains("\"upgrades\":[]"), "{sent}");
    };
    upgrades(|engine| engine.upgrades = false);
    upgrades(|engine| engine.websocket = false);
    let mut world = with(|engine| engine.polling = false, |_| {});
    let sent = raw(&mut world, "GET", POLLING, "", "");
    assert_eq!(body(&sent), r#"{"code":0,"message":"Transport unknown"}"#);
}

#[cfg(feature = "client")]
#[test]
fn the_browser_client_may_be_fetched_by_the_pages_that_may_connect() {
    let path = "/socket.io/socket.io.min.js?version=any";
    let mut world = with(|engine| engine.origins = Origins::Any, |_| {});
    let sent = raw(&mut world, "GET", path, "", "");
    assert_eq!(
        (status(&sent), values(&sent, ALLOW)),
        ("200", vec!["*".into()])
    );
    let tag = values(&sent, "etag").remove(0);
    for tag in [tag.as_str(), tag.trim_start_matches("W/")] {
        let known = format!("If-None-Match: {tag}\r\n");
        assert_eq!(status(&raw(&mut world, "GET", path, &known, "")), "304");
    }
    let mut world = with(|engine| engine.serve_client = false, |_| {});
    assert_eq!(status(&raw(&mut world, "GET", path, "", "")), "400");
}

#[test]
fn raw_sessions_may_have_the_path_of_socket_io() {
    let mut world = with(|engine| engine.path = "/engine.io/".into(), echo);
    let (_, body) = world.request("GET", "/engine.io/?EIO=4&transport=polling", "");
    let path = format!("/engine.io/?EIO=4&transport=polling&sid={}", &body[9..29]);
    assert_eq!(world.request("GET", &path, "").1, "4hi");
    assert_eq!(world.request("GET", POLLING, "").0, 404);
}
