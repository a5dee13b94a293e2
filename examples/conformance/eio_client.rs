//! EIO-CLIENT: Engine.IO without Socket.IO, as the official client's own suite wants its server.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use roomcast::engineio::Incoming;
use roomcast::http::{self, query};
use roomcast::server::Session;
use roomcast::sid::Sid;
use roomcast::{Config, Server, Verdict};

use super::Addresses;

pub(crate) fn run(addresses: &Addresses) -> io::Result<()> {
    let mut config = Config::default();
    // Nothing but the raw sessions below is served.
    config.engine.path = "/engine.io/".to_owned();
    config.engine.ping_every = Duration::from_millis(500);
    config.engine.payload_bytes_max = 100;

    let mut server = Server::new(config, ());
    server
        .allow_request(|request| match query::value(request.query(), "deny") {
            Some(_) => Verdict::refuse(""),
            None => Verdict::Accept,
        })
        .generate_id(|request| Sid::parse(&query::value(request.query(), "id")?))
        .initial_headers(|request, headers| {
            let now = http::date(request.at());
            headers.add("Set-Cookie", "1=1; Max-Age=86400");
            let strict = "2=2; Path=/; HttpOnly; Secure; SameSite=Strict";
            headers.add("Set-Cookie", strict);
            headers.add("Set-Cookie", "3=3; Max-Age=0");
            headers.add("Set-Cookie", &format!("4=4; Expires={now}"));
        });
    server
        .raw("/engine.io/")
        .on_open(|session| session.send_text("hi"))
        .on_message(|session, message| match message {
            Incoming::Text("give binary") => session.send_binary(&[0, 1, 2, 3, 4]),
            Incoming::Text("give utf8") => session.send_text("пойду спать всем спокойной ночи"),
            Incoming::Text("sendHeaders") => send_headers(session),
            message => session.send(message),
        })
        .on_heartbeat(|session| {
            let url = session.handshake().map(|handshake| handshake.url());
            if url.is_some_and(|url| url.contains("tell=heartbeats")) {
                session.send_text("you live");
            }
        });
    super::serve(server, addresses)
}

/// The headers of the POST that brought the wish.
fn send_headers(session: &mut Session<'_, ()>) {
    let Some(request) = session.request() else {
        return;
    };
    let headers: BTreeMap<_, _> = request
        .headers()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(value)))
        .collect();
    let headers = serde_json::to_string(&headers).expect("text is JSON");
    session.send_text(&headers);
}
