//! A real server on a port the kernel chose, and the smallest clients that speak to it over real sockets.
//!
//! Nothing here sleeps: a client waits for a byte, and fails when none comes.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use roomcast::engineio;
use roomcast::server::{Counters, Handle};
use roomcast::{App, Config, Context, Server};
use socket2::{Domain, SockRef, Socket, Type};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A handshake by WebSocket, with the key of the RFC's sample.
pub(crate) const UPGRADE: &[u8] =
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: here\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A server on a thread of its own, ended with the test.
pub(crate) struct Rig<A: App> {
    address: SocketAddr,
    handle: Handle<A>,
    thread: Option<JoinHandle<()>>,
}

impl<A: App> Rig<A> {
    /// Runs a server that `describe` has described, on the thread it is to run on.
    pub(crate) fn new(
        config: Config,
        app: impl FnOnce() -> A + Send + 'static,
        describe: impl FnOnce(&mut Server<A>) + Send + 'static,
    ) -> Self {
        Self::of(move || {
            let mut server = Server::new(config, app());
            describe(&mut server);
            server
        })
    }

    /// Runs a server that `make` makes, on the thread it is to run on.
    pub(crate) fn of(make: impl FnOnce() -> Server<A> + Send + 'static) -> Self {
        let (sender, ready) = channel();
        let run = move || {
            let server = make();
            let listening = server.listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
            let address = listening.local_addr().unwrap();
            sender.send((address, listening.handle())).unwrap();
            listening.run().unwrap();
        };
        let thread = thread::Builder::new().spawn(run).unwrap();
        let (address, handle) = ready.recv_timeout(PATIENCE).unwrap();
        Self {
            address,
            handle,
            thread: Some(thread),
        }
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    /// A connection from another address of this machine.
    pub(crate) fn connect_from(&self, address: [u8; 4]) -> Client {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let from = SocketAddr::from((address, 0));
        socket.bind(&from.into()).unwrap();
        socket.connect(&self.address.into()).unwrap();
        Client::new(socket.into())
    }

    /// What the server counted.
    pub(crate) fn counters(&self) -> Counters {
        self.ask(|context| context.io.counters())
    }

    /// What its engine counted.
    pub(crate) fn engine_counters(&self) -> engineio::Counters {
        self.ask(|context| context.io.engine_counters())
    }

    /// What the server's thread says to a question.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Context<'_, A>) -> T + Send + 'static,
    ) -> T {
        let (sender, answer) = channel();
        let asked = self.handle.run(move |context| {
            // Whoever asked waits for it, unless the test is over.
            let _ = sender.send(question(context));
        });
        assert!(asked.is_ok(), "the server runs");
        answer.recv_timeout(PATIENCE).unwrap()
    }

    /// The status of the answer to a request on a connection of its own.
    pub(crate) fn status_of(&self, request: &[u8]) -> u16 {
        let mut client = self.connect();
        client.send(request);
        client.answer().0
    }

    /// A client by WebSocket in a namespace; `place` is the namespace as a CONNECT names it, empty for `/`.
    pub(crate) fn socket(&self, place: &str) -> Client {
        let mut client = self.websocket();
        client.say(&format!("40{place}"));
        assert!(client.hear().starts_with(&format!("40{place}{{\"sid\"")));
        client
    }

    /// A client by WebSocket that has had its handshake.
    pub(crate) fn websocket(&self) -> Client {
        let mut client = self.connect();
        client.open();
        client
    }
}

impl<A: App> Drop for Rig<A> {
    fn drop(&mut self) {
        self.handle.stop();
        self.handle.stop();
        let joined = self.thread.take().map(JoinHandle::join);
        assert!(
            thread::panicking() || matches!(joined, Some(Ok(()))),
            "the server failed"
        );
    }
}

/// One client's connection.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream }
    }

    /// A handshake by WebSocket.
    pub(crate) fn open(&mut self) {
        self.open_for("");
    }

    /// A handshake by WebSocket with further headers.
    pub(crate) fn open_for(&mut self, headers: &str) {
        let (line, rest) =
            UPGRADE.split_at(UPGRADE.iter().position(|byte| *byte == b'\n').unwrap() + 1);
        self.send(&[line, headers.as_bytes(), rest].concat());
        assert!(self.head().starts_with("HTTP/1.1 101 "));
        assert!(self.hear().starts_with("0{"));
    }

    /// A handshake by WebSocket, on a connection that the server may have closed at once; says whether it came to be.
    pub(crate) fn try_open(&mut self) -> bool {
        let mut first = [0; 12];
        self.stream.write_all(UPGRADE).is_ok()
            && self.stream.read_exact(&mut first).is_ok()
            && first == *b"HTTP/1.1 101"
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// A head, up to its blank line.
    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.take::<1>());
        }
        String::from_utf8(head).unwrap()
    }

    /// An answer: its status and its body.
    pub(crate) fn answer(&mut self) -> (u16, String) {
        let (head, body) = self.whole_answer();
        (head[9..12].parse().unwrap(), body)
    }

    /// An answer: its head and its body.
    pub(crate) fn whole_answer(&mut self) -> (String, String) {
        let head = self.head();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    /// So many bytes, as they come.
    #[allow(dead_code, reason = "not every test reads bodies by hand")]
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// A line, without its end.
    #[allow(dead_code, reason = "not every test reads bodies by hand")]
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.take::<1>());
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).unwrap()
    }

    /// One masked frame; the mask is zeros, which change nothing.
    pub(crate) fn frame(&mut self, first: u8, payload: &[u8]) {
        let mut frame = header(first, payload.len());
        frame.extend_from_slice(payload);
        self.send(&frame);
    }

    /// A text frame.
    pub(crate) fn say(&mut self, text: &str) {
        self.frame(0x81, text.as_bytes());
    }

    /// The next frame: its first byte and its payload.
    pub(crate) fn hear_frame(&mut self) -> (u8, Vec<u8>) {
        let [first, length] = self.take();
        let length = match length {
            127 => usize::try_from(u64::from_be_bytes(self.take())).unwrap(),
            126 => usize::from(u16::from_be_bytes(self.take())),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).unwrap();
        (first, payload)
    }

    /// The next frame that is no ping of the engine: text as it is, a close frame as `close CODE`.
    pub(crate) fn hear(&mut self) -> String {
        loop {
            let (first, payload) = self.hear_frame();
            match first {
                0x88 => return format!("close {}", u16::from_be_bytes([payload[0], payload[1]])),
                _ if payload == b"2" => {}
                _ => return String::from_utf8(payload).unwrap(),
            }
        }
    }

    /// Reads until the server has ended the connection, orderly or not.
    pub(crate) fn outlive(&mut self) {
        match self.stream.read_to_end(&mut Vec::new()) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
        }
    }

    /// All that comes until the server has ended the connection orderly.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Says that no more will come.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends the connection with a reset, as a crash does.
    pub(crate) fn reset(&mut self) {
        SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        // A connection of its own that goes nowhere takes the place of the one that is dropped.
        let nowhere = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        self.stream = nowhere.into();
    }
}

/// The header of a masked frame, its mask zeros.
pub(crate) fn header(first: u8, payload_bytes: usize) -> Vec<u8> {
    let mut header = vec![first];
    if let Ok(length @ 0..126) = u8::try_from(payload_bytes) {
        header.push(0x80 | length);
    } else if let Ok(length) = u16::try_from(payload_bytes) {
        header.push(0x80 | 126);
        header.extend_from_slice(&length.to_be_bytes());
    } else {
        header.push(0x80 | 127);
        header.extend_from_slice(&u64::try_from(payload_bytes).unwrap().to_be_bytes());
    }
    header.extend_from_slice(&[0; 4]);
    header
}
