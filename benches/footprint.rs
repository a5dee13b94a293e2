//! What the chat weighs: its binary, its memory when idle and with 1,000 signed-in sockets, its start.
//!
//! `cargo bench --bench footprint` prints a table. Times include this program's own looking; memory is what the kernel
//! says (`VmRSS` and `RssAnon` in /proc, so Linux only).

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a part of the house"
)]

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[path = "support/frames.rs"]
mod frames;
#[path = "support/kernel.rs"]
mod kernel;

use frames::masked;
use kernel::Process;

const SOCKETS: usize = 1000;
const SOCKETS_PER_USER: usize = 12;
const STARTS: usize = 11;

fn main() -> io::Result<()> {
    let binary = env!("CARGO_BIN_EXE_roomcast");
    let folder = tempfile::tempdir()?;
    println!(
        "binary, stripped        {:>9} KiB",
        std::fs::metadata(binary)?.len() / 1024
    );

    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let before = Instant::now();
        let chat = Chat::start(binary, folder.path())?;
        chat.first_answer()?;
        starts.push(before.elapsed());
    }
    starts.sort();
    println!(
        "start to first 200      {:>9.1} ms (median of {STARTS})",
        starts[STARTS / 2].as_secs_f64() * 1e3
    );

    let chat = Chat::start(binary, folder.path())?;
    chat.first_answer()?;
    let (idle, idle_private) = chat.memory()?;
    println!("memory, idle            {idle:>9} KiB resident, {idle_private} KiB private");

    let mut cookies = Vec::new();
    for user in 0..SOCKETS.div_ceil(SOCKETS_PER_USER) {
        cookies.push(chat.account(user)?);
    }
    let (before, before_private) = chat.memory()?;
    println!(
        "  after {:>3} sign-ups     {before:>9} KiB resident, {before_private} KiB private",
        cookies.len()
    );
    let mut sockets = Vec::new();
    for n in 0..SOCKETS {
        sockets.push(chat.socket(&cookies[n / SOCKETS_PER_USER])?);
    }
    let (with, with_private) = chat.memory()?;
    println!("  and {SOCKETS} sockets      {with:>9} KiB resident, {with_private} KiB private");
    println!(
        "one idle socket         {:>9} B private",
        (with_private - before_private) * 1024 / SOCKETS as u64
    );
    Ok(())
}

struct Chat {
    process: Process,
    address: SocketAddr,
    code: Option<String>,
}

impl Chat {
    fn start(binary: &str, folder: &std::path::Path) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--log",
                "error",
                "--sign-up",
                "open",
                "--data",
            ])
            .arg(folder)
            .stdout(Stdio::piped());
        let mut process = Process::start(&mut command)?;
        let stdout = process.child.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let url = line.split_whitespace().nth(1).unwrap_or_default();
        let (address, path) = url
            .trim_start_matches("http://")
            .split_once('/')
            .unwrap_or_default();
        let address = address
            .parse()
            .map_err(|_| io::Error::other(format!("no address in {line:?}")))?;
        let code = path.strip_prefix("#/setup/").map(ToOwned::to_owned);
        Ok(Self {
            process,
            address,
            code,
        })
    }

    fn first_answer(&self) -> io::Result<()> {
        let answer = self.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        Ok(())
    }

    /// An account of its own: the first by the code, the others through the open door.
    fn account(&self, user: usize) -> io::Result<String> {
        let mut body =
            format!(r#"{{"login":"user{user}","name":"User {user}","password":"correct horse""#);
        let path = match (&self.code, user) {
            (Some(code), 0) => {
                write!(body, r#","workspace":"Bench","code":"{code}""#).expect("a String takes it");
                "/setup"
            }
            _ => "/join",
        };
        body.push('}');
        let answer = self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))?;
        let cookie = answer
            .split_once("sid=")
            .and_then(|(_, rest)| rest.split(';').next());
        cookie
            .map(ToOwned::to_owned)
            .ok_or_else(|| io::Error::other(answer))
    }

    fn ask(&self, request: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// A signed-in WebSocket in namespace `/`, and nothing more.
    fn socket(&self, cookie: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Cookie: sid={cookie}\r\n\r\n"
        )?;
        stream.write_all(&masked(b"40"))?;
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        while !heard.windows(9).any(|window| window == br#"40{"sid":"#) {
            let count = stream.read(&mut buffer)?;
            assert!(count > 0, "refused: {}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&buffer[..count]);
        }
        Ok(stream)
    }

    /// Resident and private memory, in KiB.
    fn memory(&self) -> io::Result<(u64, u64)> {
        let memory = self.process.memory()?;
        Ok((memory.resident_bytes / 1024, memory.private_bytes / 1024))
    }
}
