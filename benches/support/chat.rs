//! The chat as a child process, with accounts and plain sockets made over real connections.

#![allow(dead_code, reason = "each bench asks for some of it")]

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::frames::masked;
use crate::kernel::Process;

/// A chat that runs, with a door open to all.
pub(crate) struct Chat {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    code: Option<String>,
}

impl Chat {
    pub(crate) fn start(binary: &str, folder: &std::path::Path) -> io::Result<Self> {
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

    pub(crate) fn first_answer(&self) -> io::Result<()> {
        let answer = self.ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        Ok(())
    }

    /// An account of its own: the first by the code, the others through the open door.
    pub(crate) fn account(&self, user: usize) -> io::Result<String> {
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
    pub(crate) fn socket(&self, cookie: &str) -> io::Result<TcpStream> {
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
    pub(crate) fn memory(&self) -> io::Result<(u64, u64)> {
        let memory = self.process.memory()?;
        Ok((memory.resident_bytes / 1024, memory.private_bytes / 1024))
    }
}
