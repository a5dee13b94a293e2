//! How much of something one may ask in a while.
//!
//! A wish comes in with the time; leave goes out, or how long to wait. [`Rate`] says how much, [`Bucket`] how much of it is
//! used up, and [`Allowances`] keeps the buckets of everybody: twelve tabs are one person.
//! Knows no event: what is asked has its name in [`Wish`].
//! Left out: rates by address, which `throttle` has for those who are not signed in.

use std::collections::HashMap;
use std::time::Duration;

use super::store::UserId;
use crate::config::chat as limits;
use crate::time::Time;

/// So many at once, and then one each so often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    burst: u32,
    every: Duration,
}

/// Events of one socket.
pub(super) const EVENTS: Rate = Rate {
    burst: limits::EVENTS_BURST_MAX,
    every: limits::EVENT_EVERY_MIN,
};

/// What one person may do so often, whichever of their sockets asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Say something.
    Send,
    /// Edit or delete something.
    Change,
    /// Look for words.
    Search,
    /// Read a page of history.
    Page,
    /// Be seen typing.
    Type,
    /// Make a room.
    MakeRoom,
    /// Take another name.
    Rename,
}

/// How many kinds of wishes there are.
const WISHES: usize = 7;

impl Wish {
    const fn rate(self) -> Rate {
        let (burst, every) = match self {
            Self::Send => (limits::SENDS_BURST_MAX, limits::SEND_EVERY_MIN),
            Self::Change => (limits::CHANGES_BURST_MAX, limits::CHANGE_EVERY_MIN),
            Self::Search => (limits::SEARCHES_BURST_MAX, limits::SEARCH_EVERY_MIN),
            Self::Page => (limits::PAGES_BURST_MAX, limits::PAGE_EVERY_MIN),
            Self::Type => (limits::TYPING_BURST_MAX, limits::TYPING_EVERY_MIN),
            Self::MakeRoom => (limits::ROOMS_BURST_MAX, limits::ROOM_EVERY_MIN),
            Self::Rename => (limits::NAMES_BURST_MAX, limits::NAME_EVERY_MIN),
        };
        Rate { burst, every }
    }
}

/// What everybody has left of each rate: a row for each person who has wished for anything, so never more than there are
/// people.
#[derive(Debug, Default)]
pub(super) struct Allowances(HashMap<UserId, [Bucket; WISHES]>);

impl Allowances {
    /// Takes one.
    ///
    /// # Errors
    /// If none is left: how long until there is.
    pub(super) fn take(&mut self, user: UserId, wish: Wish, now: Time) -> Result<(), Duration> {
        let buckets = self.0.entry(user).or_default();
        buckets[wish as usize].take(wish.rate(), now)
    }
}

/// Events of one socket of an admin.
pub(super) const ADMIN_EVENTS: Rate = Rate {
    burst: limits::ADMIN_EVENTS_BURST_MAX,
    every: limits::ADMIN_EVENT_EVERY_MIN,
};

/// Events of one socket at the door.
pub(super) const DOOR_EVENTS: Rate = Rate {
    burst: limits::DOOR_EVENTS_BURST_MAX,
    every: limits::DOOR_EVENT_EVERY_MIN,
};

/// What is left of a rate, kept as the moment when all of it will be there again: a bucket that nobody touches needs no
/// filling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    whole_at: Time,
    /// Since when more was asked than there is, without a pause long enough for it to become whole.
    over_since: Option<Time>,
}

impl Bucket {
    /// Takes one.
    ///
    /// # Errors
    /// If none is left: how long until there is.
    pub(super) fn take(&mut self, rate: Rate, now: Time) -> Result<(), Duration> {
        if self.whole_at <= now {
            *self = Self {
                whole_at: now,
                over_since: None,
            };
        }
        let whole_at = self.whole_at + rate.every;
        let holds = rate.every * rate.burst;
        match whole_at.since(now).checked_sub(holds) {
            None | Some(Duration::ZERO) => {
                self.whole_at = whole_at;
                Ok(())
            }
            Some(wait) => {
                self.over_since.get_or_insert(now);
                Err(wait)
            }
        }
    }

    /// How long more is being asked than there is.
    pub(super) fn over_for(&self, now: Time) -> Duration {
        self.over_since
            .map_or(Duration::ZERO, |since| now.since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 3,
        every: Duration::from_secs(1),
    };

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn a_burst_is_free_and_then_there_is_one_each_so_often() {
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(bucket.take(RATE, at(100)), Ok(()));
        }
        assert_eq!(bucket.take(RATE, at(100)), Err(RATE.every));
        assert_eq!(bucket.take(RATE, at(101)), Ok(()));
        assert_eq!(bucket.take(RATE, at(101)), Err(RATE.every));
    }

    #[test]
    fn what_one_wishes_is_counted_by_person_and_by_kind() {
        let table = [
            (Wish::Send, 5, Duration::from_secs(1)),
            (Wish::Change, 5, Duration::from_millis(500)),
            (Wish::Search, 5, Duration::from_secs(1)),
            (Wish::Page, 10, Duration::from_millis(100)),
            (Wish::Type, 5, Duration::from_secs(3)),
            (Wish::MakeRoom, 10, Duration::from_secs(12 * 60)),
            (
                Wish::Rename,
                limits::NAMES_BURST_MAX,
                limits::NAME_EVERY_MIN,
            ),
        ];
        assert_eq!(table.len(), WISHES);
        let mut allowances = Allowances::default();
        for (wish, burst, every) in table {
            for _ in 0..burst {
                assert_eq!(allowances.take(UserId(1), wish, at(9)), Ok(()), "{wish:?}");
            }
            assert_eq!(
                allowances.take(UserId(1), wish, at(9)),
                Err(every),
                "{wish:?}"
            );
            assert_eq!(allowances.take(UserId(2), wish, at(9)), Ok(()), "{wish:?}");
            let later = at(9) + every;
            assert_eq!(allowances.take(UserId(1), wish, later), Ok(()), "{wish:?}");
        }
    }

    #[test]
    fn a_bucket_left_alone_is_whole_again_and_holds_no_more_than_a_burst() {
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(bucket.take(RATE, at(0)), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(bucket.take(RATE, at(1000)), Ok(()));
        }
        assert!(bucket.take(RATE, at(1000)).is_err());
    }

    #[test]
    fn asking_too_much_is_counted_until_there_is_a_pause() {
        let mut bucket = Bucket::default();
        for second in 0..20 {
            for _ in 0..4 {
                let _ = bucket.take(RATE, at(second));
            }
        }
        assert_eq!(bucket.over_for(at(20)), Duration::from_secs(20));
        assert_eq!(bucket.take(RATE, at(30)), Ok(()));
        assert_eq!(bucket.over_for(at(30)), Duration::ZERO);
    }
}
