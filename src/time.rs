//! Time as the rest of the house sees it: a number that comes in as an argument.
//!
//! The reactor reads the clocks once per turn and hands [`Now`] to everybody; deadlines are [`Time`]s.
//! Nothing here reads a clock, so a test or a simulated world can hand out any time it likes.
//! Left out: time zones and calendars, which belong to the reader's browser.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment on the monotonic clock, in microseconds since the loop started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// The moment the loop started.
    pub const ZERO: Self = Self(0);

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    /// Saturates at the end of time, which no loop reaches (584,000 years).
    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z on the wall clock, which may jump: for display and cookies only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

/// Both clocks, read once per turn of the loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For every deadline and duration.
    pub mono: Time,
    /// For what people and cookies are shown.
    pub wall: UnixMillis,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_adds_and_subtracts_durations_and_saturates_at_both_ends() {
        let noon = Time(5_000_000);
        assert_eq!(noon + Duration::from_secs(2), Time(7_000_000));
        assert_eq!(noon - Duration::from_secs(9), Time::ZERO);
        assert_eq!(Time(u64::MAX) + Duration::MAX, Time(u64::MAX));
        assert_eq!(noon.since(Time(1)), Duration::from_micros(4_999_999));
        assert_eq!(Time(1).since(noon), Duration::ZERO);
    }
}
