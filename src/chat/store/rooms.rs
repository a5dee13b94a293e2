//! Rooms, and who is in them.
//!
//! Checked names come in; rooms and memberships go out.
//! Does not know who may do it: to join a private room is, here, to be added to it.
//! Left out: renaming, until there is a page for it. Archiving is among the [orders](super::order).

use std::collections::BTreeMap;

use rusqlite::params;

use super::boot::{ROOMS, member, room};
use super::people::found;
use super::rows::{Member, Millis, Room, RoomId, RoomKind, UserId};
use super::{Read, StoreError, Write};
use crate::chat::names::Name;

impl Write<'_> {
    /// Makes an open or private room, with its maker in it.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the name looks like another room's.
    pub fn create_room(
        &self,
        kind: RoomKind,
        name: &Name,
        topic: &str,
        by: UserId,
        at: u64,
    ) -> Result<Room, StoreError> {
        debug_assert!(kind != RoomKind::Direct, "made by `open_direct`");
        let room = self.one(
            "INSERT INTO rooms(kind, name, name_key, topic, created_by, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             RETURNING id, kind, name, topic, guests, seq, rev, 0",
            params![kind, name.as_str(), name.key(), topic, by, Millis(at)],
            room,
        )?;
        self.join(room.id, by, at)?;
        Ok(room)
    }

    /// The room of two people (or of one, for notes), made on first use.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user.
    pub fn open_direct(&self, one: UserId, other: UserId, at: u64) -> Result<Room, StoreError> {
        let key = format!("{}:{}", one.min(other).0, one.max(other).0);
        let there = self.maybe(
            "SELECT id, kind, name, topic, guests, seq, rev, 0 FROM rooms WHERE dm_key = ?1",
            [&key],
            room,
        )?;
        if let Some(room) = there {
            return Ok(room);
        }
        let room = self.one(
            "INSERT INTO rooms(kind, dm_key, created_by, created_at) VALUES (?1, ?2, ?3, ?4)
             RETURNING id, kind, name, topic, guests, seq, rev, 0",
            params![RoomKind::Direct, key, one, Millis(at)],
            room,
        )?;
        self.join(room.id, one, at)?;
        self.join(room.id, other, at)?;
        Ok(room)
    }

    /// Makes somebody a member, for whom all that was said before counts as read. Who is one already stays as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a room or user, or if the room is archived.
    pub fn join(&self, room: RoomId, user: UserId, at: u64) -> Result<Member, StoreError> {
        self.change(
            "INSERT INTO members(user_id, room_id, read_seq, joined_at)
             SELECT ?2, id, seq, ?3 FROM rooms WHERE id = ?1 AND archived_at IS NULL
             ON CONFLICT (user_id, room_id) DO NOTHING",
            params![room, user, Millis(at)],
        )?;
        self.member(room, user)
    }

    /// Ends a membership.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there was none.
    pub fn leave(&self, room: RoomId, user: UserId) -> Result<(), StoreError> {
        found(self.change(
            "DELETE FROM members WHERE room_id = ?1 AND user_id = ?2",
            params![room, user],
        )?)
    }
}

impl Read<'_> {
    /// All rooms, as they stand.
    ///
    /// # Errors
    /// What the disk says.
    pub fn rooms(&self) -> Result<Vec<Room>, StoreError> {
        self.all(ROOMS, [], room)
    }

    /// Who is in a room.
    ///
    /// # Errors
    /// What the disk says.
    pub fn members_of(&self, room: RoomId) -> Result<Vec<Member>, StoreError> {
        self.all(
            "SELECT user_id, room_id, level, read_seq, mentions FROM members WHERE room_id = ?1",
            [room],
            member,
        )
    }

    /// How many are in each room that anybody is in.
    ///
    /// # Errors
    /// What the disk says.
    pub fn member_counts(&self) -> Result<BTreeMap<RoomId, usize>, StoreError> {
        let counts = self.all(
            "SELECT room_id, count(*) FROM members GROUP BY room_id",
            [],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)),
        )?;
        let counted = |(room, count)| (room, usize::try_from(count).unwrap_or(0));
        Ok(counts.into_iter().map(counted).collect())
    }

    /// One membership.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none.
    pub fn member(&self, room: RoomId, user: UserId) -> Result<Member, StoreError> {
        self.one(
            "SELECT user_id, room_id, level, read_seq, mentions FROM members
             WHERE user_id = ?2 AND room_id = ?1",
            params![room, user],
            member,
        )
    }
}
