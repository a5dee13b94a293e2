//! Messages after they were sent: edited by their authors, deleted by them or by a moderator.
//!
//! Whose a message is and which room it is in only the store knows, so that is asked within the job, in order with all
//! other changes. The change has the room's next revision; the room is told the whole row, so no order can hurt.
//! What a moderator deletes is written down in the audit trail.
//! A message in a room that one is not in is answered like one that never was.
//! Left out: reactions.

use serde::Deserialize;
use serde_json::json;

use super::order::deed;
use super::ranks::Voice;
use super::rates::Wish;
use super::reply::{self, Code, accept, admitted, refuse, refuse_muted};
use super::store::{Deed, MessageId, Row, StoreError, Write};
use super::talk::text_fits;
use super::{Chat, Seat, room_channel};
use crate::server::{Ack, Context, Socket};

/// Another text for a message.
#[derive(Deserialize)]
pub(super) struct Edit {
    id: MessageId,
    text: String,
}

pub(super) fn edit(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Edit, ack: Ack) {
    let at = socket.io.now().wall.0;
    let voice = socket.app.workspace.voice(seat.user, at);
    if voice != Voice::Free {
        return refuse_muted(&mut socket.io, ack, voice);
    }
    if let Err(code) = text_fits(&asked.text) {
        return refuse(&mut socket.io, ack, code);
    }
    let Edit { id, text } = asked;
    change(socket, seat, ack, move |w| {
        let there = w.message(id)?;
        w.member(there.room, seat.user)?;
        if there.by != seat.user {
            return Ok(Err(Code::Forbidden));
        }
        w.edit(id, &text, at)
            .map(|row| Ok(Changed::from(there.rev, row)))
    });
}

/// A message that is to go.
#[derive(Deserialize)]
pub(super) struct Delete {
    id: MessageId,
}

pub(super) fn delete(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Delete, ack: Ack) {
    let (id, at) = (asked.id, socket.io.now().wall.0);
    let moderates = socket.app.workspace.may_moderate(seat.user);
    let deed = deed(socket, seat, "delete", &json!({}));
    change(socket, seat, ack, move |w| {
        let there = w.message(id)?;
        w.member(there.room, seat.user)?;
        if there.by != seat.user && !moderates {
            return Ok(Err(Code::Forbidden));
        }
        let row = w.delete(id, seat.user, at)?;
        let changed = Changed::from(there.rev, row);
        if changed.is_new && there.by != seat.user {
            let target = json!({ "user": there.by, "room": there.room, "message": id });
            w.note(&Deed {
                target: target.to_string(),
                ..deed
            })?;
        }
        Ok(Ok(changed))
    });
}

/// A message as it is now, and whether that is new.
struct Changed {
    row: Row,
    is_new: bool,
}

impl Changed {
    fn from(rev_before: i64, row: Row) -> Self {
        let is_new = row.rev != rev_before;
        Self { row, is_new }
    }
}

fn change(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    ack: Ack,
    job: impl FnOnce(&Write<'_>) -> Result<Result<Changed, Code>, StoreError> + Send + 'static,
) {
    let Some(ack) = admitted(socket, seat, Wish::Change, ack) else {
        return;
    };
    reply::change(
        socket,
        ack,
        job,
        move |context, outcome, ack| match outcome {
            Ok(changed) => {
                accept(&mut context.io, ack, json!({ "rev": changed.row.rev }));
                if changed.is_new {
                    tell(context, &changed.row);
                }
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// A row has changed on disk: its room is told, whoever changed it too, so that all their tabs learn of it in one way.
fn tell(context: &mut Context<'_, Chat>, row: &Row) {
    let Row { room, rev, .. } = *row;
    context.app.workspace.changed(room, rev);
    let news = json!({ "room": room, "rev": rev, "row": row });
    let everybody = context.io.of("/");
    everybody.to(&room_channel(room)).emit("change", &news);
}
