//! What must hold of any bytes that claim to be a frozen server: called by the fuzzer, and by a test with its seeds.
//!
//! A server in the middle of everything is frozen, and the input says where its bytes are changed: a good image is the only
//! way far in. Behind the changed bytes the checksum is put right, so that nobody need guess it.
//! Left out: what a thawed server does next, which the simulated world sees to.

use std::time::Duration;

use serde_json::Value;

use crate::config::Config;
use crate::reactor::{ConnId, ListenerId, Peer, Service};
use crate::server::freeze::{open, seal};
use crate::server::{App, FreezeError, Server, Verdict};
use crate::time::{Now, Time};

/// Takes whatever a socket's data may be.
struct Anything;

impl App for Anything {
    type Data = Value;
}

/// Whether a changed image could still be thawed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thawed {
    /// It was refused.
    Refused,
    /// It was borne.
    Borne,
}

/// No panic; and what was thawed freezes to bytes that thaw again and freeze to the same.
///
/// Four bytes of input are one change: where (two bytes), how (modulo 3: set, cut off, insert), and which byte.
///
/// # Panics
/// If one of these does not hold.
pub fn thaw(changes: &[u8]) -> Thawed {
    let mut image = busy();
    let mut payload = open(&image).expect("frozen just now").to_vec();
    for change in changes.chunks_exact(4).take(8) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        if payload.is_empty() {
            break;
        }
        let at = at % payload.len();
        match change[2] % 3 {
            0 => payload[at] = change[3],
            1 => payload.truncate(at),
            _ => payload.insert(at, change[3]),
        }
        // The header's own bytes, too, each now and then.
        let place = at % image.len().min(20);
        image[place] ^= change[3];
        assert!(change[3] == 0 || thawed(&image).is_none());
        image[place] ^= change[3];
    }
    let Some(mut first) = thawed(&seal(&payload)) else {
        return Thawed::Refused;
    };
    if let Some(bytes) = freeze(&mut first) {
        let mut second = thawed(&bytes).expect("what was frozen just now");
        assert_eq!(freeze(&mut second), Some(bytes));
    }
    Thawed::Borne
}

fn now() -> Now {
    Now {
        mono: Time(3_600_000_000),
        ..Now::default()
    }
}

fn described() -> Server<Anything> {
    let mut server = Server::with_seed(Config::default(), Anything, [5; 32]);
    server.of("/").on_connect(|socket| socket.join("room"));
    let within = Duration::from_secs(1);
    server
        .of("/door")
        .authorize(move |_, _: Value| Verdict::Later { within });
    server.raw("/raw/");
    server
}

/// A server with something of everything, as bytes.
fn busy() -> Vec<u8> {
    let websocket = |path: &str| {
        format!(
            "GET {path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        .into_bytes()
    };
    let frame = |text: &str| {
        let length = u8::try_from(text.len()).expect("a short text");
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(text.as_bytes());
        frame
    };
    let mut server = described();
    let mut slot = 0;
    let mut say = |server: &mut Server<Anything>, parts: &[Vec<u8>]| {
        let conn = ConnId::from_parts(slot, 7);
        slot += 1;
        let peer = Peer::Tcp(([127, 0, 0, 1], 5000).into());
        server.accepted(now(), ListenerId(0), conn, peer);
        for part in parts {
            server.received(now(), conn, &mut part.clone());
        }
        conn
    };
    let attachments = "451-[\"put\",{\"_placeholder\":true,\"num\":0}]";
    let texts = ["40", "40/door,", attachments].map(frame);
    let [mut first, second, third] = texts;
    say(
        &mut server,
        &[websocket("/socket.io/"), first.clone(), second, third],
    );
    let stuck = say(&mut server, &[websocket("/socket.io/")]);
    server.refused(now(), stuck, 10);
    server.received(now(), stuck, &mut first);
    say(
        &mut server,
        &[
            websocket("/raw/"),
            vec![0x01, 0x83, 0, 0, 0, 0, b'4', b'a', b'b'],
        ],
    );
    for begun in [
        "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHo",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
    ] {
        say(&mut server, &[begun.into()]);
    }
    freeze(&mut server).expect("an honest server can be frozen")
}

fn thawed(bytes: &[u8]) -> Option<Server<Anything>> {
    let mut server = described();
    server.thaw(now(), bytes).ok()?;
    Some(server)
}

/// Freezes once everything is said; none if it never is.
fn freeze(server: &mut Server<Anything>) -> Option<Vec<u8>> {
    for _ in 0..100 {
        match server.freeze(now()) {
            Ok(bytes) => return Some(bytes),
            Err(FreezeError::Unsaid) => while server.poll_action().is_some() {},
            Err(_) => return None,
        }
    }
    None
}
