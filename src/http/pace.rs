//! How a body arrives: its two deadlines, and the word that some clients wait for before they send it.
//!
//! Moments and counts of bytes come in, a deadline goes out.
//! Never knows how a body is framed or where it goes.

use std::mem;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::head::{Expects, Parts};
use crate::buffers::Shared;
use crate::config;
use crate::time::{Rebase, Time};

/// Whether a `100 Continue` is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Interim {
    None,
    Due,
}

impl Interim {
    /// Only a client that has sent nothing of the body yet is waiting (RFC 9110 §10.1.1).
    pub(super) fn of(parts: &Parts, head_bytes: usize, input_bytes: usize) -> Self {
        match parts.expects {
            Expects::Continue if input_bytes == head_bytes => Self::Due,
            _ => Self::None,
        }
    }

    /// The bytes of it, once.
    pub(super) fn poll(&mut self) -> Option<Shared> {
        match mem::replace(self, Self::None) {
            Self::Due => Some(Shared::fixed(b"HTTP/1.1 100 Continue\r\n\r\n")),
            Self::None => None,
        }
    }
}

/// How a body arrives, for its two deadlines.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Pace {
    since: Time,
    last: Time,
    pub(super) bytes: u64,
}

impl Pace {
    pub(super) const fn rebase(&mut self, rebase: Rebase) {
        self.since = rebase.of(self.since);
        self.last = rebase.of(self.last);
    }

    pub(super) const fn from(now: Time) -> Self {
        Self {
            since: now,
            last: now,
            bytes: 0,
        }
    }

    /// Something came; `bytes` of the body are here in all.
    pub(super) const fn moved(&mut self, now: Time, bytes: u64) {
        self.last = now;
        self.bytes = bytes;
    }

    /// It was our turn from then until now: the peer had no part in that.
    pub(super) fn stood_still(&mut self, from: Time, now: Time) {
        self.since = self.since + now.since(from);
        self.last = now;
    }

    pub(super) fn deadline(&self, limits: &config::Http) -> Time {
        let rate = limits.body_bytes_per_second_min.max(1);
        let earned = Duration::from_secs_f64(self.bytes as f64 / rate as f64);
        let paused = self.last + limits.body_idle_max;
        let trickled = self.since + earned.max(limits.body_idle_max);
        paused.min(trickled)
    }
}
