//! Questions of other nodes that are under way here, and how ours are called on the wire.
//!
//! A foreign question comes in by what it was called there and gets a number of ours; with the reply to that number comes out
//! whom to tell and under which name. Ours are called so that a reply names its question by itself: nothing is kept of them.
//! Knows no message. Left out: telling a node that its question was forgotten; its own time ends it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::server::cluster::Request;
use crate::time::Time;

/// A question of another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) namespace: Box<str>,
    /// What it is called there.
    pub(super) name: Box<str>,
    /// The node that asked.
    pub(super) asker: Box<str>,
    /// What kind of question it is, in its protocol's numbers.
    pub(super) kind: u64,
}

/// All that are under way.
#[derive(Debug)]
pub(super) struct Questions {
    /// Our name, with which the names of our questions begin.
    own: Box<str>,
    /// Our number, as the server has drawn it; known from the first question on.
    node: Option<u64>,
    open: BTreeMap<u64, (Foreign, Time)>,
    next: u64,
    most: usize,
    within: Duration,
}

/// The node that foreign questions are said to be of, to a server that knows only that they are not its own.
const ELSEWHERE: u64 = u64::MAX;

impl Questions {
    pub(super) const fn new(own: Box<str>, most: usize, within: Duration) -> Self {
        Self {
            own,
            node: None,
            open: BTreeMap::new(),
            next: 0,
            most,
            within,
        }
    }

    /// What one of ours is called.
    pub(super) fn name(&mut self, request: Request) -> String {
        self.node = Some(request.node);
        format!("{}{:x}", self.own, request.number)
    }

    /// Which of ours is called so, if one is.
    pub(super) fn ours(&self, name: &str) -> Option<Request> {
        let number = name.strip_prefix(&*self.own)?;
        Some(Request {
            node: self.node?,
            number: u64::from_str_radix(number, 16).ok()?,
        })
    }

    /// A foreign one begins; none if too many are under way.
    pub(super) fn begin(&mut self, now: Time, foreign: Foreign) -> Option<Request> {
        if self.open.len() >= self.most {
            self.open.retain(|_, (_, until)| *until > now);
        }
        if self.open.len() >= self.most {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.open.insert(number, (foreign, now + self.within));
        Some(Request {
            node: ELSEWHERE,
            number,
        })
    }

    /// One that is replied to several times.
    pub(super) fn get(&self, request: Request) -> Option<&Foreign> {
        let (foreign, _) = self.open.get(&request.number)?;
        (request.node == ELSEWHERE).then_some(foreign)
    }

    /// One that is replied to once.
    pub(super) fn end(&mut self, request: Request) -> Option<Foreign> {
        if request.node != ELSEWHERE {
            return None;
        }
        let (foreign, _) = self.open.remove(&request.number)?;
        Some(foreign)
    }

    /// How long a broadcast may wait that gives `millis`, or nothing.
    pub(super) fn patience(&self, millis: Option<f64>) -> Duration {
        let asked = millis.filter(|millis| millis.is_finite() && *millis >= 0.0);
        let asked = asked.map_or(self.within, |millis| {
            Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(self.within)
        });
        asked.min(self.within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn foreign(name: &str) -> Foreign {
        Foreign {
            namespace: "/".into(),
            name: name.into(),
            asker: "abcdef".into(),
            kind: 5,
        }
    }

    fn at(seconds: u64) -> Time {
        Time(seconds * 1_000_000)
    }

    #[test]
    fn ours_are_known_by_their_names_and_those_of_others_are_not() {
        let mut questions = Questions::new("uid".into(), 2, SECOND);
        assert_eq!(questions.ours("uid1"), None, "we have not asked anything");
        let request = Request {
            node: 7,
            number: 0xab,
        };
        assert_eq!(questions.name(request), "uidab");
        assert_eq!(questions.ours("uidab"), Some(request));
        for name in ["", "uid", "uidx", "other1"] {
            assert_eq!(questions.ours(name), None, "{name}");
        }
    }

    #[test]
    fn a_foreign_one_is_found_by_the_number_it_was_given_and_ends_once() {
        let mut questions = Questions::new("uid".into(), 2, SECOND);
        let request = questions.begin(at(0), foreign("a")).unwrap();
        assert_eq!(questions.get(request), Some(&foreign("a")));
        let own = Request { node: 1, ..request };
        assert_eq!(questions.get(own), None);
        assert_eq!(questions.end(own), None);
        assert_eq!(questions.end(request), Some(foreign("a")));
        assert_eq!(questions.end(request), None);
    }

    #[test]
    fn no_more_are_under_way_than_may_and_old_ones_make_room() {
        let mut questions = Questions::new("uid".into(), 2, SECOND);
        assert!(questions.begin(at(0), foreign("a")).is_some());
        assert!(questions.begin(at(0), foreign("b")).is_some());
        assert_eq!(questions.begin(at(0), foreign("c")), None);
        assert!(questions.begin(at(2), foreign("d")).is_some());
    }

    #[test]
    fn nobody_waits_longer_than_may_be() {
        let questions = Questions::new("uid".into(), 2, SECOND);
        for (millis, expected) in [
            (Some(200.0), SECOND / 5),
            (Some(1e9), SECOND),
            (Some(-1.0), SECOND),
            (Some(f64::INFINITY), SECOND),
            (Some(1e300), SECOND),
            (None, SECOND),
        ] {
            assert_eq!(questions.patience(millis), expected, "{millis:?}");
        }
    }
}
