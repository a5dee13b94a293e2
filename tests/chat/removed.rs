//! Who was removed from a private room: from that moment on there is no such room for them, whatever they ask, and whatever
//! they remember of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Person, Ship, refusal};

const MIA: i64 = 2;
const BO: i64 = 3;
const CEM: i64 = 4;

/// A room and a message that never were.
const NOWHERE: i64 = 999_999;

/// Every question that names a room or a message, about these.
fn questions(room: i64, id: i64) -> Vec<(&'static str, Value)> {
    vec![
        ("sync", json!({ "room": room, "rev": 0 })),
        ("history", json!({ "room": room })),
        ("history", json!({ "room": room, "around": 1 })),
        ("history", json!({ "room": room, "after": 0, "limit": 1 })),
        ("search", json!({ "q": "harbour", "room": room })),
        (
            "send",
            json!({ "room": room, "cid": "late", "text": "still here" }),
        ),
        // What they said themselves, and was acknowledged to them.
        (
            "send",
            json!({ "room": room, "cid": "mine", "text": "my secret harbour" }),
        ),
        ("edit", json!({ "id": id, "text": "something else" })),
        ("delete", json!({ "id": id })),
        ("read", json!({ "room": room, "seq": 1 })),
        ("room:join", json!({ "room": room })),
        ("room:leave", json!({ "room": room })),
        ("room:update", json!({ "room": room, "name": "Mine" })),
        ("room:members", json!({ "room": room })),
        ("room:add", json!({ "room": room, "user": CEM })),
        ("room:remove", json!({ "room": room, "user": BO })),
        ("room:level", json!({ "room": room, "level": "all" })),
    ]
}

/// Events that name no room and no message, or are looked at below.
const OTHERS: [&str; 17] = [
    "hello",
    "typing",
    "visible",
    "room:list",
    "room:create",
    "dm:open",
    "invite:new",
    "me:update",
    "me:password",
    "me:sessions",
    "me:revoke",
    "user:about",
    "user:mute",
    "user:unmute",
    "user:remove",
    "user:ban",
    "user:unban",
];
const OTHERS_OF_ADMINS: [&str; 2] = ["user:role", "user:link"];

#[test]
fn every_event_there_is_was_thought_of() {
    let table = include_str!("../../src/chat/mod.rs");
    let (_, ours) = table.split_once(".of(\"/\")").unwrap();
    let (ours, _) = ours.split_once(".of(admin::PLACE)").unwrap();
    let there: BTreeSet<_> = ours
        .split(".on_raw(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let asked = questions(1, 1).into_iter().map(|(event, _)| event);
    let known: BTreeSet<_> = asked.chain(OTHERS).chain(OTHERS_OF_ADMINS).collect();
    assert_eq!(there, known);
}

/// What somebody was told until now.
fn told(person: &mut Person) -> Vec<(String, Value)> {
    person.ask("room:list", &json!({}));
    person.heard.drain(..).collect()
}

/// Bo's room, in which cem has spoken, and out of which he was put. With the number of what he said.
fn put_out(bo: &mut Person, cem: &mut Person) -> (i64, i64) {
    let made = bo.ask("room:create", &json!({ "name": "Crew", "kind": "private" }));
    let room = made["room"]["id"].as_i64().unwrap();
    bo.ask("room:add", &json!({ "room": room, "user": CEM }));
    let said = json!({ "room": room, "cid": "mine", "text": "my secret harbour" });
    let said = cem.ask("send", &said);
    assert_eq!(said["ok"], true, "{said}");
    let put_out = bo.ask("room:remove", &json!({ "room": room, "user": CEM }));
    assert_eq!(put_out["ok"], true, "{put_out}");
    assert_eq!(cem.hear("room:gone")["room"], room);
    (room, said["id"].as_i64().unwrap())
}

#[test]
fn whatever_they_ask_is_answered_as_of_a_room_that_never_was() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    let (room, id) = put_out(&mut bo, &mut cem);
    let mut later = ship.enter("cem");
    for (one, other) in questions(room, id)
        .into_iter()
        .zip(questions(NOWHERE, NOWHERE))
    {
        let (event, body) = &one;
        let answer = cem.ask(event, body);
        assert_eq!(answer, refusal("not_found"), "{event} {body}");
        assert_eq!(answer, later.ask(other.0, &other.1), "{event} {body}");
    }
    // Nor by what names no room.
    for body in [
        json!({ "q": "harbour" }),
        json!({ "q": "secret", "from": CEM }),
    ] {
        assert_eq!(later.ask("search", &body)["rows"], json!([]), "{body}");
    }
    let hello = json!({ "v": 1, "cursors": { room.to_string(): 0 } });
    for page in [&mut ship.enter("cem"), &mut cem] {
        let answer = page.ask("hello", &hello).to_string();
        assert!(!answer.contains("Crew") && !answer.contains("harbour"));
        assert!(!answer.contains(&format!("\"id\":{room},\"kind\"")));
    }
    let list = cem.ask("room:list", &json!({})).to_string();
    assert!(!list.contains("Crew"), "{list}");
    // And nothing of it has changed anything.
    let rows = ship.rows(roomcast::chat::store::RoomId(room));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text, "my secret harbour");
    let members = bo.ask("room:members", &json!({ "room": room }));
    assert_eq!(members["members"], json!([BO]));
}

#[test]
fn nothing_that_happens_there_is_told_to_them() {
    let ship = Ship::new();
    let (mut bo, mut cem, mut mia) = (ship.enter("bo"), ship.enter("cem"), ship.enter("mia"));
    let (room, id) = put_out(&mut bo, &mut cem);
    let mut later = ship.enter("cem");
    for page in [&mut cem, &mut later] {
        page.ask("hello", &json!({ "v": 1 }));
        told(page);
    }
    bo.ask("room:add", &json!({ "room": room, "user": MIA }));
    let call = json!({ "room": room, "cid": "c1", "text": "@cem does not hear this" });
    let said = bo.ask("send", &call)["id"].as_i64().unwrap();
    bo.ask("edit", &json!({ "id": said, "text": "@cem nor that" }));
    bo.ask("room:update", &json!({ "room": room, "name": "Deck" }));
    mia.ask("delete", &json!({ "id": id }));
    mia.ask("read", &json!({ "room": room, "seq": 2 }));
    bo.say(&json!(["typing", { "room": room, "on": true }]).to_string());
    // They type there: nobody hears it, either.
    cem.say(&json!(["typing", { "room": room, "on": true }]).to_string());
    cem.ask("room:list", &json!({}));
    let heard = told(&mut mia);
    assert!(
        heard
            .iter()
            .any(|(event, body)| event == "typing" && body["by"] == BO)
    );
    assert!(
        !heard
            .iter()
            .any(|(event, body)| event == "typing" && body["by"] == CEM)
    );
    mia.ask("room:leave", &json!({ "room": room }));
    bo.ask("room:leave", &json!({ "room": room }));
    for page in [&mut cem, &mut later] {
        assert_eq!(told(page), []);
    }
}
