//! The admins' place: who comes in, what is asked there, what is changed, and what is written down of it.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Program};
use crate::{ADA, BO, message, orders, trail};
use roomcast::config::chat as limits;

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
fn long_rolls_come_page_by_page() {
    let house = House::new();
    let house = house.again(|database| {
        for id in 2..=limits::ADMIN_ROWS_MAX + 5 {
            let row =
                "INSERT INTO users(login, login_key, name, created_at) VALUES (?1, ?1, ?1, 1)";
            database.execute(row, [format!("user-{id}")]).unwrap();
            let row = "INSERT INTO rooms(kind, name, name_key, created_at) VALUES (0, ?1, ?1, 1)";
            database.execute(row, [format!("room-{id}")]).unwrap();
        }
    });
    let mut admin = house.admin(&house.ada);
    for question in ["user:list", "room:list"] {
        let first = admin.ask(question, json!({}));
        let rows = first["rows"].as_array().unwrap();
        assert_eq!(
            (rows.len(), &first["more"]),
            (limits::ADMIN_ROWS_MAX, &json!(true))
        );
        let last = rows.last().unwrap()["id"].clone();
        let second = admin.ask(question, json!({ "after": last }));
        let ids = |page: &Value| -> Vec<i64> {
            let rows = page["rows"].as_array().unwrap();
            rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
        };
        assert_eq!(second["more"], false);
        let all: Vec<_> = ids(&first).into_iter().chain(ids(&second)).collect();
        let every: Vec<i64> = (1..).take(limits::ADMIN_ROWS_MAX + 5).collect();
        assert_eq!(all, every, "{question}");
    }
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
