//! Restoring: a backup takes the database's place, and the one before is kept beside the backups.
//!
//! A file comes in and is copied, checked, brought up to date and made a history of its own (`stage`), while a server may
//! still run; then, with the database closed, two renames put it in place (`finish`). Whatever moment a process is killed at,
//! the next one finds the old database or the new one: the name of what is staged says where the old one goes.
//! Knows files, and the store only as something that opens them.
//! Left out: undoing it by command. The replaced database can be restored like any backup.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::folder::Places;
use super::store::schema::{Kind, peek};
use super::store::{
    GiveUp, Keeper, Report, Store, StoreError, remove_database, sync_folder_of, with_suffix,
};

/// While it is being made ready; what a killed process left of it is of no use.
const UNDER_WAY: &str = "restoring.db";
/// Ready: `restored-<stamp>.db`.
const STAGED: &str = "restored-";
const ENDING: &str = ".db";

/// Why a file is not restored. The database is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no such file, or it cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It is no database of ours.
    Foreign(PathBuf),
    /// It is the database itself.
    Itself,
    /// It is damaged; this is the first thing that is wrong with it.
    Damaged(PathBuf, String),
    /// It was made by a newer version of this program, or cannot be opened.
    Store(PathBuf, StoreError),
    /// There is no room for a copy, or it cannot be written.
    NotCopied(io::Error),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => {
                write!(f, "{} cannot be read: {error}.", path.display())
            }
            Self::Foreign(path) => write!(f, "{} is not a backup of a Roomcast.", path.display()),
            Self::Itself => f.write_str("That is the database itself: name a backup of it."),
            Self::Damaged(path, first) => write!(f, "{} is damaged: {first}.", path.display()),
            Self::Store(path, error) => {
                write!(f, "{} cannot be restored: {error}.", path.display())
            }
            Self::NotCopied(error) => write!(f, "The backup cannot be copied: {error}."),
        }
    }
}

impl std::error::Error for RestoreError {}

/// Makes a backup ready to take the database's place. The backup itself is not touched. Says what is in it.
///
/// # Errors
/// See [`RestoreError`]; nothing is changed then.
pub fn stage(places: &Places, file: &Path, stamp: &str) -> Result<Report, RestoreError> {
    let under_way = places.folder().join(UNDER_WAY);
    remove_database(&under_way);
    let staged = copy(places, file, &under_way).and_then(|()| {
        let report = make_ready(file, &under_way)?;
        let staged = places.folder().join(format!("{STAGED}{stamp}{ENDING}"));
        fs::rename(&under_way, &staged)
            .and_then(|()| sync_folder_of(&staged))
            .map_err(RestoreError::NotCopied)?;
        Ok(report)
    });
    if staged.is_err() {
        remove_database(&under_way);
    }
    staged
}

/// Bytes as they are, with the log of one that was not closed: so it also works from where nothing can be written.
fn copy(places: &Places, file: &Path, to: &Path) -> Result<(), RestoreError> {
    let unreadable = |error| RestoreError::Unreadable(file.to_owned(), error);
    let there = fs::canonicalize(file).map_err(unreadable)?;
    if fs::canonicalize(places.database()).is_ok_and(|database| database == there) {
        return Err(RestoreError::Itself);
    }
    if peek(file).map_err(unreadable)? != Kind::Ours {
        return Err(RestoreError::Foreign(file.to_owned()));
    }
    copy_file(file, to)?;
    let log = with_suffix(file, "-wal");
    if log.is_file() {
        copy_file(&log, &with_suffix(to, "-wal"))?;
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let mut source =
        fs::File::open(from).map_err(|error| RestoreError::Unreadable(from.to_owned(), error))?;
    let mut copied = || {
        let mut options = OpenOptions::new();
        let mut copy = options.write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut source, &mut copy)?;
        copy.sync_all()
    };
    copied().map_err(RestoreError::NotCopied)
}

fn make_ready(file: &Path, copy: &Path) -> Result<Report, RestoreError> {
    let failed = |error| match error {
        StoreError::Broken(why) => RestoreError::Damaged(file.to_owned(), why.to_string()),
        StoreError::Foreign => RestoreError::Foreign(file.to_owned()),
        StoreError::Full => RestoreError::NotCopied(io::ErrorKind::StorageFull.into()),
        error => RestoreError::Store(file.to_owned(), error),
    };
    // Brings an older version up to date.
    let mut store = Store::open(copy).map_err(failed)?;
    let report = Keeper::new(copy.to_owned(), &GiveUp::default())
        .check()
        .map_err(failed)?;
    if report.is_damaged {
        let first = report.findings.into_iter().next().unwrap_or_default();
        return Err(RestoreError::Damaged(file.to_owned(), first));
    }
    store.job(|w| w.begin_anew()).map_err(failed)?;
    store.shrink_log().map_err(failed)?;
    Ok(report)
}

/// Whether that is the name of a database that is ready.
pub(super) fn is_staged(name: &Path) -> bool {
    stamp_of(name).is_some()
}

fn stamp_of(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix(STAGED)?.strip_suffix(ENDING)
}

/// Puts the database that is ready, if there is one, in place. Says where the one before is now.
pub(super) fn finish(places: &Places) -> io::Result<Option<PathBuf>> {
    let Some(staged) = staged(places)? else {
        return Ok(None);
    };
    let stamp = stamp_of(&staged).expect("it was found by its name");
    let database = places.database();
    let replaced = places.new_backup(&format!("replaced-{stamp}{ENDING}"))?;
    // Each is there or was moved before. The log goes along: what is in it may not be in the database yet.
    for suffix in ["", "-wal"] {
        let from = with_suffix(&database, suffix);
        if from.exists() {
            fs::rename(&from, with_suffix(&replaced, suffix))?;
        }
    }
    remove_database(&with_suffix(&database, "-shm"));
    sync_folder_of(&replaced)?;
    sync_folder_of(&database)?;
    fs::rename(&staged, &database)?;
    sync_folder_of(&database)?;
    Ok(Some(replaced))
}

fn staged(places: &Places) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(places.folder())? {
        let path = entry?.path();
        if is_staged(&path) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Removes what a process that was killed had begun: half a copy is of no use to anybody.
pub(super) fn tidy(places: &Places) {
    remove_database(&places.folder().join(UNDER_WAY));
    let Ok(backups) = fs::read_dir(places.backups()) else {
        return;
    };
    for path in backups.flatten().map(|entry| entry.path()) {
        if path.extension().is_some_and(|ending| ending == "part") {
            remove_database(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::super::names::{Login, Name};
    use super::super::store::{NewUser, Reader};
    use super::*;

    /// A folder as a process that was killed leaves it: the accounts of its database are in the log.
    fn folder_of(accounts: usize) -> (tempfile::TempDir, Places) {
        let alive = tempfile::tempdir().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (from, places) = (Places::of(alive.path()), Places::of(dir.path()));
        let mut store = Store::open(&from.database()).unwrap();
        for n in 0..accounts {
            let login = format!("user{n}");
            let user = NewUser {
                login: Login::parse(&login).unwrap(),
                name: Name::parse(&login).unwrap(),
                phc: "$of$it".to_owned(),
            };
            store.job(|w| w.create_user_open(&user, 1)).unwrap();
        }
        for suffix in ["", "-wal"] {
            let [from, to] = [&from, &places].map(|it| with_suffix(&it.database(), suffix));
            fs::copy(from, to).unwrap();
        }
        (dir, places)
    }

    fn accounts(path: &Path) -> usize {
        // A reader makes no log of its own.
        drop(Store::open(path).unwrap());
        let mut reader = Reader::open(path).unwrap();
        reader.job(|r| r.load(2)).unwrap().users.len()
    }

    #[test]
    fn whatever_rename_a_process_was_killed_at_the_next_one_goes_on_from_there() {
        for done in 0..=3 {
            let (dir, places) = folder_of(3);
            let (_other, other) = folder_of(1);
            stage(&places, &other.database(), "now").unwrap();
            let database = places.database();
            let staged = places.folder().join("restored-now.db");
            let replaced = places.new_backup("replaced-now.db").unwrap();
            let renames = [
                (database.clone(), replaced.clone()),
                (
                    with_suffix(&database, "-wal"),
                    with_suffix(&replaced, "-wal"),
                ),
                (staged.clone(), database.clone()),
            ];
            for (from, to) in &renames[..done] {
                fs::rename(from, to).unwrap();
            }

            drop(Folder::open(dir.path()).unwrap());
            assert!(!staged.exists(), "after {done} renames");
            assert_eq!(accounts(&database), 1, "after {done} renames");
            assert_eq!(accounts(&replaced), 3, "after {done} renames");
            // It is done once.
            let folder = Folder::open(dir.path()).unwrap();
            assert_eq!(folder.settle().unwrap(), None);
            assert_eq!(accounts(&database), 1);
        }
    }
}
