//! All servers side by side: in each round each scenario, in each scenario each server, in turn.
//!
//! So what else happens on the machine happens to all of them, and ratios are taken within a round.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::builds;
use crate::cores;
use crate::peers::{Peer, Program};
use crate::rows::{Rows, Spread};
use crate::scenarios::{self, METRICS, Scenario, warm};

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) peers: Vec<Peer>,
    /// How long each scenario that is timed is measured.
    pub(crate) duration: Duration,
    pub(crate) resume: bool,
    pub(crate) into: PathBuf,
}

/// What a process needs of descriptors besides its sockets; ours keeps 64 back.
const DESCRIPTORS_BESIDES: u64 = 100;

pub(crate) fn run(options: &Options) -> io::Result<()> {
    let machine = machine("server", "load")?;
    let descriptors = cores::raise_descriptors()?;
    let mut left_out = Vec::new();
    let mut programs: Vec<(Peer, Program)> = Vec::new();
    for peer in &options.peers {
        println!("building {}", peer.name());
        match peer.build() {
            Ok(program) => programs.push((peer.clone(), program)),
            Err(error) => left_out.push(format!("{}: {error}", peer.name())),
        }
    }
    cores::pin_to_load()?;
    let mut rows = Rows::open(&builds::target().join("rows.tsv"), options.resume)?;
    let mut plan = Vec::new();
    for round in 0..options.rounds {
        for scenario in &options.scenarios {
            if scenario.sockets() as u64 + DESCRIPTORS_BESIDES > descriptors {
                if round == 0 {
                    left_out.push(format!(
                        "{}: {descriptors} descriptors are too few",
                        scenario.name
                    ));
                }
                continue;
            }
            // Another one begins each time.
            for number in 0..programs.len() {
                let (peer, program) = &programs[(round + number) % programs.len()];
                let takes_part = peer.takes_part(scenario, round);
                if takes_part && !rows.has(round, scenario.name, &peer.name()) {
                    plan.push((round, scenario, peer, program));
                }
            }
        }
    }
    let mut left: Duration = plan
        .iter()
        .map(|step| expected(step.1, step.2, step.3, options))
        .sum();
    println!(
        "{} measurements, about {:.1} minutes",
        plan.len(),
        left.as_secs_f64() / 60.0
    );
    let mut began_round = None;
    for (round, scenario, peer, program) in plan {
        if began_round != Some(round) {
            began_round = Some(round);
            println!(
                "round {} of {}, about {:.1} minutes left",
                round + 1,
                options.rounds,
                left.as_secs_f64() / 60.0
            );
        }
        let began = Instant::now();
        match scenario.measure(program, options.duration) {
            Ok(measured) => {
                rows.add(round, scenario.name, &peer.name(), &measured)?;
                let mut line = format!("  {:<14} {:<8}", scenario.name, peer.name());
                for measured in measured {
                    write!(line, " {:>9} {}", figure(measured.value), measured.metric)
                        .expect("a String takes it");
                }
                println!("{line} ({:.1} s)", began.elapsed().as_secs_f64());
            }
            Err(error) => {
                let error = format!(
                    "{} by {} in round {}: {error}",
                    scenario.name,
                    peer.name(),
                    round + 1
                );
                eprintln!("  FAILED: {error}");
                left_out.push(error);
            }
        }
        left = left.saturating_sub(expected(scenario, peer, program, options));
    }
    let mut report = tables(options, &rows);
    for reason in &left_out {
        report += &format!("\nMissing: {reason}\n");
    }
    print!("\n{report}");
    let command: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let mut servers = String::new();
    for (peer, _) in &programs {
        writeln!(servers, "- {}: {}", peer.name(), peer.versions()).expect("a String takes it");
    }
    let head = format!(
        "# Load, measured\n\n{machine}\n\n{servers}\n`cargo bench --no-default-features --bench load -- {}`\n\n",
        command.join(" ")
    );
    write(&options.into, &(head + &report))?;
    if left_out.is_empty() {
        return Ok(());
    }
    Err(io::Error::other("not everything was measured"))
}

pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(text.as_bytes())?;
    println!("written to {}", path.display());
    Ok(())
}

/// How long one measurement takes, roughly: to say so beforehand.
fn expected(scenario: &Scenario, peer: &Peer, program: &Program, options: &Options) -> Duration {
    let (start, connect) = peer.expected();
    let sockets = u32::try_from(scenario.sockets()).unwrap_or(u32::MAX);
    let starts = u32::try_from(scenario.starts()).unwrap_or(u32::MAX);
    let closing = Duration::from_micros(15) * sockets;
    let measured = if scenario.is_timed() {
        options.duration + warm(program, options.duration)
    } else {
        Duration::ZERO
    };
    start * starts + connect * sockets + closing + measured
}

/// Where this runs, what has a core of its own, and how quiet it is.
pub(crate) fn machine(first: &str, second: &str) -> io::Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find(|line| line.starts_with("model name"));
    let model = model
        .and_then(|line| line.split(": ").nth(1))
        .unwrap_or("unknown");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let load = fs::read_to_string("/proc/loadavg")?;
    let busy: f64 = load
        .split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or(f64::NAN);
    if busy > 0.5 {
        println!("this machine is busy with other things (load average {busy})");
    }
    let cores = match cores::pair()? {
        Some((one, other)) => format!("{first} on core {one}, {second} on core {other}"),
        None => format!("{first} and {second} on the one core there is"),
    };
    Ok(format!(
        "{model}, Linux {}, {cores}; load average before it {busy}.",
        kernel.trim()
    ))
}

fn tables(options: &Options, rows: &Rows) -> String {
    let mut report = String::new();
    values(&mut report, options, rows).expect("a String takes it");
    bounds(&mut report, options, rows).expect("a String takes it");
    report
}

fn values(report: &mut String, options: &Options, rows: &Rows) -> std::fmt::Result {
    writeln!(
        report,
        "Medians (least to most), of {} rounds, fewer where it says so.\n",
        options.rounds
    )?;
    let names: Vec<String> = options.peers.iter().map(Peer::name).collect();
    writeln!(report, "| | | {} |", names.join(" | "))?;
    writeln!(report, "|---|---|{}", "---|".repeat(names.len()))?;
    for scenario in &options.scenarios {
        let mut title = scenario.name;
        for (metric, what) in METRICS {
            let cell = |name: &String| {
                let values = rows.values(scenario.name, name, metric);
                cell(values.into_iter().map(|(_, value)| value), options.rounds)
            };
            let cells: Vec<Option<String>> = names.iter().map(cell).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let cells: Vec<String> = cells
                .into_iter()
                .map(|cell| cell.unwrap_or_else(|| "–".to_owned()))
                .collect();
            writeln!(report, "| {title} | {what} | {} |", cells.join(" | "))?;
            title = "";
        }
    }
    writeln!(report)?;
    for scenario in &options.scenarios {
        writeln!(report, "- `{}`: {}", scenario.name, scenario.what)?;
    }
    writeln!(report)
}

fn bounds(report: &mut String, options: &Options, rows: &Rows) -> std::fmt::Result {
    writeln!(
        report,
        "What ours must not exceed. A ratio is taken within each round; then the median of rounds (least to most).\n"
    )?;
    writeln!(report, "| | | bound | measured | |")?;
    writeln!(report, "|---|---|---|---|---|")?;
    for scenario in &options.scenarios {
        for bound in scenario.bounds {
            let ratios: Vec<f64> = match bound.of {
                None => {
                    let ours = rows.values(scenario.name, "ours", bound.metric);
                    ours.into_iter().map(|(_, value)| value).collect()
                }
                Some(peer) => rows.ratios(scenario.name, bound.metric, ["ours", peer]),
            };
            let Some(spread) = Spread::of(ratios) else {
                continue;
            };
            let (_, what) = METRICS
                .iter()
                .find(|(metric, _)| *metric == bound.metric)
                .expect("a bound is on a metric");
            let whose = bound
                .of
                .map_or_else(String::new, |peer| format!(", of {peer}'s"));
            let verdict = if spread.median <= bound.at_most {
                "holds"
            } else {
                "**exceeded**"
            };
            let [median, least, most, at_most] =
                [spread.median, spread.least, spread.most, bound.at_most].map(figure);
            writeln!(
                report,
                "| {} | {what}{whose} | ≤ {at_most} | **{median}** ({least}–{most}) | {verdict} |",
                scenario.name
            )?;
        }
    }
    Ok(())
}

/// The median of what was measured in so many rounds, or in fewer; none of nothing.
pub(crate) fn cell(values: impl IntoIterator<Item = f64>, rounds: usize) -> Option<String> {
    let values: Vec<f64> = values.into_iter().collect();
    let few = if values.len() < rounds {
        format!(", {}×", values.len())
    } else {
        String::new()
    };
    let spread = Spread::of(values)?;
    let [median, least, most] = [spread.median, spread.least, spread.most].map(figure);
    Some(format!("**{median}** ({least}–{most}{few})"))
}

/// Three digits that count.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        1000.0.. => thousands(value),
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Those that are named, or all.
pub(crate) fn chosen(names: Option<&str>) -> io::Result<Vec<Scenario>> {
    names.map_or_else(
        || Ok(scenarios::ALL.to_vec()),
        |names| names.split(',').map(Scenario::named).collect(),
    )
}
