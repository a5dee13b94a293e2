//! How much one person may ask: what is too much is told to wait, is not stored, and may be asked again.

use serde_json::{Value, json};

use super::{Person, Ship};

/// Asks all at once, and answers with how many were let through; the others were told when to come again.
pub(super) fn at_once(
    person: &mut Person,
    event: &str,
    bodies: impl Iterator<Item = Value>,
) -> usize {
    let numbers: Vec<u64> = bodies
        .map(|body| person.say(&format!("[{},{body}]", json!(event))))
        .collect();
    let mut let_through = 0;
    for number in numbers {
        let answer = person.answer(number);
        if answer["ok"] == true {
            let_through += 1;
            continue;
        }
        assert_eq!(answer["code"], "slow", "{answer}");
        let wait = answer["retryMs"].as_u64().unwrap();
        assert!((1..=1_000).contains(&wait), "{answer}");
    }
    let_through
}

#[test]
fn five_messages_go_at_once_and_the_others_are_to_wait() {
    let ship = Ship::new();
    let mut bo = ship.enter("bo");
    let message = |n: u32| json!({ "room": ship.general, "cid": format!("c{n}"), "text": "and another thing" });
    let sent = at_once(&mut bo, "send", (0..60).map(message));
    // A slow machine lets some more through while the seconds pass.
    assert!((5..60).contains(&sent), "{sent}");
    assert_eq!(ship.rows(ship.general).len(), sent.min(50));
}

#[test]
fn another_socket_of_the_same_person_has_nothing_more() {
    let ship = Ship::new();
    let (mut one, mut other) = (ship.enter("bo"), ship.enter("bo"));
    let page = |_| json!({ "room": ship.general });
    let first = at_once(&mut one, "history", (0..60).map(page));
    assert!((10..60).contains(&first), "{first}");
    let second = at_once(&mut other, "history", (0..40).map(page));
    assert!(second < 40, "{second}");
    let mut cem = ship.enter("cem");
    assert_eq!(
        cem.ask("history", &page(0))["ok"],
        true,
        "another person has their own"
    );
}

#[test]
fn edits_have_a_rate_of_their_own() {
    let ship = Ship::new();
    let mut bo = ship.enter("bo");
    let id = bo.send(ship.general, "c", "0");
    let edit = |n: u32| json!({ "id": id, "text": n.to_string() });
    let edited = at_once(&mut bo, "edit", (1..60).map(edit));
    assert!((5..59).contains(&edited), "{edited}");
    assert_eq!(
        bo.ask(
            "send",
            &json!({ "room": ship.general, "cid": "d", "text": "on" })
        )["ok"],
        true
    );
}

#[test]
fn who_types_is_seen_five_times_at_once_and_not_a_hundred_times() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    for _ in 0..30 {
        for on in [true, false, false] {
            let typing = json!(["typing", { "room": ship.general, "on": on }]);
            bo.client.say(&format!("42{typing}"));
        }
    }
    // Behind all of them in the line.
    bo.send(ship.general, "c", "enough");
    assert_eq!(cem.ask("hello", &json!({ "v": 1 }))["ok"], true);
    let typing = cem.heard.iter().filter(|(name, _)| name == "typing");
    let seen: Vec<_> = typing.map(|(_, body)| body["on"] == true).collect();
    assert!((1..20).contains(&seen.len()), "{seen:?}");
    assert!(
        seen.iter().step_by(2).all(|on| *on),
        "begun before it is ended: {seen:?}"
    );
    assert!(seen.iter().skip(1).step_by(2).all(|on| !on), "{seen:?}");
}

#[test]
fn nobody_is_seen_typing_in_a_room_they_are_not_in() {
    let ship = Ship::new();
    let (mut mia, mut bo) = (ship.enter("mia"), ship.enter("bo"));
    let typing = json!(["typing", { "room": ship.bridge, "on": true }]);
    bo.client.say(&format!("42{typing}"));
    assert_eq!(bo.ask("hello", &json!({ "v": 1 }))["ok"], true);
    assert_eq!(mia.ask("hello", &json!({ "v": 1 }))["ok"], true);
    assert!(mia.heard.iter().all(|(name, _)| name != "typing"));
}
