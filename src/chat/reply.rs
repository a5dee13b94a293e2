//! Questions and answers of the page: one object in, one object back.
//!
//! [`asked`] turns a handler of a typed question into a handler of an event; [`Code`] is every way to be told no.
//! Unknown fields are ignored; what does not fit is answered `invalid` and changes nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::store::StoreError;
use super::{Chat, Seat};
use crate::reactor::lanes::BatchFailed;
use crate::server::{Ack, Context, Io, JobError, Socket};
use crate::socketio::args::Args;

/// Why something was not done, for the page to put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
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
    /// Muted for now.
    Muted,
}

impl Code {
    /// The answer that says so.
    #[must_use]
    pub(super) fn reply(self) -> Value {
        json!({ "ok": false, "code": self })
    }
}

impl From<&StoreError> for Code {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Taken => Self::Taken,
            StoreError::NotFound | StoreError::Gone => Self::NotFound,
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
        let Some(seat) = *socket.data() else {
            return ack.send(&mut socket.io, &Code::Auth.reply());
        };
        match args.parse::<(Q,)>() {
            Ok((question,)) => handler(socket, seat, question, ack),
            Err(_) => ack.send(&mut socket.io, &Code::Invalid.reply()),
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
    ack.send(io, &code.reply());
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
        Err(JobError::Busy) => return Err(Code::Busy),
        Err(JobError::Failed(payload)) => {
            let cause = payload
                .downcast_ref::<BatchFailed>()
                .and_then(BatchFailed::cause);
            let Some(error) = cause else {
                log::error!("a job of the store has panicked");
                return Err(Code::Internal);
            };
            error
        }
    };
    if error.must_stop() {
        context.app.fail(format!("{error}"));
        context.io.stop();
    } else if matches!(Code::from(&error), Code::Internal | Code::Full) {
        log::error!("{error}");
    }
    Err(Code::from(&error))
}
