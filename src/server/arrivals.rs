//! How many sessions each address opens, and whether it may open another.
//!
//! An address comes in with the time; leave or a refusal goes out. An address is remembered only until its burst is whole
//! again (two seconds with the defaults), so what is kept is bounded by what can arrive in that time.
//! Knows neither requests nor sessions, nor who is exempt.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::addresses::Neighbourhood;
use crate::config;
use crate::time::Time;

/// Rows that are not worth a look for those that could go.
const ROWS_KEPT: usize = 1024;

/// Per address, the moment when all of its burst will be there again: a row whose moment has passed says nothing.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    whole_at: HashMap<Neighbourhood, Time>,
    /// How many rows there may be before those that say nothing are looked for.
    swept_above: usize,
}

impl Arrivals {
    /// Counts a session that this address wants to open; says whether it may.
    pub(super) fn admit(&mut self, now: Time, limits: &config::Engine, address: IpAddr) -> bool {
        let each = Duration::from_secs(1) / limits.handshakes_per_second_max.max(1);
        let burst = each * limits.handshakes_burst_max;
        if self.whole_at.len() > self.swept_above.max(ROWS_KEPT) {
            self.whole_at.retain(|_, whole_at| *whole_at > now);
            // Twice what had to stay: each look is paid for by as many arrivals.
            self.swept_above = self.whole_at.len() * 2;
        }
        let whole_at = self.whole_at.entry(address.into()).or_default();
        let then = (*whole_at).max(now) + each;
        let is_free = then.since(now) <= burst;
        if is_free {
            *whole_at = then;
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> config::Engine {
        config::Engine {
            handshakes_per_second_max: 10,
            handshakes_burst_max: 3,
            ..config::Engine::default()
        }
    }

    fn at(seconds: f64) -> Time {
        Time::ZERO + Duration::from_secs_f64(seconds)
    }

    fn of(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn an_address_has_its_burst_and_then_so_many_a_second() {
        let (mut arrivals, limits) = (Arrivals::default(), limits());
        let mut admitted = |seconds| arrivals.admit(at(seconds), &limits, of(1));
        assert_eq!([1, 2, 3].map(|_| admitted(1.0)), [true; 3]);
        assert!(!admitted(1.0));
        assert!(
            !admitted(1.09),
            "a refusal puts nothing off, and brings nothing near"
        );
        assert!(admitted(1.1));
        assert!(!admitted(1.1));
        assert_eq!([1, 2, 3].map(|_| admitted(1.5)), [true; 3]);
    }

    #[test]
    fn one_address_does_not_use_up_what_another_has() {
        let (mut arrivals, limits) = (Arrivals::default(), limits());
        for _ in 0..9 {
            arrivals.admit(at(1.0), &limits, of(1));
        }
        assert!(arrivals.admit(at(1.0), &limits, of(2)));
    }

    #[test]
    fn who_has_not_come_for_a_while_is_forgotten() {
        let (mut arrivals, limits) = (Arrivals::default(), limits());
        for second in 0..10 {
            for number in 0..1000 {
                arrivals.admit(at(f64::from(second)), &limits, of(second * 1000 + number));
            }
            assert!(arrivals.whole_at.len() <= 2 * ROWS_KEPT + 1);
        }
    }
}
