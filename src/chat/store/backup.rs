//! Copies of the database: made while the chat runs, complete and checked when they are named.
//!
//! A [`Keeper`] belongs to the lane of slow work and opens a connection of its own for each piece of it, so that neither readers
//! nor senders wait for a copy of many megabytes: it holds a snapshot, and writers write on behind it.
//! A path comes in; a file that is a whole database goes out, or none.
//! Knows no dates and no names of files: the caller has them.
//! Left out: copies of what changed only. A group's history is some hundred megabytes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::check::{self, Report};
use super::{Read, StoreError, schema};
use crate::config::chat;

/// What the lane of slow work owns: where the database is, and whether it is still wanted.
#[derive(Clone, Debug)]
pub struct Keeper {
    database: PathBuf,
    given_up: Arc<AtomicBool>,
}

/// Ends a copy that is being made: the process is ending.
#[derive(Clone, Debug, Default)]
pub struct GiveUp(Arc<AtomicBool>);

impl GiveUp {
    /// From now on nothing is begun, and what is under way ends soon, with nothing left behind.
    pub fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A copy that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is.
    pub bytes: u64,
}

/// Why there is no copy.
#[derive(Debug)]
#[non_exhaustive]
pub enum CopyError {
    /// The database, or the copy, cannot be read or written.
    Store(StoreError),
    /// The copy's file cannot be made.
    File(PathBuf, io::Error),
    /// What was copied is damaged; this is the first thing that is wrong with it.
    Damaged(String),
    /// The process is ending.
    GivenUp,
}

impl From<StoreError> for CopyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for CopyError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl std::fmt::Display for CopyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "{} cannot be written: {error}", path.display()),
            Self::Damaged(first) => write!(f, "the database is damaged: {first}"),
            Self::GivenUp => f.write_str("the server is ending"),
        }
    }
}

impl std::error::Error for CopyError {}

impl Keeper {
    /// For a database that a [`Store`](super::Store) has opened before.
    #[must_use]
    pub fn new(database: PathBuf, give_up: &GiveUp) -> Self {
        Self {
            database,
            given_up: Arc::clone(&give_up.0),
        }
    }

    /// Copies the database as it is now. The file has its name only once it is whole, checked and on disk; one that is there
    /// already is replaced.
    ///
    /// # Errors
    /// See [`CopyError`]; no file is left behind then.
    pub fn copy_to(&self, path: &Path) -> Result<Copied, CopyError> {
        let part = with_suffix(path, ".part");
        let made = self.copy_and_check(&part).and_then(|()| {
            let named = || {
                File::open(&part)?.sync_all()?;
                fs::rename(&part, path)?;
                sync_folder_of(path)?;
                fs::metadata(path)
            };
            named().map_err(|error| CopyError::File(path.to_owned(), error))
        });
        match made {
            Ok(there) => Ok(Copied {
                path: path.to_owned(),
                bytes: there.len(),
            }),
            Err(error) => {
                remove_database(&part);
                Err(error)
            }
        }
    }

    /// Reads the whole database, and compares what must agree.
    ///
    /// # Errors
    /// What the disk says. Damage that was found is no error of the check: it is its answer.
    pub fn check(&self) -> Result<Report, StoreError> {
        let mut conn = schema::open_reader(&self.database)?;
        let snapshot = conn.transaction()?;
        check::report(&Read { conn: &snapshot })
    }

    fn copy_and_check(&self, part: &Path) -> Result<(), CopyError> {
        remove_database(part);
        // For its owner's eyes only, from its first byte on.
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(part)
            .map_err(|error| CopyError::File(part.to_owned(), error))?;
        self.copy_pages(part)?;
        let copy = Connection::open(part)?;
        // A file of its own, without a log beside it, that also opens where nothing can be written.
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
        match check::first_damage(&copy)? {
            None => Ok(()),
            Some(first) => Err(CopyError::Damaged(first)),
        }
    }

    fn copy_pages(&self, part: &Path) -> Result<(), CopyError> {
        let mut source = schema::open_reader(&self.database)?;
        // Held from the first step to the last: without it a writer between two steps would make SQLite begin anew.
        let snapshot = source.transaction()?;
        snapshot.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))?;
        let mut copy = Connection::open(part)?;
        // If it is not finished it is thrown away, and at the end it is synced as a whole.
        copy.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
        copy.pragma_update(None, "synchronous", "OFF")?;
        let backup = Backup::new(&snapshot, &mut copy)?;
        loop {
            if self.given_up.load(Ordering::Relaxed) {
                return Err(CopyError::GivenUp);
            }
            match backup.step(chat::BACKUP_PAGES_PER_STEP)? {
                StepResult::Done => return Ok(()),
                StepResult::More => {}
                _ => return Err(StoreError::Busy.into()),
            }
        }
    }
}

/// A moment as part of a file's name: `2026-03-01T140500Z`, as SQLite reckons it.
#[must_use]
pub(in crate::chat) fn stamp(at: u64) -> String {
    let seconds = i64::try_from(at / 1000).unwrap_or(i64::MAX);
    let named = Connection::open_in_memory().and_then(|conn| {
        let sql = "SELECT strftime('%Y-%m-%dT%H%M%SZ', ?1, 'unixepoch')";
        conn.query_row(sql, [seconds], |row| row.get(0))
    });
    // Beyond the year 9999.
    named.unwrap_or_else(|_| seconds.to_string())
}

/// Removes a database's file and those that SQLite may have put beside it.
pub(in crate::chat) fn remove_database(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        // Mostly there is none.
        let _ = fs::remove_file(with_suffix(path, suffix));
    }
}

/// A path with something at its end, as SQLite names what belongs to a database.
pub(in crate::chat) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What was renamed stays so after a power cut.
pub(in crate::chat) fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}
