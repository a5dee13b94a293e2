//! What the maps in memory are made of at the start, and the small settings beside the tables.
//!
//! The time comes in; users, rooms, memberships and live sessions go out.
//! Looks at no message but each room's last: the start takes as long with a million of them as with none.

use rusqlite::params;

use super::rows::{Boot, Member, Millis, Room, RoomId, Session, User, UserId};
use super::{Read, StoreError, Write};
use crate::config::chat;

pub(super) const WORKSPACE: &str = "workspace";
pub(super) const GENERAL: &str = "general";
pub(super) const SIGN_UP: &str = "sign-up";
pub(super) const CONTACT: &str = "contact";
/// Which history this is: another one once an older one was restored.
pub(super) const DATABASE: &str = "database";

/// The columns of a [`User`], in the order in which [`user`] reads them.
macro_rules! user_columns {
    () => {
        "id, login, name, role, state, muted_until"
    };
}
pub(super) use user_columns;

pub(super) const USERS: &str = concat!("SELECT ", user_columns!(), " FROM users ORDER BY id");

/// The columns of a [`Room`], in the order in which [`room`] reads them. The last one is when it last heard something.
macro_rules! room_columns {
    ($at:literal) => {
        concat!(
            "id, kind, name, topic, guests, seq, rev, archived_at IS NOT NULL, created_by, dm_key, ",
            $at
        )
    };
}
pub(super) use room_columns;

/// One look at one message a room, by its index: not at what was said before it.
pub(super) const ROOMS: &str = concat!(
    "SELECT ",
    room_columns!(
        "coalesce((SELECT at FROM messages WHERE room_id = rooms.id AND seq = rooms.seq), created_at)"
    ),
    " FROM rooms ORDER BY id"
);
pub(super) const MEMBERS: &str =
    "SELECT user_id, room_id, level, read_seq, mentions FROM members ORDER BY user_id, room_id";
pub(super) const SESSIONS: &str =
    "SELECT id, token_hash, user_id, expires_at, used_at FROM sessions WHERE expires_at > ?1";

impl Read<'_> {
    /// Everything that is kept in memory; sessions that have expired by `at` are left out.
    ///
    /// # Errors
    /// What the disk says.
    pub fn load(&self, at: u64) -> Result<Boot, StoreError> {
        Ok(Boot {
            workspace: self.meta(WORKSPACE)?,
            general: self.general()?,
            sign_up: self.meta(SIGN_UP)?,
            contact: self.meta(CONTACT)?,
            database: self.meta(DATABASE)?,
            users: self.all(USERS, [], user)?,
            rooms: self.all(ROOMS, [], room)?,
            members: self.all(MEMBERS, [], member)?,
            sessions: self.all(SESSIONS, [Millis(at)], session)?,
        })
    }

    /// Whether somebody has set the workspace up.
    ///
    /// # Errors
    /// What the disk says.
    pub fn is_set_up(&self) -> Result<bool, StoreError> {
        Ok(self.meta(WORKSPACE)?.is_some())
    }

    /// A setting.
    ///
    /// # Errors
    /// What the disk says.
    pub fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.maybe("SELECT v FROM meta WHERE k = ?1", [key], |row| row.get(0))
    }

    pub(super) fn general(&self) -> Result<Option<RoomId>, StoreError> {
        Ok(self
            .meta(GENERAL)?
            .and_then(|id| id.parse().ok())
            .map(RoomId))
    }
}

impl Write<'_> {
    /// Keeps a setting.
    ///
    /// # Errors
    /// What the disk says.
    pub fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.change(
            "INSERT OR REPLACE INTO meta(k, v) VALUES (?1, ?2)",
            params![key, value],
        )?;
        Ok(())
    }

    /// Names this history, unless it has a name.
    ///
    /// # Errors
    /// What the disk says.
    pub fn name_history(&self) -> Result<(), StoreError> {
        self.change(
            "INSERT OR IGNORE INTO meta(k, v) VALUES (?1, lower(hex(randomblob(8))))",
            [DATABASE],
        )?;
        Ok(())
    }

    /// Makes a copy that was restored a history of its own: pages that have seen more than it holds must notice, so that it
    /// has another name, and its revisions are beyond all that were ever given. Links that set a password are gone: those
    /// that were used since would open again.
    ///
    /// # Errors
    /// What the disk says.
    pub fn begin_anew(&self) -> Result<(), StoreError> {
        self.clear_meta(DATABASE)?;
        self.name_history()?;
        self.change(
            "UPDATE rooms SET rev = rev + ?1",
            [chat::RESTORED_REV_ADDED],
        )?;
        self.change("DELETE FROM links WHERE kind = 1", [])?;
        Ok(())
    }

    /// Forgets a setting.
    ///
    /// # Errors
    /// What the disk says.
    pub fn clear_meta(&self, key: &str) -> Result<(), StoreError> {
        self.change("DELETE FROM meta WHERE k = ?1", [key])?;
        Ok(())
    }
}

pub(super) fn user(row: &rusqlite::Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        role: row.get(3)?,
        state: row.get(4)?,
        muted_until: row.get::<_, Option<Millis>>(5)?.map(|at| at.0),
    })
}

pub(super) fn room(row: &rusqlite::Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        topic: row.get(3)?,
        guests: row.get(4)?,
        seq: row.get(5)?,
        rev: row.get(6)?,
        archived: row.get(7)?,
        by: row.get(8)?,
        pair: row.get::<_, Option<String>>(9)?.as_deref().and_then(pair),
        at: row.get::<_, Millis>(10)?.0,
    })
}

/// The two people of a direct room, from its key.
fn pair(key: &str) -> Option<(UserId, UserId)> {
    let (one, other) = key.split_once(':')?;
    Some((UserId(one.parse().ok()?), UserId(other.parse().ok()?)))
}

pub(super) fn member(row: &rusqlite::Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        user: row.get(0)?,
        room: row.get(1)?,
        level: row.get(2)?,
        read_seq: row.get(3)?,
        mentions: row.get(4)?,
    })
}

fn session(row: &rusqlite::Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        token_hash: row.get(1)?,
        user: row.get(2)?,
        expires_at: row.get::<_, Millis>(3)?.0,
        used_at: row.get::<_, Millis>(4)?.0,
    })
}
