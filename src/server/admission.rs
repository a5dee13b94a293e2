//! Engine.IO's own requests: who is let in, and what the engine's answers look like in HTTP.
//!
//! A complete request comes in and becomes a session, a poll, a post, a WebSocket or a refusal; the engine's answers, which
//! may come much later, go out with the headers that their request asked for.
//! Knows heads and queries; what they mean for a session is the engine's to say.
//! Left out: `destroyUpgradeTimeout`, since whoever asks for a WebSocket on a path that is not ours is answered 404 at once.

use serde_json::Value;

use super::core::{Conn, Core, Due, Protocol};
use super::handshake::Handshake;
use super::hooks::Turn;
use super::{App, Server, cookie, cors, forwarded};
use crate::addresses;
use crate::buffers::Shared;
use crate::engineio::{self, Admission, Asked, Engine, Refusal, SessionId, TransportName};
use crate::http::{self, Coding, Compressor, Method, Response, query};
use crate::reactor::{Action, ConnId, Peer};
use crate::websocket::offers::{self, Agreed};
use crate::websocket::{self, handshake};

/// Headers of a poll's answer in text.
const TEXT_LINES: &str = "Content-Type: text/plain; charset=UTF-8\r\nCache-Control: no-store\r\n";
/// Headers of a poll's answer in bytes.
const BYTES_LINES: &str = "Content-Type: application/octet-stream\r\nCache-Control: no-store\r\n";
/// Headers of a post's answer.
const ACCEPTED_LINES: &str = "Content-Type: text/html\r\nCache-Control: no-store\r\n";

/// The close code of RFC 6455 §7.4.1 for a peer that speaks another protocol.
const PROTOCOL_ERROR: u16 = 1002;

impl<A: App> Server<A> {
    pub(super) fn engine_request(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        mount: Option<usize>,
    ) {
        let config = &self.core.config.engine;
        if request.method() == Method::Options
            && let Some(response) = cors::preflight(config, request)
        {
            return self.core.respond(conn, &response);
        }
        let mut headers = cors::headers(config, request);
        let outcome = self.ask_middleware(conn, request, &mut headers);
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        if let Some(asking) = &mut row.asking {
            asking.headers = headers;
            if self.core.config.engine.http_compression {
                asking.coding = Compressor::wanted(request);
            }
        }
        match outcome {
            Ok(()) => {}
            Err(Ok(response)) if request.is_upgrade() => {
                return self.core.respond_with_headers(conn, response.close());
            }
            Err(Ok(response)) => return self.core.respond_with_headers(conn, response),
            Err(Err(refusal)) => {
                let message = refusal.message();
                return self
                    .core
                    .refuse_engine_request(conn, request, refusal, message);
            }
        }
        let origins = &self.core.config.engine.origins;
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
                self.core.respond_with_headers(conn, response);
            }
            Ok(opening @ Admission::Open(..)) if !self.may_open(conn, request, mount, opening) => {}
            Ok(admission) => self.admitted(conn, request, mount, admission),
            Err(Refusal::UnsupportedProtocol) if request.is_upgrade() => {
                // As the official server does, so that its clients see their WebSocket close; they are told why.
                if self.core.become_websocket(conn, request) {
                    let refusal = Refusal::UnsupportedProtocol;
                    let reason = refusal.message();
                    self.core.note_refusal(conn, request, refusal, reason);
                    self.core.end_websocket(conn, PROTOCOL_ERROR, reason);
                }
            }
            Err(refusal) => {
                let message = refusal.message();
                self.core
                    .refuse_engine_request(conn, request, refusal, message);
            }
        }
    }

    pub(super) fn admitted(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        mount: Option<usize>,
        admission: Admission,
    ) {
        let now = self.core.now.mono;
        match admission {
            Admission::Open(transport, revision) => {
                let is_websocket = transport == TransportName::WebSocket;
                let chosen = match self.chosen_id(conn, request) {
                    Ok(chosen) => chosen,
                    Err(cause) => {
                        let (refusal, message) =
                            (Refusal::BadRequest, Refusal::BadRequest.message());
                        self.core
                            .note_caused(conn, request, refusal, message, Some(cause));
                        return self.core.answer_refused(conn, request, refusal, message);
                    }
                };
                if is_websocket {
                    self.add_headers(conn, request, Turn::First);
                    if !self.core.become_websocket(conn, request) {
                        return;
                    }
                }
                let engine = &mut self.core.engine;
                let session = match chosen {
                    Some(sid) => engine.opened_as(now, conn, transport, revision, sid),
                    None => engine.opened(now, conn, transport, revision),
                };
                if is_websocket {
                    self.core.deflate(conn, session);
                } else {
                    self.core.set_cookie(conn, session);
                    self.add_headers(conn, request, Turn::First);
                    self.core.note_old_browser(conn, request);
                }
                self.opened(conn, request, mount, session);
                self.core.stop_asking_from(conn);
            }
            Admission::Upgrade(session) => {
                self.add_headers(conn, request, Turn::Later);
                if self.core.become_websocket(conn, request) {
                    self.core.speaks_for(conn, session);
                    self.core.engine.probed(now, session, conn);
                    self.core.deflate(conn, session);
                    self.core.stop_asking_from(conn);
                }
            }
            Admission::Poll(session) => {
                self.add_headers(conn, request, Turn::Later);
                self.core.note_old_browser(conn, request);
                self.core.speaks_for(conn, session);
                self.core.engine.polled(now, session, conn);
            }
            Admission::Post(session) => {
                self.add_headers(conn, request, Turn::Later);
                self.core.note_old_browser(conn, request);
                self.post(conn, request, session);
            }
            Admission::Unsupported => self.core.respond_with_headers(conn, Response::new(500)),
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
        let client = forwarded::client(proxies, row.peer(), request);
        let handshake = Handshake::of(request, client, at.wall, kept);
        self.core.handshakes.insert(session, Box::new(handshake));
        log::debug!("session {session} opened on connection {conn}");
        match mount {
            Some(mount) => self.raw_opened(session, mount, request),
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
    let names = ["transport", "sid", "EIO", "b64"];
    let [transport, sid, revision, base64] = query::raw_values(request.query_bytes(), names);
    engine.admit(Asked {
        method: match request.method() {
            Method::Get => engineio::Method::Get,
            Method::Post => engineio::Method::Post,
            _ => engineio::Method::Other,
        },
        transport: transport.as_deref(),
        sid: sid.as_deref(),
        revision: revision.as_deref(),
        base64: base64.is_some_and(|value| !value.is_empty()),
        upgrade: request.is_upgrade(),
    })
}

fn refused(refusal: Refusal, message: &str) -> Response {
    let message = Value::from(message);
    let body = format!("{{\"code\":{},\"message\":{message}}}", refusal.code());
    Response::json(refusal.status(), body)
}

impl<A: App> Core<A> {
    /// Whether the client's address may open another session just now.
    fn may_arrive(&mut self, conn: ConnId, request: &http::Request<'_>) -> bool {
        let limits = &self.config.reactor;
        let peer = self.conns.get(conn).map_or(Peer::Unix, Conn::peer);
        let Peer::Tcp(client) = forwarded::client(&limits.trusted_proxies, peer, request) else {
            return true;
        };
        addresses::is_exempt(limits.loopback_exempt, &limits.trusted_proxies, client.ip())
            || self
                .arrivals
                .admit(self.now.mono, &self.config.engine, client.ip())
    }

    pub(super) fn answer_engine_request(&mut self, conn: ConnId, answer: engineio::Answer) {
        let (lines, body) = match answer {
            engineio::Answer::Payload(body) if self.is_compressible(&body) => {
                return self.answer_compressed(conn, &body);
            }
            engineio::Answer::Payload(body) | engineio::Answer::PlainPayload(body) => {
                (TEXT_LINES, body)
            }
            engineio::Answer::Bytes(body) => (BYTES_LINES, body),
            engineio::Answer::Accepted => (ACCEPTED_LINES, Shared::fixed(b"ok")),
            engineio::Answer::Refused(refusal) => {
                return self.respond_with_headers(conn, refused(refusal, refusal.message()));
            }
        };
        let headers = self.conns.get_mut(conn).map(Conn::take_headers);
        let headers = headers.unwrap_or_default();
        self.respond_as(conn, |http, now, limits| {
            http.answer_ok(now, limits, lines, &headers, body)
        });
    }

    const fn is_compressible(&self, body: &[u8]) -> bool {
        let config = &self.config.engine;
        config.http_compression && body.len() >= config.http_compression_bytes_min
    }

    fn answer_compressed(&mut self, conn: ConnId, body: &[u8]) {
        let asking = self.conns.get(conn).and_then(|row| row.asking.as_ref());
        let coding = asking.map_or(Coding::Identity, |asking| asking.coding);
        let response = Response::new(200)
            .header("Content-Type", "text/plain; charset=UTF-8")
            .header("Cache-Control", "no-store")
            .body(body.to_vec());
        let bytes_min = self.config.engine.http_compression_bytes_min;
        let response = self.compressor.compressed(coding, bytes_min, response);
        self.respond_with_headers(conn, response);
    }

    /// Answers a request that is not served: with the code and its words, or, if it asked for a WebSocket, with the words alone.
    pub(super) fn refuse_engine_request(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        refusal: Refusal,
        message: &str,
    ) {
        log::debug!("connection {conn} refused: {}", refusal.message());
        self.note_refusal(conn, request, refusal, message);
        self.answer_refused(conn, request, refusal, message);
    }

    fn answer_refused(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        refusal: Refusal,
        message: &str,
    ) {
        let response = if request.is_upgrade() {
            Response::new(400)
                .header("Content-Type", "text/html")
                .body(message.to_owned())
                .close()
        } else {
            refused(refusal, message)
        };
        self.respond_with_headers(conn, response);
    }

    /// The answer to one of the engine's requests, with what was gathered for it.
    pub(super) fn respond_with_headers(&mut self, conn: ConnId, response: Response) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let headers = row.take_headers();
        self.respond(conn, &response.append(&headers));
    }

    pub(super) fn with_cors(&self, request: &http::Request<'_>, response: Response) -> Response {
        response.append(&cors::headers(&self.config.engine, request))
    }

    fn set_cookie(&mut self, conn: ConnId, session: SessionId) {
        if let Some(cookie) = &self.config.engine.cookie
            && let Some(asking) = self.conns.get_mut(conn).and_then(|row| row.asking.as_mut())
            && let Some(session) = self.engine.session(session)
        {
            let value = cookie::value(cookie, session.sid());
            asking.headers.add("Set-Cookie", &value);
        }
    }

    /// The filter of old browsers against scripts in answers breaks long-polling.
    fn note_old_browser(&mut self, conn: ConnId, request: &http::Request<'_>) {
        let is_old = |agent: &str| agent.contains(";MSIE") || agent.contains("Trident/");
        if request.header("user-agent").is_some_and(is_old)
            && let Some(asking) = self.conns.get_mut(conn).and_then(|row| row.asking.as_mut())
        {
            asking.headers.add("X-XSS-Protection", "0");
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
                self.respond_with_headers(conn, response);
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
        let headers = row.take_headers();
        let has_more = std::mem::take(&mut row.has_more);
        let extensions = agreed.map(|agreed| ("Sec-WebSocket-Extensions", agreed.header()));
        let extra: Vec<_> = extensions.into_iter().chain(headers.iter()).collect();
        self.send(conn, handshake::response(&accept, &extra));
        if has_more {
            // It was let in late, and has spoken meanwhile.
            self.actions.push_back(Action::Show(conn));
        }
        true
    }

    /// No request comes from a WebSocket any more.
    fn stop_asking_from(&mut self, conn: ConnId) {
        if let Some(row) = self.conns.get_mut(conn)
            && matches!(row.protocol, Protocol::WebSocket(_))
        {
            row.asking = None;
        }
    }

    /// Tells the engine what was agreed on with a WebSocket.
    fn deflate(&mut self, conn: ConnId, session: SessionId) {
        if let Some(window) = self.conns.get(conn).and_then(|row| row.window) {
            self.engine.deflates(session, conn, window);
        }
    }
}
