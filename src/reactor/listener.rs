//! Accepting: how many, from whom, and what to do when descriptors run out.
//!
//! Readiness comes in; connections that may stay go up, others are closed at once.
//! Knows addresses, and nothing of what is spoken.
//! Left out: inherited sockets, which would be a further kind of [`Door`].

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use mio::Token;
use mio::net::TcpListener;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use slab::Slab;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::door::{Door, Visitor};
use super::stream::{Phase, Stream, Transport};
use super::turn::{Due, Reactor};
use super::{ListenerId, Peer, Service};
use crate::addresses::{self, Neighbourhood, Network};
use crate::config;
use crate::time::{Now, Time};

/// Descriptors left for files, lanes, the store and the rest.
const DESCRIPTORS_SPARED: usize = 64;
/// The first pause after descriptors ran out, doubled until [`PAUSE_MAX`] (NATS does the same).
const PAUSE_MIN: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Between two warnings that descriptors ran out.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// A listening socket.
#[derive(Debug)]
pub(super) struct Listener {
    door: Door,
    /// How long to wait when descriptors run out the next time.
    pause: Duration,
    /// A timer is armed for the next attempt.
    retrying: bool,
    /// It may have connections waiting of which no event will tell.
    pub(super) ready: bool,
}

impl Listener {
    /// The pause is over.
    pub(super) const fn retry(&mut self) {
        self.retrying = false;
        self.ready = true;
    }
}

/// All listening sockets, and who came through them.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) open: Vec<Listener>,
    pub(super) addresses: Addresses,
    pub(super) connections_max: usize,
    /// Given up for a moment to accept, and close, a connection for which there is no other descriptor: edge-triggered
    /// as it is, a listener that could not accept would never hear of it again.
    spare: Option<File>,
    warned: Option<Time>,
}

impl Listeners {
    pub(super) fn new(config: &config::Reactor) -> Self {
        Self {
            open: Vec::new(),
            addresses: Addresses::new(config),
            connections_max: config.connections_max.unwrap_or_else(connections_possible),
            spare: spare(),
            warned: None,
        }
    }

    pub(super) fn bind(
        &mut self,
        registry: &mio::Registry,
        token: impl FnOnce(u32) -> Option<Token>,
        address: SocketAddr,
        config: &config::Reactor,
    ) -> io::Result<ListenerId> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // On Windows the option means something else, and rebinding needs none.
        if cfg!(unix) {
            socket.set_reuse_address(true)?;
        }
        if address.is_ipv6() {
            // Two families on one port are two listeners, on every system alike.
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(config.backlog).unwrap_or(i32::MAX))?;
        if INHERITED {
            tune(&SockRef::from(&socket), config.unacknowledged_within);
        }
        let door = Door::Tcp(TcpListener::from_std(socket.into()));
        self.add(registry, token, door)
    }

    pub(super) fn bind_at(
        &mut self,
        registry: &mio::Registry,
        token: impl FnOnce(u32) -> Option<Token>,
        path: &Path,
    ) -> io::Result<ListenerId> {
        self.add(registry, token, Door::at(path)?)
    }

    fn add(
        &mut self,
        registry: &mio::Registry,
        token: impl FnOnce(u32) -> Option<Token>,
        mut door: Door,
    ) -> io::Result<ListenerId> {
        let number = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
        let token = token(number)
            .ok_or_else(|| io::Error::new(io::ErrorKind::QuotaExceeded, "too many listeners"))?;
        door.register(registry, token)?;
        self.open.push(Listener {
            door,
            pause: PAUSE_MIN,
            retrying: false,
            ready: false,
        });
        Ok(ListenerId(number))
    }

    pub(super) fn local_addr(&self, id: ListenerId) -> io::Result<SocketAddr> {
        let listener = self
            .open
            .get(id.0 as usize)
            .ok_or(io::ErrorKind::NotConnected)?;
        listener.door.local_addr()
    }

    pub(super) fn any_ready(&self) -> bool {
        self.open.iter().any(|listener| listener.ready)
    }

    /// With the spare descriptor, gets rid of those who wait: they are closed, not left hanging. Says how many.
    fn turn_away(&mut self, index: usize, most: usize) -> usize {
        for count in 0..most {
            if self.spare.take().is_none() {
                return count;
            }
            let accepted = self.open[index].door.accept();
            let none_left = accepted.is_err();
            drop(accepted);
            self.spare = spare();
            if none_left {
                return count;
            }
        }
        most
    }

    fn warn(&mut self, now: Time, error: &io::Error) {
        if self
            .warned
            .is_none_or(|warned| now.since(warned) >= WARN_EVERY)
        {
            self.warned = Some(now);
            log::warn!("connections are being turned away: {error}");
        }
    }
}

/// What an attempt to accept came to.
enum Attempt {
    /// A connection, or one that was gone before it was looked at.
    Again,
    /// Nobody waits.
    Drained,
    /// The system has no room.
    Exhausted(io::Error),
}

impl Reactor {
    /// Accepts what waits at each listener that has something, within the turn's budget.
    pub(super) fn accept_all<S: Service>(&mut self, service: &mut S, now: Now) {
        for index in 0..self.listeners.open.len() {
            if std::mem::take(&mut self.listeners.open[index].ready) {
                self.accept_some(service, now, index);
            }
        }
    }

    fn accept_some<S: Service>(&mut self, service: &mut S, now: Now, index: usize) {
        for _ in 0..self.config.accepts_per_turn_max {
            match self.accept_one(service, now, index) {
                Attempt::Again => {}
                Attempt::Drained => return,
                Attempt::Exhausted(error) => {
                    let turned_away = self.accept_later(now, index, &error);
                    return service.turned_away(now, turned_away);
                }
            }
        }
        self.listeners.open[index].ready = true;
    }

    fn accept_one<S: Service>(&mut self, service: &mut S, now: Now, index: usize) -> Attempt {
        let listener = &mut self.listeners.open[index];
        let visitor = match listener.door.accept() {
            Ok(visitor) => visitor,
            Err(error) => return judge(error),
        };
        let Some(Visitor { socket, peer }) = visitor else {
            service.turned_away(now, 1);
            return Attempt::Again;
        };
        listener.pause = PAUSE_MIN;
        if self.streams.len() >= self.listeners.connections_max {
            service.turned_away(now, 1);
            return Attempt::Again;
        }
        let counted = match peer {
            Peer::Tcp(address) => self.listeners.addresses.admit(address.ip()),
            Peer::Unix => Some(AddressIndex::EXEMPT),
        };
        let Some(counted) = counted else {
            service.turned_away(now, 1);
            return Attempt::Again;
        };
        if !INHERITED && peer != Peer::Unix {
            tune(&SockRef::from(&socket), self.config.unacknowledged_within);
        }
        let stream = Stream::new(Transport::Plain(socket), Phase::Open, counted);
        match self.enrol(stream) {
            Ok(id) => {
                let number = u32::try_from(index).expect("fewer listeners than slots");
                service.accepted(now, ListenerId(number), id, peer);
                Attempt::Again
            }
            Err(error) => Attempt::Exhausted(error),
        }
    }

    /// Says how many were turned away.
    fn accept_later(&mut self, now: Now, index: usize, error: &io::Error) -> usize {
        self.listeners.warn(now.mono, error);
        let turned_away = self
            .listeners
            .turn_away(index, self.config.accepts_per_turn_max);
        let listener = &mut self.listeners.open[index];
        let number = u32::try_from(index).expect("fewer listeners than slots");
        self.timers
            .arm(now.mono + listener.pause, Due::Accept(ListenerId(number)));
        listener.pause = (listener.pause * 2).min(PAUSE_MAX);
        turned_away
    }
}

fn judge(error: io::Error) -> Attempt {
    match error.kind() {
        io::ErrorKind::WouldBlock => return Attempt::Drained,
        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => return Attempt::Again,
        _ => {}
    }
    match Errno::from_io_error(&error) {
        // Linux hands the new socket's own network errors to accept (accept(2)): of the next one we know nothing yet.
        Some(
            Errno::NETDOWN
            | Errno::PROTO
            | Errno::NOPROTOOPT
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::OPNOTSUPP
            | Errno::NETUNREACH
            | Errno::PERM,
        ) => Attempt::Again,
        _ => Attempt::Exhausted(error),
    }
}

/// Whether accepted sockets have the options of the listening one, which saves two calls for each.
const INHERITED: bool = cfg!(target_os = "linux");

/// Small answers leave at once, and a peer that has vanished is noticed.
pub(super) fn tune(socket: &SockRef<'_>, unacknowledged_within: Duration) {
    // Neither is worth losing a connection over: without them it is slow to answer, or slow to break.
    let _ = socket.set_tcp_nodelay(true);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(unacknowledged_within));
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = unacknowledged_within;
}

fn spare() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Raises the number of descriptors the process may have to what it may ask for: nobody who runs a server means 1,024.
pub(super) fn raise_descriptors() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where even this is refused, the lower number stands.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: maximum,
                maximum,
            },
        );
    }
}

fn connections_possible() -> usize {
    let current = getrlimit(Resource::Nofile).current;
    let descriptors = current
        .and_then(|max| usize::try_from(max).ok())
        .unwrap_or(usize::MAX);
    descriptors.saturating_sub(DESCRIPTORS_SPARED).max(1)
}

/// How many connections each address has, and how many it may have.
#[derive(Debug)]
pub(super) struct Addresses {
    max: usize,
    loopback_exempt: bool,
    trusted_proxies: Vec<Network>,
    indices: HashMap<Neighbourhood, u32>,
    counts: Slab<(Neighbourhood, usize)>,
}

/// Where a connection was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AddressIndex(u32);

impl AddressIndex {
    /// Not counted.
    pub(super) const EXEMPT: Self = Self(u32::MAX);
}

impl Addresses {
    fn new(config: &config::Reactor) -> Self {
        Self {
            max: config.connections_per_address_max,
            loopback_exempt: config.loopback_exempt,
            trusted_proxies: config.trusted_proxies.clone(),
            indices: HashMap::new(),
            counts: Slab::new(),
        }
    }

    /// Counts a connection, unless its address has as many as it may.
    fn admit(&mut self, address: IpAddr) -> Option<AddressIndex> {
        if addresses::is_exempt(self.loopback_exempt, &self.trusted_proxies, address) {
            return Some(AddressIndex::EXEMPT);
        }
        let neighbourhood = Neighbourhood::from(address);
        if let Some(&index) = self.indices.get(&neighbourhood) {
            let (_, count) = &mut self.counts[index as usize];
            if *count >= self.max {
                return None;
            }
            *count += 1;
            return Some(AddressIndex(index));
        }
        if self.max == 0 {
            return None;
        }
        let index = u32::try_from(self.counts.insert((neighbourhood, 1)))
            .expect("fewer addresses than connections");
        self.indices.insert(neighbourhood, index);
        Some(AddressIndex(index))
    }

    /// Counts a connection no more.
    pub(super) fn release(&mut self, index: AddressIndex) {
        if index == AddressIndex::EXEMPT {
            return;
        }
        let (neighbourhood, count) = &mut self.counts[index.0 as usize];
        *count -= 1;
        if *count == 0 {
            self.indices.remove(neighbourhood);
            self.counts.remove(index.0 as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_most(max: usize) -> Addresses {
        Addresses::new(&config::Reactor {
            connections_per_address_max: max,
            ..config::Reactor::default()
        })
    }

    fn admit(addresses: &mut Addresses, address: &str) -> Option<AddressIndex> {
        addresses.admit(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_as_many_connections_as_it_may_and_a_released_one_makes_room() {
        let mut addresses = at_most(2);
        let first = admit(&mut addresses, "192.0.2.1").unwrap();
        assert!(admit(&mut addresses, "192.0.2.1").is_some());
        assert_eq!(admit(&mut addresses, "192.0.2.1"), None);
        assert!(admit(&mut addresses, "192.0.2.2").is_some());
        addresses.release(first);
        assert!(admit(&mut addresses, "::ffff:192.0.2.1").is_some());
        assert_eq!(admit(&mut addresses, "192.0.2.1"), None);
    }

    #[test]
    fn a_whole_slash_64_counts_as_one_address() {
        let mut addresses = at_most(1);
        assert!(admit(&mut addresses, "2001:db8:0:1::1").is_some());
        assert_eq!(admit(&mut addresses, "2001:db8:0:1:ffff::2"), None);
        assert!(admit(&mut addresses, "2001:db8:0:2::1").is_some());
    }

    #[test]
    fn loopback_is_not_counted() {
        let mut addresses = at_most(0);
        for address in ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(admit(&mut addresses, address), Some(AddressIndex::EXEMPT));
        }
        assert_eq!(admit(&mut addresses, "192.0.2.1"), None);
        addresses.loopback_exempt = false;
        assert_eq!(admit(&mut addresses, "127.0.0.1"), None);
    }

    #[test]
    fn a_trusted_proxy_is_not_counted() {
        let mut addresses = at_most(0);
        addresses.trusted_proxies = vec!["192.0.2.0/24".parse().unwrap()];
        for address in ["192.0.2.1", "::ffff:192.0.2.1"] {
            assert_eq!(admit(&mut addresses, address), Some(AddressIndex::EXEMPT));
        }
        assert_eq!(admit(&mut addresses, "192.0.3.1"), None);
    }

    #[test]
    fn an_accepted_socket_is_tuned() {
        let config = config::Reactor::default();
        let mut poll = mio::Poll::new().unwrap();
        let mut listeners = Listeners::new(&config);
        let local = (std::net::Ipv4Addr::LOCALHOST, 0).into();
        let id = listeners
            .bind(poll.registry(), |_| Some(Token(0)), local, &config)
            .unwrap();
        let address = listeners.local_addr(id).unwrap();
        let _client = std::net::TcpStream::connect(address).unwrap();
        poll.poll(&mut mio::Events::with_capacity(1), None).unwrap();
        let socket = listeners.open[0].door.accept().unwrap().unwrap().socket;
        if !INHERITED {
            tune(&SockRef::from(&socket), config.unacknowledged_within);
        }
        assert!(socket.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(
            SockRef::from(&socket).tcp_user_timeout().unwrap(),
            Some(config.unacknowledged_within)
        );
    }

    #[test]
    fn addresses_that_left_leave_nothing_behind() {
        let mut addresses = at_most(9);
        let both = [
            admit(&mut addresses, "192.0.2.1"),
            admit(&mut addresses, "192.0.2.1"),
        ];
        for index in both.into_iter().flatten() {
            addresses.release(index);
        }
        assert!(addresses.indices.is_empty() && addresses.counts.is_empty());
    }
}
