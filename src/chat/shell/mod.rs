//! The shell: what an operator asks of the chat with `roomcast …` instead of the page.
//!
//! A [`Command`] comes in, from a process of the operator's own through the control socket or, while no server runs, straight
//! from `main`; a [`Said`] goes out, in words for a terminal. Whoever can open the data folder may do all of it, so nobody is asked
//! who they are. Over the socket a command is the JSON body of one HTTP request, and what was said the body of its answer: the
//! server has limits and deadlines for those already.
//! Knows no sockets of its own and prints nothing.
//! Left out: what only moderators do every day; the page has that.

mod changes;
mod offline;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use self::changes::{Changed, Changes};
pub use self::offline::offline;
use super::Chat;
use super::keep::{self, NoBackup};
use super::reply::{Code, written};
use super::restore::{self, RestoreError};
use super::store::{CopyError, Keeper, Report, Role, Store, StoreError, stamp};
use crate::http::Response;
use crate::server::{Answer, Context, JobError, Request, RequestId};

/// Where commands are posted to.
pub const PATH: &str = "/control";

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Command {
    /// A new account, and a link that sets its password.
    UserAdd {
        /// What they will sign in with.
        login: String,
        /// What others will see; the login, if it is not named.
        name: Option<String>,
        /// What they may do.
        role: Role,
    },
    /// Everybody with an account.
    UserList {},
    /// A link that sets somebody's password.
    UserReset {
        /// Whose.
        login: String,
    },
    /// Another role.
    UserRole {
        /// Whose.
        login: String,
        /// What they may do from now on.
        role: Role,
    },
    /// A link that lets people make accounts.
    Invite {},
    /// A copy of the database beside it.
    Backup {},
    /// Another database in place of this one.
    Restore {
        /// A backup, by a path from the root.
        file: PathBuf,
    },
    /// Whether the database agrees with itself.
    Check {},
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// In words: what was asked for, or why not.
    pub text: String,
    /// For programs.
    pub outcome: Outcome,
}

/// What came of a command, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It makes no sense as it was said.
    Invalid,
    /// There is no such person.
    NoUser,
    /// The name belongs to another, or it would leave nobody in charge.
    Refused,
    /// There is no chat there yet.
    NotSetUp,
    /// The file cannot be read.
    NoFile,
    /// The file, or the database, is damaged or foreign.
    BadData,
    /// Too much is going on: again later.
    Busy,
    /// The disk is full, or does not work.
    DiskFailed,
    /// A bug.
    Failed,
}

impl Said {
    fn done(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            outcome: Outcome::Done,
        }
    }

    fn no(outcome: Outcome, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { text, outcome }
    }
}

impl From<&StoreError> for Said {
    fn from(error: &StoreError) -> Self {
        let outcome = match error {
            StoreError::NotFound => Outcome::NoUser,
            StoreError::Taken | StoreError::LastAdmin => Outcome::Refused,
            StoreError::Busy => Outcome::Busy,
            StoreError::Foreign | StoreError::Newer { .. } => Outcome::BadData,
            StoreError::Full | StoreError::Broken(_) => Outcome::DiskFailed,
            _ => Outcome::Failed,
        };
        Self::no(outcome, sentence(error))
    }
}

impl From<&RestoreError> for Said {
    fn from(error: &RestoreError) -> Self {
        let outcome = match error {
            RestoreError::Unreadable(..) => Outcome::NoFile,
            RestoreError::Itself => Outcome::Invalid,
            RestoreError::Foreign(_) | RestoreError::Damaged(..) => Outcome::BadData,
            RestoreError::Store(_, error) => Self::from(error).outcome,
            RestoreError::NotCopied(_) => Outcome::DiskFailed,
        };
        Self::no(outcome, format!("{error} Nothing was changed."))
    }
}

impl From<&CopyError> for Said {
    fn from(error: &CopyError) -> Self {
        let outcome = match error {
            CopyError::Store(error) => Self::from(error).outcome,
            CopyError::File(..) => Outcome::DiskFailed,
            CopyError::Damaged(_) => Outcome::BadData,
            CopyError::GivenUp => Outcome::Busy,
        };
        Self::no(outcome, format!("No backup was made: {error}."))
    }
}

impl From<&Report> for Said {
    fn from(report: &Report) -> Self {
        if report.findings.is_empty() {
            return Self::done(format!("All is well: {}.", counted(report)));
        }
        let mut text = String::from("Not all is well:\n");
        for finding in &report.findings {
            text.push_str(&format!("  {finding}\n"));
        }
        text.push_str(if report.is_damaged {
            "Stop the server, keep a copy of the data folder, and restore a backup."
        } else {
            "The database itself is sound."
        });
        Self::no(Outcome::BadData, text)
    }
}

/// An error as a sentence.
fn sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), chars.as_str())
}

fn counted(report: &Report) -> String {
    let count = |number: u64, one: &str, many: &str| match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    };
    format!(
        "{}, {}, {}",
        count(report.people, "account", "accounts"),
        count(report.rooms, "room", "rooms"),
        count(report.messages, "message", "messages"),
    )
}

fn restored(report: &Report) -> String {
    format!(
        "Restored: {}. The database before is kept in the folder `backup`, as `replaced-…`.",
        counted(report)
    )
}

/// The route of commands. To who comes over the network there is no such thing.
pub(super) fn asked(request: &mut Request<'_, Chat>) -> Answer {
    if !request.is_by_unix_socket() {
        return Response::text(404, "Not Found\n").into();
    }
    let Ok(command) = serde_json::from_slice(request.body()) else {
        return Response::text(400, "No such command\n").into();
    };
    let id = request.id();
    let (app, io) = (&mut *request.app, &mut request.io);
    match command {
        Command::Backup {} => keep::back_up(app, io, move |context, outcome| {
            let said = match outcome {
                Ok(copied) => backed_up(&copied.path, copied.bytes),
                Err(NoBackup::Busy) => busy(),
                Err(NoBackup::Failed(why)) => {
                    Said::no(Outcome::DiskFailed, format!("No backup was made: {why}."))
                }
            };
            answer(context, id, &said);
        }),
        Command::Check {} => io.run(
            app.lanes.keep,
            |keeper| keeper.check(),
            move |context, outcome| {
                let said = match outcome {
                    Ok(Ok(report)) => Said::from(&report),
                    Ok(Err(error)) => Said::from(&error),
                    Err(error) => failed(&error),
                };
                answer(context, id, &said);
            },
        ),
        Command::Restore { file } => {
            let (places, at) = (app.places.clone(), io.now().wall.0);
            let stage = move |_: &mut Keeper| restore::stage(&places, &file, &stamp(at));
            io.run(
                app.lanes.keep,
                stage,
                move |context, outcome| match outcome {
                    Ok(Ok(report)) => {
                        answer(context, id, &Said::done(restored(&report)));
                        log::info!("a backup is restored: all begin anew with it");
                        context.app.is_restoring = true;
                        context.io.stop();
                    }
                    Ok(Err(error)) => answer(context, id, &Said::from(&error)),
                    Err(error) => answer(context, id, &failed(&error)),
                },
            );
        }
        command => {
            let (changes, at) = (Changes::new(&mut app.chance, &app.site), io.now().wall.0);
            let job = move |store: &mut Store| store.job(|w| changes.apply(w, &command, at));
            io.run(app.lanes.write, job, move |context, outcome| {
                known(context, id, outcome);
            });
        }
    }
    Answer::Later
}

/// A change is on disk, or is not: it is made true in memory, and whoever sees it is told.
fn known(
    context: &mut Context<'_, Chat>,
    id: RequestId,
    outcome: Result<Result<Changed, StoreError>, JobError>,
) {
    let refusal = match &outcome {
        Ok(Err(error)) => Some(Said::from(error)),
        Err(error) => Some(failed(error)),
        Ok(Ok(_)) => None,
    };
    let said = match (written(context, outcome), refusal) {
        (Ok(changed), _) => {
            let said = changed.said.clone();
            changed.known(context);
            said
        }
        (Err(_), Some(said)) => said,
        (Err(Code::Busy), None) => busy(),
        (Err(_), None) => Said::no(Outcome::Failed, "Something went wrong; the log says what."),
    };
    answer(context, id, &said);
}

fn backed_up(path: &std::path::Path, bytes: u64) -> Said {
    Said::done(format!("{} ({} KiB)", path.display(), bytes.div_ceil(1024)))
}

fn busy() -> Said {
    Said::no(Outcome::Busy, "The server is busy: try again in a minute.")
}

fn failed(error: &JobError) -> Said {
    match error {
        JobError::Busy | JobError::Interrupted => busy(),
        JobError::Failed(_) => {
            Said::no(Outcome::Failed, "Something went wrong; the log says what.")
        }
    }
}

fn answer(context: &mut Context<'_, Chat>, id: RequestId, said: &Said) {
    let body = serde_json::to_string(said).unwrap_or_default();
    context.io.answer(id, &Response::json(200, body));
}
