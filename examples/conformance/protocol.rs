//! PROTOCOL: Engine.IO without Socket.IO that sends everything back, and a Socket.IO server that shows its packets.
//!
//! Timers are short, for the official protocol suites wait for them.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use roomcast::config::Origins;
use roomcast::server::Namespace;
use roomcast::socketio::SocketId;
use roomcast::socketio::args::Args;
use roomcast::{App, Config, Server, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Addresses;

/// Why each socket of `/` that has left did so.
#[derive(Default)]
struct Protocol {
    reasons: HashMap<SocketId, &'static str>,
}

/// What a socket brought, to the byte.
#[derive(Default, Serialize, Deserialize)]
struct Brought {
    auth: Option<Box<RawValue>>,
}

impl App for Protocol {
    type Data = Brought;
}

#[derive(Serialize)]
struct Left {
    reason: &'static str,
    nsp: &'static str,
}

pub(crate) fn run(addresses: &Addresses, allow_eio3: bool) -> io::Result<()> {
    let mut config = Config::default();
    config.engine.ping_every = Duration::from_millis(300);
    config.engine.pong_within = Duration::from_millis(200);
    config.engine.slow_within = Duration::from_millis(150);
    config.engine.origins = Origins::Any;
    config.engine.allow_eio3 = allow_eio3;
    config.socketio.connect_within = Duration::from_secs(1);

    let mut server = Server::new(config, Protocol::default());
    server
        .raw("/engine.io/")
        .on_message(|session, message| session.send(message));
    shows_auth(server.of("/"))
        .on_raw("message", |socket, args, _ack| {
            socket.emit("message-back", &args);
        })
        .on_raw("message-with-ack", |socket, args: Args<'_>, ack| {
            ack.send(&mut socket.io, &args);
        })
        .on_disconnect(|socket, reason| {
            let id = socket.id();
            socket.app.reasons.insert(id, reason.as_str());
        })
        .on("last-disconnect", |socket, (id,): (String,), ack| {
            let reason = SocketId::parse(&id).and_then(|id| socket.app.reasons.get(&id));
            let left = reason.map(|reason| Left { reason, nsp: "/" });
            ack.send(&mut socket.io, &left);
        });
    shows_auth(server.of("/custom"));
    super::serve(server, addresses)
}

fn shows_auth(namespace: Namespace<'_, Protocol>) -> Namespace<'_, Protocol> {
    namespace
        .authorize(|socket, auth: Box<RawValue>| {
            socket.data_mut().auth = Some(auth);
            Verdict::Accept
        })
        .on_connect(|socket| {
            let auth = socket.data_mut().auth.take();
            socket.emit("auth", &(auth,));
        })
}
