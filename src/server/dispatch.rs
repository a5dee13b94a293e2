//! What has come, to whoever is to hear of it: messages to sockets, and what was put off to handlers.
//!
//! Handlers never nest: what one sets off (a disconnect, a verdict) is put off and told when it has returned. A handler that
//! panics is caught here, once, logged, and costs its own socket.
//! Knows no bytes. How a socket comes and goes is [`super::life`]'s to say.
//! Left out: handlers that run side by side; the application is lent to one at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::acks::AckError;
use super::core::{Core, Deferred, Due};
use super::gathering::{Asker, Ended};
use super::socket::Socket;
use super::views::Context;
use super::{App, Server, older};
use crate::engineio::{self, Incoming, SessionId};
use crate::http;
use crate::socketio::args::Args;
use crate::socketio::packet::{self as wire, Kind, Violation};
use crate::socketio::{Attachments, Parsed, Reason, SocketKey, Step};

/// Runs a handler; if it panics, says so in the log and gives nothing.
pub(super) fn caught<T>(what: &str, run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(value) => Some(value),
        Err(_) => {
            log::error!("{what} has panicked");
            None
        }
    }
}

impl<A: App> Server<A> {
    /// A message of a session.
    pub(super) fn message(
        &mut self,
        session: SessionId,
        incoming: Incoming<'_>,
        request: Option<&http::Request<'_>>,
    ) {
        if self.core.raw.get(session).is_some() {
            return self.raw_message(session, &incoming, request);
        }
        let outcome = match &incoming {
            Incoming::Text(text) => self.core.sockets.text(session, text),
            Incoming::Binary(bytes) => self.core.sockets.binary(session, bytes),
        };
        match outcome {
            Ok(Parsed::Bare(packet)) => self.packet(session, &packet, &[]),
            Ok(Parsed::Complete(complete)) => {
                if let Some(timer) = self.core.assembling.remove(&session) {
                    self.core.timers.cancel(timer);
                }
                self.packet(session, &complete.packet(), complete.attachments());
            }
            Ok(Parsed::Nothing) => {
                if matches!(incoming, Incoming::Text(_)) {
                    self.core.await_attachments(session);
                }
                self.core.make_room();
            }
            Err(violation) => self.core.undecodable(session, violation),
        }
    }

    pub(super) fn packet(
        &mut self,
        session: SessionId,
        packet: &wire::Packet<'_>,
        attachments: Attachments<'_>,
    ) {
        let auth;
        let mut packet = *packet;
        if packet.kind == Kind::Connect && self.core.is_older(session) {
            (packet.namespace, auth) = older::named(packet.namespace);
            packet.data = Some(&auth);
        }
        let packet = &packet;
        let Ok(step) = self.core.sockets.step(session, packet) else {
            return self.core.force_close(session);
        };
        match step {
            Step::Join(key, auth) => self.join(session, key, auth),
            Step::NoNamespace(name, auth) => {
                let joined = self.make_wanted(name, auth);
                match joined.and_then(|namespace| self.core.sockets.join(session, namespace)) {
                    Ok(key) => self.join(session, key, auth),
                    Err(refusal) => self.core.refuse_connect(session, name, refusal),
                }
            }
            Step::Refused(name, refusal) => self.core.refuse_connect(session, name, refusal),
            Step::Event(key, event, id) => self.event(key, &event, id, attachments),
            Step::Answer(key, id, values) => {
                let answer = Args::new(values, attachments);
                match self.core.take_waiting(key, id) {
                    Some(then) => self.with_socket(key, "an answer's handler", |socket| {
                        then(socket, Ok(answer));
                    }),
                    None => self.core.gather(key, id, answer),
                }
            }
            Step::Leave(key) => self.core.leave(key, Reason::ClientNamespaceDisconnect),
            Step::Nothing => {}
        }
    }

    pub(super) fn unanswered(&mut self, key: SocketKey, id: u64, error: AckError) {
        if let Some(then) = self.core.take_waiting(key, id) {
            self.with_socket(key, "an answer's handler", |socket| {
                then(socket, Err(error))
            });
        }
    }

    /// Tells what was put off, until nothing is left.
    pub(super) fn settle(&mut self) {
        loop {
            if let Some(deferred) = self.core.deferred.pop_front() {
                self.put_off(deferred);
            } else if let Some((session, reason)) = self.core.engine.poll_ended() {
                self.ended(session, reason);
            } else if let Some(ended) = self.core.gathered.pop_front() {
                self.tell_gathered(ended);
            } else if let Some(session) = self.core.engine.poll_upgraded() {
                self.tell_upgraded(session);
            } else if let Some(session) = self.core.engine.poll_heartbeat() {
                self.tell_heartbeat(session);
            } else if let Some(error) = self.core.refused.pop() {
                self.tell_connection_error(&error);
            } else if let Some(wish) = self.core.nodes.pop() {
                self.tell_wish(wish);
            } else if let Some(then) = self.core.soon.pop_front() {
                self.guarded("what follows a handler", then);
            } else if !self.tell_room_event() && !self.core.drain() && !self.core.carry() {
                // After the last room event of a namespace that nobody is in any more.
                self.core.sockets.sweep();
                break;
            }
        }
    }

    fn put_off(&mut self, deferred: Deferred) {
        match deferred {
            Deferred::Left(key, reason) => self.left(key, reason),
            Deferred::Decided(key, verdict) => self.decided(key, verdict),
            Deferred::Allowed(request, verdict) => self.allowed(request, verdict),
            Deferred::Unanswered(key, id, error) => self.unanswered(key, id, error),
            Deferred::Said(key, said) => self.tell_said(key, &said),
            Deferred::Feed(request) => self.feed(request),
            Deferred::Take(request) => self.take_on(request),
            Deferred::Heard(wish) => self.heard(*wish),
            Deferred::HeardAt(heard) => self.heard_at(heard.0, heard.1),
            Deferred::Claimed(ticket, outcome) => self.claimed(ticket, *outcome),
            Deferred::Gone(session) => self.core.session_gone(session),
            Deferred::Stop => {
                let within = self.core.config.socketio.drain_within;
                if let Some(on_stop) = &self.handlers.on_stop {
                    let context = &mut Context::new(&mut self.app, &mut self.core);
                    caught("the stop handler", || on_stop(context, within));
                }
            }
        }
    }

    fn tell_gathered(&mut self, ended: Ended<A>) {
        if let Some(timer) = ended.timer {
            self.core.timers.cancel(timer);
        }
        if let Asker::Closure(then) = ended.asker {
            let gathered = ended.gathered;
            self.guarded("the answers' handler", |context| then(context, gathered));
        }
    }

    fn tell_room_event(&mut self) -> bool {
        let Some((namespace, event)) = self.core.sockets.namespaces_mut().poll_room_event() else {
            return false;
        };
        let family = self.core.sockets.family_of(namespace);
        let table = self.handlers.table(family);
        if let Some(handler) = table.and_then(|table| table.on_room_event.as_ref()) {
            let context = &mut Context::new(&mut self.app, &mut self.core);
            caught("a room event's handler", || handler(context, &event));
        }
        true
    }

    /// Runs a closure with the application and the server.
    pub(super) fn guarded(&mut self, what: &str, run: impl FnOnce(&mut Context<'_, A>)) {
        let context = &mut Context::new(&mut self.app, &mut self.core);
        if caught(what, || run(context)).is_none() {
            self.core.counters.panics += 1;
        }
    }

    pub(super) fn with_socket(
        &mut self,
        key: SocketKey,
        what: &str,
        run: impl FnOnce(&mut Socket<'_, A>),
    ) {
        if self.core.sockets.phase(key).is_none() {
            return;
        }
        let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
        if caught(what, || run(socket)).is_none() {
            self.core.panicked(key);
        }
    }
}

impl<A: App> Core<A> {
    pub(super) fn panicked(&mut self, key: SocketKey) {
        self.counters.panics += 1;
        self.disconnect(key);
    }

    fn undecodable(&mut self, session: SessionId, violation: Violation) {
        log::debug!("session {session} sent no packet: {violation}");
        self.note_detail(session, || violation.to_string());
        self.engine
            .close(self.now.mono, session, engineio::Reason::ParseError);
    }

    /// Packets that wait for their attachments hold too much together: the largest goes.
    fn make_room(&mut self) {
        if let Some(session) = self.sockets.holds_too_much() {
            self.counters.packets_dropped += 1;
            self.undecodable(session, Violation::TooMuchHeld);
        }
    }

    fn await_attachments(&mut self, session: SessionId) {
        if !self.sockets.is_assembling(session) {
            return;
        }
        let at = self.now.mono + self.config.socketio.attachments_within;
        let timer = self.arm(at, Due::Attachments(session));
        self.assembling.insert(session, timer);
    }
}
