//! A server under test: the conformance example as a process of its own, on ports nobody else uses.
//!
//! `ROOMCAST_CONFORMANCE` names another command that keeps the same contract.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// One port for each profile of the example; the tests here use the third.
const PORTS: u16 = 7;
const MAIN: u16 = 2;
const READY_WITHIN: Duration = Duration::from_secs(10);

/// A process that ends with this value.
pub struct Server {
    base: u16,
    process: Child,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub fn start() -> Self {
        let base = free_ports();
        let process = run(base);
        Self { base, process }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{HOST}:{}", self.base + MAIN)
    }

    /// Ends it without a word, as a crash would.
    pub fn kill(&mut self) {
        self.process.kill().expect("the process is ours");
        self.process.wait().expect("the process is ours");
    }

    /// Starts it again where it was.
    pub fn start_again(&mut self) {
        self.process = run(self.base);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process of its own is not told when it listens"
)]
fn run(base: u16) -> Child {
    let command = env::var("ROOMCAST_CONFORMANCE").unwrap_or_else(|_| {
        let target = env::var("ROOMCAST_TARGET_DIR")
            .unwrap_or_else(|_| format!("{}/../../target", env!("CARGO_MANIFEST_DIR")));
        let path = Path::new(&target).join("debug/examples/conformance");
        path.to_str().expect("a path in UTF-8").to_owned()
    });
    let mut words = command.split(' ');
    let mut process = Command::new(words.next().expect("a command"))
        .args(words)
        .env("CONF_BASE_PORT", base.to_string())
        .env("CONF_HOST", HOST.to_string())
        .spawn()
        .unwrap_or_else(|error| panic!("{command}: {error}"));
    let give_up_at = Instant::now() + READY_WITHIN;
    while TcpStream::connect((HOST, base + MAIN)).is_err() {
        let ended = process.try_wait().expect("the process is ours");
        assert!(ended.is_none(), "the server ended: {ended:?}");
        assert!(Instant::now() < give_up_at, "nobody listens");
        thread::sleep(Duration::from_millis(20));
    }
    process
}

/// The first of as many ports in a row as are free. They lie below those the kernel gives to clients.
fn free_ports() -> u16 {
    loop {
        let chance = RandomState::new().hash_one(()) % 1000;
        let base = 20_000 + 10 * u16::try_from(chance).expect("below a thousand");
        if (0..PORTS).all(|offset| TcpListener::bind((HOST, base + offset)).is_ok()) {
            return base;
        }
    }
}
