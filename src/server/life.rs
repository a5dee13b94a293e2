//! A socket's life: joining → authorized step by step → connected → leaving.
//!
//! A CONNECT that was found in order comes in, verdicts, and the ends of sockets and sessions; handlers are told of each step,
//! and the client of what became of it.
//! Knows no packets but those that say whether a socket was let in.
//! Left out: a way back. A socket that comes again is a new one that may find what the old one had ([`super::recovery`]).

use serde_json::Value;

use super::acks::AckError;
use super::core::{Core, Deferred, Due, Joining};
use super::dispatch::caught;
use super::handlers::{Handlers, OnConnect, Question, Table};
use super::socket::Socket;
use super::views::{Context, Verdict};
use super::{App, Server, written};
use crate::config::HandshakeKept;
use crate::engineio::{self, SessionId};
use crate::socketio::packet::{self as wire, Kind};
use crate::socketio::{FamilyId, NamespaceId, Reason, Refusal, SocketKey};
#[cfg(feature = "world")]
use crate::world::{self, Bug};

impl<A: App> Server<A> {
    pub(super) fn join(&mut self, session: SessionId, key: SocketKey, auth: &str) {
        let data = if self.core.is_older(session) {
            None
        } else if self.claims(key, auth) {
            return;
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
    pub(super) fn make_wanted(&mut self, name: &str, auth: &str) -> Result<NamespaceId, Refusal> {
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

    pub(super) fn decided(&mut self, key: SocketKey, verdict: Verdict) {
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

    pub(super) fn let_in(&mut self, key: SocketKey) {
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
        if let Some(timer) = core.connect_timers.remove(&session) {
            core.timers.cancel(timer);
        }
        for packet in missed {
            core.engine.send(core.now.mono, session, &packet);
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
    pub(super) fn left(&mut self, key: SocketKey, reason: Reason) {
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
        self.core.gather_without(namespace, key);
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

    pub(super) fn ended(&mut self, session: SessionId, reason: engineio::Reason) {
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

    /// A session goes on by another transport: its sockets are told.
    pub(super) fn tell_upgraded(&mut self, session: SessionId) {
        self.tell_all_of(session, "an upgrade handler", |table| &table.on_upgrade);
    }

    /// A session's client lives: its sockets are told.
    pub(super) fn tell_heartbeat(&mut self, session: SessionId) {
        if self.core.raw.get(session).is_some() {
            return self.raw_heartbeat(session);
        }
        self.tell_all_of(session, "a heartbeat handler", |table| &table.on_heartbeat);
    }

    fn tell_all_of(
        &mut self,
        session: SessionId,
        what: &str,
        handlers: impl Fn(&Table<A>) -> &[OnConnect<A>],
    ) {
        for key in self.core.sockets.of_session(session).to_vec() {
            let namespace = self.core.sockets.namespace_of(key);
            let family = namespace.map(|id| self.core.sockets.family_of(id));
            let Some(table) = family.and_then(|family| self.handlers.table(family)) else {
                continue;
            };
            for handler in handlers(table) {
                if !self.core.sockets.is_connected(key) {
                    break;
                }
                let socket = &mut Socket::new(&mut self.app, &mut self.core, key);
                if caught(what, || handler(socket)).is_none() {
                    self.core.panicked(key);
                }
            }
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
    pub(super) fn refuse_connect(&mut self, session: SessionId, name: &str, refusal: Refusal) {
        let parser = self.sockets.parser();
        let packet = written::packet(parser, Kind::ConnectError, name, |out, name| {
            wire::write_connect_error(out, name, refusal.message(), None);
        });
        self.engine.send(self.now.mono, session, &packet);
    }

    pub(super) fn session_gone(&mut self, session: SessionId) {
        self.sockets.closed(session);
        self.handshakes.remove(session);
        self.raw.remove(session);
        self.details.remove(session);
        let timers = [
            self.connect_timers.remove(&session),
            self.assembling.remove(&session),
        ];
        for timer in timers.into_iter().flatten() {
            self.timers.cancel(timer);
        }
    }
}
