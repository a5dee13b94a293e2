//! The binary as a child process, and plain requests to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use roomcast::chat::store::{RoomId, Store, UserId};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const PASSWORD: &str = "correct horse";

/// A data folder, which is gone after the test.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("roomcast.db")
    }

    /// Stores messages of the first account in the first room, as fast as the disk takes them. No server may run.
    pub(crate) fn fill(&self, count: usize, text: &str) {
        let mut store = Store::open(&self.database()).unwrap();
        store
            .job(|w| {
                for n in 0..count {
                    w.send(RoomId(1), UserId(1), &format!("fill{n}"), text, 7)?;
                }
                Ok(())
            })
            .unwrap();
    }

    /// What is in the folder of backups, in order.
    pub(crate) fn backups(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path().join("backup")) else {
            return Vec::new();
        };
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    /// A command from the terminal.
    pub(crate) fn shell(&self, words: &[&str]) -> Output {
        Command::new(binary())
            .args(words)
            .arg("--data")
            .arg(self.path())
            .output()
            .unwrap()
    }

    /// A command that is to work: what it printed.
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let ended = self.shell(words);
        let said = String::from_utf8(ended.stdout).unwrap();
        let errors = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{words:?}: {said}{errors}");
        said
    }

    /// A command that is not: its exit code and what it said.
    pub(crate) fn refused(&self, words: &[&str]) -> (i32, String) {
        let ended = self.shell(words);
        assert!(ended.stdout.is_empty(), "{words:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        (ended.status.code().unwrap(), said)
    }
}

/// An address below those that the kernel gives to clients, so that nobody takes it while the server is down.
pub(crate) fn free_address() -> SocketAddr {
    let first = 10_000 + std::process::id() % 10_000;
    (first..first + 10_000)
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(port).unwrap())))
        .find(|address| TcpListener::bind(address).is_ok())
        .unwrap()
}

pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_roomcast")
}

/// A server that runs.
pub(crate) struct Roomcast {
    child: Child,
    address: SocketAddr,
    code: Option<String>,
    /// What it prints on stdout, after its first line.
    lines: Receiver<String>,
}

impl Roomcast {
    pub(crate) fn start(place: &Place) -> Self {
        let mut command = Command::new(binary());
        command.arg("--data").arg(place.path());
        Self::start_as(&mut command)
    }

    /// At an address that clients know from before.
    pub(crate) fn start_at(place: &Place, address: SocketAddr) -> Self {
        let mut command = Command::new(binary());
        command.arg("--data").arg(place.path());
        Self::started(&mut command, address)
    }

    /// Started by a command of the test's own, which names the folder.
    pub(crate) fn start_as(command: &mut Command) -> Self {
        Self::started(command, (Ipv4Addr::LOCALHOST, 0).into())
    }

    fn started(command: &mut Command, address: SocketAddr) -> Self {
        let mut child = command
            .arg("--listen")
            .arg(address.to_string())
            .args(["--sign-up", "open", "--log", "warn"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.split_whitespace().nth(1);
        let url = url.unwrap_or_else(|| panic!("it said {line:?}, and {:?}", child.wait()));
        let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
        let code = path.strip_prefix("#/setup/").map(ToOwned::to_owned);
        let (sender, lines) = channel();
        // Ends with the process: a pipe that nobody reads would stop it.
        thread::Builder::new()
            .spawn(move || {
                for line in stdout.lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            })
            .unwrap();
        Self {
            child,
            address: address.parse().unwrap(),
            code,
            lines,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it says on stderr, if that was piped.
    pub(crate) fn stderr(&mut self) -> ChildStderr {
        self.child.stderr.take().unwrap()
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has said where to open it once more: it has begun anew.
    pub(crate) fn begins_anew(&self) {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("it begins anew");
            if line.starts_with("Open ") {
                return;
            }
        }
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits for its exit code.
    pub(crate) fn terminate(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.ends()
    }

    /// Waits until it ends by itself.
    pub(crate) fn ends(&mut self) -> i32 {
        self.child.wait().unwrap().code().expect("an exit code")
    }

    /// One request on a connection of its own: status, head and body.
    pub(crate) fn request(&self, request: &str, body: &str) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{request}Host: here\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (
            head[9..12].parse().unwrap(),
            head,
            answer[end + 4..].to_vec(),
        )
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Option<String>) {
        let request = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n");
        let (status, head, _) = self.request(&request, &body.to_string());
        let cookie = head
            .split_once("sid=")
            .and_then(|(_, rest)| rest.split(';').next());
        (status, cookie.map(ToOwned::to_owned))
    }

    /// Makes the first account, and gives its cookie.
    pub(crate) fn set_up(&self) -> String {
        let body = json!({ "workspace": "Pier", "login": "ada", "name": "Ada", "password": PASSWORD, "code": self.code });
        let (status, cookie) = self.post("/setup", &body);
        assert_eq!(status, 200);
        cookie.unwrap()
    }

    /// Makes another account, and gives its cookie.
    pub(crate) fn join(&self, login: &str) -> String {
        self.join_by(login, None)
    }

    pub(crate) fn join_by(&self, login: &str, code: Option<&str>) -> String {
        let body = json!({ "login": login, "name": login, "password": PASSWORD, "code": code });
        let (status, cookie) = self.post("/join", &body);
        assert_eq!(status, 200);
        cookie.unwrap()
    }

    /// A signed-in client that has said hello.
    pub(crate) fn client(&self, cookie: &str) -> Client {
        Client::open(self.address, cookie).unwrap()
    }
}

impl Drop for Roomcast {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
