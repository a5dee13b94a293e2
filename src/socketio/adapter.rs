//! The adapter: which sockets of one namespace are in which rooms.
//!
//! Joins and leaves come in; members, the receivers of a broadcast and the room events of the official adapter go out.
//! Knows sockets by key and public id only: whether one is connected yet, its session and its data are others' business.
//! Left out: join order within a room (the last member takes a leaver's place, so that leaving moves one entry), and
//! other nodes, whose sockets the server asks about in `server::cluster`'s words.

mod events;
mod freeze;
mod selection;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use slab::Slab;

use super::sockets::SocketRow;
use crate::sid::{Sid, SidIndex};
use crate::slots::Id;

pub use events::RoomEvent;
pub(super) use freeze::Frozen;

/// A socket's place among all sockets.
pub type SocketKey = Id<SocketRow>;

/// The id by which clients know a socket, and the name of the room it is in by default.
pub type SocketId = Sid;

/// The one owner of rooms ↔ sockets in a namespace.
///
/// Invariants: `rooms[r].members[i]` is socket `s` with `rooms[r].links[i] == j` exactly if `s.joined[j]` is `(r, i)`.
/// A room in `rooms` has members and is in `names`; a socket's own room is there too unless the socket is alone in it.
#[derive(Debug, Default)]
pub struct Adapter {
    sockets: Slab<Row>,
    rooms: Slab<Room>,
    names: HashMap<Rc<str>, u32>,
    ids: SidIndex,
    /// By a key's slot: what a broadcast asks for each member, in one load.
    places: Vec<Place>,
    /// Where sockets in many rooms keep each of them: `(socket, room)` to the index in `joined`.
    wide: HashMap<(u32, u32), u32>,
    stamp: u32,
    events: VecDeque<RoomEvent>,
    records: bool,
    /// Rooms that may have come or gone.
    stirred: VecDeque<Rc<str>>,
    notes_rooms: bool,
}

#[derive(Debug)]
struct Row {
    key: SocketKey,
    id: SocketId,
    own: Own,
    /// Whether its rooms are in [`Adapter::wide`], since there are too many to be looked through.
    is_wide: bool,
    joined: Vec<Joined>,
}

/// The room that is named as the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Own {
    /// The socket is its only member, and nothing is kept for it.
    Virtual,
    /// The socket is in it, and others are or were.
    Room(u32),
    /// The socket has left it.
    Left,
}

#[derive(Clone, Copy, Debug)]
struct Joined {
    room: u32,
    /// The socket's index among the members.
    member: u32,
}

#[derive(Debug)]
struct Room {
    name: Rc<str>,
    members: Vec<SocketKey>,
    /// For each member, the index of this room in the rooms it joined.
    links: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The index in `sockets`, or [`NOBODY`].
    row: u32,
    /// The last selection that has seen this socket.
    stamp: u32,
}

const NOBODY: u32 = u32::MAX;

/// Above this many rooms a socket's are hashed; up to it, looking through them is quicker: two cache lines.
const NARROW_ROOMS_MAX: usize = 16;

impl Adapter {
    /// No sockets, no rooms, no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a socket, which is then in the room of its own id. A key that is in already is left as it is.
    pub fn add(&mut self, key: SocketKey, id: SocketId) {
        if self.row_of(key).is_some() {
            return;
        }
        let row = Row {
            key,
            id,
            own: Own::Left,
            is_wide: false,
            joined: Vec::new(),
        };
        let index = narrow(self.sockets.insert(row));
        let slot = key.slot() as usize;
        if slot >= self.places.len() {
            self.places.resize(
                slot + 1,
                Place {
                    row: NOBODY,
                    stamp: 0,
                },
            );
        }
        self.places[slot].row = index;
        self.ids
            .insert(id, index, |row| self.sockets[row as usize].id);
        self.enter(index, id.as_str());
    }

    /// Puts a socket into a room. Whether it is in now and was not before.
    pub fn join(&mut self, key: SocketKey, room: &str) -> bool {
        self.row_of(key).is_some_and(|row| self.enter(row, room))
    }

    /// Takes a socket out of a room. Whether it was in.
    pub fn leave(&mut self, key: SocketKey, room: &str) -> bool {
        let Some(row) = self.row_of(key) else {
            return false;
        };
        if self.virtual_owner(room) == Some(row) {
            self.sockets[row as usize].own = Own::Left;
            self.record_end_of_virtual(row);
            return true;
        }
        let joined = self.names.get(room).and_then(|&room| self.find(row, room));
        if let Some(joined) = joined {
            self.exit(row, joined);
        }
        joined.is_some()
    }

    /// Takes a socket out of all its rooms, in the order that [`Adapter::rooms`] has them, and forgets it.
    pub fn remove(&mut self, key: SocketKey) {
        let Some(row) = self.row_of(key) else {
            return;
        };
        if self.sockets[row as usize].own == Own::Virtual {
            self.sockets[row as usize].own = Own::Left;
            self.record_end_of_virtual(row);
        }
        let socket = &mut self.sockets[row as usize];
        let (id, own, is_wide) = (socket.id, socket.own, socket.is_wide);
        let joined = std::mem::take(&mut socket.joined);
        let is_own = |left: &&Joined| own == Own::Room(left.room);
        let own_first = joined.iter().filter(is_own);
        for left in own_first.chain(joined.iter().filter(|left| !is_own(left))) {
            if is_wide {
                self.wide.remove(&(row, left.room));
            }
            self.vacate(*left, id);
        }
        self.ids.remove(id, |row| self.sockets[row as usize].id);
        self.sockets.remove(row as usize);
        self.places[key.slot() as usize].row = NOBODY;
    }

    /// The names of the rooms a socket is in, the one of its own id first.
    pub fn rooms(&self, key: SocketKey) -> impl Iterator<Item = &str> {
        let row = self.row_of(key).map(|row| &self.sockets[row as usize]);
        row.into_iter().flat_map(move |row| {
            let own = (row.own != Own::Left).then(|| row.id.as_str());
            let others = row
                .joined
                .iter()
                .filter(|joined| Own::Room(joined.room) != row.own);
            own.into_iter()
                .chain(others.map(|joined| &*self.rooms[joined.room as usize].name))
        })
    }

    /// Whether a socket is in a room.
    #[must_use]
    pub fn is_in(&self, key: SocketKey, room: &str) -> bool {
        let Some(row) = self.row_of(key) else {
            return false;
        };
        let joined = || self.names.get(room).and_then(|&room| self.find(row, room));
        self.virtual_owner(room) == Some(row) || joined().is_some()
    }

    /// The sockets in a room, in no order to rely on.
    pub fn members(&self, room: &str) -> impl Iterator<Item = SocketKey> {
        self.slice(room).iter().copied()
    }

    /// How many sockets are in a room; none if there is no such room.
    #[must_use]
    pub fn size(&self, room: &str) -> usize {
        self.slice(room).len()
    }

    /// The names of all rooms, sockets' own ones included.
    pub fn room_names(&self) -> impl Iterator<Item = &str> {
        let own = self
            .sockets
            .iter()
            .filter(|(_, row)| row.own == Own::Virtual);
        self.names
            .keys()
            .map(|name| &**name)
            .chain(own.map(|(_, row)| row.id.as_str()))
    }

    /// All sockets, in no order to rely on.
    pub fn sockets(&self) -> impl Iterator<Item = (SocketKey, SocketId)> {
        self.sockets.iter().map(|(_, row)| (row.key, row.id))
    }

    /// The socket with this public id.
    #[must_use]
    pub fn key(&self, id: SocketId) -> Option<SocketKey> {
        let row = self.row_by_id(id)?;
        Some(self.sockets[row as usize].key)
    }

    /// How many sockets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Whether there is no socket.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }
}

impl Adapter {
    fn row_of(&self, key: SocketKey) -> Option<u32> {
        let row = self.places.get(key.slot() as usize)?.row;
        (row != NOBODY && self.sockets[row as usize].key == key).then_some(row)
    }

    fn row_by_id(&self, id: SocketId) -> Option<u32> {
        self.ids.find(id, |row| self.sockets[row as usize].id)
    }

    /// The socket that is alone in its own room of this name.
    fn virtual_owner(&self, room: &str) -> Option<u32> {
        let row = self.row_by_id(Sid::parse(room)?)?;
        (self.sockets[row as usize].own == Own::Virtual).then_some(row)
    }

    fn slice(&self, room: &str) -> &[SocketKey] {
        if let Some(&room) = self.names.get(room) {
            return &self.rooms[room as usize].members;
        }
        match self.virtual_owner(room) {
            Some(row) => std::slice::from_ref(&self.sockets[row as usize].key),
            None => &[],
        }
    }

    /// The index of `room` in the rooms that the socket joined.
    fn find(&self, row: u32, room: u32) -> Option<u32> {
        let socket = &self.sockets[row as usize];
        if socket.is_wide {
            return self.wide.get(&(row, room)).copied();
        }
        socket
            .joined
            .iter()
            .position(|joined| joined.room == room)
            .map(narrow)
    }

    fn enter(&mut self, row: u32, room: &str) -> bool {
        let owner = self.virtual_owner(room);
        if owner == Some(row) {
            return false;
        }
        if let Some(owner) = owner {
            self.make_real(owner);
        }
        let id = self.sockets[row as usize].id;
        let is_own = room == id.as_str();
        let index = match self.names.get(room) {
            Some(&index) if self.find(row, index).is_some() => return false,
            Some(&index) => index,
            None => {
                let name = Rc::from(room);
                self.note(&name);
                self.record(|| RoomEvent::Created(Rc::clone(&name)));
                if is_own {
                    self.record(|| RoomEvent::Joined(name, id));
                    self.sockets[row as usize].own = Own::Virtual;
                    return true;
                }
                self.open(name)
            }
        };
        if is_own {
            self.sockets[row as usize].own = Own::Room(index);
        }
        self.link(row, index);
        if self.records {
            let name = Rc::clone(&self.rooms[index as usize].name);
            self.record(|| RoomEvent::Joined(name, id));
        }
        true
    }

    /// Another socket joins: from now on the own room is one as any other. Its events were told when it began.
    fn make_real(&mut self, owner: u32) {
        let room = self.open(Rc::from(self.sockets[owner as usize].id.as_str()));
        self.sockets[owner as usize].own = Own::Room(room);
        self.link(owner, room);
    }

    fn open(&mut self, name: Rc<str>) -> u32 {
        let room = Room {
            name: Rc::clone(&name),
            members: Vec::new(),
            links: Vec::new(),
        };
        let index = narrow(self.rooms.insert(room));
        self.names.insert(name, index);
        index
    }

    fn link(&mut self, row: u32, index: u32) {
        let (socket, room) = (
            &mut self.sockets[row as usize],
            &mut self.rooms[index as usize],
        );
        let link = narrow(socket.joined.len());
        socket.joined.push(Joined {
            room: index,
            member: narrow(room.members.len()),
        });
        room.members.push(socket.key);
        room.links.push(link);
        if socket.is_wide {
            self.wide.insert((row, index), link);
        } else if socket.joined.len() > NARROW_ROOMS_MAX {
            socket.is_wide = true;
            let all = socket
                .joined
                .iter()
                .zip(0..)
                .map(|(joined, at)| ((row, joined.room), at));
            self.wide.extend(all);
        }
    }

    /// Undoes [`Adapter::link`] for the room at this index of those the socket joined.
    fn exit(&mut self, row: u32, at: u32) {
        let socket = &mut self.sockets[row as usize];
        let left = socket.joined.swap_remove(at as usize);
        // The socket's last room has taken the free place.
        let moved = socket.joined.get(at as usize).copied();
        let (id, is_wide) = (socket.id, socket.is_wide);
        if socket.own == Own::Room(left.room) {
            socket.own = Own::Left;
        }
        if is_wide {
            self.wide.remove(&(row, left.room));
        }
        if let Some(moved) = moved {
            self.rooms[moved.room as usize].links[moved.member as usize] = at;
            if is_wide {
                self.wide.insert((row, moved.room), at);
            }
        }
        self.vacate(left, id);
    }

    /// Frees a member's place in a room, and the room with its last one.
    fn vacate(&mut self, left: Joined, id: SocketId) {
        let room = &mut self.rooms[left.room as usize];
        room.members.swap_remove(left.member as usize);
        room.links.swap_remove(left.member as usize);
        if let Some(&moved) = room.members.get(left.member as usize) {
            let link = room.links[left.member as usize];
            let row = self.places[moved.slot() as usize].row;
            self.sockets[row as usize].joined[link as usize].member = left.member;
        }
        let is_empty = room.members.is_empty();
        let name = Rc::clone(&room.name);
        self.record(|| RoomEvent::Left(Rc::clone(&name), id));
        if is_empty {
            self.names.remove(&*name);
            self.rooms.remove(left.room as usize);
            self.note(&name);
            self.record(|| RoomEvent::Deleted(name));
        }
    }
}

/// Indices of rows are kept in half a word.
fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 rows are alive")
}

#[cfg(test)]
mod tests;
