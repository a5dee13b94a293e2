//! `roomcast user list`, `invite`, `backup` …: commands from the terminal, and how they reach the chat.
//!
//! A command comes in; if a server runs on the data folder it goes there, through the folder's control socket, else the folder
//! is opened for as long as it takes. What was said is printed, and becomes an exit code of sysexits(3).
//! Knows nothing of what a command does: that is `roomcast::chat::shell`.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use roomcast::chat::folder::{Folder, FolderError, Places};
use roomcast::chat::shell::{self, Command, Outcome, Said};
use roomcast::chat::store::Role;

use crate::{CONFIG_ERROR, Failure, OS_ERROR, failure};

/// What is asked makes no sense, or makes none here (EX_USAGE).
const USAGE: u8 = 64;
/// The file or the database is not as it must be (EX_DATAERR).
const DATA_ERROR: u8 = 65;
/// A file is not there (EX_NOINPUT).
const NO_INPUT: u8 = 66;
/// There is no such person (EX_NOUSER).
const NO_USER: u8 = 67;
/// A server runs and does not answer, or nobody has set the chat up (EX_UNAVAILABLE).
const UNAVAILABLE: u8 = 69;
/// A bug (EX_SOFTWARE).
const SOFTWARE: u8 = 70;
/// The disk is full or does not work (EX_IOERR).
const IO_ERROR: u8 = 74;
/// Later it may work (EX_TEMPFAIL).
const TRY_LATER: u8 = 75;
/// It may not be (EX_NOPERM).
const NOT_ALLOWED: u8 = 77;

/// What to do instead of serving the chat.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Accounts.
    #[command(subcommand)]
    User(UserTask),
    /// Make a link that lets people make accounts.
    Invite,
    /// Copy the database, also while the chat runs, and print where the copy is.
    Backup,
    /// Put a backup in the database's place; the one before is kept. A chat that runs begins anew with it.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// See whether the database agrees with itself.
    Check,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserTask {
    /// Make an account, and a link that sets its password.
    Add {
        /// What they will sign in with.
        login: String,
        /// What others will see; otherwise the login.
        #[arg(long)]
        name: Option<String>,
        /// What they may do.
        #[arg(long, value_enum, default_value = "member")]
        role: Rank,
    },
    /// Show everybody.
    List,
    /// Make a link that sets somebody's password.
    Reset {
        /// Whose.
        login: String,
    },
    /// Give somebody another role.
    Role {
        /// Whom.
        login: String,
        /// What they may do from now on.
        #[arg(value_enum)]
        role: Rank,
    },
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Rank {
    /// Talk.
    Member,
    /// Mute and remove, too.
    Moderator,
    /// Everything.
    Admin,
}

impl From<Rank> for Role {
    fn from(rank: Rank) -> Self {
        match rank {
            Rank::Member => Self::Member,
            Rank::Moderator => Self::Moderator,
            Rank::Admin => Self::Admin,
        }
    }
}

impl Task {
    fn command(self) -> io::Result<Command> {
        Ok(match self {
            Self::User(UserTask::Add { login, name, role }) => Command::UserAdd {
                login,
                name,
                role: role.into(),
            },
            Self::User(UserTask::List) => Command::UserList {},
            Self::User(UserTask::Reset { login }) => Command::UserReset { login },
            Self::User(UserTask::Role { login, role }) => Command::UserRole {
                login,
                role: role.into(),
            },
            Self::Invite => Command::Invite {},
            Self::Backup => Command::Backup {},
            // A server has another working directory.
            Self::Restore { file } => Command::Restore {
                file: std::path::absolute(file)?,
            },
            Self::Check => Command::Check {},
        })
    }
}

/// Does it, and says on stdout what came of it.
pub(crate) fn run(task: Task, data: &Path, site: &str, at: u64) -> Result<(), Failure> {
    let command = task
        .command()
        .map_err(|error| failure(OS_ERROR, "the file cannot be found", error))?;
    let places = Places::of(data);
    let said = match UnixStream::connect(places.control()) {
        Ok(server) => ask(server, &command).map_err(|error| unanswered(&places, error))?,
        Err(_) => alone(&command, data, &places, site, at)?,
    };
    if said.outcome != Outcome::Done {
        return Err(Failure {
            why: said.text,
            code: exit_code(said.outcome),
        });
    }
    // It is done, whoever closed stdout.
    writeln!(io::stdout(), "{}", said.text).ok();
    Ok(())
}

/// No server answers: the folder is opened here.
fn alone(
    command: &Command,
    data: &Path,
    places: &Places,
    site: &str,
    at: u64,
) -> Result<Said, Failure> {
    if !data.exists() && !matches!(command, Command::Restore { .. }) {
        return Err(Failure {
            why: format!(
                "There is no folder {}: name the chat's with `--data`.",
                data.display()
            ),
            code: NO_INPUT,
        });
    }
    let folder = Folder::open(data).map_err(|error| match error {
        FolderError::InUse(_) => unanswered(places, io::ErrorKind::NotConnected.into()),
        error => Failure {
            why: error.to_string(),
            code: CONFIG_ERROR,
        },
    })?;
    Ok(shell::offline(&folder, site, command, at))
}

fn unanswered(places: &Places, error: io::Error) -> Failure {
    Failure {
        why: format!(
            "A Roomcast runs on {}, and does not answer at {}: {error}.",
            places.folder().display(),
            places.control().display()
        ),
        code: UNAVAILABLE,
    }
}

/// One HTTP request, answered when the command is done: a backup takes as long as it takes.
fn ask(mut server: UnixStream, command: &Command) -> io::Result<Said> {
    let body = serde_json::to_string(command)?;
    write!(
        server,
        "POST {} HTTP/1.1\r\nHost: control\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        shell::PATH,
        body.len()
    )?;
    let mut answer = String::new();
    server.read_to_string(&mut answer)?;
    let not_understood = || io::Error::from(io::ErrorKind::InvalidData);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(not_understood)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(not_understood());
    }
    Ok(serde_json::from_str(body)?)
}

const fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Done => 0,
        Outcome::Invalid => USAGE,
        Outcome::NoUser => NO_USER,
        Outcome::Refused => NOT_ALLOWED,
        Outcome::NotSetUp => UNAVAILABLE,
        Outcome::NoFile => NO_INPUT,
        Outcome::BadData => DATA_ERROR,
        Outcome::Busy => TRY_LATER,
        Outcome::DiskFailed => IO_ERROR,
        Outcome::Failed => SOFTWARE,
    }
}
