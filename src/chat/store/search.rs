//! Finding messages by their words, the newest first, in rooms that are named.
//!
//! Words as somebody typed them come in; at most [`chat::SEARCH_ROWS_MAX`] rows go out. Each word is quoted, so that none
//! is an operator, and all must be there; the last may be the beginning of one.
//! The rooms are part of what the index is asked, so that a common word costs nothing in rooms that are not.
//! Knows no clock: whoever asks says when enough has been done.
//! Left out: stems, which suit one language; ranking, since in a chat the newest is what is looked for.

use std::fmt::Write as _;

use rusqlite::{ffi, params};

use super::rows::{Found, MessageId, RoomId, Wanted};
use super::{Read, Reader, StoreError};
use crate::config::chat;

pub(super) const FOUND: &str = "SELECT search.rowid FROM search
    JOIN messages ON messages.id = search.rowid
    WHERE search MATCH ?1 AND search.rowid < ?2 AND (?3 IS NULL OR messages.author_id = ?3)
    ORDER BY search.rowid DESC LIMIT ?4";

/// Ids of messages, the newest first.
struct Hits {
    ids: Vec<MessageId>,
    is_cut: bool,
}

impl Reader {
    /// The newest messages that have all these words, until `is_over` says that it has taken long enough: then those
    /// that were found by then.
    ///
    /// # Errors
    /// What the disk says.
    pub fn search(
        &mut self,
        wanted: &Wanted,
        is_over: impl FnMut() -> bool + Send + 'static,
    ) -> Result<Found, StoreError> {
        let Some(expression) = expression(&wanted.words, &wanted.rooms) else {
            return Ok(Found::default());
        };
        let steps = chat::SEARCH_STEPS_BETWEEN_LOOKS;
        self.conn.progress_handler(steps, Some(is_over))?;
        let hits = self.job(|r| r.hits(&expression, wanted));
        self.conn.progress_handler(0, None::<fn() -> bool>)?;
        let Hits { mut ids, is_cut } = hits?;
        let more = ids.len() > chat::SEARCH_ROWS_MAX;
        ids.truncate(chat::SEARCH_ROWS_MAX);
        let rows = self.job(|r| ids.iter().map(|id| r.message(*id)).collect())?;
        Ok(Found {
            rows,
            more,
            partial: is_cut,
        })
    }
}

impl Read<'_> {
    fn hits(&self, expression: &str, wanted: &Wanted) -> Result<Hits, StoreError> {
        let before = wanted.before.unwrap_or(MessageId(i64::MAX));
        // One more than is shown, to know whether there are more.
        let limit = i64::try_from(chat::SEARCH_ROWS_MAX + 1).unwrap_or(i64::MAX);
        let mut hits = Hits {
            ids: Vec::new(),
            is_cut: false,
        };
        let mut statement = self.conn.prepare_cached(FOUND)?;
        let mut rows = statement.query(params![expression, before, wanted.from, limit])?;
        loop {
            match rows.next() {
                Ok(Some(row)) => hits.ids.push(row.get(0)?),
                Ok(None) => break,
                Err(error) if is_interrupted(&error) => {
                    hits.is_cut = true;
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(hits)
    }
}

fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error().map(|error| error.extended_code) == Some(ffi::SQLITE_INTERRUPT)
}

/// What the index is asked; nothing if no word has a letter or digit, or no room is named.
fn expression(words: &str, rooms: &[RoomId]) -> Option<String> {
    let mut asked = String::new();
    let mut last_chars = 0;
    let words = words
        // A NUL would end the expression for SQLite, in the middle of a word.
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| word.chars().any(char::is_alphanumeric));
    for word in words {
        let before = if asked.is_empty() {
            "body : ("
        } else {
            " AND "
        };
        write!(asked, "{before}\"{}\"", word.replace('"', "\"\"")).ok()?;
        let end = word.chars().rev();
        last_chars = end.take_while(|c| c.is_alphanumeric()).count();
    }
    if asked.is_empty() || rooms.is_empty() {
        return None;
    }
    // Of two and three letters the index knows beginnings; for one it would have to gather most of its words, which nothing stops.
    asked.push_str(if last_chars > 1 { " *)" } else { ")" });
    for (at, room) in rooms.iter().enumerate() {
        let before = if at == 0 { " AND room : (" } else { " OR " };
        write!(asked, "{before}r{}", room.0).ok()?;
    }
    asked.push(')');
    Some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_the_last_may_go_on() {
        let one = [RoomId(7)];
        let two = [RoomId(7), RoomId(12)];
        let table: [(&str, &[RoomId], &str); 7] = [
            ("tea", &one, r#"body : ("tea" *) AND room : (r7)"#),
            (
                " green  tea ",
                &two,
                r#"body : ("green" AND "tea" *) AND room : (r7 OR r12)"#,
            ),
            (
                "NOT AND",
                &one,
                r#"body : ("NOT" AND "AND" *) AND room : (r7)"#,
            ),
            ("NEAR(a", &one, r#"body : ("NEAR(a") AND room : (r7)"#),
            ("\"a\"b", &one, r#"body : ("""a""b") AND room : (r7)"#),
            ("a\0b", &one, r#"body : ("a" AND "b") AND room : (r7)"#),
            ("room:r9 -", &one, r#"body : ("room:r9" *) AND room : (r7)"#),
        ];
        for (words, rooms, asked) in table {
            assert_eq!(expression(words, rooms).as_deref(), Some(asked), "{words}");
        }
        for nothing in ["", "  ", "\"", "* ( ) -", "🌊", "\0"] {
            assert_eq!(expression(nothing, &one), None, "{nothing}");
        }
        assert_eq!(expression("tea", &[]), None, "nowhere");
    }
}
