//! Who lives: we ask a client in revision 4, and are asked in revision 3.
//!
//! Signs of life come in, and the time; pings go out, and the end of a session that gave no sign.
//! Never knows what a packet said, only that one came.
//! Left out: pings of the WebSocket protocol itself, which reach no client's program and prove less.

use std::time::Duration;

use super::ending::Ending;
use super::packet::{Decoded, Packet};
use super::session::{Heart, Reason};
use super::{Engine, Revision, SessionId};
use crate::time::Time;
#[cfg(feature = "world")]
use crate::world::{self, Bug};

impl Engine {
    /// A sign of life, if it comes from the side that the revision says.
    pub(super) fn beat(&mut self, now: Time, id: SessionId, decoded: &Decoded<'_>) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let revision = session.revision;
        if revision.server_pings() != matches!(decoded, Decoded::Pong) {
            return self.end(now, id, Reason::TransportError, Ending::Abrupt);
        }
        if !revision.server_pings() {
            self.send(now, id, &Packet::PONG);
        }
        let heart = self.beating(now, revision);
        if let Some(session) = self.sessions.get_mut(id) {
            session.heart = heart;
        }
        self.arm(id);
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.push_back(id);
        }
    }

    /// Asks for a sign of life if it is time to, and ends a session that was asked and gave none.
    pub(super) fn heart_elapsed(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        let is_held = session.slow_since().is_some() && session.polling_mut().is_none();
        let dead_at = now + self.config.pong_within;
        match session.heart {
            Heart::Resting { ping_at } if ping_at <= now => {
                session.heart = Heart::Awaiting {
                    dead_at,
                    was_put_off: false,
                };
                self.send(now, id, &Packet::PING);
                #[cfg(feature = "world")]
                if world::is_planted(Bug::StuckTimer) {
                    return;
                }
            }
            Heart::Awaiting {
                dead_at: until,
                was_put_off,
            } if until <= now => {
                #[cfg(feature = "world")]
                let is_held = is_held || world::is_planted(Bug::ForgiveSilence);
                if !is_held {
                    self.counters.ping_timeouts += 1;
                    return self.end(now, id, Reason::PingTimeout, Ending::Abrupt);
                }
                // We do not read what it sends, so its silence means nothing.
                session.heart = Heart::Awaiting {
                    dead_at,
                    was_put_off,
                };
            }
            Heart::Resting { .. } | Heart::Awaiting { .. } => {}
        }
        self.arm(id);
    }

    /// The heart of a session that has just shown life: we ask again after a while, or the client does within a while.
    pub(super) fn beating(&self, now: Time, revision: Revision) -> Heart {
        if revision.server_pings() {
            return Heart::Resting {
                ping_at: self.next_ping(now),
            };
        }
        Heart::Awaiting {
            dead_at: now + self.config.ping_every + self.config.pong_within,
            was_put_off: true,
        }
    }

    /// While a pong is awaited, the first other packet shows that the client lives: its time begins anew, once.
    pub(super) fn put_off_death(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        if let Heart::Awaiting {
            was_put_off: false, ..
        } = session.heart
        {
            session.heart = Heart::Awaiting {
                dead_at: now + self.config.pong_within,
                was_put_off: true,
            };
            self.arm(id);
        }
    }

    /// Rounded down, so that many pings share one wake-up: with the default 25 s to whole seconds, at shorter
    /// intervals (which only tests use) not at all.
    fn next_ping(&self, now: Time) -> Time {
        const GRAIN: Duration = Duration::from_secs(1);
        let at = now + self.config.ping_every;
        if self.config.ping_every < GRAIN * 10 {
            return at;
        }
        at - Duration::from_micros(at.0 % 1_000_000)
    }
}
