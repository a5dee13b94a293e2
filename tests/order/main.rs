//! The chat's doors and its order, as programs meet them: accounts, sessions, roles, the admins' place.
//!
//! Every question is asked by hand over a real socket, also those that no page would ask; what was refused must have changed
//! nothing.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

mod house;
mod links;
mod orders;
mod place;
mod sessions;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "what is for the library alone")]
mod support;

use serde_json::{Value, json};

use house::Program;

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
