//! What a carrier is told of this server.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use super::*;
use crate::config::Recovery;
use crate::reactor::{ConnId, Tag};
use crate::server::cluster::Wish;
use crate::server::{Carried, Carrier, CarrierStatus, Here};
use crate::socketio::namespaces::Presence;
use crate::time::{Now, Time};

/// Writes down which rooms there are, and carries nothing.
#[derive(Clone, Default)]
struct Clerk(Rc<RefCell<Vec<String>>>);

impl Clerk {
    fn notes(&self) -> Vec<String> {
        let mut notes = std::mem::take(&mut *self.0.borrow_mut());
        notes.retain(|note| note.contains("deck"));
        notes
    }
}

impl Carrier for Clerk {
    fn seeded(&mut self, _seed: [u8; 32]) {}
    fn namespace(&mut self, _now: Now, _name: &str, _presence: Presence) {}
    fn has_rooms(&self) -> bool {
        true
    }
    fn room(&mut self, _now: Now, namespace: &str, room: &str, presence: Presence) {
        let note = format!("{namespace} {room} {presence:?}");
        self.0.borrow_mut().push(note);
    }
    fn said(&mut self, _now: Now, _wish: Wish) {}
    fn resolved(&mut self, _now: Now, _addresses: io::Result<Vec<SocketAddr>>) {}
    fn connected(&mut self, _now: Now, _tag: Tag, _result: io::Result<ConnId>) {}
    fn received(&mut self, _: Now, _: ConnId, input: &[u8], _: &dyn Here) -> usize {
        input.len()
    }
    fn closed(&mut self, _now: Now, _conn: ConnId, _why: io::Result<()>) {}
    fn elapsed(&mut self, _now: Now) {}
    fn stopped(&mut self, _now: Now) {}
    fn deadline(&self) -> Option<Time> {
        None
    }
    fn poll(&mut self) -> Option<Carried> {
        None
    }
    fn status(&self) -> CarrierStatus {
        CarrierStatus::default()
    }
}

fn describe(server: &mut Server<()>, clerk: &Clerk) {
    server.carried_by(clerk.clone());
    server
        .of("/")
        .on("join", |socket, (room,): (String,), _ack| {
            socket.join(&room)
        })
        .on("leave", |socket, (room,): (String,), _ack| {
            socket.leave(&room)
        })
        .on("there and back", |socket, (room,): (String,), _ack| {
            socket.leave(&room);
            socket.join(&room);
        });
}

fn town(recovery: Option<Recovery>) -> (World<()>, Clerk) {
    let clerk = Clerk::default();
    let mut config = Config::default();
    config.socketio.recovery = recovery;
    let world = World::with(config, (), |server| describe(server, &clerk));
    (world, clerk)
}

#[test]
fn rooms_are_told_when_the_first_comes_and_the_last_goes() {
    let (mut world, clerk) = town(None);
    let (ada, _) = world.socket("/");
    let (bo, _) = world.socket("/");
    world.say(ada, "42[\"join\",\"deck\"]");
    assert_eq!(clerk.notes(), ["/ deck Came"]);
    world.say(bo, "42[\"join\",\"deck\"]");
    world.say(ada, "42[\"leave\",\"deck\"]");
    assert!(clerk.notes().is_empty());
    world.say(bo, "42[\"there and back\",\"deck\"]");
    assert!(
        clerk.notes().iter().all(|note| note == "/ deck Came"),
        "it never was empty to anybody outside"
    );
    world.hang_up(bo);
    assert_eq!(clerk.notes(), ["/ deck Went"]);
}

#[test]
fn a_room_is_there_as_long_as_somebody_may_come_back_to_it() {
    let within = SECOND * 60;
    let recovery = Recovery {
        within,
        ..Recovery::default()
    };
    let (mut world, clerk) = town(Some(recovery));
    let (ada, _) = world.socket("/");
    world.say(ada, "42[\"join\",\"deck\"]");
    world.hang_up(ada);
    world.wait(within / 2);
    assert!(clerk.notes().iter().all(|note| note == "/ deck Came"));
    world.wait(within);
    assert_eq!(clerk.notes(), ["/ deck Went"]);
}

#[test]
fn rooms_of_a_thawed_server_are_told() {
    let (mut world, clerk) = town(None);
    let (ada, _) = world.socket("/");
    world.say(ada, "42[\"join\",\"deck\"]");
    clerk.notes();
    let frozen = world.server.freeze(world.now).unwrap();
    let (mut other, clerk) = town(None);
    other.server.thaw(world.now, &frozen).unwrap();
    other.turn();
    assert_eq!(clerk.notes(), ["/ deck Came"]);
}
