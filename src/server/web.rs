//! HTTP requests: Engine.IO's own, the browser client, routes and files.
//!
//! A complete request comes in; a response goes out at once or, when a poll is parked or a route says so, later.
//! Knows heads and queries; what they mean for a session is the engine's to say.

use super::core::{Conn, Core, Due, Posted, Protocol};
use super::handshake::Handshake;
use super::views::{Answer, Io, Request, RequestId};
use super::{App, Server, client, cors, dispatch};
use crate::engineio::payload::Packets;
use crate::engineio::{self, Admission, Asked, Engine, Refusal, SessionId, TransportName};
use crate::http::routes::Found;
use crate::http::{self, After, Expired, Method, Response, files, query};
use crate::reactor::{Action, Close, ConnId, Peer};
use crate::websocket::{self, handshake};

impl Conn {
    pub(super) const fn new(protocol: Protocol, peer: Peer) -> Self {
        Self {
            protocol,
            peer,
            session: None,
            timer: None,
            visit: 0,
            has_more: false,
            is_stuck: false,
            waiting_bytes: 0,
            is_old_browser: false,
            pong: None,
            origin: None,
        }
    }
}

impl<A: App> Server<A> {
    /// Takes the next request off the front; says whether to go on.
    pub(super) fn read_http(&mut self, conn: ConnId, input: &mut &mut [u8]) -> bool {
        let Some(row) = self.core.conns.get_mut(conn) else {
            return false;
        };
        let Protocol::Http(http) = &mut row.protocol else {
            return true;
        };
        if row.waiting_bytes > self.core.config.http.answers_waiting_bytes_max {
            // What the kernel was not offered yet it may take at the end of this turn.
            self.core.actions.push_back(if row.is_stuck {
                Action::Hold(conn)
            } else {
                Action::Show(conn)
            });
            return false;
        }
        let outcome = http.next(self.core.now.mono, &self.core.config.http, input);
        if let Some(interim) = http.poll_interim() {
            self.core.actions.push_back(Action::Send(conn, interim));
        }
        match outcome {
            Ok(Some(request)) => {
                self.core.counters.requests += 1;
                self.request(conn, &request);
                self.settle();
                true
            }
            Ok(None) => {
                if let Some(request) = http.poll_begun(input)
                    && self
                        .handlers
                        .is_for_engine(&self.core.config, request.path())
                    && let Ok(Admission::Post(session)) = admit(&self.core.engine, &request)
                {
                    row.session = Some(session);
                    self.core
                        .engine
                        .post_begun(self.core.now.mono, session, conn);
                    self.settle();
                    return false;
                }
                row.has_more = http.owes() && !input.is_empty();
                if row.has_more && input.len() > self.core.config.http.answers_waiting_bytes_max {
                    self.core.actions.push_back(Action::Hold(conn));
                }
                false
            }
            Err(refusal) => {
                *input = &mut [];
                self.core.refuse(conn, refusal);
                false
            }
        }
    }

    fn request(&mut self, conn: ConnId, request: &http::Request<'_>) {
        if request.path().starts_with(&self.core.config.engine.path) {
            if let Some(response) = client::file(&self.core.config.engine, request) {
                let response = self.core.with_cors(conn, request, response);
                return self.core.respond(conn, &response);
            }
            return self.engine_request(conn, request, None);
        }
        if let Some(mount) = self.handlers.raw_mount(request.path()) {
            return self.engine_request(conn, request, Some(mount));
        }
        self.route_request(conn, request);
    }

    fn route_request(&mut self, conn: ConnId, request: &http::Request<'_>) {
        let found = self.handlers.routes.find(request.method(), request.path());
        let file = || {
            self.handlers
                .files
                .iter()
                .find_map(|files| files.find(request.path()))
        };
        let (handler, parameter) = match (found, &self.handlers.fallback) {
            (Found::Route(handler, parameter), _) => (handler, parameter),
            (found, fallback) => match (file(), found, fallback) {
                (Some(file), ..) => return self.core.respond(conn, &files::serve(file, request)),
                (None, Found::MethodNotAllowed { allow }, _) => {
                    return self
                        .core
                        .respond(conn, &Response::method_not_allowed(&allow));
                }
                (None, _, Some(fallback)) => (fallback, None),
                (None, _, None) => {
                    return self.core.respond(conn, &Response::text(404, "Not Found\n"));
                }
            },
        };
        let Some(row) = self.core.conns.get_mut(conn) else {
            return;
        };
        row.visit = row.visit.wrapping_add(1);
        let (id, peer) = (
            RequestId {
                conn,
                visit: row.visit,
            },
            row.peer,
        );
        let (app, io) = (
            &mut self.app,
            Io {
                core: &mut self.core,
            },
        );
        let view = &mut Request {
            app,
            io,
            http: request,
            id,
            peer,
            parameter,
        };
        match dispatch::caught("a route", || handler(view)) {
            Some(Answer::Now(response)) => self.core.respond(conn, &response),
            Some(Answer::Later) => {}
            None => {
                self.core.counters.panics += 1;
                self.core
                    .respond(conn, &Response::text(500, "Internal Server Error\n"));
            }
        }
    }

    fn engine_request(&mut self, conn: ConnId, request: &http::Request<'_>, mount: Option<usize>) {
        self.core.note_origin(conn, request);
        let origins = &self.core.config.engine.origins;
        if request.method() == Method::Options
            && let Some(response) = cors::preflight(origins, request)
        {
            return self.core.respond(conn, &response);
        }
        let admission = admit(&self.core.engine, request).and_then(|admission| match admission {
            Admission::Open(_) | Admission::Upgrade(_) if !cors::is_allowed(origins, request) => {
                log::warn!(
                    "a page of another origin was refused; to let it in, list its origin in `engine.origins`"
                );
                Err(Refusal::Forbidden)
            }
            admission => Ok(admission),
        });
        match admission {
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
            Admission::Open(TransportName::Polling) => {
                let session = self.core.engine.opened(now, conn, TransportName::Polling);
                self.opened(conn, request, mount, session);
            }
            Admission::Open(TransportName::WebSocket) => {
                if self.core.become_websocket(conn, request) {
                    let session = self.core.engine.opened(now, conn, TransportName::WebSocket);
                    self.opened(conn, request, mount, session);
                }
            }
            Admission::Upgrade(session) => {
                if self.core.become_websocket(conn, request) {
                    self.core.speaks_for(conn, session);
                    self.core.engine.probed(now, session, conn);
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
        let handshake = Handshake::of(request, row.peer, at.wall, kept);
        self.core.handshakes.insert(session, handshake);
        log::debug!("session {session} opened on connection {conn}");
        match mount {
            Some(mount) => self.raw_opened(session, mount),
            None => {
                self.core.sockets.opened(session);
                let at = at.mono + self.core.config.socketio.connect_within;
                let timer = self.core.arm(at, Due::Connect(session));
                self.core.connect_timers.insert(session, timer);
            }
        }
    }

    fn post(&mut self, conn: ConnId, request: &http::Request<'_>, session: SessionId) {
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
        for _ in 0..self.core.config.engine.packets_per_turn_max {
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

/// Finds out what a request is about.
fn admit(engine: &Engine, request: &http::Request<'_>) -> Result<Admission, Refusal> {
    let text = request.query();
    let value = |name| query::value(text, name);
    let (transport, sid, revision) = (value("transport"), value("sid"), value("EIO"));
    engine.admit(Asked {
        method: match request.method() {
            Method::Get => engineio::Method::Get,
            Method::Post => engineio::Method::Post,
            _ => engineio::Method::Other,
        },
        transport: transport.as_deref(),
        sid: sid.as_deref(),
        revision: revision.as_deref(),
        upgrade: request.is_upgrade(),
    })
}

impl<A: App> Core<A> {
    /// The answer to a request in hand.
    pub(super) fn respond(&mut self, conn: ConnId, response: &Response) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let Protocol::Http(http) = &mut row.protocol else {
            return;
        };
        if !http.owes() {
            return;
        }
        let answer = http.answer(self.now, &self.config.http, response);
        row.session = None;
        row.visit = row.visit.wrapping_add(1);
        row.waiting_bytes += answer.head.len() + answer.body.len();
        let has_more = std::mem::take(&mut row.has_more);
        self.send(conn, answer.head);
        if !answer.body.is_empty() {
            self.send(conn, answer.body);
        }
        match answer.after {
            After::KeepAlive | After::Switch => {
                if has_more {
                    self.actions.push_back(Action::Show(conn));
                }
                self.watch(conn);
            }
            After::Close => self.close(conn, Close::Flush),
            After::Linger => self.linger(conn),
        }
    }

    pub(super) fn answer_engine_request(&mut self, conn: ConnId, answer: engineio::Answer) {
        let response = match answer {
            engineio::Answer::Payload(body) => Response::new(200)
                .header("Content-Type", "text/plain; charset=UTF-8")
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
        self.respond(conn, &response);
    }

    fn with_cors(
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
    }

    fn speaks_for(&mut self, conn: ConnId, session: SessionId) {
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
        row.protocol = Protocol::WebSocket(websocket::Reader::new());
        if let Some(timer) = row.timer.take() {
            self.timers.cancel(timer);
        }
        self.send(conn, handshake::response(&accept, &[]));
        true
    }

    /// A rule of HTTP was broken.
    pub(super) fn refuse(&mut self, conn: ConnId, refusal: http::Refusal) {
        self.counters.violations += 1;
        log::debug!("connection {conn} broke a rule of HTTP: {refusal:?}");
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let Protocol::Http(http) = &mut row.protocol else {
            return;
        };
        let bytes = http.refuse(self.now, refusal);
        self.send(conn, bytes);
        self.linger(conn);
    }

    /// The time of a connection's request is up, or was put off.
    pub(super) fn http_due(&mut self, conn: ConnId) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        row.timer = None;
        let Protocol::Http(http) = &mut row.protocol else {
            return;
        };
        match http.elapsed(self.now.mono, &self.config.http) {
            Some(Expired::Silent) => self.close(conn, Close::Flush),
            Some(Expired::Refused(refusal)) => self.refuse(conn, refusal),
            None => self.watch(conn),
        }
    }

    /// Arms the one timer of a connection, if something of it may come too late. One that is armed already is left to
    /// fire: it asks again.
    pub(super) fn watch(&mut self, conn: ConnId) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let Protocol::Http(http) = &row.protocol else {
            return;
        };
        if row.timer.is_some() {
            return;
        }
        if let Some(at) = http.deadline(&self.config.http) {
            row.timer = Some(self.timers.arm(at, Due::Http(conn)));
        }
    }

    fn linger(&mut self, conn: ConnId) {
        let (bytes, time) = (
            self.config.http.linger_bytes_max,
            self.config.http.linger_within,
        );
        self.close(conn, Close::Linger { bytes, time });
    }

    fn close(&mut self, conn: ConnId, how: Close) {
        self.actions.push_back(Action::Close(conn, how));
        if let Some(session) = self.forget(conn) {
            self.engine.conn_closed(self.now.mono, session, conn);
        }
    }
}
