//! The trail: what was done by those who may do more than others, kept for a while.
//!
//! A deed comes in together with the change it was, in one job: there is never one without the other. Rows go out, the newest
//! first.
//! Knows no kinds of deeds: what was done is a word, and to whom is JSON.
//! Left out: changing it. It only grows, and loses what is too old.

use rusqlite::params;

use super::rows::{Millis, Noted, UserId};
use super::{Read, StoreError, Write};
use crate::config::chat;

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When.
    pub at: u64,
    /// By whom.
    pub by: UserId,
    /// What: the name of its event.
    pub what: &'static str,
    /// To whom or what, as JSON.
    pub target: String,
    /// From which address, if that is known.
    pub ip: Option<String>,
}

impl Write<'_> {
    /// Writes a deed down. What is older than [`chat::AUDIT_KEPT`] goes, two rows at a time: faster than new ones come.
    ///
    /// # Errors
    /// What the disk says.
    pub fn note(&self, deed: &Deed) -> Result<(), StoreError> {
        let kept = u64::try_from(chat::AUDIT_KEPT.as_millis()).unwrap_or(u64::MAX);
        self.change(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT 2) AND at < ?1",
            [Millis(deed.at.saturating_sub(kept))],
        )?;
        self.change(
            "INSERT INTO audit(at, by_user, what, target, ip) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![Millis(deed.at), deed.by, deed.what, deed.target, deed.ip],
        )?;
        Ok(())
    }
}

impl Read<'_> {
    /// What was done last, or last before a row: the newest first.
    ///
    /// # Errors
    /// What the disk says.
    pub fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<Noted>, StoreError> {
        self.all(
            "SELECT id, at, by_user, what, target, ip FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
            params![
                before.unwrap_or(i64::MAX),
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            |row| {
                Ok(Noted {
                    id: row.get(0)?,
                    at: row.get::<_, Millis>(1)?.0,
                    by: row.get(2)?,
                    what: row.get(3)?,
                    target: row.get(4)?,
                    ip: row.get(5)?,
                })
            },
        )
    }
}
