//! Reading messages: pages of history by place (`seq`), catching up by change (`rev`).
//!
//! A room and a number come in; a bounded number of rows goes out, with what the page needs to know where it stands.
//! Everything is found by an index, however long the history is.
//! Left out: finding by words, which is in `search`.

use rusqlite::params;

use super::messages::{row, row_columns};
use super::rows::{Chunk, Page, RoomId, Row, Span};
use super::{Read, StoreError};
use crate::config::chat;

pub(super) const BELOW: &str = concat!(
    "SELECT ",
    row_columns!(),
    " FROM messages WHERE room_id = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3"
);
pub(super) const FROM: &str = concat!(
    "SELECT ",
    row_columns!(),
    " FROM messages WHERE room_id = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3"
);
pub(super) const CHANGED: &str = concat!(
    "SELECT ",
    row_columns!(),
    " FROM messages WHERE room_id = ?1 AND rev > ?2 ORDER BY rev"
);
const BEFORE_ANY: &str = "SELECT EXISTS (SELECT 1 FROM messages WHERE room_id = ?1 AND seq < ?2)";
const AFTER_ANY: &str = "SELECT EXISTS (SELECT 1 FROM messages WHERE room_id = ?1 AND seq > ?2)";

impl Read<'_> {
    /// A page of history, of at most [`chat::HISTORY_ROWS_MAX`] rows.
    ///
    /// # Errors
    /// What the disk says. A room that is not there has an empty history.
    pub fn history(&self, room: RoomId, span: Span, limit: usize) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, chat::HISTORY_ROWS_MAX);
        let rows = match span {
            Span::Newest => self.below(room, i64::MAX, limit)?,
            Span::Before(seq) => self.below(room, seq, limit)?,
            Span::After(seq) => self.from(room, seq.saturating_add(1), limit)?,
            Span::Around(seq) => {
                let mut rows = self.below(room, seq, limit / 2)?;
                rows.extend(self.from(room, seq, limit - rows.len())?);
                rows
            }
        };
        // An empty page stands where it was asked for: between what is below and what is not.
        let gap = match span {
            Span::Newest => i64::MAX,
            Span::Before(seq) | Span::Around(seq) => seq,
            Span::After(seq) => seq.saturating_add(1),
        };
        let (first, last) = match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => (first.seq, last.seq),
            _ => (gap, gap.saturating_sub(1)),
        };
        let before: bool = self.one(BEFORE_ANY, params![room, first], |row| row.get(0))?;
        let after: bool = self.one(AFTER_ANY, params![room, last], |row| row.get(0))?;
        Ok(Page {
            rows,
            start: !before,
            end: !after,
        })
    }

    /// What changed in a room after `rev`, about `bytes_max` of JSON of it (but at least one row, if there is any).
    ///
    /// A page that is too far behind, from before what was pruned, or from a future that a restored backup does
    /// not have, is reset: it gets the newest page instead.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] without such a room.
    pub fn sync(&self, room: RoomId, rev: i64, bytes_max: usize) -> Result<Chunk, StoreError> {
        let (head, floor): (i64, i64) = self.one(
            "SELECT rev, rev_floor FROM rooms WHERE id = ?1",
            [room],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if rev == head {
            return Ok(chunk(Vec::new(), head));
        }
        if rev > head || rev < floor || head.saturating_sub(rev) > chat::SYNC_BEHIND_MAX {
            let mut rows = self.below(room, i64::MAX, chat::HISTORY_ROWS_MAX)?;
            let kept = fitting(rows.iter().rev(), bytes_max);
            rows.drain(..rows.len().saturating_sub(kept));
            return Ok(Chunk {
                reset: true,
                ..chunk(rows, head)
            });
        }

        let mut statement = self.conn.prepare_cached(CHANGED)?;
        let mut left = bytes_max;
        let mut rows: Vec<Row> = Vec::new();
        for next in statement.query_map(params![room, rev], row)? {
            let next = next?;
            let bytes = json_bytes(&next);
            if bytes > left
                && let Some(last) = rows.last()
            {
                let rev = last.rev;
                return Ok(Chunk {
                    more: true,
                    ..chunk(rows, rev)
                });
            }
            left = left.saturating_sub(bytes);
            rows.push(next);
        }
        Ok(chunk(rows, head))
    }

    /// The last `limit` rows below `seq`, rising.
    fn below(&self, room: RoomId, seq: i64, limit: usize) -> Result<Vec<Row>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = self.all(BELOW, params![room, seq, limit], row)?;
        rows.reverse();
        Ok(rows)
    }

    /// The first `limit` rows from `seq` on.
    fn from(&self, room: RoomId, seq: i64, limit: usize) -> Result<Vec<Row>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(FROM, params![room, seq, limit], row)
    }
}

/// The last chunk, up to `rev`.
const fn chunk(rows: Vec<Row>, rev: i64) -> Chunk {
    Chunk {
        rows,
        rev,
        more: false,
        reset: false,
    }
}

/// How many of these rows fit, at least one.
fn fitting<'a>(rows: impl Iterator<Item = &'a Row>, bytes_max: usize) -> usize {
    let mut left = bytes_max;
    let fit = rows.take_while(|row| {
        let bytes = json_bytes(row);
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    });
    fit.count().max(1)
}

/// About what a row takes as JSON, and never less: names, numbers at their longest, and the text with its escapes.
fn json_bytes(row: &Row) -> usize {
    // {"room":,"id":,"seq":,"rev":,"by":,"cid":"","at":,"text":"","edited":,"deleted":,"deletedBy":}, and nine numbers
    // of 19 digits.
    const FRAME: usize = 96 + 9 * 19;
    let escaped = |text: &str| -> usize {
        text.bytes()
            .map(|byte| match byte {
                b'"' | b'\\' => 2,
                // \u001f
                0..0x20 => 6,
                _ => 1,
            })
            .sum()
    };
    FRAME + escaped(&row.cid) + escaped(&row.text)
}

#[cfg(test)]
mod tests {
    use super::super::{MessageId, UserId};
    use super::*;

    #[test]
    fn a_row_is_never_longer_than_it_was_counted() {
        let row = Row {
            room: RoomId(i64::MAX),
            id: MessageId(i64::MAX),
            seq: i64::MAX,
            rev: i64::MAX,
            by: UserId(i64::MAX),
            cid: "\"".repeat(22),
            at: u64::MAX >> 1,
            text: "\u{1}\\\"é\n🌊 plain".to_owned(),
            edited: Some(u64::MAX >> 1),
            deleted: Some(u64::MAX >> 1),
            deleted_by: Some(UserId(i64::MAX)),
        };
        let json = serde_json::to_string(&row).unwrap();
        assert!(
            json.len() < json_bytes(&row) + 1,
            "{} of {json}",
            json_bytes(&row)
        );
    }

    #[test]
    fn a_row_is_told_as_the_contract_says() {
        let mut row = Row {
            room: RoomId(1),
            id: MessageId(2),
            seq: 3,
            rev: 4,
            by: UserId(5),
            cid: "c".to_owned(),
            at: 6,
            text: "hi".to_owned(),
            edited: None,
            deleted: None,
            deleted_by: None,
        };
        let json = serde_json::to_string(&row).unwrap();
        let plain = r#"{"room":1,"id":2,"seq":3,"rev":4,"by":5,"cid":"c","at":6,"text":"hi"}"#;
        assert_eq!(json, plain);
        row.edited = Some(7);
        row.deleted = Some(8);
        row.deleted_by = Some(UserId(9));
        let json = serde_json::to_string(&row).unwrap();
        assert!(json.ends_with(r#""text":"hi","edited":7,"deleted":8,"deletedBy":9}"#));
    }
}
