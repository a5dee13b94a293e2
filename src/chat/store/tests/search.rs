//! Finding by words: which messages, in which order, and when it is enough.

use super::super::*;
use super::{Place, name, started};
use crate::config::chat;

fn wanted(words: &str, rooms: &[RoomId]) -> Wanted {
    Wanted {
        words: words.to_owned(),
        rooms: rooms.to_vec(),
        from: None,
        before: None,
    }
}

fn seqs(found: &Found) -> Vec<i64> {
    found.rows.iter().map(|row| row.seq).collect()
}

/// Says these texts, one after the other.
fn say_all(store: &mut Store, room: RoomId, by: UserId, texts: &[&str]) {
    for (n, text) in texts.iter().enumerate() {
        let cid = format!("{} {n}", room.0);
        store.job(|w| w.send(room, by, &cid, text, 7)).unwrap();
    }
}

#[test]
fn all_words_must_be_there_in_any_order_case_and_accent_and_the_newest_comes_first() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let texts = [
        "The green tea is in the galley",
        "Grüner Tee, bitte",
        "TEA? Green, please",
        "no coffee today",
        "team green",
        "foo-bar and foo bar",
    ];
    say_all(&mut store, general, anna, &texts);
    let mut reader = place.reader();
    let table: [(&str, &[i64]); 13] = [
        ("green tea", &[5, 3, 1]),
        ("tea GREEN", &[3, 1]),
        ("gree", &[5, 3, 1]),
        ("green te", &[5, 3, 1]),
        ("gre tea", &[]),
        ("gruner", &[2]),
        ("foo-bar", &[6]),
        ("coffee tea", &[]),
        ("NOT coffee", &[]),
        ("coffee OR tea", &[]),
        ("\"", &[]),
        ("ga* NEAR(", &[]),
        ("body:green", &[]),
    ];
    for (words, expected) in table {
        let found = reader.search(&wanted(words, &[general]), || false).unwrap();
        assert_eq!(seqs(&found), expected, "{words}");
        assert!(!found.more && !found.partial);
    }
}

#[test]
fn only_the_rooms_that_are_named_are_looked_in() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let mut rooms = vec![general];
    for n in 0..300 {
        let name = name(&format!("Room {n}"));
        let made = store.job(|w| w.create_room(RoomKind::Private, &name, "", anna, 3));
        rooms.push(made.unwrap().id);
    }
    for room in &rooms {
        say_all(&mut store, *room, anna, &["the same words"]);
    }
    let mut reader = place.reader();
    let mut search = |rooms: &[RoomId]| {
        let found = reader
            .search(&wanted("same words", rooms), || false)
            .unwrap();
        let rooms: Vec<_> = found.rows.iter().map(|row| row.room).collect();
        (rooms, found.more)
    };
    assert_eq!(search(&[]), (vec![], false));
    assert_eq!(search(&rooms[5..6]), (vec![rooms[5]], false));
    // `r1` is not the beginning of `r12`.
    assert_eq!(search(&[RoomId(1)]), (vec![RoomId(1)], false));
    let newest: Vec<_> = rooms.iter().rev().take(30).copied().collect();
    assert_eq!(search(&rooms), (newest, true));
}

#[test]
fn what_was_edited_or_deleted_is_found_by_what_it_says_now() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    say_all(&mut store, general, anna, &["red wine", "red beer"]);
    store
        .job(|w| w.edit(MessageId(1), "white wine", 8))
        .unwrap();
    store.job(|w| w.delete(MessageId(2), anna, 8)).unwrap();
    let mut reader = place.reader();
    let mut search = |words| {
        let found = reader.search(&wanted(words, &[general]), || false);
        seqs(&found.unwrap())
    };
    assert!(search("red").is_empty());
    assert_eq!(search("white"), [1]);
}

#[test]
fn an_answer_has_thirty_rows_and_the_next_begins_before_its_last() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let bob = store
        .job(|w| w.create_user_open(&super::new("bob"), 2))
        .unwrap()
        .user
        .id;
    store
        .batch(&mut |store| {
            for n in 1..=70 {
                let by = if n % 10 == 0 { bob } else { anna };
                let cid = n.to_string();
                store
                    .job(|w| w.send(general, by, &cid, "again", 7))
                    .unwrap();
            }
        })
        .unwrap();
    let mut reader = place.reader();
    let mut wanted = wanted("again", &[general]);
    let mut all = Vec::new();
    let mut answers = 0;
    loop {
        let found = reader.search(&wanted, || false).unwrap();
        assert!(found.rows.len() <= chat::SEARCH_ROWS_MAX);
        answers += 1;
        all.extend(seqs(&found));
        wanted.before = found.rows.last().map(|row| row.id);
        if !found.more {
            break;
        }
    }
    assert_eq!(answers, 3);
    assert_eq!(all, (1..=70).rev().collect::<Vec<i64>>());
    wanted.before = None;
    wanted.from = Some(bob);
    let of_bob = reader.search(&wanted, || false).unwrap();
    assert_eq!(seqs(&of_bob), [70, 60, 50, 40, 30, 20, 10]);
}

#[test]
fn when_time_is_up_the_answer_is_what_was_found_by_then() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    store
        .batch(&mut |store| {
            for n in 0..4000 {
                // Two in a thousand are by somebody else, whom the search asks for.
                let by = if n % 500 == 0 { UserId(99) } else { anna };
                let cid = n.to_string();
                store
                    .job(|w| w.send(general, by, &cid, "again", 7))
                    .unwrap();
            }
        })
        .unwrap();
    let mut reader = place.reader();
    let mut wanted = wanted("again", &[general]);
    wanted.from = Some(UserId(99));
    let whole = reader.search(&wanted, || false).unwrap();
    assert_eq!((whole.rows.len(), whole.partial), (8, false));
    let mut looks = 0;
    let cut = reader
        .search(&wanted, move || {
            looks += 1;
            looks > 10
        })
        .unwrap();
    assert!(cut.partial && cut.rows.len() < 8, "{}", cut.rows.len());
    assert_eq!(cut.rows, whole.rows[..cut.rows.len()], "the newest of them");
    assert_eq!(
        reader.search(&wanted, || false).unwrap(),
        whole,
        "and the next one has its own time"
    );
}
