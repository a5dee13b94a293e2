//! A server under siege: ten thousand sockets and one that does not read; a thousand that say nothing, a thousand that
//! say a byte a second.
//!
//! `cargo bench --bench siege` prints a table. The server is a child process of its own with the default limits; both share
//! the machine, so the figures with and without the siege are what to compare. Linux only: memory and descriptors are
//! what the kernel says in /proc. Needs about 10,100 descriptors on either side (`ulimit -n`).

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the house"
)]

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use roomcast::config::HandshakeKept;
use roomcast::{Config, Server};
use socket2::{Domain, Socket, Type};

#[path = "support/frames.rs"]
mod frames;
#[path = "support/kernel.rs"]
mod kernel;

use frames::{UPGRADE, extent, masked};
use kernel::Process;

/// Set for the child.
const SERVES: &str = "SIEGE_SERVES";

const SOCKETS: usize = 10_000;
/// Those who are sent much, and read it.
const MEMBERS: usize = 20;
const ROUNDS: usize = 40;
const SMALL_BYTES: usize = 1000;
const LARGE_BYTES: usize = 300_000;

const IDLERS: usize = 1000;
const ECHOES_EVERY: Duration = Duration::from_millis(5);
/// When a head must have come, and how long it may take to notice.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

fn main() -> io::Result<()> {
    if std::env::var_os(SERVES).is_some() {
        return serve();
    }
    silent_and_trickling()?;
    slow_reader()
}

fn serve() -> io::Result<()> {
    let mut config = Config::default();
    config.engine.handshake_kept = HandshakeKept::UntilConnected;
    let mut server = Server::new(config, ());
    server
        .of("/")
        .on_raw("echo", |socket, args, _| socket.emit("echo", &args))
        .on("join", |socket, (): (), _| socket.join("much"))
        .on("small", |socket, (): (), _| {
            socket.everyone().emit("small", &"s".repeat(SMALL_BYTES));
        })
        .on("large", |socket, (): (), _| {
            let large = "l".repeat(LARGE_BYTES);
            socket.everyone().to("much").emit("large", &large);
        })
        .on("slow", |socket, (): (), _| {
            let slow = socket.io.engine_counters();
            socket.emit("slow", &(slow.slow_by_queue, slow.slow_by_time));
        });
    let listening = server.listen(([127, 0, 0, 1], 0).into())?;
    println!("{}", listening.local_addr()?);
    listening.run()?;
    Ok(())
}

/// The server, as its clients and the kernel see it.
struct Target {
    process: Process,
    address: SocketAddr,
}

impl Target {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start(command.env(SERVES, "1").stdout(Stdio::piped()))?;
        let stdout = process.child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line.trim().parse().map_err(io::Error::other)?;
        Ok(Self { process, address })
    }

    /// Private memory, in KiB.
    fn memory(&self) -> io::Result<u64> {
        Ok(self.process.memory()?.private_bytes / 1024)
    }

    /// A connection from 127.0.0.`from`: an address has too few ports for all of them.
    fn connect(&self, from: u8, receive_bytes: Option<usize>) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.bind(&SocketAddr::from(([127, 0, 0, from], 0)).into())?;
        socket.connect(&self.address.into())?;
        socket.set_tcp_nodelay(true)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(stream)
    }

    /// A socket in `/`.
    fn socket(&self, from: u8, receive_bytes: Option<usize>) -> io::Result<Client> {
        let mut stream = self.connect(from, receive_bytes)?;
        stream.write_all(UPGRADE)?;
        stream.write_all(&masked(b"40"))?;
        let mut heard = Vec::new();
        let mut buffer = [0; 1024];
        while !heard.windows(9).any(|window| window == br#"40{"sid":"#) {
            let count = stream.read(&mut buffer)?;
            if count == 0 {
                return Err(ErrorKind::ConnectionRefused.into());
            }
            heard.extend_from_slice(&buffer[..count]);
        }
        Ok(Client {
            stream,
            inbox: Vec::new(),
        })
    }
}

/// One socket that speaks as little WebSocket as it needs.
struct Client {
    stream: TcpStream,
    inbox: Vec<u8>,
}

impl Client {
    fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(&masked(text.as_bytes()))
    }

    /// Takes what has come; gives how many events of that name there were, and whether the line goes on.
    fn take(&mut self, buffer: &mut [u8], name: &str) -> io::Result<(usize, bool)> {
        let mut events = 0;
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok((events, false)),
                Ok(count) => self.inbox.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Ok((events, false));
                }
                Err(error) => return Err(error),
            }
        }
        let mut at = 0;
        while let Some((payload, end)) = extent(&self.inbox[at..]) {
            let payload = &self.inbox[at + payload..at + end];
            let is_ping = payload == b"2";
            let event = payload.strip_prefix(b"42[\"");
            events += usize::from(event.is_some_and(|event| event.starts_with(name.as_bytes())));
            at += end;
            if is_ping {
                self.say("3")?;
            }
        }
        self.inbox.drain(..at);
        if self.inbox.is_empty() {
            self.inbox = Vec::new();
        }
        Ok((events, true))
    }

    /// Waits for the next event of that name, on a line that blocks.
    fn hear(&mut self, name: &str) -> io::Result<String> {
        let mut buffer = [0; 4096];
        loop {
            while let Some((payload, end)) = extent(&self.inbox) {
                let text = String::from_utf8_lossy(&self.inbox[payload..end]).into_owned();
                self.inbox.drain(..end);
                if text == "2" {
                    self.say("3")?;
                } else if text.starts_with(&format!("42[\"{name}\"")) {
                    return Ok(text);
                }
            }
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.inbox.extend_from_slice(&buffer[..count]);
        }
    }
}

/// The value below which 99 of a hundred are, and the largest, in milliseconds.
fn p99_and_max(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort_unstable();
    let milliseconds =
        |time: Option<&Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
    let place = (times.len() * 99).div_ceil(100).saturating_sub(1);
    (milliseconds(times.get(place)), milliseconds(times.last()))
}

fn silent_and_trickling() -> io::Result<()> {
    let target = Target::start()?;
    let descriptors = target.process.descriptors()?;
    let mut healthy = target.socket(2, None)?;
    let alone = p99_and_max(echoes(&mut healthy, HEAD_WITHIN / 2, |_| Ok(()))?);

    let mut idlers = Vec::new();
    for number in 0..2 * IDLERS {
        let stream = target.connect(3, None)?;
        stream.set_nonblocking(true)?;
        idlers.push(Idler {
            stream,
            since: Instant::now(),
            trickles: number < IDLERS,
            gone_after: None,
        });
    }
    let mut next_byte = Instant::now();
    let besieged = echoes(&mut healthy, HEAD_WITHIN + Duration::from_secs(2), |now| {
        if now >= next_byte {
            next_byte += Duration::from_secs(1);
            idlers.iter_mut().for_each(Idler::trickle);
        }
        idlers.iter_mut().for_each(|idler| idler.look(now));
        Ok(())
    })?;
    let besieged = p99_and_max(besieged);
    let mut gone: Vec<_> = idlers.iter().filter_map(|idler| idler.gone_after).collect();
    gone.sort_unstable();
    let seconds = |time: Option<&Duration>| time.map_or(f64::NAN, Duration::as_secs_f64);

    println!("{IDLERS} silent connections and {IDLERS} that send a byte a second");
    println!(
        "  an echo, alone           {:>8.2} ms p99 {:>8.2} ms at most",
        alone.0, alone.1
    );
    println!(
        "  an echo, besieged        {:>8.2} ms p99 {:>8.2} ms at most",
        besieged.0, besieged.1
    );
    println!(
        "  gone                     {:>8} of {} after {:.2} to {:.2} s (deadline {} s)",
        gone.len(),
        2 * IDLERS,
        seconds(gone.first()),
        seconds(gone.last()),
        HEAD_WITHIN.as_secs()
    );
    drop(healthy);
    println!(
        "  descriptors              {descriptors:>8} before {:>8} after",
        settled(&target, descriptors)?
    );
    Ok(())
}

/// A connection that never asks for anything.
struct Idler {
    stream: TcpStream,
    since: Instant,
    trickles: bool,
    gone_after: Option<Duration>,
}

impl Idler {
    fn trickle(&mut self) {
        if self.trickles && self.gone_after.is_none() {
            // If the server has gone, that is found out by looking.
            self.stream.write_all(b"G").ok();
        }
    }

    fn look(&mut self, now: Instant) {
        if self.gone_after.is_some() {
            return;
        }
        let mut buffer = [0; 1024];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(count) if count > 0 => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => break,
            }
        }
        self.gone_after = Some(now.saturating_duration_since(self.since));
    }
}

/// Echoes, one after the other for a while, with something to do between two of them.
fn echoes(
    client: &mut Client,
    duration: Duration,
    mut between: impl FnMut(Instant) -> io::Result<()>,
) -> io::Result<Vec<Duration>> {
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < duration {
        let said = Instant::now();
        client.say("42[\"echo\",1]")?;
        client.hear("echo")?;
        times.push(said.elapsed());
        between(Instant::now())?;
        std::thread::sleep(ECHOES_EVERY);
    }
    Ok(times)
}

/// How many descriptors the server has once it has noticed that its clients have gone.
fn settled(target: &Target, expected: usize) -> io::Result<usize> {
    let start = Instant::now();
    loop {
        let descriptors = target.process.descriptors()?;
        if descriptors == expected || start.elapsed() > Duration::from_secs(20) {
            return Ok(descriptors);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn slow_reader() -> io::Result<()> {
    let target = Target::start()?;
    let descriptors = target.process.descriptors()?;
    println!(
        "{SOCKETS} sockets, {ROUNDS} broadcasts of {SMALL_BYTES} B to all, each behind one of {LARGE_BYTES} B to {MEMBERS}"
    );
    println!(
        "  memory, empty            {:>8} KiB private",
        target.memory()?
    );
    let mut after = Vec::new();
    for round in 0..2 {
        let mut crowd = Crowd::gather(&target, 4 + 2 * round)?;
        println!(
            "  memory, with all         {:>8} KiB private",
            target.memory()?
        );
        let (p99, max) = p99_and_max(crowd.broadcasts()?);
        println!("  a broadcast, all read    {p99:>8.1} ms p99 {max:>8.1} ms at most");
        let mut slow = target.socket(2, Some(64 * 1024))?;
        slow.say("42[\"join\"]")?;
        let (p99, max) = p99_and_max(crowd.broadcasts()?);
        println!("  a broadcast, one does not{p99:>8.1} ms p99 {max:>8.1} ms at most");
        let (by_queue, by_time) = crowd.slow_counters()?;
        println!(
            "  cut as slow so far       {by_queue:>8} at the hard limit, {by_time} at the soft one"
        );
        drop(slow);
        drop(crowd);
        let left = settled(&target, descriptors)?;
        println!("  descriptors              {descriptors:>8} before {left:>8} after");
        after.push(target.memory()?);
        println!("  memory, after            {:>8} KiB private", after[round]);
    }
    let change = (after[1] as f64 / after[0] as f64 - 1.0) * 100.0;
    println!("  memory, second round     {change:>+8.2} %");
    Ok(())
}

/// Everybody who reads.
struct Crowd {
    talker: Client,
    readers: Vec<Client>,
    poll: Poll,
}

impl Crowd {
    fn gather(target: &Target, from: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut readers = Vec::new();
        for number in 0..SOCKETS + MEMBERS {
            let from = u8::try_from(from + number % 2).map_err(io::Error::other)?;
            let mut client = target.socket(from, None)?;
            if number >= SOCKETS {
                client.say("42[\"join\"]")?;
            }
            client.stream.set_nonblocking(true)?;
            let source = &std::os::fd::AsRawFd::as_raw_fd(&client.stream);
            poll.registry().register(
                &mut mio::unix::SourceFd(source),
                Token(number),
                Interest::READABLE,
            )?;
            readers.push(client);
        }
        let talker = target.socket(2, None)?;
        Ok(Self {
            talker,
            readers,
            poll,
        })
    }

    /// How long each broadcast takes to each reader.
    fn broadcasts(&mut self) -> io::Result<Vec<Duration>> {
        let mut times = Vec::with_capacity(ROUNDS * SOCKETS);
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 64 * 1024];
        for _ in 0..ROUNDS {
            self.talker.say("42[\"large\"]")?;
            self.talker.say("42[\"small\"]")?;
            let said = Instant::now();
            let mut missing = SOCKETS + MEMBERS;
            while missing > 0 {
                self.poll.poll(&mut events, Some(Duration::from_secs(20)))?;
                if events.is_empty() {
                    return Err(io::Error::other(format!("{missing} have heard nothing")));
                }
                for event in &events {
                    let Token(number) = event.token();
                    let (heard, goes_on) = self.readers[number].take(&mut buffer, "small")?;
                    if !goes_on {
                        return Err(io::Error::other("one who reads was closed"));
                    }
                    missing -= heard;
                    if number < SOCKETS {
                        times.extend(std::iter::repeat_n(said.elapsed(), heard));
                    }
                }
            }
            self.talker.hear("small")?;
        }
        Ok(times)
    }

    fn slow_counters(&mut self) -> io::Result<(u64, u64)> {
        self.talker.say("42[\"slow\"]")?;
        let text = self.talker.hear("slow")?;
        let numbers = text
            .trim_start_matches("42[\"slow\",")
            .trim_end_matches(']');
        let (queue, time) = numbers.split_once(',').unwrap_or_default();
        Ok((queue.parse().unwrap_or(0), time.parse().unwrap_or(0)))
    }
}
