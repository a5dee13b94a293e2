//! The loop: sockets, readiness, outboxes, threads, signals and the one clock.
//!
//! Facts go up as calls of [`Service`], with borrowed bytes and the time; what must reach the world comes down as
//! [`Action`]s, which the loop performs. [`Reactor`] is the loop; `turn` says in which order things happen.
//! Knows no protocol and no application: to it a connection is bytes in both directions.
//! Left out: UDP, and reading files (a lane can).

mod clock;
mod door;
mod handle;
pub mod lanes;
mod life;
mod listener;
mod outbox;
mod reading;
mod signals;
mod stream;
mod tokens;
mod turn;
mod writing;

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};

use crate::buffers::Shared;
use crate::slots::Id;
use crate::time::{Now, Time};

pub use handle::{Handle, Undelivered};
pub use stream::Stream;
pub use turn::Reactor;

/// Names a connection from `accepted` (or `connected`) until its end.
pub type ConnId = Id<Stream>;

/// Names a listening socket, in the order they were opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub u32);

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// A TCP connection, by the address the kernel names.
    Tcp(SocketAddr),
    /// A Unix-domain connection.
    Unix,
}

/// Names a wish to connect, chosen by the service and given back with the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub u64);

/// Names a job, chosen by the service and given back with its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u64);

/// Names a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LaneId(pub u32);

/// Something another thread posted to the loop.
pub type Letter = Box<dyn Any + Send>;

/// 32 secret bytes from the operating system, for whoever makes ids from them.
///
/// # Panics
/// If the operating system has none to give, which no server can live with.
#[must_use]
pub fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    SysRng
        .try_fill_bytes(&mut seed)
        .expect("the operating system has random bytes");
    seed
}

/// What the loop tells, and whom it asks.
///
/// One turn: readiness → `received`/`closed`/`finished`/`posted`/… → `elapsed` if `deadline` has come → `poll_action`
/// until `None` → the writing, which may bring `refused`, `drained` and `closed`; what those lead to is asked for in the
/// next turn, which follows at once.
///
/// A connection is named from `accepted` (or `connected`) until either `closed` was called for it or the loop has taken
/// the service's own [`Action::Close`]; nothing is told of it afterwards. Actions for a name that means nobody are
/// harmless. As actions are taken after all facts of a turn, a service that has just decided to close or to hold a connection
/// may still hear of it until the turn is over.
pub trait Service {
    /// A peer has connected.
    fn accepted(&mut self, now: Now, listener: ListenerId, conn: ConnId, peer: Peer);
    /// So many peers have connected and were closed at once: there are too many, in all or from their address.
    fn turned_away(&mut self, _now: Now, _count: usize) {}
    /// An [`Action::Connect`] has come to its end.
    fn connected(&mut self, now: Now, tag: Tag, result: io::Result<ConnId>);
    /// Takes whole things off the front and says how many bytes that was; what is left is shown again, as it was left,
    /// with more behind it. A connection whose inbox is full is not read from until something is taken by
    /// way of [`Action::Show`].
    ///
    /// Called several times in a turn if much has come. What lies in the inbox when the peer ends the connection is lost:
    /// `closed` follows at once.
    fn received(&mut self, now: Now, conn: ConnId, input: &mut [u8]) -> usize;
    /// The kernel did not take all: `left` bytes wait in the outbox, and `drained` will follow. Told again, with
    /// what is left then, each time the kernel takes a part. The outbox itself has no limit: what is sent on top of it
    /// is the service's to account for.
    fn refused(&mut self, now: Now, conn: ConnId, left: usize);
    /// After `refused`, or asked for by [`Action::Tell`]: the kernel has taken all, so more may come.
    fn drained(&mut self, now: Now, conn: ConnId);
    /// The peer has ended the connection (`Ok`) or it broke. After `Ok`, what waits in the outbox and what was sent in
    /// this turn is still written (the peer may have closed its own half only), as after [`Close::Flush`].
    fn closed(&mut self, now: Now, conn: ConnId, why: io::Result<()>);
    /// A job has come home: what it returned, or what it panicked with, or why its batch failed ([`lanes::Worker::batch`]).
    fn finished(&mut self, now: Now, job: JobId, outcome: thread::Result<Box<dyn Any + Send>>);
    /// Another thread has posted something.
    fn posted(&mut self, now: Now, letter: Letter);
    /// The `deadline` has come.
    fn elapsed(&mut self, now: Now);
    /// A turn is over, and took so long from the end of the poll to the end of the writing. Nothing may follow from it: it is for
    /// whoever counts.
    fn turned(&mut self, _took: Duration) {}
    /// The operator wants the process to end (SIGTERM or SIGINT). A second signal ends the loop at once.
    fn asked_to_stop(&mut self, now: Now);
    /// When to call `elapsed` next.
    fn deadline(&self) -> Option<Time>;
    /// The next thing to do, until `None`.
    fn poll_action(&mut self) -> Option<Action>;
}

/// A piece of blocking work: runs on its lane's thread, with what that thread owns.
pub type Job = Box<dyn FnOnce(&mut dyn Any) -> Box<dyn Any + Send> + Send>;

/// What the loop is to do.
pub enum Action {
    /// Bytes to a connection; all that is sent to one connection in one turn leaves in one write. After
    /// [`Action::Close`] they are dropped.
    Send(ConnId, Shared),
    /// Tell `drained` once the kernel has all that was sent, also if it takes it at once: for whoever sends on as fast as
    /// the peer reads.
    Tell(ConnId),
    /// End a connection; from here on the service hears nothing of it.
    Close(ConnId, Close),
    /// Stop reading from a connection: back-pressure reaches the peer through its own kernel.
    Hold(ConnId),
    /// Show a connection's inbox again, if there is something in it, and go on reading: in the next turn, which
    /// follows at once.
    Show(ConnId),
    /// Open a connection. It has `unacknowledged_within` to be made; a Unix peer has no address to go to, and is refused.
    Connect(Tag, Peer),
    /// Give a job to a lane. If the lane's queue is full, `finished` is told [`lanes::Full`].
    Run(LaneId, JobId, Job),
    /// Accept no more connections and free the ports.
    StopListening,
    /// End the loop once every outbox is empty and every close is done, or `flush_within` is over. Nothing is read
    /// any more. Then the lanes are joined; what they finish from now on is not told.
    Exit,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Write what waits, then close. A peer that takes nothing for `flush_within` is cut; so is one that takes it slowly, if
    /// more than `flushing_bytes_max` wait for all that are being closed. Input that is still unread then makes the kernel
    /// send a reset, which may overtake the last bytes: where that matters, `Linger`.
    Flush,
    /// Write what waits, say that no more will come, and read on into nothing until the peer ends it too,
    /// so that no reset overtakes the last bytes.
    Linger {
        /// Bytes read at most.
        bytes: usize,
        /// Time waited at most.
        time: Duration,
    },
    /// At once, with a reset.
    Reset,
}
