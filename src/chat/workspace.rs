//! Who is who and who is where, in memory: what every event is checked against.
//!
//! Filled from the store at the start and kept in step by whoever changes the store, after the change is on disk.
//! Messages are never here: they are read from the store page by page.
//! Knows no sockets but by how many each person has (`attendance`), no SQL and no events.

mod attendance;
mod sessions;
mod shown;

use std::collections::{BTreeMap, HashMap};

pub use attendance::Absence;
pub use shown::{RoomHead, RoomListed, RoomShown};

use super::accounts::Digest;
use super::mentions::{self, Called};
use super::names::Login;
use super::store::{Boot, Level, Mark, Member, Room, RoomId, Session, User, UserId};
use crate::config::chat as limits;

/// The workspace as it stands on disk, without its messages.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Its name, once somebody has set it up.
    pub name: Option<String>,
    /// Whom strangers may ask for an account, if somebody said so.
    pub contact: Option<String>,
    /// The room everybody is in from the start, and nobody leaves.
    pub general: Option<RoomId>,
    /// Which history this is: pages that know another one begin anew.
    pub database: String,
    people: BTreeMap<UserId, Person>,
    /// Everybody by what they may be called.
    called: Called,
    rooms: BTreeMap<RoomId, Place>,
    /// The room of two people, by both.
    directs: HashMap<(UserId, UserId), RoomId>,
    sessions: HashMap<Digest, Session>,
}

#[derive(Debug)]
struct Person {
    user: User,
    sockets: usize,
    /// Of these, how many are on screen.
    in_view: usize,
    /// How often the last socket has gone.
    absences: u64,
    /// Online until proven otherwise: also for some seconds after the last socket has gone.
    is_online: bool,
}

#[derive(Debug)]
struct Place {
    room: Room,
    members: BTreeMap<UserId, Member>,
}

impl Workspace {
    /// As the store has it.
    #[must_use]
    pub fn new(boot: Boot) -> Self {
        let mut workspace = Self {
            name: boot.workspace,
            contact: boot.contact.filter(|contact| !contact.is_empty()),
            general: boot.general,
            database: boot.database.unwrap_or_default(),
            ..Self::default()
        };
        for user in boot.users {
            workspace.add_person(user);
        }
        for room in boot.rooms.into_iter().filter(|room| !room.archived) {
            workspace.add_room(room);
        }
        for member in boot.members {
            workspace.add_member(member);
        }
        for session in boot.sessions {
            workspace.add_session(session);
        }
        workspace
    }

    /// Whether nobody has an account yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.people.is_empty()
    }

    /// Somebody has set it up.
    pub fn found(&mut self, name: String, rooms: Vec<Room>) {
        self.name = Some(name);
        // The first room of a workspace is the one that everybody will be in.
        self.general = rooms.first().map(|room| room.id);
        for room in rooms {
            self.add_room(room);
        }
    }

    /// A new account, or one that changed.
    pub fn add_person(&mut self, user: User) {
        let id = user.id;
        if let Some(person) = self.people.get(&id) {
            self.called.remove(id, &person.user);
        }
        self.called.add(id, &user);
        match self.people.get_mut(&id) {
            Some(person) => person.user = user,
            None => {
                self.people.insert(
                    id,
                    Person {
                        user,
                        sockets: 0,
                        in_view: 0,
                        absences: 0,
                        is_online: false,
                    },
                );
            }
        }
    }

    /// A new room, or one that changed.
    pub fn add_room(&mut self, room: Room) {
        if let Some(pair) = room.pair {
            self.directs.insert(pair, room.id);
        }
        match self.rooms.get_mut(&room.id) {
            Some(place) => {
                // What is said goes its own way, and may be ahead.
                let (seq, rev, at) = (place.room.seq, place.room.rev, place.room.at);
                place.room = room;
                place.room.seq = place.room.seq.max(seq);
                place.room.rev = place.room.rev.max(rev);
                place.room.at = place.room.at.max(at);
            }
            None => {
                let members = BTreeMap::new();
                self.rooms.insert(room.id, Place { room, members });
            }
        }
    }

    /// A room has gone to another.
    pub fn hand_over(&mut self, room: RoomId, to: UserId) {
        if let Some(place) = self.rooms.get_mut(&room) {
            place.room.by = Some(to);
        }
    }

    /// A room is closed.
    pub fn remove_room(&mut self, id: RoomId) {
        self.rooms.remove(&id);
    }

    /// A new membership, or one that changed.
    pub fn add_member(&mut self, member: Member) {
        if let Some(place) = self.rooms.get_mut(&member.room) {
            place.members.insert(member.user, member);
        }
    }

    /// A membership has ended.
    pub fn remove_member(&mut self, room: RoomId, user: UserId) {
        if let Some(place) = self.rooms.get_mut(&room) {
            place.members.remove(&user);
        }
    }

    /// A user.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.people.get(&id).map(|person| &person.user)
    }

    /// What a user's login folds to.
    #[must_use]
    pub fn login_key(&self, id: UserId) -> Option<String> {
        let login = Login::parse(&self.user(id)?.login).ok()?;
        Some(login.key().to_owned())
    }

    /// How many rooms there are, those of two people included.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// A room.
    #[must_use]
    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.get(&id).map(|place| &place.room)
    }

    /// A membership: what every event about a room asks first.
    #[must_use]
    pub fn member(&self, room: RoomId, user: UserId) -> Option<&Member> {
        self.rooms.get(&room)?.members.get(&user)
    }

    /// The rooms a user is in.
    pub fn rooms_of(&self, user: UserId) -> impl Iterator<Item = RoomId> {
        self.rooms
            .iter()
            .filter(move |(_, place)| place.members.contains_key(&user))
            .map(|(id, _)| *id)
    }

    /// Everybody in a room.
    pub fn members(&self, room: RoomId) -> impl Iterator<Item = UserId> {
        let place = self.rooms.get(&room);
        place
            .into_iter()
            .flat_map(|place| place.members.keys().copied())
    }

    /// How many are in a room.
    #[must_use]
    pub fn member_count(&self, room: RoomId) -> usize {
        self.rooms.get(&room).map_or(0, |place| place.members.len())
    }

    /// Whether it is the room that everybody is in.
    #[must_use]
    pub fn is_general(&self, room: RoomId) -> bool {
        self.general == Some(room)
    }

    /// The room of two people, if it has been made.
    #[must_use]
    pub fn direct(&self, one: UserId, other: UserId) -> Option<RoomId> {
        let pair = (one.min(other), one.max(other));
        self.directs.get(&pair).copied()
    }

    /// With whom somebody speaks in a direct room.
    #[must_use]
    pub fn other_in(&self, room: RoomId, user: UserId) -> Option<UserId> {
        let (one, other) = self.room(room)?.pair?;
        Some(if one == user { other } else { one })
    }

    /// Whom a text calls, of those in a room: never its author.
    #[must_use]
    pub fn mentioned(&self, room: RoomId, author: UserId, text: &str) -> Vec<UserId> {
        let mut called = mentions::called(text, &self.called);
        called.retain(|user| *user != author && self.member(room, *user).is_some());
        called
    }

    /// A message was stored, with these people called in it.
    pub fn sent(
        &mut self,
        room: RoomId,
        author: UserId,
        (seq, rev, at): (i64, i64, u64),
        mentioned: &[UserId],
    ) {
        let Some(place) = self.rooms.get_mut(&room) else {
            return;
        };
        let there = &mut place.room;
        there.seq = there.seq.max(seq);
        there.rev = there.rev.max(rev);
        there.at = there.at.max(at);
        for user in mentioned {
            if let Some(member) = place.members.get_mut(user) {
                member.mentions += 1;
            }
        }
        if let Some(member) = place.members.get_mut(&author) {
            member.read_seq = member.read_seq.max(seq);
            member.mentions = 0;
        }
    }

    /// A message was edited or deleted.
    pub fn changed(&mut self, room: RoomId, rev: i64) {
        if let Some(place) = self.rooms.get_mut(&room) {
            place.room.rev = place.room.rev.max(rev);
        }
    }

    /// A member has read up to here.
    pub fn read(&mut self, room: RoomId, user: UserId, mark: Mark) {
        let place = self.rooms.get_mut(&room);
        if let Some(member) = place.and_then(|place| place.members.get_mut(&user)) {
            member.read_seq = member.read_seq.max(mark.seq);
            member.mentions = mark.mentions;
        }
    }

    /// A member wants to be told of this much.
    pub fn set_level(&mut self, room: RoomId, user: UserId, level: Level) {
        let place = self.rooms.get_mut(&room);
        if let Some(member) = place.and_then(|place| place.members.get_mut(&user)) {
            member.level = level;
        }
    }

    /// Whether so few are in a room that they are told of each other's comings and goings.
    #[must_use]
    pub fn is_small(&self, room: RoomId) -> bool {
        self.member_count(room) <= limits::PRESENCE_PEOPLE_MAX
    }
}

/// A workspace of one, for tests.
#[cfg(test)]
fn of_ada() -> Workspace {
    let mut workspace = Workspace::default();
    workspace.add_person(User {
        id: UserId(1),
        login: "ada".to_owned(),
        name: "Ada".to_owned(),
        role: super::store::Role::Admin,
        state: super::store::State::Active,
        muted_until: None,
    });
    workspace
}
