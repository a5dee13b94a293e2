//! The `roomcast` binary: options, logger, data folder, ports, store, run, exit code.
//!
//! The one place where all parts meet. What goes wrong before the loop runs is one clear sentence on stderr and an exit code
//! of sysexits(3); a taken port or a bad folder is found out before anything on disk is touched.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, ValueEnum};
use log::LevelFilter;
use roomcast::chat::folder::Folder;
use roomcast::chat::{self, Opened, SignUp};
use roomcast::config::Config;
use roomcast::server::Ports;
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
        value_name = "DIR",
        env = "ROOMCAST_DATA",
        default_value = "./roomcast-data"
    )]
    data: PathBuf,

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
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum WhoSignsUp {
    /// Whoever has an invite.
    Invite,
    /// Whoever opens the page.
    Open,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(options) {
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

fn run(options: Options) -> Result<(), Failure> {
    SimpleLogger::new()
        .with_level(options.log)
        .with_utc_timestamps()
        .init()
        .map_err(|error| failure(OS_ERROR, "the logger cannot be set up", error))?;
    if let Some(folder) = options
        .public
        .as_ref()
        .filter(|folder| !folder.join("index.html").is_file())
    {
        let why = "there is no index.html in it";
        return Err(failure(
            CONFIG_ERROR,
            format_args!("{} is no page", folder.display()),
            why,
        ));
    }
    let ports = open_ports(&options.listen)?;
    let addresses: Vec<_> = (0..).map_while(|place| ports.address(place).ok()).collect();
    let folder = Folder::open(&options.data).map_err(|error| Failure {
        why: error.to_string(),
        code: CONFIG_ERROR,
    })?;
    let chosen = chat::Options {
        database: folder.db_path(),
        sign_up: match options.sign_up {
            WhoSignsUp::Invite => SignUp::Invite,
            WhoSignsUp::Open => SignUp::Open,
        },
        public: options.public,
        at: unix_millis(),
    };
    let Opened { server, first_run } = chat::open(chosen).map_err(|error| {
        failure(
            CONFIG_ERROR,
            format_args!("{} cannot be opened", folder.db_path().display()),
            error,
        )
    })?;
    let mut listening = server.on(ports);
    listening
        .handle_signals()
        .map_err(|error| failure(OS_ERROR, "signals cannot be handled", error))?;
    welcome(&addresses, first_run.as_deref());
    let chat = listening
        .run()
        .map_err(|error| failure(OS_ERROR, "the loop has failed", error))?;
    match chat.failure() {
        None => Ok(()),
        Some(why) => Err(failure(OS_ERROR, "stopped, so that nothing is lost", why)),
    }
}

fn open_ports(addresses: &[SocketAddr]) -> Result<Ports, Failure> {
    let limits = Config::default().reactor;
    Ports::open(&limits, addresses).map_err(|error| {
        let named: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        failure(
            OS_ERROR,
            format_args!("cannot listen on {}", named.join(", ")),
            error,
        )
    })
}

/// Where to go, on stdout: it is what the program was started for.
fn welcome(addresses: &[SocketAddr], first_run: Option<&str>) {
    let mut lines = String::new();
    for address in addresses {
        match first_run {
            Some(code) => lines.push_str(&format!(
                "Open http://{address}/#/setup/{code} to make the first admin. The code works once, for 30 minutes.\n"
            )),
            None => lines.push_str(&format!("Open http://{address}/\n")),
        }
    }
    if addresses.iter().all(|address| address.ip().is_loopback()) {
        let port = addresses.first().map_or(3000, SocketAddr::port);
        lines.push_str(&format!(
            "Only this machine can open it; add `--listen 0.0.0.0:{port}` for others.\n"
        ));
    }
    // Somebody may have closed stdout: the chat runs all the same.
    io::stdout()
        .write_all(lines.as_bytes())
        .and_then(|()| io::stdout().flush())
        .ok();
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
