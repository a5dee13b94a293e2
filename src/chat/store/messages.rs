//! Messages: stored once, changed in place, never moved.
//!
//! A sender's text and its own id for it (`cid`) come in; numbers go out. Each room counts its messages (`seq`) and its
//! changes (`rev`), both without gaps, so that who knows a number knows what it is missing.
//! Knows no permissions and no limits of text: the events have checked both.
//! Left out: pruning by age, which will have to raise `rev_floor`.

use rusqlite::params;

use super::rows::{Mark, MessageId, Millis, RoomId, Row, Sent, UserId};
use super::{Read, StoreError, Write};

/// The columns of a [`Row`], in the order in which [`row`] reads them.
macro_rules! row_columns {
    () => {
        "room_id, id, seq, rev, author_id, cid, at, body, edited_at, deleted_at, deleted_by"
    };
}
pub(super) use row_columns;

pub(super) fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let by = row.get(4)?;
    Ok(Row {
        room: row.get(0)?,
        id: row.get(1)?,
        seq: row.get(2)?,
        rev: row.get(3)?,
        by,
        cid: row.get(5)?,
        at: row.get::<_, Millis>(6)?.0,
        text: row.get(7)?,
        edited: row.get::<_, Option<Millis>>(8)?.map(|at| at.0),
        deleted: row.get::<_, Option<Millis>>(9)?.map(|at| at.0),
        deleted_by: row.get::<_, Option<UserId>>(10)?.filter(|who| *who != by),
    })
}

pub(super) const RESENT: &str =
    "SELECT room_id, id, seq, rev, at FROM messages WHERE author_id = ?1 AND cid = ?2";

impl Write<'_> {
    /// Stores a message, unless its author has sent this `cid` before: then, whatever room and text it comes with now,
    /// the answer is what was stored then, as a `dup`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a room, or if it is archived.
    pub fn send(
        &self,
        room: RoomId,
        author: UserId,
        cid: &str,
        text: &str,
        at: u64,
    ) -> Result<Sent, StoreError> {
        let before = self.maybe(RESENT, params![author, cid], |row| {
            Ok(Sent {
                room: row.get(0)?,
                id: row.get(1)?,
                seq: row.get(2)?,
                rev: row.get(3)?,
                at: row.get::<_, Millis>(4)?.0,
                dup: true,
            })
        })?;
        if let Some(sent) = before {
            return Ok(sent);
        }
        let (seq, rev): (i64, i64) = self.one(
            "UPDATE rooms SET seq = seq + 1, rev = rev + 1 WHERE id = ?1 AND archived_at IS NULL
             RETURNING seq, rev",
            [room],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let id = self.one(
            "INSERT INTO messages(room_id, seq, rev, author_id, cid, at, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
            params![room, seq, rev, author, cid, Millis(at), text],
            |row| row.get(0),
        )?;
        // Who writes has read what is above.
        self.change(
            "UPDATE members SET read_seq = ?3, mentions = 0 WHERE user_id = ?2 AND room_id = ?1",
            params![room, author, seq],
        )?;
        Ok(Sent {
            room,
            id,
            seq,
            rev,
            at,
            dup: false,
        })
    }

    /// Counts a mention for each of these users that is in the room.
    ///
    /// # Errors
    /// What the disk says.
    pub fn mention(&self, room: RoomId, users: &[UserId]) -> Result<(), StoreError> {
        for user in users {
            self.change(
                "UPDATE members SET mentions = mentions + 1 WHERE user_id = ?2 AND room_id = ?1",
                params![room, user],
            )?;
        }
        Ok(())
    }

    /// Puts another text in place. The text that is there already changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a message, if it was deleted, or if its room is archived.
    pub fn edit(&self, message: MessageId, text: &str, at: u64) -> Result<Row, StoreError> {
        let there = self.message(message)?;
        if there.deleted.is_some() {
            return Err(StoreError::NotFound);
        }
        if there.text == text {
            return Ok(there);
        }
        let rev = self.next_rev(message)?;
        self.one(
            concat!(
                "UPDATE messages SET body = ?2, edited_at = ?3, rev = ?4 WHERE id = ?1 RETURNING ",
                row_columns!()
            ),
            params![message, text, Millis(at), rev],
            row,
        )
    }

    /// Takes the text away and leaves the place. Deleting again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a message, or if its room is archived.
    pub fn delete(&self, message: MessageId, by: UserId, at: u64) -> Result<Row, StoreError> {
        let there = self.message(message)?;
        if there.deleted.is_some() {
            return Ok(there);
        }
        let rev = self.next_rev(message)?;
        self.change("DELETE FROM reactions WHERE message_id = ?1", [message])?;
        self.one(
            concat!(
                "UPDATE messages SET body = '', files = NULL, deleted_at = ?2, deleted_by = ?3, rev = ?4
                 WHERE id = ?1 RETURNING ",
                row_columns!()
            ),
            params![message, Millis(at), by, rev],
            row,
        )
    }

    /// Moves a reader's mark, never back and never beyond the last message. Where it is now: at the end, no mention is
    /// left.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the user is not in the room.
    pub fn read(&self, room: RoomId, user: UserId, seq: i64) -> Result<Mark, StoreError> {
        self.one(
            "UPDATE members SET
               read_seq = max(read_seq, min(?3, rooms.seq)),
               mentions = CASE WHEN ?3 >= rooms.seq THEN 0 ELSE mentions END
             FROM rooms WHERE rooms.id = room_id AND user_id = ?2 AND room_id = ?1
             RETURNING read_seq, mentions",
            params![room, user, seq],
            |row| {
                Ok(Mark {
                    seq: row.get(0)?,
                    mentions: row.get(1)?,
                })
            },
        )
    }

    fn next_rev(&self, message: MessageId) -> Result<i64, StoreError> {
        self.one(
            "UPDATE rooms SET rev = rev + 1
             WHERE id = (SELECT room_id FROM messages WHERE id = ?1) AND archived_at IS NULL RETURNING rev",
            [message],
            |row| row.get(0),
        )
    }
}

impl Read<'_> {
    /// One message.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without one.
    pub fn message(&self, message: MessageId) -> Result<Row, StoreError> {
        self.one(
            concat!("SELECT ", row_columns!(), " FROM messages WHERE id = ?1"),
            [message],
            row,
        )
    }
}
