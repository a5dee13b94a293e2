//! Ranks: who may do what about whom, and who may speak.
//!
//! Two people and a wish come in; yes or no goes out. Asked at every event, of the people as they are in memory.
//! Knows no rooms: who is in one, and what may be done there, is the rooms' business.
//! Left out: rights of one's own making. Three roles can be remembered.

use super::store::{Role, State, User, UserId};
use super::workspace::Workspace;

/// Whether somebody may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// They may.
    Free,
    /// Not before then.
    MutedUntil(u64),
    /// Not before a moderator says so.
    Muted,
}

/// What may be ordered about somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// That they only read for a while, or speak again.
    Mute,
    /// That they are gone.
    Remove,
    /// That they may not come in, or may again.
    Ban,
    /// What they may do.
    Role,
    /// A link that sets their password.
    Link,
}

impl Workspace {
    /// Whether a user may do what admins and moderators do.
    #[must_use]
    pub fn may_invite(&self, id: UserId) -> bool {
        self.user(id).is_some_and(|user| {
            matches!(user.role, Role::Admin | Role::Moderator) && may_come_in(user)
        })
    }

    /// Whether a user may order this about another: admins
    /// anything, moderators to mute and to remove members, and nobody anything about themselves but to step down.
    #[must_use]
    pub fn may_order(&self, by: UserId, order: Order, whom: UserId) -> bool {
        let (Some(by), Some(whom)) = (self.user(by), self.user(whom)) else {
            return false;
        };
        if !may_come_in(by) {
            return false;
        }
        if by.id == whom.id {
            // To step down; that there is always an admin is the store's rule.
            return by.role == Role::Admin && order == Order::Role;
        }
        match (by.role, order) {
            (Role::Admin, _) => true,
            (Role::Moderator, Order::Mute | Order::Remove) => whom.role == Role::Member,
            (Role::Moderator | Role::Member | Role::Bot, _) => false,
        }
    }

    /// Whether a user may delete what others wrote.
    #[must_use]
    pub fn may_moderate(&self, id: UserId) -> bool {
        self.may_invite(id)
    }

    /// Whether a user may do what only admins may.
    #[must_use]
    pub fn is_admin(&self, id: UserId) -> bool {
        self.user(id)
            .is_some_and(|user| user.role == Role::Admin && may_come_in(user))
    }

    /// Whether a user may speak at that time.
    #[must_use]
    pub fn voice(&self, id: UserId, at: u64) -> Voice {
        match self.user(id).map(|user| (user.state, user.muted_until)) {
            Some((State::Active, _)) => Voice::Free,
            Some((State::Muted, Some(until))) if until <= at => Voice::Free,
            Some((State::Muted, Some(until))) => Voice::MutedUntil(until),
            _ => Voice::Muted,
        }
    }
}

/// Whether somebody may have a session at all.
#[must_use]
pub const fn may_come_in(user: &User) -> bool {
    matches!(user.state, State::Active | State::Muted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Order; 5] = [
        Order::Mute,
        Order::Remove,
        Order::Ban,
        Order::Role,
        Order::Link,
    ];

    fn user(id: i64, role: Role, state: State) -> User {
        User {
            id: UserId(id),
            login: String::new(),
            name: String::new(),
            role,
            state,
            muted_until: None,
        }
    }

    /// Two of each role, by ids of their own.
    fn workspace() -> Workspace {
        let mut workspace = Workspace::default();
        let roles = [Role::Member, Role::Moderator, Role::Admin, Role::Bot];
        for (id, role) in (1..).zip(roles.into_iter().chain(roles)) {
            workspace.add_person(user(id, role, State::Active));
        }
        workspace
    }

    #[test]
    fn each_role_may_order_what_the_table_says() {
        let workspace = workspace();
        let orders = |by: i64, whom: i64| -> Vec<Order> {
            let may = |order: &Order| workspace.may_order(UserId(by), *order, UserId(whom));
            ALL.into_iter().filter(may).collect()
        };
        const MEMBER: i64 = 1;
        const MODERATOR: i64 = 2;
        const ADMIN: i64 = 3;
        for whom in 1..=8 {
            assert_eq!(orders(MEMBER, whom), [], "a member, about {whom}");
            assert_eq!(orders(4, whom), [], "a bot, about {whom}");
        }
        assert_eq!(orders(MODERATOR, 5), [Order::Mute, Order::Remove]);
        for whom in [2, 6, 3, 7, 4, 8] {
            assert_eq!(orders(MODERATOR, whom), [], "a moderator, about {whom}");
        }
        for whom in [1, 2, 4, 5, 6, 7, 8] {
            assert_eq!(orders(ADMIN, whom), ALL, "an admin, about {whom}");
        }
        assert_eq!(orders(ADMIN, ADMIN), [Order::Role], "to step down");
        assert_eq!(orders(ADMIN, 99), [], "about nobody");
        assert_eq!(orders(99, MEMBER), [], "by nobody");
    }

    #[test]
    fn who_is_shut_out_orders_nothing() {
        let mut workspace = workspace();
        workspace.add_person(user(3, Role::Admin, State::Banned));
        assert!(!workspace.is_admin(UserId(3)));
        assert!(!workspace.may_invite(UserId(3)));
        assert!(
            ALL.iter()
                .all(|order| !workspace.may_order(UserId(3), *order, UserId(1)))
        );
    }

    #[test]
    fn who_is_muted_speaks_again_when_the_time_has_come() {
        let mut workspace = workspace();
        let muted = User {
            muted_until: Some(100),
            ..user(1, Role::Member, State::Muted)
        };
        workspace.add_person(muted);
        assert_eq!(workspace.voice(UserId(1), 99), Voice::MutedUntil(100));
        assert_eq!(workspace.voice(UserId(1), 100), Voice::Free);
        workspace.add_person(user(1, Role::Member, State::Muted));
        assert_eq!(workspace.voice(UserId(1), u64::MAX), Voice::Muted);
        assert_eq!(workspace.voice(UserId(2), 0), Voice::Free);
        assert_eq!(workspace.voice(UserId(99), 0), Voice::Muted);
    }
}
