//! Presence: who is here, told to those who share a room; who looks, told to one's own tabs.

use std::time::Duration;

use roomcast::chat::names::{Login, Name};
use roomcast::chat::store::{NewUser, RoomId, Store};
use roomcast::config::chat::{PRESENCE_PEOPLE_MAX, Pace};
use serde_json::json;

use super::Ship;

const MIA: i64 = 2;
const BO: i64 = 3;

/// Nobody waits in a test.
fn quick() -> Pace {
    Pace {
        offline_after: Duration::ZERO,
        presence_every: Duration::ZERO,
        ..Pace::default()
    }
}

/// So many more people than the four.
fn crowd(store: &mut Store, more: usize) {
    store
        .job(|w| {
            for n in 0..more {
                let new = NewUser {
                    login: Login::parse(&format!("sailor{n}")).unwrap(),
                    name: Name::parse("Sailor").unwrap(),
                    phc: String::new(),
                };
                w.create_user_open(&new, 1)?;
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn who_comes_and_goes_is_told_to_those_who_share_a_room() {
    let ship = Ship::paced(quick(), |_, _| {});
    let mut ada = ship.enter("ada");
    assert_eq!(ada.hear("presence"), json!({ "on": [1], "off": [] }));
    let bo = ship.enter("bo");
    assert_eq!(ada.hear("presence"), json!({ "on": [BO], "off": [] }));
    let hello = ada.ask("hello", &json!({ "v": 1 }));
    let online: Vec<_> = (0..4)
        .map(|n| hello["people"][n]["online"].as_bool())
        .collect();
    assert_eq!(online, [Some(true), Some(false), Some(true), Some(false)]);
    assert_eq!(hello["here"], json!(null));
    drop(bo);
    assert_eq!(ada.hear("presence"), json!({ "on": [], "off": [BO] }));
}

#[test]
fn several_who_come_at_once_are_told_of_in_one() {
    let pace = Pace {
        presence_every: Duration::from_millis(300),
        ..quick()
    };
    let ship = Ship::paced(pace, |_, _| {});
    let mut ada = ship.enter("ada");
    let (_bo, _cem) = (ship.enter("bo"), ship.enter("cem"));
    assert_eq!(ada.hear("presence"), json!({ "on": [1, BO, 4], "off": [] }));
}

#[test]
fn among_many_it_is_told_how_many_are_here_and_who_in_small_rooms_only() {
    let ship = Ship::paced(quick(), |store, _: RoomId| {
        crowd(store, PRESENCE_PEOPLE_MAX - 3)
    });
    let mut ada = ship.enter("ada");
    assert_eq!(
        ada.hear("presence"),
        json!({ "on": [], "off": [], "here": 1 })
    );
    // Mia is on the bridge, too.
    let _mia = ship.enter("mia");
    let mut told = [
        ada.hear("presence"),
        ada.hear("presence"),
        ada.hear("presence"),
    ];
    told.sort_by_key(|news| news["here"].as_u64());
    assert_eq!(
        told[0],
        json!({ "on": [1], "off": [] }),
        "her own, on the bridge"
    );
    assert_eq!(told[1], json!({ "on": [MIA], "off": [] }));
    assert_eq!(told[2], json!({ "on": [], "off": [], "here": 2 }));
    let mut bo = ship.enter("bo");
    assert_eq!(
        bo.hear("presence"),
        json!({ "on": [], "off": [], "here": 3 })
    );
    let hello = bo.ask("hello", &json!({ "v": 1 }));
    assert_eq!(hello["here"], 3);
    assert!(
        hello["people"][1].get("online").is_none(),
        "of whom he is told no more"
    );
    let hello = ada.ask("hello", &json!({ "v": 1 }));
    assert_eq!(hello["people"][1]["online"], true, "they share the bridge");
}

#[test]
fn as_many_as_may_be_told_by_name_are() {
    let ship = Ship::paced(quick(), |store, _: RoomId| {
        crowd(store, PRESENCE_PEOPLE_MAX - 4)
    });
    let mut ada = ship.enter("ada");
    assert_eq!(ada.hear("presence"), json!({ "on": [1], "off": [] }));
}

#[test]
fn the_other_tabs_are_told_whether_any_is_on_screen() {
    let ship = Ship::new();
    let (mut one, mut other, mut bo) = (ship.enter("ada"), ship.enter("ada"), ship.enter("bo"));
    assert_eq!(
        one.ask("hello", &json!({ "v": 1, "visible": true }))["watched"],
        false
    );
    assert_eq!(other.hear("visible"), json!({ "on": true }));
    assert_eq!(other.ask("hello", &json!({ "v": 1 }))["watched"], true);
    assert_eq!(
        other.ask("visible", &json!({ "on": true })),
        json!({ "ok": true })
    );
    assert_eq!(
        one.ask("visible", &json!({ "on": false })),
        json!({ "ok": true })
    );
    assert_eq!(
        one.ask("visible", &json!({ "on": false })),
        json!({ "ok": true }),
        "again is no change"
    );
    drop(other);
    assert_eq!(
        one.hear("visible"),
        json!({ "on": false }),
        "the last one has gone"
    );
    bo.ask("room:list", &json!({}));
    assert!(bo.heard.iter().all(|(name, _)| name != "visible"));
    for body in [
        json!({}),
        json!({ "on": 1 }),
        json!({ "on": "yes" }),
        json!(true),
    ] {
        assert_eq!(
            one.ask("visible", &body),
            super::refusal("invalid"),
            "{body}"
        );
    }
}

#[test]
fn ones_own_tabs_are_not_told_that_one_types() {
    let ship = Ship::new();
    let (mut ada, mut tab, mut bo) = (ship.enter("ada"), ship.enter("ada"), ship.enter("bo"));
    ada.say(&format!(
        "[\"typing\",{}]",
        json!({ "room": ship.general, "on": true })
    ));
    assert_eq!(
        bo.hear("typing"),
        json!({ "room": ship.general, "by": 1, "on": true })
    );
    tab.ask("room:list", &json!({}));
    assert!(tab.heard.iter().all(|(name, _)| name != "typing"));
}
