//! The data folder: one place on disk, for one process at a time.
//!
//! A path comes in; a locked folder goes out, or one clear sentence. A folder that is refused is left exactly as it was.
//! Knows the names of what is in it, and of the database only whether it is one of ours.
//! Left out: uploads, which will be its other tenants.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::restore;
use super::store::schema::{Kind, peek};

const DATABASE: &str = "roomcast.db";
const LOCK: &str = "lock";
const CONTROL: &str = "control.sock";
const BACKUPS: &str = "backup";

/// What may lie in a folder that has no database yet: what is ours, if we ended before there was one or somebody brought
/// backups to a new machine, and what mkfs puts at the root of a volume.
const HARMLESS: [&str; 4] = [LOCK, CONTROL, BACKUPS, "lost+found"];

/// Where what is in a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    folder: PathBuf,
}

impl Places {
    /// Of a folder, whether it is there or not.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// Where a server that runs on this folder takes commands from the shell.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.folder.join(CONTROL)
    }

    /// Copies of the database.
    #[must_use]
    pub fn backups(&self) -> PathBuf {
        self.folder.join(BACKUPS)
    }

    /// A copy of the database; the folder for it is made if there is none.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new_backup(&self, name: &str) -> io::Result<PathBuf> {
        let backups = self.backups();
        if !backups.is_dir() {
            make(&backups)?;
        }
        Ok(backups.join(name))
    }
}

/// A folder that is ours until this is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub struct Folder {
    places: Places,
    /// The kernel frees the lock with the descriptor.
    _lock: File,
}

/// Why a folder is not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum FolderError {
    /// Something else has this name.
    NotAFolder(PathBuf),
    /// It cannot be made, or read, or written to.
    Inaccessible(PathBuf, io::Error),
    /// There are files in it, and they are not ours.
    Foreign(PathBuf),
    /// Another process has it.
    InUse(PathBuf),
    /// A backup that was to be restored cannot be put in the database's place.
    NotRestored(PathBuf, io::Error),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFolder(path) => write!(f, "{} is not a folder.", path.display()),
            Self::Inaccessible(path, error) => {
                write!(
                    f,
                    "The data folder {} cannot be used: {error}.",
                    path.display()
                )
            }
            Self::Foreign(path) => write!(
                f,
                "{} holds files that are not Roomcast's: name an empty folder, or one that does not exist yet.",
                path.display()
            ),
            Self::InUse(path) => {
                write!(
                    f,
                    "Another Roomcast is already running on {}.",
                    path.display()
                )
            }
            Self::NotRestored(path, error) => write!(
                f,
                "The backup that was to be restored in {} cannot be put in place: {error}.",
                path.display()
            ),
        }
    }
}

impl std::error::Error for FolderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Inaccessible(_, error) | Self::NotRestored(_, error) => Some(error),
            _ => None,
        }
    }
}

impl Folder {
    /// Takes a folder, and makes it (for its owner's eyes only) if there is none.
    ///
    /// # Errors
    /// See [`FolderError`]; nothing on disk is changed then.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let inaccessible = |error| FolderError::Inaccessible(path.to_owned(), error);
        match fs::metadata(path) {
            Ok(there) if !there.is_dir() => return Err(FolderError::NotAFolder(path.to_owned())),
            Ok(_) if !is_ours(path).map_err(inaccessible)? => {
                return Err(FolderError::Foreign(path.to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(path).map_err(inaccessible)?;
            }
            Err(error) => return Err(inaccessible(error)),
        }
        let lock = private(OpenOptions::new().write(true).create(true).truncate(false))
            .open(path.join(LOCK))
            .map_err(inaccessible)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(inaccessible(error)),
        }
        let folder = Self {
            places: Places::of(path),
            _lock: lock,
        };
        restore::tidy(&folder.places);
        folder.settle()?;
        Ok(folder)
    }

    /// Puts a restored database in place, if one is ready: what a restore does last, or could not do since the process was
    /// killed. Says where the one before is now. Nobody may have the database open.
    ///
    /// # Errors
    /// [`FolderError::NotRestored`]; asked again, it goes on from there.
    pub fn settle(&self) -> Result<Option<PathBuf>, FolderError> {
        let not_restored = |error| FolderError::NotRestored(self.places.folder.clone(), error);
        restore::finish(&self.places).map_err(not_restored)
    }

    /// Where the folder is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.places.folder
    }

    /// Where everything in it is.
    #[must_use]
    pub const fn places(&self) -> &Places {
        &self.places
    }

    /// Where the database is, or will be.
    #[must_use]
    pub fn db_path(&self) -> PathBuf {
        self.places.database()
    }
}

/// Whether a folder is empty, or has a database of ours, or one that is being restored.
fn is_ours(path: &Path) -> io::Result<bool> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name());
    }
    if names.iter().any(|name| name == DATABASE) {
        // An empty file is ours too: the process ended while it made the database.
        return Ok(peek(&path.join(DATABASE))? != Kind::Foreign);
    }
    let is_harmless = |name: &OsString| HARMLESS.iter().any(|harmless| name == harmless);
    let is_restored = |name: &&OsString| restore::is_staged(Path::new(*name));
    match names.iter().find(is_restored) {
        Some(name) => Ok(peek(&path.join(name))? == Kind::Ours),
        None => Ok(names.iter().all(is_harmless)),
    }
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(test)]
mod tests {
    use super::super::store::Store;
    use super::*;

    /// Everything in a folder: names, contents and modification times.
    fn seen(path: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
        let mut all: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let changed = fs::metadata(&path).unwrap().modified().unwrap();
                (path.clone(), fs::read(&path).unwrap_or_default(), changed)
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn a_missing_folder_is_made_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("srv/chat");
        let folder = Folder::open(&path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(folder.db_path(), path.join("roomcast.db"));
        assert_eq!(folder.path(), path);
    }

    #[test]
    fn a_folder_opens_again_before_and_after_its_database_is_made() {
        let dir = tempfile::tempdir().unwrap();
        drop(Folder::open(dir.path()).unwrap());
        let folder = Folder::open(dir.path()).unwrap();
        Store::open(&folder.db_path()).unwrap();
        drop(folder);
        Folder::open(dir.path()).unwrap();
    }

    #[test]
    fn an_empty_volume_is_an_empty_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("lost+found")).unwrap();
        Folder::open(dir.path()).unwrap();
    }

    #[test]
    fn a_second_process_is_refused_until_the_first_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let first = Folder::open(dir.path()).unwrap();
        let before = seen(dir.path());
        let refused = Folder::open(dir.path()).unwrap_err();
        assert!(matches!(refused, FolderError::InUse(_)));
        assert_eq!(seen(dir.path()), before);
        assert!(
            refused
                .to_string()
                .starts_with("Another Roomcast is already running on ")
        );
        drop(first);
        Folder::open(dir.path()).unwrap();
    }

    #[test]
    fn what_is_not_a_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "text").unwrap();
        assert!(matches!(
            Folder::open(&path),
            Err(FolderError::NotAFolder(_))
        ));
        let below = Folder::open(&path.join("deeper")).unwrap_err();
        assert!(matches!(below, FolderError::Inaccessible(..)), "{below}");
        assert_eq!(fs::read(&path).unwrap(), b"text");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_refused() {
        // Even root makes no files in /proc.
        let refused = Folder::open(Path::new("/proc/roomcast")).unwrap_err();
        assert!(matches!(refused, FolderError::Inaccessible(..)));
        assert!(
            refused
                .to_string()
                .starts_with("The data folder /proc/roomcast cannot be used: ")
        );
    }

    #[test]
    fn a_folder_of_others_is_refused_and_left_as_it_was() {
        for (name, text) in [
            ("diary.txt", "Dear diary"),
            ("roomcast.db", "not a database at all"),
            ("roomcast.db-wal", "a log without its database"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), text).unwrap();
            let before = seen(dir.path());
            let refused = Folder::open(dir.path()).unwrap_err();
            assert!(
                matches!(refused, FolderError::Foreign(_)),
                "{name}: {refused}"
            );
            assert_eq!(seen(dir.path()), before);
        }
    }
}
