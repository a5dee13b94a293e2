//! What an application may say about Engine.IO's own requests: whether they are served, who is let in, and which headers
//! the answers have.
//!
//! A request comes in before anything is done about it; headers, a response or a verdict come back, the verdict perhaps
//! later. Requests that wait for theirs are kept here by their connection.
//! Knows nothing of sessions: what is let in is opened by `admission`.
//! Left out: middleware that answers later. Who must ask somebody first does so in `allow_request`.

use std::time::Duration;

use super::core::{Core, Deferred, Due};
use super::dispatch::caught;
use super::refusals::Cause;
use super::views::{Io, Request, RequestId, Verdict};
use super::{App, Server, forwarded};
use crate::engineio::{Admission, Refusal};
use crate::http::{self, Headers, Response};
use crate::reactor::ConnId;
use crate::sid::Sid;
use crate::timers::TimerId;

type Middleware<A> = Box<dyn Fn(&mut Request<'_, A>, &mut Headers) -> Option<Response>>;
type GenerateId<A> = Box<dyn Fn(&mut Request<'_, A>) -> Option<Sid>>;
type AllowRequest<A> = Box<dyn Fn(&mut Request<'_, A>) -> Verdict>;
type OnHeaders<A> = Box<dyn Fn(&mut Request<'_, A>, &mut Headers)>;

/// What was said beforehand.
pub(super) struct Hooks<A: App> {
    middleware: Vec<Middleware<A>>,
    allow_request: Option<AllowRequest<A>>,
    generate_id: Option<GenerateId<A>>,
    initial_headers: Vec<OnHeaders<A>>,
    headers: Vec<OnHeaders<A>>,
}

impl<A: App> Default for Hooks<A> {
    fn default() -> Self {
        Self {
            middleware: Vec::new(),
            allow_request: None,
            generate_id: None,
            initial_headers: Vec::new(),
            headers: Vec::new(),
        }
    }
}

/// A request that waits to be allowed. Its head is kept as it was sent; a request that opens a session has no body.
pub(super) struct Waiting {
    visit: u32,
    head: Box<[u8]>,
    mount: Option<usize>,
    admission: Admission,
    timer: TimerId,
}

/// Which request of a session is being answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    Later,
}

impl<A: App> Server<A> {
    /// Looks at each request below the Engine.IO paths (the browser client's files excepted) before anything else is done
    /// about it, the upgrade to WebSocket included. What it adds to the headers goes into the answer, whichever that is,
    /// also the 101 of a WebSocket; a response that it gives is the answer. Several run in the order they were added. One
    /// that panics has its request refused with code 3.
    ///
    /// ```
    /// # use roomcast::{Config, Server};
    /// use roomcast::http::Response;
    ///
    /// # let mut server = Server::new(Config::default(), ());
    /// server.middleware(|request, headers| {
    ///     headers.add("X-Content-Type-Options", "nosniff");
    ///     let is_open = request.header("x-maintenance").is_none();
    ///     (!is_open).then(|| Response::text(503, "back in a minute\n"))
    /// });
    /// ```
    pub fn middleware(
        &mut self,
        look: impl Fn(&mut Request<'_, A>, &mut Headers) -> Option<Response> + 'static,
    ) -> &mut Self {
        self.handlers.hooks.middleware.push(Box::new(look));
        self
    }

    /// Decides whether a request may open a session (`allowRequest`), once its origin and parameters were found to be in
    /// order. The message of a refusal is what the client is told, with status 403 and code 4, or as the text of a 400 if
    /// it asked for a WebSocket; an empty one becomes "Forbidden". [`Io::admit`] gives a verdict that comes later. There is
    /// one such decision: the last one named counts.
    ///
    /// ```
    /// # use roomcast::{Config, Server, Verdict};
    /// # let mut server = Server::new(Config::default(), ());
    /// server.allow_request(|request| match request.cookie("session") {
    ///     Some(_) => Verdict::Accept,
    ///     None => Verdict::refuse("sign in first"),
    /// });
    /// ```
    pub fn allow_request(
        &mut self,
        decide: impl Fn(&mut Request<'_, A>) -> Verdict + 'static,
    ) -> &mut Self {
        self.handlers.hooks.allow_request = Some(Box::new(decide));
        self
    }

    /// Chooses the Engine.IO id of a session that is about to open (`generateId`); where it gives none, the server makes one
    /// of 120 random bits, as it does without this. The request of an id that another session has just now is refused with
    /// code 3, and so is one whose choice panics. Socket.IO ids are the server's own all the same.
    ///
    /// Whoever knows a session's id can speak for it: **an id that can be guessed lets one client take over another's session.**
    /// The last choice named counts.
    ///
    /// ```
    /// # use roomcast::{Config, Server, sid::Sid};
    /// # let mut server = Server::new(Config::default(), ());
    /// // A proxy in front finds this node by the first characters of `sid`; chance makes the rest.
    /// server.generate_id(|_request| {
    ///     let random = Sid::new(&mut rand::rng());
    ///     Sid::parse(&format!("n1-{}", &random.as_str()[3..]))
    /// });
    /// ```
    pub fn generate_id(
        &mut self,
        choose: impl Fn(&mut Request<'_, A>) -> Option<Sid> + 'static,
    ) -> &mut Self {
        self.handlers.hooks.generate_id = Some(Box::new(choose));
        self
    }

    /// Adds headers to the first answer of each session: the one with the handshake, or the 101 of a WebSocket.
    ///
    /// ```
    /// # use roomcast::{Config, Server};
    /// # let mut server = Server::new(Config::default(), ());
    /// server.initial_headers(|_request, headers| {
    ///     headers.add("Set-Cookie", "node=n1; Path=/; HttpOnly");
    ///     headers.add("Set-Cookie", "theme=dark; Max-Age=86400");
    /// });
    /// ```
    pub fn initial_headers(
        &mut self,
        add: impl Fn(&mut Request<'_, A>, &mut Headers) + 'static,
    ) -> &mut Self {
        self.handlers.hooks.initial_headers.push(Box::new(add));
        self
    }

    /// Adds headers to each answer of a session: to its polls and posts and to the 101 of its WebSocket, the first one included.
    pub fn headers(
        &mut self,
        add: impl Fn(&mut Request<'_, A>, &mut Headers) + 'static,
    ) -> &mut Self {
        self.handlers.hooks.headers.push(Box::new(add));
        self
    }

    /// Asks the middleware, which may add to the answer's headers.
    ///
    /// # Errors
    /// The answer, if there is nothing more to be done.
    pub(super) fn ask_middleware(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        headers: &mut Headers,
    ) -> Result<(), Result<Response, Refusal>> {
        for at in 0..self.handlers.hooks.middleware.len() {
            let answer = self.hooked(conn, request, "middleware", |hooks, request| {
                hooks.middleware[at](request, headers)
            });
            match answer {
                Some(None) => {}
                Some(Some(response)) => return Err(Ok(response)),
                None => return Err(Err(Refusal::BadRequest)),
            }
        }
        Ok(())
    }

    /// Adds what the answer to this request of a session has besides the engine's own headers.
    pub(super) fn add_headers(&mut self, conn: ConnId, request: &http::Request<'_>, turn: Turn) {
        let (mut headers, hooks) = (Headers::new(), &self.handlers.hooks);
        let initial = match turn {
            Turn::First => hooks.initial_headers.len(),
            Turn::Later => 0,
        };
        for at in 0..initial {
            self.hooked(conn, request, "initial headers", |hooks, request| {
                hooks.initial_headers[at](request, &mut headers);
            });
        }
        for at in 0..self.handlers.hooks.headers.len() {
            self.hooked(conn, request, "headers", |hooks, request| {
                hooks.headers[at](request, &mut headers);
            });
        }
        if let Some(asking) = self
            .core
            .conns
            .get_mut(conn)
            .and_then(|row| row.asking.as_mut())
        {
            asking.headers.append(&headers);
        }
    }

    /// The id that was chosen for a session, if one was.
    ///
    /// # Errors
    /// It is another's, or the choice panicked.
    pub(super) fn chosen_id(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
    ) -> Result<Option<Sid>, Cause> {
        if self.handlers.hooks.generate_id.is_none() {
            return Ok(None);
        }
        let chosen = self.hooked(conn, request, "generate_id", |hooks, request| {
            let choose = hooks.generate_id.as_ref();
            (choose.expect("it was there just now"))(request)
        });
        let chosen = chosen.ok_or(Cause::NoId)?;
        if chosen.is_some_and(|sid| self.core.engine.is_taken(sid)) {
            log::warn!(
                "`generate_id` chose an id that another session has: its request was refused"
            );
            return Err(Cause::NoId);
        }
        Ok(chosen)
    }

    /// Whether a request may open a session just now; if not, it is answered or its verdict awaited.
    pub(super) fn may_open(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        mount: Option<usize>,
        admission: Admission,
    ) -> bool {
        if self.handlers.hooks.allow_request.is_none() {
            return true;
        }
        let verdict = self.hooked(conn, request, "allow_request", |hooks, request| {
            let decide = hooks.allow_request.as_ref();
            (decide.expect("it was there just now"))(request)
        });
        match verdict {
            Some(Verdict::Accept) => return true,
            Some(Verdict::Later { within }) => {
                let timer = self.core.arm_admission(conn, within);
                let Some(row) = self.core.conns.get(conn) else {
                    return false;
                };
                let waiting = Waiting {
                    visit: row.visit,
                    head: request.head().into(),
                    mount,
                    admission,
                    timer,
                };
                self.core.waiting.insert(conn, waiting);
            }
            Some(Verdict::Refuse { message, .. }) => self.core.forbid(conn, request, &message),
            None => self.core.forbid(conn, request, ""),
        }
        false
    }

    /// The verdict on a request that waited for it.
    pub(super) fn allowed(&mut self, id: RequestId, verdict: Verdict) {
        let waits = |waiting: &Waiting| waiting.visit == id.visit;
        if !self.core.waiting.get(id.conn).is_some_and(waits) {
            return;
        }
        let Some(mut waiting) = self.core.waiting.remove(id.conn) else {
            return;
        };
        self.core.timers.cancel(waiting.timer);
        if let Verdict::Later { within } = verdict {
            waiting.timer = self.core.arm_admission(id.conn, within);
            self.core.waiting.insert(id.conn, waiting);
            return;
        }
        let request = http::Request::from_head(&*waiting.head);
        let request = request.expect("the head of a request is one");
        match verdict {
            Verdict::Refuse { message, .. } => self.core.forbid(id.conn, &request, &message),
            _ => self.admitted(id.conn, &request, waiting.mount, waiting.admission),
        }
    }

    /// No verdict came in time.
    pub(super) fn admission_due(&mut self, conn: ConnId) {
        let Some(waiting) = self.core.waiting.remove(conn) else {
            return;
        };
        let request = http::Request::from_head(&*waiting.head);
        let request = request.expect("the head of a request is one");
        self.core.forbid(conn, &request, "timeout");
    }

    /// Calls a hook with a view of the request; nothing comes back if it panicked.
    fn hooked<T>(
        &mut self,
        conn: ConnId,
        request: &http::Request<'_>,
        what: &'static str,
        call: impl FnOnce(&Hooks<A>, &mut Request<'_, A>) -> T,
    ) -> Option<T> {
        let row = self.core.conns.get(conn)?;
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
        let view = &mut Request {
            app: &mut self.app,
            io: Io {
                core: &mut self.core,
            },
            http: request,
            id,
            peer,
            parameter: None,
        };
        let hooks = &self.handlers.hooks;
        let returned = caught(what, || call(hooks, view));
        if returned.is_none() {
            self.core.counters.panics += 1;
        }
        returned
    }
}

impl<A: App> Io<'_, A> {
    /// The verdict on a request that [`Server::allow_request`] let wait; goes nowhere if its client has gone.
    pub fn admit(&mut self, id: RequestId, verdict: Verdict) {
        self.core.deferred.push_back(Deferred::Allowed(id, verdict));
    }
}

impl<A: App> Core<A> {
    fn arm_admission(&mut self, conn: ConnId, within: Duration) -> TimerId {
        self.arm(self.now.mono + within, Due::Admission(conn))
    }

    fn forbid(&mut self, conn: ConnId, request: &http::Request<'_>, message: &str) {
        let message = match message {
            "" => Refusal::Forbidden.message(),
            message => message,
        };
        self.refuse_engine_request(conn, request, Refusal::Forbidden, message);
    }

    /// Nobody waits for a verdict on this connection's request any more.
    pub(super) fn stop_waiting(&mut self, conn: ConnId) {
        if let Some(waiting) = self.waiting.remove(conn) {
            self.timers.cancel(waiting.timer);
        }
    }
}
