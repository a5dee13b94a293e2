//! What is due for a session, by the one timer it has.
//!
//! The time comes in; of pings, probes, slow clients and farewells it is seen to that what is due is done.
//! Never reads a clock.
//! Left out: a timer for each of the four. A session would weigh more, and the nearest of them is quickly found.

use super::session::{Phase, Polling};
use super::{Engine, SessionId};
use crate::time::Time;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

/// Pings sent in one turn at most, so that a herd that came together does not beat together for ever.
const PINGS_PER_TURN_MAX: usize = 1000;

impl Engine {
    /// When [`Engine::elapsed`] has something to do.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next_due()
    }

    /// Does what is due.
    pub fn elapsed(&mut self, now: Time) {
        for _ in 0..PINGS_PER_TURN_MAX {
            let Some(id) = self.timers.pop_due(now) else {
                return;
            };
            self.session_elapsed(now, id);
        }
    }

    fn session_elapsed(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.timer = None;
        if let Phase::Farewell { .. } = session.phase {
            return self.forget(id);
        }
        let is_cut = session
            .slow_since()
            .is_some_and(|since| since + self.config.slow_within <= now);
        #[cfg(feature = "world")]
        let is_cut = is_cut && !world::is_planted(Bug::NeverCutSlow);
        if is_cut {
            self.counters.slow_by_time += 1;
            return self.cut(now, id);
        }
        if let Some(Polling {
            probe: Some(probe), ..
        }) = session.polling_mut()
            && probe.until <= now
        {
            self.drop_probe(id);
        }
        self.excuse_poll(now, id);
        self.heart_elapsed(now, id);
    }

    /// Sets the session's one timer anew, after whatever may have moved its deadline.
    pub(super) fn arm(&mut self, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if let Some(timer) = session.timer.take() {
            self.timers.cancel(timer);
        }
        session.timer = Some(self.timers.arm(session.deadline(&self.config), id));
    }
}
