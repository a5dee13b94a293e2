//! LIMITS: short times and small sizes, so that a client reaches them.

use std::io;
use std::time::Duration;

use roomcast::config::{Cookie, Origins, Recovery};
use roomcast::http::query;
use roomcast::server::Recovered;
use roomcast::socketio::args::{Args, Binary};
use roomcast::{App, Config, Server, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Addresses;
use super::any::Any;

struct Limits;

impl App for Limits {
    type Data = Data;
}

/// How often the authorize step was asked about this socket.
#[derive(Default, Serialize, Deserialize)]
struct Data {
    mw: u32,
}

pub(crate) fn run(addresses: &Addresses) -> io::Result<()> {
    let mut config = Config::default();
    config.engine.payload_bytes_max = 1000;
    config.engine.upgrade_within = Duration::from_millis(300);
    config.engine.websocket_compression = true;
    config.engine.websocket_compression_bytes_min = 64;
    config.engine.http_compression = true;
    config.engine.http_compression_bytes_min = 64;
    config.engine.cookie = Some(Cookie::default());
    config.engine.origins = Origins::Fixed("http://good.example".to_owned());
    config.engine.cors.credentials = true;
    config.engine.cors.methods = vec!["GET".to_owned(), "POST".to_owned()];
    config.engine.cors.allowed_headers = Some(vec!["x-custom".to_owned()]);
    config.socketio.connect_within = Duration::from_millis(200);
    let mut recovery = Recovery::default();
    recovery.within = Duration::from_millis(500);
    config.socketio.recovery = Some(recovery);

    let mut server = Server::new(config, Limits);
    server.allow_request(|request| match query::value(request.query(), "deny") {
        Some(message) => Verdict::refuse(&message),
        None => Verdict::Accept,
    });
    server
        .of("/")
        .authorize(|socket, _: Value| {
            socket.data_mut().mw += 1;
            Verdict::Accept
        })
        .on("state", |socket, (): (), ack| {
            let state = json!({
                "id": socket.id().as_str(),
                "recovered": socket.recovered() == Recovered::Yes,
                "data": socket.data(),
                "transport": socket.transport().map(|transport| transport.as_str()),
            });
            ack.send(&mut socket.io, &state);
        })
        .on("big", |socket, (kind, count): (String, usize), ack| {
            let bytes = vec![b'a'; count];
            if kind == "binary" {
                ack.send(&mut socket.io, &Binary(bytes.into()));
            } else {
                ack.send(&mut socket.io, &String::from_utf8_lossy(&bytes));
            }
        })
        .on("size", |socket, (value,): (Any,), ack| {
            let bytes = match &value {
                Any::String(text) => text.len(),
                Any::Binary(bytes) => bytes.len(),
                _ => 0,
            };
            ack.send(&mut socket.io, &bytes);
        })
        .on_raw("all", |socket, args: Args<'_>, _ack| {
            let Ok((event,)) = args.parse::<(String,)>() else {
                return;
            };
            socket.everyone().emit(&event, &args.skip(1));
        });
    server.of("/").on("namespaces", |socket, (): (), ack| {
        let mut names: Vec<_> = socket.io.namespaces().map(ToOwned::to_owned).collect();
        names.sort_unstable();
        ack.send(&mut socket.io, &names);
    });
    server.of_pattern("/dyn-{number}").on_connect(|socket| {
        let name = socket.namespace().to_owned();
        socket.emit("dyn", &name);
    });
    super::serve(server, addresses)
}
