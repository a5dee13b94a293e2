//! Running out of descriptors: nobody is left hanging, the loop does not go deaf, and it recovers by itself.
//!
//! The limit belongs to the whole process, so this test is alone in its own.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use roomcast::config;
use roomcast::reactor::lanes::Outcome;
use roomcast::reactor::{Action, ConnId, JobId, Letter, ListenerId, Peer, Reactor, Service, Tag};
use roomcast::time::{Now, Time};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

#[derive(Default)]
struct Echo(VecDeque<Action>);

impl Service for Echo {
    fn accepted(&mut self, _: Now, _: ListenerId, _: ConnId, _: Peer) {}
    fn connected(&mut self, _: Now, _: Tag, _: io::Result<ConnId>) {}
    fn received(&mut self, _: Now, conn: ConnId, input: &mut [u8]) -> usize {
        self.0
            .push_back(Action::Send(conn, Bytes::copy_from_slice(input).into()));
        input.len()
    }
    fn refused(&mut self, _: Now, _: ConnId, _: usize) {}
    fn drained(&mut self, _: Now, _: ConnId) {}
    fn closed(&mut self, _: Now, _: ConnId, _: io::Result<()>) {}
    fn finished(&mut self, _: Now, _: JobId, _: Outcome) {}
    fn posted(&mut self, _: Now, _: Letter) {}
    fn elapsed(&mut self, _: Now) {}
    fn asked_to_stop(&mut self, _: Now) {
        self.0.push_back(Action::Exit);
    }
    fn deadline(&self) -> Option<Time> {
        None
    }
    fn poll_action(&mut self) -> Option<Action> {
        self.0.pop_front()
    }
}

/// A socket that is not yet connected: connecting it needs no further descriptor.
fn socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(socket)
}

fn echoes(client: &mut TcpStream) -> io::Result<()> {
    client.write_all(b"?")?;
    client.read_exact(&mut [0])
}

#[test]
fn without_descriptors_the_waiting_are_closed_and_later_ones_are_served_again() {
    let mut config = config::Reactor::default();
    config.connections_max = Some(10_000);
    let (ready, is_ready) = channel();
    // A loop stays on the thread that made it.
    let run = move || {
        let mut reactor = Reactor::new(&config).unwrap();
        let listener = reactor.listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = reactor.local_addr(listener).unwrap();
        ready.send((address, reactor.handle())).unwrap();
        reactor.run(&mut Echo::default())
    };
    let running = thread::Builder::new().spawn(run).unwrap();
    let (address, handle) = is_ready.recv().expect("it listens");
    let address = address.into();
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    assert_eq!(
        current, maximum,
        "the reactor has asked for all it may have"
    );

    // Descriptors are given out lowest first, so this leaves room for exactly five more.
    let sockets: Vec<_> = (0..30).map(|_| socket().unwrap()).collect();
    let lowest_free = File::open("/dev/null").unwrap().as_raw_fd();
    let few = u64::try_from(lowest_free).unwrap() + 5;
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(few),
            maximum,
        },
    )
    .unwrap();

    let (mut served, mut refused) = (Vec::new(), Vec::new());
    for socket in sockets {
        socket.connect(&address).unwrap();
        let mut client = TcpStream::from(socket);
        match echoes(&mut client) {
            Ok(()) => served.push(client),
            // Closed, not left hanging: that would be a time-out.
            Err(error) => {
                let hung = matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                );
                assert!(!hung, "{error}");
                // Kept open: closing it would make room.
                refused.push(client);
            }
        }
    }
    assert_eq!((served.len(), refused.len()), (5, 25));
    for client in &mut served {
        echoes(client).unwrap();
    }

    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let client = socket().unwrap();
    client.connect(&address).unwrap();
    echoes(&mut TcpStream::from(client)).unwrap();
    handle.stop();
    running.join().unwrap().unwrap();
}
