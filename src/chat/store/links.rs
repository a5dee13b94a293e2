//! Links that set a password: made by an admin for one person, used once.
//!
//! Hashes of codes come in; whose password it was goes out, or `Gone`, one answer for used, expired, replaced and invented.
//! Never sees a code or a password.
//! Left out: sending them. Whoever made one hands it over.

use rusqlite::params;

use super::rows::{Millis, State, UserId};
use super::{Read, StoreError, Write};
use crate::chat::accounts::Digest;
use crate::chat::names::{Login, Name};

impl Write<'_> {
    /// Makes a user who has yet to set a password through a link.
    ///
    /// # Errors
    /// [`StoreError::Taken`] if the login looks like another's.
    pub fn create_user_without_password(
        &self,
        login: &Login,
        name: &Name,
        at: u64,
    ) -> Result<super::Joined, StoreError> {
        self.create_user_with(login, name, None, at)
    }

    /// Makes a link for somebody; an earlier one of theirs is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a user among those who may come in.
    pub fn new_password_link(
        &self,
        user: UserId,
        by: UserId,
        hash: &Digest,
        expires_at: u64,
        at: u64,
    ) -> Result<(), StoreError> {
        self.end_password_links(user)?;
        let made = self.change(
            "INSERT INTO links(hash, kind, user_id, by_user, created_at, expires_at, uses_left)
             SELECT ?1, 1, id, ?3, ?4, ?5, 1 FROM users WHERE id = ?2 AND state IN (?6, ?7)",
            params![
                hash,
                user,
                by,
                Millis(at),
                Millis(expires_at),
                State::Active,
                State::Muted
            ],
        )?;
        super::people::found(made)
    }

    /// Sets a password by a link, which is gone with it.
    ///
    /// # Errors
    /// [`StoreError::Gone`] without a valid link.
    pub fn set_password_by_link(
        &self,
        hash: &Digest,
        phc: &str,
        at: u64,
    ) -> Result<UserId, StoreError> {
        let user: Option<UserId> = self.maybe(
            "DELETE FROM links WHERE hash = ?1 AND kind = 1 AND expires_at > ?2 RETURNING user_id",
            params![hash, Millis(at)],
            |row| row.get(0),
        )?;
        let user = user.ok_or(StoreError::Gone)?;
        self.set_password(user, phc)?;
        Ok(user)
    }

    /// Whoever has a password of their own choice needs no link any more.
    ///
    /// # Errors
    /// What the disk says.
    pub fn end_password_links(&self, user: UserId) -> Result<(), StoreError> {
        self.change("DELETE FROM links WHERE kind = 1 AND user_id = ?1", [user])?;
        Ok(())
    }
}

impl Read<'_> {
    /// Whose password this link sets, if it still does: asked before the work of hashing one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn password_link(&self, hash: &Digest, at: u64) -> Result<Option<UserId>, StoreError> {
        self.maybe(
            "SELECT user_id FROM links WHERE hash = ?1 AND kind = 1 AND expires_at > ?2",
            params![hash, Millis(at)],
            |row| row.get(0),
        )
    }
}
