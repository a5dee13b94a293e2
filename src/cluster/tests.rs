//! Two carriers and a broker between them: what one says is what the other hears.

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::config::{self, RoomChannels};
use crate::reactor::{ConnId, Tag};
use crate::server::cluster::{Reply, Request, Values, Whom, Wish};
use crate::server::{Carried, Carrier, CarrierState, GatheredAnswer, Here, RemoteSocket};
use crate::sid::Sid;
use crate::socketio::msgpack;
use crate::socketio::namespaces::Presence;
use crate::time::{Now, Time, UnixMillis};

mod broker;
use broker::{Broker, Side};

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn now(millis: u64) -> Now {
    Now {
        mono: Time(millis * 1000),
        wall: UnixMillis(millis),
    }
}

fn whom(rooms: &[&str], except: &[&str]) -> Whom {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    Whom {
        namespace: "/".into(),
        rooms: names(rooms),
        except: names(except),
    }
}

fn values(list: &str, attachments: &[&'static [u8]]) -> Values {
    Values {
        list: list.into(),
        attachments: attachments
            .iter()
            .map(|bytes| Bytes::from_static(bytes))
            .collect(),
    }
}

fn emit(rooms: &[&str], list: &str, attachments: &[&'static [u8]]) -> Wish {
    Wish::Emit {
        to: whom(rooms, &["x"]),
        event: "news".into(),
        values: values(list, attachments),
        is_volatile: true,
        stays_plain: true,
        request: None,
    }
}

fn wires() -> [config::Wire; 5] {
    [
        config::Wire::Classic {
            replies_to_asker: false,
        },
        config::Wire::Classic {
            replies_to_asker: true,
        },
        sharded(RoomChannels::Public),
        sharded(RoomChannels::All),
        sharded(RoomChannels::None),
    ]
}

fn sharded(rooms: RoomChannels) -> config::Wire {
    config::Wire::Sharded { rooms }
}

fn json(wish: &Wish) -> String {
    serde_json::to_string(wish).unwrap()
}

#[test]
fn what_one_says_another_hears_and_nobody_hears_itself() {
    for wire in wires() {
        let mut broker = Broker::new(wire);
        broker.room(Side::Right, "room", Presence::Came);
        for wish in [
            emit(&[], "1,\"two\",{\"a\":[1.5,null]}", &[]),
            emit(&["room"], "", &[]),
            emit(
                &["42", "room"],
                "{\"_placeholder\":true,\"num\":0}",
                &[b"\x00\xff"],
            ),
            Wish::Join {
                to: whom(&["a"], &[]),
                rooms: vec!["42".into()],
            },
            Wish::Leave {
                to: whom(&[], &["b"]),
                rooms: vec!["c".into()],
            },
            Wish::Leave {
                to: whom(&[], &[]),
                rooms: vec![],
            },
            Wish::Disconnect {
                to: whom(&["a"], &[]),
                closes: true,
            },
            Wish::ServerSide {
                namespace: "/".into(),
                event: "hello".into(),
                values: values("1,\"a\"", &[]),
                request: None,
            },
        ] {
            broker.say(Side::Left, wish.clone());
            assert_eq!(broker.heard(Side::Left), Vec::<String>::new());
            assert_eq!(broker.heard(Side::Right), [json(&wish)], "{wire:?}");
        }
    }
}

#[test]
fn a_question_is_heard_by_so_many_and_its_replies_come_back() {
    let socket = RemoteSocket::new(
        Sid::parse("abcdefghijklmnopqrst").unwrap(),
        "/".into(),
        vec!["abcdefghijklmnopqrst".into(), "42".into()],
        None,
        "{\"a\":1}".into(),
    );
    let own = Request {
        node: 7,
        number: 99,
    };
    let asked = [
        (
            Wish::Fetch {
                to: whom(&["a"], &[]),
                request: own,
            },
            vec![Reply::Sockets(vec![socket])],
        ),
        (
            Wish::ServerSide {
                namespace: "/".into(),
                event: "double".into(),
                values: values("21", &[]),
                request: Some(own),
            },
            vec![Reply::Values(values("42", &[]))],
        ),
        (
            Wish::Emit {
                to: whom(&[], &[]),
                event: "q".into(),
                values: values("{\"_placeholder\":true,\"num\":0}", &[b"abc"]),
                is_volatile: false,
                stays_plain: false,
                request: Some((own, SECOND * 2)),
            },
            vec![
                Reply::Asked(2),
                Reply::Answer(GatheredAnswer::new(None, values("\"yes\"", &[]))),
                Reply::Answer(GatheredAnswer::new(
                    None,
                    values("{\"_placeholder\":true,\"num\":0}", &[b"xyz"]),
                )),
            ],
        ),
    ];
    for wire in wires() {
        for (question, replies) in &asked {
            let mut broker = Broker::new(wire);
            broker.say(Side::Left, question.clone());
            assert_eq!(
                broker.told(Side::Left),
                ["Awaited(Request { node: 7, number: 99 }, 1)"]
            );
            let request = broker.asked(Side::Right);
            assert_ne!(request, own);
            for reply in replies {
                let reply = Wish::Reply {
                    request,
                    from: 1,
                    reply: reply.clone(),
                };
                broker.say(Side::Right, reply);
            }
            let expected: Vec<_> = replies
                .iter()
                .map(|reply| serde_json::to_string(reply).unwrap())
                .collect();
            assert_eq!(broker.replies(Side::Left, own), expected, "{wire:?}");
        }
    }
}

#[test]
fn without_redis_what_is_said_is_counted_and_a_question_is_answered_at_once() {
    let mut broker = Broker::new(config::Wire::default());
    let joined = |broker: &Broker| broker.status(Side::Left);
    assert_eq!(joined(&broker).state, CarrierState::Joined);
    assert_eq!(joined(&broker).other_nodes, 1);
    broker.cut();
    assert_eq!(joined(&broker).state, CarrierState::Degraded);
    broker.say(Side::Left, emit(&[], "1", &[]));
    let request = Request { node: 7, number: 1 };
    broker.say(
        Side::Left,
        Wish::Fetch {
            to: whom(&[], &[]),
            request,
        },
    );
    assert_eq!(joined(&broker).unsaid, 2);
    assert_eq!(
        broker.told(Side::Left),
        ["NotAsked(Request { node: 7, number: 1 }, 1)"]
    );
    broker.mend();
    assert_eq!(joined(&broker).state, CarrierState::Joined);
    assert_eq!(joined(&broker).joined, 2);
    broker.say(Side::Left, emit(&[], "2", &[]));
    assert_eq!(
        broker.heard(Side::Right),
        [json(&emit(&[], "2", &[]))],
        "heard again"
    );
}

#[test]
fn namespaces_come_and_go_with_their_channels() {
    let mut broker = Broker::new(config::Wire::default());
    let before = broker.subscriptions();
    broker.presence(Side::Left, "/a*[?]\\", Presence::Came);
    assert!(
        broker
            .subscriptions()
            .iter()
            .any(|name| name == "socket.io#/a\\*\\[\\?\\]\\\\#*")
    );
    assert_eq!(broker.subscriptions().len(), before.len() + 4);
    broker.cut();
    broker.mend();
    assert_eq!(
        broker.subscriptions().len(),
        before.len() + 4,
        "subscribed to again"
    );
    broker.presence(Side::Left, "/a*[?]\\", Presence::Went);
    assert_eq!(broker.subscriptions(), before);
    let request = Request { node: 7, number: 1 };
    broker.say(
        Side::Left,
        Wish::ServerSide {
            namespace: "/nowhere".into(),
            event: "e".into(),
            values: Values::default(),
            request: Some(request),
        },
    );
    assert_eq!(
        broker.told(Side::Left),
        ["Awaited(Request { node: 7, number: 1 }, 0)"]
    );
}

#[test]
fn what_no_node_could_have_meant_is_ignored_and_counted() {
    let mut broker = Broker::new(config::Wire::default());
    let packed = |text: &str| msgpack::from_json(text, &[]);
    let deep = format!(
        "[\"uid\",{{\"type\":2,\"data\":[\"e\",{}1{}]}},{{}}]",
        "[".repeat(200),
        "]".repeat(200)
    );
    let many = msgpack::from_json(
        &format!(
            "[\"uid\",{{\"data\":[\"e\"{}]}},{{}}]",
            ",{\"_placeholder\":true,\"num\":0}".repeat(1001)
        ),
        &[Bytes::from_static(b"x")],
    );
    for (channel, payload) in [
        ("socket.io#/#", Vec::new()),
        ("socket.io#/#", b"text".to_vec()),
        ("socket.io#/#", packed("[]")),
        (
            "socket.io#/#",
            packed("[\"uid\",{\"type\":2,\"data\":[]},{}]"),
        ),
        (
            "socket.io#/#",
            packed("[\"uid\",{\"type\":2,\"data\":{\"0\":\"e\"}},{}]"),
        ),
        (
            "socket.io#/#",
            packed("[\"uid\",{\"type\":2,\"data\":[{}]},{}]"),
        ),
        (
            "socket.io#/#",
            packed("[\"uid\",{\"type\":3,\"data\":[\"e\"]},{}]"),
        ),
        (
            "socket.io#/#",
            packed("[\"uid\",{\"type\":2,\"data\":[\"e\"]},{\"rooms\":{}}]"),
        ),
        ("socket.io#/#", packed(&deep)),
        ("socket.io#/#", many),
        ("socket.io-request#/#", b"{".to_vec()),
        ("socket.io-request#/#", b"{\"type\":99}".to_vec()),
        ("socket.io-request#/#", b"{\"type\":5}".to_vec()),
        ("socket.io-request#/#", b"{\"type\":5,\"opts\":{}}".to_vec()),
        ("socket.io-request#/#", b"{\"type\":6,\"data\":[]}".to_vec()),
        (
            "socket.io-request#/#",
            b"{\"type\":\"6\",\"data\":[\"e\"]}".to_vec(),
        ),
        ("socket.io-request#/#", b"\xff\xfe".to_vec()),
        ("socket.io-response#/#", b"{}".to_vec()),
        ("socket.io-response#/#", b"{\"requestId\":{}}".to_vec()),
    ] {
        let ignored = broker.status(Side::Left).ignored;
        broker.publish(channel, &payload);
        assert_eq!(broker.heard(Side::Left), Vec::<String>::new());
        assert_eq!(
            broker.status(Side::Left).ignored,
            ignored + 1,
            "{}",
            payload.escape_ascii()
        );
    }
    // What is for somebody else is no mistake.
    let ignored = broker.status(Side::Left).ignored;
    for (channel, payload) in [
        (
            "socket.io#/#",
            packed("[\"uid\",{\"type\":2,\"data\":[\"e\"],\"nsp\":\"/other\"},{}]"),
        ),
        ("socket.io#/#nobody#", b"not even looked at".to_vec()),
        (
            "socket.io-response#/#",
            b"{\"requestId\":\"another's\",\"sockets\":[]}".to_vec(),
        ),
    ] {
        broker.publish(channel, &payload);
    }
    assert_eq!(broker.heard(Side::Left), Vec::<String>::new());
    assert_eq!(broker.status(Side::Left).ignored, ignored);
}

#[test]
fn what_no_node_could_have_meant_by_a_sharded_channel_is_ignored_and_counted() {
    let mut broker = Broker::new(sharded(RoomChannels::Public));
    let said = |kind: u64, data: &str| {
        format!("{{\"uid\":\"x\",\"nsp\":\"/\",\"type\":{kind},\"data\":{data}}}")
    };
    let deep = format!("{{\"packet\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for payload in [
        String::new(),
        "{".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        said(3, "{}"),
        said(3, "null"),
        said(3, "{\"packet\":{\"type\":2,\"data\":[\"e\"]}}"),
        said(3, "{\"packet\":{\"type\":2,\"data\":[]},\"opts\":{}}"),
        said(3, "{\"packet\":{\"type\":3,\"data\":[\"e\"]},\"opts\":{}}"),
        said(3, "{\"packet\":[\"e\"],\"opts\":{}}"),
        said(4, "{\"rooms\":[\"a\"]}"),
        said(4, "{\"opts\":{\"rooms\":{}},\"rooms\":[\"a\"]}"),
        said(7, "{\"opts\":{}}"),
        said(9, "{\"packet\":{}}"),
        said(9, "{\"packet\":[{}]}"),
        said(9, &deep),
        said(8, "{}"),
        said(14, "{}"),
        "{\"uid\":\"x\",\"nsp\":\"/\",\"type\":\"3\",\"data\":{}}".to_owned(),
        "{\"uid\":{},\"nsp\":\"/\",\"type\":3,\"data\":{}}".to_owned(),
        // Of MessagePack, too: a list of one.
        "\u{11}\u{1}".to_owned(),
    ] {
        let ignored = broker.status(Side::Left).ignored;
        broker.publish("socket.io#/#", payload.as_bytes());
        assert_eq!(broker.heard(Side::Left), Vec::<String>::new(), "{payload}");
        assert_eq!(broker.status(Side::Left).ignored, ignored + 1, "{payload}");
    }
    // What is for somebody else is no mistake, nor is what a node of another kind says to be counted.
    let ignored = broker.status(Side::Left).ignored;
    for payload in [
        said(8, "{\"requestId\":\"another's\",\"sockets\":[]}"),
        said(2, "null"),
        said(5, "{\"opts\":{},\"rooms\":[]}"),
        said(3, "{}").replace("\"/\"", "\"/other\""),
    ] {
        broker.publish("socket.io#/#", payload.as_bytes());
        assert_eq!(broker.heard(Side::Left), Vec::<String>::new(), "{payload}");
    }
    assert_eq!(broker.status(Side::Left).ignored, ignored);
}

#[test]
fn a_room_has_a_channel_while_somebody_is_in_it() {
    let (room, own) = ("deck", "abcdefghijklmnopqrst");
    for (rooms, expected) in [
        (RoomChannels::Public, &["socket.io#/#deck#"][..]),
        (
            RoomChannels::All,
            &["socket.io#/#abcdefghijklmnopqrst#", "socket.io#/#deck#"],
        ),
        (RoomChannels::None, &[]),
    ] {
        let mut broker = Broker::new(sharded(rooms));
        let before = broker.subscriptions();
        for name in [room, own, room] {
            broker.room(Side::Left, name, Presence::Came);
        }
        let mut all = [
            before.clone(),
            expected.iter().map(|name| (*name).into()).collect(),
        ]
        .concat();
        all.sort_unstable();
        assert_eq!(broker.subscriptions(), all, "once each");
        broker.cut();
        broker.mend();
        assert_eq!(broker.subscriptions(), all, "subscribed to again");
        for wish in [emit(&[room], "1", &[]), emit(&[own], "2", &[])] {
            broker.say(Side::Right, wish.clone());
            assert_eq!(broker.heard(Side::Left), [json(&wish)]);
        }
        broker.room(Side::Left, room, Presence::Went);
        broker.room(Side::Left, own, Presence::Went);
        broker.room(Side::Left, "never there", Presence::Went);
        assert_eq!(broker.subscriptions(), before);
        broker.say(Side::Right, emit(&[room], "1", &[]));
        let is_heard = !broker.heard(Side::Left).is_empty();
        assert_eq!(is_heard, rooms == RoomChannels::None, "{rooms:?}");
    }
}

#[test]
fn a_room_that_is_called_as_another_namespace_takes_nothing_from_it() {
    let mut broker = Broker::new(sharded(RoomChannels::Public));
    broker.presence(Side::Left, "/a", Presence::Came);
    let before = broker.subscriptions();
    broker.presence(Side::Left, "/a#b", Presence::Came);
    broker.room_of(Side::Left, "/a", "b", Presence::Came);
    let hello = Wish::ServerSide {
        namespace: "/a#b".into(),
        event: "hello".into(),
        values: Values::default(),
        request: None,
    };
    broker.say(Side::Right, hello.clone());
    assert_eq!(broker.heard(Side::Left), [json(&hello)]);
    broker.room_of(Side::Left, "/a", "b", Presence::Went);
    broker.say(Side::Right, hello.clone());
    assert_eq!(broker.heard(Side::Left), [json(&hello)]);
    broker.presence(Side::Left, "/a#b", Presence::Went);
    assert_eq!(broker.subscriptions(), before);
}

#[test]
fn more_rooms_than_redis_may_owe_at_once_are_subscribed_to_bit_by_bit() {
    let mut broker = Broker::with(config::Cluster {
        wire: sharded(RoomChannels::Public),
        waiting_bytes_max: 1000,
        ..config::Cluster::default()
    });
    let before = broker.subscriptions().len();
    for number in 0..500 {
        broker.room_later(Side::Left, &format!("room {number}"), Presence::Came);
    }
    broker.turn();
    assert_eq!(broker.subscriptions().len(), before + 500);
    broker.cut();
    broker.mend();
    assert_eq!(broker.subscriptions().len(), before + 500);
    assert_eq!(broker.status(Side::Left).state, CarrierState::Joined);
    assert_eq!(broker.status(Side::Left).joined, 2);
}

#[test]
fn channels_begin_as_they_are_told_to() {
    let prefix = "our house".to_owned();
    let mut broker = Broker::with(config::Cluster {
        prefix,
        ..config::Cluster::default()
    });
    assert!(
        broker
            .subscriptions()
            .iter()
            .all(|name| name.starts_with("our house"))
    );
    broker.say(Side::Left, emit(&[], "1", &[]));
    assert_eq!(broker.heard(Side::Right).len(), 1);
}

#[test]
fn a_message_that_is_too_large_is_passed_over() {
    let mut broker = Broker::with(config::Cluster {
        message_bytes_max: 1000,
        ..config::Cluster::default()
    });
    broker.say(
        Side::Left,
        emit(&[], &format!("\"{}\"", "x".repeat(1000)), &[]),
    );
    broker.say(Side::Left, emit(&[], "1", &[]));
    assert_eq!(broker.heard(Side::Right), [json(&emit(&[], "1", &[]))]);
    assert_eq!(broker.status(Side::Right).ignored, 1);
}

#[test]
fn one_question_too_many_is_not_answered() {
    let mut broker = Broker::with(config::Cluster {
        foreign_questions_max: 2,
        foreign_question_within: SECOND,
        ..config::Cluster::default()
    });
    for number in 0..3 {
        let request = Request { node: 7, number };
        broker.say(
            Side::Left,
            Wish::Fetch {
                to: whom(&[], &[]),
                request,
            },
        );
    }
    assert_eq!(broker.heard(Side::Right).len(), 2);
    assert_eq!(broker.status(Side::Right).ignored, 1);
    broker.wait(2000);
    let request = Request { node: 7, number: 3 };
    broker.say(
        Side::Left,
        Wish::Fetch {
            to: whom(&[], &[]),
            request,
        },
    );
    assert_eq!(broker.heard(Side::Right).len(), 1, "old ones make room");
}

#[test]
fn nodes_are_counted_every_now_and_then_and_so_a_silent_redis_is_found_out() {
    let config = config::Cluster::default();
    let mut broker = Broker::new(config::Wire::default());
    assert_eq!(broker.status(Side::Left).other_nodes, 1);
    broker.stop(Side::Right);
    let every = u64::try_from(config.count_every.as_millis()).unwrap();
    broker.wait(every);
    assert_eq!(broker.status(Side::Left).other_nodes, 0);
    broker.hold();
    broker.wait(every);
    assert_eq!(
        broker.status(Side::Left).state,
        CarrierState::Joined,
        "it may be slow"
    );
    let within = u64::try_from(config.confirmed_within.as_millis()).unwrap();
    broker.wait(within);
    assert_eq!(broker.status(Side::Left).state, CarrierState::Degraded);
}

#[test]
fn what_older_nodes_ask_of_one_socket_is_done_by_who_has_it() {
    let mut broker = Broker::new(config::Wire::default());
    let sid = broker::HERE;
    for (request, expected) in [
        (
            format!("{{\"type\":2,\"requestId\":\"r\",\"sid\":\"{sid}\",\"room\":\"a\"}}"),
            Wish::Join {
                to: whom(&[sid], &[]),
                rooms: vec!["a".into()],
            },
        ),
        (
            format!("{{\"type\":3,\"requestId\":\"r\",\"sid\":\"{sid}\",\"room\":7}}"),
            Wish::Leave {
                to: whom(&[sid], &[]),
                rooms: vec!["7".into()],
            },
        ),
        (
            format!("{{\"type\":4,\"requestId\":\"r\",\"sid\":\"{sid}\",\"close\":true}}"),
            Wish::Disconnect {
                to: whom(&[sid], &[]),
                closes: true,
            },
        ),
    ] {
        broker.publish("socket.io-request#/#", request.as_bytes());
        assert_eq!(broker.heard(Side::Left), [json(&expected)]);
        assert_eq!(
            broker.last_on("socket.io-response#/#"),
            b"{\"requestId\":\"r\"}"
        );
        broker.heard(Side::Right);
    }
    broker.publish(
        "socket.io-request#/#",
        b"{\"type\":2,\"requestId\":\"r\",\"sid\":\"elsewhere\",\"room\":\"a\"}",
    );
    assert_eq!(broker.heard(Side::Left), Vec::<String>::new());
}
