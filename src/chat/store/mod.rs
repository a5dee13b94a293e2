//! The store: everything that must survive a restart, in one SQLite database.
//!
//! Jobs come in with the time; rows go out. [`Store`] writes and belongs to the write lane, [`Reader`] reads and belongs
//! to the read lane; both lend their job a view ([`Write`], [`Read`]) with the functions of the domain.
//! Never knows who is asking, and so refuses nobody: the events check membership and roles before they come here.
//! Left out: reactions and files have their tables already, and wait for their functions.
//!
//! **What is promised.** Everything that waits runs in one transaction, each job in a savepoint of its own. When
//! [`Store::batch`] returns `Ok`, every job that returned `Ok` is on disk (WAL and `synchronous=FULL`); when it returns
//! `Err`, none is, whatever the jobs returned. So results leave only after the batch. After a
//! [`StoreError::Broken`] even that is unknown, and the process must stop.

mod audit;
mod backup;
mod boot;
mod check;
mod clearing;
mod error;
mod history;
mod invites;
mod links;
mod messages;
mod order;
mod people;
mod rooms;
mod rows;
pub(super) mod schema;
mod search;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use audit::Deed;
pub use backup::{Copied, CopyError, GiveUp, Keeper};
pub(super) use backup::{remove_database, stamp, sync_folder_of, with_suffix};
pub use check::Report;
pub use clearing::Cleared;
pub use error::StoreError;
pub use people::NewUser;
pub use rows::{
    Boot, Chunk, Found, Invite, InviteId, Joined, Left, LetBack, Level, Mark, Member, MessageId,
    Noted, Opened, Page, PersonListed, Role, Room, RoomId, RoomKind, Row, Sent, Session, SessionId,
    SessionShown, ShutOut, SignIn, Span, State, User, UserId, Wanted,
};

use std::fmt;
use std::ops::Deref;
use std::path::Path;

use rusqlite::{Connection, Params};

/// The one that writes.
pub struct Store {
    conn: Connection,
    phase: Phase,
    /// Set once, and for good: see [`StoreError::Broken`].
    broken: Option<StoreError>,
}

/// Where a batch stands.
enum Phase {
    /// No transaction is open.
    Idle,
    /// `BEGIN` … : jobs may run.
    Batch,
    /// The transaction is lost with all its jobs, for this reason: the rest of the batch is not even tried.
    Lost(StoreError),
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, and makes it or brings it up to date as needed.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] and [`StoreError::Newer`], before anything was changed; and what the disk says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = schema::open_writer(path)?;
        Ok(Self {
            conn,
            phase: Phase::Idle,
            broken: None,
        })
    }

    /// Runs all that waits in one transaction: `run` calls [`Store::job`] any number of times.
    ///
    /// # Errors
    /// Then no job of this batch is stored. The next batch may work, unless [`StoreError::must_stop`].
    pub fn batch(&mut self, run: &mut dyn FnMut(&mut Self)) -> Result<(), StoreError> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        // Open only if `run` panicked last time.
        self.roll_back();
        self.statement("BEGIN IMMEDIATE")?;
        self.phase = Phase::Batch;
        run(self);
        let outcome = match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Lost(why) => Err(why),
            Phase::Idle | Phase::Batch => self.statement("COMMIT"),
        };
        if outcome.is_err() {
            self.roll_back();
        }
        outcome
    }

    /// Runs one job: within [`Store::batch`] in a savepoint, which is rolled back if the job fails or panics; otherwise
    /// as a batch of one.
    ///
    /// # Errors
    /// What the job returned, or what the disk says.
    pub fn job<T>(
        &mut self,
        job: impl FnOnce(&Write<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match &self.phase {
            Phase::Batch => return self.savepoint(job),
            Phase::Lost(why) => return Err(why.clone()),
            Phase::Idle => {}
        }
        let mut job = Some(job);
        let mut outcome = None;
        self.batch(&mut |store| outcome = job.take().map(|job| store.savepoint(job)))?;
        outcome.expect("a batch that succeeded has run its job")
    }

    /// Moves the whole write-ahead log into the database and truncates it. For an idle hour and for the end: it waits
    /// for readers.
    ///
    /// # Errors
    /// What the disk says.
    pub fn shrink_log(&mut self) -> Result<Checkpoint, StoreError> {
        let done = checkpoint(&self.conn, "PRAGMA wal_checkpoint(TRUNCATE)");
        done.map_err(|error| self.noted(error))
    }

    fn savepoint<T>(
        &mut self,
        job: impl FnOnce(&Write<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let outcome = match self.conn.savepoint() {
            Ok(savepoint) => {
                let write = Write(Read { conn: &savepoint });
                match job(&write) {
                    Ok(value) => savepoint.commit().map(|()| value).map_err(StoreError::from),
                    // Dropped, and so rolled back.
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error.into()),
        };
        outcome.map_err(|error| {
            let error = self.noted(error);
            // On some errors (a full disk, a failed read) SQLite itself rolls the whole transaction back; what ran after
            // that would be committed on its own, out of sight of the batch.
            if self.conn.is_autocommit() || error.must_stop() {
                self.phase = Phase::Lost(error.clone());
            }
            error
        })
    }

    fn statement(&mut self, sql: &str) -> Result<(), StoreError> {
        let outcome = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut it| it.execute([]));
        outcome
            .map(|_| ())
            .map_err(|error| self.noted(error.into()))
    }

    fn roll_back(&mut self) {
        self.phase = Phase::Idle;
        if !self.conn.is_autocommit() {
            // That there is nothing left to roll back is the one way in which this fails.
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }

    fn noted(&mut self, error: StoreError) -> StoreError {
        if error.must_stop() && self.broken.is_none() {
            self.broken = Some(error.clone());
        }
        error
    }
}

/// The one that reads, beside the writer and without waiting for it.
pub struct Reader {
    conn: Connection,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a database that a [`Store`] has opened before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it has not been made, [`StoreError::Foreign`] if it is not ours, and what the disk says.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = schema::open_reader(path)?;
        Ok(Self { conn })
    }

    /// Runs one job, which sees the database as it was at its first look.
    ///
    /// # Errors
    /// What the job returned, or what the disk says.
    pub fn job<T>(
        &mut self,
        job: impl FnOnce(&Read<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let snapshot = self.conn.transaction()?;
        job(&Read { conn: &snapshot })
    }

    /// Moves what it can from the write-ahead log into the database without making anybody wait. Call it each thousand
    /// pages or so; [`Checkpoint::log_pages`] says how much there is.
    ///
    /// # Errors
    /// What the disk says.
    pub fn checkpoint(&mut self) -> Result<Checkpoint, StoreError> {
        checkpoint(&self.conn, "PRAGMA wal_checkpoint(PASSIVE)")
    }

    /// Reads the whole database and compares what must agree.
    ///
    /// # Errors
    /// What the disk says. Damage that was found is not an error of the check: it is its answer.
    pub fn quick_check(&mut self) -> Result<Soundness, StoreError> {
        let first: String = self
            .conn
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        Ok(if first == "ok" {
            Soundness::Sound
        } else {
            Soundness::Damaged { first }
        })
    }

    /// Bytes on disk: of the database, and of what is written and not yet moved into it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn size(&self) -> Result<u64, StoreError> {
        let pragma = |name| {
            self.conn
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
        };
        let bytes = pragma("page_count")? * pragma("page_size")?;
        let log = self.conn.path().map(|path| format!("{path}-wal"));
        // There is none while nothing was written.
        let log = log.and_then(|log| std::fs::metadata(log).ok());
        Ok(u64::try_from(bytes).unwrap_or(0) + log.map_or(0, |log| log.len()))
    }
}

/// How far a check-point came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Pages in the write-ahead log.
    pub log_pages: i64,
    /// Those of them that are in the database now.
    pub moved_pages: i64,
}

/// What [`Reader::quick_check`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// All agrees.
    Sound,
    /// The database is damaged: stop writing, and restore or recover it.
    Damaged {
        /// The first thing that does not agree, for the log.
        first: String,
    },
}

fn checkpoint(conn: &Connection, sql: &str) -> Result<Checkpoint, StoreError> {
    Ok(conn.prepare_cached(sql)?.query_row([], |row| {
        Ok(Checkpoint {
            log_pages: row.get(1)?,
            moved_pages: row.get(2)?,
        })
    })?)
}

/// What a job may ask.
pub struct Read<'a> {
    conn: &'a Connection,
}

/// What a job may do; it may also ask.
pub struct Write<'a>(Read<'a>);

impl<'a> Deref for Write<'a> {
    type Target = Read<'a>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Debug for Read<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Read")
    }
}

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Write")
    }
}

type FromRow<T> = fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>;

impl Read<'_> {
    /// The one row there must be; [`StoreError::NotFound`] without one.
    fn one<T>(&self, sql: &str, params: impl Params, row: FromRow<T>) -> Result<T, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.query_row(params, row)?)
    }

    fn maybe<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: FromRow<T>,
    ) -> Result<Option<T>, StoreError> {
        match self.one(sql, params, row) {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        row: FromRow<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Changes rows and says how many. Private to `Write`: a view that only reads cannot call it.
    fn change(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }
}
