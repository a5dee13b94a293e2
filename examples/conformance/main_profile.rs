//! MAIN: a Socket.IO server with the events that the conformance checks call, as an application would write them.
//!
//! `common` is what every namespace can do; `browser` holds the events of the official client's own suite.

mod browser;
mod common;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use roomcast::config::{Origins, Parser, Recovery};
use roomcast::server::{Handshake, Refused};
use roomcast::socketio::SocketId;
use roomcast::{App, Config, Server, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Addresses;
use crate::any::Any;
use crate::json_parser::JsonParser;

/// What is remembered of sockets that have left.
#[derive(Default)]
pub(crate) struct Main {
    left: HashMap<SocketId, Left>,
}

impl App for Main {
    type Data = Data;
}

#[derive(Clone, Serialize)]
struct Left {
    reason: &'static str,
    nsp: String,
    /// The rooms while it was on its way out, its own left out.
    rooms: Vec<String>,
    #[serde(rename = "roomsAfter")]
    rooms_after: usize,
}

/// What belongs to one socket.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Data {
    /// What clients and authorize steps put there.
    shown: serde_json::Map<String, Value>,
    /// What the client brought.
    auth: Value,
    /// Its rooms when it began to leave.
    rooms: Vec<String>,
    blobs: browser::Blobs,
    /// What `/any` has sent to it.
    said: Vec<Any>,
}

type Socket<'a> = roomcast::Socket<'a, Main>;
type Namespace<'a> = roomcast::server::Namespace<'a, Main>;

/// Whom the profile serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Clients of today.
    Today,
    /// Those of Socket.IO 2.x as well.
    OldToo,
    /// Those that speak MessagePack.
    MessagePack,
    /// Those with a parser of their own.
    OwnParser,
}

pub(crate) fn run(addresses: &Addresses, clients: Clients) -> io::Result<()> {
    let mut config = Config::default();
    config.engine.ping_every = Duration::from_secs(2);
    config.engine.origins = Origins::Any;
    let mut recovery = Recovery::default();
    recovery.authorize_again = false;
    config.socketio.recovery = Some(recovery);
    config.engine.allow_eio3 = clients == Clients::OldToo;
    if clients == Clients::MessagePack {
        config.socketio.parser = Parser::MessagePack;
    }

    let mut server = Server::new(config, Main::default());
    if clients == Clients::OwnParser {
        server.parser(JsonParser);
    }
    // A client that writes at once is not answered at once: its suite wants to see both.
    server.allow_request(|request| {
        let id = request.id();
        let delay = Duration::from_millis(10);
        request
            .io
            .after(delay, move |context| context.io.admit(id, Verdict::Accept))
            .expect("there is room");
        Verdict::Later {
            within: delay * 100,
        }
    });
    let root = server.of("/").authorize(|socket, _: Value| {
        let fails = |handshake: &Handshake| handshake.query_value("fail").is_some();
        match socket.handshake() {
            Some(handshake) if fails(handshake) => Verdict::refuse("Auth failed (main namespace)"),
            _ => Verdict::Accept,
        }
    });
    browser::events(common::events(root));
    for name in ["/foo", "/timeout_socket", "/valid", "/asd", "/chat"] {
        common::events(server.of(name));
    }
    common::events(server.of("/abc")).on_connect(|socket| {
        let handshake = common::handshake(socket);
        socket.emit("handshake", &(handshake,));
    });
    common::events(server.of("/custom")).on_connect(|socket| {
        let auth = socket.data().auth.clone();
        socket.emit("auth", &(auth,));
    });
    server
        .of("/no")
        .authorize(|_, _: Value| Verdict::refuse("Auth failed (custom namespace)"));
    members_only(server.of("/auth"));
    dynamic(&mut server);
    particular(common::events(server.of("/mw")));
    listening(server.of("/any"));
    super::serve(server, addresses)
}

/// `/dyn-7` and its like, and `/fn-…` for who asks nicely.
fn dynamic(server: &mut Server<Main>) {
    let numbered = server.of_matching("/dyn-<digits>", |_, name, _| {
        let digits = name.strip_prefix("/dyn-").unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    common::events(numbered)
        .on_connect(|socket| {
            let name = socket.namespace().to_owned();
            socket.emit("dyn", &name);
        })
        .on_raw("parent-emit", |socket, args, _ack| {
            if let Ok((event,)) = args.parse::<(String,)>() {
                socket.siblings().emit(&event, &args.skip(1));
            }
        });
    let asked = server.of_matching("/fn-…", |_, name, auth| {
        name.starts_with("/fn-") && auth["ok"] == true
    });
    common::events(asked).on_connect(|socket| {
        let name = socket.namespace().to_owned();
        socket.emit("fn", &name);
    });
}

/// `/mw`: looks at each event before its handler does.
fn particular(namespace: Namespace<'_>) {
    namespace
        .middleware(|_, event| {
            match event.name() {
                "blocked" => return Err(Refused::new("event blocked")),
                "rewrite" => {
                    event.rename("echo-event");
                    event.replace(&"rewritten").expect("text is JSON");
                }
                _ => {}
            }
            Ok(())
        })
        .on_error(|socket, error, _ack| socket.emit("mw-error", &error.to_string()))
        .on("blocked", |socket, (): (), _ack| {
            socket.emit("mw-error", &"LISTENER RAN");
        });
}

/// `/any`: hears everything that comes in and goes out.
fn listening(namespace: Namespace<'_>) {
    namespace
        .on_any(|socket, event, args| {
            if event != "outgoing" {
                socket.emit("any", &(event, common::values(args)));
            }
        })
        .on_any_outgoing(|socket, event, args| {
            let mut said = vec![Any::String(event.to_owned())];
            said.extend(common::values(args));
            socket.data_mut().said.push(Any::Array(said));
        })
        .on("outgoing", |socket, (): (), ack| {
            let said = socket.data().said.clone();
            ack.send(&mut socket.io, &said);
        });
}

#[derive(Deserialize)]
struct Login {
    token: Option<String>,
    user: Option<String>,
    #[serde(default)]
    delay: u64,
}

/// `/auth`: who knows the token comes in, after a while if the client asks for that.
fn members_only(namespace: Namespace<'_>) {
    let namespace = namespace.authorize(|socket, login: Login| {
        let verdict = judge(socket, &login);
        if login.delay == 0 {
            return verdict;
        }
        let (id, delay) = (socket.id(), Duration::from_millis(login.delay));
        socket
            .io
            .after(delay, move |context| context.io.decide(id, verdict))
            .expect("there is room");
        Verdict::Later { within: delay * 2 }
    });
    let namespace = namespace.authorize(|socket, _: Value| {
        socket.data_mut().shown.insert("second".into(), true.into());
        socket.join("authenticated");
        Verdict::Accept
    });
    common::events(namespace).on_connect(|socket| {
        let data = socket.data().shown.clone();
        socket.emit("welcome", &(data,));
    });
}

fn judge(socket: &mut Socket<'_>, login: &Login) -> Verdict {
    if login.token.as_deref() != Some("secret") {
        return Verdict::Refuse {
            message: "not authorized".into(),
            data: Some(json!({ "code": 401, "need": ["token"] })),
        };
    }
    let user = login.user.as_deref().unwrap_or("anonymous");
    socket.data_mut().shown.insert("user".into(), user.into());
    Verdict::Accept
}
