//! Rooms, open, private and direct, and who is in them.

use super::super::*;
use super::{Place, joined, name, say, started};
use crate::chat::names::Name;

#[test]
fn rooms_are_made_joined_and_left() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let bob = joined(&mut store, "bob");
    say(&mut store, general, anna, "c1");

    let tea = store
        .job(|w| w.create_room(RoomKind::Open, &name("Tea"), "", anna, 3))
        .unwrap();
    let twice = store.job(|w| w.create_room(RoomKind::Open, &name("TEA"), "", bob, 3));
    assert_eq!(twice, Err(StoreError::Taken));
    assert_eq!(store.job(|w| w.join(tea.id, bob, 4)).unwrap().read_seq, 0);
    say(&mut store, tea.id, anna, "c2");
    assert_eq!(
        store.job(|w| w.join(tea.id, bob, 5)).unwrap().read_seq,
        0,
        "already there"
    );
    store.job(|w| w.leave(tea.id, bob)).unwrap();
    assert_eq!(
        store.job(|w| w.leave(tea.id, bob)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.job(|w| w.join(tea.id, bob, 6)).unwrap().read_seq,
        1,
        "nothing is unread"
    );
    assert_eq!(
        store.job(|w| w.join(RoomId(99), bob, 6)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.job(|w| w.join(tea.id, UserId(99), 6)),
        Err(StoreError::NotFound)
    );
    let rooms = place.reader().job(|r| r.rooms()).unwrap();
    assert_eq!(rooms.len(), 2);
    assert_eq!((rooms[1].seq, rooms[1].rev), (1, 1));
}

#[test]
fn two_people_have_one_direct_room() {
    let place = Place::new();
    let (mut store, anna, _) = started(&place);
    let bob = joined(&mut store, "bob");
    let room = store.job(|w| w.open_direct(anna, bob, 3)).unwrap();
    assert_eq!(store.job(|w| w.open_direct(bob, anna, 4)).unwrap(), room);
    assert_eq!((room.kind, room.name.clone()), (RoomKind::Direct, None));
    assert!(store.job(|w| w.member(room.id, bob)).is_ok());
    assert_ne!(
        store.job(|w| w.open_direct(anna, anna, 5)).unwrap().id,
        room.id
    );
    assert_eq!(
        store.job(|w| w.open_direct(anna, UserId(9), 5)),
        Err(StoreError::NotFound)
    );
}

#[test]
fn names_of_private_rooms_are_nobodys_business() {
    let place = Place::new();
    let (mut store, anna, _) = started(&place);
    let bob = joined(&mut store, "bob");
    let mut make = |kind, text, by| store.job(|w| w.create_room(kind, &name(text), "", by, 3));
    let secret = make(RoomKind::Private, "Tea", anna).unwrap();
    make(RoomKind::Private, "TEA", bob).expect("or bob would learn of it");
    let open = make(RoomKind::Open, "Tea", bob).expect("so would everybody");
    assert_eq!(make(RoomKind::Open, "tea", anna), Err(StoreError::Taken));
    let renamed = store.job(|w| w.update_room(secret.id, Some(&name("General")), None));
    assert_eq!(renamed.unwrap().name.as_deref(), Some("General"));
    let taken = store.job(|w| w.update_room(open.id, Some(&name("general")), Some("new")));
    assert_eq!(taken, Err(StoreError::Taken));
    let rooms = place.reader().job(|r| r.rooms()).unwrap();
    let open = rooms.iter().find(|room| room.id == open.id).unwrap();
    assert_eq!(
        (open.name.as_deref(), open.topic.as_str()),
        (Some("Tea"), "")
    );
}

#[test]
fn a_room_gets_another_name_or_topic_and_keeps_the_other() {
    let place = Place::new();
    let (mut store, anna, _) = started(&place);
    let tea = store
        .job(|w| w.create_room(RoomKind::Open, &name("Tea"), "green", anna, 3))
        .unwrap();
    let mut update = |name: Option<&Name>, topic| store.job(|w| w.update_room(tea.id, name, topic));
    let room = update(Some(&name("Coffee")), None).unwrap();
    assert_eq!(
        (room.name.as_deref(), room.topic.as_str()),
        (Some("Coffee"), "green")
    );
    let room = update(None, Some("")).unwrap();
    assert_eq!(
        (room.name.as_deref(), room.topic.as_str()),
        (Some("Coffee"), "")
    );
    assert_eq!(
        update(Some(&name("COFFEE")), None).unwrap().name.as_deref(),
        Some("COFFEE")
    );
    let freed = store.job(|w| w.create_room(RoomKind::Open, &name("Tea"), "", anna, 3));
    assert!(freed.is_ok(), "the old name is free");
    let nowhere = store.job(|w| w.update_room(RoomId(99), None, Some("x")));
    assert_eq!(nowhere, Err(StoreError::NotFound));
}

#[test]
fn a_room_whose_maker_leaves_goes_to_who_is_in_it_longest_and_a_private_one_to_nobody() {
    let place = Place::new();
    let (mut store, anna, _) = started(&place);
    let (bob, cem) = (joined(&mut store, "bob"), joined(&mut store, "cem"));
    let tea = store
        .job(|w| {
            let tea = w.create_room(RoomKind::Private, &name("Tea"), "", anna, 3)?;
            w.join(tea.id, cem, 4)?;
            w.join(tea.id, bob, 5)?;
            Ok(tea.id)
        })
        .unwrap();
    let mut leave = |user| store.job(|w| w.leave(tea, user)).unwrap();
    let left = |maker, is_archived| Left { maker, is_archived };
    assert_eq!(leave(anna), left(Some(cem), false));
    assert_eq!(
        leave(bob),
        left(None, false),
        "who made nothing leaves nothing"
    );
    assert_eq!(leave(cem), left(None, true));
    let again = store.job(|w| w.join(tea, anna, 6));
    assert_eq!(again, Err(StoreError::NotFound));
    let boot = place.reader().job(|r| r.load(0)).unwrap();
    assert!(
        boot.rooms
            .iter()
            .any(|room| room.id == tea && room.archived)
    );
}

#[test]
fn a_level_is_kept_and_everything_is_told_at_first() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    assert_eq!(
        store.job(|w| w.member(general, anna)).unwrap().level,
        Level::All
    );
    store
        .job(|w| w.set_level(general, anna, Level::Mentions))
        .unwrap();
    assert_eq!(
        store.job(|w| w.join(general, anna, 9)).unwrap().level,
        Level::Mentions
    );
    let stranger = store.job(|w| w.set_level(general, UserId(99), Level::Nothing));
    assert_eq!(stranger, Err(StoreError::NotFound));
}

#[test]
fn at_the_start_a_room_says_when_it_last_heard_something_and_a_direct_one_whose_it_is() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let bob = joined(&mut store, "bob");
    let direct = store.job(|w| w.open_direct(bob, anna, 3)).unwrap();
    assert_eq!(
        (direct.pair, direct.by, direct.at),
        (Some((anna, bob)), Some(bob), 3)
    );
    say(&mut store, general, anna, "c1");
    let boot = place.reader().job(|r| r.load(0)).unwrap();
    let at = |id| boot.rooms.iter().find(|room| room.id == id).unwrap().at;
    assert_eq!((at(general), at(direct.id)), (7, 3));
    assert_eq!(boot.rooms[1], direct);
}
