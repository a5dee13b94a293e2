//! Texts and packets that want to be more than text: stored as they are or refused, and nothing in between.

use serde_json::{Value, json};

use super::{Ship, refusal};

#[test]
fn whatever_a_text_is_made_of_it_is_stored_and_told_as_it_is() {
    let ship = Ship::new();
    let mut cem = ship.enter("cem");
    let texts = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "javascript:alert(1) data:text/html,<script>",
        "a\0b",
        "\u{202e}evil\u{2066}",
        "Z\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}algo",
        "__proto__ constructor toString",
        "'; DROP TABLE messages; --",
        "{{7*7}} ${7*7} %s %n \\u0000 \\",
        "\u{feff}\u{200b}\u{fffe}\u{10ffff}",
    ];
    // Five for each of two people, which is what they may send at once.
    for (texts, login) in texts.chunks(5).zip(["bo", "mia"]) {
        let mut sender = ship.enter(login);
        for (n, text) in texts.iter().enumerate() {
            sender.send(ship.general, &format!("c{n}"), text);
            assert_eq!(cem.hear("message")["text"], *text);
        }
    }
    let stored: Vec<_> = ship
        .rows(ship.general)
        .into_iter()
        .map(|row| row.text)
        .collect();
    assert_eq!(stored, texts);
}

#[test]
fn half_a_character_is_stored_as_its_replacement() {
    let ship = Ship::new();
    let mut bo = ship.enter("bo");
    let body = format!(
        r#"["send",{{"room":{},"cid":"c","text":"\ud800 \udc00"}}]"#,
        ship.general.0
    );
    assert_eq!(bo.ask_raw(&body)["ok"], true);
    assert_eq!(ship.rows(ship.general)[0].text, "\u{fffd} \u{fffd}");
}

#[test]
fn a_message_that_does_not_fit_its_mould_is_refused_and_not_stored() {
    let ship = Ship::new();
    let mut bo = ship.enter("bo");
    let room = ship.general;
    let whole = |cid: &str, text: &str| json!({ "room": room, "cid": cid, "text": text });
    let table: Vec<(Value, &str)> = vec![
        (whole("", "no id"), "invalid"),
        (whole("a b", "a space in it"), "invalid"),
        (whole("../x", "a path"), "invalid"),
        (whole("\u{e9}", "not plain"), "invalid"),
        (whole(&"c".repeat(65), "too long an id"), "invalid"),
        (whole("c", ""), "invalid"),
        (whole("c", "\u{3000}\n"), "invalid"),
        (whole("c", &"x".repeat(4_001)), "too_long"),
        (whole("c", &"\u{1f30a}".repeat(4_001)), "too_long"),
        (json!({ "room": room, "cid": 7, "text": "x" }), "invalid"),
        (json!({ "room": room, "cid": "c", "text": null }), "invalid"),
        (
            json!({ "room": room, "cid": "c", "text": { "toString": "x" } }),
            "invalid",
        ),
        (
            json!({ "room": [room], "cid": "c", "text": "x" }),
            "invalid",
        ),
        (
            json!({ "room": ship.bridge, "cid": "c", "text": "x" }),
            "not_found",
        ),
        (json!({ "room": 0, "cid": "c", "text": "x" }), "not_found"),
        (json!({ "__proto__": whole("c", "x") }), "invalid"),
        (
            json!({ "constructor": { "prototype": whole("c", "x") } }),
            "invalid",
        ),
        (json!([room, "c", "x"]), "invalid"),
    ];
    for (body, code) in table {
        assert_eq!(bo.ask("send", &body), refusal(code), "{body}");
    }
    let twice = format!(
        r#"["send",{{"room":{0},"room":{0},"cid":"c","text":"x"}}]"#,
        room.0
    );
    assert_eq!(bo.ask_raw(&twice), refusal("invalid"), "a field twice");
    for event in [
        "__proto__",
        "constructor",
        "",
        "send ",
        "SEND",
        "admin:nothing",
    ] {
        assert_eq!(
            bo.ask(event, &whole("c", "x")),
            refusal("invalid"),
            "{event}"
        );
    }
    assert!(ship.rows(room).is_empty());
    let mut more = whole("c", "with a field that nobody knows");
    more["admin"] = true.into();
    assert_eq!(bo.ask("send", &more)["ok"], true, "is ignored");
}

#[test]
fn a_word_of_a_hundred_kilobytes_ends_the_connection_and_nothing_else() {
    let ship = Ship::new();
    let (mut bo, mut cem) = (ship.enter("bo"), ship.enter("cem"));
    let word = "w".repeat(100_000);
    bo.say(&json!(["send", { "room": ship.general, "cid": "c", "text": word }]).to_string());
    assert_eq!(bo.client.hear(), "close 1009");
    cem.send(ship.general, "d", "still here");
    assert_eq!(ship.rows(ship.general).len(), 1);
}
