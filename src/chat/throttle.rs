//! How often somebody may get a password or a code wrong.
//!
//! Failures come in with the time, by account and by address; after a few, a growing wait goes out, which is shown to whoever
//! must wait. Never a hard lock, which would let anybody lock out anybody.
//! Knows no accounts: a key is a key. What it remembers is bounded by [`THROTTLE_KEYS_MAX`](limits::THROTTLE_KEYS_MAX).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::config::chat as limits;
use crate::time::Time;

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// An account, by what its login folds to; also one that does not exist.
    Account(String),
    /// An address: of IPv6 the /64, since one customer has so many.
    Address(u128),
}

impl Key {
    /// The key of an address.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits() >> 64 << 64,
        })
    }

    const fn free_failures(&self) -> u32 {
        match self {
            Self::Account(_) => limits::FAILURES_PER_ACCOUNT_MAX,
            Self::Address(_) => limits::FAILURES_PER_ADDRESS_MAX,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Time,
}

/// The failures of the last quarter of an hour.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: HashMap<Key, Failures>,
}

impl Throttle {
    /// How long this key must wait before its next try; none if it may try now.
    #[must_use]
    pub fn wait(&self, key: &Key, now: Time) -> Option<Duration> {
        let failures = self.failures.get(key)?;
        if now.since(failures.last) >= limits::FAILURES_KEPT {
            return None;
        }
        let over = failures.count.checked_sub(key.free_failures())?;
        let wait = limits::FAILURE_WAIT_MIN.saturating_mul(1 << over.min(16));
        let until = failures.last + wait.min(limits::FAILURE_WAIT_MAX);
        (until > now).then(|| until.since(now))
    }

    /// A try has failed.
    pub fn failed(&mut self, key: Key, now: Time) {
        if self.failures.len() >= limits::THROTTLE_KEYS_MAX && !self.failures.contains_key(&key) {
            self.forget_some(now);
        }
        let failures = self.failures.entry(key).or_insert(Failures {
            count: 0,
            last: now,
        });
        if now.since(failures.last) >= limits::FAILURES_KEPT {
            failures.count = 0;
        }
        failures.count += 1;
        failures.last = now;
    }

    /// A try has succeeded: earlier failures of this key are forgiven.
    pub fn succeeded(&mut self, key: &Key) {
        self.failures.remove(key);
    }

    /// A try that was counted was none after all.
    pub fn forgiven(&mut self, key: &Key) {
        if let Some(failures) = self.failures.get_mut(key) {
            failures.count = failures.count.saturating_sub(1);
        }
    }

    /// What is too old, and if nothing is, whoever failed least.
    fn forget_some(&mut self, now: Time) {
        self.failures
            .retain(|_, failures| now.since(failures.last) < limits::FAILURES_KEPT);
        if self.failures.len() >= limits::THROTTLE_KEYS_MAX {
            let least = self
                .failures
                .values()
                .map(|failures| failures.count)
                .min()
                .unwrap_or(0);
            self.failures.retain(|_, failures| failures.count > least);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Key {
        Key::Account("ada".to_owned())
    }

    #[test]
    fn five_failures_are_free_and_each_further_one_doubles_the_wait() {
        let mut throttle = Throttle::default();
        let mut now = Time::ZERO;
        for _ in 0..limits::FAILURES_PER_ACCOUNT_MAX {
            assert_eq!(throttle.wait(&account(), now), None);
            throttle.failed(account(), now);
        }
        let mut expected = limits::FAILURE_WAIT_MIN;
        for _ in 0..3 {
            assert_eq!(throttle.wait(&account(), now), Some(expected));
            now = now + expected;
            assert_eq!(throttle.wait(&account(), now), None);
            throttle.failed(account(), now);
            expected *= 2;
        }
    }

    #[test]
    fn the_wait_ends_within_a_bound_and_old_failures_are_forgotten() {
        let mut throttle = Throttle::default();
        for _ in 0..100 {
            throttle.failed(account(), Time::ZERO);
        }
        assert_eq!(
            throttle.wait(&account(), Time::ZERO),
            Some(limits::FAILURE_WAIT_MAX)
        );
        assert_eq!(
            throttle.wait(&account(), Time::ZERO + limits::FAILURES_KEPT),
            None
        );
        throttle.failed(account(), Time::ZERO + limits::FAILURES_KEPT);
        assert_eq!(
            throttle.wait(&account(), Time::ZERO + limits::FAILURES_KEPT),
            None
        );
    }

    #[test]
    fn a_success_forgives_the_account() {
        let mut throttle = Throttle::default();
        for _ in 0..20 {
            throttle.failed(account(), Time::ZERO);
        }
        throttle.succeeded(&account());
        assert_eq!(throttle.wait(&account(), Time::ZERO), None);
    }

    #[test]
    fn addresses_of_one_customer_share_a_key() {
        let key = |text: &str| Key::address(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_worst_are_kept() {
        let mut throttle = Throttle::default();
        for _ in 0..20 {
            throttle.failed(account(), Time::ZERO);
        }
        for n in 0..limits::THROTTLE_KEYS_MAX as u128 + 10 {
            throttle.failed(Key::Address(n), Time::ZERO);
        }
        assert!(throttle.failures.len() <= limits::THROTTLE_KEYS_MAX);
        assert!(throttle.wait(&account(), Time::ZERO).is_some());
    }
}
