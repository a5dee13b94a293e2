//! Time as the rest of the house sees it: a number that comes in as an argument.
//!
//! The reactor reads the clocks once per turn and hands [`Now`] to everybody; deadlines are [`Time`]s.
//! Nothing here reads a clock, so a test or a simulated world can hand out any time it likes.
//! Left out: time zones and calendars, which belong to the reader's browser.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment on the monotonic clock, in microseconds since the loop started.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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

/// From one loop's clock to another's: what was frozen by the one and is thawed by the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebase {
    /// The moment by the old clock.
    pub from: Time,
    /// The same moment by the new one.
    pub to: Time,
}

impl Rebase {
    /// A moment of the old clock by the new one. What lies before the new clock's start is held to be its start.
    #[must_use]
    pub const fn of(self, time: Time) -> Time {
        Time(if time.0 >= self.from.0 {
            self.to.0.saturating_add(time.0 - self.from.0)
        } else {
            self.to.0.saturating_sub(self.from.0 - time.0)
        })
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z on the wall clock, which may jump: for display and cookies only.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
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

    #[test]
    fn a_moment_keeps_its_distance_on_another_clock() {
        let rebase = Rebase {
            from: Time(1000),
            to: Time(50),
        };
        assert_eq!(rebase.of(Time(1000)), Time(50));
        assert_eq!(rebase.of(Time(1700)), Time(750));
        assert_eq!(rebase.of(Time(990)), Time(40));
        assert_eq!(rebase.of(Time(900)), Time::ZERO);
        assert_eq!(rebase.of(Time(u64::MAX)), Time(u64::MAX - 950));
    }
}
