//! Commands while no server runs: the folder is opened for as long as one takes.
//!
//! A locked folder and a command come in; what came of it goes out. What the server does on its lanes is done here one thing
//! after the other.
//! Never makes a chat where there is none, but by restoring one.

use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::changes::Changes;
use super::{Command, Outcome, Said, backed_up, restored};
use crate::chat::folder::Folder;
use crate::chat::restore;
use crate::chat::store::{CopyError, GiveUp, Keeper, Store, stamp};

/// Does what a command says. `site` is where the page will be, for links.
#[must_use]
pub fn offline(folder: &Folder, site: &str, command: &Command, at: u64) -> Said {
    let places = folder.places();
    if let Command::Restore { file } = command {
        return match restore::stage(places, file, &stamp(at)) {
            Ok(report) => match folder.settle() {
                Ok(_) => Said::done(restored(&report)),
                Err(error) => Said::no(Outcome::DiskFailed, error.to_string()),
            },
            Err(error) => Said::from(&error),
        };
    }
    if !places.database().exists() {
        let text = format!(
            "There is no chat in {}: name its folder with `--data`.",
            places.folder().display()
        );
        return Said::no(Outcome::NotSetUp, text);
    }
    // Brings an older database up to date, as a start would.
    let mut store = match Store::open(&places.database()) {
        Ok(store) => store,
        Err(error) => return Said::from(&error),
    };
    let keeper = Keeper::new(places.database(), &GiveUp::default());
    match command {
        Command::Backup {} => {
            let name = format!("chat-{}.db", stamp(at));
            let made = places
                .new_backup(&name)
                .map_err(|error| CopyError::File(places.backups(), error))
                .and_then(|path| keeper.copy_to(&path));
            match made {
                Ok(copied) => backed_up(&copied.path, copied.bytes),
                Err(error) => Said::from(&error),
            }
        }
        Command::Check {} => match keeper.check() {
            Ok(report) => Said::from(&report),
            Err(error) => Said::from(&error),
        },
        change => {
            let mut chance = StdRng::from_seed(crate::reactor::seed());
            let changes = Changes::new(&mut chance, site);
            match store.job(|w| changes.apply(w, change, at)) {
                Ok(changed) => changed.said,
                Err(error) => Said::from(&error),
            }
        }
    }
}
