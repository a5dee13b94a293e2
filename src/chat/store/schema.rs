//! The schema: opening a database file, telling ours from others, and bringing an older one up to date.
//!
//! A path comes in; a connection with its pragmas set goes out, or a refusal that changed nothing.
//! Knows no table: the SQL of each version is a file of its own.
//! Left out: going back a version; a backup does that.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::StoreError;
use crate::config::chat;

/// In the header of each database of ours: "Room" in ASCII.
const APPLICATION_ID: i32 = 0x526f_6f6d;

/// Entry n brings a database from version n to n + 1, within one transaction.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("v1.sql")];

/// What a path holds, judged from the file's header alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Kind {
    /// Nothing, or a file without a byte: we crashed while creating it.
    Fresh,
    /// A database of ours, of whatever version.
    Ours,
    /// Anything else.
    Foreign,
}

/// Looks at the header without SQLite, which would already roll back or check-point a foreign database.
///
/// The application id is written before the switch to WAL, so the main file always has it.
pub(in crate::chat) fn peek(path: &Path) -> io::Result<Kind> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Kind::Fresh),
        Err(error) => return Err(error),
    };
    // The header is 100 bytes: magic at 0, application id at 68, big-endian (sqlite.org/fileformat.html, section 1.3).
    let mut header = Vec::with_capacity(100);
    file.by_ref().take(100).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(Kind::Fresh);
    }
    let ours = header.starts_with(b"SQLite format 3\0")
        && header.get(68..72) == Some(&APPLICATION_ID.to_be_bytes());
    Ok(if ours { Kind::Ours } else { Kind::Foreign })
}

/// Opens the one writing connection, and makes or updates the database as needed.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    if matches!(peek(path), Ok(Kind::Foreign)) {
        return Err(StoreError::Foreign);
    }
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // Both must come before the first table, and the id before WAL: see `peek`.
    if version(&conn)? == 0 {
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    common(&conn)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    // Check-points are the read lane's, so that no sender waits for one.
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", chat::WAL_BYTES_KEPT_MAX, |_| {
        Ok(())
    })?;
    conn.pragma_update(None, "foreign_keys", true)?;
    migrate(&mut conn)?;
    Ok(conn)
}

/// Opens a connection that reads and check-points. The database must be there and up to date.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    match peek(path) {
        Ok(Kind::Fresh) => return Err(StoreError::NotFound),
        Ok(Kind::Foreign) => return Err(StoreError::Foreign),
        // What cannot be read, SQLite will say in its own words.
        Ok(Kind::Ours) | Err(_) => {}
    }
    // Read-only connections cannot check-point; `query_only` forbids all other writing.
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    common(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn common(conn: &Connection) -> Result<(), StoreError> {
    conn.busy_timeout(chat::BUSY_WITHIN)?;
    conn.set_prepared_statement_cache_capacity(chat::STATEMENTS_CACHED_MAX);
    // Negative: KiB, not pages.
    conn.pragma_update(None, "cache_size", -chat::PAGE_CACHE_KIB_MAX)?;
    conn.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))
        .or_else(none_is_fine)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(())
}

/// Some builds of SQLite answer `PRAGMA mmap_size = 0` with a row, some without.
fn none_is_fine(error: rusqlite::Error) -> rusqlite::Result<()> {
    match error {
        rusqlite::Error::QueryReturnedNoRows => Ok(()),
        error => Err(error),
    }
}

fn version(conn: &Connection) -> Result<u32, StoreError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    let known = u32::try_from(MIGRATIONS.len()).expect("a handful of versions");
    let found = version(conn)?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (to, sql) in (1..).zip(MIGRATIONS).skip(found as usize) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.pragma_update(None, "user_version", to)?;
        tx.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Reader, Store};
    use super::*;
    use std::fs;

    fn pragma(conn: &Connection, name: &str) -> i64 {
        conn.pragma_query_value(None, name, |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn the_pragmas_are_what_the_contract_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let conn = open_writer(&path).unwrap();
        let mode: String = conn
            .pragma_query_value(None, "journal_mode", |r| r.get(0))
            .unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(pragma(&conn, "synchronous"), 2);
        assert_eq!(pragma(&conn, "cache_size"), -2000);
        assert_eq!(pragma(&conn, "mmap_size"), 0);
        assert_eq!(pragma(&conn, "temp_store"), 2);
        assert_eq!(pragma(&conn, "wal_autocheckpoint"), 0);
        assert_eq!(pragma(&conn, "foreign_keys"), 1);
        assert_eq!(pragma(&conn, "auto_vacuum"), 2);
        assert_eq!(pragma(&conn, "user_version"), 1);
        assert_eq!(peek(&path).unwrap(), Kind::Ours);
        let reader = open_reader(&path).unwrap();
        assert_eq!(pragma(&reader, "query_only"), 1);
        assert_eq!(pragma(&reader, "cache_size"), -2000);
        reader
            .execute("DELETE FROM users", [])
            .expect_err("a reader only reads");
    }

    /// Each earlier version, with the rows it could hold, opens as the newest and keeps them.
    #[test]
    fn every_earlier_version_opens() {
        let rows = [
            "INSERT INTO users(id, login, login_key, name, created_at) VALUES (1, 'a', 'a', 'A', 5);
             INSERT INTO rooms(id, kind, name, name_key, seq, rev, created_at) VALUES (1, 0, 'General', 'generai', 1, 1, 5);
             INSERT INTO members(user_id, room_id, joined_at) VALUES (1, 1, 5);
             INSERT INTO messages(room_id, seq, rev, author_id, cid, at, body) VALUES (1, 1, 1, 1, 'c', 5, 'old words');",
        ];
        assert_eq!(
            rows.len(),
            MIGRATIONS.len(),
            "a new version comes with rows of its own"
        );
        for made in 0..=MIGRATIONS.len() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.db");
            let conn = Connection::open(&path).unwrap();
            conn.pragma_update(None, "application_id", APPLICATION_ID)
                .unwrap();
            for sql in &MIGRATIONS[..made] {
                conn.execute_batch(sql).unwrap();
            }
            conn.pragma_update(None, "user_version", u32::try_from(made).unwrap())
                .unwrap();
            if made > 0 {
                conn.execute_batch(rows[made - 1]).unwrap();
            }
            drop(conn);

            let store = Store::open(&path).unwrap();
            assert_eq!(pragma(&store.conn, "user_version"), 1);
            let boot = Reader::open(&path)
                .unwrap()
                .job(|read| read.load(0))
                .unwrap();
            assert_eq!(boot.rooms.len(), made.min(1));
        }
    }

    #[test]
    fn a_foreign_file_is_refused_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let text = dir.path().join("letter.db");
        fs::write(&text, b"Dear diary").unwrap();
        let other = dir.path().join("other.db");
        let conn = Connection::open(&other).unwrap();
        conn.execute_batch("CREATE TABLE theirs(x); INSERT INTO theirs VALUES (1)")
            .unwrap();
        drop(conn);
        for path in [text, other] {
            let before = fs::read(&path).unwrap();
            assert_eq!(Store::open(&path).err(), Some(StoreError::Foreign));
            assert_eq!(Reader::open(&path).err(), Some(StoreError::Foreign));
            assert_eq!(fs::read(&path).unwrap(), before);
        }
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            2,
            "and nothing beside them"
        );
    }

    #[test]
    fn a_newer_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let conn = open_writer(&path).unwrap();
        conn.pragma_update(None, "user_version", 7).unwrap();
        drop(conn);
        assert_eq!(
            Store::open(&path).err(),
            Some(StoreError::Newer { found: 7, known: 1 })
        );
    }

    #[test]
    fn a_creation_cut_short_is_begun_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        fs::write(&path, b"").unwrap();
        assert_eq!(Reader::open(&path).err(), Some(StoreError::NotFound));
        Store::open(&path).unwrap();
        let later = dir.path().join("b.db");
        let conn = Connection::open(&later).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        drop(conn);
        Store::open(&later).unwrap();
    }
}
