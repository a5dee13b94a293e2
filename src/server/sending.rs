//! Answers in pieces: a head now, and a body as the application makes it and the client reads it.
//!
//! Pieces come in from whoever has some (a route, a job that has come home, a socket's handler) by the request's id, or
//! from a feeder, a closure that is asked whenever the client has taken what it was given. Both see the same limits.
//! A feeder that waits is told when the answer breaks off; a freeze breaks it off with [`Broken::Interrupted`], since
//! what it would go on from is in a closure.
//! Knows no framing: that is `http`'s.
//! Left out: a body in both directions at once; and compression, which who makes the body does better.

use std::fmt;

use bytes::Bytes;

use super::core::{Conn, Core, Deferred, Protocol};
use super::dispatch::caught;
use super::taking::Part;
use super::views::{Context, Io, RequestId};
use super::{App, Server};
use crate::buffers::Shared;
use crate::http::{After, Length, Refusal, Response, TooShort};
use crate::reactor::{Action, Close, ConnId};

type OnFeed<A> = Box<dyn FnMut(&mut Context<'_, A>, Feed)>;

/// Who feeds an answer.
pub(super) struct Feeder<A: App> {
    feed: OnFeed<A>,
    /// Whether it was asked for more, and nothing was written since: it has put somebody to it, who is not to be put twice.
    is_asked: bool,
}

/// What a feeder is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// There is room. It is asked again once the client has taken what is written now or later.
    More,
    /// The answer broke off; nobody is asked any more.
    Broken(Broken),
}

/// Why a body broke off, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The client has gone, or ended its side of the connection.
    Gone,
    /// The client took nothing of an answer for [`answer_idle_max`](crate::config::Http::answer_idle_max).
    Stalled,
    /// The client broke a rule or passed a limit, and was told so.
    Refused(Refusal),
    /// More waited for all clients than [`streams_bytes_max`](crate::config::Http::streams_bytes_max), and most for this one.
    TooMuch,
    /// The server was frozen.
    Interrupted,
    /// The server is ending.
    Stopped,
}

/// How much more may wait for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// More may come at once.
    Left,
    /// It is better to wait: more waits than [`streamed_bytes_soft_max`](crate::config::Http::streamed_bytes_soft_max).
    None,
}

/// Why a piece was not taken. Nothing of it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// There is no such answer, or not any more.
    Gone,
    /// With it more would wait for the client than [`streamed_bytes_max`](crate::config::Http::streamed_bytes_max).
    Full,
    /// It alone is larger than that.
    TooLarge,
    /// It goes beyond the length that was declared.
    TooLong,
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "there is no such answer any more",
            Self::Full => "too much waits for the client",
            Self::TooLarge => "the piece is larger than what may wait",
            Self::TooLong => "the piece goes beyond the declared length",
        })
    }
}

impl std::error::Error for NotWritten {}

impl<A: App> Io<'_, A> {
    /// Answers a request with a head now and a body in pieces: [`Io::write`] them by the request's id, from wherever they
    /// come, and [`Io::finish`] it. The response's own body, if it has one, is the first piece. Says whether a body is wanted:
    /// not in answer to HEAD, nor by who has gone; whatever is written then is [`NotWritten::Gone`].
    ///
    /// The length goes into the head if it is known; otherwise the body goes in chunks, or until the end of the connection
    /// for a client of HTTP/1.0. It is not compressed. Who begins an answer before the body of the request has come gets no
    /// more of that, and the connection closes behind the answer.
    pub fn begin(&mut self, id: RequestId, response: &Response, length: Length) -> bool {
        let begun = self.core.begin(id, response, length);
        if begun && self.write(id, response.content().clone()).is_err() {
            log::error!("the first piece of an answer does not fit its limits");
            self.core.cut(id);
        }
        begun && self.core.is_sending(id)
    }

    /// Sends a piece of an answer that has [begun](Io::begin), and says whether there is room for more. Each is a chunk of
    /// its own, so that pieces of some kilobytes are best.
    ///
    /// # Errors
    /// If it cannot be sent; nothing of it is then.
    pub fn write(&mut self, id: RequestId, bytes: impl Into<Bytes>) -> Result<Room, NotWritten> {
        self.core.write(id, bytes.into())
    }

    /// Ends an answer that has [begun](Io::begin): its body is whole. If bytes are missing of the length that was declared, it is
    /// cut instead. Nothing happens if it has broken off.
    pub fn finish(&mut self, id: RequestId) {
        self.core.finish(id);
    }

    /// Breaks off an answer that has [begun](Io::begin), such that the client notices that it is not whole. The feeder is not
    /// told.
    pub fn cut(&mut self, id: RequestId) {
        self.core.cut(id);
    }

    /// Names who feeds an answer that has [begun](Io::begin): `feeder` is asked for [`Feed::More`] as soon as this handler has
    /// returned, and each time the client has taken what was written since. It writes, as long as there is room; or finishes;
    /// or does neither and lets somebody else write later. If the answer breaks off it is told so, and dropped.
    /// One that panics has its answer cut. The last one named counts; nothing happens if there is no such answer.
    ///
    /// ```
    /// # use roomcast::{Answer, Config, Server};
    /// use roomcast::http::{Length, Method, Response};
    /// use roomcast::server::Feed;
    ///
    /// # let mut server = Server::new(Config::default(), ());
    /// server.route(Method::Get, "/numbers", |request| {
    ///     let id = request.id();
    ///     request.io.begin(id, &Response::text(200, "the numbers\n"), Length::Unknown);
    ///     let mut numbers = 0..1_000_000;
    ///     request.io.feed(id, move |context, feed| match (feed, numbers.next()) {
    ///         (Feed::Broken(_), _) => {}
    ///         (Feed::More, None) => context.io.finish(id),
    ///         (Feed::More, Some(number)) => {
    ///             let _ = context.io.write(id, format!("{number}\n"));
    ///         }
    ///     });
    ///     Answer::Later
    /// });
    /// ```
    pub fn feed(&mut self, id: RequestId, feeder: impl FnMut(&mut Context<'_, A>, Feed) + 'static) {
        if self.core.is_sending(id) {
            let (feed, is_asked) = (Box::new(feeder), false);
            self.core.feeders.insert(id.conn, Feeder { feed, is_asked });
            self.core.deferred.push_back(Deferred::Feed(id));
        }
    }
}

impl<A: App> Server<A> {
    /// Asks a feeder as long as there is room and it goes on writing.
    pub(super) fn feed(&mut self, id: RequestId) {
        let soft_max = self.core.config.http.streamed_bytes_soft_max;
        loop {
            let before = match self.core.sending(id) {
                Some(row) if row.waiting_bytes < soft_max.max(1) => row.waiting_bytes,
                _ => return,
            };
            let feeder = self.core.feeders.get(&id.conn);
            if feeder.is_some_and(|feeder| feeder.is_asked) {
                return;
            }
            let Some(mut feeder) = self.core.feeders.remove(&id.conn) else {
                return;
            };
            let context = &mut Context::new(&mut self.app, &mut self.core);
            if caught("a feeder", || (feeder.feed)(context, Feed::More)).is_none() {
                self.core.counters.panics += 1;
                return self.core.cut(id);
            }
            let Some(row) = self.core.sending(id) else {
                return;
            };
            feeder.is_asked = row.waiting_bytes == before;
            self.core.feeders.entry(id.conn).or_insert(feeder);
        }
    }

    /// The kernel has taken all of an answer in pieces; says whether it was one.
    pub(super) fn sent(&mut self, conn: ConnId) -> bool {
        let Some(row) = self.core.sending_row(conn) else {
            return false;
        };
        let visit = row.visit;
        self.core.waits(conn, 0);
        let now = self.core.now.mono;
        match self
            .core
            .http(conn)
            .and_then(|http| http.poll_finished(now))
        {
            Some(after) => self.core.go_on(conn, after),
            None => self.feed(RequestId { conn, visit }),
        }
        true
    }
}

impl<A: App> Core<A> {
    /// The row of a connection whose answer is on its way in pieces.
    fn sending_row(&self, conn: ConnId) -> Option<&Conn> {
        let row = self.conns.get(conn)?;
        matches!(&row.protocol, Protocol::Http(http) if http.is_sending()).then_some(row)
    }

    /// The same, for an answer that was not finished.
    fn sending(&self, id: RequestId) -> Option<&Conn> {
        self.sending_row(id.conn)
            .filter(|row| row.visit == id.visit)
    }

    pub(super) fn is_sending(&self, id: RequestId) -> bool {
        self.sending(id).is_some()
    }

    fn begin(&mut self, id: RequestId, response: &Response, length: Length) -> bool {
        let Some(row) = self.conns.get_mut(id.conn) else {
            return false;
        };
        let Protocol::Http(http) = &mut row.protocol else {
            return false;
        };
        if row.visit != id.visit || !http.owes() {
            return false;
        }
        let answer = http.begin(self.now, &self.config.http, response, length);
        row.session = None;
        row.waiting_bytes += answer.head.len();
        let waiting_bytes = row.waiting_bytes;
        self.takers.remove(&id.conn);
        self.send(id.conn, answer.head);
        if answer.after == After::Body {
            self.streamed_bytes += waiting_bytes;
            self.actions.push_back(Action::Tell(id.conn));
            self.watch(id.conn);
            return true;
        }
        if let Some(row) = self.conns.get_mut(id.conn) {
            row.visit = row.visit.wrapping_add(1);
        }
        self.go_on(id.conn, answer.after);
        false
    }

    fn write(&mut self, id: RequestId, bytes: Bytes) -> Result<Room, NotWritten> {
        let waiting = self.sending(id).ok_or(NotWritten::Gone)?.waiting_bytes;
        let limits = &self.config.http;
        if bytes.len() > limits.streamed_bytes_max {
            return Err(NotWritten::TooLarge);
        }
        if waiting + bytes.len() > limits.streamed_bytes_max && waiting > 0 {
            return Err(NotWritten::Full);
        }
        let soft_max = limits.streamed_bytes_soft_max;
        let now = self.now.mono;
        let http = self.http(id.conn).ok_or(NotWritten::Gone)?;
        let framed = http.piece(now, bytes).map_err(|_| NotWritten::TooLong)?;
        if let Some(feeder) = self.feeders.get_mut(&id.conn) {
            feeder.is_asked = false;
        }
        let waiting = self.send_framed(id.conn, waiting, framed);
        self.make_room_for_streams();
        if !self.is_sending(id) {
            return Err(NotWritten::Gone);
        }
        Ok(if waiting < soft_max {
            Room::Left
        } else {
            Room::None
        })
    }

    fn finish(&mut self, id: RequestId) {
        let Some(row) = self.sending(id) else {
            return;
        };
        let waiting = row.waiting_bytes;
        let now = self.now.mono;
        let Some(last) = self.http(id.conn).map(|http| http.finish(now)) else {
            return;
        };
        match last {
            Ok(last) => {
                self.feeders.remove(&id.conn);
                if let Some(row) = self.conns.get_mut(id.conn) {
                    row.visit = row.visit.wrapping_add(1);
                }
                self.send_framed(id.conn, waiting, [last, Shared::new(), Shared::new()]);
            }
            Err(TooShort { missing }) => {
                log::error!("an answer was finished {missing} bytes before its declared end");
                self.cut(id);
            }
        }
    }

    fn send_framed(&mut self, conn: ConnId, waiting: usize, framed: [Shared; 3]) -> usize {
        let waiting = waiting + framed.iter().map(|bytes| bytes.len()).sum::<usize>();
        for bytes in framed {
            if !bytes.is_empty() {
                self.send(conn, bytes);
            }
        }
        self.actions.push_back(Action::Tell(conn));
        self.waits(conn, waiting);
        self.watch(conn);
        waiting
    }

    pub(super) fn cut(&mut self, id: RequestId) {
        if self.is_sending(id) {
            self.cut_conn(id.conn);
        }
    }

    fn cut_conn(&mut self, conn: ConnId) {
        let is_open_ended = self
            .http(conn)
            .is_some_and(|http| http.ends_with_the_connection());
        // Without chunks and a length the client could not tell this end from the right one.
        let how = if is_open_ended {
            Close::Reset
        } else {
            Close::Flush
        };
        self.actions.push_back(Action::Close(conn, how));
        self.forget(conn);
    }

    /// The client takes nothing: what waits for it would only wait longer.
    pub(super) fn drop_stream(&mut self, conn: ConnId, why: Broken) {
        self.counters.answers_cut += 1;
        log::debug!("connection {conn} was cut while an answer was on its way: {why:?}");
        self.waits(conn, 0);
        self.tell_broken(conn, why);
        self.actions.push_back(Action::Close(conn, Close::Reset));
        self.forget(conn);
    }

    /// So many bytes of an answer wait for its client.
    pub(super) fn waits(&mut self, conn: ConnId, bytes: usize) {
        if let Some(row) = self.conns.get_mut(conn) {
            let others = self.streamed_bytes.saturating_sub(row.waiting_bytes);
            self.streamed_bytes = others.saturating_add(bytes);
            row.waiting_bytes = bytes;
        }
    }

    /// The kernel took a part; says whether it was one of an answer in pieces.
    pub(super) fn sent_partly(&mut self, conn: ConnId, left: usize) -> bool {
        let Some(row) = self.sending_row(conn) else {
            return false;
        };
        let has_moved = left < row.waiting_bytes;
        self.waits(conn, left);
        let now = self.now.mono;
        if has_moved && let Some(http) = self.http(conn) {
            http.taken(now);
        }
        true
    }

    /// Too much waits for all: the one for whom most waits goes.
    fn make_room_for_streams(&mut self) {
        if self.streamed_bytes <= self.config.http.streams_bytes_max {
            return;
        }
        let sending = self.conns.iter().filter(|(_, row)| match &row.protocol {
            Protocol::Http(http) => http.is_sending(),
            Protocol::WebSocket(_) => false,
        });
        let most = sending.max_by_key(|(_, row)| row.waiting_bytes);
        if let Some((conn, _)) = most {
            self.drop_stream(conn, Broken::TooMuch);
        }
    }

    /// Tells whoever feeds an answer or takes a body that it broke off.
    pub(super) fn tell_broken(&mut self, conn: ConnId, why: Broken) {
        if let Some(mut feeder) = self.feeders.remove(&conn) {
            self.soon.push_back(Box::new(move |context| {
                (feeder.feed)(context, Feed::Broken(why));
            }));
        }
        if let Some(mut taker) = self.takers.remove(&conn) {
            self.soon.push_back(Box::new(move |context| {
                taker(context, Part::Broken(why));
            }));
        }
    }

    /// Goes on with the answers in pieces of a server that was frozen, if there are any.
    pub(super) fn go_on_sending(&mut self) {
        for (conn, row) in self.conns.iter() {
            if matches!(&row.protocol, Protocol::Http(http) if http.is_sending()) {
                self.streamed_bytes = self.streamed_bytes.saturating_add(row.waiting_bytes);
                self.actions.push_back(Action::Tell(conn));
            }
        }
    }

    /// Whether bodies are on their way, in either direction, and not only waiting for the application.
    pub(super) fn is_streaming(&self) -> bool {
        self.streamed_bytes > 0 || !self.takers.is_empty()
    }

    /// Breaks off all bodies that are on their way; requests without an answer get this one.
    pub(super) fn break_streams(&mut self, why: Broken, response: &Response) {
        let conns = self.conns.iter();
        let conns = conns.filter_map(|(conn, row)| match &row.protocol {
            Protocol::Http(http) if http.is_sending() => Some((conn, true)),
            Protocol::Http(http) if http.is_taking() => Some((conn, false)),
            _ => None,
        });
        for (conn, is_sending) in conns.collect::<Vec<_>>() {
            self.tell_broken(conn, why);
            if is_sending {
                self.cut_conn(conn);
            } else {
                self.respond(conn, response);
            }
        }
        for conn in self.takers.keys().copied().collect::<Vec<_>>() {
            self.tell_broken(conn, why);
        }
    }
}
