//! Sharded channels: those of rooms, and what strangers say by them.

use super::*;

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
