//! The server that the conformance checks run against: one process, one loop and one thread for each profile.
//!
//! | `CONF_BASE_PORT` (3100) | |
//! |---|---|
//! | + 0 | `protocol`: raw Engine.IO and bare Socket.IO |
//! | + 1 | the same for Engine.IO 3 as well |
//! | + 2 | `main_profile`: what applications use |
//! | + 3 | `eio_client`: raw Engine.IO, and what an application can say about it |
//! | + 4 | `limits`: small sizes, short times |
//! | + 5 | `rawws`: the WebSocket code without a server around it |
//! | + 6 | `main_profile` for clients of Socket.IO 2.x as well |
//! | + 7 | `main_profile` for clients that speak MessagePack |
//! | + 8 | `main_profile` for clients with `json_parser`'s counterpart |
//!
//! `CONF_HOST` names the address to listen on; without it both loopback addresses are.

mod any;
mod eio_client;
mod json_parser;
mod limits;
mod main_profile;
mod protocol;
mod rawws;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::thread::{self, JoinHandle};

use main_profile::Clients;
use roomcast::{App, Server};

/// Where one profile listens.
type Addresses = Vec<SocketAddr>;

fn main() -> io::Result<()> {
    let base = std::env::var("CONF_BASE_PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(3100);
    let profiles = [
        spawn(|at| protocol::run(at, false), addresses(base)?),
        spawn(|at| protocol::run(at, true), addresses(base + 1)?),
        spawn(
            |at| main_profile::run(at, Clients::Today),
            addresses(base + 2)?,
        ),
        spawn(eio_client::run, addresses(base + 3)?),
        spawn(limits::run, addresses(base + 4)?),
        spawn(rawws::run, addresses(base + 5)?),
        spawn(
            |at| main_profile::run(at, Clients::OldToo),
            addresses(base + 6)?,
        ),
        spawn(
            |at| main_profile::run(at, Clients::MessagePack),
            addresses(base + 7)?,
        ),
        spawn(
            |at| main_profile::run(at, Clients::OwnParser),
            addresses(base + 8)?,
        ),
    ];
    for profile in profiles {
        profile.join().expect("a profile does not panic")?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "an application decides how many loops it has"
)]
fn spawn(
    run: fn(&Addresses) -> io::Result<()>,
    addresses: Addresses,
) -> JoinHandle<io::Result<()>> {
    thread::spawn(move || run(&addresses))
}

fn addresses(port: u16) -> io::Result<Addresses> {
    match std::env::var("CONF_HOST") {
        Ok(host) => Ok((host.as_str(), port).to_socket_addrs()?.collect()),
        Err(_) => Ok(vec![
            (Ipv4Addr::LOCALHOST, port).into(),
            (Ipv6Addr::LOCALHOST, port).into(),
        ]),
    }
}

/// Runs a server on the first address, and on the others if this machine has them: not all speak IPv6.
fn serve<A: App>(server: Server<A>, addresses: &[SocketAddr]) -> io::Result<()> {
    let (first, others) = addresses
        .split_first()
        .ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut listening = server.listen(*first)?;
    for other in others {
        if let Err(error) = listening.also(*other) {
            eprintln!("not listening on {other}: {error}");
        }
    }
    listening.run()?;
    Ok(())
}
