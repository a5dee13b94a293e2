//! Signing in by an event, passwords, names, and how sessions end.

use serde_json::{Value, json};

use crate::house::{self, House, PASSWORD, Program};
use crate::{BO, GENERAL, message};
use roomcast::config::chat as limits;

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
fn nobody_alone_fills_the_door_for_programs() {
    let house = House::new();
    let knock = |address: &str| {
        let headers = format!("X-Forwarded-For: {address}\r\n");
        house.try_socket_with(&headers, "/door", &json!({}))
    };
    let theirs: Vec<_> = (0..limits::DOOR_SOCKETS_PER_ADDRESS_MAX)
        .map(|n| knock(&format!("2001:db8::{n:x}")).unwrap())
        .collect();
    let refused = knock("2001:db8::ffff").err().unwrap();
    assert_eq!(refused["data"]["code"], "busy");
    let mut other = knock("192.0.2.7").unwrap();
    let asked = json!({ "login": "ada", "password": PASSWORD });
    assert_eq!(other.code("session:open", asked), "ok");
    drop(theirs);
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
        // The last one that is free begins the wait, and what comes in it is not even looked at: here a moment later.
        let right = json!({ "login": login, "password": PASSWORD });
        let most = u64::try_from(limits::FAILURE_WAIT_MIN.as_millis()).unwrap();
        for answer in door.ask_together("session:open", [asked, right]) {
            assert_eq!(answer["code"], "slow", "{login}");
            let wait = answer["retryMs"].as_u64().unwrap();
            assert!((1..=most).contains(&wait), "{login}: {wait} ms");
        }
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
    let soon = i64::try_from(house::now() + 3_000).unwrap();
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
