//! Links that set a password, for who has lost theirs and for who has none yet.

use serde_json::json;

use crate::house::{House, PASSWORD};
use crate::{BO, CEM, GENERAL, trail};

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
