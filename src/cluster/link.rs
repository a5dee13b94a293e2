//! One connection to Redis, kept up: made, greeted, watched, and made again when it is lost.
//!
//! Commands go in, each with a token; what Redis says to each comes out with that token, in order, beside the messages of
//! channels. A connection on which a command is not confirmed in time is given up, whatever the kernel thinks of it.
//! Invariant: Redis answers in order, a subscription like any other command, so `pending` is a queue. What is pending when a
//! connection is lost comes out as lost: Redis may have done it or not.
//! Knows neither channels nor what is said in them, nor who connects. Left out: the redirections of Redis Cluster.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::resp::{self, Reader, Value};
use super::url::Target;
use crate::config;
use crate::reactor::{ConnId, Tag};
use crate::server::Carried;
use crate::time::Time;

/// What a link tells.
#[derive(Debug, PartialEq)]
pub(super) enum Event<T> {
    /// Redis is there: commands may be given.
    Up,
    /// It is not any more.
    Down,
    /// What it said to a command.
    Reply(T, Value),
    /// A command that it may have heard or not.
    Lost(T),
    /// What came by a channel.
    Push(Vec<Value>),
}

/// What stands between plain bytes and those of a connection.
pub(super) trait Cipher: fmt::Debug {
    /// Takes what is to be said, and gives what is to be sent now.
    fn seal(&mut self, plain: &[u8]) -> Bytes;
    /// Takes all that has come, puts what it held behind `plain`, and gives what is to be sent back.
    ///
    /// # Errors
    /// If nothing more can come of this connection.
    fn open(&mut self, input: &[u8], plain: &mut Vec<u8>) -> io::Result<Bytes>;
}

/// One for each connection.
pub(super) trait Ciphers: fmt::Debug {
    /// One that has seen nothing yet.
    fn cipher(&self) -> Box<dyn Cipher>;
}

/// Where a link is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Tries again then.
    Waiting(Time),
    /// Asks for the addresses of the host.
    Resolving,
    /// Is being made; given up then.
    Connecting(Tag, Time),
    /// Says who it is.
    Greeting(ConnId),
    /// Is there.
    Up(ConnId),
    /// Was told to end.
    Stopped,
}

/// What a command was.
#[derive(Debug)]
enum Token<T> {
    /// One of the greeting's; only the last says that all is well.
    Greeting { is_last: bool },
    /// One of the layer above.
    Above(T),
}

#[derive(Debug)]
struct Pending<T> {
    token: Token<T>,
    bytes: usize,
    /// When Redis must have confirmed it.
    by: Time,
}

/// A connection to Redis.
#[derive(Debug)]
pub(super) struct Link<T> {
    limits: config::Cluster,
    target: Target,
    random: StdRng,
    state: State,
    reader: Reader,
    ciphers: Option<Rc<dyn Ciphers>>,
    /// Of the connection there is, if bytes are not sent as they are.
    cipher: Option<Box<dyn Cipher>>,
    pending: VecDeque<Pending<T>>,
    pending_bytes: usize,
    events: VecDeque<Event<T>>,
    wanted: VecDeque<Carried>,
    /// Tries in vain since the last that was not.
    tries: u32,
    /// Tags that are greater were asked for here, up to the last.
    first_tag: u64,
    tags: u64,
    /// Connections that were greeted.
    joined: u64,
    /// Whether somebody was told why there is none; once for each time it is lost.
    has_complained: bool,
}

impl<T> Link<T> {
    pub(super) fn new(target: Target, limits: config::Cluster) -> Self {
        Self::numbered(target, limits, 0)
    }

    /// One of several, whose tags are counted from a number of its own.
    pub(super) fn numbered(target: Target, limits: config::Cluster, tags: u64) -> Self {
        Self {
            reader: Reader::new(limits.message_bytes_max),
            limits,
            target,
            random: StdRng::from_seed([0; 32]),
            ciphers: None,
            cipher: None,
            state: State::Waiting(Time::ZERO),
            pending: VecDeque::new(),
            pending_bytes: 0,
            events: VecDeque::new(),
            wanted: VecDeque::new(),
            tries: 0,
            first_tag: tags,
            tags,
            joined: 0,
            has_complained: false,
        }
    }

    /// Nothing is sent or read but by these.
    pub(super) fn sealed_by(&mut self, ciphers: Rc<dyn Ciphers>) {
        self.ciphers = Some(ciphers);
    }

    pub(super) fn seeded(&mut self, seed: [u8; 32]) {
        self.random = StdRng::from_seed(seed);
    }

    pub(super) const fn joined(&self) -> u64 {
        self.joined
    }

    pub(super) const fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    pub(super) const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether a connection was asked for here.
    pub(super) const fn asked_for(&self, tag: Tag) -> bool {
        self.first_tag < tag.0 && tag.0 <= self.tags
    }

    pub(super) fn owns(&self, conn: ConnId) -> bool {
        matches!(self.state, State::Greeting(own) | State::Up(own) if own == conn)
    }

    pub(super) fn poll_event(&mut self) -> Option<Event<T>> {
        self.events.pop_front()
    }

    pub(super) fn poll_wanted(&mut self) -> Option<Carried> {
        self.wanted.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Waiting(at) | State::Connecting(_, at) => Some(at),
            State::Greeting(_) | State::Up(_) => self.pending.front().map(|first| first.by),
            State::Resolving | State::Stopped => None,
        }
    }

    pub(super) fn elapsed(&mut self, now: Time) {
        if self.deadline().is_none_or(|at| at > now) {
            return;
        }
        match self.state {
            State::Waiting(_) => self.begin(now),
            State::Connecting(..) => self.failed(now, "no connection in time"),
            State::Greeting(_) | State::Up(_) => self.given_up(now, "it does not answer"),
            State::Resolving | State::Stopped => {}
        }
    }

    fn begin(&mut self, now: Time) {
        if let Ok(ip) = self.target.host.parse::<IpAddr>() {
            return self.connect(now, (ip, self.target.port).into());
        }
        self.state = State::Resolving;
        let host = self.target.host.clone();
        let wanted = Carried::Resolve(host, self.target.port);
        self.wanted.push_back(wanted);
    }

    pub(super) fn resolved(&mut self, now: Time, addresses: io::Result<Vec<SocketAddr>>) {
        if self.state != State::Resolving {
            return;
        }
        match addresses {
            // Another one each time, in case one of them is dead.
            Ok(found) if !found.is_empty() => {
                let place = usize::try_from(self.tries).unwrap_or_default() % found.len();
                self.connect(now, found[place]);
            }
            Ok(_) => self.failed(now, "its name has no address"),
            Err(error) => self.failed(now, &error.to_string()),
        }
    }

    fn connect(&mut self, now: Time, address: SocketAddr) {
        self.tags += 1;
        let tag = Tag(self.tags);
        self.state = State::Connecting(tag, now + self.limits.connect_within);
        self.wanted.push_back(Carried::Connect(tag, address));
    }

    pub(super) fn connected(&mut self, now: Time, tag: Tag, result: io::Result<ConnId>) {
        let is_awaited = matches!(self.state, State::Connecting(own, _) if own == tag);
        match result {
            Ok(conn) if is_awaited => self.greet(now, conn),
            Ok(conn) => self.wanted.push_back(Carried::Close(conn)), // too late
            Err(error) if is_awaited => self.failed(now, &error.to_string()),
            Err(_) => {}
        }
    }

    fn greet(&mut self, now: Time, conn: ConnId) {
        self.state = State::Greeting(conn);
        self.reader = Reader::new(self.limits.message_bytes_max);
        self.cipher = self.ciphers.as_ref().map(|ciphers| ciphers.cipher());
        let by = now + self.limits.connect_within;
        let mut words: Vec<&[u8]> = vec![b"HELLO", b"3"];
        let login = self.target.login.clone();
        if let Some((name, password)) = &login {
            words.extend([&b"AUTH"[..], name.as_bytes(), password.as_bytes()]);
        }
        words.extend([&b"SETNAME"[..], b"roomcast"]);
        let database = self.target.database;
        self.give(
            conn,
            &words,
            Token::Greeting {
                is_last: database == 0,
            },
            by,
        );
        if database != 0 {
            let database = database.to_string();
            let words = [&b"SELECT"[..], database.as_bytes()];
            self.give(conn, &words, Token::Greeting { is_last: true }, by);
        }
    }

    /// Gives a command.
    ///
    /// # Errors
    /// If Redis is not there, or too much waits for it already.
    pub(super) fn command(
        &mut self,
        now: Time,
        words: &[&[u8]],
        token: T,
        patience: Duration,
    ) -> Result<(), T> {
        let State::Up(conn) = self.state else {
            return Err(token);
        };
        let bytes: usize = words.iter().map(|word| word.len()).sum();
        if self.pending_bytes + bytes > self.limits.waiting_bytes_max {
            return Err(token);
        }
        self.give(conn, words, Token::Above(token), now + patience);
        Ok(())
    }

    fn give(&mut self, conn: ConnId, words: &[&[u8]], token: Token<T>, by: Time) {
        let bytes: Bytes = resp::command(words);
        self.pending_bytes += bytes.len();
        self.pending.push_back(Pending {
            token,
            bytes: bytes.len(),
            by,
        });
        let bytes = match &mut self.cipher {
            Some(cipher) => cipher.seal(&bytes),
            None => bytes,
        };
        self.send(conn, bytes);
    }

    fn send(&mut self, conn: ConnId, bytes: Bytes) {
        if !bytes.is_empty() {
            self.wanted.push_back(Carried::Send(conn, bytes));
        }
    }

    /// Takes what has come; all of it, since a value that is cut is kept here.
    pub(super) fn received(&mut self, now: Time, conn: ConnId, input: &[u8]) {
        if !self.owns(conn) {
            return;
        }
        let Some(cipher) = &mut self.cipher else {
            return self.plain(now, conn, input);
        };
        let mut plain = Vec::new();
        match cipher.open(input, &mut plain) {
            Ok(back) => {
                self.send(conn, back);
                self.plain(now, conn, &plain);
            }
            Err(error) => self.given_up(now, &format!("TLS: {error}")),
        }
    }

    fn plain(&mut self, now: Time, conn: ConnId, input: &[u8]) {
        let mut rest = input;
        while self.owns(conn) {
            match self.reader.next(&mut rest) {
                Ok(Some(value)) => self.heard(now, value),
                Ok(None) => return,
                Err(violation) => {
                    return self
                        .given_up(now, &format!("it does not speak RESP3: {}", violation.0));
                }
            }
        }
    }

    fn heard(&mut self, now: Time, value: Value) {
        if let Value::Push(values) = value {
            if !confirms(&values) {
                return self.events.push_back(Event::Push(values));
            }
            return self.confirmed(now, Value::List(values));
        }
        self.confirmed(now, value);
    }

    fn confirmed(&mut self, now: Time, value: Value) {
        let Some(first) = self.pending.pop_front() else {
            return self.given_up(now, "it answers what nobody asked");
        };
        self.pending_bytes -= first.bytes;
        match (first.token, value) {
            (Token::Above(token), value) => self.events.push_back(Event::Reply(token, value)),
            (Token::Greeting { .. }, Value::Error(error)) => self.refused(now, &error),
            (Token::Greeting { is_last }, _) => {
                if let State::Greeting(conn) = self.state
                    && is_last
                {
                    self.up(conn);
                }
            }
        }
    }

    fn up(&mut self, conn: ConnId) {
        self.state = State::Up(conn);
        self.tries = 0;
        self.joined += 1;
        if std::mem::take(&mut self.has_complained) {
            log::info!("Redis at {:?} is there again", self.target);
        } else {
            log::info!("Redis at {:?} is there", self.target);
        }
        self.events.push_back(Event::Up);
    }

    /// It does not let us in. That will not be better soon, but somebody may mend it.
    fn refused(&mut self, now: Time, error: &str) {
        let why = if error.starts_with("ERR unknown command") {
            "it is older than Redis 6"
        } else {
            error
        };
        self.given_up(now, why);
    }

    /// The layer above cannot use this connection.
    pub(super) fn give_up(&mut self, now: Time, why: &str) {
        if self.is_up() {
            self.given_up(now, why);
        }
    }

    /// A connection that cannot be used is closed.
    fn given_up(&mut self, now: Time, why: &str) {
        if let State::Greeting(conn) | State::Up(conn) = self.state {
            self.wanted.push_back(Carried::Close(conn));
        }
        self.failed(now, why);
    }

    pub(super) fn closed(&mut self, now: Time, conn: ConnId, why: &io::Result<()>) {
        if self.owns(conn) {
            match why {
                Ok(()) => self.failed(now, "it has closed the connection"),
                Err(error) => self.failed(now, &error.to_string()),
            }
        }
    }

    /// There is no connection, and will be none for a while.
    fn failed(&mut self, now: Time, why: &str) {
        if !std::mem::replace(&mut self.has_complained, true) {
            log::warn!("Redis at {:?} is not there: {why}", self.target);
        } else {
            log::debug!("Redis at {:?} is still not there: {why}", self.target);
        }
        let was_up = self.is_up();
        self.state = State::Waiting(now + self.pause());
        self.tries = self.tries.saturating_add(1);
        self.forget_pending();
        if was_up {
            self.events.push_back(Event::Down);
        }
    }

    fn forget_pending(&mut self) {
        self.pending_bytes = 0;
        for pending in std::mem::take(&mut self.pending) {
            if let Token::Above(token) = pending.token {
                self.events.push_back(Event::Lost(token));
            }
        }
    }

    fn pause(&mut self) -> Duration {
        let doubled = self
            .limits
            .retry_after
            .saturating_mul(1 << self.tries.min(16));
        let whole = doubled.min(self.limits.retry_after_max);
        whole.mul_f64(self.random.random_range(0.5..=1.0))
    }

    /// The end, for good; what was said before it still goes.
    pub(super) fn stop(&mut self) {
        if let State::Greeting(conn) | State::Up(conn) = self.state {
            self.wanted.push_back(Carried::Finish(conn));
        }
        self.state = State::Stopped;
        self.forget_pending();
    }
}

/// Whether a push confirms a command instead of bringing something.
fn confirms(values: &[Value]) -> bool {
    let kind = values.first().and_then(Value::text).unwrap_or_default();
    kind.ends_with(b"subscribe")
}

#[cfg(test)]
mod tests;
