//! What the packets of a client mean, by whichever transport they came.
//!
//! Packets come in; [`Incoming`] messages go up and borrow from them; the rest is signs of life, or the end.
//! Never knows what a message says.
//! Left out: keeping anything. Who wants a message takes it while it is there.

use std::borrow::Cow;

use super::ending::Ending;
use super::packet::{self, Decoded};
use super::payload::Record;
use super::session::Reason;
use super::{Engine, SessionId};
use crate::time::Time;

/// A message for the layer above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Of text.
    Text(&'a str),
    /// Of bytes.
    Binary(Cow<'a, [u8]>),
}

impl Engine {
    /// What one packet means, or that it was none.
    pub(super) fn recorded<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        record: Result<Record<'a>, packet::Undecodable>,
    ) -> Option<Incoming<'a>> {
        match record {
            Ok(Record::Text(decoded)) => self.decoded(now, id, decoded),
            Ok(Record::Binary(bytes)) => {
                self.put_off_death(now, id);
                self.counters.received += 1;
                self.counters.received_bytes += bytes.len() as u64;
                Some(Incoming::Binary(bytes))
            }
            Err(packet::Undecodable) => {
                self.end(now, id, Reason::ParseError, Ending::Abrupt);
                None
            }
        }
    }

    fn decoded<'a>(
        &mut self,
        now: Time,
        id: SessionId,
        decoded: Decoded<'a>,
    ) -> Option<Incoming<'a>> {
        match decoded {
            Decoded::Message(text) => {
                self.put_off_death(now, id);
                self.counters.received += 1;
                self.counters.received_bytes += text.len() as u64;
                Some(Incoming::Text(text))
            }
            Decoded::Pong | Decoded::Ping(_) => {
                self.beat(now, id, &decoded);
                None
            }
            Decoded::Close => {
                self.client_closed(now, id);
                None
            }
            Decoded::Upgrade | Decoded::Noop => {
                self.put_off_death(now, id);
                None
            }
        }
    }
}
