//! A server whose packets are MessagePack: the same lives, in other bytes.

use super::*;
use crate::config::Parser;
use crate::socketio::args::Binary;
use crate::socketio::msgpack;
use crate::socketio::packet::Kind;

fn world(describe: impl FnOnce(&mut Server<Diary>)) -> World<Diary> {
    let mut config = Config::default();
    config.socketio.parser = Parser::MessagePack;
    World::with(config, Diary::default(), describe)
}

/// The packets in the frames a client has got: kind, namespace, number and data, attachments as their lengths.
fn heard(world: &mut World<Diary>, conn: u32) -> Vec<String> {
    let sent = world.bytes_sent(conn);
    let mut heard = Vec::new();
    let mut rest = &sent[..];
    while let [first, length, ..] = *rest {
        let (header, length) = match length {
            126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
            short => (2, usize::from(short)),
        };
        let payload = &rest[header..header + length];
        rest = &rest[header + length..];
        if first != 0x82 {
            heard.push(String::from_utf8_lossy(payload).into_owned());
            continue;
        }
        let complete = msgpack::decode(payload, &Config::default().socketio).unwrap();
        let packet = complete.packet();
        heard.push(format!(
            "{:?} {} {:?} {} {:?}",
            packet.kind,
            packet.namespace,
            packet.id,
            packet.data.unwrap_or("-"),
            complete
                .attachments()
                .iter()
                .map(bytes::Bytes::len)
                .collect::<Vec<_>>()
        ));
    }
    heard
}

fn say(
    world: &mut World<Diary>,
    conn: u32,
    kind: Kind,
    namespace: &str,
    id: Option<u64>,
    data: Option<&str>,
    attachments: &[bytes::Bytes],
) {
    let packet = msgpack::encode(kind, namespace, id, data, attachments);
    world.frame(conn, 0x82, &packet);
}

fn describe(server: &mut Server<Diary>) {
    server
        .of("/")
        .on("echo", |socket, (text, bytes): (String, Binary), ack| {
            socket.emit("heard", &(&text, &bytes));
            ack.send(&mut socket.io, &(bytes, text));
        })
        .on("ask", |socket, (): (), _ack| {
            socket.emit_with_ack("q", &1, SECOND, |socket, answer: Result<(f64,), _>| {
                let line = answer.map_or_else(|error| error.to_string(), |(n,)| n.to_string());
                socket.app.note(line);
            });
        })
        .on("go", |socket, (): (), _ack| socket.disconnect())
        .on_disconnect(|socket, reason| {
            let detail = socket.end_detail().unwrap_or("-").to_owned();
            socket.app.note(format!("{reason}: {detail}"));
        });
    server.of("/no").authorize(|_, _: Value| Verdict::Refuse {
        message: "no".to_owned(),
        data: Some(json!({ "n": 1.5 })),
    });
}

#[test]
fn a_socket_lives_its_life_in_messagepack() {
    let mut world = world(describe);
    let conn = world.websocket();
    say(&mut world, conn, Kind::Connect, "/", None, None, &[]);
    let connected = heard(&mut world, conn).pop().unwrap();
    assert!(
        connected.starts_with("Connect / None {\"sid\":\""),
        "{connected}"
    );
    let bytes = bytes::Bytes::from(vec![0, 1, 255]);
    let data = "[\"echo\",\"é\",{\"_placeholder\":true,\"num\":0}]";
    say(
        &mut world,
        conn,
        Kind::Event,
        "/",
        Some(7),
        Some(data),
        &[bytes],
    );
    assert_eq!(
        heard(&mut world, conn),
        [
            "Event / None [\"heard\",\"é\",{\"_placeholder\":true,\"num\":0}] [3]",
            "Ack / Some(7) [{\"_placeholder\":true,\"num\":0},\"é\"] [3]",
        ]
    );
    say(
        &mut world,
        conn,
        Kind::Event,
        "/",
        None,
        Some("[\"ask\"]"),
        &[],
    );
    assert_eq!(heard(&mut world, conn), ["Event / Some(0) [\"q\",1] []"]);
    say(
        &mut world,
        conn,
        Kind::Ack,
        "/",
        Some(0),
        Some("[2.5]"),
        &[],
    );
    assert_eq!(world.diary(), ["2.5"]);
    for namespace in ["/no", "/nowhere"] {
        say(
            &mut world,
            conn,
            Kind::Connect,
            namespace,
            None,
            Some("{}"),
            &[],
        );
    }
    assert_eq!(
        heard(&mut world, conn),
        [
            "ConnectError /no None {\"message\":\"no\",\"data\":{\"n\":1.5}} []",
            "ConnectError /nowhere None {\"message\":\"Invalid namespace\"} []",
        ]
    );
    say(
        &mut world,
        conn,
        Kind::Event,
        "/",
        None,
        Some("[\"go\"]"),
        &[],
    );
    assert_eq!(heard(&mut world, conn), ["Disconnect / None - []"]);
    assert_eq!(world.diary(), ["server namespace disconnect: -"]);
}

#[test]
fn what_is_no_packet_of_messagepack_ends_its_session() {
    let ends: [fn(&mut World<Diary>, u32); 3] = [
        |world, conn| world.say(conn, "42[\"ask\"]"),
        |world, conn| world.frame(conn, 0x82, &[0xc1]),
        |world, conn| world.frame(conn, 0x82, &[0xdf, 0xff, 0xff, 0xff, 0xff]),
    ];
    for end in ends {
        let mut world = world(describe);
        let conn = world.websocket();
        say(&mut world, conn, Kind::Connect, "/", None, None, &[]);
        end(&mut world, conn);
        assert_eq!(world.diary(), ["parse error: no packet of MessagePack"]);
        assert!(world.is_closed(conn));
    }
}

#[test]
fn by_long_polling_each_packet_is_a_message_of_base64() {
    let mut world = world(describe);
    let (_, body) = world.request("GET", "/socket.io/?EIO=4&transport=polling", "");
    let sid = &body["0{\"sid\":\"".len()..][..20];
    let url = format!("/socket.io/?EIO=4&transport=polling&sid={sid}");
    let packet = msgpack::encode(Kind::Connect, "/", None, None, &[]);
    let packet = format!("b{}", data_encoding::BASE64.encode(&packet));
    assert_eq!(world.request("POST", &url, &packet).1, "ok");
    let (_, body) = world.request("GET", &url, "");
    let bytes = data_encoding::BASE64.decode(&body.as_bytes()[1..]).unwrap();
    let complete = msgpack::decode(&bytes, &Config::default().socketio).unwrap();
    assert_eq!(complete.packet().kind, Kind::Connect);
}
