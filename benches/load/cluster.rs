//! Two servers as one over Redis: what a message costs both of them that one is told and the other hears of.
//!
//! Both are of a kind, ours or the reference server, and speak the same wire; members are on either, who talks is on the
//! first. Both have one core, load and Redis the other. As everywhere each delivery is held against what must come.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::builds;
use crate::compare::{cell, figure, machine, write};
use crate::cores;
use crate::frames::UPGRADE;
use crate::kernel::{self, Process};
use crate::lines::PATIENCE;
use crate::peers::{Peer, Program, free_port, npm_version};
use crate::rows::Rows;
use crate::scenarios::{Measured, PAYLOAD_BYTES, warm};
use crate::sockets::Sockets;
use crate::talk::{Event, Length, Shape, Talk, frames, join};

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) wires: Vec<String>,
    pub(crate) scenarios: Vec<Scenario>,
    /// How long each is measured.
    pub(crate) duration: Duration,
    pub(crate) resume: bool,
    pub(crate) into: PathBuf,
}

/// By the names of the reference server's adapters.
const WIRES: [&str; 3] = ["classic", "sharded", "streams"];

/// Who talks, and where who hears it is.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    name: &'static str,
    what: &'static str,
    event: Event,
    groups: usize,
    /// Members of a group on the first node and on the second; the talkers are the first of the first.
    members: [usize; 2],
    talkers: usize,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "pair",
        what: "one socket on each node, a broadcast to both under way",
        event: Event::Broadcast,
        groups: 1,
        members: [1, 1],
        talkers: 1,
    },
    Scenario {
        name: "all",
        what: "500 sockets on each node, one broadcast to all under way",
        event: Event::Broadcast,
        groups: 1,
        members: [500, 500],
        talkers: 1,
    },
    Scenario {
        name: "all-w8",
        what: "the same, eight under way",
        event: Event::Broadcast,
        groups: 1,
        members: [500, 500],
        talkers: 8,
    },
    Scenario {
        name: "rooms10",
        what: "10 rooms of 50 sockets on each node, in each room one talks",
        event: Event::Room,
        groups: 10,
        members: [50, 50],
        talkers: 1,
    },
    Scenario {
        name: "rooms100",
        what: "100 rooms of 5 sockets on each node, in each room one talks",
        event: Event::Room,
        groups: 100,
        members: [5, 5],
        talkers: 1,
    },
    Scenario {
        name: "elsewhere",
        what: "100 rooms of 10 sockets on the first node alone, in each room one talks",
        event: Event::Room,
        groups: 100,
        members: [10, 0],
        talkers: 1,
    },
];

const METRICS: [(&str, &str); 7] = [
    ("cpu", "CPU µs a delivery, both nodes"),
    ("message", "CPU µs a message, both nodes"),
    ("first", "of these, the node that is told"),
    ("second", "of these, the other"),
    ("redis", "CPU µs a message, Redis"),
    ("load", "CPU µs a delivery, the load"),
    ("rate", "deliveries a second"),
];

pub(crate) fn wires(names: Option<&str>) -> Vec<String> {
    let names = names.map_or_else(|| WIRES.to_vec(), |names| names.split(',').collect());
    names.into_iter().map(str::to_owned).collect()
}

/// Those that are named, or all.
pub(crate) fn chosen(names: Option<&str>) -> io::Result<Vec<Scenario>> {
    let Some(names) = names else {
        return Ok(SCENARIOS.to_vec());
    };
    let named = |name: &str| {
        let known = SCENARIOS.iter().find(|scenario| scenario.name == name);
        known.ok_or_else(|| io::Error::other(format!("no scenario is called {name}")))
    };
    names.split(',').map(|name| named(name).copied()).collect()
}

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let machine = machine("both nodes", "load and Redis")?;
    cores::raise_descriptors()?;
    println!("building both kinds");
    let ours = Program {
        arguments: vec![builds::ours_on_redis()?],
        compiles_while_it_runs: false,
    };
    let kinds = [("ours", ours), ("node", Peer::Node.build()?)];
    cores::pin_to_load()?;
    let mut rows = Rows::open(&builds::target().join("cluster.tsv"), options.resume)?;
    let mut failures = Vec::new();
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        for wire in &options.wires {
            for scenario in &options.scenarios {
                let title = format!("{wire} {}", scenario.name);
                // Another one begins each time.
                for number in 0..kinds.len() {
                    let (kind, program) = &kinds[(round + number) % kinds.len()];
                    if rows.has(round, &title, kind) {
                        continue;
                    }
                    match scenario.measure(program, wire, options.duration) {
                        Ok(measured) => {
                            rows.add(round, &title, kind, &measured)?;
                            say(&title, kind, &measured);
                        }
                        Err(error) => {
                            let failure =
                                format!("{title} by {kind} in round {}: {error}", round + 1);
                            eprintln!("  FAILED: {failure}");
                            failures.push(failure);
                        }
                    }
                }
            }
        }
    }
    write(&options.into, &report(options, &rows, &machine, &failures))?;
    match failures.is_empty() {
        true => Ok(()),
        false => Err(io::Error::other("not everything was measured")),
    }
}

fn say(title: &str, kind: &str, measured: &[Measured]) {
    let one = |measured: &Measured| format!("{:>9} {}", figure(measured.value), measured.metric);
    let all: Vec<String> = measured.iter().map(one).collect();
    println!("  {title:<20} {kind:<5} {}", all.join(" "));
}

impl Scenario {
    fn shape(&self) -> Shape {
        Shape {
            event: self.event,
            groups: self.groups,
            members: self.members.iter().sum(),
            senders: self.talkers,
            payload_bytes: PAYLOAD_BYTES,
        }
    }

    fn measure(
        &self,
        program: &Program,
        wire: &str,
        duration: Duration,
    ) -> io::Result<Vec<Measured>> {
        let redis = Redis::start()?;
        let environment = [("REDIS", &*redis.url()), ("WIRE", wire)];
        let nodes = [
            program.start_as(&environment)?,
            program.start_as(&environment)?,
        ];
        let at = |node: usize| nodes[node].address;
        let pair = SCENARIOS[0].shape();
        meet(&mut connect(pair.sockets(), at)?, pair)?;
        let shape = self.shape();
        let node_of = |socket: usize| usize::from(socket % shape.members >= self.members[0]);
        let mut sockets = connect(shape.sockets(), |socket| at(node_of(socket)))?;
        if self.event == Event::Room {
            join(&mut sockets, shape)?;
            meet(&mut sockets, shape)?;
        }
        let mut talk = Talk::new(shape);
        talk.run(&mut sockets, Length::For(warm(program, duration)))?;
        let spent = || {
            let [first, second] = [nodes[0].process.cpu()?, nodes[1].process.cpu()?];
            let (redis, load) = (redis.process.cpu()?, kernel::cpu(std::process::id())?);
            io::Result::Ok([first, second, redis, load])
        };
        let before = spent()?;
        let heard = talk.run(&mut sockets, Length::For(duration))?;
        let after = spent()?;
        let micros = |of: usize| (after[of] - before[of]).as_secs_f64() * 1e6;
        let deliveries = heard.deliveries as f64;
        let messages = deliveries / shape.members as f64;
        let both = micros(0) + micros(1);
        let values = [
            both / deliveries,
            both / messages,
            micros(0) / messages,
            micros(1) / messages,
            micros(2) / messages,
            micros(3) / deliveries,
            deliveries / heard.elapsed.as_secs_f64(),
        ];
        let measured = METRICS.iter().zip(values);
        Ok(measured
            .map(|(&(metric, _), value)| Measured { metric, value })
            .collect())
    }
}

fn connect(count: usize, address: impl Fn(usize) -> std::net::SocketAddr) -> io::Result<Sockets> {
    Sockets::connect_as(count, address, |_| UPGRADE.to_vec())
}

/// Talks until the last member of each group hears the first: what its node subscribes to may still be on its way.
fn meet(sockets: &mut Sockets, shape: Shape) -> io::Result<()> {
    const QUIET: Duration = Duration::from_millis(20);
    let began = Instant::now();
    let mut meets = vec![false; shape.groups];
    while meets.contains(&false) {
        if began.elapsed() > PATIENCE {
            return Err(io::Error::other("the nodes do not hear each other"));
        }
        for (group, _) in meets.iter().enumerate().filter(|(_, meets)| !**meets) {
            let (said, _) = frames(shape.event, group, "?");
            sockets.say(group * shape.members, &said)?;
        }
        while sockets.turn(QUIET, |_, socket, _| {
            meets[socket / shape.members] |= (socket + 1) % shape.members == 0;
            Ok(())
        })? {}
    }
    // When this is there, nothing of what was said before is on its way.
    let (_, last) = frames(shape.event, 0, "!");
    for group in 0..shape.groups {
        let (said, _) = frames(shape.event, group, "!");
        sockets.say(group * shape.members, &said)?;
    }
    let mut missing = shape.sockets();
    while missing > 0 {
        let some = sockets.turn(PATIENCE, |_, _, frame| {
            missing -= usize::from(frame == last);
            Ok(())
        })?;
        if !some {
            return Err(io::Error::other("a node has become deaf"));
        }
    }
    Ok(())
}

/// A Redis that nobody else uses and that keeps no file; it ends with this.
struct Redis {
    process: Process,
    port: u16,
}

impl Redis {
    fn start() -> io::Result<Self> {
        let port = free_port()?;
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut process = Process::start(&mut command)?;
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = process.child.try_wait()? {
                return Err(io::Error::other(format!("redis-server ended: {status}")));
            }
            if began.elapsed() > PATIENCE {
                return Err(io::Error::other("redis-server does not listen"));
            }
        }
        Ok(Self { process, port })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

fn report(options: &Options, rows: &Rows, machine: &str, failures: &[String]) -> String {
    let packages = [
        "socket.io",
        "ws",
        "@socket.io/redis-adapter",
        "@socket.io/redis-streams-adapter",
        "redis",
    ];
    let command: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let mut report = format!(
        "# A cluster of two, measured\n\n{machine}\n\n- ours: {}\n- node: {}, Node {}\n- {}\n\n`cargo bench --no-default-features --bench load -- {}`\n\n",
        Peer::Ours.versions(),
        packages.map(|name| npm_version("node", name)).join(", "),
        builds::version("node"),
        builds::version("redis-server"),
        command.join(" "),
    );
    report += &format!(
        "Two nodes of a kind on one Redis, {PAYLOAD_BYTES} B a message, every delivery checked. Who talks is on the first node.\n"
    );
    report += &format!(
        "Medians (least to most) of {} rounds; the ratio is taken within each round.\n",
        options.rounds
    );
    for wire in &options.wires {
        report += &format!(
            "\n## `{wire}`\n\n| | | ours | Node | ours by Node's |\n|---|---|---|---|---|\n"
        );
        for scenario in &options.scenarios {
            let title = format!("{wire} {}", scenario.name);
            let mut name = scenario.name;
            for (metric, what) in METRICS {
                let of = |kind: &str| {
                    let values = rows.values(&title, kind, metric);
                    let values = values.into_iter().map(|(_, value)| value);
                    cell(values, options.rounds).unwrap_or_else(|| "–".to_owned())
                };
                let ratio = cell(
                    rows.ratios(&title, metric, ["ours", "node"]),
                    options.rounds,
                );
                report += &format!(
                    "| {name} | {what} | {} | {} | {} |\n",
                    of("ours"),
                    of("node"),
                    ratio.unwrap_or_else(|| "–".to_owned()),
                );
                name = "";
            }
        }
    }
    report.push('\n');
    for scenario in &options.scenarios {
        report += &format!("- `{}`: {}\n", scenario.name, scenario.what);
    }
    for failure in failures {
        report += &format!("\nMissing: {failure}\n");
    }
    report
}
