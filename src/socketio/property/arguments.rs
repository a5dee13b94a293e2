//! Arguments, from a list of JSON to Rust types and back.
//!
//! The first byte of an input is how many attachments there are; the rest is the list, as a client may send it. Panics if
//! a value changes on the way, if two ways to the same argument differ, or if an attachment is neither one of
//! the given nor named by its place.
//! Left out: what the types of an application do with what they are given.

use std::collections::BTreeMap;
use std::fmt::Debug;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config;
use crate::socketio::args::{Args, Binary, encode};
use crate::socketio::json;

/// A type of many sorts, as an application may have one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Form {
    name: String,
    #[serde(default)]
    count: Option<i64>,
    #[serde(default)]
    file: Option<Binary>,
    #[serde(default)]
    parts: Vec<Binary>,
    #[serde(default)]
    by_name: BTreeMap<String, Shape>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(u8),
    Tuple(u8, Binary),
    Struct { a: String, b: Option<bool> },
}

/// Reads `input` as arguments.
///
/// # Panics
/// If something does not hold.
pub fn arguments(input: &[u8]) {
    let Some((count, list)) = input.split_first() else {
        return;
    };
    let Ok(list) = str::from_utf8(list) else {
        return;
    };
    let attachments: Vec<_> = (0..count % 4).map(|at| Bytes::from(vec![at; 2])).collect();
    let args = Args::new(list, &attachments);
    let values: Vec<_> = args.iter().collect();
    assert!(values.len() <= list.len(), "more arguments than bytes");
    let depth = config::SocketIo::default().json_depth_max;
    if !json::is_sound(&format!("[{list}]"), depth) {
        // Nobody is handed such a list; it must only do no harm.
        let _ = args.parse::<(Value, Form, Binary)>();
        return;
    }
    for at in 0..values.len().min(8) {
        assert_eq!(
            args.skip(at).iter().collect::<Vec<_>>(),
            values[at..],
            "behind {at}"
        );
    }
    for value in &values {
        assert!(json::is_sound(value, depth), "{value} is cut off");
        let alone = Args::new(value, &attachments);
        as_serde_json(alone, value);
        there_and_back::<Form>(alone);
        there_and_back::<Shape>(alone);
        there_and_back::<Binary>(alone);
        there_and_back::<Vec<Option<Binary>>>(alone);
        there_and_back::<BTreeMap<i32, Binary>>(alone);
        there_and_back::<String>(alone);
        there_and_back::<(u8, Option<bool>)>(alone);
        there_and_back::<i128>(alone);
    }
    let (first, second): (Option<u64>, Option<String>) = match args.parse() {
        Ok(both) => both,
        Err(_) => return,
    };
    let null = |value: Option<&&str>| value.is_none_or(|value| value.trim() == "null");
    assert_eq!(first.is_none(), null(values.first()));
    assert_eq!(second.is_none(), null(values.get(1)));
}

/// What `serde_json` can hold is read as it reads it, and written so that it is read again.
fn as_serde_json(alone: Args<'_>, value: &str) {
    let ours = alone.parse::<(Value,)>().map(|(value,)| value);
    if let Ok(theirs) = serde_json::from_str::<Value>(value) {
        assert_eq!(ours.as_ref().ok(), Some(&theirs), "{value}");
    }
    if let Ok(ours) = ours {
        let encoded = encode(&(&ours,)).expect("a tree of JSON is JSON");
        assert_eq!(encoded.attachments, [] as [Bytes; 0]);
        assert_eq!(encoded.list, serde_json::to_vec(&ours).expect("likewise"));
    }
}

/// What fits a type is written and read as the same; its attachments are some of those given, in the order of their numbers.
fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(alone: Args<'_>) {
    let Ok((value,)) = alone.parse::<(T,)>() else {
        return;
    };
    let encoded = encode(&(&value,)).expect("what was read can be written");
    let list = str::from_utf8(&encoded.list).expect("JSON is UTF-8");
    for attachment in &encoded.attachments {
        assert!(
            alone.attachments().contains(attachment),
            "bytes from nowhere"
        );
    }
    assert!(
        json::placeholders_fit(list, encoded.attachments.len()),
        "{list}"
    );
    let places: Vec<_> = list
        .match_indices("{\"_placeholder\":true,\"num\":")
        .collect();
    assert!(places.len() >= encoded.attachments.len(), "{list}");
    let again = Args::new(list, &encoded.attachments);
    let (read,): (T,) = again.parse().expect("what was written can be read");
    assert_eq!(read, value, "{list}");
}
