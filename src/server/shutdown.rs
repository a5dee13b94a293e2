//! The orderly end: no new connections, goodbyes, what is under way, then the rest.
//!
//! Asked to stop → the ports are freed and the application is told → jobs come home, bodies in pieces are taken and what
//! was made of answers in pieces leaves, at most `drain_within` → what is left of those breaks off, every session is told it
//! is over and every parked poll answered → the carrier, which has heard by then whoever may come back elsewhere, is told → the
//! loop ends when its outboxes are empty.

use super::App;
use super::core::{Core, Deferred, Due};
use super::sending::Broken;
use crate::engineio::Reason;
use crate::http::Response;
use crate::reactor::Action;

/// How far the end has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stopping {
    /// Not at all.
    #[default]
    No,
    /// Jobs are waited for.
    Draining,
    /// Sessions were told; what they were told is on its way out.
    Leaving,
    /// The carrier was told; what it has to say is on its way out.
    Parting,
    /// The loop was told.
    Over,
}

impl<A: App> Core<A> {
    pub(super) fn begin_stop(&mut self) {
        if self.stopping != Stopping::No {
            return;
        }
        self.stopping = Stopping::Draining;
        self.actions.push_back(Action::StopListening);
        self.deferred.push_back(Deferred::Stop);
        self.arm(
            self.now.mono + self.config.socketio.drain_within,
            Due::Drained,
        );
    }

    /// Goes on with the end once no job and no body is under way; says whether it did.
    pub(super) fn drain(&mut self) -> bool {
        let is_drained =
            self.stopping == Stopping::Draining && self.jobs.is_empty() && !self.is_streaming();
        if is_drained {
            self.exit();
        }
        is_drained
    }

    pub(super) fn exit(&mut self) {
        if matches!(self.stopping, Stopping::No | Stopping::Draining) {
            self.stopping = Stopping::Leaving;
            let response = Response::text(503, "Service Unavailable\n");
            self.break_streams(Broken::Stopped, &response);
            self.engine.close_all(self.now.mono, Reason::ShuttingDown);
        }
    }
}

/// Nothing is left to do: ends the loop, if that was asked for.
pub(super) fn poll_exit<A: App>(core: &mut Core<A>) -> Option<Action> {
    if core.stopping == Stopping::Leaving {
        core.stopping = Stopping::Parting;
        if let Some(carrier) = &mut core.carrier {
            carrier.stopped(core.now);
            while core.carry() {}
        }
        if let Some(action) = core.actions.pop_front() {
            return Some(action);
        }
    }
    if core.stopping != Stopping::Parting {
        return None;
    }
    core.stopping = Stopping::Over;
    Some(Action::Exit)
}
