//! Looking for words in what was said.
//!
//! Words come in, and rows go out, the newest first: of one room, or of all rooms the asker is in, which the workspace
//! knows. A search has so much time of the reading lane and no more; what it found by then is the answer.
//! Left out: searching for files.

use serde::Deserialize;
use serde_json::json;

use super::rates::Wish;
use super::reply::{Code, accept, admitted, refuse, settled};
use super::store::{MessageId, RoomId, UserId, Wanted};
use super::{Chat, Seat};
use crate::config::chat as limits;
use crate::reactor::lanes::Stint;
use crate::server::{Ack, Socket};

/// Words, and where to look for them: in all rooms if none is named.
#[derive(Deserialize)]
pub(super) struct Search {
    q: String,
    room: Option<RoomId>,
    from: Option<UserId>,
    before: Option<MessageId>,
}

pub(super) fn search(socket: &mut Socket<'_, Chat>, seat: Seat, asked: Search, ack: Ack) {
    let rooms = match rooms_to_search(socket, seat, &asked) {
        Ok(rooms) => rooms,
        Err(code) => return refuse(&mut socket.io, ack, code),
    };
    let Some(ack) = admitted(socket, seat, Wish::Search, ack) else {
        return;
    };
    let wanted = Wanted {
        words: asked.q,
        rooms,
        from: asked.from,
        before: asked.before,
    };
    socket.io.run(
        socket.app.lanes.read,
        move |reader| {
            let stint = Stint::begin(limits::SEARCH_WITHIN);
            reader.search(&wanted, move || stint.is_over())
        },
        move |context, outcome| match settled(context, outcome) {
            Ok(found) => {
                let mut answer = json!({ "rows": found.rows, "more": found.more });
                if found.partial {
                    answer["partial"] = true.into();
                }
                accept(&mut context.io, ack, answer);
            }
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

fn rooms_to_search(
    socket: &Socket<'_, Chat>,
    seat: Seat,
    asked: &Search,
) -> Result<Vec<RoomId>, Code> {
    let workspace = &socket.app.workspace;
    let rooms = match asked.room {
        Some(room) if workspace.member(room, seat.user).is_some() => vec![room],
        Some(_) => return Err(Code::NotFound),
        None => workspace.rooms_of(seat.user).collect(),
    };
    if asked.q.trim().is_empty() {
        return Err(Code::Invalid);
    }
    if asked.q.chars().count() > limits::SEARCH_CHARS_MAX {
        return Err(Code::TooLong);
    }
    Ok(rooms)
}
