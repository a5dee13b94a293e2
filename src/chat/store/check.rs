//! What must agree in a database: SQLite's own structure, and the chat's numbers.
//!
//! A snapshot comes in; a [`Report`] goes out, which counts what is there and says what is wrong, one sentence each.
//! Nothing is repaired here: who knows that something is wrong restores a backup, or asks somebody.
//! Left out: the words in the search index, which SQLite compares with itself but not with the messages.

use rusqlite::Connection;

use super::boot::{DATABASE, GENERAL, WORKSPACE};
use super::{Read, StoreError};
use crate::config::chat;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Accounts.
    pub people: u64,
    /// Rooms, also direct ones.
    pub rooms: u64,
    /// Messages, also deleted ones.
    pub messages: u64,
    /// Whether SQLite itself finds it broken: then nothing else was looked at.
    pub is_damaged: bool,
    /// What does not agree, a sentence each; at most [`chat::FINDINGS_MAX`].
    pub findings: Vec<String>,
}

/// Each finds rows that must not be, and says of each what is wrong with it.
const RULES: &[&str] = &[
    // Numbers of messages begin with 1 and have no holes, unless old ones were cleared away.
    "SELECT 'room ' || id || ': ' || (seq - (SELECT count(*) FROM messages WHERE room_id = rooms.id))
            || ' of its ' || seq || ' messages are missing'
     FROM rooms WHERE rev_floor = 0 AND seq > (SELECT count(*) FROM messages WHERE room_id = rooms.id)",
    "SELECT 'room ' || room_id || ': message ' || messages.id || ' has the number ' || messages.seq
            || ', and the last is ' || rooms.seq
     FROM messages JOIN rooms ON rooms.id = room_id WHERE messages.seq NOT BETWEEN 1 AND rooms.seq",
    "SELECT 'room ' || room_id || ': message ' || messages.id || ' has revision ' || messages.rev
            || ', and the last is ' || rooms.rev
     FROM messages JOIN rooms ON rooms.id = room_id WHERE messages.rev NOT BETWEEN 1 AND rooms.rev",
    "SELECT 'room ' || id || ': its revision ' || rev || ' is below the number ' || max(seq, rev_floor)
            || ' that it has counted to'
     FROM rooms WHERE rev < max(seq, rev_floor)",
    "SELECT 'room ' || room_id || ': user ' || user_id || ' has read up to ' || read_seq
            || ', and the last is ' || rooms.seq
     FROM members JOIN rooms ON rooms.id = room_id WHERE read_seq NOT BETWEEN 0 AND rooms.seq OR mentions < 0",
    "SELECT 'message ' || messages.id || ': its author ' || author_id || ' is nobody'
     FROM messages LEFT JOIN users ON users.id = author_id WHERE users.id IS NULL",
    "SELECT 'message ' || id || ' was deleted, and its text is still there' FROM messages
     WHERE deleted_at IS NOT NULL AND (body <> '' OR files IS NOT NULL)",
    // A direct room has a key and no name, all others the other way round.
    "SELECT 'room ' || id || ': ' || iif(kind = 2, 'a direct room without its two people', 'a room without a name') FROM rooms
     WHERE iif(kind = 2, dm_key, name_key) IS NULL",
    "SELECT 'room ' || id || ' is direct, and ' || count(*) || ' people are in it' FROM rooms JOIN members ON room_id = id
     WHERE kind = 2 GROUP BY id HAVING count(*) > 2",
];

/// Compares all that must agree.
pub(super) fn report(read: &Read<'_>) -> Result<Report, StoreError> {
    let count = |sql| read.one(sql, [], |row| row.get::<_, i64>(0));
    let mut findings = damages(read.conn, chat::FINDINGS_MAX)?;
    // What SQLite finds broken is not asked further: the answers would be as broken.
    if !findings.is_empty() {
        return Ok(Report {
            is_damaged: true,
            findings,
            ..Report::default()
        });
    }
    findings.extend(missing(read)?);
    for rule in RULES {
        findings.extend(read.all(rule, [], |row| row.get::<_, String>(0))?);
    }
    findings.truncate(chat::FINDINGS_MAX);
    let whole = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(Report {
        people: whole(count("SELECT count(*) FROM users")?),
        rooms: whole(count("SELECT count(*) FROM rooms")?),
        messages: whole(count("SELECT count(*) FROM messages")?),
        is_damaged: false,
        findings,
    })
}

/// What SQLite itself finds wrong with a database, first.
pub(super) fn first_damage(conn: &Connection) -> Result<Option<String>, StoreError> {
    Ok(damages(conn, 1)?.pop())
}

fn damages(conn: &Connection, most: usize) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut structure = conn.prepare(&format!("PRAGMA integrity_check({most})"))?;
    for line in structure.query_map([], |row| row.get::<_, String>(0))? {
        found.push(line?);
    }
    found.retain(|line| line != "ok");
    let mut strays = conn.prepare("PRAGMA foreign_key_check")?;
    let stray = |row: &rusqlite::Row<'_>| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        let id: Option<i64> = row.get(1)?;
        let which = id.map_or_else(String::new, |id| format!(" {id}"));
        Ok(format!(
            "a row{which} of {table} belongs to none of {parent}"
        ))
    };
    for line in strays.query_map([], stray)?.take(most) {
        found.push(line?);
    }
    found.truncate(most);
    Ok(found)
}

/// What every workspace has from its first account on.
fn missing(read: &Read<'_>) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    if read.meta(WORKSPACE)?.is_none() {
        return Ok(found);
    }
    let has = |sql| read.one(sql, [], |row| row.get::<_, bool>(0));
    if !has(
        "SELECT EXISTS (SELECT 1 FROM rooms JOIN meta ON k = 'general' AND rooms.id = CAST(v AS INTEGER))",
    )? {
        found.push(format!(
            "the room that everybody is in (`{GENERAL}`) is not there"
        ));
    }
    // 2: Role::Admin; 2 and 3: State::Banned and State::Left.
    if !has("SELECT EXISTS (SELECT 1 FROM users WHERE role = 2 AND state NOT IN (2, 3))")? {
        found.push("no admin is left: give somebody the role".to_owned());
    }
    if read.meta(DATABASE)?.is_none() {
        found.push("the database has no id of its own yet: the next start gives it one".to_owned());
    }
    Ok(found)
}
