//! Questions and answers of the page: one object in, one object back.
//!
//! [`asked`] turns a handler of a typed question into a handler of an event; [`Code`] is every way to be told no.
//! Unknown fields are ignored; what does not fit is answered `invalid` and changes nothing.
//! Text is taken as it comes: half a surrogate pair reads as U+FFFD, and every other character is kept, NUL included.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::ranks::Voice;
use super::rates::{EVENTS, Rate, Wish};
use super::store::{Read, StoreError, Write};
use super::{Chat, Seat, accounts, millis};
use crate::config::chat as limits;
use crate::reactor::lanes::BatchFailed;
use crate::server::{Ack, Context, Io, JobError, Socket};
use crate::socketio::args::Args;

/// Why something was not done, for the page to put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// Not signed in.
    Auth,
    /// Signed in, and not allowed.
    Forbidden,
    /// No such thing, or none for this person: one answer for both.
    NotFound,
    /// The question makes no sense.
    Invalid,
    /// The text is too long.
    TooLong,
    /// The name belongs to another.
    Taken,
    /// Too much is waiting: try again soon.
    Busy,
    /// The disk is full.
    Full,
    /// Our fault.
    Internal,
    /// Our fault, and by this name it is found in the log.
    Fault(Reference),
    /// Muted for now.
    Muted,
}

impl Code {
    /// As the page knows it.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::TooLong => "too_long",
            Self::Taken => "taken",
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Internal | Self::Fault(_) => "internal",
            Self::Muted => "muted",
        }
    }
}

/// Six characters that whoever was told "our fault" can read to whoever reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference([u8; 6]);

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl From<&StoreError> for Code {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Taken => Self::Taken,
            StoreError::NotFound | StoreError::Gone => Self::NotFound,
            StoreError::LastAdmin => Self::Forbidden,
            StoreError::Full => Self::Full,
            StoreError::Busy => Self::Busy,
            _ => Self::Internal,
        }
    }
}

/// A handler of an event whose one argument is a `Q`: who asks is looked up, and what does not fit is refused.
pub(super) fn asked<Q: DeserializeOwned>(
    handler: impl Fn(&mut Socket<'_, Chat>, Seat, Q, Ack) + 'static,
) -> impl Fn(&mut Socket<'_, Chat>, Args<'_>, Ack) + 'static {
    move |socket, args, ack| {
        let Some((seat, ack)) = admit(socket, ack, EVENTS) else {
            return;
        };
        match question(args) {
            Some(question) => handler(socket, seat, question, ack),
            None => refuse(&mut socket.io, ack, Code::Invalid),
        }
    }
}

/// The one object that an event brings. A list is none, though its values could be taken for the fields in their order.
pub(super) fn question<Q: DeserializeOwned>(args: Args<'_>) -> Option<Q> {
    let is_object = args.iter().next()?.trim_ascii_start().starts_with('{');
    let (question,) = is_object.then(|| args.parse::<(Q,)>())?.ok()?;
    Some(question)
}

/// Refuses an event that nobody here has heard of.
pub(super) fn unknown(socket: &mut Socket<'_, Chat>, _event: &str, _args: Args<'_>, ack: Ack) {
    if let Some((_, ack)) = admit(socket, ack, EVENTS) {
        refuse(&mut socket.io, ack, Code::Invalid);
    }
}

/// Who asks, unless they ask too much: then they are told, and in the end cut off.
pub(super) fn admit(socket: &mut Socket<'_, Chat>, ack: Ack, rate: Rate) -> Option<(Seat, Ack)> {
    let now = socket.io.now().mono;
    let tab = socket.data_mut();
    let Some(seat) = tab.seat else {
        refuse(&mut socket.io, ack, Code::Auth);
        return None;
    };
    let Err(wait) = tab.events.take(rate, now) else {
        return Some((seat, ack));
    };
    let is_flood = tab.events.over_for(now) >= limits::FLOOD_BORNE_MAX;
    slow_down(&mut socket.io, ack, wait);
    if is_flood {
        log::warn!("a socket of user {} asks too much: closed", seat.user.0);
        socket.disconnect_connection();
    }
    None
}

/// Gives the answer's slot back if this person may wish for that just now; else they are told when.
pub(super) fn admitted(
    socket: &mut Socket<'_, Chat>,
    seat: Seat,
    wish: Wish,
    ack: Ack,
) -> Option<Ack> {
    let now = socket.io.now().mono;
    match socket.app.allowances.take(seat.user, wish, now) {
        Ok(()) => Some(ack),
        Err(wait) => {
            slow_down(&mut socket.io, ack, wait);
            None
        }
    }
}

/// Answers with `ok` and what belongs to it.
pub(super) fn accept(io: &mut Io<'_, Chat>, ack: Ack, mut answer: Value) {
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("ok".to_owned(), Value::Bool(true));
    }
    ack.send(io, &answer);
}

/// Answers with why not.
pub(super) fn refuse(io: &mut Io<'_, Chat>, ack: Ack, code: Code) {
    ack.send(io, &refusal(code));
}

/// Why not, as it is answered to events and at the doors.
pub(super) fn refusal(code: Code) -> Value {
    let mut answer = json!({ "ok": false, "code": code.as_str() });
    if let Code::Fault(reference) = code {
        answer["ref"] = reference.to_string().into();
    }
    answer
}

/// Answers that somebody may only read, and until when.
pub(super) fn refuse_muted(io: &mut Io<'_, Chat>, ack: Ack, voice: Voice) {
    let mut answer = json!({ "ok": false, "code": Code::Muted.as_str() });
    if let Voice::MutedUntil(until) = voice {
        answer["until"] = until.into();
    }
    ack.send(io, &answer);
}

/// Answers that it is too much at once, and when there will be room for it.
pub(super) fn slow_down(io: &mut Io<'_, Chat>, ack: Ack, wait: Duration) {
    let wait = millis(wait).max(1);
    ack.send(io, &json!({ "ok": false, "code": "slow", "retryMs": wait }));
}

/// Has the store changed. `then` goes on when the change is on disk, and answers; what came to nothing is answered here.
pub(super) fn change<T: Send + 'static>(
    socket: &mut Socket<'_, Chat>,
    ack: Ack,
    job: impl FnOnce(&Write<'_>) -> Result<T, StoreError> + Send + 'static,
    then: impl FnOnce(&mut Context<'_, Chat>, T, Ack) + 'static,
) {
    socket.io.run(
        socket.app.lanes.write,
        move |store| store.job(job),
        move |context, outcome| match written(context, outcome) {
            Ok(value) => then(context, value, ack),
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// Looks something up in the store, as [`change`] changes it.
pub(super) fn look_up<T: Send + 'static>(
    socket: &mut Socket<'_, Chat>,
    ack: Ack,
    job: impl FnOnce(&Read<'_>) -> Result<T, StoreError> + Send + 'static,
    then: impl FnOnce(&mut Context<'_, Chat>, T, Ack) + 'static,
) {
    socket.io.run(
        socket.app.lanes.read,
        move |reader| reader.job(job),
        move |context, outcome| match settled(context, outcome) {
            Ok(value) => then(context, value, ack),
            Err(code) => refuse(&mut context.io, ack, code),
        },
    );
}

/// What came of a change: as [`settled`], and the log of writes grows.
pub(super) fn written<T>(
    context: &mut Context<'_, Chat>,
    outcome: Result<Result<T, StoreError>, JobError>,
) -> Result<T, Code> {
    let value = settled(context, outcome)?;
    context.app.wrote(&mut context.io);
    Ok(value)
}

/// What came of a job of the store. A store that can no longer be trusted ends the process: nobody may be told
/// that something is kept when it may not be.
pub(super) fn settled<T>(
    context: &mut Context<'_, Chat>,
    outcome: Result<Result<T, StoreError>, JobError>,
) -> Result<T, Code> {
    let error = match outcome {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        // Done or not: who asks again with the same id is told which.
        Err(JobError::Busy | JobError::Interrupted) => return Err(Code::Busy),
        Err(JobError::Failed(payload)) => {
            let cause = payload
                .downcast_ref::<BatchFailed>()
                .and_then(BatchFailed::cause);
            let Some(error) = cause else {
                let reference = Reference(accounts::reference(&mut context.app.chance));
                log::error!("fault {reference}: a job of the store has panicked");
                return Err(Code::Fault(reference));
            };
            error
        }
    };
    let code = Code::from(&error);
    if error.must_stop() {
        context.app.fail(&error);
        context.io.stop();
    } else if code == Code::Full {
        context.app.out_of_space();
    } else if code == Code::Internal {
        let reference = Reference(accounts::reference(&mut context.app.chance));
        log::error!("fault {reference}: {error}");
        return Err(Code::Fault(reference));
    }
    Err(code)
}
