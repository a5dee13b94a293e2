//! What happens to sockets, to handlers: messages, verdicts, ends.
//!
//! A socket's life is decided here: joining → authorized step by step → connected → leaving. Handlers never nest: what one
//! sets off (a disconnect, a verdict) is put off and told when it has returned. A handler that panics is caught here, once,
//! logged, and costs its own socket.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::acks::AckError;
use super::core::{Core, Deferred, Due, Joining};
use super::gathering::Ended;
use super::handlers::{Handlers, Question};
use super::views::{Context, Socket, Verdict};
use super::{App, Server, older, written};
use crate::config::HandshakeKept;
use crate::engineio::{self, Incoming, SessionId};
use crate::http;
use crate::socketio::args::Args;
use crate::socketio::packet::{self as wire, Kind, Violation};
use crate::socketio::{Attachments, FamilyId, NamespaceId, Reason, Refusal, SocketKey, Step};
#[cfg(feature = "world")]
use crate::world::{self, Bug};

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
        match incoming {
            Incoming::Text(text) => match self.core.sockets.text(session, text) {
                Ok(Some(packet)) => self.packet(session, &packet, &[]),
                Ok(None) => {
                    self.core.await_attachments(session);
                    self.core.make_room();
                }
                Err(violation) => self.core.undecodable(session, violation),
            },
            Incoming::Binary(bytes) => match self.core.sockets.binary(session, &bytes) {
                Ok(Some(complete)) => {
                    if let Some(timer) = self.core.assembling.remove(session) {
                        self.core.timers.cancel(timer);
                    }
                    self.packet(session, &complete.packet(), complete.attachments());
                }
                Ok(None) => self.core.make_room(),
                Err(violation) => self.core.undecodable(session, violation),
            },
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

    fn join(&mut self, session: SessionId, key: SocketKey, auth: &str) {
        let data = if self.core.is_older(session) {
            None
        } else {
            self.recover(key, auth)
        };
        let data = data.unwrap_or_default();
        self.core.data.insert(key, data);
        if self.is_authorized(key) {
            return self.let_in(key);
        }
        let joining = Joining {
            auth: auth.into(),
            step: 0,
            timer: None,
        };
        self.core.joining.insert(key, joining);
        self.authorize(key);
    }

    /// Makes the namespace that a client calls for, if a parent wants it: the first in the order they were described.
    fn make_wanted(&mut self, name: &str, auth: &str) -> Result<NamespaceId, Refusal> {
        let parents: Vec<_> = self.core.sockets.namespaces().parents().collect();
        let mut parents = parents.into_iter();
        let mut wants = |family| match self.core.sockets.namespaces().fits(family, name) {
            Some(fits) => fits,
            None => is_wanted(&self.handlers, &mut self.app, family, name, auth),
        };
        let family = parents.find(|family| wants(*family));
        let family = family.ok_or(Refusal::InvalidNamespace)?;
        let namespace = self.core.sockets.make_child(family, name)?;
        if let Some(handler) = &self.handlers.on_namespace {
            let context = &mut Context::new(&mut self.app, &mut self.core);
            caught("a namespace handler", || handler(context, name));
        }
        Ok(namespace)
    }

    /// Asks the steps of a joining socket's namespace, from where it was left.
    pub(super) fn authorize(&mut self, key: SocketKey) {
        while let Some(mut joining) = self.core.joining.remove(&key) {
            let namespace = self.core.sockets.namespace_of(key);
            let family = namespace.map(|id| self.core.sockets.family_of(id));
            let table = family.and_then(|family| self.handlers.table(family));
            let Some(step) = table.and_then(|table| table.authorize.get(joining.step)) else {
                return self.let_in(key);
            };
            let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
            let verdict = caught("an authorize step", || step(socket, &joining.auth));
            joining.step += 1;
            match verdict {
                Some(Verdict::Accept) => {
                    self.core.joining.insert(key, joining);
                }
                Some(Verdict::Later { within }) => {
                    let at = self.core.now.mono + within;
                    joining.timer = Some(self.core.arm(at, Due::Decision(key)));
                    self.core.joining.insert(key, joining);
                    return;
                }
                Some(Verdict::Refuse { message, data }) => {
                    return self.refuse(key, &message, data.as_ref());
                }
                None => {
                    self.core.counters.panics += 1;
                    return self.refuse(key, "internal error", None);
                }
            }
        }
    }

    fn decided(&mut self, key: SocketKey, verdict: Verdict) {
        let Some(joining) = self.core.joining.get_mut(&key) else {
            return;
        };
        let Some(timer) = joining.timer.take() else {
            return;
        };
        self.core.timers.cancel(timer);
        match verdict {
            Verdict::Accept => self.authorize(key),
            Verdict::Refuse { message, data } => self.refuse(key, &message, data.as_ref()),
            Verdict::Later { within } => {
                let timer = self
                    .core
                    .arm(self.core.now.mono + within, Due::Decision(key));
                if let Some(joining) = self.core.joining.get_mut(&key) {
                    joining.timer = Some(timer);
                }
            }
        }
    }

    fn let_in(&mut self, key: SocketKey) {
        let core = &mut self.core;
        let (Some(session), Some(namespace)) =
            (core.sockets.session(key), core.sockets.namespace_of(key))
        else {
            return;
        };
        let (missed, pid) = if core.is_older(session) {
            // It cannot say that it has been here before.
            (Vec::new(), None)
        } else {
            core.welcome_back(key)
        };
        let Some(id) = core.sockets.id(key) else {
            return;
        };
        core.sockets.let_in(key);
        if let Some(timer) = core.connect_timers.remove(session) {
            core.timers.cancel(timer);
        }
        for packet in missed {
            core.engine.send(core.now.mono, session, packet);
        }
        core.tell_connected(session, namespace, id, pid);
        let Some(table) = self.handlers.table(self.core.sockets.family_of(namespace)) else {
            return;
        };
        for handler in &table.on_connect {
            let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
            if caught("a connect handler", || handler(socket)).is_none() {
                self.core.panicked(key);
            }
        }
        if self.core.config.engine.handshake_kept == HandshakeKept::UntilConnected {
            self.core.handshakes.remove(session);
        }
    }

    /// A joining socket is not let in.
    pub(super) fn refuse(&mut self, key: SocketKey, message: &str, data: Option<&Value>) {
        if let Some(timer) = self
            .core
            .joining
            .remove(&key)
            .and_then(|joining| joining.timer)
        {
            self.core.timers.cancel(timer);
        }
        let core = &mut self.core;
        if let (Some(session), Some(namespace)) =
            (core.sockets.session(key), core.sockets.namespace_of(key))
        {
            core.tell_refused(session, namespace, message, data);
        }
        core.went_away(key, None);
        core.sockets.removed(key);
    }

    /// A socket is on its way out: its handlers are told, first with its rooms, then without.
    fn left(&mut self, key: SocketKey, reason: Reason) {
        let mut rooms = None;
        if let Some(joining) = self.core.joining.remove(&key) {
            if let Some(timer) = joining.timer {
                self.core.timers.cancel(timer);
            }
        } else if let Some(namespace) = self.core.sockets.namespace_of(key) {
            rooms = self.core.rooms_to_find_again(key, reason);
            self.tell_left(key, namespace, reason);
        }
        self.core.went_away(key, rooms);
        self.core.sockets.removed(key);
    }

    fn tell_left(&mut self, key: SocketKey, namespace: NamespaceId, reason: Reason) {
        let Some(table) = self.handlers.table(self.core.sockets.family_of(namespace)) else {
            return;
        };
        for handler in &table.on_disconnecting {
            let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
            if caught("a disconnecting handler", || handler(socket, reason)).is_none() {
                self.core.counters.panics += 1;
            }
        }
        self.core.sockets.leave_rooms(key);
        let ended = self.core.gatherings.left(namespace, key);
        self.core.gathered.extend(ended);
        while let Some(then) = self.core.take_any_waiting(key) {
            self.with_socket(key, "an answer's handler", |socket| {
                then(socket, Err(AckError::Disconnected));
            });
        }
        let Some(table) = self.handlers.table(self.core.sockets.family_of(namespace)) else {
            return;
        };
        for handler in &table.on_disconnect {
            let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
            if caught("a disconnect handler", || handler(socket, reason)).is_none() {
                self.core.counters.panics += 1;
            }
        }
    }

    fn ended(&mut self, session: SessionId, reason: engineio::Reason) {
        log::debug!("session {session} closed: {reason}");
        if self.core.raw.get(session).is_some() {
            self.raw_ended(session, reason);
        }
        for key in self.core.sockets.of_session(session).to_vec() {
            #[cfg(feature = "world")]
            if world::is_planted(Bug::LeaveUntold) {
                self.core.sockets.removed(key);
                self.core.data.remove(key);
                continue;
            }
            self.core.leave(key, Reason::Session(reason));
        }
        self.core.deferred.push_back(Deferred::Gone(session));
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
            } else if let Some(error) = self.core.refused.pop() {
                self.tell_connection_error(&error);
            } else if let Some(wish) = self.core.nodes.pop() {
                self.tell_wish(wish);
            } else if let Some(then) = self.core.soon.pop_front() {
                self.guarded("what follows a handler", then);
            } else if !self.tell_room_event() && !self.core.drain() {
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
            Deferred::Heard(wish) => self.heard(*wish),
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

    /// A session goes on by another transport: its sockets are told.
    fn tell_upgraded(&mut self, session: SessionId) {
        for key in self.core.sockets.of_session(session).to_vec() {
            let namespace = self.core.sockets.namespace_of(key);
            let family = namespace.map(|id| self.core.sockets.family_of(id));
            let Some(table) = family.and_then(|family| self.handlers.table(family)) else {
                continue;
            };
            for handler in &table.on_upgrade {
                if !self.core.sockets.is_connected(key) {
                    break;
                }
                let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
                if caught("an upgrade handler", || handler(socket)).is_none() {
                    self.core.panicked(key);
                }
            }
        }
    }

    fn tell_gathered(&mut self, ended: Ended<A>) {
        if let Some(timer) = ended.timer {
            self.core.timers.cancel(timer);
        }
        let (then, gathered) = (ended.then, ended.gathered);
        self.guarded("the answers' handler", |context| then(context, gathered));
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

/// Asks a parent's question.
fn is_wanted<A: App>(
    handlers: &Handlers<A>,
    app: &mut A,
    family: FamilyId,
    name: &str,
    auth: &str,
) -> bool {
    let question = handlers
        .table(family)
        .and_then(|table| table.question.as_ref());
    let auth = serde_json::from_str(auth).unwrap_or_default();
    let ask =
        |question: &Question<A>| caught("a namespace question", || question(app, name, &auth));
    question.and_then(ask).unwrap_or(false)
}

impl<A: App> Core<A> {
    fn refuse_connect(&mut self, session: SessionId, name: &str, refusal: Refusal) {
        let parser = self.config.socketio.parser;
        let packet = written::packet(parser, Kind::ConnectError, name, |out, name| {
            wire::write_connect_error(out, name, refusal.message(), None);
        });
        self.engine.send(self.now.mono, session, packet);
    }

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

    fn session_gone(&mut self, session: SessionId) {
        self.sockets.closed(session);
        self.handshakes.remove(session);
        self.raw.remove(session);
        self.details.remove(session);
        let timers = [
            self.connect_timers.remove(session),
            self.assembling.remove(session),
        ];
        for timer in timers.into_iter().flatten() {
            self.timers.cancel(timer);
        }
    }
}
