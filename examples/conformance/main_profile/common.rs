//! What every namespace of MAIN can do: questions about a socket, echoes, acknowledgements, rooms, broadcasts, ends.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use roomcast::server::{Gathered, GatheredAnswer, Operator, Recovered};
use roomcast::socketio::SocketId;
use roomcast::socketio::args::{Args, Binary};
use roomcast::{Ack, Verdict};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Left, Main, Namespace, Socket};
use crate::any::Any;

/// Whom a broadcast is for, as clients of the checks say it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Whom {
    rooms: Names,
    except: Names,
    #[serde(rename = "self")]
    with_sender: bool,
    volatile: bool,
    /// For answers, in milliseconds.
    timeout: Option<u64>,
}

/// One name or a list of them.
#[derive(Default)]
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |any: Any| match any {
            Any::String(name) => Some(name),
            Any::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Ok(Self(match Any::deserialize(deserializer)? {
            Any::Array(names) => names.into_iter().filter_map(text).collect(),
            name => text(name).into_iter().collect(),
        }))
    }
}

impl Whom {
    /// The others or all, narrowed down to these.
    fn of<'o>(&'o self, socket: &'o mut Socket<'_>) -> Operator<'o, Main> {
        let operator = if self.with_sender {
            socket.everyone()
        } else {
            socket.broadcast()
        };
        self.narrow(operator)
    }

    fn narrow<'o>(&'o self, mut operator: Operator<'o, Main>) -> Operator<'o, Main> {
        for room in &self.rooms.0 {
            operator = operator.to(room);
        }
        for room in &self.except.0 {
            operator = operator.except(room);
        }
        if self.volatile {
            operator = operator.volatile();
        }
        operator
    }
}

/// Arguments that outlive the event they came with.
struct Kept {
    list: String,
    attachments: Vec<Bytes>,
}

impl Kept {
    fn of(args: Args<'_>) -> Self {
        Self {
            list: args.raw().to_owned(),
            attachments: args.attachments().to_vec(),
        }
    }

    fn args(&self) -> Args<'_> {
        Args::new(&self.list, &self.attachments)
    }
}

pub(super) fn events(namespace: Namespace<'_>) -> Namespace<'_> {
    let namespace = namespace.authorize(|socket, auth: Value| {
        socket.data_mut().auth = auth;
        Verdict::Accept
    });
    ends(broadcasts(rooms(acks(echoes(questions(namespace))))))
}

fn questions(namespace: Namespace<'_>) -> Namespace<'_> {
    namespace
        .on("getId", |socket, (): (), ack| {
            let id = socket.id();
            ack.send(&mut socket.io, &id.as_str());
        })
        .on("getHandshake", |socket, (): (), ack| {
            let handshake = handshake(socket);
            ack.send(&mut socket.io, &handshake);
        })
        .on("state", |socket, (): (), ack| {
            let state = json!({
                "id": socket.id().as_str(),
                "nsp": socket.namespace(),
                "recovered": socket.recovered() == Recovered::Yes,
                "connected": socket.is_connected(),
                "transport": socket.transport().map(|transport| transport.as_str()),
                "protocol": 4,
                "rooms": rooms_of(socket),
                "data": socket.data().shown,
            });
            ack.send(&mut socket.io, &state);
        })
        .on("set-data", |socket, (key, value): (String, Value), ack| {
            socket.data_mut().shown.insert(key, value);
            ack.send(&mut socket.io, &());
        })
        .on("counts", |socket, (): (), ack| {
            let counts = json!({
                "engine": socket.io.session_count(),
                "sockets": socket.everyone().count(),
            });
            ack.send(&mut socket.io, &counts);
        })
}

/// What Node's server shows of the request that opened the connection.
pub(super) fn handshake(socket: &Socket<'_>) -> Value {
    let Some(handshake) = socket.handshake() else {
        return Value::Null;
    };
    let mut headers = BTreeMap::new();
    if let Some(request) = handshake.request() {
        for (name, value) in request.headers() {
            let value = String::from_utf8_lossy(value).into_owned();
            headers.insert(name.to_ascii_lowercase(), value);
        }
    }
    let query: BTreeMap<_, _> = handshake.query().collect();
    json!({
        "xdomain": headers.contains_key("origin"),
        "headers": headers,
        "time": roomcast::http::date(handshake.issued()),
        "address": handshake.address().map(|address| address.to_string()),
        "secure": false,
        "issued": handshake.issued().0,
        "url": handshake.url(),
        "query": query,
        "auth": socket.data().auth,
    })
}

fn echoes(namespace: Namespace<'_>) -> Namespace<'_> {
    namespace
        .on_raw("echo", |socket, args: Args<'_>, ack| {
            ack.send(&mut socket.io, &args);
        })
        .on_raw("echo-event", |socket, args: Args<'_>, _ack| {
            socket.emit("echo-event", &args);
        })
        .on_raw("message", |socket, args: Args<'_>, _ack| {
            socket.emit("message-back", &args);
        })
        .on_raw("message-with-ack", |socket, args: Args<'_>, ack| {
            ack.send(&mut socket.io, &args);
        })
        .on_raw("types", |socket, args: Args<'_>, ack| {
            let types: Vec<_> = values(args).iter().map(Any::type_name).collect();
            ack.send(&mut socket.io, &types);
        })
        .on("size", |socket, (value,): (Any,), ack| {
            let bytes = match &value {
                Any::String(text) => text.len(),
                Any::Binary(bytes) => bytes.len(),
                other => serde_json::to_string(other).map_or(0, |json| json.len()),
            };
            ack.send(&mut socket.io, &bytes);
        })
        .on("big", |socket, (kind, count): (String, usize), ack| {
            let bytes = vec![b'a'; count];
            if kind == "binary" {
                ack.send(&mut socket.io, &Binary(bytes.into()));
            } else {
                ack.send(&mut socket.io, &String::from_utf8_lossy(&bytes));
            }
        })
}

pub(super) fn values(args: Args<'_>) -> Vec<Any> {
    let parse = |value| Args::new(value, args.attachments()).parse::<(Any,)>();
    args.iter()
        .map(|value| parse(value).map_or(Any::Null, |(value,)| value))
        .collect()
}

fn acks(namespace: Namespace<'_>) -> Namespace<'_> {
    namespace
        .on("no-ack", |_, (): (), _ack| {})
        // An acknowledgement is used up by its first `send`: the compiler sees to the rest of this check.
        .on("double-ack", |socket, (): (), ack| {
            ack.send(&mut socket.io, &"first");
        })
        .on_raw("server-ack", |socket, args: Args<'_>, ack| {
            let Ok((milliseconds, event)) = args.parse::<(u64, String)>() else {
                return;
            };
            let within = Duration::from_millis(milliseconds);
            socket.emit_with_raw_ack(&event, &args.skip(2), within, move |socket, answer| {
                match answer {
                    Ok(answer) => {
                        let answer = BTreeMap::from([("values", values(answer))]);
                        ack.send(&mut socket.io, &answer);
                    }
                    Err(error) => {
                        ack.send(&mut socket.io, &json!({ "error": error.to_string() }));
                    }
                }
            });
        })
        .on("emit-reserved", |socket, (name,): (String,), ack| {
            let error = socket.try_emit(&name, &()).err();
            ack.send(&mut socket.io, &error.map(|error| error.to_string()));
        })
}

fn rooms(namespace: Namespace<'_>) -> Namespace<'_> {
    namespace
        .on("join", |socket, (rooms,): (Names,), ack| {
            for room in &rooms.0 {
                socket.join(room);
            }
            answer_rooms(socket, ack);
        })
        .on("leave", |socket, (room,): (String,), ack| {
            socket.leave(&room);
            answer_rooms(socket, ack);
        })
        .on("rooms", |socket, (): (), ack| answer_rooms(socket, ack))
        .on("fetch-sockets", |socket, (whom,): (Option<Whom>,), ack| {
            let whom = whom.unwrap_or_default();
            let mut ids = whom.narrow(socket.everyone()).ids();
            ids.sort_unstable();
            let found: Vec<_> = ids
                .into_iter()
                .filter_map(|id| {
                    let mut context = socket.context();
                    let other = context.socket(id)?;
                    let (rooms, data) = (rooms_of(&other), &other.data().shown);
                    Some(json!({ "id": id.as_str(), "rooms": rooms, "data": data }))
                })
                .collect();
            ack.send(&mut socket.io, &found);
        })
        .on(
            "sockets-join",
            |socket, (whom, rooms): (Option<Whom>, Names), ack| {
                let whom = whom.unwrap_or_default();
                for room in &rooms.0 {
                    whom.narrow(socket.everyone()).join(room);
                }
                ack.send(&mut socket.io, &());
            },
        )
        .on(
            "sockets-leave",
            |socket, (whom, rooms): (Option<Whom>, Names), ack| {
                let whom = whom.unwrap_or_default();
                for room in &rooms.0 {
                    whom.narrow(socket.everyone()).leave(room);
                }
                ack.send(&mut socket.io, &());
            },
        )
}

fn rooms_of(socket: &Socket<'_>) -> Vec<String> {
    let own = socket.id();
    let mut rooms = socket.rooms();
    rooms.retain(|room| room != own.as_str());
    rooms.sort_unstable();
    rooms
}

fn answer_rooms(socket: &mut Socket<'_>, ack: Ack) {
    let rooms = rooms_of(socket);
    ack.send(&mut socket.io, &rooms);
}

#[derive(Deserialize)]
struct Later {
    target: String,
    #[serde(default)]
    except: Names,
    #[serde(default)]
    volatile: bool,
    ms: u64,
}

fn broadcasts(namespace: Namespace<'_>) -> Namespace<'_> {
    namespace
        .on_raw("broadcast", |socket, args: Args<'_>, ack| {
            let Ok((event,)) = args.parse::<(String,)>() else {
                return;
            };
            socket.broadcast().emit(&event, &args.skip(1));
            ack.send(&mut socket.io, &());
        })
        .on_raw("to", |socket, args: Args<'_>, ack| {
            let Ok((whom, event)) = args.parse::<(Option<Whom>, String)>() else {
                return;
            };
            let whom = whom.unwrap_or_default();
            whom.of(socket).emit(&event, &args.skip(2));
            ack.send(&mut socket.io, &());
        })
        .on_raw("to-with-ack", |socket, args: Args<'_>, ack| {
            let Ok((whom, event)) = args.parse::<(Option<Whom>, String)>() else {
                return;
            };
            let whom = whom.unwrap_or_default();
            let within = Duration::from_millis(whom.timeout.unwrap_or(1000));
            let sockets = whom.of(socket);
            sockets.emit_with_acks(&event, &args.skip(2), within, move |context, gathered| {
                ack.send(&mut context.io, &outcome(&gathered));
            });
        })
        .on(
            "volatile-after-regular",
            |socket, (event, count): (String, u32), _ack| {
                socket.emit(&event, &"regular");
                for index in 0..count {
                    socket.emit_volatile(&event, &index);
                }
            },
        )
        .on_raw("volatile-later", |socket, args: Args<'_>, _ack| {
            let Ok((milliseconds, event)) = args.parse::<(u64, String)>() else {
                return;
            };
            let (id, kept) = (socket.id(), Kept::of(args.skip(2)));
            let delay = Duration::from_millis(milliseconds);
            socket
                .io
                .after(delay, move |context| {
                    if let Some(mut socket) = context.socket(id) {
                        socket.emit_volatile(&event, &kept.args());
                    }
                })
                .expect("there is room");
        })
        .on_raw("later", |socket, args: Args<'_>, _ack| {
            let Ok((later, event)) = args.parse::<(Later, String)>() else {
                return;
            };
            emit_later(socket, later, event, Kept::of(args.skip(2)));
        })
}

/// The answers to a broadcast as Node shows them: of each the first value, and an error if some are missing.
fn outcome(gathered: &Gathered) -> BTreeMap<&'static str, Any> {
    let first = |answer: &GatheredAnswer| values(answer.args()).into_iter().next();
    let responses = gathered.answers.iter().filter_map(first).collect();
    let error = if gathered.is_complete() {
        Any::Null
    } else {
        Any::String("operation has timed out".into())
    };
    BTreeMap::from([("error", error), ("responses", Any::Array(responses))])
}

fn emit_later(socket: &mut Socket<'_>, later: Later, event: String, kept: Kept) {
    let (id, namespace) = (socket.id(), socket.namespace().to_owned());
    let delay = Duration::from_millis(later.ms);
    socket
        .io
        .after(delay, move |context| {
            let io = &mut context.io;
            if later.target == "socket" {
                return io.emit_to(id, &event, &kept.args());
            }
            let is_for_all = later.target == "all";
            let whom = Whom {
                rooms: Names(if is_for_all {
                    Vec::new()
                } else {
                    vec![later.target]
                }),
                except: later.except,
                volatile: later.volatile,
                with_sender: true,
                timeout: None,
            };
            whom.narrow(io.of(&namespace)).emit(&event, &kept.args());
        })
        .expect("there is room");
}

fn ends(namespace: Namespace<'_>) -> Namespace<'_> {
    namespace
        .on_disconnecting(|socket, _| socket.data_mut().rooms = rooms_of(socket))
        .on_disconnect(|socket, reason| {
            let left = Left {
                reason: reason.as_str(),
                nsp: socket.namespace().to_owned(),
                rooms: std::mem::take(&mut socket.data_mut().rooms),
                rooms_after: socket.rooms().len(),
            };
            let id = socket.id();
            socket.app.left.insert(id, left);
        })
        .on("last-disconnect", |socket, (id,): (String,), ack| {
            let left = SocketId::parse(&id).and_then(|id| socket.app.left.get(&id).cloned());
            ack.send(&mut socket.io, &left);
        })
        .on(
            "disconnect-me",
            |socket, (close,): (Option<bool>,), _ack| {
                disconnect(socket, close);
            },
        )
        .on(
            "bye-then-disconnect",
            |socket, (close,): (Option<bool>,), _ack| {
                socket.emit("bye", &());
                disconnect(socket, close);
            },
        )
        .on(
            "join-after-disconnect",
            |socket, (room,): (String,), _ack| {
                socket.disconnect();
                socket.join(&room);
            },
        )
        .on("close-engine", |socket, (): (), _ack| {
            socket.close_connection();
        })
        .on(
            "disconnect-sockets",
            |socket, (whom, close): (Option<Whom>, Option<bool>), _ack| {
                let whom = whom.unwrap_or_default();
                let sockets = whom.narrow(socket.everyone());
                match close {
                    Some(true) => sockets.disconnect_connections(),
                    _ => sockets.disconnect(),
                }
            },
        )
}

fn disconnect(socket: &mut Socket<'_>, close: Option<bool>) {
    match close {
        Some(true) => socket.disconnect_connection(),
        _ => socket.disconnect(),
    }
}
