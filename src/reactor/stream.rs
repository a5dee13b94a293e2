//! One socket: its row, its phase, and what of its input was left for later.
//!
//! Readiness and bytes come in from the turn; bytes that the layer above did not take are kept in the inbox.
//! Knows no other socket, no service and no protocol.
//! Left out: TLS. Its records would live in [`Transport`], and nobody else would notice.

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;

use super::Tag;
use super::listener::AddressIndex;
use super::outbox::Outbox;

/// A connection's row in the reactor; only ever seen as [`super::ConnId`].
///
/// An idle one is these few bytes and nothing else: what most connections lack most of the time is in `rare`.
#[derive(Debug)]
pub struct Stream {
    pub(super) transport: Transport,
    pub(super) phase: Phase,
    pub(super) flags: Flags,
    /// The turn in which it was last read: its answers go out first.
    pub(super) read_turn: u32,
    pub(super) outbox: Outbox,
    pub(super) address: AddressIndex,
    rare: Option<Box<Rare>>,
}

/// Where a connection is in its life.
///
/// | from         | by                                      | to                          |
/// |--------------|-----------------------------------------|-----------------------------|
/// | `Connecting` | the handshake's end                     | `Open`, or gone             |
/// | `Open`       | the peer's end of stream                | `Ended`                     |
/// | `Open`       | `Close::Flush`, `Close::Linger`         | `Flushing`                  |
/// | `Open`       | an error, `Close::Reset`                | gone                        |
/// | `Ended`      | an empty outbox, no progress, an error  | gone                        |
/// | `Flushing`   | an empty outbox                         | gone, or `Lingering`        |
/// | `Flushing`   | no progress, an error                   | gone                        |
/// | `Lingering`  | the peer's end, its bytes or time, error| gone                        |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Ours to the peer, not yet answered; the service does not know its name.
    Connecting,
    /// Both sides may speak.
    Open,
    /// The peer has ended it and the service was told; what it had still to say is being written.
    Ended,
    /// The service has ended it; what it had still to say is being written.
    Flushing,
    /// All is written and the peer knows; whatever it still sends is thrown away.
    Lingering,
}

impl Phase {
    /// Whether the service is through with it.
    pub(super) const fn is_closing(self) -> bool {
        match self {
            Self::Connecting | Self::Open => false,
            Self::Ended | Self::Flushing | Self::Lingering => true,
        }
    }
}

/// Yes-or-nos, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u16);

impl Flags {
    /// The kernel may hold unread bytes: no event will come for them.
    pub(super) const READY: u16 = 1;
    /// Reading was stopped by the service.
    pub(super) const HELD: u16 = 1 << 1;
    /// The event spoke of an end or an error: a short read does not mean drained.
    pub(super) const TO_END: u16 = 1 << 2;
    /// It stands in the list of those to be read.
    pub(super) const LISTED: u16 = 1 << 3;
    /// The inbox is to be shown again.
    pub(super) const SHOW: u16 = 1 << 4;
    /// The kernel took less than it was given: wait for it to ask.
    pub(super) const REFUSED: u16 = 1 << 5;
    /// It stands in the list of those to be written first.
    pub(super) const HOT: u16 = 1 << 6;
    /// It stands in the list of those to be written in their turn.
    pub(super) const BACKLOG: u16 = 1 << 7;
    /// The service is to be told when all is written, whether that was refused or not.
    pub(super) const TELL: u16 = 1 << 8;

    pub(super) const fn has(self, flag: u16) -> bool {
        self.0 & flag != 0
    }

    pub(super) const fn set(&mut self, flag: u16) {
        self.0 |= flag;
    }

    pub(super) const fn clear(&mut self, flag: u16) {
        self.0 &= !flag;
    }

    /// Sets the flag and says whether that was news.
    pub(super) const fn raise(&mut self, flag: u16) -> bool {
        let news = !self.has(flag);
        self.set(flag);
        news
    }

    /// Clears the flag and says whether it was set.
    pub(super) const fn lower(&mut self, flag: u16) -> bool {
        let was = self.has(flag);
        self.clear(flag);
        was
    }
}

/// What few connections have, and none for long.
#[derive(Debug, Default)]
struct Rare {
    /// Bytes the service has left; those before `taken` it took since they were last moved.
    inbox: Vec<u8>,
    taken: usize,
    /// After flushing: bytes and time of [`super::Close::Linger`].
    linger: Option<(usize, Duration)>,
    /// Of a connection being made.
    tag: Option<Tag>,
}

impl Stream {
    pub(super) const fn new(transport: Transport, phase: Phase, address: AddressIndex) -> Self {
        Self {
            transport,
            phase,
            flags: Flags(0),
            read_turn: 0,
            outbox: Outbox::new(),
            address,
            rare: None,
        }
    }

    pub(super) fn connecting(transport: Transport, tag: Tag) -> Self {
        let mut stream = Self::new(transport, Phase::Connecting, AddressIndex::EXEMPT);
        stream.rare_mut().tag = Some(tag);
        stream
    }

    /// The tag of the wish it was made for, once.
    pub(super) fn take_tag(&mut self) -> Option<Tag> {
        self.rare.take().and_then(|rare| rare.tag)
    }

    pub(super) fn inbox_bytes(&self) -> usize {
        self.rare
            .as_ref()
            .map_or(0, |rare| rare.inbox.len() - rare.taken)
    }

    pub(super) fn inbox_mut(&mut self) -> &mut [u8] {
        self.rare
            .as_mut()
            .map_or(&mut [], |rare| &mut rare.inbox[rare.taken..])
    }

    pub(super) fn inbox_append(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.rare_mut().inbox.extend_from_slice(bytes);
        }
    }

    /// Removes what the service took off the front. The rest moves only when at least as much was taken before it, so
    /// that a full inbox taken in crumbs costs linear time; an empty inbox gives its memory back.
    pub(super) fn inbox_take(&mut self, bytes: usize) {
        let Some(rare) = &mut self.rare else { return };
        rare.taken += bytes;
        debug_assert!(
            rare.taken <= rare.inbox.len(),
            "a service takes no more than it was shown"
        );
        if rare.taken >= rare.inbox.len() {
            self.inbox_discard();
        } else if rare.taken >= rare.inbox.len() / 2 {
            rare.inbox.drain(..rare.taken);
            rare.taken = 0;
        }
    }

    pub(super) fn inbox_discard(&mut self) {
        self.rare = None;
    }

    pub(super) fn linger_later(&mut self, bytes: usize, time: Duration) {
        self.rare_mut().linger = Some((bytes, time));
    }

    pub(super) fn linger(&self) -> Option<(usize, Duration)> {
        self.rare.as_ref().and_then(|rare| rare.linger)
    }

    /// Counts bytes thrown away; says whether more may be.
    pub(super) fn linger_spend(&mut self, bytes: usize) -> bool {
        let Some((left, _)) = self.rare.as_mut().and_then(|rare| rare.linger.as_mut()) else {
            return false;
        };
        *left = left.saturating_sub(bytes);
        *left > 0
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

/// What carries the bytes.
///
/// TLS would be a second variant, a box with the socket and its records: `read` decrypts in place in the loop's buffer,
/// `write` and `write_vectored` encrypt into the box and report plain bytes as taken, and what the kernel refuses of
/// the ciphertext is theirs to keep.
#[derive(Debug)]
pub(super) enum Transport {
    /// Bytes as they are, over TCP or within this machine.
    Plain(TcpStream),
}

impl Transport {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
        }
    }

    pub(super) fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write_vectored(slices),
        }
    }

    pub(super) fn shutdown_write(&self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    /// Makes the coming drop of the socket a reset.
    pub(super) fn reset_on_drop(&self) {
        match self {
            // Without it the close is orderly: nothing worth telling anybody.
            Self::Plain(socket) => {
                let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
            }
        }
    }

    /// The error that waits on the socket, if one does.
    pub(super) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Plain(socket) => socket.take_error(),
        }
    }

    /// Whether a connection being made has been made.
    pub(super) fn is_connected(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.peer_addr().is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_of_an_idle_stream_is_small() {
        // 40 bytes on Linux; with debug assertions mio adds a word of its own to each socket.
        assert!(size_of::<Stream>() <= 56, "{}", size_of::<Stream>());
    }
}
