//! Engine.IO without Socket.IO: sessions of a path of their own, whose messages go to handlers as they come.

use super::dispatch::caught;
use super::handshake::Handshake;
use super::views::Io;
use super::{App, Server};
use crate::engineio::packet::Packet;
use crate::engineio::{self, Engine, Incoming, SessionId, TransportName};
use crate::http;

type OnOpen<A> = Box<dyn Fn(&mut Session<'_, A>)>;
type OnMessage<A> = Box<dyn Fn(&mut Session<'_, A>, &Incoming<'_>)>;
type OnHeartbeat<A> = Box<dyn Fn(&mut Session<'_, A>)>;
type OnClose<A> = Box<dyn Fn(&mut Session<'_, A>, engineio::Reason)>;

/// What one path does.
pub(super) struct Mount<A: App> {
    pub(super) path: Box<str>,
    on_open: Option<OnOpen<A>>,
    on_message: Option<OnMessage<A>>,
    on_heartbeat: Option<OnHeartbeat<A>>,
    on_close: Option<OnClose<A>>,
}

impl<A: App> Mount<A> {
    pub(super) fn new(path: &str) -> Self {
        Self {
            path: path.into(),
            on_open: None,
            on_message: None,
            on_heartbeat: None,
            on_close: None,
        }
    }
}

/// A path of raw sessions whose handlers are being named.
pub struct RawSessions<'s, A: App> {
    pub(super) mount: &'s mut Mount<A>,
    pub(super) engine: &'s mut Engine,
}

impl<A: App> RawSessions<'_, A> {
    /// Called when a session has opened.
    pub fn on_open(self, handler: impl Fn(&mut Session<'_, A>) + 'static) -> Self {
        self.mount.on_open = Some(Box::new(handler));
        self
    }

    /// Called for each message, of at most [`payload_bytes_max`](crate::config::Engine::payload_bytes_max) bytes.
    pub fn on_message(
        self,
        handler: impl Fn(&mut Session<'_, A>, &Incoming<'_>) + 'static,
    ) -> Self {
        self.mount.on_message = Some(Box::new(handler));
        self
    }

    /// Called when a session's client has given a sign of life, as
    /// [`Namespace::on_heartbeat`](super::Namespace::on_heartbeat) has it.
    pub fn on_heartbeat(self, handler: impl Fn(&mut Session<'_, A>) + 'static) -> Self {
        self.engine.tell_heartbeats();
        self.mount.on_heartbeat = Some(Box::new(handler));
        self
    }

    /// Called when a session has ended.
    pub fn on_close(
        self,
        handler: impl Fn(&mut Session<'_, A>, engineio::Reason) + 'static,
    ) -> Self {
        self.mount.on_close = Some(Box::new(handler));
        self
    }
}

/// One raw session, with the application and the server.
pub struct Session<'a, A: App> {
    /// The application's own state.
    pub app: &'a mut A,
    /// The server.
    pub io: Io<'a, A>,
    id: SessionId,
    request: Option<&'a http::Request<'a>>,
}

impl<A: App> Session<'_, A> {
    /// Names it; a stale name finds nothing.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The request that this came with: the one that opened the session, or the POST that carried the message, without its
    /// body. None for what came by WebSocket, and for the end of a session.
    #[must_use]
    pub const fn request(&self) -> Option<&http::Request<'_>> {
        self.request
    }

    /// The request that opened the session, as far as it was kept.
    #[must_use]
    pub fn handshake(&self) -> Option<&Handshake> {
        self.io.core.handshake(self.id)
    }

    /// How it speaks just now.
    #[must_use]
    pub fn transport(&self) -> Option<TransportName> {
        let session = self.io.core.engine.session(self.id)?;
        Some(session.transport_name())
    }

    /// Sends a message as it came.
    pub fn send(&mut self, message: &Incoming<'_>) {
        match message {
            Incoming::Text(text) => self.send_text(text),
            Incoming::Binary(bytes) => self.send_binary(bytes),
        }
    }

    /// Sends a message of text, which counts against [`queue_bytes_max`](crate::config::Engine::queue_bytes_max).
    pub fn send_text(&mut self, text: &str) {
        self.push(Packet::message(|out| {
            out.extend_from_slice(text.as_bytes())
        }));
    }

    /// Sends a message of bytes; counts as one of text does.
    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.push(Packet::binary(bytes));
    }

    /// Ends the session, after what was sent before.
    pub fn close(&mut self) {
        let now = self.io.core.now.mono;
        self.io
            .core
            .engine
            .close(now, self.id, engineio::Reason::ForcedClose);
    }

    fn push(&mut self, packet: Packet) {
        let now = self.io.core.now.mono;
        self.io.core.engine.send(now, self.id, &packet);
    }
}

impl<A: App> Server<A> {
    pub(super) fn raw_opened(
        &mut self,
        session: SessionId,
        mount: usize,
        request: &http::Request<'_>,
    ) {
        self.core.raw.insert(session, mount);
        self.raw_told(session, Some(request), |mount, session| {
            if let Some(handler) = &mount.on_open {
                handler(session);
            }
        });
    }

    pub(super) fn raw_message(
        &mut self,
        session: SessionId,
        message: &Incoming<'_>,
        request: Option<&http::Request<'_>>,
    ) {
        self.raw_told(session, request, |mount, session| {
            if let Some(handler) = &mount.on_message {
                handler(session, message);
            }
        });
    }

    pub(super) fn raw_heartbeat(&mut self, session: SessionId) {
        self.raw_told(session, None, |mount, session| {
            if let Some(handler) = &mount.on_heartbeat {
                handler(session);
            }
        });
    }

    pub(super) fn raw_ended(&mut self, session: SessionId, reason: engineio::Reason) {
        self.raw_told(session, None, |mount, session| {
            if let Some(handler) = &mount.on_close {
                handler(session, reason);
            }
        });
    }

    fn raw_told(
        &mut self,
        id: SessionId,
        request: Option<&http::Request<'_>>,
        tell: impl FnOnce(&Mount<A>, &mut Session<'_, A>),
    ) {
        let mount = self
            .core
            .raw
            .get(id)
            .and_then(|mount| self.handlers.raw.get(*mount));
        let Some(mount) = mount else { return };
        let session = &mut Session {
            app: &mut self.app,
            io: Io {
                core: &mut self.core,
            },
            id,
            request,
        };
        if caught("a raw session's handler", || tell(mount, session)).is_none() {
            self.core.counters.panics += 1;
            let now = self.core.now.mono;
            self.core
                .engine
                .close(now, id, engineio::Reason::ForcedClose);
        }
    }
}
