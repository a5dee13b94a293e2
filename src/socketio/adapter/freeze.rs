//! Who is in which room, as plain data, and back.
//!
//! Only memberships are frozen; the places that rooms and sockets keep of each other are made anew by joining again, so
//! that what was damaged can name a wrong member but never break an invariant.
//! Left out: room events, since to the application nothing happens. Who notes which rooms there are is told of all.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Adapter, Own, Row, SocketId, SocketKey, narrow};

/// A namespace's rooms, frozen: who is where. The places are made anew.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::socketio) struct Frozen {
    rooms: Vec<Box<str>>,
    sockets: Vec<FrozenMember>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FrozenMember {
    key: SocketKey,
    has_left_own: bool,
    /// Places in [`Frozen::rooms`], in the order it joined them.
    joined: Vec<u32>,
}

impl Adapter {
    /// Who is where.
    pub(in crate::socketio) fn freeze(&self) -> Frozen {
        // A room's index in the slab is not its place among the names.
        let mut places = HashMap::new();
        let mut rooms = Vec::with_capacity(self.rooms.len());
        for (index, room) in &self.rooms {
            places.insert(index, narrow(rooms.len()));
            rooms.push(Box::from(&*room.name));
        }
        let member = |row: &Row| FrozenMember {
            key: row.key,
            has_left_own: row.own == Own::Left,
            joined: row
                .joined
                .iter()
                .filter(|joined| Own::Room(joined.room) != row.own)
                .map(|joined| places[&(joined.room as usize)])
                .collect(),
        };
        let sockets = self.sockets.iter().map(|(_, row)| member(row)).collect();
        Frozen { rooms, sockets }
    }

    /// Lets everybody in again, in place of all there is; nobody is told, since to the application nothing has happened.
    /// `id_of` tells the id of a key that is one; others are left out.
    pub(in crate::socketio) fn thaw(
        &mut self,
        frozen: &Frozen,
        id_of: impl Fn(SocketKey) -> Option<SocketId>,
    ) {
        let records = self.records;
        let notes_rooms = self.notes_rooms;
        *self = Self::new();
        self.notes_rooms = notes_rooms;
        // All are in before any joins, so that a room of a socket's name is known to be its own.
        for member in &frozen.sockets {
            let Some(id) = id_of(member.key) else {
                continue;
            };
            self.add(member.key, id);
            if member.has_left_own {
                self.leave(member.key, id.as_str());
            }
        }
        for member in &frozen.sockets {
            let rooms = member.joined.iter();
            for room in rooms.filter_map(|place| frozen.rooms.get(*place as usize)) {
                self.join(member.key, room);
            }
        }
        self.records = records;
    }
}
