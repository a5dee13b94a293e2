//! The last bytes of connections being closed: real sockets, and time moved by hand.

use std::any::Any;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use super::super::listener::AddressIndex;
use super::super::{Action, JobId, Letter, ListenerId};
use super::*;
use crate::config;

/// A service that has said all it had to say.
struct Nobody;

impl Service for Nobody {
    fn accepted(&mut self, _: Now, _: ListenerId, _: ConnId, _: Peer) {}
    fn connected(&mut self, _: Now, _: Tag, _: io::Result<ConnId>) {}
    fn received(&mut self, _: Now, _: ConnId, input: &mut [u8]) -> usize {
        input.len()
    }
    fn refused(&mut self, _: Now, _: ConnId, _: usize) {}
    fn drained(&mut self, _: Now, _: ConnId) {}
    fn closed(&mut self, _: Now, _: ConnId, _: io::Result<()>) {}
    fn finished(&mut self, _: Now, _: JobId, _: thread::Result<Box<dyn Any + Send>>) {}
    fn posted(&mut self, _: Now, _: Letter) {}
    fn elapsed(&mut self, _: Now) {}
    fn asked_to_stop(&mut self, _: Now) {}
    fn deadline(&self) -> Option<Time> {
        None
    }
    fn poll_action(&mut self) -> Option<Action> {
        None
    }
}

/// More than the kernels of both sides hold.
const LARGE_BYTES: usize = 32 * 1024 * 1024;

/// A loop that is turned by hand, with a connection being closed for which much waits.
struct Bench {
    reactor: Reactor,
    id: ConnId,
    client: std::net::TcpStream,
    now: Now,
    read_bytes: usize,
}

impl Bench {
    fn new(change: impl FnOnce(&mut config::Reactor)) -> Self {
        let mut config = config::Reactor::default();
        change(&mut config);
        let mut reactor = Reactor::new(&config).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.set_nonblocking(true).unwrap();
        let transport = Transport::Plain(TcpStream::from_std(server));
        let stream = Stream::new(transport, Phase::Open, AddressIndex::EXEMPT);
        let id = reactor.enrol(stream).unwrap();
        let now = Now::default();
        reactor.send(id, vec![b'x'; LARGE_BYTES].into());
        reactor.close(id, Close::Flush);
        reactor.write_all(&mut Nobody, now);
        reactor.settle(now);
        assert!(reactor.streams.get(id).is_some(), "something waits");
        Self {
            reactor,
            id,
            client,
            now,
            read_bytes: 0,
        }
    }

    /// The client takes so much that the kernel asks for more, and is given it.
    fn take_some(&mut self) {
        let waiting = |reactor: &Reactor, id| reactor.streams.get(id).unwrap().outbox.bytes();
        let before = waiting(&self.reactor, self.id);
        let mut buffer = vec![0; 64 * 1024];
        while waiting(&self.reactor, self.id) == before {
            self.read_bytes += self.client.read(&mut buffer).unwrap();
            self.reactor.write(&mut Nobody, self.now, self.id);
        }
    }

    /// Lets the time of a flush pass.
    fn wait(&mut self) {
        self.now.mono = self.now.mono + Duration::from_secs(2);
        self.reactor.fire(&mut Nobody, self.now);
    }

    fn is_there(&self) -> bool {
        self.reactor.streams.get(self.id).is_some()
    }
}

#[test]
fn whoever_takes_its_last_bytes_slowly_has_time_as_long_as_it_takes_some() {
    let mut bench = Bench::new(|_| {});
    for _ in 0..5 {
        bench.take_some();
        bench.wait();
        assert!(bench.is_there(), "it has taken some");
    }
    bench.wait();
    assert!(!bench.is_there(), "it has taken nothing");
    let mut rest = Vec::new();
    // The end is an end or a reset.
    let _ = bench.client.read_to_end(&mut rest);
    assert!(bench.read_bytes + rest.len() < LARGE_BYTES);
    assert_eq!(
        (bench.reactor.flushing_bytes, bench.reactor.closing),
        (0, 0)
    );
}

#[test]
fn whoever_takes_its_last_bytes_slowly_is_cut_when_too_much_waits_for_all() {
    let mut bench = Bench::new(|config| config.flushing_bytes_max = 100_000);
    bench.take_some();
    assert!(bench.is_there(), "everybody has some time");
    bench.wait();
    assert!(!bench.is_there());
    assert_eq!(
        (bench.reactor.flushing_bytes, bench.reactor.closing),
        (0, 0)
    );
}
