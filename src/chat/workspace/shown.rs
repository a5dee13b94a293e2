//! What people are told of rooms and of each other: the workspace as one of them sees it.
//!
//! Somebody asks; what they may see goes out, ready to be sent.
//! Never changes anything, and says nothing of a private room to who is not in it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::Workspace;
use crate::chat::ranks::may_come_in;
use crate::chat::store::{Level, RoomId, RoomKind, User, UserId};

/// A room as one of its members is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomShown {
    #[serde(flatten)]
    head: RoomHead,
    seq: i64,
    rev: i64,
    /// When something was last said.
    at: u64,
    read: i64,
    mentions: i64,
    level: Level,
    /// In a direct room: the other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    with: Option<UserId>,
}

/// What is the same of a room for all of its members, and may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomHead {
    id: RoomId,
    kind: RoomKind,
    name: Option<String>,
    topic: String,
    /// Who made it, or has it from them.
    by: Option<UserId>,
    /// Whether everybody is in it, and stays.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    general: bool,
}

/// A room as those are told of it who may join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomListed {
    id: RoomId,
    name: Option<String>,
    topic: String,
    members: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    joined: Option<bool>,
}

impl Workspace {
    /// What all members of a room are told of it.
    #[must_use]
    pub fn room_head(&self, id: RoomId) -> Option<RoomHead> {
        let room = &self.rooms.get(&id)?.room;
        Some(RoomHead {
            id,
            kind: room.kind,
            name: room.name.clone(),
            topic: room.topic.clone(),
            by: room.by,
            general: self.is_general(id),
        })
    }

    /// The rooms that a member is told of when they come. A direct room in which nothing has been said is known to whoever
    /// opened it, and to nobody else.
    #[must_use]
    pub fn rooms_shown(&self, user: UserId) -> Vec<RoomShown> {
        self.rooms_of(user)
            .filter_map(|id| self.room_shown(id, user))
            .filter(|room| {
                let head = &room.head;
                head.kind != RoomKind::Direct || room.seq > 0 || head.by == Some(user)
            })
            .collect()
    }

    /// A room as this member is told of it.
    #[must_use]
    pub fn room_shown(&self, id: RoomId, user: UserId) -> Option<RoomShown> {
        let place = self.rooms.get(&id)?;
        let member = place.members.get(&user)?;
        let room = &place.room;
        Some(RoomShown {
            head: self.room_head(id)?,
            seq: room.seq,
            rev: room.rev,
            at: room.at,
            read: member.read_seq,
            mentions: member.mentions,
            level: member.level,
            with: self.other_in(id, user),
        })
    }

    /// An open room as everybody is told of it; to one person also whether they are in it.
    #[must_use]
    pub fn room_listed(&self, id: RoomId, to: Option<UserId>) -> Option<RoomListed> {
        let place = self
            .rooms
            .get(&id)
            .filter(|place| place.room.kind == RoomKind::Open)?;
        Some(RoomListed {
            id,
            name: place.room.name.clone(),
            topic: place.room.topic.clone(),
            members: place.members.len(),
            joined: to.map(|user| place.members.contains_key(&user)),
        })
    }

    /// All open rooms.
    #[must_use]
    pub fn rooms_listed(&self, to: UserId) -> Vec<RoomListed> {
        self.rooms
            .keys()
            .filter_map(|id| self.room_listed(*id, Some(to)))
            .collect()
    }

    /// A person as others are told of them. Who may come in no more is named for the sake of what they said.
    #[must_use]
    pub fn person_shown(&self, id: UserId) -> Option<Value> {
        let person = self.people.get(&id)?;
        let User {
            login, name, role, ..
        } = &person.user;
        let mut shown = json!({ "id": id, "login": login, "name": name, "role": role, "online": person.is_online });
        // Their messages still name them.
        if !may_come_in(&person.user) {
            shown["gone"] = true.into();
        }
        Some(shown)
    }

    /// Everybody, to one of them. Who is online is said of those in a room with them that is small enough for it.
    #[must_use]
    pub fn people_shown(&self, to: UserId) -> Vec<Value> {
        let mut near = BTreeSet::new();
        for room in self.rooms_of(to).filter(|room| self.is_small(*room)) {
            near.extend(self.members(room));
        }
        let shown = self.people.keys().filter_map(|id| {
            let mut person = self.person_shown(*id)?;
            if let Some(person) = person.as_object_mut()
                && !near.contains(id)
            {
                person.remove("online");
            }
            Some(person)
        });
        shown.collect()
    }
}
