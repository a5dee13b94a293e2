//! Roles, muting, being shut out; links for passwords; the trail of what was done.

use super::super::*;
use super::{Place, digest, name, new, started};
use crate::chat::names::Login;
use crate::config::chat;

/// Anna, who is the admin, and Bob.
fn two(place: &Place) -> (Store, UserId, UserId) {
    let (mut store, anna, _) = started(place);
    let bob = store.job(|w| w.create_user_open(&new("bob"), 2)).unwrap();
    (store, anna, bob.user.id)
}

fn users(place: &Place) -> Vec<User> {
    place.reader().job(|r| r.load(0)).unwrap().users
}

#[test]
fn a_change_of_a_person_is_kept() {
    let place = Place::new();
    let (mut store, _, bob) = two(&place);
    let changed = [
        store.job(|w| w.set_name(bob, &name("Robert"))).unwrap(),
        store.job(|w| w.set_role(bob, Role::Moderator)).unwrap(),
        store.job(|w| w.mute(bob, Some(77))).unwrap(),
    ];
    let now = users(&place).pop().unwrap();
    assert_eq!(now, changed[2]);
    assert_eq!((now.name.as_str(), now.role), ("Robert", Role::Moderator));
    assert_eq!((now.state, now.muted_until), (State::Muted, Some(77)));
    let for_good = store.job(|w| w.mute(bob, None)).unwrap();
    assert_eq!((for_good.state, for_good.muted_until), (State::Muted, None));
    let free = store.job(|w| w.unmute(bob)).unwrap();
    assert_eq!((free.state, free.muted_until), (State::Active, None));
    let nobody = UserId(99);
    assert_eq!(
        store.job(|w| w.mute(nobody, None)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.job(|w| w.set_role(nobody, Role::Admin)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.job(|w| w.set_name(nobody, &name("X"))),
        Err(StoreError::NotFound)
    );
}

#[test]
fn there_is_always_an_admin_who_can_come_in() {
    let place = Place::new();
    let (mut store, anna, bob) = two(&place);
    let last = Err(StoreError::LastAdmin);
    assert_eq!(
        store.job(|w| w.set_role(anna, Role::Member)).map(|_| ()),
        last
    );
    assert_eq!(
        store.job(|w| w.shut_out(anna, State::Left)).map(|_| ()),
        last
    );
    assert_eq!(
        store.job(|w| w.shut_out(anna, State::Banned)).map(|_| ()),
        last
    );
    // One who has yet to set a password cannot come in.
    let dora = Login::parse("dora").unwrap();
    let dora = store
        .job(|w| w.create_user_without_password(&dora, &name("Dora"), 3))
        .unwrap();
    store
        .job(|w| w.set_role(dora.user.id, Role::Admin))
        .unwrap();
    assert_eq!(
        store.job(|w| w.set_role(anna, Role::Member)).map(|_| ()),
        last
    );
    assert_eq!(users(&place)[0].role, Role::Admin, "nothing has changed");
    // A muted one can.
    store.job(|w| w.set_role(bob, Role::Admin)).unwrap();
    store.job(|w| w.mute(bob, None)).unwrap();
    store.job(|w| w.set_role(anna, Role::Member)).unwrap();
    assert_eq!(
        store.job(|w| w.shut_out(bob, State::Left)).map(|_| ()),
        last
    );
}

#[test]
fn who_is_shut_out_leaves_all_rooms_but_those_of_two_and_no_session_can_be_opened() {
    let place = Place::new();
    let (mut store, anna, bob) = two(&place);
    let tea = store
        .job(|w| w.create_room(RoomKind::Private, &name("Tea"), "", bob, 3))
        .unwrap();
    let direct = store.job(|w| w.open_direct(anna, bob, 3)).unwrap();
    store
        .job(|w| w.new_invite(bob, &digest(1), None, None, 3))
        .unwrap();
    store
        .job(|w| w.new_invite(anna, &digest(2), None, None, 3))
        .unwrap();
    store
        .job(|w| w.new_password_link(bob, anna, &digest(3), 100, 3))
        .unwrap();
    let open = |store: &mut Store, token: u8| {
        store.job(|w| w.open_session(bob, &digest(token), 3, 100, None, None))
    };
    let before = open(&mut store, 10).unwrap();

    let out = store.job(|w| w.shut_out(bob, State::Banned)).unwrap();
    assert_eq!(out.user.state, State::Banned);
    assert_eq!(out.rooms.len(), 2);
    assert!(out.rooms.iter().any(|(room, _)| *room == tea.id));
    assert_eq!(
        store.job(|w| w.shut_out(bob, State::Banned)),
        Err(StoreError::NotFound)
    );
    assert_eq!(open(&mut store, 11), Err(StoreError::NotFound));
    assert_eq!(store.job(|w| w.mute(bob, None)), Err(StoreError::NotFound));
    assert_eq!(store.job(|w| w.unmute(bob)), Err(StoreError::NotFound));
    assert_eq!(
        store.job(|w| w.set_role(bob, Role::Admin)),
        Err(StoreError::NotFound)
    );
    assert!(!store.job(|w| w.is_invite(&digest(1), 4)).unwrap());
    assert!(
        store.job(|w| w.is_invite(&digest(2), 4)).unwrap(),
        "another's stays"
    );
    assert_eq!(store.job(|w| w.password_link(&digest(3), 4)).unwrap(), None);
    let link = store.job(|w| w.new_password_link(bob, anna, &digest(4), 100, 4));
    assert_eq!(link, Err(StoreError::NotFound));
    let boot = place.reader().job(|r| r.load(4)).unwrap();
    let of_bob = |member: &&Member| member.user == bob;
    let left: Vec<_> = boot
        .members
        .iter()
        .filter(of_bob)
        .map(|member| member.room)
        .collect();
    assert_eq!(left, [direct.id]);
    assert_eq!(
        boot.sessions.len(),
        1,
        "whose page will be told why it opens nothing"
    );

    let back = store.job(|w| w.let_back(bob, 5)).unwrap();
    assert_eq!(back.user.state, State::Active);
    assert_eq!(back.closed, [before.id]);
    assert_eq!(Some(back.member.unwrap().room), boot.general);
    assert_eq!(store.job(|w| w.let_back(bob, 5)), Err(StoreError::NotFound));
    open(&mut store, 12).unwrap();
}

#[test]
fn a_link_sets_one_password_in_its_time() {
    let place = Place::new();
    let (mut store, anna, bob) = two(&place);
    let link = |store: &mut Store, code: u8| {
        store
            .job(|w| w.new_password_link(bob, anna, &digest(code), 100, 10))
            .unwrap();
    };
    let by = |store: &mut Store, code: u8, at: u64| {
        store.job(|w| w.set_password_by_link(&digest(code), "$new", at))
    };
    link(&mut store, 1);
    link(&mut store, 2);
    assert_eq!(by(&mut store, 1, 20), Err(StoreError::Gone), "replaced");
    assert_eq!(by(&mut store, 2, 100), Err(StoreError::Gone), "expired");
    assert_eq!(by(&mut store, 9, 20), Err(StoreError::Gone), "invented");
    assert_eq!(
        store.job(|w| w.password_link(&digest(2), 99)).unwrap(),
        Some(bob)
    );
    assert_eq!(
        store.job(|w| w.password_link(&digest(2), 100)).unwrap(),
        None
    );
    assert_eq!(by(&mut store, 2, 99), Ok(bob));
    assert_eq!(by(&mut store, 2, 99), Err(StoreError::Gone), "used");
    let found = store.job(|w| w.user_for_sign_in("bob")).unwrap().unwrap();
    assert_eq!(found.phc.as_deref(), Some("$new"));
    // An invite is no link, and a link is no invite.
    store
        .job(|w| w.new_invite(anna, &digest(5), Some(100), None, 10))
        .unwrap();
    assert_eq!(by(&mut store, 5, 20), Err(StoreError::Gone));
    link(&mut store, 6);
    let joined = store.job(|w| w.create_user_by_invite(&digest(6), &new("eve"), 20));
    assert_eq!(joined, Err(StoreError::Gone));
    store.job(|w| w.end_password_links(bob)).unwrap();
    assert_eq!(by(&mut store, 6, 20), Err(StoreError::Gone), "ended");
}

#[test]
fn the_trail_shows_the_newest_first_and_forgets_what_is_too_old() {
    let place = Place::new();
    let (mut store, anna, _) = two(&place);
    let kept = u64::try_from(chat::AUDIT_KEPT.as_millis()).unwrap();
    let note = |store: &mut Store, at: u64| {
        let deed = Deed {
            at,
            by: anna,
            what: "user:mute",
            target: format!("{{\"user\":{at}}}"),
            ip: None,
        };
        store.job(|w| w.note(&deed)).unwrap();
    };
    for at in 1..=5 {
        note(&mut store, at);
    }
    let seen = |before: Option<i64>, limit: usize| -> Vec<u64> {
        let rows = place.reader().job(|r| r.audit(before, limit)).unwrap();
        rows.into_iter().map(|row| row.at).collect()
    };
    assert_eq!(seen(None, 100), [5, 4, 3, 2, 1]);
    assert_eq!(seen(None, 2), [5, 4]);
    let second = place.reader().job(|r| r.audit(None, 2)).unwrap()[1].id;
    assert_eq!(seen(Some(second), 2), [3, 2]);
    note(&mut store, kept + 2);
    assert_eq!(
        seen(None, 100),
        [kept + 2, 5, 4, 3, 2],
        "what is just old enough goes"
    );
    note(&mut store, kept + 100);
    assert_eq!(
        seen(None, 100),
        [kept + 100, kept + 2, 5, 4],
        "two at a time"
    );
    let failed = store.job(|w| {
        w.note(&Deed {
            at: 1,
            by: anna,
            what: "user:ban",
            target: String::new(),
            ip: None,
        })?;
        w.set_role(anna, Role::Member)
    });
    assert!(failed.is_err());
    assert_eq!(seen(None, 100).len(), 4, "what was not done is not noted");
}

#[test]
fn people_are_listed_and_found() {
    let place = Place::new();
    let (mut store, anna, bob) = two(&place);
    store
        .job(|w| w.set_name(bob, &name("Robert_100%")))
        .unwrap();
    store
        .job(|w| w.open_session(anna, &digest(1), 9, 100, None, None))
        .unwrap();
    let mut reader = place.reader();
    let mut found = |has: &str, above: i64, limit: usize| -> Vec<UserId> {
        let people = reader.job(|r| r.people(has, UserId(above), limit)).unwrap();
        people.into_iter().map(|person| person.user.id).collect()
    };
    assert_eq!(found("", 0, 10), [anna, bob]);
    assert_eq!(found("", 0, 1), [anna]);
    assert_eq!(found("", anna.0, 10), [bob]);
    assert_eq!(found("BERT", 0, 10), [bob]);
    assert_eq!(found("ann", 0, 10), [anna]);
    assert_eq!(found("_100%", 0, 10), [bob]);
    assert_eq!(found("%", 0, 10), [bob], "no pattern, only text");
    let listed = reader
        .job(|r| r.people("", UserId(0), 1))
        .unwrap()
        .remove(0);
    assert_eq!(
        (listed.created_at, listed.used_at, listed.has_password),
        (1, Some(9), true)
    );
}

#[test]
fn settings_and_archives_are_kept() {
    let place = Place::new();
    let (mut store, anna, bob) = two(&place);
    let tea = store
        .job(|w| w.create_room(RoomKind::Open, &name("Tea"), "", anna, 3))
        .unwrap();
    store.job(|w| w.join(tea.id, bob, 3)).unwrap();
    let counts = store.job(|w| w.member_counts()).unwrap();
    assert_eq!(counts.get(&tea.id), Some(&2));
    store.job(|w| w.archive_room(tea.id, Some(4))).unwrap();
    store
        .job(|w| w.set_settings(None, Some("open"), None))
        .unwrap();
    store
        .job(|w| w.set_settings(Some("Pier"), None, Some("Anna")))
        .unwrap();
    let boot = place.reader().job(|r| r.load(0)).unwrap();
    assert!(boot.rooms[1].archived);
    assert_eq!(
        [boot.workspace, boot.sign_up, boot.contact].map(Option::unwrap),
        ["Pier", "open", "Anna"]
    );
    store.job(|w| w.archive_room(tea.id, None)).unwrap();
    assert_eq!(store.job(|w| w.members_of(tea.id)).unwrap().len(), 2);
    let direct = store.job(|w| w.open_direct(anna, bob, 3)).unwrap();
    for room in [direct.id, RoomId(99)] {
        let archived = store.job(|w| w.archive_room(room, Some(4)));
        assert_eq!(archived, Err(StoreError::NotFound));
    }
}

#[test]
fn there_are_so_many_invites_and_the_oldest_make_room() {
    let place = Place::new();
    let (mut store, anna, _) = two(&place);
    let code = |n: usize| {
        let mut hash = digest(0);
        hash[..8].copy_from_slice(&n.to_le_bytes());
        hash
    };
    for n in 0..chat::INVITES_MAX + 2 {
        store
            .job(|w| w.new_invite(anna, &code(n), None, None, 3))
            .unwrap();
    }
    assert_eq!(
        store.job(|w| w.invites(4)).unwrap().len(),
        chat::INVITES_MAX
    );
    let mut holds = |n: usize| store.job(|w| w.is_invite(&code(n), 4)).unwrap();
    assert_eq!([0, 1, 2].map(&mut holds), [false, false, true]);
    assert!(holds(chat::INVITES_MAX + 1));
}
