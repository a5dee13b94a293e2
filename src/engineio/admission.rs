//! Whether a request is in order, and what it is about.
//!
//! What a request says of itself comes in; what is to be done for it goes out, or the refusal it deserves.
//! Never knows what else an HTTP head says, nor who asks: origins and the application's own conditions are judged before.
//! Left out: tolerance. What the official server refuses is refused, with its numbers and words.

use super::{Engine, Revision, SessionId, TransportName};
use crate::sid::{Mark, Sid};

/// Why a request was refused; the numbers and words are the official server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No transport of that name, or not here.
    TransportUnknown,
    /// No session of that id.
    SessionUnknown,
    /// No session of that id, which another server gave: whoever spreads requests over servers must bring all of one session to
    /// the same ([`Engine::mark_ids`]). Clients are told the same code.
    SessionElsewhere,
    /// A session is opened by GET only.
    BadHandshakeMethod,
    /// The request does not fit its session.
    BadRequest,
    /// Somebody said no.
    Forbidden,
    /// Another revision than 4, or than 3 where that is allowed.
    UnsupportedProtocol,
}

impl Refusal {
    /// The code in the JSON of the answer.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown | Self::SessionElsewhere => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocol => 5,
        }
    }

    /// The words that go with the code.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::TransportUnknown => "Transport unknown",
            Self::SessionUnknown => "Session ID unknown",
            Self::SessionElsewhere => "Session ID unknown: it is another server's",
            Self::BadHandshakeMethod => "Bad handshake method",
            Self::BadRequest => "Bad request",
            Self::Forbidden => "Forbidden",
            Self::UnsupportedProtocol => "Unsupported protocol version",
        }
    }

    /// The HTTP status of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Forbidden => 403,
            _ => 400,
        }
    }
}

/// What a request says of itself, as far as the engine cares.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its method.
    pub method: Method,
    /// `transport` in its query.
    pub transport: Option<&'a [u8]>,
    /// `sid` in its query.
    pub sid: Option<&'a [u8]>,
    /// `EIO` in its query.
    pub revision: Option<&'a [u8]>,
    /// Whether there is a `b64` in its query.
    pub base64: bool,
    /// Whether it asks for a WebSocket.
    pub upgrade: bool,
}

/// The methods the engine tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Opens a session, or polls.
    Get,
    /// Brings packets.
    Post,
    /// Anything else.
    Other,
}

/// What a request is about, once it was found to be in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Opens a session by this transport, in this revision.
    Open(TransportName, Revision),
    /// Polls a session.
    Poll(SessionId),
    /// Brings packets to a session.
    Post(SessionId),
    /// Offers a WebSocket to a session.
    Upgrade(SessionId),
    /// A method that a session does not know.
    Unsupported,
}

impl Engine {
    /// Ids end in what these bytes spell from now on: of several servers behind one proxy, each has its own end, and knows
    /// an id that another one gave.
    pub fn mark_ids(&mut self, bytes: [u8; 3]) {
        self.mark = Some(Mark::new(bytes));
    }

    fn unknown(&self, sid: &[u8]) -> Refusal {
        let is_foreign = self.mark.is_some_and(|own| {
            let mark = Sid::parse_bytes(sid).map(|sid| sid.mark());
            mark.is_some_and(|mark| mark != own)
        });
        if is_foreign {
            Refusal::SessionElsewhere
        } else {
            Refusal::SessionUnknown
        }
    }

    /// Finds out what a request is about.
    ///
    /// # Errors
    /// The refusal it deserves. The order of the checks is the official server's (transport, session, method,
    /// revision), since clients and proxies see the difference.
    pub fn admit(&self, asked: Asked<'_>) -> Result<Admission, Refusal> {
        let transport = match asked.transport {
            Some(b"polling") if self.config.polling => TransportName::Polling,
            Some(b"websocket") if self.config.websocket => TransportName::WebSocket,
            _ => return Err(Refusal::TransportUnknown),
        };
        let by_websocket = transport == TransportName::WebSocket;
        if let Some(sid) = asked.sid {
            let id = self.find(sid);
            let (id, session) = id
                .and_then(|id| Some((id, self.sessions.get(id)?)))
                .ok_or_else(|| self.unknown(sid))?;
            let is_same =
                (asked.revision == Some(b"4".as_slice())) == (session.revision == Revision::V4);
            if !is_same || by_websocket != asked.upgrade {
                return Err(Refusal::BadRequest);
            }
            if asked.upgrade {
                return Ok(Admission::Upgrade(id));
            }
            if session.transport_name() != transport {
                return Err(Refusal::BadRequest);
            }
            return Ok(match asked.method {
                Method::Get => Admission::Poll(id),
                Method::Post => Admission::Post(id),
                Method::Other => Admission::Unsupported,
            });
        }
        if asked.method != Method::Get {
            return Err(Refusal::BadHandshakeMethod);
        }
        if by_websocket != asked.upgrade {
            return Err(Refusal::BadRequest);
        }
        // The official server takes whatever is not 4 for 3.
        let revision = match asked.revision {
            Some(b"4") => Revision::V4,
            _ if self.config.allow_eio3 => Revision::V3 {
                base64: asked.base64,
            },
            _ => return Err(Refusal::UnsupportedProtocol),
        };
        Ok(Admission::Open(transport, revision))
    }
}
