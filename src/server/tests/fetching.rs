//! Who is there: rooms by the dozen, counts, sockets as plain data, and what is not to be compressed.

use super::*;
use crate::server::RemoteSocket;

fn company<const N: usize>(world: &mut World<Diary>) -> [(u32, String); N] {
    let all = std::array::from_fn(|_| world.socket("/"));
    world.diary();
    all
}

#[test]
fn several_rooms_are_joined_and_left_at_once_and_all_of_them() {
    let mut world = world(|server| {
        server
            .of("/")
            .on("join", |socket, (rooms,): (Vec<String>,), _ack| {
                socket.join_each(rooms);
            })
            .on("leave", |socket, (rooms,): (Vec<String>,), _ack| {
                socket.leave_each(rooms);
            })
            .on("leave all", |socket, (): (), _ack| socket.leave_all())
            .on("all join", |socket, (): (), _ack| {
                socket.everyone().join_each(&["x", "y"]);
                socket.everyone().to("y").leave_each(&["x", "none"]);
            })
            .on("all leave", |socket, (): (), _ack| {
                socket.everyone().leave_all();
            })
            .on("rooms", |socket, (): (), ack| {
                let rooms = socket.rooms();
                ack.send(&mut socket.io, &(rooms,));
            });
    });
    let [(conn, id), (other, other_id)] = company(&mut world);
    let mut rooms_after = |conn, says: &[&str]| {
        for text in says {
            world.say(conn, text);
        }
        world.say(conn, "421[\"rooms\"]");
        world.heard(conn).pop().unwrap()
    };
    assert_eq!(
        rooms_after(conn, &["42[\"join\",[\"a\",\"b\",\"a\"]]"]),
        format!("431[[\"{id}\",\"a\",\"b\"]]")
    );
    assert_eq!(
        rooms_after(conn, &["42[\"leave\",[\"b\",\"none\"]]"]),
        format!("431[[\"{id}\",\"a\"]]")
    );
    assert_eq!(rooms_after(conn, &["42[\"leave all\"]"]), "431[[]]");
    assert_eq!(
        rooms_after(other, &["42[\"all join\"]"]),
        format!("431[[\"{other_id}\",\"y\"]]")
    );
    assert_eq!(rooms_after(conn, &[]), "431[[\"y\"]]");
    assert_eq!(rooms_after(other, &["42[\"all leave\"]"]), "431[[]]");
    assert_eq!(rooms_after(conn, &[]), "431[[]]");
}

#[test]
fn who_has_left_all_rooms_still_hears_what_is_said_to_everybody() {
    let mut world = world(|server| {
        server.of("/").on("go", |socket, (): (), _ack| {
            let id = socket.id();
            socket.leave_all();
            socket.everyone().to(id.as_str()).emit("to me", &());
            socket.everyone().emit("to all", &());
        });
    });
    let [(conn, _)] = company(&mut world);
    world.say(conn, "42[\"go\"]");
    assert_eq!(world.heard(conn), ["42[\"to all\"]"]);
}

#[test]
fn rooms_and_sockets_are_counted_by_namespace() {
    let mut world = world(|server| {
        server.of("/").on_connect(|socket| socket.join("room"));
        server.of("/other");
    });
    let [(conn, _), _, _] = company(&mut world);
    world.socket("/other");
    let count = |world: &mut World<Diary>, namespace: &str| {
        world.server.with(|context| {
            let io = &context.io;
            (
                io.room_size(namespace, "room"),
                io.room_count(namespace),
                io.socket_count(namespace),
            )
        })
    };
    assert_eq!(count(&mut world, "/"), (3, 4, 3));
    assert_eq!(count(&mut world, "/other"), (0, 1, 1));
    assert_eq!(count(&mut world, "/nowhere"), (0, 0, 0));
    world.say(conn, "41");
    assert_eq!(count(&mut world, "/"), (2, 3, 2));
}

/// An application whose sockets have names.
#[derive(Default)]
struct Guests(Vec<String>);

impl App for Guests {
    type Data = String;
}

#[test]
fn sockets_are_fetched_as_plain_data_after_the_handler_that_asked() {
    let mut world = World::new(Guests::default(), |server: &mut Server<Guests>| {
        server
            .of("/")
            .authorize(|socket, auth: Value| {
                socket.join("tables");
                *socket.data_mut() = auth["name"].as_str().unwrap().to_owned();
                Verdict::Accept
            })
            .on("who", |socket, (room,): (String,), _ack| {
                let company = socket.everyone().to(&room);
                company.fetch_sockets(SECOND, |context, fetched| {
                    assert!(fetched.is_complete());
                    for socket in &fetched.sockets {
                        let text = serde_json::to_string(socket).unwrap();
                        let carried: RemoteSocket = serde_json::from_str(&text).unwrap();
                        assert_eq!(carried.raw_data(), socket.raw_data());
                        assert_eq!(carried.rooms, socket.rooms);
                        let handshake = carried.handshake.as_ref().unwrap();
                        assert_eq!(handshake.query_value("EIO").unwrap(), "4");
                        let name: &str = carried.data().unwrap();
                        assert_eq!(&*carried.namespace, "/");
                        let rooms = carried.rooms.len();
                        context.app.0.push(format!("{} {name} {rooms}", carried.id));
                    }
                });
                *socket.data_mut() = "renamed".to_owned();
                socket.app.0.push("asked".to_owned());
            });
    });
    let conns = [world.websocket(), world.websocket()];
    for (conn, name) in conns.iter().zip(["a", "b"]) {
        world.say(*conn, &format!("40{{\"name\":\"{name}\"}}"));
    }
    world.say(conns[1], "42[\"who\",\"tables\"]");
    let mut told = std::mem::take(&mut world.server.app.0);
    assert_eq!(told.remove(0), "asked");
    let mut known: Vec<_> = told.iter().map(|line| &line[21..]).collect();
    known.sort_unstable();
    assert_eq!(known, ["a 2", "b 2"], "as it was when it was asked");
    world.say(conns[1], "42[\"who\",\"nowhere\"]");
    assert_eq!(world.server.app.0, ["asked"]);
}

#[test]
fn without_compress_an_event_may_be_compressed_and_with_false_it_is_not() {
    let mut config = Config::default();
    config.engine.websocket_compression = true;
    let mut world = World::with(config, Diary::default(), |server| {
        server.of("/").on("all", |socket, (): (), _ack| {
            let text = "x".repeat(2000);
            socket.emit("a", &text);
            socket.compress(false).emit("b", &text);
            socket.compress(true).volatile().emit("c", &text);
            socket.everyone().emit("d", &text);
            socket.everyone().compress(false).emit("e", &text);
            socket.siblings().compress(false).emit("f", &text);
            socket
                .compress(false)
                .emit_with_ack("g", &text, SECOND, |socket, answer| {
                    let line =
                        answer.map_or_else(|error| error.to_string(), |(line,): (String,)| line);
                    socket.app.note(line);
                });
        });
    });
    let conn = world.connect();
    world.upgrade(
        conn,
        "/socket.io/?EIO=4&transport=websocket",
        "Sec-WebSocket-Extensions: permessage-deflate\r\n",
    );
    world.say(conn, "40");
    world.bytes_sent(conn);
    world.say(conn, "42[\"all\"]");
    let sent = world.bytes_sent(conn);
    let mut kinds = Vec::new();
    let mut rest = &sent[..];
    while let [first, length, ..] = *rest {
        kinds.push(first);
        let (header, length) = match length {
            126 => (4, usize::from(u16::from_be_bytes([rest[2], rest[3]]))),
            short => (2, usize::from(short)),
        };
        rest = &rest[header + length..];
    }
    let (deflated, plain) = (0xc1, 0x81);
    assert_eq!(
        kinds,
        [deflated, plain, deflated, deflated, plain, plain, plain]
    );
    world.say(conn, "430[\"heard\"]");
    assert_eq!(world.diary(), ["heard"]);
}
