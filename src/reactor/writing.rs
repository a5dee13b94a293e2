//! Writing: who is written to in this turn, and what is told of it.
//!
//! Comes in: bytes to send. Goes out: one write for each stream and turn, `refused` and `drained`.
//! Knows no protocol, and no priority but one: who was read in this turn is answered in it.
//! Left out: a pause to collect more (a turn is the pause), and any limit (see [`super::outbox`]).

use std::io;

use super::outbox::Written;
use super::stream::{Flags, Phase};
use super::turn::Reactor;
use super::{ConnId, Service};
use crate::buffers::Shared;
use crate::time::Now;

impl Reactor {
    /// Queues bytes; they leave when all actions are performed.
    pub(super) fn send(&mut self, id: ConnId, bytes: Shared) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match stream.phase {
            Phase::Open | Phase::Ended => {}
            Phase::Connecting | Phase::Flushing | Phase::Lingering => return,
        }
        self.outboxes.push(&mut stream.outbox, bytes);
        if stream.flags.has(Flags::REFUSED) {
            return; // the kernel will ask
        }
        if stream.read_turn == self.turn {
            self.heat(id);
        } else if !stream.flags.has(Flags::HOT) && stream.flags.raise(Flags::BACKLOG) {
            self.backlog.push_back(id);
        }
    }

    /// Lets the service be told when all is written.
    pub(super) fn tell(&mut self, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.flags.set(Flags::TELL);
        if stream.outbox.is_empty() {
            // Nothing would be written, so nothing would be told.
            self.heat(id);
        }
    }

    /// Lists a stream to be written in this turn.
    pub(super) fn heat(&mut self, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        if stream.flags.raise(Flags::HOT) {
            self.hot.push(id);
        }
    }

    /// Writes to those read in this turn, and to a slice of the others: a broadcast to ten thousand takes several turns,
    /// and an echo waits for none of them.
    pub(super) fn write_all<S: Service>(&mut self, service: &mut S, now: Now) {
        let mut hot = std::mem::take(&mut self.hot);
        for id in hot.drain(..) {
            let Some(stream) = self.streams.get_mut(id) else {
                continue;
            };
            stream.flags.clear(Flags::HOT);
            if !stream.flags.has(Flags::REFUSED) {
                self.write(service, now, id);
            }
        }
        self.hot = hot;
        let mut left = self.config.writes_per_turn_max;
        while left > 0 {
            let Some(id) = self.backlog.pop_front() else {
                return;
            };
            let Some(stream) = self.streams.get_mut(id) else {
                continue;
            };
            stream.flags.clear(Flags::BACKLOG);
            if !stream.outbox.is_empty() && !stream.flags.has(Flags::REFUSED) {
                left -= 1;
                self.write(service, now, id);
            }
        }
    }

    /// Offers the kernel all that waits for one stream.
    #[inline]
    pub(super) fn write<S: Service>(&mut self, service: &mut S, now: Now, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let written = self
            .outboxes
            .write(&mut stream.outbox, &mut stream.transport);
        let is_open =
            stream.phase == Phase::Open && !stream.flags.has(Flags::REFUSED | Flags::TELL);
        if !(is_open && matches!(written, Ok(Written::All))) {
            self.wrote(service, now, id, written);
        }
    }

    /// A write that was not all and nothing else.
    fn wrote<S: Service>(
        &mut self,
        service: &mut S,
        now: Now,
        id: ConnId,
        written: io::Result<Written>,
    ) {
        let written = match written {
            Ok(written) => written,
            Err(error) => return self.broken(service, now, id, error),
        };
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match (written, stream.phase) {
            (Written::Part, Phase::Open) => {
                stream.flags.set(Flags::REFUSED);
                service.refused(now, id, stream.outbox.bytes());
                self.again = true;
            }
            (Written::Part, _) => stream.flags.set(Flags::REFUSED),
            (Written::All, Phase::Open) => {
                let was_refused = stream.flags.lower(Flags::REFUSED);
                if stream.flags.lower(Flags::TELL) || was_refused {
                    service.drained(now, id);
                    self.again = true;
                }
            }
            (Written::All, Phase::Ended | Phase::Flushing) => {
                stream.flags.clear(Flags::REFUSED);
                self.finish(now, id);
            }
            (Written::All, Phase::Connecting | Phase::Lingering) => {}
        }
    }
}
