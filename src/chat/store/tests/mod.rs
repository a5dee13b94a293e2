//! The store as its callers see it, on real files.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::chat::accounts::Digest;
use crate::chat::names::{Login, Name};

mod disk;
mod messages;
mod order;
mod people;
mod rooms;
mod search;

pub(super) struct Place {
    dir: TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.dir.path().join("roomcast.db")
    }

    pub(super) fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.path()).unwrap()
    }
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(super) fn new(login: &str) -> NewUser {
    NewUser {
        login: Login::parse(login).unwrap(),
        name: name(login),
        phc: format!("$of${login}"),
    }
}

fn digest(n: u8) -> Digest {
    [n; 32]
}

/// A workspace with its admin, who is in General.
pub(super) fn started(place: &Place) -> (Store, UserId, RoomId) {
    let mut store = place.store();
    let admin = store
        .job(|w| w.create_first_admin(&name("Club"), &new("anna"), 1))
        .unwrap();
    let (user, room) = (admin.user.id, admin.members[0].room);
    (store, user, room)
}

/// Somebody more, who is in General.
fn joined(store: &mut Store, login: &str) -> UserId {
    let joined = store.job(|w| w.create_user_open(&new(login), 2)).unwrap();
    joined.user.id
}

fn say(store: &mut Store, room: RoomId, by: UserId, cid: &str) -> Sent {
    store
        .job(|w| w.send(room, by, cid, &format!("text of {cid}"), 7))
        .unwrap()
}
