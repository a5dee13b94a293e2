//! The carrier's part with the stream: what is added to it, what is read from it, and who comes back by it.
//!
//! There are two connections, one that commands and one that waits for entries; they are there together or not at all.
//! While they are, an event that may be recovered is held until it has come back, so that all clients of all nodes hear such
//! events in one order, and each with the id of its entry. While they are not, this node's clients hear them at once.

use std::time::Duration;

use super::{Redis, Token};
use crate::cluster::entry::{self, EntryId, Fields};
use crate::cluster::held::{Held, Released};
use crate::cluster::message;
use crate::cluster::resp::Value;
use crate::cluster::sessions::{self, Sessions, Standing};
use crate::cluster::streams::NUMBER;
use crate::cluster::tail::{News, Tail};
use crate::cluster::url::Target;
use crate::cluster::wire::Read;
use crate::config;
use crate::server::cluster::Wish;
use crate::server::{Carried, CarrierState, Claim, KeptSession, NotRecovered};
use crate::time::Now;

/// What there is beside the channels.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) tail: Tail,
    pub(super) held: Held,
    pub(super) sessions: Sessions,
    /// How long who was cut off may come back, if anybody may.
    pub(super) keeps: Option<Duration>,
}

impl Streaming {
    pub(super) fn new(target: Target, config: &config::Cluster) -> Self {
        Self {
            tail: Tail::new(target, config.clone()),
            held: Held::default(),
            sessions: Sessions::new(config, message::limits(config)),
            keeps: None,
        }
    }
}

/// Whether it is an event that may be recovered.
const fn goes_around(wish: &Wish) -> bool {
    matches!(
        wish,
        Wish::Emit {
            request: None,
            is_volatile: false,
            ..
        }
    )
}

impl Redis {
    /// Whether everything can be said and heard.
    pub(super) fn is_ready(&self) -> bool {
        let reads = self.streaming.as_ref().map(|it| it.tail.is_placed());
        self.link.is_up() && reads.unwrap_or(true)
    }

    /// Adds something to the stream.
    pub(super) fn add(
        &mut self,
        now: Now,
        fields: Vec<(&'static str, String)>,
        wish: Option<Wish>,
    ) {
        let is_ready = self.is_ready();
        let Some(streaming) = &mut self.streaming else {
            return;
        };
        let mut fields = fields;
        let mut number = None;
        if let Some(wish) = wish.filter(|wish| streaming.keeps.is_some() && goes_around(wish)) {
            let own = streaming.held.push(wish);
            fields.push((NUMBER, own.to_string()));
            number = Some(own);
            if streaming.held.bytes() > self.config.held_bytes_max {
                let all = streaming.held.release_all();
                self.release(all, None);
            }
        }
        let entries_max = self.config.stream_entries_max.to_string();
        let stream = self.config.stream.clone();
        let words = entry::addition(&stream, &entries_max, &fields);
        let token = Token::Add(number);
        let said = match is_ready {
            true => self.command(now, &words, token),
            false => Err(token),
        };
        match said {
            Ok(()) => self.status.said += 1,
            Err(token) => self.lost(&token),
        }
    }

    /// An entry was not added, or perhaps not.
    pub(super) fn not_added(&mut self, number: Option<u64>) {
        self.status.unsaid += 1;
        if let (Some(streaming), Some(number)) = (&mut self.streaming, number) {
            let released = streaming.held.not_said(number);
            self.release(released, None);
        }
    }

    fn release(&mut self, released: Vec<Released>, at: Option<EntryId>) {
        for one in released {
            self.wanted.push_back(match (one, at) {
                (Released::Read(wish), Some(id)) => Carried::HearAt(wish, id.to_string().into()),
                (Released::Read(wish), None) | (Released::Alone(wish), _) => Carried::Hear(wish),
            });
        }
    }

    /// Does what follows from what the connection has brought that reads the stream.
    /// Says whether there was something.
    pub(super) fn follow_stream(&mut self, now: Now) -> bool {
        let news = self.streaming.as_mut();
        let Some(news) = news.and_then(|it| it.tail.poll(now.mono)) else {
            return false;
        };
        match news {
            News::Placed => self.joined_if_confirmed(),
            News::Down => self.stream_down(now),
            News::Entries(list) => {
                for (id, fields) in entry::entries(&list) {
                    self.entry(now, id, fields);
                }
                if let Some(streaming) = &mut self.streaming {
                    streaming.tail.read(now.mono);
                }
            }
        }
        true
    }

    fn entry(&mut self, now: Now, id: EntryId, fields: Fields<'_>) {
        let Some(streaming) = &mut self.streaming else {
            return;
        };
        streaming.tail.passed(id);
        let read = fields.map(|fields| self.wire.read(now, fields));
        match read {
            Some(Ok(Read::Wish(wish))) => {
                self.status.heard += 1;
                self.wanted.push_back(match goes_around(&wish) {
                    true => Carried::HearAt(wish, id.to_string().into()),
                    false => Carried::Hear(wish),
                });
            }
            Some(Ok(Read::Own(Some(number)))) => {
                let released = streaming.held.read(number);
                self.release(released, Some(id));
            }
            Some(Ok(Read::Own(None) | Read::Nothing)) => {}
            Some(Err(_)) | None => {
                log::debug!("ignored the entry {id}");
                self.status.ignored += 1;
            }
        }
        self.reached(now, id);
    }

    fn reached(&mut self, now: Now, id: EntryId) {
        let Some(streaming) = &mut self.streaming else {
            return;
        };
        if !streaming.sessions.is_empty() {
            for (ticket, standing) in streaming.sessions.reached(id) {
                self.stands(now, ticket, standing);
            }
        }
    }

    /// One of the two connections is lost: the other is given up, and nobody waits for what does not come.
    pub(super) fn stream_down(&mut self, now: Now) {
        self.status.state = match self.status.state {
            CarrierState::Joining => CarrierState::Joining,
            CarrierState::Joined | CarrierState::Degraded => CarrierState::Degraded,
        };
        self.link.give_up(now.mono, "its stream is not read");
        let Some(streaming) = &mut self.streaming else {
            return;
        };
        streaming
            .tail
            .link
            .give_up(now.mono, "it takes no commands");
        let released = streaming.held.release_all();
        let tickets = streaming.sessions.end_all();
        self.release(released, None);
        for ticket in tickets {
            self.decided(ticket, Err(NotRecovered::Unknown));
        }
    }

    fn decided(&mut self, ticket: u64, outcome: Result<Box<sessions::Recovered>, NotRecovered>) {
        self.wanted.push_back(Carried::Claimed(ticket, outcome));
    }

    /// A client has come back.
    pub(super) fn begin_claim(&mut self, now: Now, claim: Claim) {
        let ticket = claim.ticket;
        let key = format!("{}{}", self.config.session_prefix, claim.pid);
        let is_ready = self.is_ready();
        let Some(streaming) = self.streaming.as_mut().filter(|_| is_ready) else {
            return self.decided(ticket, Err(NotRecovered::Unknown));
        };
        let Some(offset) = streaming.sessions.begin(claim) else {
            return self.decided(ticket, Err(NotRecovered::Missed));
        };
        let words = [&b"GETDEL"[..], key.as_bytes()];
        match self.command(now, &words, Token::Taken(ticket)) {
            Ok(()) => self.ask_for_page(now, ticket, offset),
            Err(token) => self.lost(&token),
        }
    }

    fn ask_for_page(&mut self, now: Now, ticket: u64, from: EntryId) {
        let (stream, from) = (self.config.stream.clone(), from.to_string());
        let count = self.config.stream_page_max.to_string();
        let words = [
            &b"XRANGE"[..],
            stream.as_bytes(),
            from.as_bytes(),
            b"+",
            b"COUNT",
            count.as_bytes(),
        ];
        if let Err(token) = self.command(now, &words, Token::Page(ticket)) {
            self.lost(&token);
        }
    }

    /// What was asked for a claim will not be answered.
    pub(super) fn claim_lost(&mut self, ticket: u64) {
        if let Some(streaming) = &mut self.streaming
            && streaming.sessions.drop_claim(ticket)
        {
            self.decided(ticket, Err(NotRecovered::Unknown));
        }
    }

    /// What its key held.
    pub(super) fn taken(&mut self, now: Now, ticket: u64, value: &Value) {
        if let Some(streaming) = &mut self.streaming {
            let standing = streaming.sessions.taken(ticket, value);
            self.stands(now, ticket, standing);
        }
    }

    /// A page of the stream, for a claim.
    pub(super) fn page(&mut self, now: Now, ticket: u64, value: &Value) {
        if let Some(streaming) = &mut self.streaming {
            let read = streaming.tail.at();
            let of = |fields: &[Value]| self.wire.missed(fields);
            let standing = streaming.sessions.page(ticket, value, read, of);
            self.stands(now, ticket, standing);
        }
    }

    fn stands(&mut self, now: Now, ticket: u64, standing: Standing) {
        match standing {
            Standing::Waits => {}
            Standing::Ask(from) => self.ask_for_page(now, ticket, from),
            Standing::Over(outcome) => self.decided(ticket, outcome),
        }
    }

    /// A client was cut off, and may come back.
    pub(super) fn keep_session(&mut self, now: Now, session: &KeptSession) {
        let Some(within) = self.streaming.as_ref().and_then(|it| it.keeps) else {
            return;
        };
        let key = format!("{}{}", self.config.session_prefix, session.pid);
        let (value, millis) = (sessions::written(session), sessions::millis(within));
        let words = [
            &b"SET"[..],
            key.as_bytes(),
            value.as_bytes(),
            b"PX",
            millis.as_bytes(),
        ];
        if let Err(token) = self.command(now, &words, Token::Keep) {
            self.lost(&token);
        }
    }
}
