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
mod sharded;
mod store;
mod streams;
use broker::{Broker, Side};

const SECOND: Duration = Duration::from_secs(1);

pub(super) const fn now(millis: u64) -> Now {
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

fn wires() -> [config::Wire; 7] {
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
        streams(false),
        streams(true),
    ]
}

const fn sharded(rooms: RoomChannels) -> config::Wire {
    config::Wire::Sharded { rooms }
}

const fn streams(sharded_channels: bool) -> config::Wire {
    config::Wire::Streams { sharded_channels }
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
