//! Who comes back in time is who he was, and hears what he missed.

use serde::Deserialize;

use super::*;
use crate::config::{Recovery, SocketIo};
use crate::socketio::SocketId;

/// A socket's own data.
#[derive(Default, Serialize, Deserialize)]
struct Pocket {
    value: u64,
}

#[derive(Default)]
struct Town {
    notes: Vec<String>,
    is_closed: bool,
}

impl App for Town {
    type Data = Pocket;
}

fn describe(server: &mut Server<Town>) {
    for namespace in ["/", "/other"] {
        server
            .of(namespace)
            .authorize(|socket, _: Value| {
                let recovered = socket.recovered();
                socket.app.notes.push(format!("asked {recovered:?}"));
                match socket.app.is_closed {
                    true => Verdict::refuse("closed"),
                    false => Verdict::Accept,
                }
            })
            .on("put", |socket, (value, room): (u64, String), _ack| {
                socket.data_mut().value = value;
                socket.join(&room);
            })
            .on("look", |socket, (): (), ack| {
                let mut rooms = socket.rooms();
                rooms.sort_unstable_by_key(String::len);
                let held = (
                    socket.data().value,
                    rooms,
                    socket.recovered() == Recovered::Yes,
                );
                ack.send(&mut socket.io, &held);
            })
            .on("all", |socket, (text,): (String,), _ack| {
                socket.broadcast().emit("said", &text)
            })
            .on("room", |socket, (room, text): (String, String), _ack| {
                socket.to(&room).except("deaf").emit("said", &text);
            })
            .on("one", |socket, (id, text): (String, String), _ack| {
                let id = SocketId::parse(&id).unwrap();
                socket.io.emit_to(id, "said", &text);
            })
            .on("volatile", |socket, (): (), _ack| {
                socket.broadcast().volatile().emit("said", &"lost")
            })
            .on("leave", |socket, (): (), _ack| socket.disconnect())
            .on_disconnect(|socket, reason| socket.app.notes.push(reason.to_string()));
    }
}

fn town(change: impl FnOnce(&mut Recovery)) -> World<Town> {
    let mut config = Config::default();
    let mut recovery = Recovery::default();
    change(&mut recovery);
    config.socketio.recovery = Some(recovery);
    World::with(config, Town::default(), describe)
}

/// A client that knows who it is.
struct Client {
    conn: u32,
    sid: String,
    pid: String,
}

impl World<Town> {
    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.server.app.notes)
    }

    fn enter(&mut self, claim: &str) -> (Vec<String>, Client) {
        let conn = self.websocket();
        self.say(conn, &format!("40{claim}"));
        let mut heard = self.heard(conn);
        let connect = heard.pop().unwrap();
        let said: Value =
            serde_json::from_str(connect.strip_prefix("40").expect("a CONNECT")).unwrap();
        let client = Client {
            conn,
            sid: said["sid"].as_str().unwrap().to_owned(),
            pid: said["pid"].as_str().unwrap().to_owned(),
        };
        (heard, client)
    }

    fn back(&mut self, client: &Client, offset: &str) -> (Vec<String>, Client) {
        let claim = json!({ "pid": client.pid, "offset": offset });
        self.enter(&claim.to_string())
    }
}

/// What a packet says, and the offset that it carries.
fn parts(packet: &str) -> (String, String) {
    let args: Vec<String> = serde_json::from_str(packet.strip_prefix("42").unwrap()).unwrap();
    let [_, text, offset] = args.try_into().unwrap();
    (text, offset)
}

/// Two clients, the first with something in its pocket and in a room; and the offset of what it has heard last.
fn scene(world: &mut World<Town>) -> (Client, Client, String) {
    let (_, ada) = world.enter("");
    let (_, bo) = world.enter("");
    world.say(ada.conn, "42[\"put\",7,\"room\"]");
    world.say(bo.conn, "42[\"all\",\"first\"]");
    let (text, offset) = parts(&world.heard(ada.conn)[0]);
    assert_eq!(text, "first");
    world.notes();
    (ada, bo, offset)
}

fn texts(packets: &[String]) -> Vec<String> {
    packets.iter().map(|packet| parts(packet).0).collect()
}

#[test]
fn who_was_cut_off_finds_id_rooms_and_data_and_hears_what_was_missed_first() {
    let mut world = town(|_| {});
    let (ada, bo, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    for says in [
        "42[\"all\",\"a\"]".to_owned(),
        "42[\"room\",\"room\",\"b\"]".to_owned(),
        "42[\"room\",\"other\",\"not for her\"]".to_owned(),
        format!("42[\"one\",\"{}\",\"c\"]", ada.sid),
        "42[\"volatile\"]".to_owned(),
    ] {
        world.say(bo.conn, &says);
    }
    world.wait(SECOND * 40);
    let (missed, again) = world.back(&ada, &offset);
    assert_eq!(texts(&missed), ["a", "b", "c"]);
    assert_eq!((&again.sid, &again.pid), (&ada.sid, &ada.pid));
    assert_eq!(world.notes(), ["transport close", "asked Yes"]);
    world.say(again.conn, "421[\"look\"]");
    assert_eq!(
        world.heard(again.conn),
        [format!("431[7,[\"room\",\"{}\"],true]", ada.sid)]
    );
    world.say(bo.conn, "42[\"room\",\"room\",\"d\"]");
    assert_eq!(texts(&world.heard(again.conn)), ["d"]);
    // And once more, from where it is now.
    let (_, offset) = parts(missed.last().unwrap());
    world.hang_up(again.conn);
    let (missed, _) = world.back(&again, &offset);
    assert_eq!(texts(&missed), ["d"]);
}

#[test]
fn what_one_said_oneself_was_not_missed() {
    let mut world = town(|_| {});
    let (ada, bo, offset) = scene(&mut world);
    world.say(ada.conn, "42[\"all\",\"mine\"]");
    assert_eq!(world.heard(bo.conn).len(), 1);
    world.hang_up(ada.conn);
    assert!(world.back(&ada, &offset).0.is_empty());
}

#[test]
fn who_left_or_was_sent_away_starts_anew() {
    for says in ["41", "42[\"leave\"]", "4x"] {
        let mut world = town(|_| {});
        let (ada, _, offset) = scene(&mut world);
        world.say(ada.conn, says);
        world.hang_up(ada.conn);
        let (missed, again) = world.back(&ada, &offset);
        assert!(
            missed.is_empty() && again.sid != ada.sid && again.pid != ada.pid,
            "{says}"
        );
        assert!(world.notes().contains(&"asked No(Unknown)".to_owned()));
    }
}

#[test]
fn an_offset_or_a_name_that_nobody_gave_is_told_and_starts_anew() {
    let mut world = town(|_| {});
    let (ada, _, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    world.notes();
    for (claim, outcome) in [
        (json!({}), "Fresh"),
        (json!({ "pid": ada.pid }), "Fresh"),
        (json!({ "pid": 1, "offset": 2 }), "Fresh"),
        (json!({ "pid": "x", "offset": offset }), "No(Unknown)"),
        (json!({ "pid": ada.sid, "offset": offset }), "No(Unknown)"),
        (json!({ "pid": ada.pid, "offset": "x" }), "No(Missed)"),
        (json!({ "pid": ada.pid, "offset": offset }), "Yes"),
        (json!({ "pid": ada.pid, "offset": offset }), "Yes"),
    ] {
        world.enter(&claim.to_string());
        assert_eq!(
            world.notes().last().unwrap(),
            &format!("asked {outcome}"),
            "{claim}"
        );
    }
}

#[test]
fn another_namespace_has_nothing_to_give_back() {
    let mut world = town(|_| {});
    let (ada, _, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    let conn = world.websocket();
    let claim = json!({ "pid": ada.pid, "offset": offset });
    world.say(conn, &format!("40/other,{claim}"));
    assert!(!world.heard(conn)[0].contains(&ada.sid));
}

#[test]
fn a_client_that_is_back_before_it_was_missed_takes_its_own_place() {
    let mut world = town(|_| {});
    let (ada, bo, offset) = scene(&mut world);
    world.say(bo.conn, "42[\"all\",\"into the void\"]");
    let (missed, again) = world.back(&ada, &offset);
    assert_eq!(texts(&missed), ["into the void"]);
    assert_eq!(again.sid, ada.sid);
    assert_eq!(world.heard(ada.conn).last().unwrap(), "close 1000");
    assert_eq!(world.notes(), ["transport close", "asked Yes"]);
    world.say(bo.conn, "42[\"all\",\"once\"]");
    assert_eq!(texts(&world.heard(again.conn)), ["once"]);
}

#[test]
fn what_was_revoked_stays_revoked_unless_it_is_not_asked() {
    let mut world = town(|_| {});
    let (ada, _, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    world.server.app.is_closed = true;
    let conn = world.websocket();
    let claim = json!({ "pid": ada.pid, "offset": offset });
    world.say(conn, &format!("40{claim}"));
    assert_eq!(world.heard(conn), ["44{\"message\":\"closed\"}"]);

    let mut world = town(|recovery| recovery.authorize_again = false);
    let (ada, _, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    world.server.app.is_closed = true;
    let (_, again) = world.back(&ada, &offset);
    assert_eq!(again.sid, ada.sid);
    assert_eq!(world.notes(), ["transport close"]);
}

#[test]
fn whoever_takes_too_long_is_a_stranger() {
    let mut world = town(|recovery| recovery.within = SECOND * 10);
    let (ada, _, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    world.wait(SECOND * 11);
    assert_eq!(
        world.server.core.recovery.as_ref().unwrap().len(),
        1,
        "only bo is left"
    );
    let (_, again) = world.back(&ada, &offset);
    assert_ne!(again.sid, ada.sid);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut world = town(|recovery| recovery.log_bytes_max = 1000);
    let (ada, bo, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    for _ in 0..20 {
        world.say(bo.conn, "42[\"all\",\"again and again\"]");
    }
    let (missed, again) = world.back(&ada, &offset);
    assert!(missed.is_empty());
    assert_ne!(again.sid, ada.sid);
    assert_eq!(world.notes().last().unwrap(), "asked No(Missed)");

    let mut world = town(|recovery| recovery.away_max = 1);
    let (ada, bo, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    world.hang_up(bo.conn);
    assert_eq!(world.back(&ada, &offset).1.sid, ada.sid);
    assert_ne!(world.back(&bo, &offset).1.sid, bo.sid);
}

#[test]
fn a_frozen_server_knows_who_may_come_back() {
    let mut world = town(|_| {});
    let (ada, bo, offset) = scene(&mut world);
    world.hang_up(ada.conn);
    world.say(bo.conn, "42[\"all\",\"before\"]");
    let bytes = world.server.freeze(world.now).unwrap();
    let config = Config {
        socketio: SocketIo {
            recovery: Some(Recovery::default()),
            ..Default::default()
        },
        ..Default::default()
    };
    let mut server = Server::with_seed(config, Town::default(), [9; 32]);
    describe(&mut server);
    world.now.mono = world.now.mono + SECOND * 1000;
    server.thaw(world.now, &bytes).unwrap();
    world.server = server;
    world.turn();
    world.say(bo.conn, "42[\"all\",\"after\"]");
    let (missed, again) = world.back(&ada, &offset);
    assert_eq!(texts(&missed), ["before", "after"]);
    assert_eq!(again.sid, ada.sid);
    world.hang_up(again.conn);
    world.hang_up(bo.conn);
    world.wait(SECOND * 121);
    assert_eq!(world.server.core.recovery.as_ref().unwrap().len(), 0);
    assert_ne!(world.back(&ada, &offset).1.sid, ada.sid);
}

#[test]
fn without_recovery_there_is_neither_name_nor_offset() {
    let mut world = World::new(Town::default(), describe);
    let conn = world.websocket();
    world.say(
        conn,
        "40{\"pid\":\"abcdefghijklmnopqrst\",\"offset\":\"x\"}",
    );
    let connect = world.heard(conn).remove(0);
    assert!(
        connect.len() == "40{\"sid\":\"abcdefghijklmnopqrst\"}".len(),
        "{connect}"
    );
    let (other, _) = world.socket("/");
    world.say(other, "42[\"all\",\"x\"]");
    assert_eq!(world.heard(conn), ["42[\"said\",\"x\"]"]);
}
