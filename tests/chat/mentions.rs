//! Mentions, and how far somebody has read: counted on the server, told to every tab.

use serde_json::{Value, json};

use super::{Person, Ship, refusal};

/// What is unread in General, and how many mentions of it: as a new page is told.
fn standing(ship: &Ship, login: &str) -> (i64, i64) {
    let hello = ship.enter(login).ask("hello", &json!({ "v": 1 }));
    let room = &hello["rooms"][0];
    let number = |name: &str| room[name].as_i64().unwrap();
    (number("seq") - number("read"), number("mentions"))
}

fn read(person: &mut Person, room: impl serde::Serialize, seq: i64) -> Value {
    person.ask("read", &json!({ "room": room, "seq": seq }))
}

#[test]
fn who_is_called_in_a_message_has_a_mention_and_nobody_else_has() {
    let ship = Ship::new();
    let mut ada = ship.enter("ada");
    ada.send(
        ship.general,
        "c1",
        "@Bo, bring the chart. @bo? And @ada, @nobody",
    );
    assert_eq!(
        standing(&ship, "bo"),
        (1, 1),
        "twice in one message is once"
    );
    assert_eq!(standing(&ship, "cem"), (1, 0));
    assert_eq!(standing(&ship, "ada"), (0, 0), "nobody calls themselves");
    ada.send(
        ship.general,
        "c1",
        "@bo again, says a page that had no answer",
    );
    assert_eq!(
        standing(&ship, "bo"),
        (1, 1),
        "sent again is not said again"
    );
    ada.send(ship.bridge, "c2", "@bo does not hear this");
    assert_eq!(
        standing(&ship, "bo"),
        (1, 1),
        "who is not in a room is not called in it"
    );
    let ship = ship.again(|_| {});
    assert_eq!(standing(&ship, "bo"), (1, 1), "and it is on disk");
}

#[test]
fn reading_to_the_end_clears_the_mentions_in_every_tab_and_reading_less_does_not() {
    let ship = Ship::new();
    let (mut ada, mut bo, mut tab) = (ship.enter("ada"), ship.enter("bo"), ship.enter("bo"));
    ada.send(ship.general, "c1", "@bo");
    ada.send(ship.general, "c2", "well?");
    assert_eq!(read(&mut bo, ship.general, 1), json!({ "ok": true }));
    assert_eq!(
        tab.hear("read"),
        json!({ "room": 1, "seq": 1, "mentions": 1 })
    );
    assert_eq!(read(&mut bo, ship.general, 2), json!({ "ok": true }));
    assert_eq!(
        tab.hear("read"),
        json!({ "room": 1, "seq": 2, "mentions": 0 })
    );
    assert_eq!(standing(&ship, "bo"), (0, 0));
    ada.ask("room:list", &json!({}));
    assert!(
        ada.heard.iter().all(|(name, _)| name != "read"),
        "it is nobody else's business"
    );
}

#[test]
fn who_answers_has_read() {
    let ship = Ship::new();
    let (mut ada, mut bo) = (ship.enter("ada"), ship.enter("bo"));
    ada.send(ship.general, "c1", "@bo");
    bo.send(ship.general, "c2", "here");
    assert_eq!(standing(&ship, "bo"), (0, 0));
}

#[test]
fn a_mark_that_makes_no_sense_is_refused_or_stands_where_it_can() {
    let ship = Ship::new();
    let (mut ada, mut bo, mut tab) = (ship.enter("ada"), ship.enter("bo"), ship.enter("bo"));
    ada.send(ship.general, "c1", "@bo");
    assert_eq!(read(&mut bo, ship.bridge, 1), refusal("not_found"));
    for body in [
        json!({ "room": 1 }),
        json!({ "seq": 1 }),
        json!({ "room": 1, "seq": "1" }),
        json!([1, 1]),
    ] {
        assert_eq!(bo.ask("read", &body), refusal("invalid"), "{body}");
    }
    assert_eq!(read(&mut bo, ship.general, i64::MIN), json!({ "ok": true }));
    assert_eq!(
        tab.hear("read"),
        json!({ "room": 1, "seq": 0, "mentions": 1 })
    );
    assert_eq!(standing(&ship, "bo"), (1, 1));
    assert_eq!(read(&mut bo, ship.general, i64::MAX), json!({ "ok": true }));
    assert_eq!(
        tab.hear("read"),
        json!({ "room": 1, "seq": 1, "mentions": 0 })
    );
}
