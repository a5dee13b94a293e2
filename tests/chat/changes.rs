//! Edits and deletions: who may, who is told, and what comes of it on disk and after a while away.

use roomcast::chat::store::{Reader, RoomId, RoomKind, Store, UserId};
use serde_json::{Value, json};

use super::{Ship, refusal};

#[test]
fn an_edit_is_stored_answered_and_told_to_the_room_as_a_whole_row() {
    let ship = Ship::new();
    let (mut ada, mut bo) = (ship.enter("ada"), ship.enter("bo"));
    let id = ada.send(ship.general, "c1", "the ship sails at nine");
    assert_eq!(bo.hear("message")["id"], id);
    let answer = ada.ask(
        "edit",
        &json!({ "id": id, "text": "the ship sails at ten" }),
    );
    assert_eq!(answer, json!({ "ok": true, "rev": 2 }));
    let row = &ship.rows(ship.general)[0];
    assert_eq!(row.text, "the ship sails at ten");
    assert!(row.edited.is_some());
    let told = json!({ "room": ship.general, "rev": 2, "row": row });
    assert_eq!(bo.hear("change"), told);
    assert_eq!(ada.hear("change"), told, "whose other tabs need it as well");
}

#[test]
fn the_same_text_again_is_no_change_and_nobody_is_told() {
    let ship = Ship::new();
    let (mut ada, mut bo) = (ship.enter("ada"), ship.enter("bo"));
    let id = ada.send(ship.general, "c1", "first");
    let edit = json!({ "id": id, "text": "second" });
    assert_eq!(ada.ask("edit", &edit)["rev"], 2);
    assert_eq!(ada.ask("edit", &edit), json!({ "ok": true, "rev": 2 }));
    ada.send(ship.general, "c2", "third");
    assert_eq!(bo.hear("change")["rev"], 2);
    assert_eq!(bo.hear("message")["rev"], 3);
    assert!(bo.heard.iter().all(|(name, _)| name != "change"));
}

#[test]
fn a_deleted_message_leaves_a_place_without_a_text() {
    let ship = Ship::new();
    let (mut ada, mut bo) = (ship.enter("ada"), ship.enter("bo"));
    let id = bo.send(ship.general, "c1", "regrettable");
    let deleted = bo.ask("delete", &json!({ "id": id }));
    assert_eq!(deleted, json!({ "ok": true, "rev": 2 }));
    let told = ada.hear("change");
    assert_eq!(
        (&told["row"]["text"], &told["row"]["seq"]),
        (&json!(""), &json!(1))
    );
    assert!(told["row"]["deleted"].is_u64() && told["row"]["deletedBy"].is_null());
    assert_eq!(
        bo.ask("delete", &json!({ "id": id })),
        deleted,
        "and stays deleted"
    );
    let edit = bo.ask("edit", &json!({ "id": id, "text": "back" }));
    assert_eq!(edit, refusal("not_found"));
}

#[test]
fn a_moderator_may_delete_what_others_wrote_and_nobody_may_edit_it() {
    let ship = Ship::new();
    let (mut mia, mut bo, mut cem) = (ship.enter("mia"), ship.enter("bo"), ship.enter("cem"));
    let id = bo.send(ship.general, "c1", "mine");
    let before = ship.rows(ship.general);
    assert_eq!(
        cem.ask("delete", &json!({ "id": id })),
        refusal("forbidden")
    );
    for person in [&mut cem, &mut mia] {
        let edit = person.ask("edit", &json!({ "id": id, "text": "theirs" }));
        assert_eq!(edit, refusal("forbidden"));
    }
    assert_eq!(ship.rows(ship.general), before);
    assert_eq!(mia.ask("delete", &json!({ "id": id }))["ok"], true);
    let told = cem.hear("change");
    assert_eq!(
        (&told["row"]["by"], &told["row"]["deletedBy"]),
        (&json!(3), &json!(2))
    );
    // What one does to one's own is nobody's business.
    let own = cem.send(ship.general, "c2", "mine, too");
    assert_eq!(cem.ask("delete", &json!({ "id": own }))["ok"], true);
    let trail = Reader::open(&ship.database)
        .unwrap()
        .job(|r| r.audit(None, 9));
    let trail: Vec<_> = trail
        .unwrap()
        .into_iter()
        .map(|deed| (deed.by, deed.what))
        .collect();
    assert_eq!(trail, [(Some(UserId(2)), "delete".to_owned())]);
}

/// Bo in General, Mia on the bridge: the one may do nothing there, not even learn that there is something.
#[test]
fn a_message_in_a_room_one_is_not_in_is_like_one_that_never_was() {
    let ship = Ship::new();
    let (mut mia, mut bo) = (ship.enter("mia"), ship.enter("bo"));
    let id = mia.send(ship.bridge, "c1", "between us");
    let before = ship.rows(ship.bridge);
    for id in [id, 999, -1, i64::MAX] {
        let edit = bo.ask("edit", &json!({ "id": id, "text": "heard" }));
        assert_eq!(edit, refusal("not_found"));
    }
    let ship_moderator_outside = Ship::with(crew_of_two);
    let mut outsider = ship_moderator_outside.enter("mia");
    let delete = outsider.ask("delete", &json!({ "id": 1 }));
    assert_eq!(delete, refusal("not_found"), "a moderator too");
    assert_eq!(ship.rows(ship.bridge), before);
}

/// A private room of Bo alone, with the first message of all.
fn crew_of_two(store: &mut Store, _general: RoomId) {
    let name = roomcast::chat::names::Name::parse("Crew").unwrap();
    store
        .job(|w| {
            let crew = w.create_room(RoomKind::Private, &name, "", UserId(3), 1)?;
            w.send(crew.id, UserId(3), "c", "alone", 1)
        })
        .unwrap();
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let ship = Ship::new();
    let mut ada = ship.enter("ada");
    let id = ada.send(ship.general, "c1", "as it was");
    let before = ship.rows(ship.general);
    let long = "x".repeat(4_001);
    let table: Vec<(&str, Value, &str)> = vec![
        ("edit", json!({ "id": id, "text": "" }), "invalid"),
        ("edit", json!({ "id": id, "text": " \n\t" }), "invalid"),
        ("edit", json!({ "id": id, "text": long }), "too_long"),
        ("edit", json!({ "id": id }), "invalid"),
        ("edit", json!({ "text": "no id" }), "invalid"),
        (
            "edit",
            json!({ "id": id.to_string(), "text": "x" }),
            "invalid",
        ),
        ("edit", json!({ "id": 1.5, "text": "x" }), "invalid"),
        ("edit", json!({ "id": null, "text": "x" }), "invalid"),
        ("edit", json!({ "id": id, "text": ["x"] }), "invalid"),
        ("edit", json!([id, "x"]), "invalid"),
        ("edit", json!("x"), "invalid"),
        ("delete", json!({}), "invalid"),
        ("delete", json!({ "id": [id] }), "invalid"),
        ("delete", json!({ "id": { "$gt": 0 } }), "invalid"),
        ("delete", json!(null), "invalid"),
        ("delete", json!({ "__proto__": { "id": id } }), "invalid"),
    ];
    for (event, body, code) in table {
        assert_eq!(ada.ask(event, &body), refusal(code), "{event} {body}");
    }
    assert_eq!(
        ada.ask_raw("[\"edit\"]"),
        refusal("invalid"),
        "no object at all"
    );
    let huge = ada.ask_raw("[\"delete\",{\"id\":99999999999999999999}]");
    assert_eq!(huge, refusal("invalid"), "more than there are numbers");
    assert_eq!(ship.rows(ship.general), before);
}

#[test]
fn odd_text_is_stored_exactly_and_half_a_character_as_its_replacement() {
    let ship = Ship::new();
    let mut ada = ship.enter("ada");
    let id = ada.send(ship.general, "c1", "plain");
    let odd = "a\0b \u{202e}c\u{feff} <b>\"' NEAR( Z\u{301}\u{301}\u{301}";
    assert_eq!(
        ada.ask("edit", &json!({ "id": id, "text": odd }))["ok"],
        true
    );
    assert_eq!(ship.rows(ship.general)[0].text, odd);
    let half = ada.ask_raw(&format!(
        r#"["edit",{{"id":{id},"text":"half \ud83d here"}}]"#
    ));
    assert_eq!(half["ok"], true);
    assert_eq!(ship.rows(ship.general)[0].text, "half \u{fffd} here");
}

#[test]
fn who_was_away_finds_each_message_in_its_last_form() {
    let ship = Ship::new();
    let mut ada = ship.enter("ada");
    let ids: Vec<i64> = (0..3)
        .map(|n| ada.send(ship.general, &n.to_string(), &format!("text {n}")))
        .collect();
    assert_eq!(
        ada.ask("edit", &json!({ "id": ids[0], "text": "once" }))["rev"],
        4
    );
    assert_eq!(ada.ask("delete", &json!({ "id": ids[1] }))["rev"], 5);
    // Bo knows the first three revisions.
    let mut bo = ship.enter("bo");
    let missed = bo.ask("sync", &json!({ "room": ship.general, "rev": 3 }));
    let rows: Vec<_> = missed["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["rev"].as_i64(), row["text"].as_str()))
        .collect();
    assert_eq!(rows, [(Some(4), Some("once")), (Some(5), Some(""))]);
    assert_eq!(
        (&missed["rev"], &missed["more"]),
        (&json!(5), &json!(false))
    );
    let hello = bo.ask("hello", &json!({ "v": 1 }));
    assert_eq!(
        hello["rooms"][0]["rev"], 5,
        "the page learns that it has missed something"
    );
}
