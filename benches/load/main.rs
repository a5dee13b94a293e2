//! How much a server does with a second of processor time: ours, the floor and its peers, under the same load.
//!
//! ```text
//! cargo bench --no-default-features --bench load -- COMMAND
//!
//! compare                all of it, side by side, with a table at the end
//!   --pairs 9            rounds; each measures each scenario with each server (default 3)
//!   --only echo100,w8    these scenarios
//!   --peers ours,floor   these servers
//!   --seconds 1          how long each scenario is measured that takes time
//!   --resume             goes on where an earlier run was cut short
//!   --into PATH          where the table goes (default target/load/RESULTS.md)
//! one SCENARIO           one scenario, some times, for work on a server
//!   --server ours        by name, or the path of a program that listens on 127.0.0.1:$PORT
//!   --times 5, --seconds 1
//! growth                 how costs grow with members, sockets and rooms: tables, pictures, and a million calculated
//!   --rounds 3, --seconds 0.4, --resume
//!   --into PATH          where it goes, with a folder of pictures beside it (default target/load/GROWTH.md)
//! cluster                two servers as one over a Redis of its own: ours beside two of Node.js, on the same wire
//!   --rounds 5           each measures each scenario on each wire with both kinds (default 3)
//!   --wires classic      these wires (default all)
//!   --only all,rooms     these scenarios
//!   --seconds 1, --resume
//!   --into PATH          where the table goes (default target/load/CLUSTER.md)
//! instructions           instructions and allocations per delivery, which repeat on a busy machine too (needs valgrind)
//!   --only echo100
//!   --append             as a row of benches/INSTRUCTIONS.md
//! list                   scenarios and servers
//! ```
//!
//! A server and the load have a core each. The load is one thread over epoll; what it sends is ready beforehand, and every
//! delivery is held against what must come, byte for byte: nothing may be missing, doubled, out of order or of anybody else.
//! The main figure is processor time of the server per delivery, which repeats where rates do not; it is what the kernel
//! says (/proc, so Linux only). Building the servers is part of it, and takes minutes the first
//! time; Node is needed for its server, npm for Bun's, Python with venv for its.
//! A server that cannot be built is left out, and the table says so.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the house"
)]

#[path = "../support/frames.rs"]
mod frames;
#[path = "../support/kernel.rs"]
mod kernel;

mod builds;
mod chart;
mod cluster;
mod compare;
mod cores;
mod floor;
mod growth;
mod instructions;
mod lines;
mod peers;
mod polling;
mod rows;
mod scenarios;
mod sockets;
mod talk;

use std::io;
use std::str::FromStr;
use std::time::Duration;

use peers::Peer;
use scenarios::Scenario;

fn main() -> io::Result<()> {
    // Cargo's own word for us.
    let mut arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if arguments.is_empty() {
        arguments.push("help".to_owned());
    }
    let command = arguments.remove(0);
    let mut options = Arguments(arguments);
    match command.as_str() {
        "compare" => {
            let names: Option<String> = options.value("--peers")?;
            let peers = match names {
                Some(names) => names
                    .split(',')
                    .map(Peer::named)
                    .collect::<io::Result<_>>()?,
                None => Peer::ALL.to_vec(),
            };
            let only: Option<String> = options.value("--only")?;
            let comparison = compare::Options {
                rounds: options.value("--pairs")?.unwrap_or(3),
                scenarios: compare::chosen(only.as_deref())?,
                peers,
                duration: options.seconds()?,
                resume: options.flag("--resume"),
                into: options
                    .value("--into")?
                    .unwrap_or_else(|| builds::target().join("RESULTS.md")),
            };
            options.end()?;
            compare::run(&comparison)
        }
        "one" => {
            let server: Option<String> = options.value("--server")?;
            let times = options.value("--times")?.unwrap_or(5);
            let duration = options.seconds()?;
            let scenario = Scenario::named(&options.next()?)?;
            options.end()?;
            one(
                scenario,
                server.as_deref().unwrap_or("ours"),
                times,
                duration,
            )
        }
        "growth" => {
            let growth = growth::Options {
                rounds: options.value("--rounds")?.unwrap_or(3),
                duration: options.seconds_or(0.4)?,
                resume: options.flag("--resume"),
                into: options
                    .value("--into")?
                    .unwrap_or_else(|| builds::target().join("GROWTH.md")),
            };
            options.end()?;
            growth::run(&growth)
        }
        "cluster" => {
            let (wires, only): (Option<String>, Option<String>) =
                (options.value("--wires")?, options.value("--only")?);
            let cluster = cluster::Options {
                rounds: options.value("--rounds")?.unwrap_or(3),
                wires: cluster::wires(wires.as_deref()),
                scenarios: cluster::chosen(only.as_deref())?,
                duration: options.seconds()?,
                resume: options.flag("--resume"),
                into: options
                    .value("--into")?
                    .unwrap_or_else(|| builds::target().join("CLUSTER.md")),
            };
            options.end()?;
            cluster::run(&cluster)
        }
        "instructions" => {
            let only: Option<String> = options.value("--only")?;
            let append = options.flag("--append");
            options.end()?;
            instructions::run(only.as_deref(), append)
        }
        "list" => {
            for scenario in scenarios::ALL {
                println!("{:<14} {}", scenario.name, scenario.what);
            }
            let names: Vec<String> = Peer::ALL.iter().map(Peer::name).collect();
            println!("servers: {}", names.join(", "));
            Ok(())
        }
        // Started by `compare` and `one`.
        "floor" => {
            let port = std::env::var("PORT")
                .ok()
                .and_then(|port| port.parse().ok());
            floor::serve(port.ok_or_else(|| io::Error::other("$PORT is no port"))?)
        }
        _ => Err(io::Error::other(
            "a command is needed: compare, one, growth, cluster, instructions or list; benches/load/main.rs says more",
        )),
    }
}

fn one(scenario: Scenario, server: &str, times: usize, duration: Duration) -> io::Result<()> {
    cores::raise_descriptors()?;
    let program = Peer::named(server)?.build()?;
    cores::pin_to_load()?;
    for _ in 0..times {
        for measured in scenario.measure(&program, duration)? {
            print!("{:>12.2} {}", measured.value, measured.metric);
        }
        println!();
    }
    Ok(())
}

/// What is left of the command line.
struct Arguments(Vec<String>);

impl Arguments {
    fn value<T: FromStr>(&mut self, name: &str) -> io::Result<Option<T>> {
        let Some(at) = self.0.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        if at == self.0.len() {
            return Err(io::Error::other(format!("{name} needs a value")));
        }
        let value = self.0.remove(at);
        let parsed = value.parse().ok();
        let parsed = parsed.ok_or_else(|| io::Error::other(format!("{name} cannot be {value}")));
        parsed.map(Some)
    }

    fn seconds(&mut self) -> io::Result<Duration> {
        self.seconds_or(1.0)
    }

    fn seconds_or(&mut self, otherwise: f64) -> io::Result<Duration> {
        let seconds: Option<f64> = self.value("--seconds")?;
        Duration::try_from_secs_f64(seconds.unwrap_or(otherwise)).map_err(io::Error::other)
    }

    fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|argument| argument == name);
        at.map(|at| self.0.remove(at)).is_some()
    }

    fn next(&mut self) -> io::Result<String> {
        if self.0.is_empty() {
            return Err(io::Error::other("something is missing"));
        }
        Ok(self.0.remove(0))
    }

    fn end(&self) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "not understood: {}",
            self.0.join(" ")
        )))
    }
}
