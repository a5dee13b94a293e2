//! What is told and counted besides: refused requests, upgrades, the details of an end, and all numbers in one place.

use super::*;
use crate::engineio::TransportName;
use crate::reactor::Service;
use crate::server::Cause;
use crate::sid::Sid;

fn tells_refusals(server: &mut Server<Diary>) {
    server.on_connection_error(|context, error| {
        let (code, url) = (error.refusal.code(), error.request.url());
        let name = error.cause.name().unwrap_or("-");
        context
            .app
            .note(format!("{code} {} {name} {url}", error.message));
        assert!(error.request.address().is_some_and(|ip| ip.is_loopback()));
        if let Cause::TransportMismatch { asked, previous } = error.cause {
            assert_eq!(
                (asked, previous),
                (TransportName::WebSocket, TransportName::Polling)
            );
        }
    });
    server.of("/");
}

/// A session by long-polling; gives its id.
fn polling(world: &mut World<Diary>) -> String {
    let (_, body) = world.request("GET", "/socket.io/?EIO=4&transport=polling", "");
    body["0{\"sid\":\"".len()..][..20].to_owned()
}

#[test]
fn each_refused_request_is_told_with_its_code_and_cause() {
    let mut world = world(tells_refusals);
    let sid = polling(&mut world);
    let mismatch = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
    for (method, url) in [
        ("GET", "/socket.io/?EIO=4&transport=tobi"),
        ("GET", "/socket.io/?EIO=4&transport=polling&sid=nobody"),
        ("POST", "/socket.io/?EIO=4&transport=polling"),
        ("GET", "/socket.io/?EIO=4&transport=websocket"),
        ("GET", &mismatch),
        ("GET", "/socket.io/?EIO=3&transport=polling"),
    ] {
        world.request(method, url, "");
    }
    let conn = world.connect();
    world.upgrade(
        conn,
        "/socket.io/?EIO=4&transport=websocket",
        "Origin: http://elsewhere\r\n",
    );
    assert_eq!(
        world.diary(),
        [
            "0 Transport unknown - /socket.io/?EIO=4&transport=tobi",
            "1 Session ID unknown - /socket.io/?EIO=4&transport=polling&sid=nobody",
            "2 Bad handshake method - /socket.io/?EIO=4&transport=polling",
            "3 Bad request TRANSPORT_HANDSHAKE_ERROR /socket.io/?EIO=4&transport=websocket",
            &format!("3 Bad request TRANSPORT_MISMATCH {mismatch}"),
            "5 Unsupported protocol version - /socket.io/?EIO=3&transport=polling",
            "4 Forbidden - /socket.io/?EIO=4&transport=websocket",
        ]
    );
    let refusals = world.server.core.counters.refusals;
    assert_eq!(
        (
            refusals.transport_unknown,
            refusals.session_unknown,
            refusals.bad_handshake_method,
            refusals.bad_request,
            refusals.forbidden,
            refusals.unsupported_protocol
        ),
        (1, 1, 1, 2, 1, 1)
    );
}

#[test]
fn where_nobody_wants_to_know_refusals_are_counted_and_nothing_is_kept() {
    let mut world = world(|server| {
        server.of("/");
    });
    world.request("GET", "/socket.io/?EIO=4&transport=tobi", "");
    assert_eq!(world.server.core.counters.refusals.transport_unknown, 1);
    assert!(world.server.core.refused.pop().is_none());
}

#[test]
fn a_choice_of_id_that_failed_is_told_as_the_official_server_tells_it() {
    let mut world = world(|server| {
        tells_refusals(server);
        server.generate_id(|_| Sid::parse("one-id-for-everybody"));
    });
    polling(&mut world);
    let (status, _) = world.request("GET", "/socket.io/?EIO=4&transport=polling", "");
    let told = "3 Bad request ID_GENERATION_ERROR /socket.io/?EIO=4&transport=polling";
    assert_eq!((status, world.diary()), (400, vec![told.to_owned()]));
    assert_eq!(world.server.core.counters.refusals.bad_request, 1);
}

#[test]
fn the_sockets_of_a_session_are_told_of_its_signs_of_life() {
    let mut world = world(|server| {
        for name in ["/", "/other"] {
            server.of(name).on_heartbeat(|socket| {
                let namespace = socket.namespace().to_owned();
                socket.app.note(namespace);
            });
        }
        server.of("/deaf");
    });
    let (conn, _) = world.socket("/");
    for name in ["/other", "/deaf"] {
        world.say(conn, &format!("40{name},"));
    }
    world.say(conn, "42[\"a message is no heartbeat\"]");
    assert_eq!(world.diary(), [""; 0]);
    world.say(conn, "3");
    assert_eq!(world.diary(), ["/", "/other"]);
    world.say(conn, "41/other,");
    world.say(conn, "3");
    assert_eq!(world.diary(), ["/"]);
}

#[test]
fn the_sockets_of_a_session_are_told_of_its_upgrade() {
    let mut world = world(|server| {
        for name in ["/", "/other"] {
            server.of(name).on_upgrade(|socket| {
                let transport = socket.transport().unwrap().as_str();
                let namespace = socket.namespace().to_owned();
                socket.app.note(format!("{namespace} {transport}"));
                socket.emit("upgraded", &());
            });
        }
    });
    let sid = polling(&mut world);
    let url = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    world.request("POST", &url, "40\u{1e}40/other,");
    world.request("GET", &url, "");
    let conn = world.connect();
    let url = format!("/socket.io/?EIO=4&transport=websocket&sid={sid}");
    world.upgrade(conn, &url, "");
    world.take_head(conn);
    world.say(conn, "2probe");
    assert!(world.diary().is_empty(), "not before it is done");
    world.say(conn, "5");
    assert_eq!(world.diary(), ["/ websocket", "/other websocket"]);
    assert_eq!(
        world.heard(conn),
        ["3probe", "42[\"upgraded\"]", "42/other,[\"upgraded\"]"]
    );
}

#[test]
fn an_end_has_details_where_they_are_known() {
    let mut world = world(|server| {
        server.of("/").on_disconnect(|socket, reason| {
            let detail = socket.end_detail().unwrap_or("nothing").to_owned();
            socket.app.note(format!("{reason}: {detail}"));
        });
    });
    let ends: [fn(&mut World<Diary>, u32); 5] = [
        |world, conn| world.frame(conn, 0x88, b"\x03\xe9going away"),
        |world, conn| world.frame(conn, 0x88, b""),
        |world, conn| world.frame(conn, 0xc1, b"42[]"),
        |world, conn| world.say(conn, "49"),
        |world, conn| world.say(conn, "41"),
    ];
    for end in ends {
        let (conn, _) = world.socket("/");
        end(&mut world, conn);
    }
    let diary = world.diary();
    assert_eq!(diary[0], "transport close: closed with 1001: going away");
    assert_eq!(diary[1], "transport close: closed without a code");
    assert!(diary[2].starts_with("transport error: "), "{}", diary[2]);
    assert!(!diary[2].ends_with("nothing"), "{}", diary[2]);
    assert_eq!(diary[3], "parse error: unknown packet type 9");
    assert_eq!(diary[4], "client namespace disconnect: nothing");
    assert!(
        world.server.core.details.iter().next().is_none(),
        "nothing is kept"
    );
}

#[test]
fn all_numbers_are_in_one_place() {
    let mut world = world(|server| {
        server.of("/").on_connect(|socket| socket.join("room")).on(
            "ask",
            |socket, (): (), _ack| {
                socket.emit_with_raw_ack("q", &(), SECOND, |_, _| {});
                socket
                    .everyone()
                    .emit_with_acks("q", &(), SECOND, |_, _| {});
            },
        );
    });
    polling(&mut world);
    let (conn, _) = world.socket("/");
    world.say(conn, "42[\"ask\"]");
    let half = "51-[\"a\",{\"_placeholder\":true,\"num\":0}]";
    world.say(conn, &format!("4{half}"));
    let metrics = world.server.with(|context| context.io.metrics());
    assert_eq!((metrics.connections, metrics.sessions), (2, 2));
    assert_eq!((metrics.sessions_polling, metrics.sockets), (1, 1));
    assert_eq!((metrics.namespaces, metrics.rooms), (1, 2));
    assert_eq!((metrics.acks_awaited, metrics.gatherings), (1, 1));
    assert_eq!(metrics.assembling_bytes, half.len());
    assert_eq!((metrics.queued_bytes, metrics.jobs), (0, 0));
    assert_eq!(metrics.engine.received, 3);
    assert_eq!(
        metrics.engine.received_bytes,
        ("0".len() + "2[\"ask\"]".len() + half.len()) as u64
    );
    assert!(metrics.engine.sent_bytes > 0 && metrics.server.requests == 2);
    world.now.mono = world.now.mono + SECOND * 3;
    world.turn();
    let lag = world.server.with(|context| context.io.metrics()).lag;
    assert!(lag.last >= SECOND && lag.most == lag.last, "{lag:?}");
    world.turn();
    for millis in [3, 20, 7] {
        Service::turned(&mut world.server, Duration::from_millis(millis));
    }
    let turns = world.server.with(|context| context.io.metrics()).turns;
    let (last, most) = (Duration::from_millis(7), Duration::from_millis(20));
    assert_eq!((turns.count, turns.last, turns.most), (3, last, most));
    let text = serde_json::to_value(world.server.with(|context| context.io.metrics())).unwrap();
    assert_eq!(text["server"]["refusals"]["forbidden"], 0);
}
