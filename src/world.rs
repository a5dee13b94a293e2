//! Planted bugs: the test of the simulated world, which must find each of them.
//!
//! One bug may be planted in a thread; the few places that can go wrong ask here whether they shall.
//! Exists with feature `world` only: a server that somebody runs has neither the question nor the answer.
//! Left out: bugs that a single layer's own tests can see.

pub mod choices;

use std::cell::Cell;

/// What can be made to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The first packet that waits at the moment of an upgrade is lost.
    LosePacketAtUpgrade,
    /// Who leaves a room stays in the adapter's list of it.
    StayInRoom,
    /// A ping that nobody answers is waited for again.
    ForgiveSilence,
    /// A queue may grow for ever.
    NoHardLimit,
    /// An acknowledgement is sent twice.
    AnswerTwice,
    /// What waits for a WebSocket is not looked at again when the kernel has taken all.
    LoseWakeUp,
    /// A freeze leaves behind what waits for clients.
    FreezeForgetsQueue,
    /// A thawed session has no deadline.
    FreezeForgetsTimer,
    /// An id that outlived its row finds the next one in its place.
    NoGeneration,
    /// A session whose ping has left has no deadline any more.
    StuckTimer,
    /// The packets that wait at the moment of an upgrade change places.
    ReorderAtUpgrade,
    /// A probe is answered twice.
    AnswerProbeTwice,
    /// An acknowledgement goes to another socket of the namespace.
    AnswerAnother,
    /// The handlers of a socket whose session has ended are not told.
    LeaveUntold,
    /// A queue may stay above its soft limit for ever.
    NeverCutSlow,
    /// A poll that is parked when its session ends is never answered.
    ForgetParkedPoll,
    /// All packets of a post are handled in one turn, however many there are.
    EndlessTurn,
}

impl Bug {
    /// Each of them.
    pub const ALL: [Self; 17] = [
        Self::LosePacketAtUpgrade,
        Self::StayInRoom,
        Self::ForgiveSilence,
        Self::NoHardLimit,
        Self::AnswerTwice,
        Self::LoseWakeUp,
        Self::FreezeForgetsQueue,
        Self::FreezeForgetsTimer,
        Self::NoGeneration,
        Self::StuckTimer,
        Self::ReorderAtUpgrade,
        Self::AnswerProbeTwice,
        Self::AnswerAnother,
        Self::LeaveUntold,
        Self::NeverCutSlow,
        Self::ForgetParkedPoll,
        Self::EndlessTurn,
    ];
}

thread_local! {
    static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Plants a bug in this thread, in place of the one before.
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

/// Whether this bug is planted here.
#[must_use]
pub fn is_planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}
