//! Requests of Engine.IO that were refused: counted by kind, and told to whoever wants to know (`connection_error`).
//!
//! A refusal comes in with its request; what was wrong with it is found out here, as the official server names it.
//! Left out: requests that end a session they belong to (a second poll at once, a body that is none), which are counted
//! and told as the end of that session; and what [`crate::config::Engine::handshakes_per_second_max`] turns away, which
//! somebody could have by the thousand, and is counted only.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::core::{Conn, Core};
use super::handshake::Handshake;
use super::views::Context;
use super::{App, Server, cors, forwarded};
use crate::config::HandshakeKept;
use crate::engineio::{Engine, Refusal, TransportName};
use crate::http::{self, query};
use crate::reactor::{ConnId, Peer};

pub(super) type OnConnectionError<A> = Box<dyn Fn(&mut Context<'_, A>, &ConnectionError)>;

/// Refused requests by the code that they were answered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// Code 0.
    pub transport_unknown: u64,
    /// Code 1.
    pub session_unknown: u64,
    /// Code 1, where another server gave the id.
    pub session_elsewhere: u64,
    /// Code 2.
    pub bad_handshake_method: u64,
    /// Code 3.
    pub bad_request: u64,
    /// Code 4.
    pub forbidden: u64,
    /// Code 5.
    pub unsupported_protocol: u64,
}

impl Refusals {
    pub(super) const fn count(&mut self, refusal: Refusal) {
        let count = match refusal {
            Refusal::TransportUnknown => &mut self.transport_unknown,
            Refusal::SessionUnknown => &mut self.session_unknown,
            Refusal::SessionElsewhere => &mut self.session_elsewhere,
            Refusal::BadHandshakeMethod => &mut self.bad_handshake_method,
            Refusal::BadRequest => &mut self.bad_request,
            Refusal::Forbidden => &mut self.forbidden,
            Refusal::UnsupportedProtocol => &mut self.unsupported_protocol,
        };
        *count += 1;
    }
}

/// A refused request, and why it was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionError {
    /// The kind: [`Refusal::code`] is what the client is told.
    pub refusal: Refusal,
    /// What the client is told in words.
    pub message: String,
    /// What was wrong with it (`context`).
    pub cause: Cause,
    /// The request.
    pub request: Handshake,
}

/// What was wrong with a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It asked for a transport of this name, or for none.
    Transport(Option<String>),
    /// It named a session that is not there.
    Session(String),
    /// It would open a session by this method.
    Method(String),
    /// It would open a session by WebSocket, and is no WebSocket's request (`TRANSPORT_HANDSHAKE_ERROR`).
    NoUpgrade,
    /// It speaks by another transport than its session (`TRANSPORT_MISMATCH`).
    TransportMismatch {
        /// What it speaks by.
        asked: TransportName,
        /// What its session speaks by.
        previous: TransportName,
    },
    /// It speaks another revision than its session (`PROTOCOL_MISMATCH`).
    ProtocolMismatch,
    /// It comes from a page of this origin, which is not allowed to.
    Origin(String),
    /// It was not allowed, for the reason that the message says.
    Forbidden,
    /// It speaks this revision, or does not say which.
    Protocol(Option<String>),
    /// A handler of ours went wrong over it (`MIDDLEWARE_FAILURE`).
    OurFault,
    /// [`Server::generate_id`] chose another session's id for it, or panicked (`ID_GENERATION_ERROR`).
    NoId,
}

impl Cause {
    /// The official server's name of it, where it has one.
    #[must_use]
    pub const fn name(&self) -> Option<&'static str> {
        match self {
            Self::NoUpgrade => Some("TRANSPORT_HANDSHAKE_ERROR"),
            Self::TransportMismatch { .. } => Some("TRANSPORT_MISMATCH"),
            Self::ProtocolMismatch => Some("PROTOCOL_MISMATCH"),
            Self::OurFault => Some("MIDDLEWARE_FAILURE"),
            Self::NoId => Some("ID_GENERATION_ERROR"),
            Self::Transport(_)
            | Self::Session(_)
            | Self::Method(_)
            | Self::Origin(_)
            | Self::Forbidden
            | Self::Protocol(_) => None,
        }
    }
}

/// What nobody was told of yet.
#[derive(Debug, Default)]
pub(super) struct Refused {
    /// Whether anybody wants to know.
    pub(super) is_told: bool,
    errors: VecDeque<ConnectionError>,
}

impl Refused {
    pub(super) fn pop(&mut self) -> Option<ConnectionError> {
        self.errors.pop_front()
    }
}

impl<A: App> Server<A> {
    /// Calls `handler` for each request of Engine.IO that is refused, after it was answered (`connection_error`). The
    /// last one named counts.
    ///
    /// ```
    /// # use roomcast::{Config, Server};
    /// # let mut server = Server::new(Config::default(), ());
    /// server.on_connection_error(|_context, error| {
    ///     let (code, url) = (error.refusal.code(), error.request.url());
    ///     eprintln!("{url} refused with {code}: {} ({:?})", error.message, error.cause);
    /// });
    /// ```
    pub fn on_connection_error(
        &mut self,
        handler: impl Fn(&mut Context<'_, A>, &ConnectionError) + 'static,
    ) -> &mut Self {
        self.core.refused.is_told = true;
        self.handlers.on_connection_error = Some(Box::new(handler));
        self
    }

    pub(super) fn tell_connection_error(&mut self, error: &ConnectionError) {
        if let Some(handler) = &self.handlers.on_connection_error {
            let context = &mut Context::new(&mut self.app, &mut self.core);
            if super::dispatch::caught("a refusal's handler", || handler(context, error)).is_none()
            {
                self.core.counters.panics += 1;
            }
        }
    }
}

impl<A: App> Core<A> {
    /// A request was refused for what it is.
    pub(super) fn note_refusal(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        refusal: Refusal,
        message: &str,
    ) {
        let cause = self.refused.is_told.then(|| {
            let is_foreign = !cors::is_allowed(&self.config.engine.origins, request);
            cause(&self.engine, request, refusal, is_foreign)
        });
        self.note_caused(conn, request, refusal, message, cause);
    }

    /// A request was refused, for a cause if anybody is told of it.
    pub(super) fn note_caused(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        refusal: Refusal,
        message: &str,
        cause: Option<Cause>,
    ) {
        self.counters.refusals.count(refusal);
        let Some(cause) = cause.filter(|_| self.refused.is_told) else {
            return;
        };
        let peer = self.conns.get(conn).map_or(Peer::Unix, Conn::peer);
        let client = forwarded::client(&self.config.reactor.trusted_proxies, peer, request);
        self.refused.errors.push_back(ConnectionError {
            refusal,
            message: message.to_owned(),
            cause,
            request: Handshake::of(request, client, self.now.wall, HandshakeKept::Whole),
        });
    }
}

fn cause(
    engine: &Engine,
    request: &http::Request<'_>,
    refusal: Refusal,
    is_foreign: bool,
) -> Cause {
    let text = request.query();
    let value = |name| query::value(text, name).map(|value| value.into_owned());
    match refusal {
        Refusal::TransportUnknown => Cause::Transport(value("transport")),
        Refusal::SessionUnknown | Refusal::SessionElsewhere => {
            Cause::Session(value("sid").unwrap_or_default())
        }
        Refusal::BadHandshakeMethod => Cause::Method(request.method_name().to_owned()),
        Refusal::BadRequest => {
            let asked = match value("transport").as_deref() {
                Some("websocket") => TransportName::WebSocket,
                _ => TransportName::Polling,
            };
            let session = value("sid").and_then(|sid| engine.transport_of(&sid));
            match session {
                Some(previous) if previous != asked => Cause::TransportMismatch { asked, previous },
                Some(_) => Cause::ProtocolMismatch,
                None if asked == TransportName::WebSocket && !request.is_upgrade() => {
                    Cause::NoUpgrade
                }
                None => Cause::OurFault,
            }
        }
        Refusal::Forbidden => match request.header("origin") {
            Some(origin) if is_foreign => Cause::Origin(origin.to_owned()),
            _ => Cause::Forbidden,
        },
        Refusal::UnsupportedProtocol => Cause::Protocol(value("EIO")),
    }
}
