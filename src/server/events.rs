//! An event's way to its handler, and the overhearing of those that go out.
//!
//! In comes what a client sent; whoever listens to all events hears it first, then each middleware may change or refuse it, and
//! then its handler has it. What goes out is told to those who listen to that after the handler that sent it,
//! once for each socket it went to.
//! Knows nothing of packets: names and arguments only.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::acks::Ack;
use super::core::{Core, Deferred};
use super::dispatch::caught;
use super::handlers::{OnEvent, Table};
use super::socket::Socket;
use super::{App, Server};
use crate::socketio::args::{self, Args, ArgsError, EncodeError};
use crate::socketio::packet::Event;
use crate::socketio::{Attachments, NamespaceId, SocketKey};

/// An event on its way to its handler, for middleware to look at and to change.
#[derive(Debug)]
pub struct IncomingEvent<'a> {
    name: Cow<'a, str>,
    args: Args<'a>,
    /// Other arguments than those that came.
    replaced: Option<(Box<str>, Box<[Bytes]>)>,
    is_answer_wanted: bool,
}

impl IncomingEvent<'_> {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its arguments.
    #[must_use]
    pub fn args(&self) -> Args<'_> {
        match &self.replaced {
            Some((list, attachments)) => Args::new(list, attachments),
            None => self.args,
        }
    }

    /// Whether the client asked for an answer.
    #[must_use]
    pub const fn is_answer_wanted(&self) -> bool {
        self.is_answer_wanted
    }

    /// Gives it another name, and so another handler.
    pub fn rename(&mut self, name: &str) {
        self.name = Cow::Owned(name.to_owned());
    }

    /// Gives it other arguments. A tuple is a list of arguments, anything else one argument.
    ///
    /// # Errors
    /// If they are no JSON; the event is left as it was.
    pub fn replace<T: Serialize + ?Sized>(&mut self, values: &T) -> Result<(), EncodeError> {
        let encoded = args::encode(values)?;
        let list = String::from_utf8(encoded.list).expect("JSON is UTF-8");
        self.replaced = Some((list.into(), encoded.attachments.into()));
        Ok(())
    }
}

/// A middleware's no to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In words.
    pub message: String,
    /// For programs.
    pub data: Option<Value>,
}

impl Refused {
    /// A no without data.
    #[must_use]
    pub fn new(message: &str) -> Self {
        Self {
            message: message.to_owned(),
            data: None,
        }
    }
}

/// Why an event did not get to its handler.
#[derive(Debug)]
pub enum EventError {
    /// A middleware said no.
    Refused(Refused),
    /// Its arguments are not what the handler takes.
    Unfit(ArgsError),
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => f.write_str(&refused.message),
            Self::Unfit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EventError {}

/// An event that went out, shared by all the sockets it went to.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) name: Box<str>,
    pub(super) list: Box<str>,
    pub(super) attachments: Box<[Bytes]>,
}

impl<A: App> Server<A> {
    /// An event of a connected socket.
    pub(super) fn event(
        &mut self,
        key: SocketKey,
        event: &Event<'_>,
        id: Option<u64>,
        attachments: Attachments<'_>,
    ) {
        let namespace = self.core.sockets.namespace_of(key);
        let family = namespace.map(|id| self.core.sockets.family_of(id));
        let Some(table) = family.and_then(|family| self.handlers.table(family)) else {
            return;
        };
        let event = IncomingEvent {
            name: Cow::Borrowed(event.name.as_str()),
            args: Args::new(event.args, attachments),
            replaced: None,
            is_answer_wanted: id.is_some(),
        };
        // A client's own words do not get into the log.
        let known = table.events.get_key_value(event.name());
        let what = known.map_or("an event's handler", |(name, _)| name);
        let handler = known.map(|(_, handler)| handler);
        let answer_to = id.map(|id| (key, id));
        let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
        let outcome = caught(what, || handle(table, handler, socket, event, answer_to));
        if outcome.is_none() {
            self.core.panicked(key);
        }
    }

    /// What went out is told to those who listen to that. What they send themselves is not told to them again.
    pub(super) fn tell_said(&mut self, key: SocketKey, said: &Rc<Said>) {
        let namespace = self.core.sockets.namespace_of(key);
        let family = namespace.map(|id| self.core.sockets.family_of(id));
        let Some(table) = family.and_then(|family| self.handlers.table(family)) else {
            return;
        };
        self.core.is_overhearing = true;
        for listener in &table.on_any_outgoing {
            let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
            let args = Args::new(&said.list, &said.attachments);
            if caught("a listener", || listener(socket, &said.name, args)).is_none() {
                self.core.panicked(key);
            }
        }
        self.core.is_overhearing = false;
    }
}

fn handle<A: App>(
    table: &Table<A>,
    handler: Option<&OnEvent<A>>,
    socket: &mut Socket<'_, A>,
    mut event: IncomingEvent<'_>,
    answer_to: Option<(SocketKey, u64)>,
) {
    let ack = || Ack { to: answer_to };
    for listener in &table.on_any {
        listener(socket, event.name(), event.args());
    }
    for middleware in &table.middleware {
        if let Err(refused) = middleware(socket, &mut event) {
            return fail(table, socket, &EventError::Refused(refused), ack());
        }
    }
    if !socket.is_connected() {
        return;
    }
    let handler = match &event.name {
        Cow::Borrowed(_) => handler,
        Cow::Owned(renamed) => table.events.get(renamed.as_str()),
    };
    match (handler, &table.fallback) {
        (Some(handler), _) => {
            if let Err(error) = handler(socket, event.args(), ack()) {
                fail(table, socket, &EventError::Unfit(error), ack());
            }
        }
        (None, Some(fallback)) => fallback(socket, event.name(), event.args(), ack()),
        (None, None) => {}
    }
}

fn fail<A: App>(table: &Table<A>, socket: &mut Socket<'_, A>, error: &EventError, ack: Ack) {
    match &table.on_error {
        Some(handler) => handler(socket, error, ack),
        None => log::debug!("an event did not get to its handler: {error}"),
    }
}

impl<A: App> Core<A> {
    /// Keeps an event that went to these sockets for those who listen, if anybody does.
    pub(super) fn overhear(
        &mut self,
        namespace: NamespaceId,
        sockets: &[SocketKey],
        name: &str,
        encoded: &args::Encoded,
    ) {
        let is_overheard = self.sockets.namespaces().is_overheard(namespace);
        if !is_overheard || self.is_overhearing || sockets.is_empty() {
            return;
        }
        let said = Rc::new(Said {
            name: name.into(),
            list: str::from_utf8(&encoded.list).expect("JSON is UTF-8").into(),
            attachments: encoded.attachments.as_slice().into(),
        });
        let tell = |key: &SocketKey| Deferred::Said(*key, Rc::clone(&said));
        self.deferred.extend(sockets.iter().map(tell));
    }
}
