//! The `roomcast` binary: options, logger, data folder, ports, store, run, exit code.
//!
//! The one place where all parts meet; commands from the terminal are in `shell`. What goes wrong before the loop runs is one
//! clear sentence on stderr and an exit code of sysexits(3); a taken port or a bad folder is found out before anything on disk is
//! touched.

mod shell;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use log::LevelFilter;
use roomcast::addresses::Network;
use roomcast::chat::folder::{Folder, FolderError};
use roomcast::chat::{self, Opened, SignUp};
use roomcast::config::Config;
use roomcast::config::chat::Pace;
use roomcast::server::Ports;
use shell::Task;
use simple_logger::SimpleLogger;

/// The operating system refuses something (EX_OSERR).
const OS_ERROR: u8 = 71;
/// Something is configured wrong (EX_CONFIG).
const CONFIG_ERROR: u8 = 78;

/// A chat for a group: one binary, one folder.
#[derive(Debug, Parser)]
#[command(name = "roomcast", version, about)]
struct Options {
    /// Where to listen; may be given more than once.
    #[arg(
        long,
        value_name = "ADDR:PORT",
        env = "ROOMCAST_LISTEN",
        value_delimiter = ',',
        default_value = "127.0.0.1:3000"
    )]
    listen: Vec<SocketAddr>,

    /// The folder that holds everything; made if it is missing.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "ROOMCAST_DATA",
        default_value = "./roomcast-data"
    )]
    data: PathBuf,

    /// A proxy, by address or range (10.0.0.0/8): exempt from the limits of one address, and believed when it says for
    /// whom it speaks (X-Forwarded-For). May be given more than once.
    #[arg(
        long,
        value_name = "ADDR[/BITS]",
        env = "ROOMCAST_TRUSTED_PROXY",
        value_delimiter = ','
    )]
    trusted_proxy: Vec<Network>,

    /// Who may make an account.
    #[arg(
        long,
        value_enum,
        value_name = "WHO",
        env = "ROOMCAST_SIGN_UP",
        default_value = "invite"
    )]
    sign_up: WhoSignsUp,

    /// How much to say: off, error, warn, info, debug or trace.
    #[arg(
        long,
        value_name = "LEVEL",
        env = "ROOMCAST_LOG",
        default_value = "info"
    )]
    log: LevelFilter,

    /// Serve the page from this folder, for working on it.
    #[arg(long, value_name = "DIR", env = "ROOMCAST_PUBLIC")]
    public: Option<PathBuf>,

    /// Without one, the chat is served.
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhoSignsUp {
    /// Whoever has an invite.
    Invite,
    /// Whoever opens the page.
    Open,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    let done = match options.task.take() {
        Some(task) => shell::run(
            task,
            &options.data,
            &page_at(&options.listen),
            unix_millis(),
        ),
        None => run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // If even stderr is closed, the exit code must do.
            writeln!(io::stderr(), "roomcast: {}", failure.why).ok();
            ExitCode::from(failure.code)
        }
    }
}

struct Failure {
    why: String,
    code: u8,
}

fn failure(code: u8, what: impl Display, error: impl Display) -> Failure {
    Failure {
        why: format!("{what}: {error}"),
        code,
    }
}

/// Where the page is that is served at these addresses.
fn page_at(addresses: &[SocketAddr]) -> String {
    let address = addresses.first();
    address.map_or_else(String::new, |address| format!("http://{}", site(*address)))
}

fn run(options: Options) -> Result<(), Failure> {
    SimpleLogger::new()
        .with_level(options.log)
        .with_utc_timestamps()
        .init()
        .map_err(|error| failure(OS_ERROR, "the logger cannot be set up", error))?;
    if let Some(folder) = &options.public {
        check_page(folder)?;
    }
    // From here on nothing on disk is touched before both are ours.
    let (mut ports, addresses) = open_ports(&options.listen, &options.trusted_proxy)?;
    let folder = Folder::open(&options.data).map_err(|error| not_taken(&error))?;
    loop {
        let Opened { server, first_run } = open_chat(&folder, &options, &addresses)?;
        let mut listening = server.on(ports);
        listening
            .handle_signals()
            .map_err(|error| failure(OS_ERROR, "signals cannot be handled", error))?;
        if let Err(error) = listening.also_at(&folder.places().control()) {
            let at = folder.places().control();
            log::warn!("commands cannot be taken at {}: {error}", at.display());
        }
        welcome(&addresses, first_run.as_deref());
        let chat = listening
            .run()
            .map_err(|error| failure(OS_ERROR, "the loop has failed", error))?;
        if let Some(why) = chat.failure() {
            return Err(failure(OS_ERROR, "stopped, so that nothing is lost", why));
        }
        if !chat.is_restoring() {
            return Ok(());
        }
        // Whatever was put in place, everybody finds the chat where it was.
        if let Some(replaced) = folder.settle().map_err(|error| not_taken(&error))? {
            log::info!("the database before is {}", replaced.display());
        }
        ports = open_ports(&addresses, &options.trusted_proxy)?.0;
    }
}

fn not_taken(error: &FolderError) -> Failure {
    Failure {
        why: error.to_string(),
        code: CONFIG_ERROR,
    }
}

fn check_page(folder: &Path) -> Result<(), Failure> {
    if folder.join("index.html").is_file() {
        return Ok(());
    }
    let what = format!("{} is no page", folder.display());
    Err(failure(CONFIG_ERROR, what, "there is no index.html in it"))
}

fn open_ports(
    wanted: &[SocketAddr],
    trusted_proxies: &[Network],
) -> Result<(Ports, Vec<SocketAddr>), Failure> {
    let mut limits = Config::default().reactor;
    limits.trusted_proxies = trusted_proxies.to_vec();
    let named: Vec<_> = wanted.iter().map(ToString::to_string).collect();
    let refused = |error| {
        let what = format!("cannot listen on {}", named.join(", "));
        failure(OS_ERROR, what, error)
    };
    let ports = Ports::open(&limits, wanted).map_err(refused)?;
    let addresses: Result<_, _> = (0..)
        .zip(wanted)
        .map(|(place, _)| ports.address(place))
        .collect();
    Ok((ports, addresses.map_err(refused)?))
}

fn open_chat(
    folder: &Folder,
    options: &Options,
    addresses: &[SocketAddr],
) -> Result<Opened, Failure> {
    let chosen = chat::Options {
        places: folder.places().clone(),
        site: page_at(addresses),
        sign_up: match options.sign_up {
            WhoSignsUp::Invite => SignUp::Invite,
            WhoSignsUp::Open => SignUp::Open,
        },
        public: options.public.clone(),
        trusted_proxies: options.trusted_proxy.clone(),
        at: unix_millis(),
        pace: Pace::default(),
    };
    chat::open(chosen).map_err(|error| {
        let what = format!("{} cannot be opened", folder.db_path().display());
        failure(CONFIG_ERROR, what, error)
    })
}

/// Where to go, on stdout: it is what the program was started for.
fn welcome(addresses: &[SocketAddr], first_run: Option<&str>) {
    let lines = welcome_lines(addresses, first_run);
    // Somebody may have closed stdout: the chat runs all the same.
    io::stdout()
        .write_all(lines.as_bytes())
        .and_then(|()| io::stdout().flush())
        .ok();
}

fn welcome_lines(addresses: &[SocketAddr], first_run: Option<&str>) -> String {
    let mut lines = String::new();
    for address in addresses {
        let site = site(*address);
        match first_run {
            Some(code) => lines.push_str(&format!(
                "Open http://{site}/#/setup/{code} to make the first admin. The code works once, for 30 minutes.\n"
            )),
            None => lines.push_str(&format!("Open http://{site}/\n")),
        }
    }
    let port = addresses.first().map_or(3000, SocketAddr::port);
    if addresses.iter().all(|address| address.ip().is_loopback()) {
        lines.push_str(&format!(
            "Only this machine can open it; add `--listen 0.0.0.0:{port}` for others.\n"
        ));
    } else if addresses
        .iter()
        .any(|address| address.ip().is_unspecified())
    {
        lines.push_str(
            "From other machines, use this machine's name or address instead of localhost.\n",
        );
    }
    lines
}

/// An address as a person can open it: the one that means all of them is no place to go to.
fn site(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "before the loop there is no other clock"
)]
fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn welcomed(addresses: &[&str], first_run: Option<&str>) -> String {
        let addresses: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        welcome_lines(&addresses, first_run)
    }

    #[test]
    fn every_address_that_is_shown_can_be_opened() {
        for (listen, shown) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3000/"),
            ("[::1]:3000", "http://[::1]:3000/"),
            ("192.0.2.7:80", "http://192.0.2.7:80/"),
            ("0.0.0.0:3000", "http://localhost:3000/"),
            ("[::]:3000", "http://localhost:3000/"),
        ] {
            assert!(welcomed(&[listen], None).starts_with(&format!("Open {shown}\n")));
            let setup = format!("Open {shown}#/setup/7KQ2-M4XR ");
            assert!(welcomed(&[listen], Some("7KQ2-M4XR")).starts_with(&setup));
        }
    }

    #[test]
    fn who_else_can_open_it_is_said() {
        let alone = welcomed(&["127.0.0.1:8080", "[::1]:8080"], None);
        assert!(alone.contains("--listen 0.0.0.0:8080"));
        assert!(welcomed(&["127.0.0.1:1", "0.0.0.0:2"], None).contains("name or address"));
        assert_eq!(
            welcomed(&["192.0.2.7:80"], None),
            "Open http://192.0.2.7:80/\n"
        );
    }

    #[test]
    fn the_options_are_sound() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
    }
}
