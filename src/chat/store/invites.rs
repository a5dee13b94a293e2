//! Codes that let somebody in: the first-run code and invites.
//!
//! Hashes of codes come in; users go out, or `Gone`, one answer for used up, expired, replaced and invented.
//! Never sees a code.
//! Left out: links that set a password ([`super::links`]), and webhooks, which have their `kind` in the same table.

use rusqlite::params;

use super::people::{NewUser, found};
use super::rows::{Invite, InviteId, Joined, Millis, RoomId, UserId};
use super::{Read, StoreError, Write};
use crate::chat::accounts::Digest;
use crate::config::chat;

/// `meta`: the hash of the first-run code as hexadecimal, a space, and when it expires.
pub(super) const FIRST_RUN: &str = "first-run";

impl Write<'_> {
    /// Keeps the first-run code; an earlier one is replaced.
    ///
    /// # Errors
    /// What the disk says.
    pub fn new_first_run_code(&self, hash: &Digest, expires_at: u64) -> Result<(), StoreError> {
        self.set_meta(FIRST_RUN, &format!("{} {expires_at}", hex(hash)))
    }

    /// Makes an invite. Those that no longer let anybody in are forgotten on the way, and above [`chat::INVITES_MAX`] the oldest.
    ///
    /// # Errors
    /// What the disk says.
    pub fn new_invite(
        &self,
        by: UserId,
        hash: &Digest,
        expires_at: Option<u64>,
        uses: Option<u32>,
        at: u64,
    ) -> Result<InviteId, StoreError> {
        self.change(
            "DELETE FROM links WHERE kind = 0 AND (expires_at <= ?1 OR uses_left <= 0)",
            [Millis(at)],
        )?;
        let spared = i64::try_from(chat::INVITES_MAX - 1).unwrap_or(i64::MAX);
        self.change(
            "DELETE FROM links WHERE id IN (SELECT id FROM links WHERE kind = 0 ORDER BY id DESC LIMIT -1 OFFSET ?1)",
            [spared],
        )?;
        self.one(
            "INSERT INTO links(hash, kind, by_user, created_at, expires_at, uses_left)
             VALUES (?1, 0, ?2, ?3, ?4, ?5) RETURNING id",
            params![hash, by, Millis(at), expires_at.map(Millis), uses],
            |row| row.get(0),
        )
    }

    /// Ends an invite.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it has ended already.
    pub fn kill_invite(&self, invite: InviteId) -> Result<(), StoreError> {
        found(self.change("DELETE FROM links WHERE id = ?1 AND kind = 0", [invite])?)
    }

    /// Makes a user who brings an invite; one use of it is gone only if that succeeds.
    ///
    /// # Errors
    /// [`StoreError::Gone`] without a valid invite, [`StoreError::Taken`] if the login looks like another's.
    pub fn create_user_by_invite(
        &self,
        code_hash: &Digest,
        new: &NewUser,
        at: u64,
    ) -> Result<Joined, StoreError> {
        let used: Option<Option<RoomId>> = self.maybe(
            "UPDATE links SET uses_left = uses_left - 1
             WHERE hash = ?1 AND kind = 0
               AND (expires_at IS NULL OR expires_at > ?2) AND (uses_left IS NULL OR uses_left > 0)
             RETURNING room_id",
            params![code_hash, Millis(at)],
            |row| row.get(0),
        )?;
        let Some(room) = used else {
            return Err(StoreError::Gone);
        };
        self.create_user_in(new, room, at)
    }
}

impl Read<'_> {
    /// Whether this is the first-run code, and still valid.
    ///
    /// # Errors
    /// What the disk says.
    pub fn is_first_run_code(&self, hash: &Digest, at: u64) -> Result<bool, StoreError> {
        let Some(kept) = self.meta(FIRST_RUN)? else {
            return Ok(false);
        };
        // Comparing hashes tells by its time only how far a hash agrees, which says nothing of the code.
        let valid = kept.split_once(' ').is_some_and(|(code, expires_at)| {
            code == hex(hash)
                && expires_at
                    .parse()
                    .is_ok_and(|expires_at: u64| at < expires_at)
        });
        Ok(valid)
    }

    /// The invites that still let somebody in, the newest first.
    ///
    /// # Errors
    /// What the disk says.
    pub fn invites(&self, at: u64) -> Result<Vec<Invite>, StoreError> {
        self.all(
            "SELECT id, by_user, created_at, expires_at, uses_left FROM links
             WHERE kind = 0 AND (expires_at IS NULL OR expires_at > ?1) AND (uses_left IS NULL OR uses_left > 0)
             ORDER BY id DESC",
            [Millis(at)],
            |row| {
                Ok(Invite {
                    id: row.get(0)?,
                    by: row.get(1)?,
                    created_at: row.get::<_, Millis>(2)?.0,
                    expires_at: row.get::<_, Option<Millis>>(3)?.map(|at| at.0),
                    uses_left: row.get(4)?,
                })
            },
        )
    }

    /// Whether this invite would let somebody in: asked before the work of hashing a password.
    ///
    /// # Errors
    /// What the disk says.
    pub fn is_invite(&self, code_hash: &Digest, at: u64) -> Result<bool, StoreError> {
        self.one(
            "SELECT EXISTS (SELECT 1 FROM links WHERE hash = ?1 AND kind = 0
               AND (expires_at IS NULL OR expires_at > ?2) AND (uses_left IS NULL OR uses_left > 0))",
            params![code_hash, Millis(at)],
            |row| row.get(0),
        )
    }
}

fn hex(hash: &Digest) -> String {
    data_encoding::HEXLOWER.encode(hash)
}
