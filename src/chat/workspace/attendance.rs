//! Who is there, and who looks: sockets come and go, and somebody is offline only when none has come back in time.
//!
//! Comings and goings come in, with who; what follows for the others goes out, once.
//! Knows no clock: whoever calls waits, and names the absence that it waited for.

use super::Workspace;
use crate::chat::ranks::may_come_in;
use crate::chat::store::UserId;

/// One time of being without a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence(u64);

impl Workspace {
    /// How many people have an account that lets them in, and how many of them are online.
    #[must_use]
    pub fn head_count(&self) -> (usize, usize) {
        let inside = || {
            self.people
                .values()
                .filter(|person| may_come_in(&person.user))
        };
        let online = inside().filter(|person| person.is_online).count();
        (inside().count(), online)
    }

    /// Whether somebody is there.
    #[must_use]
    pub fn is_online(&self, id: UserId) -> bool {
        self.people.get(&id).is_some_and(|person| person.is_online)
    }

    /// A socket of a user has come. Says whether they were offline.
    pub fn came(&mut self, user: UserId) -> bool {
        let Some(person) = self.people.get_mut(&user) else {
            return false;
        };
        person.sockets += 1;
        !std::mem::replace(&mut person.is_online, true)
    }

    /// A socket of a user has gone. If it was the last: names the absence that may begin with it.
    pub fn went(&mut self, user: UserId) -> Option<Absence> {
        let person = self.people.get_mut(&user)?;
        person.sockets = person.sockets.saturating_sub(1);
        if person.sockets > 0 {
            return None;
        }
        person.absences += 1;
        Some(Absence(person.absences))
    }

    /// The grace of an absence is over. Says whether the user is offline from now on: not if they have been back since.
    pub fn is_missed(&mut self, user: UserId, absence: Absence) -> bool {
        let Some(person) = self.people.get_mut(&user) else {
            return false;
        };
        person.sockets == 0
            && Absence(person.absences) == absence
            && std::mem::replace(&mut person.is_online, false)
    }

    /// A socket of a user is on screen from now on, or no more. Whether any of theirs is, if that has changed.
    pub fn looks(&mut self, user: UserId, on: bool) -> Option<bool> {
        let person = self.people.get_mut(&user)?;
        let before = person.in_view > 0;
        person.in_view = if on {
            person.in_view + 1
        } else {
            person.in_view.saturating_sub(1)
        };
        let now = person.in_view > 0;
        (now != before).then_some(now)
    }

    /// Whether any socket of a user is on screen.
    #[must_use]
    pub fn is_looking(&self, user: UserId) -> bool {
        self.people
            .get(&user)
            .is_some_and(|person| person.in_view > 0)
    }

    /// How many sockets a user has.
    #[must_use]
    pub fn sockets_of(&self, user: UserId) -> usize {
        self.people.get(&user).map_or(0, |person| person.sockets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::of_ada;
    use super::*;

    const ADA: UserId = UserId(1);

    #[test]
    fn who_comes_back_in_time_was_never_away() {
        let mut workspace = of_ada();
        assert!(workspace.came(ADA));
        let absence = workspace.went(ADA).unwrap();
        assert!(!workspace.came(ADA), "still online");
        assert!(!workspace.is_missed(ADA, absence));
    }

    #[test]
    fn the_grace_counts_from_the_last_time_somebody_went() {
        let mut workspace = of_ada();
        workspace.came(ADA);
        let first = workspace.went(ADA).unwrap();
        workspace.came(ADA);
        let second = workspace.went(ADA).unwrap();
        assert!(!workspace.is_missed(ADA, first));
        assert!(workspace.is_missed(ADA, second));
        assert!(!workspace.is_missed(ADA, second), "once");
        assert!(workspace.came(ADA), "and online again");
    }

    #[test]
    fn one_tab_of_two_is_no_absence() {
        let mut workspace = of_ada();
        assert!(workspace.came(ADA));
        assert!(!workspace.came(ADA));
        assert_eq!(workspace.went(ADA), None);
        assert_eq!(workspace.sockets_of(ADA), 1);
    }
}
