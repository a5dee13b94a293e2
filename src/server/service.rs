//! The reactor's facts, told to the cores; the cores' outputs, as the reactor's actions.
//!
//! Every fact ends by settling: what handlers put off is told to other handlers, until nothing is left.

use std::any::Any;
use std::io;
use std::thread;
use std::time::Duration;

use super::core::{Conn, Core, Due, Protocol};
use super::handle::Task;
use super::sending::Broken;
use super::unfinished::count;
use super::{App, Server, details, shutdown};
use crate::engineio::{self, Output, SessionId};
use crate::http;
use crate::reactor::{Action, Close, ConnId, JobId, Letter, ListenerId, Peer, Service, Tag};
use crate::time::{Now, Time};
use crate::websocket::{Message, frame};

impl<A: App> Service for Server<A> {
    fn accepted(&mut self, now: Now, _listener: ListenerId, conn: ConnId, peer: Peer) {
        self.core.now = now;
        self.core.counters.connections += 1;
        let protocol = Protocol::Http(http::Connection::new(now.mono));
        self.core.conns.insert(conn, Conn::new(protocol, peer));
        self.core.watch(conn);
    }

    fn turned_away(&mut self, now: Now, count: usize) {
        self.core.now = now;
        self.core.counters.connections_turned_away += count as u64;
    }

    fn connected(&mut self, now: Now, tag: Tag, result: io::Result<ConnId>) {
        self.core.now = now;
        if let Some(carrier) = &mut self.core.carrier {
            carrier.connected(now, tag, result);
        }
        self.settle();
    }

    fn received(&mut self, now: Now, conn: ConnId, input: &mut [u8]) -> usize {
        self.core.now = now;
        let whole = input.len();
        let mut rest = input;
        self.core.offered(conn);
        let mut looks = 0;
        loop {
            if looks == self.core.config.http.requests_per_turn_max.max(1) {
                self.core.actions.push_back(Action::Show(conn));
                break;
            }
            let goes_on = match self.read_websocket(conn, &mut rest) {
                Read::Message => !rest.is_empty(),
                Read::Nothing => false,
                Read::Elsewhere if self.core.conns.get(conn).is_none() => {
                    return self.carrier_received(conn, rest);
                }
                Read::Elsewhere => {
                    looks += 1;
                    self.read_http(conn, &mut rest)
                }
            };
            if !goes_on {
                break;
            }
        }
        let taken = whole - rest.len();
        self.core.answer_ping(conn);
        if looks > 0 {
            self.core.watch(conn);
            self.settle();
        }
        taken
    }

    fn refused(&mut self, now: Now, conn: ConnId, left: usize) {
        self.core.now = now;
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        row.is_stuck = true;
        if self.core.sent_partly(conn, left) {
            return self.core.watch(conn);
        }
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        let has_moved = left < row.waiting_bytes;
        row.waiting_bytes = left;
        match (&mut row.protocol, row.session) {
            (Protocol::WebSocket(_), Some(session)) => {
                self.core.engine.refused(now.mono, session, conn, left);
            }
            (Protocol::WebSocket(_), None) => {}
            (Protocol::Http(http), _) => {
                http.untaken();
                if has_moved {
                    http.taken(now.mono);
                }
                self.core.watch(conn);
            }
        }
        self.settle();
    }

    fn drained(&mut self, now: Now, conn: ConnId) {
        self.core.now = now;
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        row.is_stuck = false;
        if self.sent(conn) {
            self.core.watch(conn);
            return self.settle();
        }
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        match (&mut row.protocol, row.session) {
            (Protocol::WebSocket(_), Some(session)) => self.core.engine.drained(session, conn),
            (Protocol::WebSocket(_), None) => {}
            (Protocol::Http(http), _) => {
                http.all_taken(now.mono);
                self.core.actions.push_back(Action::Show(conn));
                self.core.watch(conn);
            }
        }
        self.core.answer_ping(conn);
        self.settle();
    }

    fn closed(&mut self, now: Now, conn: ConnId, why: io::Result<()>) {
        self.core.now = now;
        if let Err(error) = &why {
            if error.kind() == io::ErrorKind::QuotaExceeded {
                self.core.counters.connections_cut += 1;
            }
            log::debug!("connection {conn} broke: {error}");
            if let Some(session) = self.core.conns.get(conn).and_then(|row| row.session) {
                self.core.note_detail(session, || error.to_string());
            }
        }
        self.core.tell_broken(conn, Broken::Gone);
        if let Some(carrier) = &mut self.core.carrier
            && self.core.conns.get(conn).is_none()
        {
            carrier.closed(now, conn, why);
            return self.settle();
        }
        if let Some(session) = self.core.forget(conn) {
            self.core.engine.conn_closed(now.mono, session, conn);
        }
        self.settle();
    }

    fn finished(&mut self, now: Now, job: JobId, outcome: thread::Result<Box<dyn Any + Send>>) {
        self.core.now = now;
        if let Some(then) = self.core.jobs.remove(&job) {
            self.guarded("a job's continuation", |context| then(context, outcome));
        }
        self.settle();
    }

    fn posted(&mut self, now: Now, letter: Letter) {
        self.core.now = now;
        match letter.downcast::<Task<A>>() {
            Ok(task) => self.guarded("a task of another thread", *task),
            Err(_) => debug_assert!(false, "only `Handle` posts letters"),
        }
        self.settle();
    }

    fn elapsed(&mut self, now: Now) {
        if let Some(due) = self.deadline() {
            self.core.lag.measured(now.mono.since(due));
        }
        self.core.now = now;
        self.core.engine.elapsed(now.mono);
        while let Some(due) = self.core.timers.pop_due(now.mono) {
            self.due(due);
        }
        self.go_on_with_posts();
        self.core.carrier_elapsed();
        self.settle();
    }

    fn turned(&mut self, took: Duration) {
        self.core.turns.measured(took);
    }

    fn asked_to_stop(&mut self, now: Now) {
        self.core.now = now;
        self.core.begin_stop();
        self.settle();
    }

    fn deadline(&self) -> Option<Time> {
        if !self.core.posts.is_empty() {
            return Some(self.core.now.mono);
        }
        let carrier = self.core.carrier.as_ref();
        [
            self.core.engine.deadline(),
            self.core.timers.next_due(),
            carrier.and_then(|carrier| carrier.deadline()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn poll_action(&mut self) -> Option<Action> {
        loop {
            if let Some(action) = self.core.actions.pop_front() {
                return Some(action);
            }
            match self.core.engine.poll_output(self.core.now.mono) {
                Some(Output::Frame(conn, frame)) => return Some(Action::Send(conn, frame)),
                Some(output) => self.core.perform(output),
                None => return shutdown::poll_exit(&mut self.core),
            }
        }
    }
}

/// What came of reading a WebSocket.
enum Read {
    /// A message, or an end.
    Message,
    /// Nothing yet.
    Nothing,
    /// It is none.
    Elsewhere,
}

impl<A: App> Server<A> {
    /// Takes the next message off the front, if this is a WebSocket.
    fn read_websocket(&mut self, conn: ConnId, input: &mut &mut [u8]) -> Read {
        let now = self.core.now.mono;
        let Some(row) = self.core.conns.get_mut(conn) else {
            return Read::Elsewhere;
        };
        let Protocol::WebSocket(reader) = &mut row.protocol else {
            return Read::Elsewhere;
        };
        let Some(session) = row.session else {
            // It was told to go, and what it still says is not heard.
            *input = &mut [];
            return Read::Nothing;
        };
        let inflater = row.window.is_some().then_some(&mut self.core.inflater);
        let outcome = reader.next(&self.core.config.websocket, inflater, input);
        count(
            &mut self.core.unfinished_bytes,
            &mut row.unfinished_bytes,
            reader.held_bytes(),
        );
        match outcome {
            Ok(None) => {
                self.core.make_room_for_unfinished();
                Read::Nothing
            }
            Ok(Some(message)) => {
                self.websocket_message(conn, session, &message);
                Read::Message
            }
            Err(violation) => {
                log::debug!("connection {conn} broke a rule of WebSocket: {violation}");
                row.session = None;
                self.core.counters.violations += 1;
                self.core.note_detail(session, || violation.to_string());
                let (reason, code) = (engineio::Reason::TransportError, violation.close_code());
                self.core
                    .engine
                    .websocket_ended(now, session, conn, reason, code);
                self.settle();
                Read::Message
            }
        }
    }

    fn websocket_message(&mut self, conn: ConnId, session: SessionId, message: &Message<'_>) {
        let now = self.core.now.mono;
        let incoming = match message {
            Message::Text(text) => self.core.engine.text(now, session, conn, text),
            Message::Binary(bytes) => {
                self.core
                    .engine
                    .binary(now, session, conn, bytes.as_ref().into())
            }
            Message::Ping(payload) => {
                if let Some(row) = self.core.conns.get_mut(conn) {
                    row.pong = Some((*payload).into());
                }
                None
            }
            Message::Pong(_) => None,
            Message::Close(code, words) => {
                self.core
                    .note_detail(session, || details::of_close(*code, words));
                if let Some(row) = self.core.conns.get_mut(conn) {
                    row.session = None;
                }
                let (reason, code) = (engineio::Reason::TransportClose, code.unwrap_or(1000));
                self.core
                    .engine
                    .websocket_ended(now, session, conn, reason, code);
                None
            }
        };
        if let Some(incoming) = incoming {
            self.message(session, incoming, None);
        }
        self.settle();
    }

    fn due(&mut self, due: Due) {
        let now = self.core.now.mono;
        match due {
            Due::Http(conn) => self.core.http_due(conn),
            Due::Connect(session) => {
                self.core.connect_timers.remove(&session);
                self.core.force_close(session);
            }
            Due::Attachments(session) => {
                self.core.assembling.remove(&session);
                self.core
                    .engine
                    .close(now, session, engineio::Reason::ParseError);
            }
            Due::Ack(key, id) => self.unanswered(key, id, super::AckError::TimedOut),
            Due::Gathering(namespace, id) => self.core.gathering_due((namespace, id)),
            Due::Nodes(number) => self.core.stop_asking(number),
            Due::Away(pid) => {
                self.core.take_away(pid);
            }
            Due::Decision(key) => self.refuse(key, "timeout", None),
            Due::Admission(conn) => self.admission_due(conn),
            Due::After(number) => {
                if let Some(then) = self.core.later.remove(&number) {
                    self.guarded("a timer", then);
                }
            }
            Due::Drained => self.core.exit(),
        }
        self.settle();
    }
}

impl<A: App> Core<A> {
    fn perform(&mut self, output: Output) {
        match output {
            Output::Answer(conn, answer) => self.answer_engine_request(conn, answer),
            Output::Frame(conn, frame) => self.actions.push_back(Action::Send(conn, frame)),
            Output::Close(conn, code) => self.end_websocket(conn, code, ""),
            Output::Cut(conn) => {
                self.actions.push_back(Action::Close(conn, Close::Reset));
                self.forget(conn);
            }
            Output::Hold(conn) => self.actions.push_back(Action::Hold(conn)),
            Output::Show(conn) => self.actions.push_back(Action::Show(conn)),
        }
    }

    /// The orderly end of a WebSocket, with a code and a reason for whoever debugs the client.
    pub(super) fn end_websocket(&mut self, conn: ConnId, code: u16, reason: &str) {
        self.send(conn, frame::close(code, reason));
        let time = self.config.websocket.close_within;
        let bytes = self.config.websocket.message_bytes_max;
        self.actions
            .push_back(Action::Close(conn, Close::Linger { bytes, time }));
        self.forget(conn);
    }

    /// What was sent in earlier turns has left, unless the kernel said otherwise.
    fn offered(&mut self, conn: ConnId) {
        if let Some(row) = self.conns.get_mut(conn)
            && !row.is_stuck
            && !matches!(&row.protocol, Protocol::Http(http) if http.is_sending())
        {
            row.waiting_bytes = 0;
        }
    }

    /// The latest ping is answered once the kernel takes bytes; earlier ones need no answer (RFC 6455 §5.5.3).
    fn answer_ping(&mut self, conn: ConnId) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        if !row.is_stuck
            && let Some(payload) = row.pong.take()
        {
            self.send(conn, frame::pong(&payload));
        }
    }

    /// Gives up a connection's row; says which session it spoke for.
    pub(super) fn forget(&mut self, conn: ConnId) -> Option<SessionId> {
        if self.http(conn).is_some_and(|http| http.is_sending()) {
            self.waits(conn, 0);
        }
        let row = self.conns.remove(conn)?;
        self.unfinished_bytes -= row.unfinished_bytes as usize;
        self.feeders.remove(&conn);
        self.takers.remove(&conn);
        self.stop_waiting(conn);
        if let Some(timer) = row.timer {
            self.timers.cancel(timer);
        }
        row.session
    }
}
