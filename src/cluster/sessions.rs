//! Sessions of clients that were cut off, kept in Redis so that they may go on at whichever node: the official adapter's keys.
//!
//! A session goes out as the value of a key that ends by itself. A client that comes back is a claim: its session is taken from
//! Redis, once, and the stream is read from the last entry that the client has heard. All that it has missed is known when
//! this node's own reading stands at the same entry; from there on it hears what the others hear.
//! Knows no connection: says what is to be asked, and is told the answers. Invariant: a claim is answered, or it is in `claims`.
//! Left out: sessions of a node that died without a word, which nobody has written down.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::entry::{self, EntryId, Fields};
use super::message::{Message, Name, names, plain, quoted};
use super::resp::Value;
use crate::config;
use crate::server::cluster::Wish;
use crate::server::{Claim, KeptSession, MissedEvent, NotRecovered};
use crate::sid::Sid;
use crate::socketio::args::Args;
use crate::socketio::msgpack;

/// Pages of the stream that are read for one client; who has missed more is a stranger.
const PAGES_MAX: u32 = 1000;

/// How a claim stands.
#[derive(Debug)]
pub(super) enum Standing {
    /// Its entries from here on are to be asked for.
    Ask(EntryId),
    /// It waits: for an answer, or for this node's own reading.
    Waits,
    /// It is decided.
    Over(Result<Box<Recovered>, NotRecovered>),
}

/// A session and what its client has missed.
pub(super) type Recovered = (KeptSession, Vec<MissedEvent>);

#[derive(Debug)]
struct Open {
    claim: Claim,
    /// The last entry that the client has heard.
    offset: EntryId,
    session: Option<KeptSession>,
    /// The last entry that was looked at for it.
    at: EntryId,
    missed: Vec<MissedEvent>,
    bytes: usize,
    pages: u32,
    is_asking: bool,
}

/// Claims that are not decided.
#[derive(Debug)]
pub(super) struct Sessions {
    claims: BTreeMap<u64, Open>,
    bytes: usize,
    bytes_max: usize,
    limits: config::SocketIo,
}

impl Sessions {
    pub(super) fn new(config: &config::Cluster, limits: config::SocketIo) -> Self {
        Self {
            claims: BTreeMap::new(),
            bytes: 0,
            bytes_max: config.missed_bytes_max,
            limits,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// A client has come back; none if it names no offset of a stream. Its session and its first page are to be asked for.
    pub(super) fn begin(&mut self, claim: Claim) -> Option<EntryId> {
        let offset = claim.offset.parse().ok()?;
        let open = Open {
            offset,
            session: None,
            at: offset,
            missed: Vec::new(),
            bytes: 0,
            pages: 0,
            is_asking: true,
            claim,
        };
        self.claims.insert(open.claim.ticket, open);
        Some(offset)
    }

    /// What the key held.
    pub(super) fn taken(&mut self, ticket: u64, value: &Value) -> Standing {
        let Some(open) = self.claims.get_mut(&ticket) else {
            return Standing::Waits;
        };
        let session = value.text().and_then(|text| read(text, &self.limits));
        let session = session.filter(|(session, namespace)| {
            let is_here = namespace
                .as_ref()
                .is_none_or(|own| **own == *open.claim.namespace);
            is_here && session.pid == open.claim.pid
        });
        match session {
            Some((mut session, _)) => {
                session.namespace = open.claim.namespace.clone();
                open.session = Some(session);
                Standing::Waits
            }
            None => self.end(ticket, NotRecovered::Unknown),
        }
    }

    /// A page of the stream has come. `of` says what an entry was for clients, and `read` is where this node's own reading stands.
    pub(super) fn page(
        &mut self,
        ticket: u64,
        value: &Value,
        read: EntryId,
        of: impl Fn(&[Value]) -> Option<Wish>,
    ) -> Standing {
        let Some(open) = self.claims.get_mut(&ticket) else {
            return Standing::Waits;
        };
        let Value::List(list) = value else {
            return self.end(ticket, NotRecovered::Missed);
        };
        open.is_asking = false;
        open.pages += 1;
        let mut entries = entry::entries(list);
        let had = open.bytes;
        if open.pages == 1 {
            // The last that was heard must still be there, or others before the first of the page may be missing.
            if entries.first().is_none_or(|(id, _)| *id != open.offset) {
                return self.end(ticket, NotRecovered::Missed);
            }
            entries.remove(0);
        }
        if entries.is_empty() && open.pages > 1 {
            // It was asked for since there were more: they are gone.
            return self.end(ticket, NotRecovered::Missed);
        }
        for (id, fields) in entries {
            open.passes(id, fields, &of);
        }
        self.bytes += open.bytes - had;
        if self.bytes > self.bytes_max || open.pages > PAGES_MAX {
            return self.end(ticket, NotRecovered::Missed);
        }
        self.stand(ticket, read)
    }

    /// How a claim stands when this node's own reading does so.
    fn stand(&mut self, ticket: u64, read: EntryId) -> Standing {
        let Some(open) = self.claims.get_mut(&ticket) else {
            return Standing::Waits;
        };
        if open.is_asking || open.at > read {
            return Standing::Waits;
        }
        if open.at < read {
            open.is_asking = true;
            return Standing::Ask(open.at.next());
        }
        self.close(ticket).map_or(Standing::Waits, |open| {
            let session = open.session.ok_or(NotRecovered::Unknown);
            Standing::Over(session.map(|session| Box::new((session, open.missed))))
        })
    }

    /// This node's own reading has come to an entry: those who wait for it.
    pub(super) fn reached(&mut self, read: EntryId) -> Vec<(u64, Standing)> {
        let waiting = self.claims.iter();
        let waiting = waiting.filter(|(_, open)| !open.is_asking && open.at <= read);
        let tickets: Vec<u64> = waiting.map(|(ticket, _)| *ticket).collect();
        let stand = |ticket| (ticket, self.stand(ticket, read));
        tickets.into_iter().map(stand).collect()
    }

    /// Redis is away: nobody of those who wait can be told anything.
    pub(super) fn end_all(&mut self) -> Vec<u64> {
        self.bytes = 0;
        std::mem::take(&mut self.claims).into_keys().collect()
    }

    /// A claim is given up; says whether it was there.
    pub(super) fn drop_claim(&mut self, ticket: u64) -> bool {
        self.close(ticket).is_some()
    }

    fn end(&mut self, ticket: u64, why: NotRecovered) -> Standing {
        match self.close(ticket) {
            Some(_) => Standing::Over(Err(why)),
            None => Standing::Waits,
        }
    }

    fn close(&mut self, ticket: u64) -> Option<Open> {
        let open = self.claims.remove(&ticket)?;
        self.bytes -= open.bytes;
        Some(open)
    }
}

impl Open {
    fn passes(&mut self, id: EntryId, fields: Fields<'_>, of: impl Fn(&[Value]) -> Option<Wish>) {
        self.at = id;
        let Some(Wish::Emit {
            to,
            event,
            values,
            is_volatile: false,
            ..
        }) = fields.and_then(of)
        else {
            return;
        };
        let Some(session) = &self.session else {
            return;
        };
        let any_of = |names: &[Box<str>]| names.iter().any(|name| session.rooms.contains(name));
        let is_meant = to.rooms.is_empty() || any_of(&to.rooms);
        if *to.namespace != *self.claim.namespace || !is_meant || any_of(&to.except) {
            return;
        }
        let attachments = values.attachments.iter().map(|bytes| bytes.len());
        self.bytes += event.len() + values.list.len() + attachments.sum::<usize>() + 128;
        self.missed.push(MissedEvent {
            offset: id.to_string().into(),
            event,
            values,
        });
    }
}

/// A session as the official adapter writes it, and its namespace beside that.
pub(super) fn written(session: &KeptSession) -> String {
    let KeptSession {
        pid,
        id,
        namespace,
        rooms,
        data,
    } = session;
    let (rooms, namespace) = (plain(rooms), quoted(namespace));
    let text = format!(
        "{{\"sid\":\"{id}\",\"pid\":\"{pid}\",\"rooms\":{rooms},\"data\":{data},\"nsp\":{namespace}}}"
    );
    BASE64.encode(&msgpack::from_json(&text, &[]))
}

#[derive(Deserialize)]
struct Read<'a> {
    sid: Sid,
    pid: Sid,
    rooms: Vec<Name>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    nsp: Option<Box<str>>,
}

/// A session, and its namespace if that was written.
pub(super) fn read(
    text: &[u8],
    limits: &config::SocketIo,
) -> Option<(KeptSession, Option<Box<str>>)> {
    let packed = BASE64.decode(text).ok()?;
    let message = Message::packed(&packed, limits).ok()?;
    let read: Read<'_> = message.parse().ok()?;
    let data = read.data.map_or("{}", RawValue::get);
    let session = KeptSession {
        pid: read.pid,
        id: read.sid,
        namespace: "".into(),
        rooms: names(&read.rooms),
        data: (*Args::new(data, &message.attachments).spelled_out()).into(),
    };
    Some((session, read.nsp))
}

/// How long a key lasts, in the words of `SET`.
pub(super) fn millis(within: Duration) -> String {
    within.as_millis().max(1).to_string()
}
