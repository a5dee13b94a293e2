//! Requests whose bodies are taken in pieces: by routes that asked for that, at the pace of the application.
//!
//! Such a route is called when the head has come. It accepts the body by naming a taker, a closure that is shown each
//! piece as it lies in the buffer; or answers at once, and nothing of the body is read. While a body is on hold nothing is
//! read from the connection, so that the client's own kernel makes it wait.
//! A taker that waits is told when the body breaks off; a freeze breaks it off with [`Broken::Interrupted`].
//! Knows no framing: that is `http`'s.

use super::core::{Core, Deferred, Protocol};
use super::dispatch::caught;
use super::sending::Broken;
use super::views::{Context, Io, RequestId};
use super::{App, Server};
use crate::http::{self, Piece, Response};
use crate::reactor::{Action, ConnId};

pub(super) type Taker<A> = Box<dyn FnMut(&mut Context<'_, A>, Part<'_>)>;

/// What a taker is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Bytes of the body, in order: at least one.
    Bytes(&'a [u8]),
    /// That was all; the answer is owed.
    End,
    /// The body broke off; nothing more comes of it.
    Broken(Broken),
}

impl<A: App> Io<'_, A> {
    /// Takes the body of a request to a [route in pieces](Server::route_in_pieces), of `bytes_max` bytes at most (`None`: of any
    /// size): shows `taker` each part as soon as this handler has returned. A client that waits for that is told to go
    /// on (`100 Continue`). One that sends more is answered 413, from the declared length alone if there is one.
    ///
    /// The request may be answered at any time; if its body has not ended by then, the taker is dropped and the connection
    /// closes behind the answer. A taker that panics has its request answered 500. Nothing happens if there is no
    /// such body, or it is being taken already.
    pub fn take(
        &mut self,
        id: RequestId,
        bytes_max: Option<u64>,
        taker: impl FnMut(&mut Context<'_, A>, Part<'_>) + 'static,
    ) {
        let now = self.core.now.mono;
        if !self.core.is_taking(id) || self.core.takers.contains_key(&id.conn) {
            return;
        }
        let Some(http) = self.core.http(id.conn) else {
            return;
        };
        let accepted = http.accept(now, bytes_max.unwrap_or(u64::MAX));
        self.core.takers.insert(id.conn, Box::new(taker));
        match accepted {
            Ok(interim) => {
                if let Some(interim) = interim {
                    self.core.send(id.conn, interim);
                }
                self.core.deferred.push_back(Deferred::Take(id));
            }
            Err(refusal) => {
                self.core.tell_broken(id.conn, Broken::Refused(refusal));
                self.core.refuse(id.conn, refusal);
            }
        }
    }

    /// Shows no more of a body that is being [taken](Io::take), and reads no more from its client, until [`Io::resume`]. What
    /// has been read already waits: up to [`read_bytes_per_turn_max`](crate::config::Reactor::read_bytes_per_turn_max). Time does
    /// not run against the client meanwhile; that it has gone may be found out only afterwards.
    pub fn hold(&mut self, id: RequestId) {
        let now = self.core.now.mono;
        if self.core.is_taking(id)
            && let Some(row) = self.core.conns.get_mut(id.conn)
            && let Protocol::Http(http) = &mut row.protocol
        {
            http.hold(now);
            row.has_more = true;
            self.core.actions.push_back(Action::Hold(id.conn));
        }
    }

    /// Goes on after [`Io::hold`].
    pub fn resume(&mut self, id: RequestId) {
        let now = self.core.now.mono;
        if self.core.is_taking(id)
            && let Some(http) = self.core.http(id.conn)
        {
            http.resume(now);
            self.core.deferred.push_back(Deferred::Take(id));
        }
    }
}

impl<A: App> Server<A> {
    /// Shows the next part of a body to its taker; says whether to go on.
    pub(super) fn take_piece(&mut self, conn: ConnId, input: &mut &mut [u8]) -> bool {
        let now = self.core.now.mono;
        let Some(row) = self.core.conns.get_mut(conn) else {
            return false;
        };
        let visit = row.visit;
        let Protocol::Http(http) = &mut row.protocol else {
            return false;
        };
        let part = match http.next_piece(now, &self.core.config.http, input) {
            Ok(Some(Piece::Bytes(bytes))) => Part::Bytes(bytes),
            Ok(Some(Piece::End)) => Part::End,
            Ok(None) => {
                if http.is_on_hold() {
                    row.has_more = true;
                    self.core.actions.push_back(Action::Hold(conn));
                }
                return false;
            }
            Err(refusal) => {
                *input = &mut [];
                self.core.tell_broken(conn, Broken::Refused(refusal));
                self.core.refuse(conn, refusal);
                return false;
            }
        };
        let Some(mut taker) = self.core.takers.remove(&conn) else {
            return false;
        };
        let context = &mut Context::new(&mut self.app, &mut self.core);
        if caught("a taker", || taker(context, part)).is_none() {
            self.core.counters.panics += 1;
            let response = Response::text(500, "Internal Server Error\n");
            self.core.respond(conn, &response);
        }
        let id = RequestId { conn, visit };
        if part != Part::End && self.core.is_taking(id) {
            self.core.takers.insert(conn, taker);
        }
        true
    }

    /// A body may be taken, or goes on to be: also one of which nothing is left but its end.
    pub(super) fn take_on(&mut self, id: RequestId) {
        if !self.core.is_taking(id) {
            return;
        }
        let mut nothing: &mut [u8] = &mut [];
        self.take_piece(id.conn, &mut nothing);
        let http = self.core.http(id.conn);
        if http.is_some_and(|http| !http.is_on_hold()) {
            self.core.actions.push_back(Action::Show(id.conn));
        }
        self.core.watch(id.conn);
    }
}

impl<A: App> Core<A> {
    pub(super) fn http(&mut self, conn: ConnId) -> Option<&mut http::Connection> {
        match &mut self.conns.get_mut(conn)?.protocol {
            Protocol::Http(http) => Some(http),
            Protocol::WebSocket(_) => None,
        }
    }

    fn is_taking(&self, id: RequestId) -> bool {
        let row = self.conns.get(id.conn).filter(|row| row.visit == id.visit);
        row.is_some_and(|row| matches!(&row.protocol, Protocol::Http(http) if http.is_taking()))
    }
}
