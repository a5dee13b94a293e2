//! Rooms, open and private: made, changed, entered, left, and who may say who is in them.

use serde_json::{Value, json};

use super::{Person, Ship, refusal};

const ADA: i64 = 1;
const MIA: i64 = 2;
const BO: i64 = 3;
const CEM: i64 = 4;

/// A private room that Bo has made.
fn crew(bo: &mut Person) -> i64 {
    let made = bo.ask("room:create", &json!({ "name": "Crew", "kind": "private" }));
    assert_eq!(
        (&made["room"]["kind"], &made["room"]["by"]),
        (&json!("private"), &json!(BO))
    );
    made["room"]["id"].as_i64().unwrap()
}

fn members(person: &mut Person, room: i64) -> Value {
    person.ask("room:members", &json!({ "room": room }))["members"].take()
}

/// What somebody was told until now: all of it is behind what they say and hear themselves.
fn told(person: &mut Person) -> Vec<String> {
    person.ask("room:list", &json!({}));
    person.heard.drain(..).map(|(name, _)| name).collect()
}

#[test]
fn a_private_room_shows_to_nobody_else() {
    let ship = Ship::new();
    let (mut ada, mut bo, mut cem) = (ship.enter("ada"), ship.enter("bo"), ship.enter("cem"));
    let room = crew(&mut bo);
    assert_eq!(told(&mut cem), [] as [&str; 0], "nobody is told");
    assert_eq!(
        cem.ask("room:list", &json!({}))["rooms"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let events = [
        ("room:join", json!({ "room": room })),
        ("room:leave", json!({ "room": room })),
        ("room:members", json!({ "room": room })),
        ("room:update", json!({ "room": room, "name": "Mine" })),
        ("room:add", json!({ "room": room, "user": CEM })),
        ("room:remove", json!({ "room": room, "user": BO })),
        ("room:level", json!({ "room": room, "level": "nothing" })),
        (
            "send",
            json!({ "room": room, "cid": "c1", "text": "heard?" }),
        ),
        ("history", json!({ "room": room })),
        ("sync", json!({ "room": room, "rev": 0 })),
        ("read", json!({ "room": room, "seq": 1 })),
    ];
    // An admin who is not in it, too.
    for person in [&mut cem, &mut ada] {
        for (event, body) in &events {
            assert_eq!(person.ask(event, body), refusal("not_found"), "{event}");
            let mut nowhere = body.clone();
            nowhere["room"] = json!(999);
            assert_eq!(
                person.ask(event, &nowhere),
                refusal("not_found"),
                "{event}: as one that never was"
            );
        }
    }
    assert_eq!(members(&mut bo, room), json!([BO]));
    let open = ada.ask("room:create", &json!({ "name": "Crew" }));
    assert_eq!(open["ok"], true, "its name is free for others");
}

#[test]
fn who_is_added_is_in_at_once_and_who_is_removed_hears_nothing_more() {
    let ship = Ship::new();
    let (mut bo, mut cem, mut tab) = (ship.enter("bo"), ship.enter("cem"), ship.enter("cem"));
    let room = crew(&mut bo);
    assert_eq!(
        bo.ask("room:add", &json!({ "room": room, "user": CEM })),
        json!({ "ok": true })
    );
    for person in [&mut cem, &mut tab] {
        let shown = person.hear("room");
        assert_eq!(
            (&shown["room"]["name"], &shown["room"]["id"]),
            (&json!("Crew"), &json!(room))
        );
    }
    assert_eq!(
        bo.hear("member"),
        json!({ "room": room, "user": CEM, "on": true })
    );
    assert_eq!(members(&mut cem, room), json!([BO, CEM]));
    bo.send(super::RoomId(room), "c1", "welcome");
    assert_eq!(tab.hear("message")["text"], "welcome");

    assert_eq!(
        bo.ask("room:remove", &json!({ "room": room, "user": CEM })),
        json!({ "ok": true })
    );
    bo.send(super::RoomId(room), "c2", "gone?");
    assert_eq!(cem.hear("room:gone"), json!({ "room": room }));
    assert_eq!(told(&mut cem), [] as [&str; 0]);
    assert_eq!(
        cem.ask("history", &json!({ "room": room })),
        refusal("not_found")
    );
    assert_eq!(
        bo.hear("member"),
        json!({ "room": room, "user": CEM, "on": false })
    );
}

#[test]
fn adding_who_is_in_already_changes_nothing() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    let room = crew(&mut bo);
    for _ in 0..2 {
        assert_eq!(
            bo.ask("room:add", &json!({ "room": room, "user": CEM }))["ok"],
            true
        );
    }
    assert_eq!(members(&mut cem, room), json!([BO, CEM]));
    assert_eq!(
        told(&mut bo)
            .iter()
            .filter(|name| *name == "member")
            .count(),
        1
    );
}

#[test]
fn the_maker_moderators_and_admins_manage_a_room_if_they_are_in_it_and_nobody_else_does() {
    let ship = Ship::new();
    let (mut mia, mut bo, mut cem) = (ship.enter("mia"), ship.enter("bo"), ship.enter("cem"));
    let room = crew(&mut bo);
    for user in [CEM, MIA] {
        bo.ask("room:add", &json!({ "room": room, "user": user }));
    }
    let events = [
        ("room:update", json!({ "room": room, "topic": "who may" })),
        ("room:add", json!({ "room": room, "user": ADA })),
        ("room:remove", json!({ "room": room, "user": ADA })),
    ];
    for (event, body) in &events {
        assert_eq!(cem.ask(event, body), refusal("forbidden"), "{event}");
    }
    assert_eq!(members(&mut cem, room), json!([MIA, BO, CEM]));
    for (event, body) in &events {
        assert_eq!(mia.ask(event, body), json!({ "ok": true }), "{event}");
    }
    let changed = cem.hear("room");
    assert_eq!(
        changed["room"]["topic"], "",
        "as he was told when he was added"
    );
    assert_eq!(cem.hear("room")["room"]["topic"], "who may");
}

#[test]
fn a_room_that_has_another_name_is_told_to_its_members_and_an_open_one_to_all() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    let room = crew(&mut bo);
    bo.ask(
        "room:update",
        &json!({ "room": room, "name": "  Deck \t hands ", "topic": " all " }),
    );
    let told_of = bo.hear("room");
    assert_eq!(
        (&told_of["room"]["name"], &told_of["room"]["topic"]),
        (&json!("Deck hands"), &json!("all"))
    );
    assert_eq!(told(&mut cem), [] as [&str; 0]);
    let open = bo.ask("room:create", &json!({ "name": "Pier" }))["room"]["id"].clone();
    assert_eq!(
        bo.ask("room:update", &json!({ "room": open, "name": "Quay" })),
        json!({ "ok": true })
    );
    assert_eq!(cem.hear("room:new")["room"]["name"], "Pier");
    assert_eq!(cem.hear("room:new")["room"]["name"], "Quay");
    let taken = bo.ask("room:update", &json!({ "room": open, "name": "GENERAL" }));
    assert_eq!(taken, refusal("taken"));
}

#[test]
fn nobody_leaves_general_or_is_removed_from_it() {
    let ship = Ship::new();
    let (mut ada, mut bo) = (ship.enter("ada"), ship.enter("bo"));
    let general = ship.general;
    assert_eq!(
        bo.ask("room:leave", &json!({ "room": general })),
        refusal("forbidden")
    );
    let remove = ada.ask("room:remove", &json!({ "room": general, "user": BO }));
    assert_eq!(remove, refusal("forbidden"));
    let hello = bo.ask("hello", &json!({ "v": 1 }));
    assert_eq!(hello["rooms"][0]["general"], true);
    assert_eq!(members(&mut bo, 1), json!([ADA, MIA, BO, CEM]));
}

#[test]
fn a_room_whose_maker_leaves_belongs_to_another_and_is_told_so() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    let room = crew(&mut bo);
    bo.ask("room:add", &json!({ "room": room, "user": CEM }));
    cem.hear("room");
    assert_eq!(
        bo.ask("room:leave", &json!({ "room": room })),
        json!({ "ok": true })
    );
    assert_eq!(cem.hear("room")["room"]["by"], CEM);
    let back = cem.ask("room:add", &json!({ "room": room, "user": BO }));
    assert_eq!(back["ok"], true, "and may be managed by them");
    for person in [&mut cem, &mut bo] {
        assert_eq!(
            person.ask("room:leave", &json!({ "room": room }))["ok"],
            true
        );
    }
    let nobody = bo.ask("room:members", &json!({ "room": room }));
    assert_eq!(nobody, refusal("not_found"));
}

#[test]
fn a_level_is_told_to_the_other_tabs_and_kept() {
    let ship = Ship::new();
    let (mut bo, mut tab) = (ship.enter("bo"), ship.enter("bo"));
    let level = |level: &str| json!({ "room": ship.general, "level": level });
    assert_eq!(
        bo.ask("room:level", &level("mentions")),
        json!({ "ok": true })
    );
    assert_eq!(tab.hear("room")["room"]["level"], "mentions");
    assert_eq!(
        tab.ask("room:level", &level("nothing")),
        json!({ "ok": true })
    );
    let hello = ship.enter("bo").ask("hello", &json!({ "v": 1 }));
    assert_eq!(hello["rooms"][0]["level"], "nothing");
}

#[test]
fn what_makes_no_sense_of_a_room_is_refused_and_changes_nothing() {
    let ship = Ship::new();
    let mut ada = ship.enter("ada");
    let bridge = ship.bridge;
    let before = ada.ask("hello", &json!({ "v": 1 }))["rooms"].take();
    let long = "x".repeat(251);
    let table: Vec<(&str, Value, &str)> = vec![
        (
            "room:create",
            json!({ "name": "x", "kind": "direct" }),
            "invalid",
        ),
        (
            "room:create",
            json!({ "name": "x", "kind": "secret" }),
            "invalid",
        ),
        ("room:create", json!({ "name": "x", "kind": 1 }), "invalid"),
        ("room:create", json!({ "name": "\u{202e}" }), "invalid"),
        ("room:create", json!({ "kind": "private" }), "invalid"),
        (
            "room:update",
            json!({ "room": bridge, "name": "" }),
            "invalid",
        ),
        (
            "room:update",
            json!({ "room": bridge, "name": ["a"] }),
            "invalid",
        ),
        (
            "room:update",
            json!({ "room": bridge, "topic": long }),
            "invalid",
        ),
        (
            "room:update",
            json!({ "room": bridge, "topic": "a\u{0}b" }),
            "invalid",
        ),
        (
            "room:update",
            json!({ "room": bridge, "name": "ok", "topic": 1 }),
            "invalid",
        ),
        ("room:update", json!({ "name": "x" }), "invalid"),
        (
            "room:add",
            json!({ "room": bridge, "user": 999 }),
            "not_found",
        ),
        (
            "room:add",
            json!({ "room": bridge, "user": -1 }),
            "not_found",
        ),
        (
            "room:add",
            json!({ "room": bridge, "user": "3" }),
            "invalid",
        ),
        (
            "room:add",
            json!({ "room": bridge, "user": [3] }),
            "invalid",
        ),
        ("room:add", json!({ "room": bridge }), "invalid"),
        (
            "room:remove",
            json!({ "room": bridge, "user": CEM }),
            "not_found",
        ),
        (
            "room:remove",
            json!({ "room": bridge, "user": null }),
            "invalid",
        ),
        (
            "room:level",
            json!({ "room": bridge, "level": "loud" }),
            "invalid",
        ),
        (
            "room:level",
            json!({ "room": bridge, "level": 2 }),
            "invalid",
        ),
        ("room:members", json!({}), "invalid"),
        ("room:members", json!(null), "invalid"),
    ];
    for (event, body, code) in table {
        assert_eq!(ada.ask(event, &body), refusal(code), "{event} {body}");
    }
    let after = ship.enter("ada").ask("hello", &json!({ "v": 1 }))["rooms"].take();
    assert_eq!(after, before);
    assert_eq!(members(&mut ada, 2), json!([ADA, MIA]));
}
