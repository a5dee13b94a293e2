//! The reactor over real sockets: what it promises to a service, one sentence a test.
//!
//! A service that tells every fact to a channel runs on a thread of its own; what it is to do is posted to it.
//! Nothing here sleeps: a test waits for a byte or a fact, and fails when neither comes.
#![expect(clippy::unwrap_used, reason = "what fails in a helper fails its test")]

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use roomcast::config;
use roomcast::reactor::lanes::{self, BatchFailed, Lane, Spec, Worker};
use roomcast::reactor::{
    Action, Close, ConnId, Handle, JobId, LaneId, Letter, ListenerId, Peer, Reactor, Service, Tag,
    Undelivered,
};
use roomcast::time::{Now, Time};

const PATIENCE: Duration = Duration::from_secs(20);

/// A fact, as the service was told it.
#[derive(Debug)]
enum Told {
    Accepted(ConnId),
    Connected(Tag, Result<ConnId, ErrorKind>),
    Received(ConnId, Vec<u8>),
    Refused(ConnId, usize),
    Drained(ConnId),
    Closed(ConnId, Result<(), ErrorKind>),
    Finished(JobId, lanes::Outcome),
    Posted(&'static str),
    Elapsed(Now),
    AskedToStop,
}

/// What the service does with what it is shown.
type Appetite = Box<dyn FnMut(ConnId, &[u8], &mut VecDeque<Action>) -> usize + Send>;

/// An action to be performed: one with bytes belongs to its loop's thread, so it is made there.
type Wish = Box<dyn FnOnce() -> Action + Send>;

fn wish(make: impl FnOnce() -> Action + Send + 'static) -> Wish {
    Box::new(make)
}

fn send(id: ConnId, bytes: Bytes) -> Wish {
    wish(move || Action::Send(id, bytes.into()))
}

struct Teller {
    told: Sender<Told>,
    actions: VecDeque<Action>,
    appetite: Appetite,
    deadline: Option<Time>,
    longest_turn_micros: Arc<AtomicU64>,
}

impl Teller {
    fn tell(&self, told: Told) {
        // Once the test is over nobody listens.
        let _ = self.told.send(told);
    }
}

impl Service for Teller {
    fn accepted(&mut self, _: Now, _: ListenerId, conn: ConnId, peer: Peer) {
        match peer {
            Peer::Tcp(address) => assert!(address.ip().is_loopback()),
            Peer::Unix => {}
        }
        self.tell(Told::Accepted(conn));
    }
    fn connected(&mut self, _: Now, tag: Tag, result: io::Result<ConnId>) {
        self.tell(Told::Connected(tag, result.map_err(|error| error.kind())));
    }
    fn received(&mut self, _: Now, conn: ConnId, input: &mut [u8]) -> usize {
        self.tell(Told::Received(conn, input.to_vec()));
        (self.appetite)(conn, input, &mut self.actions)
    }
    fn refused(&mut self, _: Now, conn: ConnId, left: usize) {
        self.tell(Told::Refused(conn, left));
    }
    fn drained(&mut self, _: Now, conn: ConnId) {
        self.tell(Told::Drained(conn));
    }
    fn closed(&mut self, _: Now, conn: ConnId, why: io::Result<()>) {
        self.tell(Told::Closed(conn, why.map_err(|error| error.kind())));
    }
    fn finished(&mut self, _: Now, job: JobId, outcome: lanes::Outcome) {
        self.tell(Told::Finished(job, outcome));
    }
    fn posted(&mut self, now: Now, letter: Letter) {
        match letter.downcast::<Vec<Wish>>() {
            Ok(wishes) => self.actions.extend(wishes.into_iter().map(|wish| wish())),
            Err(letter) => match letter.downcast::<Duration>() {
                Ok(later) => self.deadline = Some(now.mono + *later),
                Err(letter) => self.tell(Told::Posted(*letter.downcast().unwrap())),
            },
        }
    }
    fn elapsed(&mut self, now: Now) {
        assert!(now.mono >= self.deadline.take().unwrap());
        self.tell(Told::Elapsed(now));
    }
    fn turned(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap();
        self.longest_turn_micros
            .fetch_max(micros, Ordering::Relaxed);
    }
    fn asked_to_stop(&mut self, _: Now) {
        self.tell(Told::AskedToStop);
    }
    fn deadline(&self) -> Option<Time> {
        self.deadline
    }
    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}

/// A reactor on its own thread, ended with the test.
struct Rig {
    address: SocketAddr,
    handle: Handle,
    told: Receiver<Told>,
    longest_turn_micros: Arc<AtomicU64>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Rig {
    fn new(config: &config::Reactor, lanes: Vec<Spec>, appetite: Appetite) -> Self {
        Self::prepared(config, lanes, appetite, |_| {})
    }

    fn prepared(
        config: &config::Reactor,
        lanes: Vec<Spec>,
        appetite: Appetite,
        prepare: impl FnOnce(&mut Reactor) + Send + 'static,
    ) -> Self {
        let (sender, told) = channel();
        let longest_turn_micros = Arc::default();
        let (config, longest) = (config.clone(), Arc::clone(&longest_turn_micros));
        let (ready, is_ready) = channel();
        // A loop stays on the thread that made it.
        let run = move || {
            let mut reactor = Reactor::new(&config).unwrap();
            let listener = reactor.listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
            reactor.adopt_lanes(lanes).unwrap();
            prepare(&mut reactor);
            let address = reactor.local_addr(listener).unwrap();
            ready.send((address, reactor.handle())).unwrap();
            reactor.run(&mut Teller {
                told: sender,
                actions: VecDeque::new(),
                appetite,
                deadline: None,
                longest_turn_micros: longest,
            })
        };
        let thread = thread::Builder::new().spawn(run).unwrap();
        let (address, handle) = is_ready.recv_timeout(PATIENCE).expect("it listens");
        Self {
            address,
            handle,
            told,
            longest_turn_micros,
            thread: Some(thread),
        }
    }

    fn echo() -> Self {
        Self::new(&config::Reactor::default(), Vec::new(), Box::new(echo))
    }

    fn client(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        client.set_write_timeout(Some(PATIENCE)).unwrap();
        client
    }

    fn accepted_client(&self) -> (TcpStream, ConnId) {
        let client = self.client();
        let id = self.wait(|told| match told {
            Told::Accepted(id) => Some(id),
            _ => None,
        });
        (client, id)
    }

    /// The first fact that answers, letting others pass.
    fn wait<T>(&self, mut answer: impl FnMut(Told) -> Option<T>) -> T {
        loop {
            let told = self
                .told
                .recv_timeout(PATIENCE)
                .expect("the fact that was waited for");
            if let Some(answer) = answer(told) {
                return answer;
            }
        }
    }

    fn act(&self, wishes: Vec<Wish>) {
        self.handle.post(Box::new(wishes)).unwrap();
    }

    /// Lets the loop do all that was asked so far, and returns what was told until then.
    fn settle(&self) -> Vec<Told> {
        let mut passed = Vec::new();
        // What was posted is performed after the letters of its turn were told: the second answer comes a turn later.
        for _ in 0..2 {
            self.handle.post(Box::new("settle")).unwrap();
            self.wait(|told| match told {
                Told::Posted("settle") => Some(()),
                other => {
                    passed.push(other);
                    None
                }
            });
        }
        passed
    }

    fn finish(&mut self) -> io::Result<()> {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.handle.stop();
        self.handle.stop();
        if let Some(thread) = self.thread.take() {
            let joined = thread.join();
            if !thread::panicking() {
                joined.unwrap().unwrap();
            }
        }
    }
}

fn echo(conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>) -> usize {
    actions.push_back(Action::Send(conn, Bytes::copy_from_slice(input).into()));
    input.len()
}

fn take_all(_: ConnId, input: &[u8], _: &mut VecDeque<Action>) -> usize {
    input.len()
}

/// Whole lines are echoed; the rest of one waits.
fn echo_lines(conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>) -> usize {
    let whole = input
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    echo(conn, &input[..whole], actions)
}

fn say_and_hear(client: &mut TcpStream, words: &[u8]) {
    client.write_all(words).unwrap();
    hear(client, words);
}

fn hear(client: &mut TcpStream, words: &[u8]) {
    let mut heard = vec![0; words.len()];
    client.read_exact(&mut heard).unwrap();
    assert!(heard == words);
}

fn hear_to_end(client: &mut TcpStream) -> Vec<u8> {
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    heard
}

fn pattern(length: usize) -> Bytes {
    (0..length)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

// ── Bytes in both directions ───────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_is_said_comes_back() {
    let rig = Rig::echo();
    let mut client = rig.client();
    say_and_hear(&mut client, b"hello");
    let large = pattern(3_000_000);
    let mut writer = client.try_clone().unwrap();
    let said = large.clone();
    let writing = thread::Builder::new()
        .spawn(move || writer.write_all(&said))
        .unwrap();
    hear(&mut client, &large);
    writing.join().unwrap().unwrap();
    drop(client);
    rig.wait(|told| matches!(told, Told::Closed(_, Ok(()))).then_some(()));
}

#[test]
fn what_is_left_is_shown_again_with_more_behind_it() {
    let config = config::Reactor::default();
    let rig = Rig::new(&config, Vec::new(), Box::new(echo_lines));
    let (mut client, _) = rig.accepted_client();
    for (said, shown) in [
        ("ab", "ab"),
        ("cd", "abcd"),
        ("e\nf", "abcde\nf"),
        ("g\n", "fg\n"),
    ] {
        client.write_all(said.as_bytes()).unwrap();
        let received = rig.wait(|told| match told {
            Told::Received(_, bytes) => Some(bytes),
            _ => None,
        });
        assert_eq!(received, shown.as_bytes());
    }
    hear(&mut client, b"abcde\nfg\n");
}

#[test]
fn a_half_closed_connection_still_gets_its_answer() {
    let rig = Rig::echo();
    for _ in 0..20 {
        let mut client = rig.client();
        client.write_all(b"and that was all").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(hear_to_end(&mut client), b"and that was all");
    }
}

#[test]
fn an_end_is_told_once() {
    let rig = Rig::echo();
    let (client, id) = rig.accepted_client();
    drop(client);
    rig.wait(|told| match told {
        Told::Closed(closed, Ok(())) if closed == id => Some(()),
        _ => None,
    });
    assert!(rig.settle().is_empty());
}

#[test]
fn a_reset_is_told_as_an_error() {
    let rig = Rig::echo();
    let (client, id) = rig.accepted_client();
    reset(client);
    let why = rig.wait(|told| match told {
        Told::Closed(closed, why) if closed == id => Some(why),
        _ => None,
    });
    assert_eq!(why, Err(ErrorKind::ConnectionReset));
}

fn reset(client: TcpStream) {
    socket2::SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(client);
}

#[test]
fn a_slow_reader_is_told_as_refused_and_then_as_drained() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    let large = pattern(16 << 20);
    rig.act(vec![send(id, large.clone())]);
    let left = rig.wait(|told| match told {
        Told::Refused(refused, left) if refused == id => Some(left),
        _ => None,
    });
    assert!(left > 0 && left < large.len());
    // What is sent meanwhile waits behind it, small and large.
    let tail = pattern(100_000);
    rig.act(vec![
        send(id, Bytes::from_static(b"<")),
        send(id, Bytes::from_static(b"")),
        send(id, tail.clone()),
        send(id, Bytes::from_static(b">")),
    ]);
    rig.settle();
    hear(&mut client, &large);
    hear(&mut client, b"<");
    hear(&mut client, &tail);
    hear(&mut client, b">");
    rig.wait(|told| matches!(told, Told::Drained(drained) if drained == id).then_some(()));
    say_and_hear(&mut client, b"and on it goes");
}

#[test]
fn whoever_asks_to_be_told_is_told_once_all_is_written() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    let drained = || rig.wait(|told| matches!(told, Told::Drained(it) if it == id).then_some(()));
    let some = Bytes::from_static(b"some");
    rig.act(vec![send(id, some.clone()), wish(move || Action::Tell(id))]);
    drained();
    hear(&mut client, b"some");
    rig.act(vec![wish(move || Action::Tell(id))]);
    drained();
    // What was told once is not told again.
    rig.act(vec![send(id, some)]);
    hear(&mut client, b"some");
    let large = pattern(16 << 20);
    rig.act(vec![
        send(id, large.clone()),
        wish(move || Action::Tell(id)),
    ]);
    rig.wait(|told| match told {
        Told::Drained(_) => panic!("it was told again, or too early"),
        Told::Refused(..) => Some(()),
        _ => None,
    });
    hear(&mut client, &large);
    drained();
}

#[test]
fn many_pieces_of_all_sizes_arrive_in_order() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    let mut actions = Vec::new();
    let mut expected = Vec::new();
    for number in 0..3_000_usize {
        let size = [1, 40, 4_096, 4_097, 70, 20_000, 3][number % 7];
        let piece = pattern(size + number % 5);
        expected.extend_from_slice(&piece);
        actions.push(send(id, piece));
    }
    rig.act(actions);
    hear(&mut client, &expected);
}

// ── Back-pressure ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_held_connection_is_not_read_until_it_is_shown() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    rig.act(vec![wish(move || Action::Hold(id))]);
    rig.settle();
    client.write_all(b"patience").unwrap();
    let mut other = rig.client();
    say_and_hear(&mut other, b"turn");
    let told = rig.settle();
    assert!(
        !told
            .iter()
            .any(|told| matches!(told, Told::Received(from, _) if *from == id))
    );
    rig.act(vec![wish(move || Action::Show(id))]);
    hear(&mut client, b"patience");
}

#[test]
fn a_held_connection_that_breaks_is_noticed() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    rig.act(vec![wish(move || Action::Hold(id))]);
    rig.settle();
    client.write_all(b"unread").unwrap();
    reset(client);
    let why = rig.wait(|told| match told {
        Told::Closed(closed, why) if closed == id => Some(why),
        _ => None,
    });
    assert_eq!(why, Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_full_inbox_stops_the_reading_until_something_is_taken() {
    let mut config = config::Reactor::default();
    config.inbox_bytes_max = 10_000;
    let (open, gate) = channel::<()>();
    let mut hungry = false;
    let appetite = move |_: ConnId, input: &[u8], _: &mut VecDeque<Action>| {
        hungry |= gate.try_recv().is_ok();
        assert!(input.len() <= 10_000);
        if hungry { input.len() } else { 0 }
    };
    let rig = Rig::new(&config, Vec::new(), Box::new(appetite));
    let (mut client, id) = rig.accepted_client();
    let all = pattern(500_000);
    let said = all.clone();
    let writing = thread::Builder::new().spawn(move || client.write_all(&said).map(|()| client));
    rig.wait(|told| {
        matches!(told, Told::Received(_, bytes) if bytes.len() == 10_000).then_some(())
    });
    assert!(
        rig.settle().is_empty(),
        "a full inbox is not shown again by itself"
    );
    open.send(()).unwrap();
    rig.act(vec![wish(move || Action::Show(id))]);
    let mut received = Vec::new();
    while received.len() < all.len() {
        received.extend(rig.wait(|told| match told {
            Told::Received(_, bytes) => Some(bytes),
            _ => None,
        }));
    }
    assert!(received == all);
    writing.unwrap().join().unwrap().unwrap();
}

#[test]
fn an_inbox_taken_in_crumbs_is_shown_as_often_as_asked() {
    let config = config::Reactor::default();
    // One byte at a time, and each time the wish to be shown the rest: pipelining.
    let crumbs = |conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>| {
        actions.push_back(Action::Send(
            conn,
            Bytes::copy_from_slice(&input[..1]).into(),
        ));
        actions.push_back(Action::Show(conn));
        1
    };
    let rig = Rig::new(&config, Vec::new(), Box::new(crumbs));
    let mut client = rig.client();
    say_and_hear(&mut client, &pattern(2_000));
}

// ── Ends ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_flushed_connection_is_written_to_its_end() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    let large = pattern(8 << 20);
    rig.act(vec![
        send(id, large.clone()),
        wish(move || Action::Close(id, Close::Flush)),
        send(id, Bytes::from_static(b"too late")),
    ]);
    assert!(hear_to_end(&mut client) == large);
    assert!(
        !rig.settle()
            .iter()
            .any(|told| matches!(told, Told::Closed(..)))
    );
}

#[test]
fn a_flush_that_takes_too_long_is_cut() {
    let mut config = config::Reactor::default();
    config.flush_within = Duration::from_millis(30);
    config.connections_max = Some(1);
    let rig = Rig::new(&config, Vec::new(), Box::new(echo));
    let (mut client, id) = rig.accepted_client();
    let large = pattern(32 << 20);
    rig.act(vec![
        send(id, large.clone()),
        wish(move || Action::Close(id, Close::Flush)),
    ]);
    // There is room for one: another is served as soon as this one has gone.
    let served = || -> io::Result<()> {
        let mut next = rig.client();
        next.write_all(b"?")?;
        next.read_exact(&mut [0])
    };
    while served().is_err() {}
    let mut heard = Vec::new();
    // The kernel may still have delivered some of it; the end is an end or a reset.
    let _ = client.read_to_end(&mut heard);
    assert!(heard.len() < large.len());
}

#[test]
fn a_lingering_connection_lets_the_last_words_arrive() {
    let config = config::Reactor::default();
    let refuse = |conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>| {
        let linger = Close::Linger {
            bytes: 64 << 20,
            time: PATIENCE,
        };
        actions.push_back(Action::Send(conn, Bytes::from_static(b"413").into()));
        actions.push_back(Action::Close(conn, linger));
        input.len()
    };
    let rig = Rig::new(&config, Vec::new(), Box::new(refuse));
    let (mut client, id) = rig.accepted_client();
    // Far more than is read before the answer: without lingering, its arrival is answered with a reset.
    client.write_all(&pattern(4 << 20)).unwrap();
    assert_eq!(hear_to_end(&mut client), b"413");
    drop(client);
    let told = rig.settle();
    assert!(
        !told
            .iter()
            .any(|told| matches!(told, Told::Closed(closed, _) if *closed == id))
    );
}

#[test]
fn a_lingering_connection_reads_only_so_much() {
    let config = config::Reactor::default();
    let refuse = |conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>| {
        let linger = Close::Linger {
            bytes: 100_000,
            time: PATIENCE,
        };
        actions.push_back(Action::Close(conn, linger));
        input.len()
    };
    let rig = Rig::new(&config, Vec::new(), Box::new(refuse));
    let mut client = rig.client();
    // Writes until the other end is gone.
    let piece = pattern(64 * 1024);
    let error = loop {
        if let Err(error) = client.write_all(&piece) {
            break error.kind();
        }
    };
    assert!(
        matches!(error, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
        "{error:?}"
    );
}

#[test]
fn a_lingering_connection_waits_only_so_long() {
    let refuse = |conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>| {
        let linger = Close::Linger {
            bytes: usize::MAX,
            time: Duration::from_millis(20),
        };
        actions.push_back(Action::Close(conn, linger));
        input.len()
    };
    let mut config = config::Reactor::default();
    config.connections_max = Some(1);
    let rig = Rig::new(&config, Vec::new(), Box::new(refuse));
    let (mut client, first) = rig.accepted_client();
    client.write_all(b"?").unwrap();
    assert_eq!(hear_to_end(&mut client), b"");
    // Over the limit a connection is closed unheard; the next that is accepted proves that the first has gone.
    let second = loop {
        let mut next = rig.client();
        let heard = next.write_all(b"?").and_then(|()| next.read(&mut [0]));
        let accepted = rig.settle().into_iter().find_map(|told| match told {
            Told::Accepted(id) => Some(id),
            _ => None,
        });
        if let Some(id) = accepted {
            assert_eq!(heard.unwrap(), 0);
            break id;
        }
    };
    assert_ne!(first, second);
}

#[test]
fn a_reset_connection_is_reset() {
    let rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    rig.act(vec![wish(move || Action::Close(id, Close::Reset))]);
    let error = client.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_stale_name_does_not_reach_the_next_connection() {
    let rig = Rig::echo();
    let (client, first) = rig.accepted_client();
    drop(client);
    rig.wait(|told| matches!(told, Told::Closed(..)).then_some(()));
    let (mut client, second) = rig.accepted_client();
    assert_eq!(first.slot(), second.slot());
    assert_ne!(first.generation(), second.generation());
    rig.act(vec![
        send(first, Bytes::from_static(b"not for you")),
        wish(move || Action::Hold(first)),
        wish(move || Action::Close(first, Close::Reset)),
    ]);
    rig.settle();
    say_and_hear(&mut client, b"for me");
}

#[test]
fn however_the_peers_leave_each_end_is_told_once_and_nothing_stays() {
    let seed: u64 = rand::random_range(0..u64::MAX);
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let rig = Rig::new(
        &config::Reactor::default(),
        Vec::new(),
        Box::new(echo_lines),
    );
    let mut ends = HashMap::new();
    let mut count = |told| match told {
        Told::Accepted(id) => Some(id),
        Told::Closed(id, _) => {
            *ends.entry(id).or_insert(0) += 1;
            None
        }
        _ => None,
    };
    for _ in 0..400 {
        let mut client = rig.client();
        let id = rig.wait(&mut count);
        if random.random_bool(0.7) {
            let length = random.random_range(1..100_000);
            let cut = pattern(length);
            client.write_all(&cut).unwrap();
        }
        if random.random_bool(0.2) {
            rig.act(vec![send(id, pattern(random.random_range(1..100_000)))]);
        }
        if random.random_bool(0.2) {
            rig.act(vec![
                wish(move || Action::Hold(id)),
                wish(move || Action::Show(id)),
            ]);
        }
        match random.random_range(0..4) {
            0 => reset(client),
            1 => client.shutdown(Shutdown::Write).unwrap(),
            2 => drop(client),
            _ => {
                client.shutdown(Shutdown::Write).unwrap();
                // What comes back, if anything does, and then the end, orderly or not.
                let _ = client.read_to_end(&mut Vec::new());
            }
        }
    }
    while ends.len() < 400 {
        let id = rig.wait(|told| match told {
            Told::Closed(id, _) => Some(id),
            _ => None,
        });
        *ends.entry(id).or_insert(0) += 1;
    }
    assert!(ends.values().all(|times| *times == 1));
    assert!(
        !rig.settle()
            .iter()
            .any(|told| matches!(told, Told::Closed(..)))
    );
}

// ── Listening and connecting ─────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn who_comes_over_the_limit_is_closed_at_once() {
    let mut config = config::Reactor::default();
    config.connections_max = Some(2);
    let rig = Rig::new(&config, Vec::new(), Box::new(echo));
    let (mut a, _) = rig.accepted_client();
    let (mut b, _) = rig.accepted_client();
    assert_eq!(hear_to_end(&mut rig.client()), b"");
    say_and_hear(&mut a, b"a");
    say_and_hear(&mut b, b"b");
}

#[test]
fn a_herd_is_accepted_over_several_turns() {
    let mut config = config::Reactor::default();
    config.accepts_per_turn_max = 3;
    let rig = Rig::new(&config, Vec::new(), Box::new(echo));
    let mut clients: Vec<_> = (0..50).map(|_| rig.client()).collect();
    for client in &mut clients {
        say_and_hear(client, b"one of many");
    }
}

#[test]
fn after_stop_listening_the_port_is_free_and_the_connections_stay() {
    let rig = Rig::echo();
    let (mut client, _) = rig.accepted_client();
    rig.act(vec![wish(move || Action::StopListening)]);
    rig.settle();
    let refused = TcpStream::connect(rig.address).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let again = TcpListener::bind(rig.address).unwrap();
    drop(again);
    say_and_hear(&mut client, b"still here");
}

#[test]
fn both_families_can_listen_on_one_port() {
    // The kernel gives a port that is free for one family; some other program may have it for the other.
    for _ in 0..50 {
        let mut reactor = Reactor::new(&config::Reactor::default()).unwrap();
        let Ok(six) = reactor.listen("[::]:0".parse().unwrap()) else {
            return; // a machine without IPv6
        };
        let port = reactor.local_addr(six).unwrap().port();
        match reactor.listen((Ipv4Addr::UNSPECIFIED, port).into()) {
            Ok(four) => return assert_ne!(six, four),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse),
        }
    }
    panic!("no port is free for both families");
}

#[test]
fn a_path_is_listened_at_like_a_port_and_is_gone_with_the_loop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("door");
    let at = path.clone();
    let rig = Rig::prepared(
        &config::Reactor::default(),
        Vec::new(),
        Box::new(echo),
        move |reactor| assert_eq!(reactor.listen_at(&at).unwrap(), ListenerId(1)),
    );
    let mut client = UnixStream::connect(&path).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let large = pattern(3_000_000);
    let mut writer = client.try_clone().unwrap();
    let said = large.clone();
    let writing = thread::Builder::new()
        .spawn(move || {
            writer.write_all(&said)?;
            writer.shutdown(Shutdown::Write)
        })
        .unwrap();
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).unwrap();
    writing.join().unwrap().unwrap();
    assert!(heard == large);
    // And the port beside it goes on.
    say_and_hear(&mut rig.client(), b"hello");
    drop(rig);
    assert!(!path.exists());
}

#[test]
fn a_connection_of_ours_is_told_with_its_tag_and_carries_bytes() {
    let rig = Rig::echo();
    let theirs = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let peer = Peer::Tcp(theirs.local_addr().unwrap());
    rig.act(vec![wish(move || Action::Connect(Tag(7), peer))]);
    let (mut peer, _) = theirs.accept().unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let id = rig.wait(|told| match told {
        Told::Connected(Tag(7), Ok(id)) => Some(id),
        _ => None,
    });
    rig.act(vec![send(id, Bytes::from_static(b"hello, it is us"))]);
    hear(&mut peer, b"hello, it is us");
    say_and_hear(&mut peer, b"echo");
}

#[test]
fn a_connection_that_cannot_be_made_is_told_with_its_tag() {
    let rig = Rig::echo();
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    rig.act(vec![
        wish(move || Action::Connect(Tag(1), Peer::Tcp(address))),
        wish(move || Action::Connect(Tag(2), Peer::Unix)),
    ]);
    let mut told = Vec::new();
    while told.len() < 2 {
        told.push(rig.wait(|fact| match fact {
            Told::Connected(tag, Err(kind)) => Some((tag.0, kind)),
            _ => None,
        }));
    }
    told.sort_by_key(|(tag, _)| *tag);
    assert_eq!(
        told,
        [
            (1, ErrorKind::ConnectionRefused),
            (2, ErrorKind::Unsupported)
        ]
    );
}

// ── Fan-out ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_echo_goes_on_while_a_thousand_are_told_something() {
    let mut config = config::Reactor::default();
    config.writes_per_turn_max = 64;
    let rig = Rig::new(&config, Vec::new(), Box::new(echo));
    let (mut echoing, _) = rig.accepted_client();
    let (mut members, ids): (Vec<_>, Vec<_>) = (0..1_000).map(|_| rig.accepted_client()).unzip();
    let word = pattern(1_000);
    for _ in 0..5 {
        let send_word = |id: &ConnId| send(*id, word.clone());
        rig.act(ids.iter().map(send_word).collect());
        say_and_hear(&mut echoing, b"meanwhile");
    }
    for member in &mut members {
        for _ in 0..5 {
            hear(member, &word);
        }
    }
    say_and_hear(&mut echoing, b"afterwards");
}

// ── Time, letters, stopping ──────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_deadline_elapses_once_and_not_early() {
    let rig = Rig::echo();
    rig.handle
        .post(Box::new(Duration::from_micros(12_345)))
        .unwrap();
    let now = rig.wait(|told| match told {
        Told::Elapsed(now) => Some(now),
        _ => None,
    });
    assert!(now.mono >= Time(12_345));
    assert!(now.wall.0 > 1_700_000_000_000);
    assert!(rig.settle().is_empty());
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what is measured is the time of the one clock, so the work must take some"
)]
fn a_turn_is_told_with_the_time_it_took() {
    const WORK: Duration = Duration::from_millis(3);
    let work = |conn: ConnId, input: &[u8], actions: &mut VecDeque<Action>| {
        let start = Instant::now();
        while start.elapsed() < WORK {}
        echo(conn, input, actions)
    };
    let mut rig = Rig::new(&config::Reactor::default(), Vec::new(), Box::new(work));
    let (mut client, _) = rig.accepted_client();
    say_and_hear(&mut client, b"work");
    rig.act(vec![wish(move || Action::Exit)]);
    rig.finish().unwrap();
    let longest = rig.longest_turn_micros.load(Ordering::Relaxed);
    assert!(u128::from(longest) >= WORK.as_micros(), "{longest} µs");
}

#[test]
fn letters_of_several_threads_all_arrive() {
    let rig = Rig::echo();
    thread::scope(|scope| {
        for _ in 0..4 {
            let handle = rig.handle.clone();
            scope.spawn(move || {
                for _ in 0..200 {
                    handle.post(Box::new("letter")).unwrap();
                }
            });
        }
    });
    for _ in 0..800 {
        rig.wait(|told| matches!(told, Told::Posted("letter")).then_some(()));
    }
}

#[test]
fn a_letter_too_many_is_given_back_and_so_is_one_for_nobody() {
    let mut config = config::Reactor::default();
    config.letters_max = 2;
    let reactor = Reactor::new(&config).unwrap();
    let handle = reactor.handle();
    handle.post(Box::new(1)).unwrap();
    handle.post(Box::new(2)).unwrap();
    let Err(Undelivered::Full(letter)) = handle.post(Box::new(3)) else {
        panic!("it was full")
    };
    assert_eq!(*letter.downcast::<i32>().unwrap(), 3);
    drop(reactor);
    assert!(matches!(
        handle.post(Box::new(4)),
        Err(Undelivered::Gone(_))
    ));
}

#[test]
fn the_first_wish_to_stop_is_told_and_exit_waits_for_the_outboxes() {
    let mut rig = Rig::echo();
    let (mut client, id) = rig.accepted_client();
    rig.handle.stop();
    rig.wait(|told| matches!(told, Told::AskedToStop).then_some(()));
    let large = pattern(8 << 20);
    rig.act(vec![
        send(id, large.clone()),
        wish(move || Action::StopListening),
        wish(move || Action::Exit),
    ]);
    assert!(hear_to_end(&mut client) == large);
    rig.finish().unwrap();
    assert!(matches!(
        rig.handle.post(Box::new("too late")),
        Err(Undelivered::Gone(_))
    ));
}

#[test]
fn exit_does_not_wait_for_ever() {
    let mut config = config::Reactor::default();
    config.flush_within = Duration::from_millis(30);
    let mut rig = Rig::new(&config, Vec::new(), Box::new(echo));
    let (_client, id) = rig.accepted_client();
    rig.act(vec![
        send(id, pattern(32 << 20)),
        wish(move || Action::Exit),
    ]);
    rig.finish().unwrap();
}

#[test]
fn the_second_wish_to_stop_ends_the_loop_at_once() {
    let mut rig = Rig::echo();
    let (_client, id) = rig.accepted_client();
    rig.act(vec![send(id, pattern(32 << 20))]);
    rig.handle.stop();
    rig.wait(|told| matches!(told, Told::AskedToStop).then_some(()));
    rig.handle.stop();
    rig.finish().unwrap();
}

#[test]
fn a_signal_asks_to_stop() {
    use rustix::process::{Signal, getpid, kill_process};
    let config = config::Reactor::default();
    let mut rig = Rig::prepared(&config, Vec::new(), Box::new(take_all), |reactor| {
        reactor.handle_signals().unwrap();
    });
    kill_process(getpid(), Signal::TERM).unwrap();
    rig.wait(|told| matches!(told, Told::AskedToStop).then_some(()));
    kill_process(getpid(), Signal::INT).unwrap();
    rig.finish().unwrap();
}

// ── Lanes ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

const LEDGER: Lane<Ledger> = Lane::new(LaneId(1));

/// A worker that counts its batches, and fails one when told to.
#[derive(Default)]
struct Ledger {
    batches: u32,
    entries: Vec<u32>,
    fail: Option<&'static str>,
}

impl Worker for Ledger {
    fn batch(&mut self, run: &mut dyn FnMut(&mut Self)) -> Result<(), Box<dyn Any + Send>> {
        self.batches += 1;
        let before = self.entries.len();
        run(self);
        if let Some(why) = self.fail.take() {
            self.entries.truncate(before);
            return Err(Box::new(why));
        }
        Ok(())
    }
}

fn ledger_rig(queue_max: usize) -> Rig {
    let spec = Lane::<Ledger>::spec(LEDGER.id(), "ledger", queue_max, Ledger::default);
    Rig::new(&config::Reactor::default(), vec![spec], Box::new(echo))
}

fn run<T: Send + 'static>(
    number: u64,
    work: impl FnOnce(&mut Ledger) -> T + Send + 'static,
) -> Wish {
    wish(move || Action::Run(LEDGER.id(), JobId(number), LEDGER.job(work)))
}

impl Rig {
    fn finished(&self) -> (u64, lanes::Outcome) {
        self.wait(|told| match told {
            Told::Finished(job, outcome) => Some((job.0, outcome)),
            _ => None,
        })
    }
}

/// A job that keeps its lane busy until the gate opens; says when it has begun.
fn gate(number: u64) -> (Wish, Receiver<()>, Sender<()>) {
    let (begun, has_begun) = channel();
    let (open, opened) = channel();
    let action = run(number, move |_| {
        begun.send(()).unwrap();
        opened.recv().unwrap();
    });
    (action, has_begun, open)
}

#[test]
fn a_job_runs_on_its_lane_and_its_outcome_comes_home() {
    let rig = ledger_rig(9);
    let here = thread::current().id();
    rig.act(vec![run(5, move |ledger| {
        ledger.entries.push(1);
        (ledger.entries.len(), thread::current().id())
    })]);
    let (job, outcome) = rig.finished();
    let (entries, there) = *outcome.unwrap().downcast::<(usize, ThreadId)>().unwrap();
    assert_eq!((job, entries), (5, 1));
    assert_ne!(there, here);
}

#[test]
fn all_that_waits_for_a_lane_runs_in_one_batch_and_in_order() {
    let rig = ledger_rig(100);
    let (first, has_begun, open) = gate(0);
    rig.act(vec![first]);
    has_begun.recv().unwrap();
    let push = |number: u32| {
        run(u64::from(number), move |ledger| {
            ledger.entries.push(number);
            ledger.batches
        })
    };
    rig.act((1..=50).map(push).collect());
    rig.settle();
    open.send(()).unwrap();
    assert_eq!(rig.finished().0, 0);
    for number in 1..=50 {
        let (job, outcome) = rig.finished();
        assert_eq!(
            (job, *outcome.unwrap().downcast::<u32>().unwrap()),
            (number, 2)
        );
    }
}

#[test]
fn a_batch_that_fails_fails_all_its_jobs_with_one_cause() {
    let rig = ledger_rig(100);
    let (first, has_begun, open) = gate(0);
    rig.act(vec![first]);
    has_begun.recv().unwrap();
    rig.act(vec![
        run(1, |ledger| ledger.entries.push(1)),
        run(2, |ledger| ledger.fail = Some("COMMIT failed")),
        run(3, |_| panic!("a panic of its own")),
    ]);
    rig.settle();
    open.send(()).unwrap();
    assert!(rig.finished().1.is_ok());
    for number in [1, 2] {
        let (job, outcome) = rig.finished();
        let failed = *outcome.unwrap_err().downcast::<BatchFailed>().unwrap();
        assert_eq!(
            (job, failed.cause::<&str>()),
            (number, Some("COMMIT failed"))
        );
        assert_eq!(failed.cause::<String>(), None);
    }
    let (job, outcome) = rig.finished();
    assert_eq!(
        (job, *outcome.unwrap_err().downcast::<&str>().unwrap()),
        (3, "a panic of its own")
    );
    rig.act(vec![run(4, |ledger| ledger.entries.len())]);
    assert_eq!(*rig.finished().1.unwrap().downcast::<usize>().unwrap(), 0);
}

#[test]
fn a_job_that_panics_costs_only_itself() {
    let rig = ledger_rig(9);
    rig.act(vec![run(1, |_| panic!("oops")), run(2, |_| 7_u8)]);
    let (_, outcome) = rig.finished();
    assert_eq!(*outcome.unwrap_err().downcast::<&str>().unwrap(), "oops");
    assert_eq!(*rig.finished().1.unwrap().downcast::<u8>().unwrap(), 7);
}

#[test]
fn a_job_too_many_is_told_that_its_lane_is_full() {
    let rig = ledger_rig(2);
    let (first, has_begun, open) = gate(0);
    rig.act(vec![first]);
    has_begun.recv().unwrap();
    rig.act((1..=3).map(|number| run(number, |_| ())).collect());
    let (job, outcome) = rig.finished();
    assert_eq!(
        (
            job,
            *outcome.unwrap_err().downcast::<lanes::Full>().unwrap()
        ),
        (3, lanes::Full)
    );
    open.send(()).unwrap();
    for number in 0..=2 {
        let (job, outcome) = rig.finished();
        assert_eq!((job, outcome.is_ok()), (number, true));
    }
}

#[test]
fn a_lane_that_cannot_be_made_fails_its_jobs() {
    let spec = Lane::<Ledger>::spec(LEDGER.id(), "broken", 9, || panic!("no disk"));
    let rig = Rig::new(&config::Reactor::default(), vec![spec], Box::new(echo));
    for number in 1..=2 {
        rig.act(vec![run(number, |_| ())]);
        let (job, outcome) = rig.finished();
        let failed = *outcome.unwrap_err().downcast::<BatchFailed>().unwrap();
        assert_eq!((job, failed.cause::<&str>()), (number, Some("no disk")));
    }
}

#[test]
fn a_lane_finishes_what_waits_before_the_loop_has_ended() {
    let mut rig = ledger_rig(100);
    let (done, has_done) = channel();
    let job = |number: u64| {
        let done = done.clone();
        run(number, move |_| done.send(number).unwrap())
    };
    let mut actions: Vec<_> = (0..50).map(job).collect();
    actions.push(wish(move || Action::Exit));
    rig.act(actions);
    rig.finish().unwrap();
    assert_eq!(
        has_done.try_iter().collect::<Vec<_>>(),
        (0..50).collect::<Vec<_>>()
    );
}

#[test]
fn a_stint_is_over_when_its_time_is() {
    use roomcast::reactor::lanes::Stint;
    assert!(Stint::begin(Duration::ZERO).is_over());
    assert!(!Stint::begin(Duration::from_secs(3600)).is_over());
}
