//! One node of a cluster over Redis, whose clients say what it is to do with the sockets of all nodes. The tests put it beside
//! servers of Node.js that do the same (`tests/cluster`).
//!
//! ```text
//! cluster_node 127.0.0.1:3000 redis://127.0.0.1:6379 classic        # and "impatient", with limits for tests, or "authorities=ca.pem"
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000", { auth: { name: "ada" } });
//! await socket.emitWithAck("join", "kitchen");
//! await socket.emitWithAck("emit", { rooms: ["kitchen"] }, "said", "tea is ready");
//! const { sockets } = await socket.emitWithAck("fetch", {});
//! ```

use std::error::Error;
use std::time::Duration;

use roomcast::cluster::Redis;
use roomcast::http::{Method, Response};
use roomcast::server::{
    Gathered, GatheredAnswer, NodeAck, NodeAnswers, Operator, Recovered, RemoteSocket,
};
use roomcast::socketio::args::{Args, Binary};
use roomcast::{Ack, App, Config, Context, Server, Socket, Verdict, config};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What other nodes have said to this one.
#[derive(Default)]
struct Node {
    said: Vec<Value>,
}

#[derive(Default, Serialize, Deserialize)]
struct Guest {
    name: String,
}

impl App for Node {
    type Data = Guest;
}

#[derive(Deserialize)]
struct Auth {
    name: Option<String>,
}

/// Whom something is for.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Opts {
    rooms: Vec<String>,
    except: Vec<String>,
    broadcast: bool,
    local: bool,
    volatile: bool,
    plain: bool,
}

impl Opts {
    fn aim<'a>(&'a self, socket: &'a mut Socket<'_, Node>) -> Operator<'a, Node> {
        let mut operator = match self.broadcast {
            true => socket.broadcast(),
            false => socket.everyone(),
        };
        for room in &self.rooms {
            operator = operator.to(room);
        }
        for room in &self.except {
            operator = operator.except(room);
        }
        if self.local {
            operator = operator.local();
        }
        if self.volatile {
            operator = operator.volatile();
        }
        operator.compress(!self.plain)
    }
}

type SocketOf<'a, 'b> = &'a mut Socket<'b, Node>;

fn describe(server: &mut Server<Node>, namespace: &str) {
    let name = namespace.to_owned();
    let namespace_of_events = move || name.clone();
    let server_side = namespace_of_events.clone();
    server
        .of(namespace)
        .authorize(|socket, auth: Option<Auth>| {
            if socket.recovered() != Recovered::Yes {
                socket.data_mut().name = auth.and_then(|auth| auth.name).unwrap_or_default();
            }
            Verdict::Accept
        })
        .on("join", |socket, (room,): (String,), ack| {
            socket.join(&room);
            ack.send(&mut socket.io, &());
        })
        .on("leave", |socket, (room,): (String,), ack| {
            socket.leave(&room);
            ack.send(&mut socket.io, &());
        })
        .on_raw("emit", emit)
        .on(
            "sockets join",
            |socket, (opts, rooms): (Opts, Vec<String>), ack| {
                opts.aim(socket).join_each(&rooms);
                ack.send(&mut socket.io, &());
            },
        )
        .on(
            "sockets leave",
            |socket, (opts, rooms): (Opts, Vec<String>), ack| {
                opts.aim(socket).leave_each(&rooms);
                ack.send(&mut socket.io, &());
            },
        )
        .on(
            "sockets disconnect",
            |socket, (opts, close): (Opts, bool), ack| {
                match close {
                    true => opts.aim(socket).disconnect_connections(),
                    false => opts.aim(socket).disconnect(),
                }
                ack.send(&mut socket.io, &());
            },
        )
        .on("fetch", fetch)
        .on_raw("ask", ask)
        .on(
            "server side",
            move |socket, (event, value): (String, Value), ack| {
                let namespace = namespace_of_events();
                let said = socket.io.server_side_emit(&namespace, &event, &(value,));
                ack.send(&mut socket.io, &said.is_ok());
            },
        )
        .on("server side ack", move |socket, (value,): (Value,), ack| {
            let then = move |context: &mut Context<'_, Node>, answers: NodeAnswers| {
                let mut values: Vec<Value> = Vec::new();
                for answer in &answers.answers {
                    values.extend(answer.parse::<(Value,)>().map(|(value,)| value));
                }
                let reply = json!({ "answers": values, "missing": answers.nodes_missing });
                ack.send(&mut context.io, &reply);
            };
            let (namespace, within) = (server_side(), Duration::from_secs(5));
            let asked =
                socket
                    .io
                    .server_side_emit_with_acks(&namespace, "double", &(value,), within, then);
            asked.expect("the name is free");
        })
        .on("said", |socket, (): (), ack| {
            let said = std::mem::take(&mut socket.app.said);
            ack.send(&mut socket.io, &(said,));
        })
        .on("recovered", |socket, (): (), ack| {
            let is_recovered = socket.recovered() == Recovered::Yes;
            ack.send(&mut socket.io, &is_recovered);
        })
        .on("rooms", |socket, (): (), ack| {
            let rooms: Vec<String> = socket.rooms().iter().map(ToString::to_string).collect();
            ack.send(&mut socket.io, &(rooms,));
        })
        .on("data", |socket, (): (), ack| {
            let data = json!({ "name": socket.data().name });
            ack.send(&mut socket.io, &data);
        })
        .on("other nodes", |socket, (): (), ack| {
            let count = socket.io.other_nodes();
            ack.send(&mut socket.io, &count);
        })
        .on_raw("echo", |socket, args: Args<'_>, ack| {
            ack.send(&mut socket.io, &args)
        })
        .on_server_side("hello", |context, (value,): (Value,), _ack: NodeAck| {
            context.app.said.push(value);
        })
        .on_server_side("double", |context, (value,): (i64,), ack: NodeAck| {
            ack.send(&mut context.io, &(value * 2));
        });
}

fn emit(socket: SocketOf<'_, '_>, args: Args<'_>, ack: Ack) {
    let (opts, event): (Opts, String) = args.parse().expect("whom, and an event");
    // The attachments are all there: those of what follows go by their numbers.
    opts.aim(socket).emit(&event, &args.skip(2));
    ack.send(&mut socket.io, &());
}

fn fetch(socket: SocketOf<'_, '_>, (opts,): (Opts,), ack: Ack) {
    let within = Duration::from_secs(5);
    opts.aim(socket).fetch_sockets(within, move |context, fetched| {
        let one = |socket: &RemoteSocket| {
            let handshake = socket.handshake.as_ref();
            json!({
                "id": socket.id,
                "rooms": socket.rooms,
                "data": socket.data::<Value>().expect("data is JSON"),
                "query": handshake.and_then(|h| h.query_value("who").map(|who| who.into_owned())),
                "agent": handshake.and_then(|h| h.header("user-agent")),
                "address": handshake.and_then(|h| h.address()),
            })
        };
        let sockets: Vec<Value> = fetched.sockets.iter().map(one).collect();
        let reply = json!({ "sockets": sockets, "missing": fetched.nodes_missing });
        ack.send(&mut context.io, &reply);
    });
}

/// What a client may answer.
#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Bytes(Binary),
    Value(Option<Value>),
}

#[derive(Serialize)]
struct Answers {
    answers: Vec<Said>,
    complete: bool,
}

fn ask(socket: SocketOf<'_, '_>, args: Args<'_>, ack: Ack) {
    let (opts, millis, event): (Opts, u64, String) = args.parse().expect("whom, how long, what");
    let within = Duration::from_millis(millis);
    let then = move |context: &mut Context<'_, Node>, gathered: Gathered| {
        let first = |answer: &GatheredAnswer| match answer.parse::<(Binary,)>() {
            Ok((bytes,)) => Said::Bytes(bytes),
            Err(_) => Said::Value(answer.parse().ok().and_then(|(value,)| value)),
        };
        let reply = Answers {
            answers: gathered.answers.iter().map(first).collect(),
            complete: gathered.is_complete(),
        };
        ack.send(&mut context.io, &reply);
    };
    opts.aim(socket)
        .emit_with_acks(&event, &args.skip(3), within, then);
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let mut word = |default: &str| words.next().unwrap_or_else(|| default.to_owned());
    let address = word("127.0.0.1:3000").parse()?;
    let url = word("redis://127.0.0.1:6379");
    let mut cluster = config::Cluster::default();
    let wire = word("classic");
    cluster.wire = match &*wire {
        "classic" => config::Wire::Classic {
            replies_to_asker: false,
        },
        "classic-own" => config::Wire::Classic {
            replies_to_asker: true,
        },
        "sharded" => config::Wire::Sharded {
            rooms: config::RoomChannels::Public,
        },
        "sharded-private" => config::Wire::Sharded {
            rooms: config::RoomChannels::All,
        },
        "sharded-static" => config::Wire::Sharded {
            rooms: config::RoomChannels::None,
        },
        "streams" | "streams-recovering" => config::Wire::Streams {
            sharded_channels: false,
        },
        "streams-sharded" => config::Wire::Streams {
            sharded_channels: true,
        },
        other => return Err(format!("no such wire: {other}").into()),
    };
    for word in words {
        match word.split_once('=') {
            None if word == "impatient" => {
                cluster.confirmed_within = Duration::from_millis(500);
                cluster.count_every = Duration::from_millis(500);
                cluster.retry_after_max = Duration::from_millis(500);
            }
            Some(("authorities", path)) => cluster.authorities = Some(path.into()),
            _ => return Err(format!("no such word: {word}").into()),
        }
    }
    let mut config = Config::default();
    config.socketio.recovery = (wire == "streams-recovering").then(config::Recovery::default);
    let mut server = Server::new(config, Node::default());
    server.carried_by(Redis::new(&url, cluster)?);
    for namespace in ["/", "/star*", "/starboard"] {
        describe(&mut server, namespace);
    }
    server.route(Method::Get, "/carrier", |request| {
        let status = serde_json::to_string(&request.io.carrier()).expect("numbers are JSON");
        Response::json(200, status).into()
    });
    let mut listening = server.listen(address)?;
    listening.handle_signals()?;
    listening.run()?;
    Ok(())
}
