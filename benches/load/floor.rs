//! The floor: what moving the bytes costs, whoever does it.
//!
//! One epoll, level-triggered, one recv() for each message and one send() for each delivery. It answers the handshake and
//! fixed greetings, so that the same load can be put on it; behind that a message is a frame whose mask is taken off and
//! whose header is written anew, in place. No JSON, no heartbeat, no queue, no limits; a room is a list that does not change.
//! Whatever it does not expect ends it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::OwnedFd;
use socket2::{Domain, Socket, Type};
use tungstenite::handshake::derive_accept_key;

use crate::frames::{TEXT, plain};

const LISTENER: u64 = u64::MAX;

pub(crate) fn serve(port: u16) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.set_reuse_address(true)?;
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    listener.listen(4096)?;
    listener.set_nonblocking(true)?;
    let mut floor = Floor {
        epoll: epoll::create(CreateFlags::CLOEXEC)?,
        listener,
        connections: Vec::new(),
        everyone: Vec::new(),
        rooms: Vec::new(),
        open: plain(br#"0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#),
        connected: plain(br#"40{"sid":"floor"}"#),
    };
    let data = EventData::new_u64(LISTENER);
    epoll::add(&floor.epoll, &floor.listener, data, EventFlags::IN)?;
    let mut events = Vec::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        epoll::wait(&floor.epoll, spare_capacity(&mut events), None)?;
        for event in events.drain(..) {
            let data = event.data;
            match usize::try_from(data.u64()) {
                Ok(descriptor) if data.u64() != LISTENER => floor.read(descriptor, &mut buffer)?,
                _ => floor.accept()?,
            }
        }
    }
}

struct Floor {
    epoll: OwnedFd,
    listener: Socket,
    /// By descriptor.
    connections: Vec<Option<Connection>>,
    /// Descriptors of those with a greeting.
    everyone: Vec<u32>,
    rooms: Vec<Vec<u32>>,
    open: Vec<u8>,
    connected: Vec<u8>,
}

struct Connection {
    stream: TcpStream,
    speaks_websocket: bool,
}

impl Floor {
    fn accept(&mut self) -> io::Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            socket.set_nonblocking(true)?;
            socket.set_tcp_nodelay(true)?;
            let stream = TcpStream::from(socket);
            let descriptor = usize::try_from(stream.as_raw_fd()).map_err(io::Error::other)?;
            let data = EventData::new_u64(descriptor as u64);
            epoll::add(&self.epoll, &stream, data, EventFlags::IN)?;
            if self.connections.len() <= descriptor {
                self.connections.resize_with(descriptor + 1, || None);
            }
            self.connections[descriptor] = Some(Connection {
                stream,
                speaks_websocket: false,
            });
        }
    }

    fn read(&mut self, descriptor: usize, buffer: &mut [u8]) -> io::Result<()> {
        let connection = self.connections[descriptor].as_mut();
        let connection = connection.expect("closed ones are not polled");
        let count = connection.stream.read(buffer).unwrap_or(0);
        if count == 0 {
            self.connections[descriptor] = None;
            self.everyone.retain(|&other| other as usize != descriptor);
            return Ok(());
        }
        let mut bytes = &mut buffer[..count];
        if !connection.speaks_websocket {
            connection.speaks_websocket = true;
            let mut greeting = upgrade(bytes)?;
            greeting.extend_from_slice(&self.open);
            return connection.stream.write_all(&greeting);
        }
        while !bytes.is_empty() {
            let (start, end) = unmask(bytes)?;
            let (message, rest) = bytes.split_at_mut(end);
            self.answer(descriptor, message, start)?;
            bytes = rest;
        }
        Ok(())
    }

    /// `message` holds a frame whose payload, from `start`, is no longer masked; before it is room for a header.
    fn answer(&mut self, descriptor: usize, message: &mut [u8], start: usize) -> io::Result<()> {
        /// `42["join","r012"]`, `42["room","r012","…"]`
        const NAME: std::ops::Range<usize> = 12..15;
        const SAID: &[u8] = br#"42["room","#;
        const ROOM: usize = br#""r012","#.len();
        let id = u32::try_from(descriptor).map_err(io::Error::other)?;
        match message[start..] {
            [b'4', b'0'] => {
                self.everyone.push(id);
                self.send(id, &self.connected)
            }
            [b'4', b'2', b'[', b'"', b'm', ..] => self.send(id, header(message, start)),
            [b'4', b'2', b'[', b'"', b'b', ..] => {
                let frame = header(message, start);
                self.everyone
                    .iter()
                    .try_for_each(|&member| self.send(member, frame))
            }
            [b'4', b'2', b'[', b'"', b'r', ..] => {
                let room = number(&message[start..][NAME]);
                message.copy_within(start..start + SAID.len(), start + ROOM);
                let frame = header(message, start + ROOM);
                self.rooms[room]
                    .iter()
                    .try_for_each(|&member| self.send(member, frame))
            }
            [b'4', b'2', b'[', b'"', b'j', ..] => {
                let room = number(&message[start..][NAME]);
                if self.rooms.len() <= room {
                    self.rooms.resize_with(room + 1, Vec::new);
                }
                self.rooms[room].push(id);
                Ok(())
            }
            _ => Err(io::Error::other("the floor does not know this message")),
        }
    }

    fn send(&self, id: u32, frame: &[u8]) -> io::Result<()> {
        let connection = self.connections[id as usize].as_ref();
        let mut stream = &connection.expect("members stay").stream;
        // What the kernel does not take at once is an error: there is no queue.
        stream.write_all(frame)
    }
}

/// The answer to a handshake.
fn upgrade(request: &[u8]) -> io::Result<Vec<u8>> {
    const KEY: &[u8] = b"Sec-WebSocket-Key: ";
    let key = memchr::memmem::find(request, KEY).map(|at| &request[at + KEY.len()..]);
    let key = key.and_then(|key| key.split(|&byte| byte == b'\r').next());
    let key = key.filter(|_| request.ends_with(b"\r\n\r\n"));
    let key = key.ok_or_else(|| io::Error::other("no whole handshake in one read"))?;
    let accept = derive_accept_key(key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Ok(answer.into_bytes())
}

/// Takes the mask off the first frame, in place; where its payload starts and ends.
fn unmask(bytes: &mut [u8]) -> io::Result<(usize, usize)> {
    let cut = || io::Error::other("no whole frame in one read");
    let (start, length) = match *bytes.get(1).ok_or_else(cut)? & 0x7f {
        126 => (8, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
        127 => return Err(io::Error::other("too large for the floor")),
        short => (6, usize::from(short)),
    };
    let end = start + length;
    let payload = bytes.get_mut(start - 4..end).ok_or_else(cut)?;
    let (mask, payload) = payload.split_at_mut(4);
    for (place, byte) in payload.iter_mut().enumerate() {
        *byte ^= mask[place % 4];
    }
    Ok((start, end))
}

/// Writes a server's header right before the payload; the whole frame.
fn header(message: &mut [u8], start: usize) -> &[u8] {
    let length = message.len() - start;
    let from = match u8::try_from(length) {
        Ok(length @ 0..=125) => {
            message[start - 1] = length;
            start - 2
        }
        _ => {
            // Cannot be cut: what came was no longer.
            let [.., high, low] = length.to_be_bytes();
            message[start - 3..start].copy_from_slice(&[126, high, low]);
            start - 4
        }
    };
    message[from] = TEXT;
    &message[from..]
}

fn number(digits: &[u8]) -> usize {
    digits
        .iter()
        .fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
