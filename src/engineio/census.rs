//! What the engine holds, counted for the simulated world's books.
//!
//! Nothing comes in; numbers go out that must fit together at the end of each turn.
//! Never changes anything.
//! Left out of every build but the world's: each count looks at all sessions.

use super::Engine;
use super::session::Transport;
use crate::time::Time;

/// What the engine holds, for the simulated world's books.
#[cfg(feature = "world")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions, those included that wait to be told of their end.
    pub sessions: usize,
    /// Their public ids.
    pub sids: usize,
    /// Their timers.
    pub timers: usize,
    /// Bytes that wait for all clients.
    pub waiting_bytes: usize,
    /// Bytes that wait for the client for whom most waits.
    pub waiting_bytes_most: usize,
    /// Sessions with packets that their transport could take, once nothing more is to be asked for: nobody would wake them.
    pub stranded: usize,
    /// Outputs, ends and sessions to be looked at that nobody has asked for.
    pub unsaid: usize,
    /// Since when the slowest client has had more to take than the soft limit.
    pub slow_since: Option<Time>,
    /// Polls that wait for their answer.
    pub parked: usize,
    /// Sessions with a WebSocket that has not taken over yet.
    pub probing: usize,
}

impl Engine {
    /// Counts what there is.
    #[cfg(feature = "world")]
    #[must_use]
    pub fn census(&self) -> Census {
        let waiting = || {
            self.sessions
                .iter()
                .map(|(_, row)| row.waiting_bytes(self.turn))
        };
        let polling = || {
            self.sessions
                .iter()
                .filter_map(|(_, row)| match &row.transport {
                    Transport::Polling(polling) => Some(polling),
                    Transport::WebSocket(_) => None,
                })
        };
        Census {
            sessions: self.sessions.len(),
            sids: self.sids.len(),
            timers: self.timers.len(),
            waiting_bytes: waiting().sum(),
            stranded: self
                .sessions
                .iter()
                .filter(|(_, row)| row.is_stranded())
                .count(),
            waiting_bytes_most: waiting().max().unwrap_or(0),
            unsaid: self.outputs.len() + self.ended.len() + self.dirty.len(),
            slow_since: self
                .sessions
                .iter()
                .filter_map(|(_, row)| row.slow_since())
                .min(),
            parked: polling().filter(|polling| polling.get.is_some()).count(),
            probing: polling().filter(|polling| polling.probe.is_some()).count(),
        }
    }
}
