//! The chat's doors and its order, as programs meet them: accounts, sessions, roles, the admins' place.
//!
//! Every question is asked by hand over a real socket, also those that no page would ask; what was refused must have changed
//! nothing.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

#[path = "support/chat.rs"]
mod chat;
#[allow(dead_code, reason = "what is for the library alone")]
mod support;

use serde_json::{Value, json};

use chat::{House, PASSWORD, Program};
use roomcast::config::chat as limits;

const ADA: i64 = 1;
const BO: i64 = 2;
const CEM: i64 = 3;
const GENERAL: i64 = 1;

fn message(text: &str) -> Value {
    json!({ "room": GENERAL, "cid": text.replace(' ', "-"), "text": text })
}

/// What an admin finds in the trail, the newest first.
fn trail(admin: &mut Program) -> Vec<(String, Value)> {
    let rows = admin.ask("audit:list", json!({}))["rows"].clone();
    let row = |row: &Value| {
        let target = serde_json::from_str(row["target"].as_str().unwrap()).unwrap();
        (row["what"].as_str().unwrap().to_owned(), target)
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

/// Everything that an order could change.
fn standing(admin: &mut Program) -> Value {
    let mut people = admin.ask("user:list", json!({}))["rows"].clone();
    for person in people.as_array_mut().unwrap() {
        for passing in ["online", "sockets", "usedAt"] {
            person.as_object_mut().unwrap().remove(passing);
        }
    }
    json!([
        people,
        admin.ask("room:list", json!({}))["rows"],
        admin.ask("invite:list", json!({}))["rows"],
        admin.ask("settings:get", json!({})),
        trail(admin),
    ])
}

// ── sessions ──

#[test]
fn a_program_signs_in_by_an_event_and_brings_its_token() {
    let house = House::new();
    let mut door = house.try_socket("/door", "", &json!({})).unwrap();
    let answer = door.ask(
        "session:open",
        json!({ "login": "ADA", "password": PASSWORD }),
    );
    assert_eq!(answer["ok"], true, "{answer}");
    let token = answer["token"].as_str().unwrap();
    let mut bot = house
        .try_socket("", "", &json!({ "token": token }))
        .unwrap();
    assert_eq!(bot.ask("hello", json!({ "v": 1 }))["me"]["login"], "ada");
    assert_eq!(bot.code("send", message("beep")), "ok");
    // The same token is good for the doors that take a cookie.
    assert_eq!(house.get("/session", token).body["signedIn"], true);
    // And it ends as any session does.
    assert_eq!(bot.ask("me:revoke", json!({ "all": true }))["ended"], 2);
    assert_eq!(bot.end(), "signed-out");
    let again = house
        .try_socket("", "", &json!({ "token": token }))
        .err()
        .unwrap();
    assert_eq!(again["data"]["code"], "auth");
}

#[test]
fn the_door_for_programs_understands_one_event_and_tells_nothing() {
    let house = House::new();
    let mut door = house.try_socket("/door", "", &json!({})).unwrap();
    for (event, body) in [
        ("hello", json!({ "v": 1 })),
        ("history", json!({ "room": GENERAL })),
        ("user:list", json!({})),
        ("session:open", json!({ "login": "ada" })),
        ("session:open", json!({ "login": 1, "password": [] })),
        ("session:open", json!(null)),
    ] {
        assert_eq!(door.code(event, body), "invalid", "{event}");
    }
    // Ada comes, is seen, and speaks: nothing of it is heard here before the next answer.
    let mut ada = house.socket(&house.ada);
    ada.hear("presence");
    assert_eq!(ada.code("send", message("is anybody there")), "ok");
    assert_eq!(ada.code("me:update", json!({ "name": "Ada L." })), "ok");
    assert_eq!(door.code("who", json!({})), "invalid");
    door.heard_nothing();
}

#[test]
fn a_wrong_password_and_an_unknown_login_are_one_and_both_wait_longer_each_time() {
    let house = House::new();
    for login in ["ada", "nobody"] {
        let mut door = house.try_socket("/door", "", &json!({})).unwrap();
        let asked = json!({ "login": login, "password": "not-this-one" });
        for n in 1..limits::FAILURES_PER_ACCOUNT_MAX {
            let answer = door.ask("session:open", asked.clone());
            assert_eq!(
                answer,
                json!({ "ok": false, "code": "wrong" }),
                "{login} {n}"
            );
        }
        // The last one that is free begins the wait; what comes in it is not even looked at.
        let answer = door.ask("session:open", asked.clone());
        assert_eq!(answer["code"], "slow", "{login}");
        let wait = answer["retryMs"].as_u64().unwrap();
        let most = u64::try_from(limits::FAILURE_WAIT_MIN.as_millis()).unwrap();
        assert!((most - 1000..=most).contains(&wait), "{login}: {wait} ms");
        let posted = house.sign_in(login, PASSWORD);
        assert_eq!((posted.status, posted.code()), (429, "slow"), "{login}");
    }
    // The one who is not guessed at comes in as always.
    house.join("bo");
    assert_eq!(house.sign_in("bo", PASSWORD).status, 200);
}

#[test]
fn another_password_ends_the_other_sessions_and_they_are_told_why() {
    let house = House::new();
    let bo = house.join("bo");
    let mut here = house.socket(&bo);
    let elsewhere = house.sign_in("bo", PASSWORD).cookie();
    let mut there = house.socket(&elsewhere);
    let change = |old: &str, new: &str| json!({ "old": old, "new": new });

    for (asked, code) in [
        (change("not-this-one", "another-one"), "wrong"),
        (change(PASSWORD, "short"), "invalid"),
        (change(PASSWORD, &"x".repeat(2000)), "invalid"),
        (change(&"x".repeat(2000), "another-one"), "invalid"),
        (json!({ "old": PASSWORD }), "invalid"),
    ] {
        assert_eq!(here.code("me:password", asked), code);
    }
    assert_eq!(
        here.ask("me:sessions", json!({}))["sessions"]
            .as_array()
            .unwrap()
            .len(),
        2
    );

    let answer = here.ask("me:password", change(PASSWORD, "another-one"));
    assert_eq!(answer, json!({ "ok": true, "ended": 1 }));
    assert_eq!(there.end(), "password");
    assert_eq!(here.code("send", message("still here")), "ok");
    assert_eq!(house.refusal("", &elsewhere), "auth");
    assert_eq!(house.sign_in("bo", PASSWORD).code(), "wrong");
    assert_eq!(house.sign_in("bo", "another-one").status, 200);
}

#[test]
fn whoever_holds_a_stolen_session_may_not_try_passwords_without_end() {
    let house = House::new();
    let mut ada = house.socket(&house.ada);
    let asked = json!({ "old": "not-this-one", "new": "another-one" });
    for _ in 0..limits::FAILURES_PER_ACCOUNT_MAX {
        assert_eq!(ada.code("me:password", asked.clone()), "wrong");
    }
    assert_eq!(ada.code("me:password", asked), "slow");
}

#[test]
fn signing_out_everywhere_ends_what_it_says() {
    let house = House::new();
    let bo = house.join("bo");
    let others = [(); 3].map(|()| house.sign_in("bo", PASSWORD).cookie());
    let mut here = house.socket(&bo);
    let mut there = house.socket(&others[0]);
    let listed = here.ask("me:sessions", json!({}));
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 4);
    assert!(
        sessions
            .iter()
            .any(|session| session["id"] == listed["this"])
    );
    assert_eq!(here.ask("me:revoke", json!({}))["ended"], 3);
    assert_eq!(there.end(), "signed-out");
    for cookie in &others {
        assert_eq!(house.get("/session", cookie).body["signedIn"], false);
    }
    assert_eq!(house.get("/session", &bo).body["signedIn"], true);
}

#[test]
fn a_new_name_is_told_to_all_and_not_too_often() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut ada, mut one, mut two) = (
        house.socket(&house.ada),
        house.socket(&bo),
        house.socket(&bo),
    );
    assert_eq!(
        one.code("me:update", json!({ "name": "  Bo\u{202e}  the Second " })),
        "ok"
    );
    for socket in [&mut ada, &mut two] {
        let told = socket.hear("person");
        assert_eq!(
            (&told["id"], &told["name"]),
            (&json!(BO), &json!("Bo the Second"))
        );
    }
    assert_eq!(two.hear("me")["me"]["name"], "Bo the Second");
    for asked in [
        json!({ "name": "" }),
        json!({ "name": "\u{200b}" }),
        json!({}),
        json!("Bo"),
    ] {
        assert_eq!(one.code("me:update", asked), "invalid");
    }
    for n in 1..limits::NAMES_BURST_MAX {
        assert_eq!(
            one.code("me:update", json!({ "name": format!("Bo {n}") })),
            "ok"
        );
    }
    assert_eq!(two.code("me:update", json!({ "name": "Bo again" })), "slow");
}

#[test]
fn a_person_has_so_many_sockets_in_either_place() {
    let house = House::new();
    let sockets: Vec<_> = (0..limits::SOCKETS_PER_USER_MAX)
        .map(|_| (house.socket(&house.ada), house.admin(&house.ada)))
        .collect();
    assert_eq!(house.refusal("", &house.ada), "busy");
    assert_eq!(house.refusal("/admin", &house.ada), "busy");
    house.socket(&house.join("bo"));
    drop(sockets);
}

#[test]
fn who_has_closed_the_last_of_two_tabs_is_offline_after_the_grace() {
    let house = House::new();
    let bo = house.join("bo");
    let mut ada = house.socket(&house.ada);
    let told = |ada: &mut Program, way: &str| {
        let is_bo = |news: &Value| {
            news[way]
                .as_array()
                .is_some_and(|ids| ids.contains(&json!(BO)))
        };
        while !is_bo(&ada.hear("presence")) {}
    };
    let one = house.socket(&bo);
    told(&mut ada, "on");
    let two = house.socket(&bo);
    drop(one);
    // Nobody was told of anything: the next news is of the end.
    drop(two);
    told(&mut ada, "off");
    let _three = house.socket(&bo);
    told(&mut ada, "on");
}

#[test]
fn a_session_that_expires_is_told_so_in_its_tab_and_one_that_is_used_lasts() {
    let house = House::new();
    let bo = house.join("bo");
    let soon = i64::try_from(chat::now() + 3_000).unwrap();
    let house = house.again(|database| {
        // Bo was last here so long ago that it is written down when he comes; ada just now.
        let long_ago = "UPDATE sessions SET used_at = 1, expires_at = ?1 WHERE user_id = 2";
        database.execute(long_ago, [soon]).unwrap();
        let just_now = "UPDATE sessions SET expires_at = ?1 WHERE user_id = 1";
        database.execute(just_now, [soon]).unwrap();
    });
    let (mut ada, mut bo) = (house.socket(&house.ada), house.socket(&bo));
    assert_eq!(ada.end(), "expired");
    assert_eq!(house.refusal("", &house.ada), "auth");
    assert_eq!(bo.code("send", message("and I stay")), "ok");
}

#[test]
fn what_is_our_fault_has_a_name_by_which_it_is_found() {
    let house = House::new();
    house.join("bo");
    let (mut admin, mut ada) = (house.admin(&house.ada), house.socket(&house.ada));
    // Another program does harm to the database.
    let harm = rusqlite::Connection::open(house.database()).unwrap();
    harm.execute_batch("DROP TABLE audit").unwrap();
    let answer = admin.ask("user:mute", json!({ "user": BO }));
    assert_eq!(answer["code"], "internal");
    let name = answer["ref"].as_str().unwrap();
    assert!(
        name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{name}"
    );
    assert_ne!(
        answer["ref"],
        admin.ask("user:mute", json!({ "user": BO }))["ref"]
    );
    // Nobody was muted, and what needs no trail goes on.
    assert_eq!(
        ada.ask("user:about", json!({ "user": BO }))["muted"],
        Value::Null
    );
    assert_eq!(ada.code("send", message("all is well")), "ok");
}

// ── links ──

#[test]
fn a_link_sets_a_password_once() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut admin, mut tab) = (house.admin(&house.ada), house.socket(&bo));
    let path = admin.ask("user:link", json!({ "user": BO }))["path"].clone();
    let replaced = path
        .as_str()
        .unwrap()
        .strip_prefix("/reset/")
        .unwrap()
        .to_owned();
    let path = admin.ask("user:link", json!({ "user": BO }))["path"].clone();
    let code = path.as_str().unwrap().strip_prefix("/reset/").unwrap();
    let reset = |code: &str, password: &str| {
        house.post("/reset", &json!({ "code": code, "password": password }))
    };

    for (code, password, status, why) in [
        (replaced.as_str(), "another-one", 410, "gone"),
        ("AAAA-BBBB-CCCC-DDDD", "another-one", 410, "gone"),
        ("no code at all", "another-one", 410, "gone"),
        (code, "short", 400, "invalid"),
    ] {
        let posted = reset(code, password);
        assert_eq!((posted.status, posted.code()), (status, why));
    }
    assert_eq!(
        house.sign_in("bo", PASSWORD).status,
        200,
        "nothing has changed"
    );

    let fresh = reset(code, "another-one").cookie();
    assert_eq!(tab.end(), "password");
    assert_eq!(house.refusal("", &bo), "auth");
    assert_eq!(
        house.socket(&fresh).ask("hello", json!({ "v": 1 }))["me"]["id"],
        BO
    );
    assert_eq!(reset(code, "a-third-one").code(), "gone");
    assert_eq!(house.sign_in("bo", PASSWORD).code(), "wrong");
    assert_eq!(house.sign_in("bo", "another-one").status, 200);
    let made = json!({ "user": BO });
    assert_eq!(
        trail(&mut admin),
        [
            ("user:link-used".to_owned(), made.clone()),
            ("user:link".to_owned(), made.clone()),
            ("user:link".to_owned(), made),
        ]
    );
}

#[test]
fn a_link_ends_with_a_password_of_ones_own_and_with_being_shut_out() {
    let house = House::new();
    let (bo, _cem) = (house.join("bo"), house.join("cem"));
    let mut admin = house.admin(&house.ada);
    let mut link = |user: i64| {
        let answer = admin.ask("user:link", json!({ "user": user }));
        answer["path"].as_str().unwrap().replace("/reset/", "")
    };
    let codes = [link(BO), link(CEM)];
    let change = json!({ "old": PASSWORD, "new": "another-one" });
    assert_eq!(house.socket(&bo).code("me:password", change), "ok");
    assert_eq!(admin.code("user:ban", json!({ "user": CEM })), "ok");
    for code in codes {
        let posted = house.post(
            "/reset",
            &json!({ "code": code, "password": "a-third-one" }),
        );
        assert_eq!(posted.code(), "gone");
    }
    assert_eq!(admin.code("user:link", json!({ "user": CEM })), "not_found");
}

#[test]
fn an_account_that_an_admin_made_is_entered_by_its_link() {
    let house = House::new();
    let mut admin = house.admin(&house.ada);
    let answer = admin.ask("user:create", json!({ "login": "dora", "name": "Dora" }));
    let code = answer["path"].as_str().unwrap().replace("/reset/", "");
    assert_eq!(
        house.sign_in("dora", "").code(),
        "wrong",
        "no password opens it"
    );
    let cookie = house
        .post("/reset", &json!({ "code": code, "password": "harbour-2" }))
        .cookie();
    let hello = house.socket(&cookie).ask("hello", json!({ "v": 1 }));
    assert_eq!(hello["me"]["id"], answer["user"]);
    assert_eq!(hello["rooms"][0]["id"], GENERAL);
    for (asked, code) in [
        (json!({ "login": "DORA", "name": "Another" }), "taken"),
        (json!({ "login": "x", "name": "X" }), "invalid"),
        (json!({ "login": "xenia", "name": "" }), "invalid"),
        (json!({ "login": "xenia" }), "invalid"),
    ] {
        assert_eq!(admin.code("user:create", asked), code);
    }
}

// ── order ──

/// Each order as an event, with a body that would do it.
fn orders(user: i64) -> [(&'static str, Value); 7] {
    [
        ("user:mute", json!({ "user": user, "forMs": 60_000 })),
        ("user:unmute", json!({ "user": user })),
        ("user:remove", json!({ "user": user })),
        ("user:ban", json!({ "user": user })),
        ("user:unban", json!({ "user": user })),
        ("user:role", json!({ "user": user, "role": "admin" })),
        ("user:link", json!({ "user": user })),
    ]
}

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
    let about = bo.ask("user:about", json!({ "user": CEM }));
    assert_eq!(
        (&about["mutedUntil"], &about["may"]),
        (&json!(until), &json!(["mute", "remove"]))
    );
    assert_eq!(bo.code("user:unmute", json!({ "user": CEM })), "ok");
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
    assert_eq!(bo.code("room:leave", json!({ "room": room })), "ok");
    for event in ["history", "sync", "read", "room:leave", "send"] {
        let asked = |room: &Value| json!({ "room": room, "rev": 0, "seq": 1, "cid": "c", "text": "let me in" });
        let (stale, never) = (
            bo.ask(event, asked(&room)),
            bo.ask(event, asked(&json!(99))),
        );
        assert_eq!(stale, never, "{event}");
        assert_eq!(stale["code"], "not_found", "{event}");
    }
}

// ── the admins' place ──

#[test]
fn only_admins_come_into_their_place_and_only_as_long_as_they_are() {
    let house = House::new();
    let bo = house.join("bo");
    assert_eq!(house.refusal("/admin", &bo), "forbidden");
    assert_eq!(house.refusal("/admin", "no session at all"), "auth");
    let mut ada = house.socket(&house.ada);
    ada.code("user:role", json!({ "user": BO, "role": "moderator" }));
    assert_eq!(house.refusal("/admin", &bo), "forbidden");
    ada.code("user:role", json!({ "user": BO, "role": "admin" }));
    let (mut tab, mut place) = (house.socket(&bo), house.admin(&bo));
    assert_eq!(place.code("settings:get", json!({})), "ok");
    // One packet after the other: the second comes from somebody who was an admin when it was sent.
    assert_eq!(
        ada.code("user:role", json!({ "user": BO, "role": "member" })),
        "ok"
    );
    place.is_cut();
    assert_eq!(house.refusal("/admin", &bo), "forbidden");
    assert_eq!(tab.code("send", message("and I am still here")), "ok");
}

#[test]
fn the_end_of_a_session_is_the_end_of_its_admins_socket() {
    let house = House::new();
    let mut place = house.admin(&house.ada);
    let headers = format!("Cookie: sid={}\r\n", house.ada);
    assert_eq!(
        house.request("POST /session/end", &headers, "{}").status,
        200
    );
    assert_eq!(place.end(), "signed-out");
}

#[test]
fn settings_hold_at_once_and_are_told() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut admin, mut bo) = (house.admin(&house.ada), house.socket(&bo));
    let set = json!({ "workspace": "Pier Ten", "signUp": "invite", "contact": "Ada, on deck" });
    let shown = admin.ask("settings:set", set);
    assert_eq!(shown["contact"], "Ada, on deck");
    assert_eq!(bo.hear("workspace"), json!({ "name": "Pier Ten" }));
    let session = house.get("/session", "").body;
    assert_eq!(
        [
            &session["workspace"],
            &session["signUp"],
            &session["contact"]
        ],
        ["Pier Ten", "invite", "Ada, on deck"]
    );
    let eve = json!({ "login": "eve", "name": "Eve", "password": PASSWORD });
    assert_eq!(house.post("/join", &eve).code(), "gone");
    assert_eq!(admin.code("settings:set", json!({ "contact": "" })), "ok");
    assert_eq!(house.get("/session", "").body["contact"], Value::Null);
    assert_eq!(trail(&mut admin).len(), 2);
}

#[test]
fn invites_are_listed_and_killed() {
    let house = House::new();
    let mut admin = house.admin(&house.ada);
    let made = admin.ask("invite:new", json!({ "uses": 2, "days": 1 }));
    let code = made["path"].as_str().unwrap().replace("/join/", "");
    let join = |login: &str| {
        let new = json!({ "code": code, "login": login, "name": login, "password": PASSWORD });
        house.post("/join", &new)
    };
    assert_eq!(join("bo").status, 200);
    let listed = admin.ask("invite:list", json!({}))["rows"].clone();
    let [invite] = listed.as_array().unwrap().as_slice() else {
        panic!("{listed}");
    };
    assert_eq!(
        (&invite["id"], &invite["usesLeft"], &invite["by"]),
        (&made["invite"], &json!(1), &json!(ADA))
    );
    assert_eq!(
        admin.code("invite:kill", json!({ "invite": invite["id"] })),
        "ok"
    );
    assert_eq!(join("cem").code(), "gone");
    assert_eq!(admin.ask("invite:list", json!({}))["rows"], json!([]));
}

#[test]
fn an_archived_room_is_gone_for_all_and_comes_back_as_it_was() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut admin, mut ada, mut bo) = (
        house.admin(&house.ada),
        house.socket(&house.ada),
        house.socket(&bo),
    );
    let room = ada.ask("room:create", json!({ "name": "Galley" }))["room"]["id"].clone();
    bo.code("room:join", json!({ "room": room }));
    let say = |text: &str| json!({ "room": room, "cid": text, "text": text });
    assert_eq!(ada.code("send", say("soup")), "ok");
    assert_eq!(
        admin.code("room:archive", json!({ "room": room, "on": true })),
        "ok"
    );
    assert_eq!(bo.hear("room:gone"), json!({ "room": room }));
    assert_eq!(ada.code("send", say("more")), "not_found");
    assert_eq!(bo.code("room:join", json!({ "room": room })), "not_found");
    let rows = admin.ask("room:list", json!({}))["rows"].clone();
    assert_eq!(
        (&rows[1]["archived"], &rows[1]["members"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(
        admin.code("room:archive", json!({ "room": room, "on": false })),
        "ok"
    );
    assert_eq!(bo.hear("room")["room"]["seq"], 1);
    assert_eq!(ada.code("send", say("more")), "ok");
    assert_eq!(bo.hear("message")["text"], "more");
}

#[test]
fn connections_are_listed_and_cut_and_sessions_are_ended() {
    let house = House::new();
    let bo = house.join("bo");
    let (mut admin, one, two) = (
        house.admin(&house.ada),
        house.socket(&bo),
        house.socket(&bo),
    );
    let rows = admin.ask("sockets:list", json!({ "user": BO }))["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(
        (&rows[0]["transport"], &rows[0]["address"]),
        (&json!("websocket"), &json!("127.0.0.1"))
    );

    // A connection alone may come back.
    let socket = rows[0]["socket"].clone();
    assert_eq!(
        admin.code("sockets:close", json!({ "socket": socket })),
        "ok"
    );
    assert_eq!(
        admin.code("sockets:close", json!({ "socket": socket })),
        "not_found"
    );
    assert_eq!(admin.ask("sockets:list", json!({}))["count"], 1);
    let mut again = house.socket(&bo);
    // A session may not.
    let session = rows[0]["session"].clone();
    assert_eq!(
        admin.ask("sockets:close", json!({ "session": session }))["ended"],
        1
    );
    assert_eq!(again.end(), "revoked");
    assert_eq!(house.refusal("", &bo), "auth");
    let fresh = house.sign_in("bo", PASSWORD).cookie();
    let mut tab = house.socket(&fresh);
    assert_eq!(
        admin.ask("sockets:close", json!({ "user": BO }))["ended"],
        1
    );
    assert_eq!(tab.end(), "revoked");
    let what: Vec<_> = trail(&mut admin)
        .into_iter()
        .map(|(what, _)| what)
        .collect();
    assert_eq!(what, ["sockets:close"; 3]);
    drop((one, two));
}

#[test]
fn numbers_come_as_long_as_somebody_watches() {
    let house = House::new();
    let mut admin = house.admin(&house.ada);
    let mut ada = house.socket(&house.ada);
    let first = admin.ask("stats", json!({ "on": true }))["stats"].clone();
    assert_eq!(first["users"], json!({ "online": 1, "all": 1 }));
    assert_eq!(
        (&first["sockets"], &first["rooms"], &first["messages"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert!(
        first["database"].as_u64().unwrap() > 4096 && first["rss"].as_u64().unwrap() > 1_000_000
    );
    assert!(first["lag"]["p99Ms"].as_f64().unwrap() > 0.0);
    assert_eq!(ada.code("send", message("counted")), "ok");
    let counted = |admin: &mut Program| admin.hear("stats")["messages"] == 1;
    while !counted(&mut admin) {}
    assert_eq!(admin.code("stats", json!({ "on": false })), "ok");
    // Whoever still watches would hear the next one before two answers that each take a turn of the lane.
    admin.forget();
    for _ in 0..20 {
        admin.code("audit:list", json!({}));
    }
    admin.heard_nothing();
    assert_eq!(admin.code("stats", json!({ "on": true })), "ok");
    admin.hear("stats");
}

#[test]
fn every_change_leaves_a_row_with_who_and_from_where() {
    let house = House::new();
    house.join("bo");
    let (mut admin, mut ada) = (house.admin(&house.ada), house.socket(&house.ada));
    let mut done = Vec::new();
    for (event, body) in orders(BO) {
        assert_eq!(admin.code(event, body), "ok", "{event}");
        done.push(event);
    }
    ada.code("invite:new", json!({}));
    done.push("invite:new");
    done.reverse();
    let rows = admin.ask("audit:list", json!({}))["rows"].clone();
    let what: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["what"].as_str().unwrap())
        .collect();
    assert_eq!(what, done);
    for row in rows.as_array().unwrap() {
        assert_eq!((&row["by"], &row["ip"]), (&json!(ADA), &json!("127.0.0.1")));
    }
    let newest = rows[0]["id"].clone();
    let older = admin.ask("audit:list", json!({ "before": newest }))["rows"].clone();
    assert_eq!(older.as_array().unwrap().len(), what.len() - 1);
}

#[test]
fn an_admin_who_asks_too_much_is_told_to_slow_down() {
    let house = House::new();
    let mut admin = house.admin(&house.ada);
    for n in 0..limits::ADMIN_EVENTS_BURST_MAX {
        assert_eq!(admin.code("settings:get", json!({})), "ok", "{n}");
    }
    let answer = (0..20).map(|_| admin.ask("settings:get", json!({})));
    assert!(answer.into_iter().any(|answer| answer["code"] == "slow"));
}
