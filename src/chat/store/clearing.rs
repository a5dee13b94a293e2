//! What nobody needs any more: places of messages that were deleted long ago, and links that open nothing.
//!
//! The time comes in; a bounded number of rows goes, and the pages they were on go back to the disk, so that no sender waits long.
//! A room from which something went says so (`rev_floor`): a page that was away for that long begins anew instead of keeping what
//! is gone.
//! Left out: ages of a room's own choice, which the table has a column for.

use rusqlite::params;

use super::rows::{Millis, RoomId};
use super::{StoreError, Write};
use crate::config::chat;

/// What is left to clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// Nothing, for now.
    All,
    /// Ask again.
    Some,
}

impl Write<'_> {
    /// Clears up to [`chat::CLEARED_ROWS_MAX`] rows away.
    ///
    /// # Errors
    /// What the disk says.
    pub fn clear_old(&self, at: u64) -> Result<Cleared, StoreError> {
        self.change(
            "DELETE FROM links WHERE kind = 1 AND expires_at <= ?1",
            [Millis(at)],
        )?;
        let before = at.saturating_sub(crate::chat::millis(chat::TOMBSTONES_KEPT));
        let gone: Vec<(RoomId, i64)> = self.all(
            "DELETE FROM messages WHERE id IN (
               SELECT id FROM messages WHERE deleted_at < ?1 ORDER BY id LIMIT ?2
             ) RETURNING room_id, rev",
            params![Millis(before), chat::CLEARED_ROWS_MAX],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (room, rev) in &gone {
            self.change(
                "UPDATE rooms SET rev_floor = max(rev_floor, ?2) WHERE id = ?1",
                params![room, rev],
            )?;
        }
        // A row for each page, which nobody reads.
        let sql = format!("PRAGMA incremental_vacuum({})", chat::VACUUMED_PAGES_MAX);
        let mut vacuum = self.conn.prepare(&sql)?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
        let most = usize::try_from(chat::CLEARED_ROWS_MAX).unwrap_or(usize::MAX);
        Ok(if gone.len() < most {
            Cleared::All
        } else {
            Cleared::Some
        })
    }
}
