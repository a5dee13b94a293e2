//! rust_socketio against a real server, over every transport.
//!
//! Nothing here waits for a time to pass: each wait is for an event, and its deadline only says when to stop hoping.
//! Left out, since the client (0.6) cannot: acknowledging an event, bytes beside other values or with an
//! acknowledgement, no bytes over a WebSocket, events without a value, several namespaces over one connection.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use roomcast_tests_clients_rust::Server;
use rust_socketio::client::Client;
use rust_socketio::{ClientBuilder, Event, Payload, TransportType};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(10);

/// What a client was told, in the order it came.
type Told = (String, Payload);

/// A client and what it heard.
///
/// It is never told to disconnect: its thread would go on for ever, asking a closed line without a pause. Left alone, it
/// waits a minute before it looks for the server again, and by then the tests are over.
struct Guest {
    client: Client,
    told: Receiver<Told>,
}

/// How a client is made.
struct Manner {
    way: TransportType,
    namespace: &'static str,
    auth: Value,
    reconnect_ms: u64,
}

impl Manner {
    fn of(way: TransportType) -> Self {
        Self {
            way,
            namespace: "/",
            auth: json!({}),
            reconnect_ms: 60_000,
        }
    }

    fn in_namespace(self, namespace: &'static str) -> Self {
        Self { namespace, ..self }
    }

    fn with_auth(self, auth: Value) -> Self {
        Self { auth, ..self }
    }

    /// Called, but not yet let in or refused.
    fn knock(self, server: &Server) -> Guest {
        let (sender, told) = channel();
        let tell = |sender: &Sender<Told>, name: &str, payload| {
            // Nobody listens any more when a test has ended before its client.
            drop(sender.send((name.to_owned(), payload)));
        };
        let (connects, closes, errors) = (sender.clone(), sender.clone(), sender.clone());
        let client = ClientBuilder::new(server.url())
            .transport_type(self.way)
            .namespace(self.namespace)
            .auth(self.auth)
            .reconnect_on_disconnect(true)
            .reconnect_delay(self.reconnect_ms, self.reconnect_ms)
            .on(Event::Connect, move |payload, _| {
                tell(&connects, "connect", payload)
            })
            .on(Event::Close, move |payload, _| {
                tell(&closes, "close", payload)
            })
            .on(Event::Error, move |payload, _| {
                tell(&errors, "error", payload)
            })
            .on_any(move |event, payload, _| tell(&sender, event.as_str(), payload))
            .connect()
            .expect("there is a server");
        Guest { client, told }
    }

    fn enter(self, server: &Server) -> Guest {
        let guest = self.knock(server);
        guest.hears("connect");
        guest
    }
}

impl Guest {
    /// The next thing it is told, which must have this name.
    fn hears(&self, name: &str) -> Payload {
        let (event, payload) = self.told.recv_timeout(WITHIN).expect(name);
        // The client takes what stands beside the bytes of an event for a part of its name, such as the offset by which
        // a server can recover connections.
        assert_eq!(event.split(',').next(), Some(name), "{payload:?}");
        payload
    }

    /// The next event's values; after those that were said a server that can recover connections adds its offset.
    #[track_caller]
    fn hears_values(&self, name: &str, said: &[Value]) {
        let Payload::Text(values) = self.hears(name) else {
            panic!("{name} came with bytes");
        };
        assert_eq!(&values[..said.len()], said);
    }

    #[track_caller]
    fn hears_bytes(&self, name: &str, said: &[u8]) {
        let Payload::Binary(bytes) = self.hears(name) else {
            panic!("{name} came without bytes");
        };
        assert_eq!(bytes, said);
    }

    fn says(&self, event: &str, payload: impl Into<Payload>) {
        self.client.emit(event, payload).expect("connected");
    }

    /// The acknowledgement of an event.
    fn asks(&self, event: &str, values: Vec<Value>) -> Payload {
        let (sender, answer) = channel();
        let answered = move |payload, _| drop(sender.send(payload));
        self.client
            .emit_with_ack(event, values, WITHIN, answered)
            .expect("connected");
        answer.recv_timeout(WITHIN).expect(event)
    }

    /// The values of the acknowledgement of an event.
    fn asks_for_values(&self, event: &str, values: Vec<Value>) -> Value {
        match self.asks(event, values) {
            Payload::Text(mut values) => values.remove(0),
            other => panic!("{event} was answered with {other:?}"),
        }
    }
}

macro_rules! over_every_transport {
    ($($scenario:ident)*) => {
        mod over_polling {
            $(#[test] fn $scenario() { super::$scenario(super::TransportType::Polling); })*
        }
        mod over_websocket {
            $(#[test] fn $scenario() { super::$scenario(super::TransportType::Websocket); })*
        }
        mod over_upgrade {
            $(#[test] fn $scenario() { super::$scenario(super::TransportType::WebsocketUpgrade); })*
        }
    };
}

over_every_transport! {
    the_server_knows_the_socket
    events_keep_their_values_and_their_order
    bytes_go_there_and_back
    the_server_acknowledges_with_values_and_with_bytes
    a_broadcast_reaches_the_room_and_nobody_else
    a_namespace_is_joined_and_one_that_is_not_there_refused
    who_may_not_come_in_learns_why_and_who_may_is_let_in
    the_server_ends_a_namespace
    a_server_that_died_is_found_again
}

fn the_server_knows_the_socket(way: TransportType) {
    let server = Server::start();
    let guest = Manner::of(way.clone()).enter(&server);
    let state = guest.asks_for_values("state", vec![]);
    let transport = match way {
        TransportType::Polling => "polling",
        _ => "websocket",
    };
    assert_eq!(state[0]["transport"], transport);
    assert_eq!(state[0]["id"].as_str().map(str::len), Some(20));
}

fn events_keep_their_values_and_their_order(way: TransportType) {
    let server = Server::start();
    let guest = Manner::of(way).enter(&server);
    let all = vec![
        json!(null),
        json!(true),
        json!(-1.5),
        json!("てすと 🚢 \u{0}\""),
        json!([1, [2]]),
        json!({"a": {"b": []}}),
    ];
    for said in [all, vec![json!("last")]] {
        guest.says("echo-event", said.clone());
        guest.hears_values("echo-event", &said);
    }
    for number in 0..100 {
        guest.says("echo-event", vec![json!(number)]);
    }
    for number in 0..100 {
        guest.hears_values("echo-event", &[json!(number)]);
    }
}

fn bytes_go_there_and_back(way: TransportType) {
    let server = Server::start();
    let guest = Manner::of(way.clone()).enter(&server);
    let mut bytes: Vec<u8> = (0..=255).collect();
    if way != TransportType::Polling {
        // The client looks for several packets in what comes over a WebSocket, and cuts bytes at the separator.
        bytes.retain(|byte| *byte != 0x1e);
    }
    for said in [bytes.clone(), bytes.repeat(1000)] {
        guest.says("echo-event", said.clone());
        guest.hears_bytes("echo-event", &said);
    }
}

fn the_server_acknowledges_with_values_and_with_bytes(way: TransportType) {
    let server = Server::start();
    let guest = Manner::of(way).enter(&server);
    let said = vec![json!(1), json!({"two": [2]}), json!("3")];
    assert_eq!(
        guest.asks_for_values("echo", said.clone()),
        Value::Array(said)
    );
    let wanted = 700_000;
    let text = guest.asks_for_values("big", vec![json!("text"), json!(wanted)]);
    assert_eq!(text, json!(["a".repeat(wanted)]));
    let Payload::Binary(bytes) = guest.asks("big", vec![json!("binary"), json!(wanted)]) else {
        panic!("no bytes");
    };
    assert_eq!(bytes, vec![b'a'; wanted]);
}

fn a_broadcast_reaches_the_room_and_nobody_else(way: TransportType) {
    let server = Server::start();
    let [speaker, member, stranger] = [(); 3].map(|()| Manner::of(way.clone()).enter(&server));
    member.asks("join", vec![json!("deck")]);
    let id = member.asks_for_values("getId", vec![]);
    speaker.asks(
        "to",
        vec![
            json!({"rooms": ["deck"]}),
            json!("news"),
            json!("to the room"),
        ],
    );
    speaker.asks(
        "to",
        vec![json!({"rooms": [id[0]]}), json!("news"), json!("to you")],
    );
    member.hears_values("news", &[json!("to the room")]);
    member.hears_values("news", &[json!("to you")]);
    stranger.says("echo-event", vec![json!("nothing came before this")]);
    stranger.hears("echo-event");
}

fn a_namespace_is_joined_and_one_that_is_not_there_refused(way: TransportType) {
    let server = Server::start();
    let guest = Manner::of(way.clone()).in_namespace("/foo").enter(&server);
    let state = guest.asks_for_values("state", vec![]);
    assert_eq!(state[0]["nsp"], "/foo");
    let lost = Manner::of(way).in_namespace("/nowhere").knock(&server);
    let why = format!("{:?}", lost.hears("error"));
    assert!(why.contains("Invalid namespace"), "{why}");
}

fn who_may_not_come_in_learns_why_and_who_may_is_let_in(way: TransportType) {
    let server = Server::start();
    let manner = || Manner::of(way.clone()).in_namespace("/auth");
    let refused = manner().with_auth(json!({"token": "guess"})).knock(&server);
    let why = format!("{:?}", refused.hears("error"));
    assert!(
        why.contains("not authorized") && why.contains("401"),
        "{why}"
    );
    let auth = json!({"token": "secret", "user": "bo"});
    let member = manner().with_auth(auth).enter(&server);
    member.hears_values("welcome", &[json!({"user": "bo", "second": true})]);
}

fn the_server_ends_a_namespace(way: TransportType) {
    let server = Server::start();
    let guest = Manner::of(way).enter(&server);
    guest.says("disconnect-me", vec![json!(false)]);
    guest.hears("close");
}

fn a_server_that_died_is_found_again(way: TransportType) {
    let mut server = Server::start();
    let manner = Manner {
        reconnect_ms: 50,
        ..Manner::of(way)
    };
    let guest = manner.enter(&server);
    server.kill();
    guest.hears("error");
    guest.hears("close");
    server.start_again();
    guest.hears("connect");
    let answer = guest.asks_for_values("echo", vec![json!("again")]);
    assert_eq!(answer, json!(["again"]));
}
