//! How a connection begins and how it ends, whoever wishes it.
//!
//! Comes in: sockets, wishes to connect and to close, ends and errors. Goes out: rows, `connected`, `closed`, and nothing
//! left behind. The table of phases is at [`Phase`].
//! Knows no bytes but how many wait.
//! Left out: resuming after an error; who comes back is a new connection.

use std::io;

use mio::Interest;
use mio::net::TcpStream;
use socket2::SockRef;

use super::stream::{Flags, Phase, Stream, Transport};
use super::turn::{Due, Reactor};
use super::{Close, ConnId, Peer, Service, Tag, listener, tokens};
use crate::time::{Now, Time};

impl Reactor {
    /// Gives a stream its row and its place in the selector.
    pub(super) fn enrol(&mut self, stream: Stream) -> io::Result<ConnId> {
        let id = self.streams.insert(stream);
        let token = tokens::of_stream(id);
        let both = Interest::READABLE | Interest::WRITABLE;
        let stream = self.streams.get_mut(id).expect("the row was made just now");
        let registered = match &mut stream.transport {
            Transport::Plain(socket) => self.poll.registry().register(socket, token, both),
        };
        if let Err(error) = registered {
            self.remove(id);
            return Err(error);
        }
        Ok(id)
    }

    pub(super) fn connect(&mut self, now: Now, tag: Tag, peer: Peer) -> io::Result<()> {
        let Peer::Tcp(address) = peer else {
            return Err(io::ErrorKind::Unsupported.into()); // a Unix peer has no address to go to
        };
        if self.streams.len() >= tokens::CONNECTIONS_MAX {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        let socket = TcpStream::connect(address)?;
        listener::tune(&SockRef::from(&socket), self.config.unacknowledged_within);
        let id = self.enrol(Stream::connecting(Transport::Plain(socket), tag))?;
        self.timers.arm(
            now.mono + self.config.unacknowledged_within,
            Due::Connect(id),
        );
        Ok(())
    }

    /// A connection being made has news: it was made, or was not.
    pub(super) fn greet<S: Service>(&mut self, service: &mut S, now: Now, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match stream.transport.take_error() {
            Ok(Some(error)) | Err(error) => return self.not_made(service, now, id, error),
            Ok(None) => {}
        }
        if !stream.transport.is_connected() {
            return; // an event too early: the next one decides, or the timer
        }
        stream.phase = Phase::Open;
        let Some(tag) = stream.take_tag() else { return };
        let readable = stream.flags.has(Flags::READY);
        service.connected(now, tag, Ok(id));
        if readable {
            self.list(id);
        }
    }

    pub(super) fn not_made<S: Service>(
        &mut self,
        service: &mut S,
        now: Now,
        id: ConnId,
        error: io::Error,
    ) {
        let tag = self.streams.get_mut(id).and_then(Stream::take_tag);
        self.remove(id);
        if let Some(tag) = tag {
            service.connected(now, tag, Err(error));
        }
    }

    /// Frees the row and the socket. Nobody is told.
    pub(super) fn remove(&mut self, id: ConnId) {
        let Some(mut stream) = self.streams.remove(id) else {
            return;
        };
        if stream.phase.is_closing() {
            self.closing -= 1;
        }
        self.inboxes_bytes -= stream.inbox_bytes();
        self.outboxes.clear(&mut stream.outbox);
        self.listeners.addresses.release(stream.address);
    }

    /// The world broke a connection: it is gone, and the service is told if it still cares.
    pub(super) fn broken<S: Service>(
        &mut self,
        service: &mut S,
        now: Now,
        id: ConnId,
        error: io::Error,
    ) {
        let was_open = self.phase_of(id) == Some(Phase::Open);
        self.remove(id);
        if was_open {
            service.closed(now, id, Err(error));
            self.again = true;
        }
    }

    /// The peer has said its last. What the service has to say to that may still be sent.
    pub(super) fn ended<S: Service>(&mut self, service: &mut S, now: Now, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.phase = Phase::Ended;
        self.inboxes_bytes -= stream.inbox_bytes();
        stream.inbox_discard();
        self.closing += 1;
        self.settling.push(id);
        service.closed(now, id, Ok(()));
    }

    pub(super) fn close(&mut self, id: ConnId, how: Close) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match (how, stream.phase) {
            (Close::Reset, _) => {
                stream.transport.reset_on_drop();
                return self.remove(id);
            }
            // Asked a second time, or after the peer: what is under way is what was asked for.
            (_, Phase::Connecting | Phase::Ended | Phase::Flushing | Phase::Lingering) => return,
            (Close::Flush | Close::Linger { .. }, Phase::Open) => {}
        }
        self.inboxes_bytes -= stream.inbox_bytes();
        stream.inbox_discard();
        if let Close::Linger { bytes, time } = how {
            stream.linger_later(bytes, time);
        }
        stream.phase = Phase::Flushing;
        self.closing += 1;
        self.settling.push(id);
        self.heat(id);
    }

    /// After the writing: who has nothing more to say goes, the others have until their deadline.
    pub(super) fn settle(&mut self, now: Now) {
        let mut settling = std::mem::take(&mut self.settling);
        for id in settling.drain(..) {
            let Some(stream) = self.streams.get(id) else {
                continue;
            };
            match stream.outbox.bytes() {
                0 => self.finish(now, id),
                waiting => self.arm_flush(now.mono, id, waiting),
            }
        }
        self.settling = settling;
    }

    /// Gives a connection being closed its time to take some of what waits for it.
    fn arm_flush(&mut self, now: Time, id: ConnId, waiting: usize) {
        self.flushing_bytes += waiting;
        let at = now + self.config.flush_within;
        self.timers.arm(at, Due::Flush(id, waiting));
    }

    /// The time of a connection being closed is up. One that has used it, be it slowly, has as much again.
    pub(super) fn flush_due(&mut self, now: Time, id: ConnId, waited: usize) {
        self.flushing_bytes -= waited;
        let Some(stream) = self.streams.get(id) else {
            return;
        };
        if !matches!(stream.phase, Phase::Ended | Phase::Flushing) {
            return;
        }
        let waiting = stream.outbox.bytes();
        let fits = self.flushing_bytes + waiting <= self.config.flushing_bytes_max;
        if waiting < waited && fits {
            self.arm_flush(now, id, waiting);
        } else {
            self.remove(id);
        }
    }

    /// All was written: the end, or the lingering before it.
    pub(super) fn finish(&mut self, now: Now, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        match (stream.phase, stream.linger()) {
            (Phase::Flushing, Some((_, time))) => {
                if stream.transport.shutdown_write().is_err() {
                    return self.remove(id);
                }
                stream.phase = Phase::Lingering;
                self.timers.arm(now.mono + time, Due::Linger(id));
                // What came before may still be unread, and no event will tell.
                self.list(id);
            }
            (Phase::Ended | Phase::Flushing, _) => self.remove(id),
            (Phase::Connecting | Phase::Open | Phase::Lingering, _) => {}
        }
    }

    pub(super) fn phase_of(&self, id: ConnId) -> Option<Phase> {
        self.streams.get(id).map(|stream| stream.phase)
    }
}

#[cfg(test)]
mod tests;
