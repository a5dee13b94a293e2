//! Many connections, on one epoll and one buffer.
//!
//! Bytes come out with the number of their connection; what is not yet whole is kept for it. What they mean is not known.
//! Edge-triggered: a read that does not fill the buffer has taken all there was.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use socket2::{Domain, Socket, Type};

/// One local address has about 28,000 ports, and the kernel looks long for a free one when half of them are taken.
const LINES_PER_ADDRESS: usize = 8000;
/// Nothing that must come takes longer, however slow the server (some run under valgrind).
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// A line that is watched is looked at after so many others.
const WATCHED_EVERY: usize = 8;

pub(crate) struct Lines {
    epoll: OwnedFd,
    pub(crate) streams: Vec<TcpStream>,
    /// Beginnings; empty nearly always.
    inboxes: Vec<Vec<u8>>,
    events: Vec<Event>,
    buffer: Vec<u8>,
    /// Looked at between others, as what comes on it is timed.
    pub(crate) watched: Option<usize>,
}

impl Lines {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            streams: Vec::new(),
            inboxes: Vec::new(),
            events: Vec::with_capacity(1024),
            buffer: vec![0; 256 * 1024],
            watched: None,
        })
    }

    /// One more; its number.
    pub(crate) fn open(&mut self, address: SocketAddr) -> io::Result<usize> {
        let number = self.streams.len();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let block @ 1.. = number / LINES_PER_ADDRESS {
            let host = u8::try_from(1 + block).map_err(io::Error::other)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0)).into())?;
        }
        socket.connect(&address.into())?;
        socket.set_tcp_nodelay(true)?;
        // Ends with a reset, so that no port is kept waiting for what may still come.
        socket.set_linger(Some(Duration::ZERO))?;
        socket.set_nonblocking(true)?;
        let stream = TcpStream::from(socket);
        let data = EventData::new_u64(number as u64);
        epoll::add(&self.epoll, &stream, data, EventFlags::IN | EventFlags::ET)?;
        self.streams.push(stream);
        self.inboxes.push(Vec::new());
        Ok(number)
    }

    /// Sends what is ready; the kernel must take all of it.
    pub(crate) fn say(&self, number: usize, bytes: &[u8]) -> io::Result<()> {
        (&self.streams[number]).write_all(bytes)
    }

    /// Waits for something and gives it to `take`, which says how much of it is done with; `false` if nothing came in time.
    pub(crate) fn read(
        &mut self,
        patience: Duration,
        mut take: impl FnMut(&[TcpStream], usize, &[u8]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        let patience = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).map_err(io::Error::other)?,
            tv_nsec: patience.subsec_nanos().into(),
        };
        let mut events = std::mem::take(&mut self.events);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&patience)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let some = !events.is_empty();
        for (place, event) in events.drain(..).enumerate() {
            let data = event.data;
            let number = usize::try_from(data.u64()).map_err(io::Error::other)?;
            self.drain(number, &mut take)?;
            if let Some(watched) = self.watched
                && place % WATCHED_EVERY == 0
            {
                self.drain(watched, &mut take)?;
            }
        }
        self.events = events;
        Ok(some)
    }

    fn drain(
        &mut self,
        number: usize,
        take: &mut impl FnMut(&[TcpStream], usize, &[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        loop {
            let count = match (&self.streams[number]).read(&mut self.buffer) {
                Ok(0) => return Err(wrong(number, "closed by the server", b"")),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let bytes = &self.buffer[..count];
            let inbox = &mut self.inboxes[number];
            if inbox.is_empty() {
                let done = take(&self.streams, number, bytes)?;
                if done < count {
                    inbox.extend_from_slice(&bytes[done..]);
                }
            } else {
                inbox.extend_from_slice(bytes);
                let done = take(&self.streams, number, inbox)?;
                inbox.drain(..done);
                if inbox.is_empty() {
                    *inbox = Vec::new();
                }
            }
            if count < self.buffer.len() {
                return Ok(());
            }
        }
    }
}

/// What must not have come.
pub(crate) fn wrong(number: usize, what: &str, bytes: &[u8]) -> io::Error {
    let bytes = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    io::Error::other(format!("connection {number}: {what}: {bytes:?}"))
}
