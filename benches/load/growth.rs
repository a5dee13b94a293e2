//! How costs grow with numbers: members of a broadcast, sockets that echo, rooms, idle sockets. Ours alone, as tables and
//! pictures, and what a million would take by the cost of one.
//!
//! Each point is a server of its own. Points are kept in a file as they come, so a run that was cut short can go on.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::builds;
use crate::chart::{Chart, Line};
use crate::compare::{figure, machine, thousands, write};
use crate::cores;
use crate::frames::masked;
use crate::peers::{Peer, Program};
use crate::rows::{Rows, Spread};
use crate::scenarios::{Does, Measured, PAYLOAD_BYTES, Scenario, per_delivery, warm};
use crate::sockets::Sockets;
use crate::talk::{Event, Shape, Talk, join};

pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// How long each point that is timed is measured.
    pub(crate) duration: Duration,
    pub(crate) resume: bool,
    pub(crate) into: PathBuf,
}

/// What grows, and what is looked at meanwhile.
struct Curve {
    name: &'static str,
    what: &'static str,
    /// What is counted along the bottom.
    along: &'static str,
    points: &'static [usize],
    /// Metrics with what they are called.
    metrics: &'static [(&'static str, &'static str)],
}

const PER_DELIVERY: &[(&str, &str)] = &[
    ("cpu", "CPU µs a delivery"),
    ("rate", "deliveries a second"),
];

const CURVES: [Curve; 4] = [
    Curve {
        name: "members",
        what: "broadcasts of 64 B, one under way",
        along: "members",
        points: &[10, 100, 1000, 5000, 10_000, 19_000],
        metrics: PER_DELIVERY,
    },
    Curve {
        name: "echo",
        what: "sockets that echo 64 B",
        along: "sockets",
        points: &[10, 100, 1000, 5000, 10_000, 19_000],
        metrics: PER_DELIVERY,
    },
    Curve {
        name: "rooms",
        what: "a thousand sockets, of which up to a hundred rooms of ten talk; the other rooms are there",
        along: "rooms",
        points: &[1, 10, 100, 1000, 10_000, 100_000],
        metrics: PER_DELIVERY,
    },
    Curve {
        name: "idle",
        what: "sockets connect and are idle",
        along: "sockets",
        points: &[1000, 2000, 5000, 10_000, 19_000],
        metrics: &[
            ("private", "private bytes a socket"),
            ("connect", "CPU µs a connect"),
        ],
    },
];

const SOCKETS: usize = 1000;
const MEMBERS: usize = 10;

/// What the kernel keeps for one end of an idle connection.
const KERNEL_BYTES: f64 = 4.9 * 1024.0;
/// From one heartbeat to the next, as configured by default.
const HEARTBEAT_SECONDS: f64 = 25.0;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let machine = machine("server", "load")?;
    cores::raise_descriptors()?;
    let (ours, versions) = (Peer::Ours, Peer::Ours.versions());
    let program = ours.build()?;
    cores::pin_to_load()?;
    let mut rows = Rows::open(&builds::target().join("growth.tsv"), options.resume)?;
    for round in 0..options.rounds {
        for curve in &CURVES {
            for &point in curve.points {
                let name = format!("{}-{point}", curve.name);
                if rows.has(round, &name, "ours") {
                    continue;
                }
                let measured = curve.measure(&program, point, options.duration)?;
                rows.add(round, &name, "ours", &measured)?;
                let all = measured.iter();
                let all = all.map(|one| format!(" {:>9} {}", figure(one.value), one.metric));
                println!(
                    "{} of {}  {name:<14}{}",
                    round + 1,
                    options.rounds,
                    all.collect::<String>()
                );
            }
        }
    }
    let folder = options.into.with_extension("");
    fs::create_dir_all(&folder)?;
    let pictures = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut report = format!(
        "# Growth, measured\n\n{machine}\n\n{versions}\n\nMedians of {rounds} rounds: `cargo bench --no-default-features --bench load -- growth --rounds {rounds} --seconds {}`.\n",
        options.duration.as_secs_f64(),
        rounds = options.rounds,
    );
    for curve in &CURVES {
        curve.draw(&rows, &folder)?;
        curve.tell(&mut report, &rows, &pictures);
    }
    million(&mut report, &rows);
    print!("\n{report}");
    write(&options.into, &report)
}

impl Curve {
    fn measure(
        &self,
        program: &Program,
        point: usize,
        duration: Duration,
    ) -> io::Result<Vec<Measured>> {
        let shape = |event, groups, members| Shape {
            event,
            groups,
            members,
            senders: 1,
            payload_bytes: PAYLOAD_BYTES,
        };
        let does = match self.name {
            "members" => Does::Talk(shape(Event::Broadcast, 1, point)),
            "echo" => Does::Talk(shape(Event::Echo, point, 1)),
            "idle" => Does::Connect(point),
            _ => return rooms(program, point, duration),
        };
        let scenario = Scenario {
            name: self.name,
            what: self.what,
            does,
            bounds: &[],
        };
        scenario.measure(program, duration)
    }

    fn median(&self, rows: &Rows, point: usize, metric: &str) -> Option<f64> {
        let values = rows.values(&format!("{}-{point}", self.name), "ours", metric);
        Spread::of(values.into_iter().map(|(_, value)| value)).map(|spread| spread.median)
    }

    fn draw(&self, rows: &Rows, folder: &Path) -> io::Result<()> {
        let lines = self.metrics.iter().map(|(metric, what)| {
            let point = |&point: &usize| Some((point as f64, self.median(rows, point, metric)?));
            Line {
                what,
                points: self.points.iter().filter_map(point).collect(),
            }
        });
        let chart = Chart {
            title: self.what,
            along: self.along,
            lines: lines.collect(),
        };
        fs::write(folder.join(format!("{}.svg", self.name)), chart.svg())
    }

    fn tell(&self, report: &mut String, rows: &Rows, pictures: &str) {
        let Self {
            name, what, along, ..
        } = self;
        *report +=
            &format!("\n## `{name}`: {what}\n\n![{what}]({pictures}/{name}.svg)\n\n| {along} |");
        let points = self.points.iter();
        *report += &points
            .map(|point| format!(" {} |", thousands(*point as f64)))
            .collect::<String>();
        *report += &format!("\n|---|{}\n", "---|".repeat(self.points.len()));
        for (metric, what) in self.metrics {
            let cell = |point: &usize| {
                let median = self.median(rows, *point, metric);
                format!(" {} |", median.map_or_else(|| "–".to_owned(), figure))
            };
            let cells: String = self.points.iter().map(cell).collect();
            writeln!(report, "| {what} |{cells}").expect("a String takes it");
        }
    }
}

/// So many rooms in all: those of the talk, and others that each have one of its sockets for a member.
fn rooms(program: &Program, rooms: usize, duration: Duration) -> io::Result<Vec<Measured>> {
    let server = program.start()?;
    let mut sockets = Sockets::connect(server.address, SOCKETS)?;
    let shape = Shape {
        event: Event::Room,
        groups: rooms.min(SOCKETS / MEMBERS),
        members: MEMBERS,
        senders: MEMBERS,
        payload_bytes: PAYLOAD_BYTES,
    };
    for number in shape.groups..rooms {
        let socket = number % SOCKETS;
        let join = format!("42[\"join\",\"another-{number:06}\"]");
        sockets.say(socket, &masked(join.as_bytes()))?;
    }
    join(&mut sockets, shape)?;
    let mut talk = Talk::new(shape);
    per_delivery(&server, warm(program, duration), duration, |length| {
        talk.run(&mut sockets, length)
    })
}

/// What a million would take, if each costs what the one of the largest number did.
fn million(report: &mut String, rows: &Rows) {
    const MILLION: f64 = 1e6;
    let last = |name: &str, metric: &str| {
        let curve = CURVES.iter().find(|curve| curve.name == name)?;
        curve.median(rows, *curve.points.last()?, metric)
    };
    let (Some(idle), Some(connect), Some(delivery), Some(echo)) = (
        last("idle", "private"),
        last("idle", "connect"),
        last("members", "cpu"),
        last("echo", "cpu"),
    ) else {
        return;
    };
    let kernel = KERNEL_BYTES * MILLION / 1e9;
    let heartbeats = MILLION / HEARTBEAT_SECONDS;
    *report += &format!(
        "\n## A million, calculated\n\n\
         By the cost of one at the largest number above; one loop, on one core. Nobody has measured it: more connections miss more caches,\n\
         and a real network costs other than the loopback, on which the receiver's part is in ours.\n\n\
         | a million | |\n|---|---|\n\
         | idle sockets | {} MB here, and {} GB of the kernel's at 4.9 KB an end |\n\
         | connects | {} s of processor time |\n\
         | a broadcast to all | {} s of processor time |\n\
         | heartbeats every {HEARTBEAT_SECONDS} s | {} a second: {} of a core, at an echo's cost |\n\
         | a message of each in a minute, echoed | {} of a core |\n",
        figure(idle * MILLION / 1e6),
        figure(kernel),
        figure(connect * MILLION / 1e6),
        figure(delivery * MILLION / 1e6),
        figure(heartbeats),
        figure(heartbeats * echo / 1e6),
        figure(MILLION / 60.0 * echo / 1e6),
    );
}
