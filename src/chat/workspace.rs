//! Who is who and who is where, in memory: what every event is checked against.
//!
//! Filled from the store at the start and kept in step by whoever changes the store, after the change is on disk.
//! Messages are never here: they are read from the store page by page.
//! Knows no sockets but by how many each person has, no SQL and no events.

mod shown;

use std::collections::{BTreeMap, HashMap};

pub use shown::{RoomHead, RoomListed, RoomShown};

use super::accounts::Digest;
use super::mentions::{self, Called};
use super::names::Login;
use super::ranks::may_come_in;
use super::store::{
    Boot, Level, Mark, Member, Room, RoomId, Session, SessionId, State, User, UserId,
};
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

/// One time of being without a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence(u64);

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

    /// A new session.
    pub fn add_session(&mut self, session: Session) {
        self.sessions.insert(session.token_hash, session);
    }

    /// A session has ended.
    pub fn remove_session(&mut self, token_hash: &Digest) {
        self.sessions.remove(token_hash);
    }

    /// Sessions that were closed by their ids.
    pub fn remove_sessions(&mut self, ids: &[SessionId]) {
        if !ids.is_empty() {
            self.sessions
                .retain(|_, session| !ids.contains(&session.id));
        }
    }

    /// Forgets sessions that have expired, and says which.
    pub fn remove_expired(&mut self, at: u64) -> Vec<SessionId> {
        self.sessions
            .extract_if(|_, session| session.expires_at <= at)
            .map(|(_, session)| session.id)
            .collect()
    }

    /// Whether a token's session opens nothing since its owner was shut out, and how.
    #[must_use]
    pub fn is_shut_out(&self, token_hash: &Digest, at: u64) -> Option<State> {
        let session = self.sessions.get(token_hash)?;
        let state = self.user(session.user)?.state;
        let is_out = matches!(state, State::Banned | State::Left);
        (session.expires_at > at && is_out).then_some(state)
    }

    /// The owner of a session.
    #[must_use]
    pub fn owner(&self, session: SessionId) -> Option<UserId> {
        let mut sessions = self.sessions.values();
        Some(sessions.find(|one| one.id == session)?.user)
    }

    /// The session of a token, if it has not expired and its user may come in.
    #[must_use]
    pub fn session(&self, token_hash: &Digest, at: u64) -> Option<&Session> {
        let session = self
            .sessions
            .get(token_hash)
            .filter(|session| session.expires_at > at)?;
        self.user(session.user).filter(|user| may_come_in(user))?;
        Some(session)
    }

    /// A session was used: it lasts longer.
    pub fn touch_session(&mut self, token_hash: &Digest, at: u64, expires_at: u64) {
        if let Some(session) = self.sessions.get_mut(token_hash) {
            session.used_at = at;
            session.expires_at = expires_at;
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

    /// How many people have an account that lets them in, and how many of them are online.
    #[must_use]
    pub fn head_count(&self) -> (usize, usize) {
        let inside = || {
            self.people
                .values()
                .filter(|person| may_come_in(&person.user))
        };
        let online = inside().filter(|person| person.is_online).count();
        (inside().count(), online)
    }

    /// How many rooms there are, those of two people included.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// Whether somebody is there.
    #[must_use]
    pub fn is_online(&self, id: UserId) -> bool {
        self.people.get(&id).is_some_and(|person| person.is_online)
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

    /// A socket of a user has come. Says whether they were offline.
    pub fn came(&mut self, user: UserId) -> bool {
        let Some(person) = self.people.get_mut(&user) else {
            return false;
        };
        person.sockets += 1;
        !std::mem::replace(&mut person.is_online, true)
    }

    /// A socket of a user has gone. If it was the last: names the absence that may begin with it.
    pub fn went(&mut self, user: UserId) -> Option<Absence> {
        let person = self.people.get_mut(&user)?;
        person.sockets = person.sockets.saturating_sub(1);
        if person.sockets > 0 {
            return None;
        }
        person.absences += 1;
        Some(Absence(person.absences))
    }

    /// The grace of an absence is over. Says whether the user is offline from now on: not if they have been back since.
    pub fn is_missed(&mut self, user: UserId, absence: Absence) -> bool {
        let Some(person) = self.people.get_mut(&user) else {
            return false;
        };
        person.sockets == 0
            && Absence(person.absences) == absence
            && std::mem::replace(&mut person.is_online, false)
    }

    /// A socket of a user is on screen from now on, or no more. Whether any of theirs is, if that has changed.
    pub fn looks(&mut self, user: UserId, on: bool) -> Option<bool> {
        let person = self.people.get_mut(&user)?;
        let before = person.in_view > 0;
        person.in_view = if on {
            person.in_view + 1
        } else {
            person.in_view.saturating_sub(1)
        };
        let now = person.in_view > 0;
        (now != before).then_some(now)
    }

    /// Whether any socket of a user is on screen.
    #[must_use]
    pub fn is_looking(&self, user: UserId) -> bool {
        self.people
            .get(&user)
            .is_some_and(|person| person.in_view > 0)
    }

    /// How many sockets a user has.
    #[must_use]
    pub fn sockets_of(&self, user: UserId) -> usize {
        self.people.get(&user).map_or(0, |person| person.sockets)
    }

    /// Whether so few are in a room that they are told of each other's comings and goings.
    #[must_use]
    pub fn is_small(&self, room: RoomId) -> bool {
        self.member_count(room) <= limits::PRESENCE_PEOPLE_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::super::store::Role;
    use super::*;

    const ADA: UserId = UserId(1);

    fn workspace() -> Workspace {
        let mut workspace = Workspace::default();
        workspace.add_person(User {
            id: ADA,
            login: "ada".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Admin,
            state: State::Active,
            muted_until: None,
        });
        workspace
    }

    fn session(expires_at: u64) -> Session {
        Session {
            id: SessionId(1),
            token_hash: [7; 32],
            user: ADA,
            expires_at,
            used_at: 0,
        }
    }

    #[test]
    fn who_comes_back_in_time_was_never_away() {
        let mut workspace = workspace();
        assert!(workspace.came(ADA));
        let absence = workspace.went(ADA).unwrap();
        assert!(!workspace.came(ADA), "still online");
        assert!(!workspace.is_missed(ADA, absence));
    }

    #[test]
    fn the_grace_counts_from_the_last_time_somebody_went() {
        let mut workspace = workspace();
        workspace.came(ADA);
        let first = workspace.went(ADA).unwrap();
        workspace.came(ADA);
        let second = workspace.went(ADA).unwrap();
        assert!(!workspace.is_missed(ADA, first));
        assert!(workspace.is_missed(ADA, second));
        assert!(!workspace.is_missed(ADA, second), "once");
        assert!(workspace.came(ADA), "and online again");
    }

    #[test]
    fn one_tab_of_two_is_no_absence() {
        let mut workspace = workspace();
        assert!(workspace.came(ADA));
        assert!(!workspace.came(ADA));
        assert_eq!(workspace.went(ADA), None);
        assert_eq!(workspace.sockets_of(ADA), 1);
    }

    #[test]
    fn a_session_that_has_expired_opens_nothing_even_before_it_is_forgotten() {
        let mut workspace = workspace();
        workspace.add_session(session(100));
        assert!(workspace.session(&[7; 32], 99).is_some());
        assert!(workspace.session(&[7; 32], 100).is_none());
        assert_eq!(workspace.remove_expired(99), []);
        assert_eq!(workspace.remove_expired(100), [SessionId(1)]);
        assert_eq!(workspace.remove_expired(100), []);
    }

    #[test]
    fn a_session_of_somebody_who_may_not_come_in_opens_nothing() {
        let mut workspace = workspace();
        workspace.add_session(session(100));
        for (state, opens) in [
            (State::Muted, true),
            (State::Banned, false),
            (State::Left, false),
        ] {
            let mut user = workspace.user(ADA).unwrap().clone();
            user.state = state;
            workspace.add_person(user);
            assert_eq!(workspace.session(&[7; 32], 1).is_some(), opens, "{state:?}");
        }
    }
}
