//! HTTP requests: to whom each one goes, and how an answer leaves.
//!
//! A complete request comes in and is Engine.IO's own, the browser client's, a route's or a file's; a response goes out at
//! once or, when a poll is parked or a route says so, later.
//! Never knows what a request means for a session.

use super::admission::admit;
use super::core::{Asking, Conn, Core, Due, Protocol};
use super::sending::Broken;
use super::unfinished::count;
use super::views::{Answer, Io, Request, RequestId};
use super::{App, Server, client, cors, dispatch, forwarded};
use crate::config;
use crate::engineio::Admission;
use crate::http::routes::Found;
use crate::http::{self, After, Coding, Expired, Headers, Response, files};
use crate::reactor::{Action, Close, ConnId, Peer};
use crate::time::Now;

impl Conn {
    pub(super) fn new(protocol: Protocol, peer: Peer) -> Self {
        Self {
            protocol,
            asking: Some(Box::new(Asking {
                peer,
                coding: Coding::Identity,
                headers: Headers::new(),
            })),
            session: None,
            timer: None,
            visit: 0,
            has_more: false,
            is_stuck: false,
            unfinished_bytes: 0,
            waiting_bytes: 0,
            window: None,
            pong: None,
        }
    }

    /// Who is at the other end, as far as requests may come from there.
    pub(super) fn peer(&self) -> Peer {
        self.asking
            .as_ref()
            .map_or(Peer::Unix, |asking| asking.peer)
    }

    /// What the answer to the engine's request in hand is to have besides its own headers.
    pub(super) fn take_headers(&mut self) -> Headers {
        let asking = self.asking.as_mut();
        asking
            .map(|asking| std::mem::take(&mut asking.headers))
            .unwrap_or_default()
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
        if http.is_taking() {
            let goes_on = self.take_piece(conn, input);
            self.settle();
            return goes_on;
        }
        if http.is_sending() {
            row.has_more = !input.is_empty();
            if input.len() > self.core.config.http.answers_waiting_bytes_max {
                self.core.actions.push_back(Action::Hold(conn));
            }
            return false;
        }
        if row.waiting_bytes > self.core.config.http.answers_waiting_bytes_max {
            // What the kernel was not offered yet it may take at the end of this turn.
            self.core.actions.push_back(if row.is_stuck {
                Action::Hold(conn)
            } else {
                Action::Show(conn)
            });
            return false;
        }
        let (config, handlers) = (&self.core.config, &self.handlers);
        let now = self.core.now.mono;
        let outcome = if handlers.has_pieces {
            let in_pieces = |method, path: &str| handlers.is_in_pieces(config, method, path);
            http.next_or_begun(now, &config.http, input, &in_pieces)
        } else {
            http.next(now, &config.http, input)
        };
        if let Some(interim) = http.poll_interim() {
            self.core.actions.push_back(Action::Send(conn, interim));
        }
        count(
            &mut self.core.unfinished_bytes,
            &mut row.unfinished_bytes,
            http.held_bytes(),
        );
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
                self.core.make_room_for_unfinished();
                false
            }
            Err(refusal) => {
                *input = &mut [];
                let headers = http
                    .too_much()
                    .filter(|request| {
                        self.handlers
                            .is_for_engine(&self.core.config, request.path())
                    })
                    .map(|request| cors::headers(&self.core.config.engine, &request));
                match headers {
                    Some(headers) => self.core.refuse_post(conn, refusal, &headers),
                    None => self.core.refuse(conn, refusal),
                }
                false
            }
        }
    }

    fn request(&mut self, conn: ConnId, request: &http::Request<'_>) {
        let path = request.path();
        if let Some(mount) = self.handlers.raw_mount(path) {
            return self.engine_request(conn, request, Some(mount));
        }
        if path.starts_with(&self.core.config.engine.path) {
            if let Some(response) = client::file(&self.core.config.engine, request) {
                let response = self.core.with_cors(request, response);
                return self.core.respond(conn, &response);
            }
            return self.engine_request(conn, request, None);
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
            (Found::Route(route, parameter), _) => (&route.handler, parameter),
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
            forwarded::client(
                &self.core.config.reactor.trusted_proxies,
                row.peer(),
                request,
            ),
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
                self.core.cut(id);
                self.core
                    .respond(conn, &Response::text(500, "Internal Server Error\n"));
            }
        }
    }
}

impl<A: App> Core<A> {
    /// The answer to a request in hand.
    pub(super) fn respond(&mut self, conn: ConnId, response: &Response) {
        self.respond_as(conn, |http, now, limits| http.answer(now, limits, response));
    }

    /// The same, as `answer` gives it.
    pub(super) fn respond_as(
        &mut self,
        conn: ConnId,
        answer: impl FnOnce(&mut http::Connection, Now, &config::Http) -> http::Answer,
    ) {
        self.stop_waiting(conn);
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let Protocol::Http(http) = &mut row.protocol else {
            return;
        };
        if !http.owes() {
            return;
        }
        let answer = answer(http, self.now, &self.config.http);
        row.session = None;
        row.visit = row.visit.wrapping_add(1);
        row.waiting_bytes += answer.head.len() + answer.body.len();
        self.takers.remove(&conn);
        self.send(conn, answer.head);
        if !answer.body.is_empty() {
            self.send(conn, answer.body);
        }
        self.go_on(conn, answer.after);
    }

    /// An answer is out.
    pub(super) fn go_on(&mut self, conn: ConnId, after: After) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let has_more = std::mem::take(&mut row.has_more);
        match after {
            After::KeepAlive | After::Switch => {
                if has_more {
                    self.actions.push_back(Action::Show(conn));
                }
                if let Protocol::Http(http) = &mut row.protocol
                    && row.is_stuck
                {
                    http.untaken();
                }
                self.watch(conn);
            }
            After::Close => self.close(conn, Close::Flush),
            After::Linger => self.linger(conn),
            After::Body => {}
        }
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

    /// A post for the engine was too large. Its session goes on, as a client of the official server may expect.
    fn refuse_post(&mut self, conn: ConnId, refusal: http::Refusal, headers: &Headers) {
        self.counters.violations += 1;
        log::debug!("connection {conn} posted too much");
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let Protocol::Http(http) = &mut row.protocol else {
            return;
        };
        let bytes = http.refuse_silently(self.now, refusal, headers);
        if let Some(session) = row.session.take() {
            self.engine.post_dropped(session, conn);
        }
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
            Some(Expired::Refused(refusal)) => {
                self.tell_broken(conn, Broken::Refused(refusal));
                self.refuse(conn, refusal);
            }
            Some(Expired::Stalled) => self.drop_stream(conn, Broken::Stalled),
            Some(Expired::Untaken) => {
                self.counters.answers_cut += 1;
                self.close(conn, Close::Reset);
            }
            None => self.watch(conn),
        }
    }

    /// Arms the one timer of a connection, if something of it may come too late. One that is armed for an earlier time is
    /// left to fire: it asks again.
    pub(super) fn watch(&mut self, conn: ConnId) {
        let Some(row) = self.conns.get_mut(conn) else {
            return;
        };
        let Protocol::Http(http) = &row.protocol else {
            return;
        };
        let Some(at) = http.deadline(&self.config.http) else {
            return;
        };
        if let Some(timer) = row.timer {
            if self.timers.deadline(timer).is_some_and(|armed| armed <= at) {
                return;
            }
            self.timers.cancel(timer);
        }
        row.timer = Some(self.timers.arm(at, Due::Http(conn)));
    }

    fn linger(&mut self, conn: ConnId) {
        let (bytes, time) = (
            self.config.http.linger_bytes_max,
            self.config.http.linger_within,
        );
        self.close(conn, Close::Linger { bytes, time });
    }

    pub(super) fn close(&mut self, conn: ConnId, how: Close) {
        self.actions.push_back(Action::Close(conn, how));
        if let Some(session) = self.forget(conn) {
            self.engine.conn_closed(self.now.mono, session, conn);
        }
    }
}
