//! Rooms, and who is in them.
//!
//! Checked names come in; rooms and memberships go out.
//! Does not know who may do it: to join a private room is, here, to be added to it.
//! Only open rooms have a name to themselves: were the name of a private one taken for others, they would learn of it.
//! Archiving by hand is among the [orders](super::order).

use std::collections::BTreeMap;

use rusqlite::params;

use super::boot::{ROOMS, member, room, room_columns};
use super::people::found;
use super::rows::{Left, Level, Member, Millis, Room, RoomId, RoomKind, UserId};
use super::{Read, StoreError, Write};
use crate::chat::names::Name;

/// The key of a name, where it must be the only one.
fn name_key(kind: RoomKind, name: &Name) -> Option<&str> {
    (kind == RoomKind::Open).then(|| name.key())
}

impl Write<'_> {
    /// Makes an open or private room, with its maker in it.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the name of an open room looks like another's.
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
            concat!(
                "INSERT INTO rooms(kind, name, name_key, topic, created_by, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING ",
                room_columns!("created_at")
            ),
            params![
                kind,
                name.as_str(),
                name_key(kind, name),
                topic,
                by,
                Millis(at)
            ],
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
            concat!(
                "SELECT ",
                room_columns!("created_at"),
                " FROM rooms WHERE dm_key = ?1"
            ),
            [&key],
            room,
        )?;
        if let Some(room) = there {
            return Ok(room);
        }
        let room = self.one(
            concat!(
                "INSERT INTO rooms(kind, dm_key, created_by, created_at) VALUES (?1, ?2, ?3, ?4) RETURNING ",
                room_columns!("created_at")
            ),
            params![RoomKind::Direct, key, one, Millis(at)],
            room,
        )?;
        self.join(room.id, one, at)?;
        self.join(room.id, other, at)?;
        Ok(room)
    }

    /// Gives a room another name or topic; what is `None` stays.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the name of an open room looks like another's, [`StoreError::NotFound`] without such a
    /// room or if it is archived.
    pub fn update_room(
        &self,
        id: RoomId,
        name: Option<&Name>,
        topic: Option<&str>,
    ) -> Result<Room, StoreError> {
        let kind = self.one("SELECT kind FROM rooms WHERE id = ?1", [id], |row| {
            row.get(0)
        })?;
        if let Some(name) = name {
            self.change(
                "UPDATE rooms SET name = ?2, name_key = ?3 WHERE id = ?1 AND archived_at IS NULL",
                params![id, name.as_str(), name_key(kind, name)],
            )?;
        }
        self.one(
            concat!(
                "UPDATE rooms SET topic = coalesce(?2, topic) WHERE id = ?1 AND archived_at IS NULL RETURNING ",
                room_columns!("created_at")
            ),
            params![id, topic],
            room,
        )
    }

    /// Makes somebody a member, for whom all that was said before counts as read. Who is one already stays as they are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a room or user, or if the room is archived.
    pub fn join(&self, room: RoomId, user: UserId, at: u64) -> Result<Member, StoreError> {
        self.change(
            "INSERT INTO members(user_id, room_id, level, read_seq, joined_at)
             SELECT ?2, id, ?4, seq, ?3 FROM rooms WHERE id = ?1 AND archived_at IS NULL
             ON CONFLICT (user_id, room_id) DO NOTHING",
            params![room, user, Millis(at), Level::All],
        )?;
        self.member(room, user)
    }

    /// Ends a membership. A room whose maker leaves has another from then on: who has been in it longest. A private room
    /// that the last one leaves is archived, since nobody will ever find it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there was none.
    pub fn leave(&self, room: RoomId, user: UserId) -> Result<Left, StoreError> {
        found(self.change(
            "DELETE FROM members WHERE room_id = ?1 AND user_id = ?2",
            params![room, user],
        )?)?;
        let heir: Option<UserId> = self.maybe(
            "SELECT user_id FROM members WHERE room_id = ?1 ORDER BY joined_at, user_id LIMIT 1",
            [room],
            |row| row.get(0),
        )?;
        let maker = match heir {
            Some(heir) => self
                .change(
                    "UPDATE rooms SET created_by = ?3 WHERE id = ?1 AND created_by = ?2",
                    params![room, user, heir],
                )
                .map(|changed| (changed > 0).then_some(heir))?,
            None => None,
        };
        let is_archived = heir.is_none()
            && self.change(
                "UPDATE rooms SET archived_at = created_at WHERE id = ?1 AND kind = ?2",
                params![room, RoomKind::Private],
            )? > 0;
        Ok(Left { maker, is_archived })
    }

    /// What a member wants to be told of.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the user is not in the room.
    pub fn set_level(&self, room: RoomId, user: UserId, level: Level) -> Result<(), StoreError> {
        found(self.change(
            "UPDATE members SET level = ?3 WHERE room_id = ?1 AND user_id = ?2",
            params![room, user, level],
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
