//! People, their sessions and invites, and the rooms they are in.

use super::super::*;
use super::{Place, digest, name, new, started};
use crate::chat::names::Login;
use crate::config::chat;

#[test]
fn the_first_admin_is_made_once() {
    let place = Place::new();
    let mut store = place.store();
    store
        .job(|w| w.new_first_run_code(&digest(1), 100))
        .unwrap();
    assert!(store.job(|w| w.is_first_run_code(&digest(1), 99)).unwrap());
    assert!(
        !store.job(|w| w.is_first_run_code(&digest(1), 100)).unwrap(),
        "expired"
    );
    assert!(
        !store.job(|w| w.is_first_run_code(&digest(2), 99)).unwrap(),
        "another"
    );

    let made = store
        .job(|w| w.create_first_admin(&name("Club"), &new("Anna"), 5))
        .unwrap();
    assert_eq!(made.user.role, Role::Admin);
    let again = store.job(|w| w.create_first_admin(&name("Mine"), &new("Eve"), 6));
    assert_eq!(again, Err(StoreError::Gone));
    assert!(
        !store.job(|w| w.is_first_run_code(&digest(1), 99)).unwrap(),
        "used up"
    );

    let boot = place.reader().job(|r| r.load(0)).unwrap();
    assert_eq!(boot.workspace.as_deref(), Some("Club"));
    assert_eq!(boot.general, Some(made.members[0].room));
    assert_eq!(boot.users, [made.user]);
    assert_eq!(boot.rooms[0].name.as_deref(), Some("General"));
    assert_eq!(boot.members, made.members);
}

#[test]
fn a_login_that_looks_taken_is_taken() {
    let place = Place::new();
    let (mut store, _, general) = started(&place);
    let bob = store.job(|w| w.create_user_open(&new("Bob"), 2)).unwrap();
    assert_eq!(bob.members[0].room, general);
    assert_eq!(
        store.job(|w| w.create_user_open(&new("b0b"), 3)),
        Err(StoreError::Taken)
    );
    assert_eq!(store.job(|w| w.rooms()).unwrap().len(), 1);
    assert_eq!(place.reader().job(|r| r.load(0)).unwrap().users.len(), 2);
}

#[test]
fn an_invite_lets_in_as_many_as_it_says_and_until_it_says() {
    let place = Place::new();
    let (mut store, admin, general) = started(&place);
    let id = store
        .job(|w| w.new_invite(admin, &digest(1), Some(100), Some(2), 10))
        .unwrap();
    store
        .job(|w| w.new_invite(admin, &digest(2), None, None, 11))
        .unwrap();
    let by = |store: &mut Store, code: u8, login: &str, at: u64| {
        store.job(|w| w.create_user_by_invite(&digest(code), &new(login), at))
    };

    assert_eq!(
        by(&mut store, 1, "bob", 20).unwrap().members[0].room,
        general
    );
    assert_eq!(by(&mut store, 1, "bob", 20), Err(StoreError::Taken));
    let shown = store.job(|w| w.invites(20)).unwrap();
    assert_eq!(
        shown[1].uses_left,
        Some(1),
        "a login that was taken costs no use"
    );
    assert_eq!(
        by(&mut store, 1, "carl", 100),
        Err(StoreError::Gone),
        "expired"
    );
    assert!(store.job(|w| w.is_invite(&digest(1), 99)).unwrap());
    by(&mut store, 1, "carl", 99).unwrap();
    assert_eq!(
        by(&mut store, 1, "dora", 99),
        Err(StoreError::Gone),
        "used up"
    );
    assert!(!store.job(|w| w.is_invite(&digest(1), 99)).unwrap());
    assert_eq!(
        by(&mut store, 9, "dora", 99),
        Err(StoreError::Gone),
        "invented"
    );

    by(&mut store, 2, "dora", u64::MAX).unwrap();
    let shown = store.job(|w| w.invites(99)).unwrap();
    assert_eq!(shown.len(), 1);
    store.job(|w| w.kill_invite(shown[0].id)).unwrap();
    assert_eq!(
        by(&mut store, 2, "emil", 99),
        Err(StoreError::Gone),
        "killed"
    );
    assert_eq!(
        store.job(|w| w.kill_invite(shown[0].id)),
        Err(StoreError::NotFound)
    );
    // The used-up one is forgotten with the next.
    store
        .job(|w| w.new_invite(admin, &digest(3), None, Some(1), 12))
        .unwrap();
    assert_eq!(store.job(|w| w.kill_invite(id)), Err(StoreError::NotFound));
}

#[test]
fn a_sign_in_finds_the_hash_and_the_state() {
    let place = Place::new();
    let (mut store, admin, _) = started(&place);
    let key = Login::parse("ANNA").unwrap();
    let found = place
        .reader()
        .job(|r| r.user_for_sign_in(key.key()))
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.state), (admin, State::Active));
    assert_eq!(found.phc.as_deref(), Some("$of$anna"));
    assert_eq!(
        place
            .reader()
            .job(|r| r.user_for_sign_in("nobody"))
            .unwrap(),
        None
    );
    store.job(|w| w.set_password(admin, "$new")).unwrap();
    let found = store
        .job(|w| w.user_for_sign_in(key.key()))
        .unwrap()
        .unwrap();
    assert_eq!(found.phc.as_deref(), Some("$new"));
    assert_eq!(
        store.job(|w| w.set_password(UserId(9), "$")),
        Err(StoreError::NotFound)
    );
}

#[test]
fn sessions_open_are_prolonged_and_close() {
    let place = Place::new();
    let (mut store, user, _) = started(&place);
    let open = |store: &mut Store, n: u8| {
        let agent = "x\u{e9}".repeat(200);
        store
            .job(|w| w.open_session(user, &digest(n), 10, 100, Some(&agent), Some("::1")))
            .unwrap()
            .id
    };
    let (one, two, three) = (
        open(&mut store, 1),
        open(&mut store, 2),
        open(&mut store, 3),
    );
    store.job(|w| w.touch_session(one, 50, 500)).unwrap();
    let boot = store.job(|w| w.load(100)).unwrap();
    assert_eq!(boot.sessions.len(), 1, "the others have expired");
    assert_eq!(
        boot.sessions[0],
        Session {
            id: one,
            token_hash: digest(1),
            user,
            expires_at: 500,
            used_at: 50
        }
    );
    let shown = store.job(|w| w.sessions_of(user)).unwrap();
    assert_eq!(shown[0].id, one, "the last used first");
    assert!(shown[0].agent.as_ref().unwrap().len() <= chat::AGENT_BYTES_MAX);

    assert_eq!(
        store.job(|w| w.close_session(&digest(2))).unwrap(),
        Some(two)
    );
    assert_eq!(store.job(|w| w.close_session(&digest(2))).unwrap(), None);
    assert_eq!(
        store.job(|w| w.touch_session(two, 60, 600)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store
            .job(|w| w.close_sessions_of(user, Some(three)))
            .unwrap(),
        [one]
    );
    assert_eq!(store.job(|w| w.clear_expired_sessions(100)).unwrap(), 1);
    assert!(
        store
            .job(|w| w.close_sessions_of(user, None))
            .unwrap()
            .is_empty()
    );
    let nobody = store.job(|w| w.open_session(UserId(9), &digest(9), 1, 2, None, None));
    assert_eq!(nobody, Err(StoreError::NotFound));
}

#[test]
fn a_user_has_a_hundred_sessions_at_most() {
    let place = Place::new();
    let (mut store, user, _) = started(&place);
    let mut closed = Vec::new();
    store
        .batch(&mut |store| {
            for n in 0..=u8::try_from(chat::SESSIONS_PER_USER_MAX).unwrap() {
                let opened = store
                    .job(|w| w.open_session(user, &digest(n), n.into(), 1000, None, None))
                    .unwrap();
                closed.extend(opened.closed);
            }
        })
        .unwrap();
    assert_eq!(closed.len(), 1, "the oldest");
    let left = store.job(|w| w.sessions_of(user)).unwrap();
    assert_eq!(left.len(), chat::SESSIONS_PER_USER_MAX);
    assert!(!left.iter().any(|session| session.id == closed[0]));
}
