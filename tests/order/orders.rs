//! Who may do what about whom, what makes no sense, and what happens to those it is done to.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Program};
use crate::{ADA, BO, CEM, GENERAL, message, orders, standing};
use roomcast::config::chat as limits;

#[test]
fn who_may_not_order_is_refused_and_nothing_changes() {
    let house = House::new();
    let (bo, cem) = (house.join("bo"), house.join("cem"));
    house.join("dora");
    let mut admin = house.admin(&house.ada);
    assert_eq!(
        admin.code("user:role", json!({ "user": BO, "role": "moderator" })),
        "ok"
    );
    let before = standing(&mut admin);

    let (mut moderator, mut member) = (house.socket(&bo), house.socket(&cem));
    for (event, body) in [ADA, BO, 4].into_iter().flat_map(orders) {
        assert_eq!(member.code(event, body), "forbidden", "a member, {event}");
    }
    for (event, body) in [ADA, BO].into_iter().flat_map(orders) {
        assert_eq!(
            moderator.code(event, body),
            "forbidden",
            "a moderator, {event}"
        );
    }
    for (event, body) in orders(CEM).into_iter().skip(3) {
        assert_eq!(
            moderator.code(event, body),
            "forbidden",
            "about a member, {event}"
        );
    }
    for (event, body) in orders(99) {
        assert_eq!(moderator.code(event, body.clone()), "not_found", "{event}");
        assert_eq!(admin.code(event, body), "not_found", "{event}");
    }
    // An admin about themselves: only to step down, and not as the last one.
    for (event, body) in orders(ADA)
        .into_iter()
        .filter(|(event, _)| *event != "user:role")
    {
        assert_eq!(admin.code(event, body), "forbidden", "{event}");
    }
    let answer = admin.ask("user:role", json!({ "user": ADA, "role": "member" }));
    assert_eq!(
        (&answer["code"], &answer["why"]),
        (&json!("forbidden"), &json!("last-admin"))
    );
    assert_eq!(member.code("invite:new", json!({})), "forbidden");
    assert_eq!(
        member.code("user:about", json!({ "user": ADA })),
        "not_found"
    );
    assert_eq!(standing(&mut admin), before);
}

#[test]
fn what_makes_no_sense_is_invalid_and_changes_nothing() {
    let house = House::new();
    house.join("bo");
    let (mut ada, mut admin) = (house.socket(&house.ada), house.admin(&house.ada));
    let before = standing(&mut admin);
    for (event, body) in [
        ("user:mute", json!({ "user": BO, "forMs": 0 })),
        ("user:mute", json!({ "user": BO, "forMs": -1 })),
        ("user:mute", json!({ "user": BO, "forMs": 1e30 })),
        ("user:mute", json!({ "user": BO, "forMs": u64::MAX })),
        ("user:mute", json!({ "user": "2" })),
        ("user:role", json!({ "user": BO, "role": "bot" })),
        ("user:role", json!({ "user": BO, "role": "king" })),
        ("user:role", json!({ "user": BO, "role": 2 })),
        ("user:role", json!({ "user": BO })),
        ("user:ban", json!({})),
        ("user:ban", json!([BO])),
        ("user:ban", json!(null)),
        ("user:remove", json!({ "__proto__": { "user": BO } })),
        ("user:link", json!({ "user": 2.5 })),
        ("invite:new", json!({ "uses": 0 })),
        ("invite:new", json!({ "uses": limits::INVITE_USES_MAX + 1 })),
        ("invite:new", json!({ "days": 0 })),
        ("invite:new", json!({ "days": u32::MAX })),
    ] {
        assert_eq!(ada.code(event, body.clone()), "invalid", "{event} {body}");
    }
    for (event, body) in [
        ("settings:set", json!({ "workspace": "" })),
        ("settings:set", json!({ "workspace": "x".repeat(65) })),
        (
            "settings:set",
            json!({ "workspace": "Fine", "signUp": "everybody" }),
        ),
        ("settings:set", json!({ "contact": "two\nlines" })),
        (
            "settings:set",
            json!({ "contact": "x".repeat(limits::CONTACT_CHARS_MAX + 1) }),
        ),
        ("room:archive", json!({ "room": GENERAL, "on": true })),
        ("room:archive", json!({ "room": 1 })),
        ("sockets:close", json!({})),
        ("sockets:close", json!({ "user": BO, "session": 1 })),
        ("stats", json!({})),
        ("backup", json!({})),
    ] {
        assert_eq!(admin.code(event, body.clone()), "invalid", "{event} {body}");
    }
    for (event, body) in [
        ("room:archive", json!({ "room": 99, "on": true })),
        ("invite:kill", json!({ "invite": 99 })),
        ("sockets:close", json!({ "user": 99 })),
        ("sockets:close", json!({ "session": 99 })),
        ("sockets:close", json!({ "socket": "\u{0}" })),
        ("sockets:close", json!({ "socket": "AAAAAAAAAAAAAAAAAAAA" })),
    ] {
        assert_eq!(
            admin.code(event, body.clone()),
            "not_found",
            "{event} {body}"
        );
    }
    assert_eq!(standing(&mut admin), before);
}

#[test]
fn who_is_muted_reads_and_says_nothing_until_then() {
    let house = House::new();
    let (bo, cem) = (house.join("bo"), house.join("cem"));
    let (mut ada, mut bo, mut cem) = (
        house.socket(&house.ada),
        house.socket(&bo),
        house.socket(&cem),
    );
    assert_eq!(
        ada.code("user:role", json!({ "user": BO, "role": "moderator" })),
        "ok"
    );
    assert_eq!(
        bo.hear("me"),
        json!({
            "me": { "id": BO, "login": "bo", "name": "bo", "role": "moderator" }, "canInvite": true,
        })
    );
    assert_eq!(
        bo.code("user:mute", json!({ "user": CEM, "forMs": 60_000 })),
        "ok"
    );
    let until = cem.hear("me")["me"]["mutedUntil"].as_u64().unwrap();
    let answer = cem.ask("send", message("but"));
    assert_eq!(
        answer,
        json!({ "ok": false, "code": "muted", "until": until })
    );
    assert_eq!(
        cem.code("me:update", json!({ "name": "I was muted" })),
        "muted"
    );
    assert_eq!(
        cem.code("room:create", json!({ "name": "My own" })),
        "muted"
    );
    assert_eq!(cem.code("history", json!({ "room": GENERAL })), "ok");
    // Nor is anybody told that they type.
    cem.tell("typing", json!({ "room": GENERAL, "on": true }));
    for socket in [&mut cem, &mut ada] {
        assert_eq!(socket.code("history", json!({ "room": GENERAL })), "ok");
    }
    assert!(!ada.has_heard("typing"));
    let about = bo.ask("user:about", json!({ "user": CEM }));
    assert_eq!(
        (&about["mutedUntil"], &about["may"]),
        (&json!(until), &json!(["mute", "remove"]))
    );
    assert_eq!(bo.code("user:unmute", json!({ "user": CEM })), "ok");
    cem.tell("typing", json!({ "room": GENERAL, "on": true }));
    assert_eq!(ada.hear("typing")["by"], CEM);
    assert_eq!(cem.code("send", message("thank you")), "ok");
    // For good, and then for so short a time that it is over by the next word.
    assert_eq!(bo.code("user:mute", json!({ "user": CEM })), "ok");
    assert_eq!(
        cem.ask("send", message("again")),
        json!({ "ok": false, "code": "muted" })
    );
    assert_eq!(
        bo.code("user:mute", json!({ "user": CEM, "forMs": 1 })),
        "ok"
    );
    while cem.code("send", message("over")) == "muted" {}
}

#[test]
fn who_is_removed_hears_nothing_from_that_turn_on() {
    let house = House::new();
    let (bo, cem) = (house.join("bo"), house.join("cem"));
    let (mut ada, mut bo_tab) = (house.socket(&house.ada), house.socket(&bo));
    let mut tabs = [house.socket(&cem), house.socket(&cem)];
    ada.code("user:role", json!({ "user": BO, "role": "moderator" }));
    // All in one packet's time: the order, and words right behind it.
    bo_tab.tell("user:remove", json!({ "user": CEM }));
    bo_tab.tell("send", message("is he gone"));
    for tab in &mut tabs {
        // `end` finds anything that comes after it.
        assert_eq!(tab.end(), "removed");
    }
    let told = loop {
        let told = ada.hear("person");
        if told["id"] == CEM {
            break told;
        }
    };
    assert_eq!(told["gone"], true);
    assert_eq!(ada.hear("message")["text"], "is he gone");
    assert_eq!(house.refusal("", &cem), "removed");
    assert_eq!(house.get("/session", &cem).body["ended"], "removed");
    let posted = house.sign_in("cem", PASSWORD);
    assert_eq!((posted.status, posted.code()), (403, "banned"));
    assert_eq!(house.sign_in("cem", "not-this-one").code(), "wrong");
    // A moderator cannot take it back; an admin can, and the old session stays closed.
    assert_eq!(
        bo_tab.code("user:unban", json!({ "user": CEM })),
        "forbidden"
    );
    assert_eq!(ada.code("user:unban", json!({ "user": CEM })), "ok");
    assert_eq!(house.refusal("", &cem), "auth");
    let cookie = house.sign_in("cem", PASSWORD).cookie();
    assert_eq!(
        house.socket(&cookie).ask("hello", json!({ "v": 1 }))["rooms"][0]["id"],
        GENERAL
    );
}

#[test]
fn who_is_banned_is_out_of_every_room_and_their_invites_open_nothing() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut ada, mut tab) = (house.socket(&house.ada), house.socket(&bo));
    ada.code("user:role", json!({ "user": BO, "role": "moderator" }));
    let invite = tab.ask("invite:new", json!({}))["path"]
        .as_str()
        .unwrap()
        .replace("/join/", "");
    assert_eq!(tab.code("room:create", json!({ "name": "Backroom" })), "ok");
    assert_eq!(ada.code("user:ban", json!({ "user": BO })), "ok");
    assert_eq!(tab.end(), "banned");
    assert_eq!(house.refusal("", &bo), "banned");
    let eve = json!({ "code": invite, "login": "eve", "name": "Eve", "password": PASSWORD });
    assert_eq!(house.post("/join", &eve).code(), "gone");
    let rooms = ada.ask("room:list", json!({}))["rooms"].clone();
    assert_eq!(rooms[1]["members"], 0);
    assert_eq!(ada.code("user:unban", json!({ "user": BO })), "ok");
    let cookie = house.sign_in("bo", PASSWORD).cookie();
    let hello = house.socket(&cookie).ask("hello", json!({ "v": 1 }));
    assert_eq!(hello["rooms"].as_array().unwrap().len(), 1, "General alone");
    assert_eq!(hello["me"]["role"], "moderator");
}

#[test]
fn two_admins_who_depose_each_other_at_once_leave_one() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut ada, mut bo) = (house.socket(&house.ada), house.socket(&bo));
    assert_eq!(
        ada.code("user:role", json!({ "user": BO, "role": "admin" })),
        "ok"
    );
    bo.hear("me");
    ada.tell("user:role", json!({ "user": BO, "role": "member" }));
    bo.tell("user:role", json!({ "user": ADA, "role": "member" }));
    let roles = |socket: &mut Program| -> Vec<Value> {
        let people = socket.ask("hello", json!({ "v": 1 }))["people"].clone();
        people
            .as_array()
            .unwrap()
            .iter()
            .map(|person| person["role"].clone())
            .collect()
    };
    let admins = |roles: &[Value]| roles.iter().filter(|role| **role == "admin").count();
    assert_eq!(admins(&roles(&mut ada)), 1);
    assert_eq!(admins(&roles(&mut bo)), 1);
}

#[test]
fn a_room_one_has_left_is_as_one_that_never_was() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut ada, mut bo) = (house.socket(&house.ada), house.socket(&bo));
    let room = ada.ask("room:create", json!({ "name": "Galley" }))["room"]["id"].clone();
    assert_eq!(bo.code("room:join", json!({ "room": room })), "ok");
    let mine = bo.ask(
        "send",
        json!({ "room": room, "cid": "mine", "text": "my own soup" }),
    );
    let found = |answer: Value| answer["rows"].as_array().unwrap().len();
    assert_eq!(found(bo.ask("search", json!({ "q": "soup" }))), 1);
    assert_eq!(bo.code("room:leave", json!({ "room": room })), "ok");
    for event in ["history", "sync", "read", "room:leave", "send", "search"] {
        let asked = |room: &Value| json!({ "room": room, "rev": 0, "seq": 1, "cid": "c", "text": "let me in", "q": "soup" });
        let (stale, never) = (
            bo.ask(event, asked(&room)),
            bo.ask(event, asked(&json!(99))),
        );
        assert_eq!(stale, never, "{event}");
        assert_eq!(stale["code"], "not_found", "{event}");
    }
    for event in ["edit", "delete"] {
        let asked = |id: &Value| json!({ "id": id, "text": "other soup" });
        let (stale, never) = (
            bo.ask(event, asked(&mine["id"])),
            bo.ask(event, asked(&json!(99))),
        );
        assert_eq!(stale, never, "{event}");
        assert_eq!(stale["code"], "not_found", "{event}");
    }
    assert_eq!(found(bo.ask("search", json!({ "q": "soup" }))), 0);
    assert_eq!(
        found(ada.ask("search", json!({ "q": "soup" }))),
        1,
        "it is still there"
    );
}
