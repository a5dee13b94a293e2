//! Instructions that the server itself takes for a delivery, and how often it asks for memory: both repeat, however busy
//! the machine is. The kernel's part is not among them.
//!
//! Under callgrind, in rounds: the server is stopped while all senders send, so that it finds the same before it each
//! time, and goes on until all is delivered. What a few rounds took is subtracted from what many took: starting,
//! connecting and growing are gone then.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::builds;
use crate::compare::figure;
use crate::cores;
use crate::peers::{Program, Server};
use crate::polling::Polling;
use crate::scenarios::{Does, PAYLOAD_BYTES, Scenario};
use crate::sockets::Sockets;
use crate::talk::{Event, Talk, join};

const SCENARIOS: [&str; 5] = ["echo100", "bcast1k", "w8", "rooms", "polling"];
const ROUNDS_FEW: u64 = 10;
const ROUNDS_MANY: u64 = 50;
const TABLE: &str = "benches/INSTRUCTIONS.md";

/// What callgrind counted in a whole run.
#[derive(Clone, Copy)]
struct Counted {
    instructions: u64,
    allocations: u64,
    deliveries: u64,
}

pub(crate) fn run(only: Option<&str>, append: bool) -> io::Result<()> {
    if append && only.is_some() {
        return Err(io::Error::other("a row has all scenarios"));
    }
    cores::raise_descriptors()?;
    let server = builds::ours("profiling")?;
    let folder = builds::target().join("callgrind");
    fs::create_dir_all(&folder)?;
    cores::pin_to_load()?;
    let mut row = format!("| {} |", builds::commit()?);
    for name in SCENARIOS {
        if only.is_some_and(|only| !only.split(',').any(|other| other == name)) {
            continue;
        }
        let scenario = Scenario::named(name)?;
        let few = count(&server, &folder.join("few"), scenario, ROUNDS_FEW)?;
        let kept = folder.join(name);
        let many = count(&server, &kept, scenario, ROUNDS_MANY)?;
        let deliveries = (many.deliveries - few.deliveries) as f64;
        let instructions = many.instructions.saturating_sub(few.instructions) as f64 / deliveries;
        let allocations = many.allocations.saturating_sub(few.allocations) as f64 / deliveries;
        println!(
            "{name:<10} {:>8} instructions and {allocations:.3} allocations for one of {deliveries} deliveries; callgrind_annotate {}",
            figure(instructions),
            kept.display()
        );
        write!(row, " {} | {allocations:.2} |", figure(instructions)).expect("a String takes it");
    }
    if append {
        let table = builds::root().join(TABLE);
        let text = fs::read_to_string(&table)?;
        fs::write(&table, format!("{}\n{row}\n", text.trim_end()))?;
    }
    Ok(())
}

fn count(server: &Path, into: &Path, scenario: Scenario, rounds: u64) -> io::Result<Counted> {
    let program = Program {
        arguments: vec![
            "valgrind".into(),
            "--quiet".into(),
            "--tool=callgrind".into(),
            // Names in full, wherever they occur.
            "--compress-strings=no".into(),
            PathBuf::from(format!("--callgrind-out-file={}", into.display())),
            server.to_owned(),
        ],
        compiles_while_it_runs: false,
    };
    let mut server = program.start()?;
    let process = i32::try_from(server.process.child.id())
        .ok()
        .and_then(Pid::from_raw);
    let process = process.expect("a child has an id");
    let mut deliveries = 0;
    match scenario.does {
        Does::Talk(shape) => {
            let mut sockets = Sockets::connect(server.address, shape.sockets())?;
            if shape.event == Event::Room {
                join(&mut sockets, shape)?;
            }
            let mut talk = Talk::new(shape);
            for _ in 0..rounds {
                stop(&server, process)?;
                deliveries += talk.round(&mut sockets, || go_on(process))?.deliveries;
            }
        }
        Does::Poll(sessions) => {
            let mut polling = Polling::connect(server.address, sessions, PAYLOAD_BYTES)?;
            for _ in 0..rounds {
                stop(&server, process)?;
                deliveries += polling.round(|| go_on(process))?.deliveries;
            }
        }
        Does::Start
        | Does::Connect(_)
        | Does::ConnectWhole(_)
        | Does::RoundTrip
        | Does::Beside(_) => {
            return Err(io::Error::other(format!(
                "{} is not counted",
                scenario.name
            )));
        }
    }
    wait_for(&server, 'S')?;
    kill_process(process, Signal::TERM)?;
    server.process.child.wait()?;
    let counted = fs::read_to_string(into)?;
    let instructions = counted
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    let instructions = instructions.and_then(|total| total.trim().parse().ok());
    Ok(Counted {
        instructions: instructions.ok_or_else(|| io::Error::other("callgrind says no total"))?,
        allocations: calls(&counted, &["malloc", "calloc", "realloc", "posix_memalign"]),
        deliveries,
    })
}

/// Stops the server where it waits for something to happen.
fn stop(server: &Server, process: Pid) -> io::Result<()> {
    wait_for(server, 'S')?;
    kill_process(process, Signal::STOP)?;
    wait_for(server, 'T')
}

fn go_on(process: Pid) -> io::Result<()> {
    Ok(kill_process(process, Signal::CONT)?)
}

fn wait_for(server: &Server, state: char) -> io::Result<()> {
    while server.process.state()? != state {
        std::thread::yield_now();
    }
    Ok(())
}

/// How often these were called, by callgrind's file: `cfn=` names who is called, the next line how often.
fn calls(counted: &str, names: &[&str]) -> u64 {
    let mut calls: HashMap<&str, u64> = HashMap::new();
    let mut callee = "";
    for line in counted.lines() {
        if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if let Some(rest) = line.strip_prefix("calls=") {
            let count = rest
                .split(' ')
                .next()
                .and_then(|count| count.parse::<u64>().ok());
            *calls.entry(callee).or_default() += count.unwrap_or(0);
        }
    }
    names.iter().filter_map(|name| calls.get(name)).sum()
}
