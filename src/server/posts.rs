//! What polling clients post: its packets in order, and no more of them in one turn than the others can bear.
//!
//! A complete request comes in; messages go to their handlers, and the answer is the engine's to give.
//! Knows nothing of how a request was admitted.

use super::core::Posted;
use super::{App, Server};
use crate::engineio::payload::Packets;
use crate::engineio::{self, SessionId};
use crate::http;
use crate::reactor::ConnId;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

impl<A: App> Server<A> {
    pub(super) fn post(&mut self, conn: ConnId, request: &http::Request<'_>, session: SessionId) {
        let now = self.core.now.mono;
        self.core.speaks_for(conn, session);
        let is_binary = request.header("content-type") == Some("application/octet-stream");
        if is_binary || self.core.engine.is_posting_elsewhere(session, conn) {
            let reason = engineio::Reason::TransportError;
            return self.core.engine.post_refused(now, session, conn, reason);
        }
        let Ok(body) = std::str::from_utf8(request.body()) else {
            let reason = engineio::Reason::ParseError;
            return self.core.engine.post_refused(now, session, conn, reason);
        };
        if let Some(rest) = self.packets(conn, session, body) {
            self.core.engine.post_begun(now, session, conn);
            let body = body[body.len() - rest..].into();
            self.core.posts.push_back(Posted {
                conn,
                session,
                body,
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
            if let Some(rest) = self.packets(posted.conn, posted.session, unread) {
                posted.at = posted.body.len() - rest;
                self.core.posts.push_back(posted);
            }
        }
    }

    /// The packets of a post, as many as one turn bears; says how many bytes of `body` are left. The post is answered
    /// after the last.
    fn packets(&mut self, conn: ConnId, session: SessionId, body: &str) -> Option<usize> {
        let now = self.core.now.mono;
        let mut packets = Packets::new(body);
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
                        self.message(session, incoming);
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
        let rest = packets
            .rest()
            .filter(|_| self.core.engine.session(session).is_some());
        if rest.is_none() {
            self.core.engine.post_ended(session, conn);
        }
        rest.map(str::len)
    }
}
