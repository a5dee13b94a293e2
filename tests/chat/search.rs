//! Searches and pages: of rooms one is in and of no other, whatever the words are.

use roomcast::chat::store::{RoomId, Store, UserId};
use serde_json::{Value, json};

use super::{Ship, refusal};

/// Eighty messages with a word in common.
fn talkative(store: &mut Store, general: RoomId) {
    for n in 1..=80 {
        let (by, text) = (UserId(1 + n % 2), format!("knot {n}"));
        store
            .job(|w| w.send(general, by, &n.to_string(), &text, 5))
            .unwrap();
    }
}

fn seqs(answer: &Value) -> Vec<i64> {
    let rows = answer["rows"].as_array().unwrap();
    rows.iter()
        .map(|row| row["seq"].as_i64().unwrap())
        .collect()
}

#[test]
fn words_are_found_the_newest_first_and_thirty_at_a_time() {
    let ship = Ship::with(talkative);
    let mut bo = ship.enter("bo");
    let first = bo.ask("search", &json!({ "q": "knot", "room": ship.general }));
    assert_eq!((&first["ok"], &first["more"]), (&json!(true), &json!(true)));
    assert_eq!(seqs(&first), (51..=80).rev().collect::<Vec<_>>());
    assert_eq!(
        first["rows"][0],
        serde_json::to_value(&ship.rows(ship.general)[49]).unwrap()
    );
    let last = &first["rows"][29]["id"];
    let next = bo.ask("search", &json!({ "q": "knot", "before": last }));
    assert_eq!(seqs(&next), (21..=50).rev().collect::<Vec<_>>());
    let one = bo.ask("search", &json!({ "q": "knot 7", "from": 2 }));
    assert_eq!(seqs(&one), [7], "one letter is a word");
    let begun = bo.ask("search", &json!({ "q": "knot 70", "from": 1 }));
    assert_eq!(seqs(&begun), [70]);
    let begun = bo.ask("search", &json!({ "q": "kno", "from": 2 }));
    assert_eq!(seqs(&begun)[..2], [79, 77], "two and more are a beginning");
}

#[test]
fn nobody_finds_what_was_said_where_they_are_not() {
    let ship = Ship::new();
    let (mut mia, mut bo) = (ship.enter("mia"), ship.enter("bo"));
    mia.send(ship.bridge, "c1", "the secret harbour");
    mia.send(ship.general, "c2", "an open harbour");
    let all = json!({ "q": "harbour" });
    assert_eq!(mia.ask("search", &all)["rows"].as_array().unwrap().len(), 2);
    let found = bo.ask("search", &all);
    assert_eq!(found["rows"].as_array().unwrap().len(), 1);
    assert_eq!(found["rows"][0]["text"], "an open harbour");
    for room in [ship.bridge, RoomId(999), RoomId(-1)] {
        let there = bo.ask("search", &json!({ "q": "harbour", "room": room }));
        assert_eq!(
            there,
            refusal("not_found"),
            "one answer for private and never made"
        );
    }
    let sly = bo.ask(
        "search",
        &json!({ "q": format!("harbour\") OR room : (r{}", ship.bridge.0) }),
    );
    assert!(sly["rows"].as_array().unwrap().is_empty(), "{sly}");
}

#[test]
fn no_text_is_a_question_that_the_index_cannot_take() {
    let ship = Ship::with(talkative);
    // Three for each of four people, which is what they may ask at once.
    let texts = [
        "AND",
        "\"",
        "NEAR(",
        "knot\0",
        "knot AND",
        "(((",
        "*",
        "^knot",
        "{a b}:c",
        "'; DROP TABLE messages; --",
        "\u{202e}",
        "🌊",
    ];
    for (texts, (login, _)) in texts.chunks(3).zip(super::PEOPLE) {
        let mut somebody = ship.enter(login);
        for text in texts {
            let answer = somebody.ask("search", &json!({ "q": text }));
            assert_eq!(answer["ok"], true, "{text:?}: {answer}");
        }
    }
    assert_eq!(ship.rows(ship.general).len(), 50, "and all is still there");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let ship = Ship::new();
    let mut bo = ship.enter("bo");
    for (body, code) in [
        (json!({}), "invalid"),
        (json!({ "q": 7 }), "invalid"),
        (json!({ "q": "" }), "invalid"),
        (json!({ "q": " \t\n" }), "invalid"),
        (json!({ "q": ["a"] }), "invalid"),
        (json!({ "q": "a", "room": "1" }), "invalid"),
        (json!({ "q": "a", "from": {} }), "invalid"),
        (json!({ "q": "a", "before": 1.5 }), "invalid"),
        (json!({ "q": "x".repeat(201) }), "too_long"),
    ] {
        assert_eq!(bo.ask("search", &body), refusal(code), "{body}");
    }
    // None of them has cost anything.
    assert_eq!(
        bo.ask("search", &json!({ "q": "x".repeat(200) }))["ok"],
        true
    );
}

#[test]
fn searches_have_a_rate() {
    let ship = Ship::with(talkative);
    let mut bo = ship.enter("bo");
    let search = |_| json!({ "q": "knot" });
    let let_through = super::rates::at_once(&mut bo, "search", (0..40).map(search));
    assert!((3..40).contains(&let_through), "{let_through}");
}

#[test]
fn a_page_of_history_has_fifty_rows_whatever_is_asked_and_none_for_who_is_not_there() {
    let ship = Ship::with(talkative);
    let (mut bo, room) = (ship.enter("bo"), ship.general);
    for (body, first, last) in [
        (json!({ "room": room }), 31, 80),
        (json!({ "room": room, "limit": 1_000_000 }), 31, 80),
        (json!({ "room": room, "limit": 0 }), 80, 80),
        (json!({ "room": room, "before": 31, "limit": 50 }), 1, 30),
        (json!({ "room": room, "after": 70 }), 71, 80),
        (json!({ "room": room, "around": 40, "limit": 10 }), 35, 44),
        (json!({ "room": room, "around": i64::MAX }), 56, 80),
    ] {
        let page = bo.ask("history", &body);
        let seqs = seqs(&page);
        let ends = (seqs.first().copied(), seqs.last().copied());
        assert_eq!(ends, (Some(first), Some(last)), "{body}");
        let edges = (&page["start"], &page["end"]);
        assert_eq!(edges, (&json!(first == 1), &json!(last == 80)), "{body}");
    }
    let mut cem = ship.enter("cem");
    for (body, code) in [
        (json!({ "room": room, "before": 9, "after": 3 }), "invalid"),
        (json!({ "room": room, "limit": -1 }), "invalid"),
        (json!({ "room": room, "around": "9" }), "invalid"),
        (json!({ "room": ship.bridge }), "not_found"),
        (json!({ "room": -1 }), "not_found"),
    ] {
        assert_eq!(cem.ask("history", &body), refusal(code), "{body}");
    }
    for (body, code) in [
        (json!({ "room": ship.bridge, "rev": 0 }), "not_found"),
        (json!({ "room": room, "rev": "0" }), "invalid"),
        (json!({ "room": room }), "invalid"),
    ] {
        assert_eq!(cem.ask("sync", &body), refusal(code), "{body}");
    }
    assert_eq!(
        cem.ask("sync", &json!({ "room": room, "rev": -5 }))["rev"],
        80
    );
}
