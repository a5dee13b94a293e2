//! The one clock of the house.
//!
//! Read once per turn; everybody else is handed [`Now`].
//! Knows nothing of what the time is for.

use std::time::{Instant, SystemTime};

use crate::time::{Now, Time, UnixMillis};

/// Counts from its own start.
pub(super) struct Clock {
    started: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one clock")]
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one clock")]
    pub(super) fn read(&self) -> Now {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // A wall clock before 1970 is a broken one; it is for display only.
        let millis = since_1970.unwrap_or_default().as_millis();
        Now {
            mono: self.read_mono(),
            wall: UnixMillis(u64::try_from(millis).unwrap_or(u64::MAX)),
        }
    }

    pub(super) fn read_mono(&self) -> Time {
        Time::ZERO + self.started.elapsed()
    }
}
