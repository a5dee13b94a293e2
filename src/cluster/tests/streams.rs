//! The stream: what is said goes around, is heard late, and by those who come back.

use super::*;
use crate::cluster::entry::EntryId;
use crate::server::{Claim, KeptSession};

const WITHIN: Duration = Duration::from_secs(120);

fn config() -> config::Cluster {
    config::Cluster {
        wire: streams(false),
        ..config::Cluster::default()
    }
}

fn recovering() -> Broker {
    Broker::recovering(config(), Some(WITHIN))
}

/// An event that may be recovered.
fn event(rooms: &[&str], list: &str) -> Wish {
    Wish::Emit {
        to: whom(rooms, &["x"]),
        event: "news".into(),
        values: values(list, &[]),
        is_volatile: false,
        stays_plain: false,
        request: None,
    }
}

/// The lists of the events that were heard.
fn lists(broker: &mut Broker, side: Side) -> Vec<String> {
    let one = |text: String| {
        let wish: serde_json::Value = serde_json::from_str(&text).unwrap();
        wish["Emit"]["values"]["list"].as_str().unwrap().to_owned()
    };
    broker.heard(side).into_iter().map(one).collect()
}

/// An entry of another node's: an event for everybody.
fn foreign(list: &str) -> [(&'static str, String); 4] {
    let data = format!(
        "{{\"packet\":{{\"type\":2,\"data\":[\"news\",{list}],\"nsp\":\"/\"}},\"opts\":{{\"rooms\":[],\"except\":[],\"flags\":{{}}}}}}"
    );
    [
        ("uid", "another".to_owned()),
        ("nsp", "/".to_owned()),
        ("type", "3".to_owned()),
        ("data", data),
    ]
}

fn add(broker: &mut Broker, list: &str) -> String {
    let fields = foreign(list);
    let fields = fields.each_ref().map(|(name, value)| (*name, &**value));
    broker.add(&fields)
}

#[test]
fn an_entry_is_what_the_official_adapter_writes() {
    let mut broker = Broker::with(config());
    let field = |broker: &Broker, name: &str| {
        let (_, fields) = broker.store.entries.last().unwrap();
        let pairs = fields.chunks_exact(2);
        let mut found = pairs.filter(|pair| pair[0] == name.as_bytes());
        found
            .next()
            .map(|pair| String::from_utf8(pair[1].clone()).unwrap())
    };
    broker.say(Side::Left, event(&["a"], "1"));
    assert_eq!(field(&broker, "nsp").unwrap(), "/");
    assert_eq!(field(&broker, "type").unwrap(), "3");
    assert_eq!(field(&broker, "uid").unwrap().len(), 16);
    assert_eq!(
        field(&broker, "data").unwrap(),
        "{\"packet\":{\"type\":2,\"data\":[\"news\",1],\"nsp\":\"/\"},\"opts\":{\"rooms\":[\"a\"],\"except\":[\"x\"],\"flags\":{}}}"
    );
    assert_eq!(field(&broker, "own"), None, "nobody waits for it");
    broker.say(
        Side::Left,
        emit(&[], "{\"_placeholder\":true,\"num\":0}", &[b"ab"]),
    );
    let data = field(&broker, "data").unwrap();
    let packed = data_encoding::BASE64.decode(data.as_bytes()).unwrap();
    assert!(packed.windows(4).any(|window| window == b"\xc4\x02ab"));
    let join = Wish::Join {
        to: whom(&[], &[]),
        rooms: vec!["b".into()],
    };
    broker.say(Side::Left, join);
    assert_eq!(field(&broker, "type").unwrap(), "4");
    let before = broker.store.entries.len();
    let hello = Wish::ServerSide {
        namespace: "/".into(),
        event: "hello".into(),
        values: Values::default(),
        request: None,
    };
    broker.say(Side::Left, hello);
    assert_eq!(broker.store.entries.len(), before, "nobody needs it later");
}

#[test]
fn what_may_be_recovered_comes_back_in_one_order_with_its_place() {
    let mut broker = recovering();
    broker.is_silent = true;
    broker.say(Side::Left, event(&[], "1"));
    broker.say(Side::Right, event(&[], "2"));
    broker.say(Side::Left, event(&[], "3"));
    assert_eq!(lists(&mut broker, Side::Left), [""; 0], "it waits itself");
    broker.is_silent = false;
    broker.bring();
    broker.turn();
    let places: Vec<_> = broker
        .store
        .entries
        .iter()
        .map(|(id, _)| id.to_string())
        .collect();
    for side in [Side::Left, Side::Right] {
        assert_eq!(lists(&mut broker, side), ["1", "2", "3"]);
        assert_eq!(broker.places(side), places);
    }
    // What may be lost has been said at home already.
    broker.say(Side::Left, emit(&[], "4", &[]));
    assert_eq!(lists(&mut broker, Side::Left), [""; 0]);
    assert_eq!(lists(&mut broker, Side::Right), ["4"]);
}

#[test]
fn without_redis_a_node_hears_itself_at_once_and_the_others_never() {
    let mut broker = recovering();
    broker.cut();
    broker.say(Side::Left, event(&[], "1"));
    assert_eq!(broker.status(Side::Left).state, CarrierState::Degraded);
    assert_eq!(broker.status(Side::Left).unsaid, 1);
    assert_eq!(lists(&mut broker, Side::Left), ["1"]);
    broker.mend();
    assert_eq!(broker.status(Side::Left).state, CarrierState::Joined);
    broker.say(Side::Left, event(&[], "2"));
    for side in [Side::Left, Side::Right] {
        assert_eq!(lists(&mut broker, side), ["2"]);
        assert_eq!(broker.places(side).len(), 1);
    }
}

#[test]
fn what_redis_had_heard_before_it_was_lost_others_hear_later_and_nobody_twice() {
    let mut broker = recovering();
    broker.is_silent = true;
    broker.say(Side::Left, event(&[], "1"));
    broker.cut();
    assert_eq!(
        lists(&mut broker, Side::Left),
        ["1"],
        "not to be waited for"
    );
    add(&mut broker, "2");
    broker.is_silent = false;
    broker.mend();
    assert_eq!(lists(&mut broker, Side::Left), ["2"]);
    assert_eq!(lists(&mut broker, Side::Right), ["1", "2"]);
}

#[test]
fn what_was_said_before_a_node_came_is_history() {
    let mut broker = Broker::later(config(), Some(WITHIN));
    add(&mut broker, "1");
    broker.mend();
    add(&mut broker, "2");
    assert_eq!(lists(&mut broker, Side::Left), ["2"]);
}

#[test]
fn a_stream_that_begins_anew_is_read_from_its_beginning() {
    for says_meanwhile in [false, true] {
        let mut broker = recovering();
        for list in ["1", "2", "3"] {
            add(&mut broker, list);
        }
        lists(&mut broker, Side::Left);
        broker.cut();
        broker.store.forget();
        if says_meanwhile {
            add(&mut broker, "4");
        }
        broker.mend();
        add(&mut broker, "5");
        let all = lists(&mut broker, Side::Left);
        assert_eq!(all.last().unwrap(), "5");
        assert_eq!(all.len(), 1 + usize::from(says_meanwhile));
    }
}

#[test]
fn entries_that_no_node_could_have_meant_are_ignored_and_counted() {
    let mut broker = recovering();
    let data = foreign("1")[3].1.clone();
    let deep = format!("{{\"packet\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for fields in [
        &[][..],
        &[("a", "b")],
        &[("uid", "x"), ("nsp", "/"), ("type", "3")],
        &[("uid", "x"), ("nsp", "/"), ("type", "3"), ("data", "{")],
        &[("uid", "x"), ("nsp", "/"), ("type", "3"), ("data", "{}")],
        &[("uid", "x"), ("nsp", "/"), ("type", "3"), ("data", &deep)],
        &[
            ("uid", "x"),
            ("nsp", "/"),
            ("type", "3"),
            ("data", "no base64"),
        ],
        &[("uid", "x"), ("nsp", "/"), ("type", "3"), ("data", "AAAA")],
        &[("uid", "x"), ("nsp", "/"), ("type", "x"), ("data", &data)],
        &[("uid", "x"), ("nsp", "/"), ("type", "99"), ("data", &data)],
        &[("nsp", "/"), ("type", "3"), ("data", &data)],
        &[("uid", "x"), ("type", "3"), ("data", &data)],
    ] {
        let ignored = broker.status(Side::Left).ignored;
        broker.add(fields);
        assert_eq!(broker.heard(Side::Left), [""; 0], "{fields:?}");
        assert_eq!(broker.status(Side::Left).ignored, ignored + 1, "{fields:?}");
    }
    let ignored = broker.status(Side::Left).ignored;
    broker.add(&[("uid", "x"), ("nsp", "/"), ("type", "1")]);
    assert_eq!(
        broker.status(Side::Left).ignored,
        ignored,
        "a heartbeat of another kind"
    );
    add(&mut broker, "1");
    assert_eq!(lists(&mut broker, Side::Left), ["1"], "it reads on");
}

#[test]
fn an_entry_that_is_too_large_is_passed_over_and_many_that_are_not_are_read_bit_by_bit() {
    let mut broker = Broker::recovering(
        config::Cluster {
            message_bytes_max: 1000,
            ..config()
        },
        Some(WITHIN),
    );
    broker.is_silent = true;
    let sizes = [300, 300, 300, 2000, 2000, 300, 300, 300, 300];
    for size in sizes {
        add(&mut broker, &format!("\"{}\"", "x".repeat(size)));
    }
    broker.is_silent = false;
    broker.bring();
    broker.turn();
    let heard: Vec<_> = lists(&mut broker, Side::Left)
        .iter()
        .map(|list| list.len() - 2)
        .collect();
    assert_eq!(heard, [300; 7]);
    assert_eq!(broker.status(Side::Left).ignored, 2);
}

#[test]
fn what_is_held_is_bounded_and_goes_to_ones_own_clients_at_once_beyond() {
    let mut broker = Broker::recovering(
        config::Cluster {
            held_bytes_max: 1000,
            ..config()
        },
        Some(WITHIN),
    );
    broker.is_silent = true;
    let long = format!("\"{}\"", "x".repeat(300));
    for _ in 0..2 {
        broker.say(Side::Left, event(&[], &long));
    }
    assert_eq!(
        lists(&mut broker, Side::Left).len(),
        2,
        "more than may be held"
    );
    assert_eq!(broker.places(Side::Left), [""; 0]);
    broker.say(Side::Left, event(&[], "1"));
    broker.is_silent = false;
    broker.bring();
    broker.turn();
    assert_eq!(lists(&mut broker, Side::Left), ["1"], "once each");
    assert_eq!(lists(&mut broker, Side::Right).len(), 3);
}

#[test]
fn a_stream_is_kept_so_long_and_read_in_such_pages() {
    let mut broker = Broker::recovering(
        config::Cluster {
            stream_entries_max: 5,
            stream_page_max: 2,
            ..config()
        },
        Some(WITHIN),
    );
    broker.is_silent = true;
    for number in 0..8 {
        broker.say(Side::Left, event(&[], &number.to_string()));
    }
    assert_eq!(broker.store.entries.len(), 5);
    broker.is_silent = false;
    broker.bring();
    broker.turn();
    assert_eq!(lists(&mut broker, Side::Right), ["3", "4", "5", "6", "7"]);
    let own = lists(&mut broker, Side::Left);
    assert_eq!(
        own,
        ["0", "1", "2", "3", "4", "5", "6", "7"],
        "whoever said it hears all"
    );
    assert_eq!(broker.places(Side::Left).len(), 5);
}

#[test]
fn a_stream_that_is_silent_for_too_long_is_not_there() {
    let mut broker = Broker::recovering(
        config::Cluster {
            count_every: WITHIN,
            read_within: SECOND * 2,
            confirmed_within: SECOND,
            ..config()
        },
        Some(WITHIN),
    );
    broker.wait(10_000);
    assert_eq!(broker.status(Side::Left).state, CarrierState::Joined);
    assert_eq!(
        broker.status(Side::Left).joined,
        1,
        "nothing to say is no fault"
    );
    broker.hold();
    broker.wait(1_900);
    assert_eq!(broker.status(Side::Left).state, CarrierState::Joined);
    broker.wait(1_100);
    assert_eq!(broker.status(Side::Left).state, CarrierState::Degraded);
}

const PID: &str = "pidpidpidpidpidpidpi";
const SID: &str = "sidsidsidsidsidsidsi";

fn session() -> KeptSession {
    KeptSession {
        pid: Sid::parse(PID).unwrap(),
        id: Sid::parse(SID).unwrap(),
        namespace: "/".into(),
        rooms: vec![SID.into(), "deck".into()],
        data: "{\"name\":\"ada\"}".into(),
    }
}

fn goes_away(broker: &mut Broker) {
    let now = broker.now();
    broker.carrier(Side::Left).went_away(now, session());
    broker.turn();
}

/// What becomes of who comes back to the other node.
fn claim(broker: &mut Broker, pid: &str, offset: &str) -> Vec<String> {
    let now = broker.now();
    let claim = Claim {
        ticket: 7,
        namespace: "/".into(),
        pid: Sid::parse(pid).unwrap(),
        offset: offset.into(),
    };
    broker.carrier(Side::Right).claimed(now, claim);
    broker.turn();
    broker.told(Side::Right)
}

fn back_with(missed: &[&str]) -> Vec<String> {
    vec![format!("7 {:?}", Ok::<_, ()>((session(), missed)))]
}

#[test]
fn who_was_cut_off_at_one_node_comes_back_at_another_and_has_missed_what_was_for_him() {
    let mut broker = recovering();
    broker.say(Side::Left, event(&[], "0"));
    let offset = broker.places(Side::Left).pop().unwrap();
    goes_away(&mut broker);
    for wish in [
        event(&["deck"], "1"),
        event(&["galley"], "2"),
        event(&[], "3"),
        event(&[SID, "galley"], "4"),
        emit(&["deck"], "5", &[]),
    ] {
        broker.say(Side::Right, wish);
    }
    let mut but_deck = event(&[], "6");
    if let Wish::Emit { to, .. } = &mut but_deck {
        to.except = vec!["deck".into()];
    }
    broker.say(Side::Right, but_deck);
    let volatile = "5, which may be lost";
    let back = claim(&mut broker, PID, &offset);
    assert_eq!(back, back_with(&["1", "3", "4"]), "and not {volatile}");
    assert_eq!(claim(&mut broker, PID, &offset), ["7 Err(Unknown)"], "once");
}

#[test]
fn a_session_of_the_official_adapter_is_taken_and_a_strange_one_is_not() {
    let mut broker = recovering();
    let offset = add(&mut broker, "0");
    let packed = |text: &str| data_encoding::BASE64.encode(&msgpack::from_json(text, &[]));
    let official = format!(
        "{{\"sid\":\"{SID}\",\"pid\":\"{PID}\",\"rooms\":[\"{SID}\",\"deck\"],\"data\":{{\"name\":\"ada\"}}}}"
    );
    for (value, is_taken) in [
        (packed(&official), true),
        (
            packed(&official.replace("\"data\"", "\"nsp\":\"/\",\"data\"")),
            true,
        ),
        (
            packed(&official.replace("\"data\"", "\"nsp\":\"/other\",\"data\"")),
            false,
        ),
        (
            packed(&official.replace(PID, "anotherxanotherxanot")),
            false,
        ),
        (packed(&official.replace(SID, "short")), false),
        (packed("[]"), false),
        (official.clone(), false),
        (String::new(), false),
    ] {
        let key = format!("sio:session:{PID}");
        broker.store.keys.insert(key, value.clone().into_bytes());
        let told = claim(&mut broker, PID, &offset);
        let expected = if is_taken {
            back_with(&[])
        } else {
            vec!["7 Err(Unknown)".to_owned()]
        };
        assert_eq!(told, expected, "{value}");
    }
}

#[test]
fn an_offset_that_is_no_place_of_this_stream_or_not_any_more_is_missed() {
    let mut broker = recovering();
    let offset = add(&mut broker, "0");
    for claimed in [
        "",
        "x",
        "1-1",
        "1699999999999-0",
        "1800000000000-0",
        "0000002a.1",
    ] {
        goes_away(&mut broker);
        assert_eq!(
            claim(&mut broker, PID, claimed),
            ["7 Err(Missed)"],
            "{claimed}"
        );
    }
    goes_away(&mut broker);
    assert_eq!(claim(&mut broker, PID, &offset), back_with(&[]));
}

#[test]
fn who_comes_back_is_told_when_the_node_itself_has_heard_as_much() {
    let mut broker = recovering();
    let offset = add(&mut broker, "0");
    goes_away(&mut broker);
    broker.is_silent = true;
    add(&mut broker, "1");
    assert_eq!(
        claim(&mut broker, PID, &offset),
        [""; 0],
        "the node has not heard it"
    );
    add(&mut broker, "2");
    broker.is_silent = false;
    broker.bring();
    broker.turn();
    let told = broker.told(Side::Right);
    // At whichever of the two places: what is not missed was heard after it.
    assert!(
        told == back_with(&["1"]) || told == back_with(&["1", "2"]),
        "{told:?}"
    );
    assert_eq!(lists(&mut broker, Side::Right), ["0", "1", "2"]);
}

#[test]
fn what_was_missed_is_read_in_pages_and_bounded() {
    let broker = |missed_bytes_max| {
        let config = config::Cluster {
            missed_bytes_max,
            stream_page_max: 3,
            ..config()
        };
        let mut broker = Broker::recovering(config, Some(WITHIN));
        let offset = add(&mut broker, "0");
        goes_away(&mut broker);
        for number in 1..=10 {
            add(&mut broker, &number.to_string());
        }
        (broker, offset)
    };
    let (mut enough, offset) = broker(1_000_000);
    let all = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    assert_eq!(claim(&mut enough, PID, &offset), back_with(&all));
    let (mut little, offset) = broker(500);
    assert_eq!(claim(&mut little, PID, &offset), ["7 Err(Missed)"]);
    goes_away(&mut little);
    let last = little.store.entries.last().unwrap().0.to_string();
    assert_eq!(
        claim(&mut little, PID, &last),
        back_with(&[]),
        "nothing is left of the other"
    );
}

#[test]
fn who_comes_back_while_redis_is_away_or_goes_is_a_stranger() {
    let mut broker = recovering();
    let offset = add(&mut broker, "0");
    goes_away(&mut broker);
    broker.is_silent = true;
    add(&mut broker, "1");
    assert_eq!(claim(&mut broker, PID, &offset), [""; 0]);
    broker.cut();
    assert_eq!(broker.told(Side::Right), ["7 Err(Unknown)"]);
    assert_eq!(claim(&mut broker, PID, &offset), ["7 Err(Unknown)"]);
    let unsaid = broker.status(Side::Left).unsaid;
    goes_away(&mut broker);
    assert_eq!(broker.status(Side::Left).unsaid, unsaid + 1);
}

#[test]
fn keys_are_called_as_they_are_told_to() {
    let config = config::Cluster {
        stream: "river".to_owned(),
        session_prefix: "boat:".to_owned(),
        ..config()
    };
    let mut broker = Broker::recovering(config, Some(WITHIN));
    goes_away(&mut broker);
    assert!(broker.store.keys.contains_key(&format!("boat:{PID}")));
    broker.say(Side::Left, event(&[], "1"));
    assert_eq!(broker.last_stream(), "river");
    let id = broker.store.entries.last().unwrap().0;
    assert!(id > EntryId::ZERO);
}
