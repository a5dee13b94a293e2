//! Clients of Socket.IO 2.x: what they are told, and that they are in the same rooms as everybody.

use super::*;
use crate::config::Config;

fn world(describe: impl FnOnce(&mut Server<Diary>)) -> World<Diary> {
    let mut config = Config::default();
    config.engine.allow_eio3 = true;
    World::with(config, Diary::default(), describe)
}

/// An older client by WebSocket; gives its connection, its session's id, and what it heard after that.
fn older(world: &mut World<Diary>, query: &str) -> (u32, String, Vec<String>) {
    let conn = world.connect();
    world.upgrade(
        conn,
        &format!("/socket.io/?EIO=3&transport=websocket{query}"),
        "",
    );
    assert!(world.take_head(conn).starts_with("HTTP/1.1 101 "));
    let mut heard = world.heard(conn);
    let open = heard.remove(0);
    assert!(open.starts_with("0{\"sid\":\""), "{open}");
    (conn, open[9..29].to_owned(), heard)
}

fn tells_everybody(server: &mut Server<Diary>) {
    for name in ["/", "/foo"] {
        server
            .of(name)
            .authorize(|socket, auth: Value| {
                socket.app.note(auth.to_string());
                Verdict::Accept
            })
            .on("to", |socket, (room, text): (String, String), _ack| {
                socket.to(&room).emit("news", &(text,));
            });
    }
}

#[test]
fn without_leave_they_are_refused() {
    let mut world = super::world(tells_everybody);
    let (status, body) = world.request("GET", "/socket.io/?EIO=3&transport=polling", "");
    assert_eq!(status, 400);
    assert_eq!(
        body,
        "{\"code\":5,\"message\":\"Unsupported protocol version\"}"
    );
}

#[test]
fn they_are_in_the_main_namespace_unasked_under_the_id_of_their_session() {
    let mut world = world(tells_everybody);
    let (_, sid, heard) = older(&mut world, "");
    assert_eq!(heard, ["40"]);
    assert_eq!(world.diary(), ["{}"]);
    let id = crate::socketio::SocketId::parse(&sid).unwrap();
    assert!(world.server.core.sockets.find(id).is_some());
    assert!(world.server.core.connect_timers.iter().next().is_none());
}

#[test]
fn a_query_string_says_who_they_are() {
    let mut world = world(tells_everybody);
    let (conn, _, _) = older(&mut world, "");
    world.say(conn, "40/foo?token=a%20b&n=1");
    assert_eq!(world.heard(conn), ["40/foo,"]);
    assert_eq!(world.diary(), ["{}", "{\"n\":\"1\",\"token\":\"a b\"}"]);
    world.say(conn, "42/foo,[\"to\",\"nobody\",\"\"]");
    world.say(conn, "41/foo,");
    world.say(conn, "40/foo");
    assert_eq!(world.heard(conn), ["40/foo,"]);
}

#[test]
fn a_message_finds_them_by_the_id_that_they_gave_themselves() {
    let mut world = world(tells_everybody);
    let (conn, sid, _) = older(&mut world, "");
    world.say(conn, "40/foo");
    world.heard(conn);
    for (namespace, place, known_as) in [
        ("/", "", sid.clone()),
        ("/foo", "/foo,", format!("/foo#{sid}")),
    ] {
        let (other, _) = world.socket(namespace);
        world.say(
            other,
            &format!("42{place}[\"to\",\"{known_as}\",\"hello\"]"),
        );
        assert_eq!(
            world.heard(conn),
            [format!("42{place}[\"news\",\"hello\"]")]
        );
    }
}

#[test]
fn a_refusal_is_its_bare_message_or_its_bare_data() {
    let mut world = world(|server| {
        server
            .of("/")
            .authorize(|_, _: Value| Verdict::refuse("no \"entry\""));
        server.of("/foo").authorize(|_, _: Value| Verdict::Refuse {
            message: "no".into(),
            data: Some(json!({ "code": 1 })),
        });
    });
    let (conn, _, heard) = older(&mut world, "");
    assert_eq!(heard, ["44\"no \\\"entry\\\"\""]);
    world.say(conn, "40/foo");
    world.say(conn, "40/nowhere");
    assert_eq!(
        world.heard(conn),
        [
            "44/foo,{\"code\":1}",
            "44/nowhere,{\"message\":\"Invalid namespace\"}"
        ]
    );
}

#[test]
fn bytes_go_both_ways_between_the_revisions() {
    let mut world = world(|server| {
        server.of("/").on_raw(
            "say",
            |socket, args: crate::socketio::args::Args<'_>, _ack| {
                socket.everyone().emit("said", &args);
            },
        );
    });
    let (conn, _, _) = older(&mut world, "");
    let (today, _) = world.socket("/");
    world.say(conn, "451-[\"say\",{\"_placeholder\":true,\"num\":0}]");
    world.frame(conn, 0x82, &[4, b'x']);
    let header = "451-[\"said\",{\"_placeholder\":true,\"num\":0}]";
    assert_eq!(world.heard(conn), [header, "\u{4}x"]);
    assert_eq!(world.heard(today), [header, "x"]);
}

#[test]
fn posts_are_read_as_their_revision_writes_them() {
    let mut world = world(tells_everybody);
    let path = "/socket.io/?EIO=3&transport=polling";
    let (_, body) = world.request("GET", path, "");
    let (length, packet) = body.split_once(':').unwrap();
    assert_eq!(length.parse(), Ok(packet.len()));
    let path = format!("{path}&sid={}", &packet[9..29]);
    assert_eq!(world.request("GET", &path, ""), (200, "2:40".into()));
    assert_eq!(
        world.request("POST", &path, "6:40/foo1:2"),
        (200, "ok".into())
    );
    assert_eq!(
        world.request("GET", &path, ""),
        (200, "7:40/foo,1:3".into())
    );

    let conn = world.connect();
    let octets = "Content-Type: application/octet-stream\r\n";
    world.ask(conn, "POST", &path, octets, "\0\x07\u{7f}");
    assert_eq!(world.answer(conn).unwrap().0, 400, "no such length");
    assert_eq!(
        world.request("GET", &path, "").0,
        400,
        "the session has ended"
    );
}

#[test]
fn a_post_of_many_packets_is_read_over_several_turns() {
    let mut config = Config::default();
    config.engine.allow_eio3 = true;
    config.engine.packets_per_turn_max = 2;
    let mut world = World::with(config, Diary::default(), |server| {
        server.of("/").on("n", |socket, (n,): (u32,), _ack| {
            socket.app.note(n.to_string())
        });
    });
    let path = "/socket.io/?EIO=3&transport=polling";
    let (_, body) = world.request("GET", path, "");
    let sid = body.split_once(':').unwrap().1[9..29].to_owned();
    let body: String = (0..5).map(|n| format!("9:42[\"n\",{n}]")).collect();
    let conn = world.connect();
    world.ask(conn, "POST", &format!("{path}&sid={sid}"), "", &body);
    assert_eq!(world.diary(), ["0", "1"]);
    assert_eq!(world.answer(conn), None);
    world.turn();
    world.turn();
    assert_eq!(world.diary(), ["2", "3", "4"]);
    assert_eq!(world.answer(conn), Some((200, "ok".into())));
}
