//! A server as bytes, and another one made of them.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use super::*;
use crate::reactor::lanes::Worker;
use crate::reactor::{ConnId, ListenerId, Peer, Service};
use crate::server::properties::{Thawed, thaw as thaw_changed};
use crate::socketio::SocketId;
use crate::time::{Now, Time};

struct Desk;
impl Worker for Desk {}

/// Everything that can wait, and a socket's own data.
struct Town {
    notes: Vec<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Pocket {
    value: u64,
}

impl App for Town {
    type Data = Pocket;
}

fn describe(server: &mut Server<Town>) {
    let lane = server.lane("desk", 8, || Desk);
    server
        .of("/")
        .on("put", |socket, (value,): (u64,), ack| {
            socket.data_mut().value = value;
            socket.join("room");
            ack.send(&mut socket.io, &value);
        })
        .on("look", |socket, (): (), ack| {
            let held = (socket.data().value, socket.rooms().len());
            ack.send(&mut socket.io, &held);
        })
        .on("all", |socket, (): (), _ack| {
            socket.to("room").emit("said", &());
        })
        .on("wait", move |socket, (): (), ack| {
            let id = socket.id();
            socket.io.run(
                lane,
                |_| (),
                move |context, outcome| {
                    context.app.notes.push(format!("job {outcome:?}"));
                    ack.send(&mut context.io, &"again later");
                },
            );
            socket.emit_with_ack("question", &(), SECOND, |socket, answer: Result<(), _>| {
                socket.app.notes.push(format!("answer {answer:?}"));
            });
            socket
                .broadcast()
                .emit_with_acks("all of you", &(), SECOND, |context, gathered| {
                    context
                        .app
                        .notes
                        .push(format!("gathered {:?}", gathered.end));
                });
            socket
                .io
                .after(SECOND, move |context| {
                    context.app.notes.push(format!("never {id}"));
                })
                .unwrap();
        });
    server
        .of("/door")
        .authorize(|socket, _: Value| {
            let id = socket.id();
            socket.app.notes.push(format!("asked {id}"));
            Verdict::Later { within: SECOND * 5 }
        })
        .on_connect(|socket| socket.app.notes.push("in".into()));
    server.route(Method::Get, "/later", |_| Answer::Later);
    server.raw("/raw/").on_message(|session, message| {
        session.send(message);
    });
}

fn town() -> World<Town> {
    World::new(Town { notes: Vec::new() }, describe)
}

/// Freezes the server, and puts a new one with the same application in its place, by a clock that stands elsewhere.
fn freeze_and_thaw(world: &mut World<Town>) {
    let bytes = world.freeze();
    let app = Town {
        notes: world.notes(),
    };
    let mut server = Server::with_seed(Config::default(), app, [9; 32]);
    describe(&mut server);
    world.now.mono = world.now.mono + SECOND * 1000;
    server.thaw(world.now, &bytes).unwrap();
    world.server = server;
    world.turn();
}

impl World<Town> {
    /// Freezes, as soon as there is nothing to be said.
    fn freeze(&mut self) -> Vec<u8> {
        loop {
            match self.server.freeze(self.now) {
                Ok(bytes) => return bytes,
                Err(FreezeError::Unsaid) => self.turn(),
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.server.app.notes)
    }
}

#[test]
fn sockets_rooms_and_data_are_there_after_a_thaw_and_nobody_is_told() {
    let mut world = town();
    let (first, id) = world.socket("/");
    let (second, _) = world.socket("/");
    for conn in [first, second] {
        world.say(conn, "421[\"put\",7]");
        assert_eq!(world.heard(conn), ["431[7]"]);
    }
    freeze_and_thaw(&mut world);
    world.say(first, "422[\"look\"]");
    assert_eq!(world.heard(first), ["432[7,2]"]);
    world.say(second, "42[\"all\"]");
    assert_eq!(world.heard(first), ["42[\"said\"]"]);
    let found = world
        .server
        .core
        .sockets
        .find(SocketId::parse(&id).unwrap());
    assert!(found.is_some());
    assert_eq!(world.notes(), [""; 0]);
    assert_eq!(world.server.core.counters.connections, 2);
}

#[test]
fn what_waits_as_a_closure_is_interrupted_or_dropped_before_a_freeze() {
    let mut world = town();
    let (conn, _) = world.socket("/");
    world.socket("/");
    world.say(conn, "424[\"wait\"]");
    let later = world.connect();
    world.ask(later, "GET", "/later", "", "");
    world.heard(conn);
    freeze_and_thaw(&mut world);
    assert_eq!(
        world.notes(),
        [
            "job Err(Interrupted)",
            "answer Err(Interrupted)",
            "gathered Interrupted"
        ]
    );
    assert_eq!(world.heard(conn), ["434[\"again later\"]"]);
    assert_eq!(
        world.answer(later),
        Some((503, "Service Unavailable\n".into()))
    );
    // What comes home late, and an answer to the old question, find nobody.
    world.run_jobs(&mut Desk);
    world.say(conn, "430[]");
    world.wait(SECOND * 3);
    assert_eq!(world.notes(), [""; 0]);
    world.say(conn, "425[\"look\"]");
    assert_eq!(world.heard(conn), ["435[0,1]"]);
}

#[test]
fn a_step_that_said_later_is_asked_again_and_has_its_whole_time() {
    let mut world = town();
    let conn = world.websocket();
    world.say(conn, "40/door,");
    world.wait(SECOND * 4);
    freeze_and_thaw(&mut world);
    let notes = world.notes();
    assert_eq!((notes.len(), &notes[0]), (2, &notes[1]));
    world.wait(SECOND * 4);
    let id = SocketId::parse(notes[0].strip_prefix("asked ").unwrap()).unwrap();
    world
        .server
        .with(|context| context.io.decide(id, Verdict::Accept));
    world.turn();
    assert_eq!(world.notes(), ["in"]);
}

#[test]
fn a_deadline_keeps_its_distance_by_the_new_clock() {
    let mut world = town();
    let half = world.connect();
    world.receive(half, b"GET /later HTTP/1.1\r\nHost:");
    world.wait(SECOND * 9);
    freeze_and_thaw(&mut world);
    world.wait(SECOND / 2);
    assert!(!world.is_closed(half));
    world.wait(SECOND);
    assert!(world.sent(half).starts_with("HTTP/1.1 408 "));
}

#[test]
fn a_thawed_raw_session_finds_its_path() {
    let mut world = town();
    let conn = world.connect();
    world.upgrade(conn, "/raw/?EIO=4&transport=websocket", "");
    world.sent(conn);
    freeze_and_thaw(&mut world);
    world.say(conn, "4echo");
    assert_eq!(world.heard(conn), ["4echo"]);
}

#[test]
fn a_server_that_ends_cannot_be_frozen() {
    let mut world = town();
    world.socket("/");
    world.ask_to_stop();
    assert!(matches!(
        world.server.freeze(world.now),
        Err(FreezeError::Stopping)
    ));
}

fn thaw(bytes: &[u8]) -> Result<Server<Town>, ThawError> {
    let mut server = Server::with_seed(Config::default(), Town { notes: vec![] }, [5; 32]);
    describe(&mut server);
    server.thaw(Now::default(), bytes).map(|()| server)
}

/// A server with something of everything.
fn busy() -> Vec<u8> {
    let mut world = town();
    let (conn, _) = world.socket("/");
    world.say(conn, "421[\"put\",7]");
    world.say(conn, "40/door,");
    world.say(conn, "451-[\"put\",{\"_placeholder\":true,\"num\":0}]");
    let (stuck, _) = world.socket("/");
    world.refuse(stuck, 10);
    world.say(stuck, "421[\"put\",7]");
    let (_, body) = world.request("GET", "/socket.io/?EIO=4&transport=polling", "");
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", &body[9..29]);
    let parked = world.connect();
    world.ask(parked, "GET", &path, "", "");
    for begun in [
        &b"GET / HTTP/1.1\r\nHo"[..],
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
    ] {
        let conn = world.connect();
        world.receive(conn, begun);
    }
    world.freeze()
}

#[test]
fn bytes_that_are_not_a_whole_frozen_server_are_refused_whatever_is_wrong() {
    let bytes = busy();
    assert!(thaw(&bytes).is_ok());
    for end in 0..bytes.len() {
        assert!(thaw(&bytes[..end]).is_err(), "cut at {end}");
    }
    let mut wrong = bytes.clone();
    for at in 0..bytes.len() {
        wrong[at] ^= 0x41;
        let error = thaw(&wrong).err();
        match at {
            0..8 => assert!(matches!(error, Some(ThawError::NotFrozen)), "at {at}"),
            8..12 => assert!(matches!(error, Some(ThawError::Version { .. })), "at {at}"),
            _ => assert!(matches!(error, Some(ThawError::Damaged)), "at {at}"),
        }
        wrong[at] = bytes[at];
    }
}

/// The checksum is no lock: what lies behind it may be anything, and is still read without a panic.
#[test]
fn a_state_that_makes_no_sense_is_refused_or_borne() {
    let seed: u64 = rand::random_range(0..u64::MAX);
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut thawed = 0;
    for _ in 0..2000 {
        let changes: [u8; 4] = random.random();
        thawed += u32::from(thaw_changed(&changes) == Thawed::Borne);
    }
    assert!((100..1900).contains(&thawed), "{thawed} of 2000");
}

#[test]
fn a_server_that_knows_other_things_says_what_it_misses() {
    let bytes = busy();
    let mut server = Server::with_seed(Config::default(), Town { notes: vec![] }, [5; 32]);
    server.of("/");
    let error = server.thaw(Now::default(), &bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no namespace /door for its sockets"
    );

    let mut server = Server::with_seed(Config::default(), (), [5; 32]);
    server.of("/");
    server.of("/door");
    let error = server.thaw(Now::default(), &bytes).unwrap_err();
    assert!(matches!(error, ThawError::Data(_)), "{error}");

    let mut server = thaw(&bytes).ok().unwrap();
    let now = Now {
        mono: Time(5),
        ..Now::default()
    };
    assert!(matches!(server.thaw(now, &bytes), Err(ThawError::InUse)));
}

#[test]
fn a_new_connection_after_a_thaw_has_ids_of_its_own() {
    let bytes = busy();
    let mut server = thaw(&bytes).ok().unwrap();
    let before = server.core.sockets.len();
    let conn = ConnId::from_parts(500, 900);
    let peer = Peer::Tcp(([127, 0, 0, 1], 5000).into());
    server.accepted(Now::default(), ListenerId(0), conn, peer);
    let mut head = *b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n";
    server.received(Now::default(), conn, &mut head);
    assert_eq!(server.core.sockets.len(), before);
    assert_eq!(server.core.engine.len(), 4);
}
