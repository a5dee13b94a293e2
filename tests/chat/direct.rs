//! Direct messages: one room for two, whoever opens it, and what the other one learns of it.

use roomcast::chat::store::RoomId;
use serde_json::{Value, json};

use super::{Person, Ship, refusal};

const BO: i64 = 3;
const CEM: i64 = 4;

fn open(person: &mut Person, user: i64) -> Value {
    let mut answer = person.ask("dm:open", &json!({ "user": user }));
    assert_eq!(answer["ok"], true, "{answer}");
    answer["room"].take()
}

fn rooms(person: &mut Person) -> Vec<Value> {
    let mut hello = person.ask("hello", &json!({ "v": 1 }));
    let rooms: Vec<Value> = serde_json::from_value(hello["rooms"].take()).unwrap();
    rooms
        .into_iter()
        .filter(|room| room["kind"] == "direct")
        .collect()
}

#[test]
fn two_have_one_room_however_often_and_by_whom_it_is_opened() {
    let ship = Ship::new();
    let (mut bo, mut cem, mut tab) = (ship.enter("bo"), ship.enter("cem"), ship.enter("bo"));
    let room = open(&mut bo, CEM);
    assert_eq!(
        (&room["kind"], &room["with"], &room["level"]),
        (&json!("direct"), &json!(CEM), &json!("all"))
    );
    assert_eq!(
        tab.hear("room")["room"],
        room,
        "the other tabs will need it"
    );
    assert_eq!(open(&mut bo, CEM), room);
    let others = open(&mut cem, BO);
    assert_eq!((&others["id"], &others["with"]), (&room["id"], &json!(BO)));
}

#[test]
fn the_other_one_hears_of_it_with_the_first_message() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    let room = open(&mut bo, CEM);
    bo.say(&format!(
        "[\"typing\",{}]",
        json!({ "room": room["id"], "on": true })
    ));
    assert_eq!(rooms(&mut bo), std::slice::from_ref(&room));
    assert_eq!(rooms(&mut cem), [] as [Value; 0], "nothing has been said");
    assert!(
        cem.heard.is_empty(),
        "and nobody is seen typing in it: {:?}",
        cem.heard
    );
    let id = RoomId(room["id"].as_i64().unwrap());
    bo.send(id, "c1", "a word?");
    let heard = cem.hear("room");
    assert_eq!(
        (&heard["room"]["with"], &heard["room"]["rev"]),
        (&json!(BO), &json!(0))
    );
    assert_eq!(cem.hear("message")["rev"], 1, "which is news");
    bo.send(id, "c2", "or two");
    assert_eq!(cem.hear("message")["text"], "or two");
    assert!(cem.heard.iter().all(|(name, _)| name != "room"), "once");
    assert_eq!(rooms(&mut cem)[0]["seq"], 2);
}

#[test]
fn nobody_else_may_do_anything_there_and_neither_of_the_two_may_leave() {
    let ship = Ship::new();
    let (mut ada, mut bo) = (ship.enter("ada"), ship.enter("bo"));
    let room = open(&mut bo, CEM)["id"].take();
    for (event, body) in [
        (
            "send",
            json!({ "room": room, "cid": "c", "text": "me too" }),
        ),
        ("history", json!({ "room": room })),
        ("room:join", json!({ "room": room })),
        ("room:add", json!({ "room": room, "user": 1 })),
        ("room:members", json!({ "room": room })),
    ] {
        assert_eq!(ada.ask(event, &body), refusal("not_found"), "{event}");
    }
    for (event, body) in [
        ("room:leave", json!({ "room": room })),
        ("room:add", json!({ "room": room, "user": 1 })),
        ("room:remove", json!({ "room": room, "user": CEM })),
        ("room:update", json!({ "room": room, "name": "Two" })),
    ] {
        assert_eq!(bo.ask(event, &body), refusal("forbidden"), "{event}");
    }
    assert_eq!(
        bo.ask("room:join", &json!({ "room": room })),
        refusal("not_found")
    );
    assert_eq!(
        bo.ask("room:members", &json!({ "room": room }))["members"],
        json!([BO, CEM])
    );
}

#[test]
fn with_somebody_who_has_left_it_can_be_read_and_not_written_in() {
    let ship = Ship::with(|store, _| {
        store
            .job(|w| {
                let (bo, cem) = (super::UserId(BO), super::UserId(CEM));
                let room = w.open_direct(cem, bo, 1)?;
                w.send(room.id, cem, "c1", "so long", 2)
            })
            .unwrap();
    })
    .again(|database| {
        rusqlite::Connection::open(database)
            .and_then(|conn| conn.execute("UPDATE users SET state = 3 WHERE id = 4", []))
            .unwrap();
    });
    let mut bo = ship.enter("bo");
    let room = rooms(&mut bo).remove(0);
    assert_eq!(room["with"], CEM);
    let history = bo.ask("history", &json!({ "room": room["id"] }));
    assert_eq!(history["rows"][0]["text"], "so long");
    let send = bo.ask(
        "send",
        &json!({ "room": room["id"], "cid": "c", "text": "hm" }),
    );
    assert_eq!(send, refusal("forbidden"));
    assert_eq!(open(&mut bo, CEM)["id"], room["id"], "and is found again");
    let hello = bo.ask("hello", &json!({ "v": 1 }));
    assert_eq!(hello["people"][3]["gone"], true);
    assert_eq!(ship.rows(RoomId(room["id"].as_i64().unwrap())).len(), 1);
}

#[test]
fn with_oneself_it_is_a_page_for_notes() {
    let ship = Ship::new();
    let (mut bo, mut tab) = (ship.enter("bo"), ship.enter("bo"));
    let room = open(&mut bo, BO);
    assert_eq!(room["with"], BO);
    bo.send(RoomId(room["id"].as_i64().unwrap()), "c1", "buy rope");
    assert_eq!(tab.hear("message")["text"], "buy rope");
    assert_eq!(
        bo.ask("room:members", &json!({ "room": room["id"] }))["members"],
        json!([BO])
    );
}

#[test]
fn what_makes_no_sense_opens_nothing() {
    let ship = Ship::new();
    let mut bo = ship.enter("bo");
    for (body, code) in [
        (json!({ "user": 999 }), "not_found"),
        (json!({ "user": 0 }), "not_found"),
        (json!({ "user": -3 }), "not_found"),
        (json!({ "user": i64::MAX }), "not_found"),
        (json!({ "user": "4" }), "invalid"),
        (json!({ "user": 4.5 }), "invalid"),
        (json!({ "user": [3, 4] }), "invalid"),
        (json!({ "user": { "id": 4 } }), "invalid"),
        (json!({}), "invalid"),
        (json!(4), "invalid"),
        (json!(null), "invalid"),
    ] {
        assert_eq!(bo.ask("dm:open", &body), refusal(code), "{body}");
    }
    assert_eq!(rooms(&mut bo), [] as [Value; 0]);
}
