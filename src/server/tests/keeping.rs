//! Recovery that a carrier sees to: events go around, sessions are given away and claimed.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use serde::Deserialize;

use super::*;
use crate::config::Recovery;
use crate::reactor::{ConnId, Tag};
use crate::server::cluster::{Values, Wish};
use crate::server::{
    Carried, Carrier, CarrierStatus, Claim, Here, KeptSession, MissedEvent, NotRecovered,
};
use crate::socketio::SocketId;
use crate::socketio::namespaces::Presence;
use crate::time::{Now, Time};

/// Keeps what it is told, for the test to carry.
#[derive(Default)]
struct Desk {
    said: VecDeque<Wish>,
    away: Vec<KeptSession>,
    claims: Vec<Claim>,
    wanted: VecDeque<Carried>,
    has_stopped: bool,
}

#[derive(Clone, Default)]
struct Keeper(Rc<RefCell<Desk>>);

impl Carrier for Keeper {
    fn seeded(&mut self, _seed: [u8; 32]) {}
    fn namespace(&mut self, _now: Now, _name: &str, _presence: Presence) {}
    fn said(&mut self, _now: Now, wish: Wish) {
        self.0.borrow_mut().said.push_back(wish);
    }
    fn recovers(&mut self, _within: Duration) -> bool {
        true
    }
    fn went_away(&mut self, _now: Now, session: KeptSession) {
        let mut desk = self.0.borrow_mut();
        assert!(!desk.has_stopped, "it is told before it is stopped");
        desk.away.push(session);
    }
    fn claimed(&mut self, _now: Now, claim: Claim) {
        self.0.borrow_mut().claims.push(claim);
    }
    fn resolved(&mut self, _now: Now, _addresses: io::Result<Vec<SocketAddr>>) {}
    fn connected(&mut self, _now: Now, _tag: Tag, _result: io::Result<ConnId>) {}
    fn received(&mut self, _: Now, _: ConnId, input: &[u8], _: &dyn Here) -> usize {
        input.len()
    }
    fn closed(&mut self, _now: Now, _conn: ConnId, _why: io::Result<()>) {}
    fn elapsed(&mut self, _now: Now) {}
    fn stopped(&mut self, _now: Now) {
        self.0.borrow_mut().has_stopped = true;
    }
    fn deadline(&self) -> Option<Time> {
        None
    }
    fn poll(&mut self) -> Option<Carried> {
        self.0.borrow_mut().wanted.pop_front()
    }
    fn status(&self) -> CarrierStatus {
        CarrierStatus::default()
    }
}

/// A socket's own data.
#[derive(Default, Serialize, Deserialize)]
struct Pocket {
    value: u64,
}

#[derive(Default)]
struct Town {
    notes: Vec<String>,
    waits: Vec<SocketId>,
    is_slow: bool,
}

impl App for Town {
    type Data = Pocket;
}

fn describe(server: &mut Server<Town>, keeper: &Keeper) {
    server.carried_by(keeper.clone());
    server
        .of("/")
        .authorize(|socket, _: Value| {
            let recovered = socket.recovered();
            socket.app.notes.push(format!("asked {recovered:?}"));
            if !socket.app.is_slow {
                return Verdict::Accept;
            }
            let id = socket.id();
            socket.app.waits.push(id);
            Verdict::Later {
                within: SECOND * 10,
            }
        })
        .on("put", |socket, (value, room): (u64, String), _ack| {
            socket.data_mut().value = value;
            socket.join(&room);
        })
        .on("look", |socket, (): (), ack| {
            let held = (socket.data().value, socket.rooms().len());
            ack.send(&mut socket.io, &held);
        })
        .on("say", |socket, (): (), ack| {
            socket.everyone().emit("to all", &1);
            socket.broadcast().to("deck").emit("to deck", &2);
            socket.emit("to me", &3);
            socket.everyone().volatile().emit("volatile", &4);
            socket.everyone().local().emit("local", &5);
            socket.everyone().emit("connect", &6);
            ack.send(&mut socket.io, &());
        })
        .on("let in", |socket, (): (), _ack| {
            for id in std::mem::take(&mut socket.app.waits) {
                socket.io.decide(id, Verdict::Accept);
            }
        })
        .on_disconnect(|socket, reason| socket.app.notes.push(reason.to_string()));
}

struct Scene {
    world: World<Town>,
    keeper: Keeper,
}

impl Scene {
    fn new() -> Self {
        let keeper = Keeper::default();
        let mut config = Config::default();
        config.socketio.recovery = Some(Recovery::default());
        let world = World::with(config, Town::default(), |server| describe(server, &keeper));
        Self { world, keeper }
    }

    fn enter(&mut self, claim: &str) -> (u32, Vec<String>) {
        let conn = self.world.websocket();
        self.world.say(conn, &format!("40{claim}"));
        (conn, self.world.heard(conn))
    }

    /// What the carrier wants.
    fn carry(&mut self, wanted: Carried) {
        self.keeper.0.borrow_mut().wanted.push_back(wanted);
        self.world.turn();
    }

    fn said(&self) -> Vec<Wish> {
        self.keeper.0.borrow_mut().said.drain(..).collect()
    }

    fn away(&self) -> Vec<KeptSession> {
        std::mem::take(&mut self.keeper.0.borrow_mut().away)
    }

    /// The ticket of the one claim.
    fn claim(&self) -> Claim {
        let mut claims = std::mem::take(&mut self.keeper.0.borrow_mut().claims);
        assert_eq!(claims.len(), 1);
        claims.remove(0)
    }
}

const PID: &str = "pidpidpidpidpidpidpi";
const SID: &str = "sidsidsidsidsidsidsi";
const CLAIM: &str = "{\"pid\":\"pidpidpidpidpidpidpi\",\"offset\":\"7-0\"}";

fn session() -> KeptSession {
    KeptSession {
        pid: SocketId::parse(PID).unwrap(),
        id: SocketId::parse(SID).unwrap(),
        namespace: "/".into(),
        rooms: vec![SID.into(), "deck".into()],
        data: "{\"value\":7}".into(),
    }
}

fn missed(offset: &str, list: &str) -> MissedEvent {
    MissedEvent {
        offset: offset.into(),
        event: "news".into(),
        values: Values {
            list: list.into(),
            attachments: Vec::new(),
        },
    }
}

fn restored(ticket: u64, session: KeptSession, missed: Vec<MissedEvent>) -> Carried {
    Carried::Claimed(ticket, Ok(Box::new((session, missed))))
}

#[test]
fn events_go_around_and_come_back_with_their_places() {
    let mut scene = Scene::new();
    let (ada, _) = scene.enter("");
    let (bo, _) = scene.enter("");
    scene.world.say(bo, "42[\"put\",1,\"deck\"]");
    scene.world.say(ada, "421[\"say\"]");
    assert_eq!(
        scene.world.heard(ada),
        ["42[\"volatile\",4]", "42[\"local\",5]", "431[]"],
        "what is not recovered, and the answer, at once"
    );
    assert_eq!(scene.world.heard(bo).len(), 2);
    let mut said = scene.said();
    said.retain(|wish| {
        matches!(
            wish,
            Wish::Emit {
                is_volatile: false,
                ..
            }
        )
    });
    assert_eq!(said.len(), 3, "and nothing under a reserved name");
    for (number, wish) in (1..).zip(said) {
        scene.carry(Carried::HearAt(wish, format!("{number}-0").into()));
    }
    assert_eq!(
        scene.world.heard(ada),
        ["42[\"to all\",1,\"1-0\"]", "42[\"to me\",3,\"3-0\"]"]
    );
    assert_eq!(
        scene.world.heard(bo),
        ["42[\"to all\",1,\"1-0\"]", "42[\"to deck\",2,\"2-0\"]"]
    );
    scene.world.say(ada, "42[\"say\"]");
    let wish = scene.said().remove(0);
    scene.world.heard(ada);
    scene.carry(Carried::Hear(wish));
    assert_eq!(
        scene.world.heard(ada),
        ["42[\"to all\",1]"],
        "without a place, when it was not kept"
    );
}

#[test]
fn who_was_cut_off_is_given_to_the_carrier_and_who_left_is_not() {
    let mut scene = Scene::new();
    let (ada, heard) = scene.enter("");
    let connect: Value = serde_json::from_str(&heard[0][2..]).unwrap();
    scene.world.say(ada, "42[\"put\",7,\"deck\"]");
    scene.world.hang_up(ada);
    let away = scene.away();
    assert_eq!(away.len(), 1);
    assert_eq!(away[0].pid.as_str(), connect["pid"]);
    assert_eq!(away[0].id.as_str(), connect["sid"]);
    assert_eq!(&*away[0].data, "{\"value\":7}");
    assert_eq!(
        away[0].rooms,
        [away[0].id.as_str().into(), Box::from("deck")]
    );
    let (bo, _) = scene.enter("");
    scene.world.say(bo, "41");
    scene.world.hang_up(bo);
    assert!(scene.away().is_empty());
    let (_, _) = scene.enter("");
    scene.world.ask_to_stop();
    assert_eq!(scene.away().len(), 1, "also at an orderly end");
    assert!(scene.keeper.0.borrow().has_stopped);
}

#[test]
fn who_comes_back_waits_for_the_carrier_and_finds_what_he_had() {
    let mut scene = Scene::new();
    let (ada, heard) = scene.enter(CLAIM);
    assert!(heard.is_empty(), "not let in yet");
    let claim = scene.claim();
    assert_eq!(
        (claim.pid.as_str(), &*claim.offset, &*claim.namespace),
        (PID, "7-0", "/")
    );
    let events = vec![
        missed("8-0", "1,\"a\""),
        missed("9-0", "not JSON"),
        missed("9-1", ""),
    ];
    scene.carry(restored(claim.ticket, session(), events));
    let heard = scene.world.heard(ada);
    assert_eq!(
        heard[..2],
        ["42[\"news\",1,\"a\",\"8-0\"]", "42[\"news\",\"9-1\"]"]
    );
    let connect: Value = serde_json::from_str(&heard[2][2..]).unwrap();
    assert_eq!(
        (&connect["sid"], &connect["pid"]),
        (&json!(SID), &json!(PID))
    );
    assert_eq!(scene.world.server.app.notes, ["asked Yes"]);
    scene.world.say(ada, "421[\"look\"]");
    assert_eq!(scene.world.heard(ada), ["431[7,2]"]);
    scene.carry(restored(claim.ticket, session(), Vec::new()));
    assert!(scene.world.heard(ada).is_empty(), "told once");
}

#[test]
fn what_is_said_while_somebody_is_being_let_in_is_not_missed() {
    let mut scene = Scene::new();
    let (bo, _) = scene.enter("");
    scene.world.server.app.is_slow = true;
    let (ada, _) = scene.enter(CLAIM);
    let ticket = scene.claim().ticket;
    scene.carry(restored(ticket, session(), vec![missed("8-0", "1")]));
    scene.world.say(bo, "42[\"say\"]");
    let said = scene.said();
    for (number, wish) in (9..).zip(said.into_iter().take(2)) {
        scene.carry(Carried::HearAt(wish, format!("{number}-0").into()));
    }
    assert!(scene.world.heard(ada).is_empty());
    scene.world.say(bo, "42[\"let in\"]");
    let heard = scene.world.heard(ada);
    assert_eq!(
        heard[..3],
        [
            "42[\"news\",1,\"8-0\"]",
            "42[\"to all\",1,\"9-0\"]",
            "42[\"to deck\",2,\"10-0\"]"
        ]
    );
    let recovery = scene.world.server.core.recovery.as_ref().unwrap();
    assert!(recovery.elsewhere.missed.is_empty());
}

#[test]
fn who_cannot_be_given_anything_back_starts_anew() {
    let strange = KeptSession {
        data: "[]".into(),
        ..session()
    };
    for (outcome, told) in [
        (Err(NotRecovered::Unknown), "Unknown"),
        (Err(NotRecovered::Missed), "Missed"),
        (Ok(Box::new((strange, Vec::new()))), "Unknown"),
    ] {
        let mut scene = Scene::new();
        let (ada, _) = scene.enter(CLAIM);
        let ticket = scene.claim().ticket;
        scene.carry(Carried::Claimed(ticket, outcome));
        let heard = scene.world.heard(ada);
        let connect: Value = serde_json::from_str(&heard[0][2..]).unwrap();
        assert!(connect["sid"] != SID && connect["pid"] != PID);
        assert_eq!(scene.world.server.app.notes, [format!("asked No({told})")]);
    }
    let mut scene = Scene::new();
    let (_, heard) = scene.enter("{\"pid\":\"x\",\"offset\":\"7-0\"}");
    assert_eq!(heard.len(), 1, "that is nobody's name: nobody is asked");
    assert!(scene.keeper.0.borrow().claims.is_empty());
}

#[test]
fn who_is_gone_before_his_session_has_come_may_come_back_once_more() {
    let mut scene = Scene::new();
    let (ada, _) = scene.enter(CLAIM);
    let ticket = scene.claim().ticket;
    scene.world.hang_up(ada);
    assert!(scene.away().is_empty(), "he had nothing");
    scene.carry(restored(ticket, session(), Vec::new()));
    assert_eq!(scene.away(), [session()]);
}

#[test]
fn an_id_that_is_here_is_not_given_twice() {
    let mut scene = Scene::new();
    let (ada, _) = scene.enter(CLAIM);
    let first = scene.claim().ticket;
    scene.carry(restored(first, session(), Vec::new()));
    assert!(scene.world.heard(ada)[0].contains(SID));
    let other = CLAIM.replace("pidpid", "xxxxxx");
    let (bo, _) = scene.enter(&other);
    let second = scene.claim().ticket;
    scene.carry(restored(second, session(), Vec::new()));
    assert!(!scene.world.heard(bo)[0].contains(SID));
}

#[test]
fn a_client_that_is_back_before_it_was_missed_is_given_away_first() {
    let mut scene = Scene::new();
    let (ada, heard) = scene.enter("");
    let connect: Value = serde_json::from_str(&heard[0][2..]).unwrap();
    let claim = json!({ "pid": connect["pid"], "offset": "7-0" });
    let (_, _) = scene.enter(&claim.to_string());
    let away = scene.away();
    assert_eq!(away.len(), 1, "before it is asked for");
    assert_eq!(away[0].pid, scene.claim().pid);
    assert_eq!(scene.world.heard(ada).last().unwrap(), "close 1000");
}
