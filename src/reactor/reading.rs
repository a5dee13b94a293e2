//! Reading: from the kernel through the one buffer to the service, and what it leaves to the inbox.
//!
//! Comes in: which connections may have something. Goes out: `received`, with bytes that are the service's to take.
//! Knows no protocol: how much is a whole thing is for the service to say.
//! Left out: reads of known length straight into an inbox; messages that large are rare, and the copy is cheap.

use std::io;

use super::stream::{Flags, Phase};
use super::turn::Reactor;
use super::{ConnId, Service};
use crate::time::Now;

impl Reactor {
    /// Reads each listed connection once, within its budget; who has more is listed again.
    pub(super) fn read_listed<S: Service>(&mut self, service: &mut S, now: Now) {
        // Those listed now: who is listed again meanwhile has had its turn.
        let mut listed = std::mem::take(&mut self.being_read);
        std::mem::swap(&mut listed, &mut self.listed);
        for id in listed.drain(..) {
            let Some(stream) = self.streams.get_mut(id) else {
                continue;
            };
            stream.flags.clear(Flags::LISTED);
            match stream.phase {
                Phase::Open => {
                    self.read_open(service, now, id);
                    self.make_room(service, now);
                }
                Phase::Lingering => self.read_into_nothing(id),
                Phase::Connecting | Phase::Ended | Phase::Flushing => {}
            }
        }
        self.being_read = listed;
    }

    fn read_open<S: Service>(&mut self, service: &mut S, now: Now, id: ConnId) {
        if self.exit_at.is_some() {
            return;
        }
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.read_turn = self.turn;
        if stream.flags.lower(Flags::SHOW) && stream.inbox_bytes() > 0 {
            self.inboxes_bytes -= stream.inbox_bytes();
            let taken = service.received(now, id, stream.inbox_mut());
            stream.inbox_take(taken);
            self.inboxes_bytes += stream.inbox_bytes();
        }
        let mut budget = self.config.read_bytes_per_turn_max;
        while stream.flags.has(Flags::READY) && !stream.flags.has(Flags::HELD) {
            let room = self
                .config
                .inbox_bytes_max
                .saturating_sub(stream.inbox_bytes());
            if room == 0 {
                return; // until `Show`
            }
            if budget == 0 {
                return self.list(id);
            }
            let wanted = room.min(self.buffer.len());
            let bytes = &mut self.buffer[..wanted];
            let count = match stream.transport.read(bytes) {
                Ok(0) => return self.ended(service, now, id),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stream.flags.clear(Flags::READY | Flags::TO_END);
                    return;
                }
                Err(error) => return self.broken(service, now, id, error),
            };
            if count < wanted && !stream.flags.has(Flags::TO_END) {
                // Drained, without asking the kernel to say so.
                stream.flags.clear(Flags::READY);
            }
            budget = budget.saturating_sub(count);
            let fresh = &mut bytes[..count];
            self.inboxes_bytes -= stream.inbox_bytes();
            if stream.inbox_bytes() == 0 {
                let taken = service.received(now, id, fresh);
                debug_assert!(taken <= count, "a service takes no more than it was shown");
                stream.inbox_append(fresh.get(taken..).unwrap_or_default());
            } else {
                stream.inbox_append(fresh);
                let taken = service.received(now, id, stream.inbox_mut());
                stream.inbox_take(taken);
            }
            self.inboxes_bytes += stream.inbox_bytes();
        }
    }

    /// All inboxes together hold too much: the fullest goes, and whoever fills it.
    fn make_room<S: Service>(&mut self, service: &mut S, now: Now) {
        if self.inboxes_bytes <= self.config.inboxes_bytes_max {
            return;
        }
        let streams = self.streams.iter();
        let fullest = streams.max_by_key(|(_, stream)| stream.inbox_bytes());
        if let Some((id, _)) = fullest {
            self.broken(service, now, id, io::ErrorKind::QuotaExceeded.into());
        }
    }

    /// Reads on so that no reset overtakes what was written last.
    fn read_into_nothing(&mut self, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        loop {
            match stream.transport.read(&mut self.buffer) {
                Ok(count) if count > 0 && stream.linger_spend(count) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => return self.remove(id),
            }
        }
    }

    pub(super) fn show(&mut self, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.flags.clear(Flags::HELD);
        if stream.phase != Phase::Open {
            return;
        }
        let waits = stream.inbox_bytes() > 0;
        if waits {
            stream.flags.set(Flags::SHOW);
        }
        if waits || stream.flags.has(Flags::READY) {
            self.list(id);
        }
    }
}
