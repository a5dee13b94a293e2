//! The servers that are measured: how each is built, started, and what it is called.
//!
//! All listen on 127.0.0.1:$PORT and answer what `examples/bench_server.rs` documents.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use crate::builds::{bun, commit, locked, npm_packages, ours, oxide, python, root, version};
use crate::cores;
use crate::frames::UPGRADE;
use crate::kernel::Process;
use crate::scenarios::{Does, Scenario};

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The library, by `examples/bench_server.rs`.
    Ours,
    /// [`crate::floor`].
    Floor,
    /// socketioxide, on one thread of tokio.
    Oxide,
    /// The reference server, on ws.
    Node,
    /// The reference server, on Bun's own engine.
    Bun,
    /// python-socketio, on uvicorn.
    Python,
    /// A program that is there already.
    Path(PathBuf),
}

/// How long a server may take to answer at all.
const START_WITHIN: Duration = Duration::from_secs(30);

impl Peer {
    pub(crate) const ALL: [Self; 6] = [
        Self::Ours,
        Self::Floor,
        Self::Oxide,
        Self::Node,
        Self::Bun,
        Self::Python,
    ];

    pub(crate) fn named(name: &str) -> io::Result<Self> {
        let known = Self::ALL.into_iter().find(|peer| peer.name() == name);
        match known {
            Some(peer) => Ok(peer),
            None if name.contains('/') => Ok(Self::Path(PathBuf::from(name))),
            None => Err(io::Error::other(format!("no server is called {name}"))),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Ours => "ours".to_owned(),
            Self::Floor => "floor".to_owned(),
            Self::Oxide => "oxide".to_owned(),
            Self::Node => "node".to_owned(),
            Self::Bun => "bun".to_owned(),
            Self::Python => "python".to_owned(),
            Self::Path(path) => path.display().to_string(),
        }
    }

    /// Whether it can do this, and does so in this round: no bound is on the last two, and the slowest has not the time.
    pub(crate) fn takes_part(&self, scenario: &Scenario, round: usize) -> bool {
        if let Does::ConnectWhole(_) = scenario.does {
            return matches!(self, Self::Ours);
        }
        match self {
            Self::Floor => !matches!(scenario.does, Does::Poll(_)),
            Self::Bun => round.is_multiple_of(3),
            Self::Python => round.is_multiple_of(9) && scenario.sockets() <= 10_000,
            Self::Ours | Self::Oxide | Self::Node | Self::Path(_) => true,
        }
    }

    /// About how long it takes to start, and to take in a socket.
    pub(crate) fn expected(&self) -> (Duration, Duration) {
        let (start, connect) = match self {
            Self::Ours | Self::Floor | Self::Path(_) => (10, 40),
            Self::Oxide => (10, 100),
            Self::Node => (150, 400),
            Self::Bun => (150, 150),
            Self::Python => (800, 2000),
        };
        (Duration::from_millis(start), Duration::from_micros(connect))
    }

    /// What is measured under this name.
    pub(crate) fn versions(&self) -> String {
        match self {
            Self::Ours => format!("{}, {}", commit().unwrap_or_default(), version("rustc")),
            Self::Floor => "epoll, one send() for each delivery".to_owned(),
            Self::Oxide => {
                let of = |name: &str| {
                    let before = format!("name = \"{name}\"\nversion = \"");
                    format!("{name} {}", locked("oxide", "Cargo.lock", &before))
                };
                ["socketioxide", "axum", "tokio"].map(of).join(", ")
            }
            Self::Node => {
                let packages = ["socket.io", "ws"].map(|name| npm_version("node", name));
                format!("{}, Node {}", packages.join(", "), version("node"))
            }
            Self::Bun => {
                let of = |name: &str| npm_version("bun", name);
                ["socket.io", "@socket.io/bun-engine", "bun"]
                    .map(of)
                    .join(", ")
            }
            Self::Python => {
                let of = |name: &str| {
                    let before = format!("{name}==");
                    format!("{name} {}", locked("python", "requirements.txt", &before))
                };
                let packages = ["python-socketio", "uvicorn", "uvloop"].map(of).join(", ");
                format!("{packages}, {}", version("python3"))
            }
            Self::Path(_) => "as it was found".to_owned(),
        }
    }

    /// Builds it, if need be, and gives what starts it.
    pub(crate) fn build(&self) -> io::Result<Program> {
        let arguments = match self {
            Self::Ours => vec![ours("release")?],
            Self::Floor => vec![std::env::current_exe()?, "floor".into()],
            Self::Oxide => vec![oxide()?],
            Self::Node => {
                let folder = npm_packages("node")?;
                vec!["node".into(), folder.join("server.js")]
            }
            Self::Bun => {
                let folder = npm_packages("bun")?;
                vec![bun(&folder)?, folder.join("server.js")]
            }
            Self::Python => vec![python()?, root().join("benches/peers/python/server.py")],
            Self::Path(path) => vec![path.clone()],
        };
        Ok(Program {
            arguments,
            compiles_while_it_runs: matches!(self, Self::Node | Self::Bun),
        })
    }
}

pub(crate) fn npm_version(peer: &str, name: &str) -> String {
    let before = format!("\"node_modules/{name}\": {{\n      \"version\": \"");
    format!("{name} {}", locked(peer, "package-lock.json", &before))
}

/// A port nobody listens on, below those that the kernel gives to clients.
pub(crate) fn free_port() -> io::Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() % u32::from(COUNT)).map_err(io::Error::other)?;
    for _ in 0..COUNT {
        let next = own + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + next % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    Err(io::Error::other("no port is free"))
}

/// What starts a server.
pub(crate) struct Program {
    pub(crate) arguments: Vec<PathBuf>,
    /// So that it takes longer until it is as fast as it gets.
    pub(crate) compiles_while_it_runs: bool,
}

impl Program {
    /// Starts it on its core, on a port of its own, and waits until it greets.
    pub(crate) fn start(&self) -> io::Result<Server> {
        self.start_as(&[])
    }

    /// The same, with more of an environment.
    pub(crate) fn start_as(&self, environment: &[(&str, &str)]) -> io::Result<Server> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new(&self.arguments[0]);
        command
            .args(&self.arguments[1..])
            .env("PORT", port.to_string())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let began = Instant::now();
        // Inherited: the child needs no program that pins it, which would be started with it.
        cores::pin_to_server()?;
        let process = Process::start(&mut command);
        cores::pin_to_load()?;
        let mut server = Server {
            process: process?,
            address,
            answered_after: Duration::ZERO,
        };
        server.greeting(began)?;
        server.answered_after = began.elapsed();
        Ok(server)
    }
}

/// A server that runs; it ends with this.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// From its start to its first byte.
    pub(crate) answered_after: Duration,
}

impl Server {
    fn greeting(&mut self, began: Instant) -> io::Result<()> {
        let mut byte = [0];
        let answered = loop {
            if let Ok(mut stream) = TcpStream::connect(self.address)
                && stream.write_all(UPGRADE).is_ok()
            {
                stream.set_read_timeout(Some(START_WITHIN))?;
                break io::Read::read(&mut stream, &mut byte)?;
            }
            if let Some(status) = self.process.child.try_wait()? {
                return Err(io::Error::other(format!("the server ended with {status}")));
            }
            if began.elapsed() > START_WITHIN {
                return Err(io::Error::other(format!(
                    "no answer after {START_WITHIN:?}"
                )));
            }
        };
        if answered == 1 && byte == *b"H" {
            return Ok(());
        }
        Err(io::Error::other("the server does not speak HTTP"))
    }
}
