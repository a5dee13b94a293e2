//! What is measured, and what must come out: each scenario on a server of its own that has done nothing before.

use std::io;
use std::time::{Duration, Instant};

use crate::kernel;
use crate::peers::{Program, Server};
use crate::polling::Polling;
use crate::sockets::Sockets;
use crate::talk::{Event, Heard, Length, Shape, Talk, join};

/// What a scenario does with a server.
#[derive(Clone, Copy)]
pub(crate) enum Does {
    /// From its start to its first byte.
    Start,
    /// So many sockets come, all at once, and say nothing.
    Connect(usize),
    /// The same, and their handshakes are kept whole.
    ConnectWhole(usize),
    /// Says things by WebSocket until time is up.
    Talk(Shape),
    /// Echoes in so many sessions by long-polling.
    Poll(usize),
    /// One socket echoes, and nothing else happens.
    RoundTrip,
    /// One socket echoes beside broadcasts to so many.
    Beside(usize),
}

#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) does: Does,
    /// What must come out of it.
    pub(crate) bounds: &'static [Bound],
}

/// Ours must not be more than this.
#[derive(Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) metric: &'static str,
    /// Of a peer's value in the same round, or as it is.
    pub(crate) of: Option<&'static str>,
    pub(crate) at_most: f64,
}

/// A number, and what it counts.
pub(crate) struct Measured {
    pub(crate) metric: &'static str,
    pub(crate) value: f64,
}

/// Metrics with what they are called in a table, in order; none is there for every scenario.
pub(crate) const METRICS: &[(&str, &str)] = &[
    ("start", "ms to the first byte"),
    ("private", "private bytes a socket"),
    ("resident", "resident bytes a socket"),
    ("connect", "CPU µs a connect"),
    ("connects", "connects a second"),
    ("cpu", "CPU µs a delivery"),
    ("rate", "deliveries a second"),
    ("load", "CPU µs a delivery, of the load"),
    ("p50", "µs, p50"),
    ("p99", "µs, p99"),
    ("most", "µs at most"),
];

pub(crate) const PAYLOAD_BYTES: usize = 64;
const PAYLOAD_BYTES_LARGE: usize = 1024;
const STARTS: usize = 11;

const fn of(peer: &'static str, metric: &'static str, at_most: f64) -> Bound {
    let of = Some(peer);
    Bound {
        metric,
        of,
        at_most,
    }
}

const fn shape(
    event: Event,
    (groups, members, senders): (usize, usize, usize),
    payload_bytes: usize,
) -> Does {
    Does::Talk(Shape {
        event,
        groups,
        members,
        senders,
        payload_bytes,
    })
}

const BROADCAST_1K: &[Bound] = &[of("floor", "cpu", 1.10), of("oxide", "cpu", 0.65)];
const BROADCAST_10K: &[Bound] = &[of("floor", "cpu", 1.10), of("oxide", "cpu", 0.47)];
const CONNECT: &[Bound] = &[
    Bound {
        metric: "private",
        of: None,
        at_most: 600.0,
    },
    of("oxide", "connect", 0.30),
];

pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "start",
        what: "from its start to the first byte of an answer",
        does: Does::Start,
        bounds: &[of("floor", "start", 1.20)],
    },
    Scenario {
        name: "idle10k",
        what: "10,000 sockets connect and are idle",
        does: Does::Connect(10_000),
        bounds: CONNECT,
    },
    Scenario {
        name: "idle10k-whole",
        what: "the same, with `handshake_kept: Whole`; ours alone",
        does: Does::ConnectWhole(10_000),
        bounds: &[],
    },
    Scenario {
        name: "idle19k",
        what: "19,000 sockets connect and are idle",
        does: Does::Connect(19_000),
        bounds: CONNECT,
    },
    Scenario {
        name: "echo100",
        what: "100 sockets echo 64 B",
        does: shape(Event::Echo, (100, 1, 1), PAYLOAD_BYTES),
        bounds: &[
            of("floor", "cpu", 1.10),
            of("oxide", "cpu", 0.70),
            of("node", "cpu", 1.0 / 3.0),
        ],
    },
    Scenario {
        name: "echo1k",
        what: "1,000 sockets echo 64 B",
        does: shape(Event::Echo, (1000, 1, 1), PAYLOAD_BYTES),
        bounds: &[
            of("floor", "cpu", 1.10),
            of("oxide", "cpu", 0.50),
            of("node", "cpu", 1.0 / 3.0),
        ],
    },
    Scenario {
        name: "bcast1k",
        what: "broadcasts of 64 B to 1,000 sockets, one under way",
        does: shape(Event::Broadcast, (1, 1000, 1), PAYLOAD_BYTES),
        bounds: BROADCAST_1K,
    },
    Scenario {
        name: "bcast1k-1024",
        what: "broadcasts of 1,024 B to 1,000 sockets, one under way",
        does: shape(Event::Broadcast, (1, 1000, 1), PAYLOAD_BYTES_LARGE),
        bounds: BROADCAST_1K,
    },
    Scenario {
        name: "bcast10k",
        what: "broadcasts of 64 B to 10,000 sockets, one under way",
        does: shape(Event::Broadcast, (1, 10_000, 1), PAYLOAD_BYTES),
        bounds: BROADCAST_10K,
    },
    Scenario {
        name: "bcast10k-1024",
        what: "broadcasts of 1,024 B to 10,000 sockets, one under way",
        does: shape(Event::Broadcast, (1, 10_000, 1), PAYLOAD_BYTES_LARGE),
        bounds: BROADCAST_10K,
    },
    Scenario {
        name: "w8",
        what: "broadcasts of 64 B to 1,000 sockets, eight under way",
        does: shape(Event::Broadcast, (1, 1000, 8), PAYLOAD_BYTES),
        bounds: &[of("floor", "cpu", 0.30), of("oxide", "cpu", 0.50)],
    },
    Scenario {
        name: "rooms",
        what: "1,000 sockets in rooms of 10, each sending 64 B to its own",
        does: shape(Event::Room, (100, 10, 10), PAYLOAD_BYTES),
        bounds: &[of("floor", "cpu", 0.22), of("oxide", "cpu", 0.30)],
    },
    Scenario {
        name: "polling",
        what: "100 sessions by long-polling echo 64 B",
        does: Does::Poll(100),
        bounds: &[of("oxide", "cpu", 0.60), of("node", "cpu", 0.22)],
    },
    Scenario {
        name: "roundtrip",
        what: "one socket echoes 64 B, and nothing else happens",
        does: Does::RoundTrip,
        bounds: &[of("floor", "p50", 1.10), of("floor", "p99", 1.10)],
    },
    Scenario {
        name: "fairness",
        what: "one socket echoes 64 B while 64 B are broadcast to 10,000 without a pause",
        does: Does::Beside(10_000),
        bounds: &[],
    },
];

impl Scenario {
    pub(crate) fn named(name: &str) -> io::Result<Self> {
        let known = ALL.iter().find(|scenario| scenario.name == name);
        known
            .copied()
            .ok_or_else(|| io::Error::other(format!("no scenario is called {name}")))
    }

    pub(crate) fn sockets(&self) -> usize {
        match self.does {
            Does::Start => 0,
            Does::Connect(count) | Does::ConnectWhole(count) | Does::Beside(count) => count,
            Does::Talk(shape) => shape.sockets(),
            Does::Poll(sessions) => 2 * sessions,
            Does::RoundTrip => 1,
        }
    }

    /// Whether it takes as long as it is told to.
    pub(crate) fn is_timed(&self) -> bool {
        !matches!(
            self.does,
            Does::Start | Does::Connect(_) | Does::ConnectWhole(_)
        )
    }

    pub(crate) fn starts(&self) -> usize {
        match self.does {
            Does::Start => STARTS,
            _ => 1,
        }
    }

    pub(crate) fn measure(
        &self,
        program: &Program,
        duration: Duration,
    ) -> io::Result<Vec<Measured>> {
        if let Does::Start = self.does {
            return starts(program);
        }
        let server = match self.does {
            Does::ConnectWhole(_) => program.start_as(&[("HANDSHAKE", "whole")])?,
            _ => program.start()?,
        };
        let warm = warm(program, duration);
        match self.does {
            Does::Start => unreachable!("it has returned"),
            Does::Connect(count) | Does::ConnectWhole(count) => connects(&server, count),
            Does::Talk(shape) => {
                let mut sockets = Sockets::connect(server.address, shape.sockets())?;
                if shape.event == Event::Room {
                    join(&mut sockets, shape)?;
                }
                let mut talk = Talk::new(shape);
                per_delivery(&server, warm, duration, |length| {
                    talk.run(&mut sockets, length)
                })
            }
            Does::Poll(sessions) => {
                let mut polling = Polling::connect(server.address, sessions, PAYLOAD_BYTES)?;
                per_delivery(&server, warm, duration, |length| polling.run(length))
            }
            Does::RoundTrip => {
                let one = Shape {
                    event: Event::Echo,
                    groups: 1,
                    members: 1,
                    senders: 1,
                    payload_bytes: PAYLOAD_BYTES,
                };
                let mut sockets = Sockets::connect(server.address, 1)?;
                times(Talk::new(one).timed(), &mut sockets, warm, duration)
            }
            Does::Beside(members) => {
                let mut sockets = Sockets::connect(server.address, members)?;
                sockets.watch(members - 1);
                let talk = Talk::beside_a_broadcast(members, PAYLOAD_BYTES);
                times(talk, &mut sockets, warm, duration)
            }
        }
    }
}

fn starts(program: &Program) -> io::Result<Vec<Measured>> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(program.start()?.answered_after);
    }
    times.sort_unstable();
    Ok(vec![Measured {
        metric: "start",
        value: times[STARTS / 2].as_secs_f64() * 1e3,
    }])
}

fn connects(server: &Server, count: usize) -> io::Result<Vec<Measured>> {
    // One has come and gone: what the first one makes is there.
    let (memory, cpu) = (server.process.memory()?, server.process.cpu()?);
    let began = Instant::now();
    let sockets = Sockets::connect(server.address, count)?;
    let elapsed = began.elapsed();
    let (with, spent) = (server.process.memory()?, server.process.cpu()? - cpu);
    drop(sockets);
    let count = count as f64;
    let each = |with: u64, without: u64| (with as f64 - without as f64) / count;
    Ok(vec![
        Measured {
            metric: "private",
            value: each(with.private_bytes, memory.private_bytes),
        },
        Measured {
            metric: "resident",
            value: each(with.resident_bytes, memory.resident_bytes),
        },
        Measured {
            metric: "connect",
            value: spent.as_secs_f64() * 1e6 / count,
        },
        Measured {
            metric: "connects",
            value: count / elapsed.as_secs_f64(),
        },
    ])
}

/// How long it runs before it is measured.
pub(crate) fn warm(program: &Program, duration: Duration) -> Duration {
    if program.compiles_while_it_runs {
        duration
    } else {
        duration / 3
    }
}

pub(crate) fn per_delivery(
    server: &Server,
    warm: Duration,
    duration: Duration,
    mut run: impl FnMut(Length) -> io::Result<Heard>,
) -> io::Result<Vec<Measured>> {
    run(Length::For(warm))?;
    let load = std::process::id();
    let before = (server.process.cpu()?, kernel::cpu(load)?);
    let heard = run(Length::For(duration))?;
    let after = (server.process.cpu()?, kernel::cpu(load)?);
    let deliveries = heard.deliveries as f64;
    let each = |spent: Duration| spent.as_secs_f64() * 1e6 / deliveries;
    Ok(vec![
        Measured {
            metric: "cpu",
            value: each(after.0 - before.0),
        },
        Measured {
            metric: "rate",
            value: deliveries / heard.elapsed.as_secs_f64(),
        },
        Measured {
            metric: "load",
            value: each(after.1 - before.1),
        },
    ])
}

/// The same, for those whose messages are timed.
fn times(
    mut talk: Talk,
    sockets: &mut Sockets,
    warm: Duration,
    duration: Duration,
) -> io::Result<Vec<Measured>> {
    talk.run(sockets, Length::For(warm))?;
    talk.times.clear();
    talk.run(sockets, Length::For(duration))?;
    let mut times = talk.times;
    times.sort_unstable();
    let at = |hundredths: usize| {
        let place = (times.len() * hundredths).div_ceil(100).saturating_sub(1);
        let time = times.get(place);
        time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    };
    let measured = [("p50", 50), ("p99", 99), ("most", 100)];
    Ok(measured
        .map(|(metric, hundredths)| Measured {
            metric,
            value: at(hundredths),
        })
        .into())
}
