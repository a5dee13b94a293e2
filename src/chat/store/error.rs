//! What may go wrong in the store, sorted by what the caller can do about it.
//!
//! Refusals (`Taken`, `NotFound`, `Gone`, `LastAdmin`) go to the person who asked. `Full`, `Busy` and `Failed` cost one job or one
//! batch, and the next may work. `Foreign` and `Newer` are for the start. `Broken` ends the process.
//! Knows SQLite's result codes, and nothing of events and acks.
//! Left out: retries. Only the sender knows whether it still wants what it asked for.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use rusqlite::ffi;

/// Why the store did not do it. Cheap to clone, since the end of a batch is the end of every job in it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// The login or the name belongs to another.
    Taken,
    /// No such user, room or message.
    NotFound,
    /// The invite or first-run code is used up, expired or replaced, or never was one.
    Gone,
    /// It would leave nobody who may let others in.
    LastAdmin,
    /// No space is left: on the disk, in its owner's quota, or below a limit on the size of files. Reading goes on, and writing
    /// too once there is space.
    Full,
    /// Another process held the database for too long.
    Busy,
    /// This batch failed; the next may work.
    Failed(Arc<rusqlite::Error>),
    /// The file is not a database of ours. Nothing was changed in it.
    Foreign,
    /// The database was made by a newer version of this program.
    Newer {
        /// The version of its schema.
        found: u32,
        /// The newest version known here.
        known: u32,
    },
    /// The disk no longer keeps what it was given, or the database is damaged: **the process must stop**. After a failed
    /// flush nobody knows which rows are on disk; a batch that was refused may well be there after a restart.
    Broken(Arc<rusqlite::Error>),
}

impl StoreError {
    /// Whether the process must stop at once, without another answer from this store.
    #[must_use]
    pub const fn must_stop(&self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str("that name is taken"),
            Self::NotFound => f.write_str("there is no such thing"),
            Self::Gone => f.write_str("that code has been used up or replaced"),
            Self::LastAdmin => f.write_str("there must be an admin"),
            Self::Full => f.write_str("the disk is full"),
            Self::Busy => f.write_str("the database is held by another process"),
            Self::Failed(error) => write!(f, "the database refused a batch: {error}"),
            Self::Foreign => f.write_str("the file is not a Roomcast database"),
            Self::Newer { found, known } => write!(
                f,
                "the database has version {found}, and this program knows versions up to {known}: \
                 use a newer Roomcast or restore an older backup"
            ),
            Self::Broken(error) => write!(f, "the database can no longer be trusted: {error}"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) | Self::Broken(error) => Some(error.as_ref()),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // Only a failed call to the system leaves it as it was: asked at once, on the thread where that was.
        let last = io::Error::last_os_error().kind();
        Self::sorted(error, last)
    }
}

impl StoreError {
    /// `last` is what the last call to the system that failed on this thread has said.
    fn sorted(error: rusqlite::Error, last: ErrorKind) -> Self {
        let code = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code,
            rusqlite::Error::QueryReturnedNoRows => return Self::NotFound,
            // A column that does not hold what we always write into it: the file was damaged or tampered with.
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => return Self::Broken(Arc::new(error)),
            _ => return Self::Failed(Arc::new(error)),
        };
        match code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                return Self::Taken;
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Self::NotFound,
            ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => {
                return Self::Broken(Arc::new(error));
            }
            _ => {}
        }
        // The low byte is the primary code (sqlite.org/rescode.html).
        match code & 0xff {
            ffi::SQLITE_FULL => Self::Full,
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => Self::Busy,
            ffi::SQLITE_NOTADB => Self::Foreign,
            ffi::SQLITE_CORRUPT => Self::Broken(Arc::new(error)),
            // SQLite knows a full disk by its number, and takes a quota or a limit on files for any failed write.
            ffi::SQLITE_IOERR if is_out_of_space(last) => Self::Full,
            _ => Self::Failed(Arc::new(error)),
        }
    }
}

const fn is_out_of_space(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> StoreError {
        after(code, ErrorKind::Other)
    }

    fn after(code: i32, last: ErrorKind) -> StoreError {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        StoreError::sorted(error, last)
    }

    #[test]
    fn a_quota_and_a_limit_on_files_are_no_space_unless_a_flush_has_failed() {
        for last in [ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge] {
            assert_eq!(after(ffi::SQLITE_IOERR_WRITE, last), StoreError::Full);
            assert_eq!(after(ffi::SQLITE_IOERR_SHMSIZE, last), StoreError::Full);
            assert!(after(ffi::SQLITE_IOERR_FSYNC, last).must_stop());
            assert_eq!(after(ffi::SQLITE_BUSY, last), StoreError::Busy);
            assert!(after(ffi::SQLITE_CORRUPT, last).must_stop());
        }
    }

    #[test]
    fn a_failed_flush_or_a_damaged_page_stops_the_process_and_a_failed_write_does_not() {
        assert!(of(ffi::SQLITE_IOERR_FSYNC).must_stop());
        assert!(of(ffi::SQLITE_IOERR_DIR_FSYNC).must_stop());
        assert!(of(ffi::SQLITE_CORRUPT).must_stop());
        assert!(of(ffi::SQLITE_CORRUPT_VTAB).must_stop());
        assert!(matches!(of(ffi::SQLITE_IOERR_WRITE), StoreError::Failed(_)));
        assert!(matches!(of(ffi::SQLITE_READONLY), StoreError::Failed(_)));
    }

    #[test]
    fn each_code_becomes_what_the_caller_can_act_on() {
        assert_eq!(of(ffi::SQLITE_FULL), StoreError::Full);
        assert_eq!(of(ffi::SQLITE_BUSY), StoreError::Busy);
        assert_eq!(of(ffi::SQLITE_BUSY_SNAPSHOT), StoreError::Busy);
        assert_eq!(of(ffi::SQLITE_NOTADB), StoreError::Foreign);
        assert_eq!(of(ffi::SQLITE_CONSTRAINT_UNIQUE), StoreError::Taken);
        assert_eq!(of(ffi::SQLITE_CONSTRAINT_FOREIGNKEY), StoreError::NotFound);
        assert!(matches!(
            of(ffi::SQLITE_CONSTRAINT_NOTNULL),
            StoreError::Failed(_)
        ));
        assert_eq!(
            StoreError::from(rusqlite::Error::QueryReturnedNoRows),
            StoreError::NotFound
        );
    }

    #[test]
    fn every_error_says_what_happened_in_one_line() {
        let newer = StoreError::Newer { found: 9, known: 1 };
        for error in [of(ffi::SQLITE_IOERR_FSYNC), of(ffi::SQLITE_IOERR), newer] {
            assert!(!error.to_string().contains('\n'));
            assert!(error.to_string().len() > 20);
        }
    }
}
