//! The end of the stream, read as it grows, over a connection of its own: who waits for entries can say nothing else there.
//!
//! What the connection brings comes in; entries go out in their order, each once. The first time, what is in the stream is
//! history, and passed over; after the connection was lost it goes on where it was, so that what was said meanwhile is heard.
//! A stream that is not there any more, or ends before that place, is a new one, whose beginning was not heard yet.
//! Knows nothing of what is in an entry. Left out: several streams for one cluster (`streamCount`).

use std::rc::Rc;
use std::time::Duration;

use super::entry::{self, EntryId};
use super::link::{Ciphers, Event, Link};
use super::resp::Value;
use super::url::Target;
use crate::config;
use crate::time::Time;

/// Tags of its connection are counted from here, so that they are nobody else's.
const TAGS: u64 = 1 << 32;

/// What a command was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// To find the end of the stream.
    Last,
    /// To wait for more.
    Read,
}

/// What it tells.
#[derive(Debug)]
pub(super) enum News {
    /// It reads from now on.
    Placed,
    /// It does not any more.
    Down,
    /// Entries, as a list; each is to be taken with [`Tail::passed`].
    Entries(Vec<Value>),
}

/// The end of a stream.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) link: Link<Token>,
    limits: config::Cluster,
    /// The last entry that was read.
    at: Option<EntryId>,
    is_placed: bool,
}

impl Tail {
    pub(super) fn new(target: Target, limits: config::Cluster) -> Self {
        Self {
            link: Link::numbered(target, limits.clone(), TAGS),
            limits,
            at: None,
            is_placed: false,
        }
    }

    /// As the link of commands is.
    pub(super) fn sealed_by(&mut self, ciphers: Rc<dyn Ciphers>) {
        self.link.sealed_by(ciphers);
    }

    /// Whether it reads.
    pub(super) const fn is_placed(&self) -> bool {
        self.is_placed
    }

    /// The last entry that was read.
    pub(super) fn at(&self) -> EntryId {
        self.at.unwrap_or(EntryId::ZERO)
    }

    /// An entry is done with.
    pub(super) const fn passed(&mut self, id: EntryId) {
        self.at = Some(id);
    }

    /// The next that there is to tell.
    pub(super) fn poll(&mut self, now: Time) -> Option<News> {
        loop {
            match self.link.poll_event()? {
                Event::Up => self.find(now),
                Event::Down => {
                    self.is_placed = false;
                    return Some(News::Down);
                }
                Event::Reply(token, Value::Error(error)) => {
                    log::warn!("Redis refuses to {token:?} in the stream: {error}");
                    self.link.give_up(now, "it refuses to have its stream read");
                }
                Event::Reply(Token::Last, value) => {
                    self.place(&value);
                    self.read(now);
                    return Some(News::Placed);
                }
                Event::Reply(Token::Read, Value::Nil) => self.read(now),
                Event::Reply(Token::Read, value) => {
                    if let Some(list) = of_one_stream(value) {
                        return Some(News::Entries(list));
                    }
                    self.link.give_up(now, "its stream is none");
                }
                Event::Lost(_) | Event::Push(_) => {}
            }
        }
    }

    fn command(&mut self, now: Time, words: &[&[u8]], token: Token, patience: Duration) {
        if self.link.command(now, words, token, patience).is_err() {
            // There is never more than one: it fits, or nothing does.
            self.link.give_up(now, "too little may wait for it");
        }
    }

    fn find(&mut self, now: Time) {
        let stream = self.limits.stream.clone();
        let words = [b"XREVRANGE", stream.as_bytes(), b"+", b"-", b"COUNT", b"1"];
        self.command(now, &words, Token::Last, self.limits.confirmed_within);
    }

    fn place(&mut self, value: &Value) {
        let last = match value {
            Value::List(list) => entry::entries(list).first().map(|(id, _)| *id),
            _ => None,
        };
        let end = last.unwrap_or(EntryId::ZERO);
        self.at = Some(match self.at {
            None => end,
            Some(at) if at <= end => at,
            Some(_) => EntryId::ZERO,
        });
        self.is_placed = true;
    }

    /// Waits for more.
    pub(super) fn read(&mut self, now: Time) {
        let (stream, at) = (self.limits.stream.clone(), self.at().to_string());
        let count = self.limits.stream_page_max.to_string();
        let millis = self.limits.read_within.as_millis().max(1).to_string();
        let words = [
            &b"XREAD"[..],
            b"COUNT",
            count.as_bytes(),
            b"BLOCK",
            millis.as_bytes(),
            b"STREAMS",
            stream.as_bytes(),
            at.as_bytes(),
        ];
        let patience = self.limits.read_within + self.limits.confirmed_within;
        self.command(now, &words, Token::Read, patience);
    }
}

/// What `XREAD` says of the one stream that it was asked for: its name, and the entries.
fn of_one_stream(value: Value) -> Option<Vec<Value>> {
    let Value::List(mut parts) = value else {
        return None;
    };
    match (parts.pop()?, parts.len()) {
        (Value::List(list), 1) if !entry::entries(&list).is_empty() => Some(list),
        _ => None,
    }
}
