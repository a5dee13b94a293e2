//! Keeping: backups by an admin's wish, as a file beside the database or as a download; and clearing away.
//!
//! A wish comes in; a copy is made on the lane of slow work, and who asked is told where it is, or fetches it. A download is a
//! copy of its own whose name is gone before its first byte leaves, so nothing is left whatever becomes of the client.
//! Knows no pages and no SQL.
//! Left out: backups by the clock. The shell's `roomcast backup` and the system's own timer do that.

use std::fs::File;
use std::io::{self, Read as _};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::json;

use super::reply::{Code, accept, refuse, written};
use super::rooms::Nothing;
use super::store::{Cleared, Copied, CopyError, Keeper, Store, stamp};
use super::{Chat, Seat, accounts, doors};
use crate::config::chat as limits;
use crate::http::{Length, Response, SECURITY_HEADERS};
use crate::server::{Ack, Answer, Context, Feed, Io, JobError, Request, RequestId, Socket};

/// What became of a backup.
pub(super) type Outcome = Result<Copied, NoBackup>;

/// Why there is none.
#[derive(Debug)]
pub(super) enum NoBackup {
    /// Too many are waiting.
    Busy,
    /// It failed, and the log says how.
    Failed(String),
}

/// The event of an admin, of `/admin`, who wants a backup beside the database.
pub(super) fn backup_now(socket: &mut Socket<'_, Chat>, _seat: Seat, _asked: Nothing, ack: Ack) {
    back_up(
        socket.app,
        &mut socket.io,
        |context, outcome| match outcome {
            Ok(copied) => {
                let file = copied.path.file_name().map(|name| name.to_string_lossy());
                let answer = json!({ "file": file, "bytes": copied.bytes });
                accept(&mut context.io, ack, answer);
            }
            Err(NoBackup::Busy) => refuse(&mut context.io, ack, Code::Busy),
            Err(NoBackup::Failed(_)) => refuse(&mut context.io, ack, Code::Internal),
        },
    );
}

/// Makes a backup beside the database, with the time in its name.
pub(super) fn back_up(
    app: &Chat,
    io: &mut Io<'_, Chat>,
    then: impl FnOnce(&mut Context<'_, Chat>, Outcome) + 'static,
) {
    let (places, at) = (app.places.clone(), io.now().wall.0);
    let job = move |keeper: &mut Keeper| {
        let name = format!("chat-{}.db", stamp(at));
        let path = places
            .new_backup(&name)
            .map_err(|error| CopyError::File(places.backups(), error))?;
        keeper.copy_to(&path)
    };
    io.run(app.lanes.keep, job, move |context, outcome| {
        let outcome = made(outcome);
        if let Ok(copied) = &outcome {
            log::info!(
                "backup {} made, {} bytes",
                copied.path.display(),
                copied.bytes
            );
        }
        then(context, outcome);
    });
}

fn made<T>(outcome: Result<Result<T, CopyError>, JobError>) -> Result<T, NoBackup> {
    match outcome {
        Ok(Ok(made)) => Ok(made),
        Ok(Err(error)) => {
            log::error!("no backup was made: {error}");
            Err(NoBackup::Failed(error.to_string()))
        }
        Err(JobError::Busy | JobError::Interrupted) => Err(NoBackup::Busy),
        Err(JobError::Failed(_)) => {
            log::error!("a backup has panicked");
            Err(NoBackup::Failed("a bug in Roomcast".to_owned()))
        }
    }
}

/// Clears away what nobody needs any more, a piece at a time, and looks again later.
pub(super) fn clear_old(context: &mut Context<'_, Chat>) {
    let at = context.io.now().wall.0;
    let job = move |store: &mut Store| store.job(|w| w.clear_old(at));
    context
        .io
        .run(context.app.lanes.write, job, |context, outcome| {
            if let Ok(Cleared::Some) = written(context, outcome) {
                return clear_old(context);
            }
            // What went wrong is in the log.
            let again = context.io.after(limits::CLEARED_EVERY, clear_old);
            if again.is_err() {
                log::warn!(
                    "too much waits for its time: nothing more is cleared away until the next start"
                );
            }
        });
}

/// The route of an admin who wants a backup to take along.
pub(super) fn download(request: &mut Request<'_, Chat>) -> Answer {
    let at = request.at().0;
    let token_hash = request.cookie(doors::COOKIE).map(accounts::token_hash);
    let session = token_hash.and_then(|hash| request.app.workspace.session(&hash, at));
    let Some(user) = session.map(|session| session.user) else {
        return Response::text(401, "Sign in first.\n").into();
    };
    // A page of another site may not make us work.
    if !request.app.workspace.is_admin(user) || !request.is_same_origin() {
        return Response::text(403, "Only admins may take a backup.\n").into();
    }
    // Held by each download until its end, however that comes.
    let ticket = Rc::clone(&request.app.downloads);
    if Rc::strong_count(&ticket) - 1 > limits::DOWNLOADS_MAX {
        return busy().into();
    }
    let (places, id) = (request.app.places.clone(), request.id());
    let job = move |keeper: &mut Keeper| {
        let failed = |error| CopyError::File(places.backups(), error);
        // One at a time on this lane, and gone before the next is made.
        let path = places.new_backup("download.part").map_err(failed)?;
        let copied = keeper.copy_to(&path)?;
        let file = File::open(&copied.path).map_err(failed)?;
        std::fs::remove_file(&copied.path).map_err(failed)?;
        Ok((Arc::new(file), copied.bytes))
    };
    request.io.run(
        request.app.lanes.keep,
        job,
        move |context, outcome| match made(outcome) {
            Ok((file, bytes)) => send(context, id, file, bytes, at, ticket),
            Err(why) => {
                let response = match why {
                    NoBackup::Busy => busy(),
                    NoBackup::Failed(_) => Response::text(500, "No backup could be made.\n"),
                };
                context.io.answer(id, &response);
            }
        },
    );
    Answer::Later
}

fn busy() -> Response {
    let response = Response::text(503, "Other backups are being made.\n");
    response.header("Retry-After", "10")
}

/// Sends an open file as fast as the client takes it.
fn send(
    context: &mut Context<'_, Chat>,
    id: RequestId,
    file: Arc<File>,
    bytes: u64,
    at: u64,
    ticket: Rc<()>,
) {
    let head = Response::new(200)
        .header("Content-Type", "application/vnd.sqlite3")
        .header("Cache-Control", "no-store")
        .header(
            "Content-Disposition",
            &format!("attachment; filename=\"chat-{}.db\"", stamp(at)),
        )
        .headers(SECURITY_HEADERS);
    if !context.io.begin(id, &head, Length::Known(bytes)) {
        return;
    }
    context.io.feed(id, move |context, feed| {
        // Goes with this closure.
        let _ = &ticket;
        if feed != Feed::More {
            return;
        }
        let file = Arc::clone(&file);
        let lane = context.app.lanes.read;
        context.io.run(
            lane,
            move |_| piece(&file),
            move |context, outcome| {
                let written = match outcome {
                    Ok(Ok(piece)) if piece.is_empty() => return context.io.finish(id),
                    Ok(Ok(piece)) => context.io.write(id, piece).is_ok(),
                    Ok(Err(_)) | Err(_) => false,
                };
                if !written {
                    context.io.cut(id);
                }
            },
        );
    });
}

fn piece(mut file: &File) -> io::Result<Vec<u8>> {
    let mut piece = Vec::new();
    let most = limits::DOWNLOAD_PIECE_BYTES as u64;
    file.by_ref().take(most).read_to_end(&mut piece)?;
    Ok(piece)
}
