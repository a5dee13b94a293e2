//! Engine.IO's own requests: who is let in, and what the engine's answers look like in HTTP.
//!
//! A complete request comes in and becomes a session, a poll, a post, a WebSocket or a refusal; the engine's answers, which
//! may come much later, go out with the headers that their request asked for.
//! Knows heads and queries; what they mean for a session is the engine's to say.

use super::core::{Core, Due, Protocol};
use super::handshake::Handshake;
use super::{App, Server, cors, forwarded};
use crate::addresses;
use crate::engineio::{self, Admission, Asked, Engine, Refusal, SessionId, TransportName};
use crate::http::{self, Compressor, Method, Response, query};
use crate::reactor::{ConnId, Peer};
use crate::websocket::offers::{self, Agreed};
use crate::websocket::{self, handshake};

impl<A: App> Server<A> {
    pub(super) fn engine_request(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        mount: Option<usize>,
    ) {
        self.core.note_origin(conn, request);
        let origins = &self.core.config.engine.origins;
        if request.method() == Method::Options
            && let Some(response) = cors::preflight(origins, request)
        {
            return self.core.respond(conn, &response);
        }
        let admission = admit(&self.core.engine, request).and_then(|admission| match admission {
            Admission::Open(..) | Admission::Upgrade(_) if !cors::is_allowed(origins, request) => {
                log::warn!(
                    "a page of another origin was refused; to let it in, list its origin in `engine.origins`"
                );
                Err(Refusal::Forbidden)
            }
            admission => Ok(admission),
        });
        match admission {
            Ok(Admission::Open(..)) if !self.core.may_arrive(conn, request) => {
                self.core.counters.handshakes_throttled += 1;
                let response = Response::text(429, "too many connections from your address\n")
                    .header("Retry-After", "1")
                    .close();
                let response = self.core.with_cors(conn, request, response);
                self.core.respond(conn, &response);
            }
            Ok(admission) => self.admitted(conn, request, mount, admission),
            Err(refusal) if request.is_upgrade() => {
                let response = Response::new(400)
                    .header("Content-Type", "text/html")
                    .body(refusal.message())
                    .close();
                self.core.respond(conn, &response);
            }
            Err(refusal) => {
                self.core
                    .answer_engine_request(conn, engineio::Answer::Refused(refusal));
            }
        }
    }

    fn admitted(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        mount: Option<usize>,
        admission: Admission,
    ) {
        let now = self.core.now.mono;
        match admission {
            Admission::Open(transport, revision) => {
                let by_websocket = transport == TransportName::WebSocket;
                if !by_websocket || self.core.become_websocket(conn, request) {
                    let session = self.core.engine.opened(now, conn, transport, revision);
                    if by_websocket {
                        self.core.deflate(conn, session);
                    }
                    self.opened(conn, request, mount, session);
                }
            }
            Admission::Upgrade(session) => {
                if self.core.become_websocket(conn, request) {
                    self.core.speaks_for(conn, session);
                    self.core.engine.probed(now, session, conn);
                    self.core.deflate(conn, session);
                }
            }
            Admission::Poll(session) => {
                self.core.speaks_for(conn, session);
                self.core.engine.polled(now, session, conn);
            }
            Admission::Post(session) => self.post(conn, request, session),
            Admission::Unsupported => self.core.respond(conn, &Response::new(500)),
        }
    }

    fn opened(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        mount: Option<usize>,
        session: SessionId,
    ) {
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        row.session = Some(session);
        let (kept, at) = (self.core.config.engine.handshake_kept, self.core.now);
        let proxies = &self.core.config.reactor.trusted_proxies;
        let client = forwarded::client(proxies, row.peer, request);
        let handshake = Handshake::of(request, client, at.wall, kept);
        self.core.handshakes.insert(session, handshake);
        log::debug!("session {session} opened on connection {conn}");
        match mount {
            Some(mount) => self.raw_opened(session, mount),
            None => {
                self.core.sockets.opened(session);
                let at = at.mono + self.core.config.socketio.connect_within;
                let timer = self.core.arm(at, Due::Connect(session));
                self.core.connect_timers.insert(session, timer);
                self.connect_unasked(session);
            }
        }
    }
}

/// Finds out what a request is about.
pub(super) fn admit(engine: &Engine, request: &http::Request<'_>) -> Result<Admission, Refusal> {
    let text = request.query();
    let value = |name| query::value(text, name);
    let (transport, sid, revision) = (value("transport"), value("sid"), value("EIO"));
    let base64 = value("b64").is_some_and(|value| !value.is_empty());
    engine.admit(Asked {
        method: match request.method() {
            Method::Get => engineio::Method::Get,
            Method::Post => engineio::Method::Post,
            _ => engineio::Method::Other,
        },
        transport: transport.as_deref(),
        sid: sid.as_deref(),
        revision: revision.as_deref(),
        base64,
        upgrade: request.is_upgrade(),
    })
}

impl<A: App> Core<A> {
    /// Whether the client's address may open another session just now.
    fn may_arrive(&mut self, conn: ConnId, request: &http::Request<'_>) -> bool {
        let limits = &self.config.reactor;
        let peer = self.conns.get(conn).map_or(Peer::Unix, |row| row.peer);
        let Peer::Tcp(client) = forwarded::client(&limits.trusted_proxies, peer, request) else {
            return true;
        };
        addresses::is_exempt(limits.loopback_exempt, &limits.trusted_proxies, client.ip())
            || self
                .arrivals
                .admit(self.now.mono, &self.config.engine, client.ip())
    }

    pub(super) fn answer_engine_request(&mut self, conn: ConnId, answer: engineio::Answer) {
        let is_compressible =
            self.config.engine.http_compression && matches!(answer, engineio::Answer::Payload(_));
        let response = match answer {
            engineio::Answer::Payload(body) | engineio::Answer::PlainPayload(body) => {
                Response::new(200)
                    .header("Content-Type", "text/plain; charset=UTF-8")
                    .header("Cache-Control", "no-store")
                    .body(body)
            }
            engineio::Answer::Bytes(body) => Response::new(200)
                .header("Content-Type", "application/octet-stream")
                .header("Cache-Control", "no-store")
                .body(body),
            engineio::Answer::Accepted => Response::new(200)
                .header("Content-Type", "text/html")
                .header("Cache-Control", "no-store")
                .body("ok"),
            engineio::Answer::Refused(refusal) => Response::json(
                refusal.status(),
                format!(
                    "{{\"code\":{},\"message\":\"{}\"}}",
                    refusal.code(),
                    refusal.message()
                ),
            ),
        };
        let Some(row) = self.conns.get(conn) else {
            return;
        };
        let origins = &self.config.engine.origins;
        let mut response = cors::add(origins, row.origin.as_deref(), response);
        if row.is_old_browser {
            // Its filter against scripts in answers breaks long-polling.
            response = response.header("X-XSS-Protection", "0");
        }
        if is_compressible {
            let bytes_min = self.config.engine.http_compression_bytes_min;
            response = self.compressor.compressed(row.coding, bytes_min, response);
        }
        self.respond(conn, &response);
    }

    pub(super) fn with_cors(
        &self,
        _conn: ConnId,
        request: &http::Request<'_>,
        response: Response,
    ) -> Response {
        let origins = &self.config.engine.origins;
        let echoed = cors::origin_to_echo(origins, request);
        cors::add(origins, echoed.as_deref(), response)
    }

    /// Remembers what the answer must know of its request.
    fn note_origin(&mut self, conn: ConnId, request: &http::Request<'_>) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        row.origin = cors::origin_to_echo(&self.config.engine.origins, request);
        row.is_old_browser = request
            .header("user-agent")
            .is_some_and(|agent| agent.contains(";MSIE") || agent.contains("Trident/"));
        if self.config.engine.http_compression {
            row.coding = Compressor::wanted(request);
        }
    }

    pub(super) fn speaks_for(&mut self, conn: ConnId, session: SessionId) {
        if let Some(row) = self.conns.get_mut(conn) {
            row.session = Some(session);
        }
    }

    /// Switches protocols, if the request is in order; answers it otherwise.
    fn become_websocket(&mut self, conn: ConnId, request: &http::Request<'_>) -> bool {
        let accepted = handshake::accept(request.method_name(), |name| request.header(name));
        let accept = match accepted {
            Ok(accept) => accept,
            Err(refusal) => {
                let response = Response::text(refusal.status(), refusal.text())
                    .headers(refusal.headers().iter().copied())
                    .close();
                self.respond(conn, &response);
                return false;
            }
        };
        let Some(row) = self.conns.get_mut(conn) else {
            return false;
        };
        let offered = self.config.engine.websocket_compression;
        let agreed = offered
            .then(|| offers::agree(request.values("sec-websocket-extensions")))
            .flatten();
        row.window = agreed.map(Agreed::window);
        row.protocol = Protocol::WebSocket(websocket::Reader::new());
        if let Some(timer) = row.timer.take() {
            self.timers.cancel(timer);
        }
        let extensions = agreed.map(|agreed| ("Sec-WebSocket-Extensions", agreed.header()));
        self.send(conn, handshake::response(&accept, extensions.as_slice()));
        true
    }

    /// Tells the engine what was agreed on with a WebSocket.
    fn deflate(&mut self, conn: ConnId, session: SessionId) {
        if let Some(window) = self.conns.get(conn).and_then(|row| row.window) {
            self.engine.deflates(session, conn, window);
        }
    }
}
