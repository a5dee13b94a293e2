//! What polling clients post: its packets in order, and no more of them in one turn than the others can bear.
//!
//! A complete request comes in; messages go to their handlers, and the answer is the engine's to give.
//! Knows nothing of how a request was admitted.

use serde::{Deserialize, Serialize};

use super::core::Posted;
use super::{App, Server};
use crate::engineio::packet::Undecodable;
use crate::engineio::payload::{self, Record};
use crate::engineio::{self, Revision, SessionId, payload_v3};
use crate::http;
use crate::reactor::ConnId;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// How a body is to be read.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Form {
    V4,
    V3Text,
    V3Bytes,
}

impl Form {
    /// None for bytes where revision 4 has text only.
    const fn of(revision: Revision, is_binary: bool) -> Option<Self> {
        match (revision, is_binary) {
            (Revision::V4, false) => Some(Self::V4),
            (Revision::V4, true) => None,
            (Revision::V3 { .. }, false) => Some(Self::V3Text),
            (Revision::V3 { .. }, true) => Some(Self::V3Bytes),
        }
    }
}

/// The packets of a body of either form.
enum Packets<'b> {
    V4(payload::Packets<'b>),
    V3(payload_v3::Packets<'b>),
}

impl<'b> Packets<'b> {
    fn new(form: Form, body: &'b [u8]) -> Result<Self, Undecodable> {
        if let Form::V3Bytes = form {
            return Ok(Self::V3(payload_v3::Packets::of_bytes(body)));
        }
        let text = std::str::from_utf8(body).map_err(|_| Undecodable)?;
        Ok(match form {
            Form::V4 => Self::V4(payload::Packets::new(text)),
            Form::V3Text | Form::V3Bytes => Self::V3(payload_v3::Packets::of_text(text)),
        })
    }

    fn next(&mut self) -> Option<Result<Record<'b>, Undecodable>> {
        match self {
            Self::V4(packets) => packets.next(),
            Self::V3(packets) => packets.next(),
        }
    }

    fn left(&self) -> Option<usize> {
        match self {
            Self::V4(packets) => packets.rest().map(str::len),
            Self::V3(packets) => packets.left(),
        }
    }
}

impl Posted {
    /// Its request without the body, if the head was kept.
    fn request(&self) -> Option<http::Request<'_>> {
        http::Request::from_head(self.head.as_deref()?).ok()
    }
}

impl<A: App> Server<A> {
    pub(super) fn post(&mut self, conn: ConnId, request: &http::Request<'_>, session: SessionId) {
        let now = self.core.now.mono;
        self.core.speaks_for(conn, session);
        let is_binary = request.header("content-type") == Some("application/octet-stream");
        let revision = self.core.engine.session(session).map(|row| row.revision());
        let form = Form::of(revision.unwrap_or(Revision::V4), is_binary)
            .filter(|_| !self.core.engine.is_posting_elsewhere(session, conn));
        let Some(form) = form else {
            let reason = engineio::Reason::TransportError;
            return self.core.engine.post_refused(now, session, conn, reason);
        };
        let body = request.body();
        if let Some(left) = self.packets(conn, session, form, body, Some(request)) {
            self.core.engine.post_begun(now, session, conn);
            let body = body[body.len() - left..].into();
            let is_raw = self.core.raw.get(session).is_some();
            self.core.posts.push_back(Posted {
                conn,
                session,
                form,
                body,
                head: is_raw.then(|| request.head().into()),
                at: 0,
            });
        }
    }

    /// Goes on with the posts that were too much for one turn.
    pub(super) fn go_on_with_posts(&mut self) {
        for _ in 0..self.core.posts.len() {
            let Some(mut posted) = self.core.posts.pop_front() else {
                return;
            };
            let unread = &posted.body[posted.at..];
            let request = posted.request();
            let left = self.packets(
                posted.conn,
                posted.session,
                posted.form,
                unread,
                request.as_ref(),
            );
            if let Some(left) = left {
                posted.at = posted.body.len() - left;
                self.core.posts.push_back(posted);
            }
        }
    }

    /// The packets of a post, as many as one turn bears; says how many bytes of `body` are left. The post is answered
    /// after the last.
    fn packets(
        &mut self,
        conn: ConnId,
        session: SessionId,
        form: Form,
        body: &[u8],
        request: Option<&http::Request<'_>>,
    ) -> Option<usize> {
        let now = self.core.now.mono;
        let Ok(mut packets) = Packets::new(form, body) else {
            let reason = engineio::Reason::ParseError;
            self.core.engine.post_refused(now, session, conn, reason);
            return None;
        };
        let most = self.core.config.engine.packets_per_turn_max;
        #[cfg(feature = "world")]
        let most = if world::is_planted(Bug::EndlessTurn) {
            usize::MAX
        } else {
            most
        };
        for _ in 0..most {
            match packets.next() {
                None => break,
                Some(Ok(record)) => {
                    if let Some(incoming) = self.core.engine.posted(now, session, Ok(record)) {
                        self.message(session, incoming, request);
                        self.settle();
                    }
                }
                Some(Err(_)) => {
                    let reason = engineio::Reason::ParseError;
                    self.core.engine.post_refused(now, session, conn, reason);
                    return None;
                }
            }
        }
        let left = packets
            .left()
            .filter(|_| self.core.engine.session(session).is_some());
        if left.is_none() {
            self.core.engine.post_ended(session, conn);
        }
        left
    }
}
