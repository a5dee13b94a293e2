//! The loop itself: what happens in one turn, and in which order.
//!
//! 1. Poll, until something happens or the earliest deadline comes; read both clocks.
//! 2. Look at all events: outboxes that may be written to are, connections that may be read from are listed,
//!    listeners accept.
//! 3. Read what is listed, each connection within its budget (`reading`).
//! 4. Tell the outcomes of jobs and the letters of other threads; then what is due, and `elapsed`.
//! 5. Perform the actions: all that is to be sent is only queued now, so a broadcast is atomic in memory.
//! 6. Write, one write for each stream: those read in this turn first, then a slice of the backlog (`writing`).
//! 7. Read the one clock again and tell how long 2 to 6 took; from that reading on the next poll counts its patience.
//!
//! What was left over (a budget spent, a backlog, a fact told after the actions were performed) makes the next poll return at once.
//! Knows no protocol. Left out: more than one loop; one thread carries what the kernel of a small machine does.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Poll, Waker};

use super::clock::Clock;
use super::handle::{Handle, Postbox};
use super::lanes::{self, Lanes, Outcome};
use super::listener::{self, Listeners};
use super::outbox::Outboxes;
use super::signals::Signals;
use super::stream::{Flags, Phase, Stream};
use super::{Action, ConnId, JobId, Letter, ListenerId, Service, Tag, tokens};
use crate::config;
use crate::slots::Slots;
use crate::time::{Now, Time};
use crate::timers::Timers;

/// Events looked at in one turn; more wait in the kernel for the next.
const EVENTS_PER_TURN_MAX: usize = 1024;
/// The one read buffer: a whole socket buffer of a busy peer, and still within the second cache.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// The event loop, with every socket and thread that belongs to it.
pub struct Reactor {
    pub(super) poll: Poll,
    clock: Clock,
    pub(super) config: config::Reactor,
    pub(super) streams: Slots<Stream>,
    pub(super) outboxes: Outboxes,
    pub(super) listeners: Listeners,
    lanes: Lanes,
    postbox: Arc<Postbox>,
    signals: Option<Signals>,
    pub(super) timers: Timers<Due>,
    pub(super) buffer: Box<[u8]>,

    /// When the last turn was over.
    rested: Time,
    /// Numbers the turns; starts anew after 2³².
    pub(super) turn: u32,
    /// Something was told after the actions were performed: the next poll does not wait.
    pub(super) again: bool,
    /// Connections to be read in this turn or, left over, in the next.
    pub(super) listed: Vec<ConnId>,
    /// Those being read just now; only lends its memory.
    pub(super) being_read: Vec<ConnId>,
    /// Streams to be written in this turn: they were read in it, or are being closed.
    pub(super) hot: Vec<ConnId>,
    /// Streams to be written in their turn.
    pub(super) backlog: VecDeque<ConnId>,
    /// Streams whose end was decided in this turn: each is gone after the writing, or has a deadline.
    pub(super) settling: Vec<ConnId>,
    /// How many streams are in a phase that ends by itself.
    pub(super) closing: usize,
    /// Of the streams being closed that have a deadline: the bytes that waited when they were given it.
    pub(super) flushing_bytes: usize,
    /// Bytes in all inboxes.
    pub(super) inboxes_bytes: usize,
    /// Facts that came up while actions were performed.
    news: Vec<News>,
    /// Lists that only lend their memory.
    outcomes: Vec<(JobId, Outcome)>,
    letters: VecDeque<Letter>,

    woken: bool,
    stops: u32,
    stop_told: bool,
    /// When the loop ends at the latest.
    pub(super) exit_at: Option<Time>,
}

/// What the loop's own timers are for. A name whose connection has gone is harmless.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// A connection being made has had its time.
    Connect(ConnId),
    /// A connection being closed, for which so many bytes waited, has had its time to take some of them.
    Flush(ConnId, usize),
    /// A lingering connection has had its time.
    Linger(ConnId),
    /// A listener that ran out of descriptors tries again.
    Accept(ListenerId),
}

enum News {
    NotConnected(Tag, io::Error),
    NotRun(JobId, Outcome),
}

/// Whether there is another turn.
enum Loop {
    Continues,
    Ends,
}

impl Reactor {
    /// A loop without sockets or threads. Raises the process's limit of descriptors to what it may have.
    ///
    /// # Errors
    /// If the system has no more selectors.
    pub fn new(config: &config::Reactor) -> io::Result<Self> {
        listener::raise_descriptors();
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), tokens::WAKER)?);
        let mut listeners = Listeners::new(config);
        listeners.connections_max = listeners.connections_max.min(tokens::CONNECTIONS_MAX);
        Ok(Self {
            poll,
            clock: Clock::start(),
            config: workable(config),
            streams: Slots::new(),
            outboxes: Outboxes::default(),
            listeners,
            lanes: Lanes::new(Arc::clone(&waker)),
            postbox: Arc::new(Postbox::new(config.letters_max, waker)),
            signals: None,
            timers: Timers::new(),
            buffer: vec![0; READ_BUFFER_BYTES.min(config.inbox_bytes_max.max(1))]
                .into_boxed_slice(),
            rested: Time::ZERO,
            turn: 0,
            again: true,
            listed: Vec::new(),
            being_read: Vec::new(),
            hot: Vec::new(),
            backlog: VecDeque::new(),
            settling: Vec::new(),
            closing: 0,
            flushing_bytes: 0,
            inboxes_bytes: 0,
            news: Vec::new(),
            outcomes: Vec::new(),
            letters: VecDeque::new(),
            woken: false,
            stops: 0,
            stop_told: false,
            exit_at: None,
        })
    }

    /// Listens at `address`; an IPv6 one takes IPv6 only, so both families are two listeners.
    ///
    /// # Errors
    /// If the address is not ours or taken.
    pub fn listen(&mut self, address: SocketAddr) -> io::Result<ListenerId> {
        self.listeners.bind(
            self.poll.registry(),
            tokens::of_listener,
            address,
            &self.config,
        )
    }

    /// Listens at a path of this machine, for processes of the same user and of root only ([`super::Peer::Unix`]). The path is
    /// removed when nobody listens any more; one that a process left behind is replaced.
    ///
    /// # Errors
    /// If it is taken, too long for a socket's name (107 bytes on Linux), or in a folder that cannot be written to.
    pub fn listen_at(&mut self, path: &Path) -> io::Result<ListenerId> {
        self.listeners
            .bind_at(self.poll.registry(), tokens::of_listener, path)
    }

    /// Where a listener listens: the port that was chosen for port 0.
    ///
    /// # Errors
    /// If there is no such listener any more.
    pub fn local_addr(&self, listener: ListenerId) -> io::Result<SocketAddr> {
        self.listeners.local_addr(listener)
    }

    /// Starts threads for blocking work. They are joined in this order at the end of [`Reactor::run`], each after it
    /// has finished what waits for it.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn adopt_lanes(&mut self, lanes: Vec<lanes::Spec>) -> io::Result<()> {
        lanes
            .into_iter()
            .try_for_each(|spec| self.lanes.adopt(spec))
    }

    /// A door to this loop for other threads.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.postbox))
    }

    /// From now on SIGTERM and SIGINT ask the service to stop, and a write beyond the limit on the size of files fails by itself;
    /// until then they end the process.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn handle_signals(&mut self) -> io::Result<()> {
        if self.signals.is_none() {
            self.signals = Some(Signals::new(self.poll.registry(), tokens::SIGNALS)?);
        }
        Ok(())
    }

    /// Turns until [`Action::Exit`] is done or a second signal comes, then joins the lanes.
    ///
    /// # Errors
    /// If the system's selector fails, which no connection can bring about.
    pub fn run<S: Service>(&mut self, service: &mut S) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN_MAX);
        let result = loop {
            match self.turn(service, &mut events) {
                Ok(Loop::Continues) => {}
                Ok(Loop::Ends) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.postbox.close();
        self.lanes.join();
        result
    }

    fn turn<S: Service>(&mut self, service: &mut S, events: &mut Events) -> io::Result<Loop> {
        match self.poll.poll(events, self.patience(service)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => events.clear(),
            Err(error) => return Err(error),
        }
        let now = self.clock.read();
        self.turn = self.turn.wrapping_add(1);
        for event in &*events {
            self.look_at(service, now, event);
        }
        self.accept_all(service, now);
        self.read_listed(service, now);
        if std::mem::take(&mut self.woken) {
            self.open_mail(service, now);
        }
        if let Loop::Ends = self.heed_stops(service, now) {
            return Ok(Loop::Ends);
        }
        self.fire(service, now);
        if service
            .deadline()
            .is_some_and(|deadline| deadline <= now.mono)
        {
            service.elapsed(now);
        }
        self.again = false;
        self.perform(service, now);
        self.tell_news(service, now);
        self.write_all(service, now);
        self.settle(now);
        self.rested = self.clock.read_mono();
        service.turned(self.rested.since(now.mono));
        Ok(self.done(now))
    }

    /// How long the poll may wait.
    fn patience(&self, service: &impl Service) -> Option<Duration> {
        let left_over = self.again
            || !self.listed.is_empty()
            || !self.backlog.is_empty()
            || self.listeners.any_ready();
        if left_over {
            return Some(Duration::ZERO);
        }
        let deadlines = [service.deadline(), self.timers.next_due(), self.exit_at];
        let earliest = deadlines.into_iter().flatten().min()?;
        Some(earliest.since(self.rested))
    }

    fn done(&self, now: Now) -> Loop {
        match self.exit_at {
            Some(at) if now.mono >= at => Loop::Ends,
            Some(_) if self.outboxes.busy() == 0 && self.closing == 0 => Loop::Ends,
            _ => Loop::Continues,
        }
    }

    fn look_at<S: Service>(&mut self, service: &mut S, now: Now, event: &Event) {
        match event.token() {
            tokens::WAKER => self.woken = true,
            tokens::SIGNALS => {
                let arrived = self.signals.as_mut().map_or(0, Signals::arrived);
                self.stops = self.stops.saturating_add(arrived);
            }
            token => match tokens::listener_of(token) {
                Some(number) => {
                    if let Some(listener) = self.listeners.open.get_mut(number) {
                        listener.ready = true;
                    }
                }
                None => {
                    if let Some(id) = tokens::stream_of(token, &self.streams) {
                        self.look_at_stream(service, now, id, event);
                    }
                }
            },
        }
    }

    fn look_at_stream<S: Service>(&mut self, service: &mut S, now: Now, id: ConnId, event: &Event) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let over = event.is_error() || (event.is_read_closed() && event.is_write_closed());
        if event.is_readable() || event.is_read_closed() || over {
            stream.flags.set(Flags::READY);
        }
        if event.is_read_closed() || over {
            stream.flags.set(Flags::TO_END);
        }
        match stream.phase {
            Phase::Connecting if event.is_writable() || over => self.greet(service, now, id),
            Phase::Connecting => {}
            Phase::Open | Phase::Ended | Phase::Flushing => {
                if event.is_writable() && stream.flags.has(Flags::REFUSED) {
                    self.write(service, now, id);
                }
                self.list_or_break(service, now, id, over);
            }
            Phase::Lingering => self.list(id),
        }
    }

    /// Lists a connection that has something to read. One that is not being read from would never find out that it
    /// is broken, so that is looked into here.
    fn list_or_break<S: Service>(&mut self, service: &mut S, now: Now, id: ConnId, over: bool) {
        let Some(stream) = self.streams.get(id) else {
            return;
        };
        let full = stream.inbox_bytes() >= self.config.inbox_bytes_max;
        let unread = stream.flags.has(Flags::HELD) || full || stream.phase != Phase::Open;
        if !unread && stream.flags.has(Flags::READY) {
            return self.list(id);
        }
        if unread && over {
            let error = match stream.transport.take_error() {
                Ok(Some(error)) | Err(error) => error,
                Ok(None) => io::ErrorKind::ConnectionReset.into(),
            };
            self.broken(service, now, id, error);
        }
    }

    pub(super) fn list(&mut self, id: ConnId) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        if stream.flags.raise(Flags::LISTED) {
            self.listed.push(id);
        }
    }

    fn open_mail<S: Service>(&mut self, service: &mut S, now: Now) {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        self.lanes.collect(&mut outcomes);
        for (job, outcome) in outcomes.drain(..) {
            service.finished(now, job, outcome);
        }
        self.outcomes = outcomes;
        let mut letters = std::mem::take(&mut self.letters);
        self.stops = self.stops.saturating_add(self.postbox.empty(&mut letters));
        for letter in letters.drain(..) {
            service.posted(now, letter);
        }
        self.letters = letters;
    }

    /// The first wish to stop is told, the second obeyed. `stops` counts those that came since the last turn.
    fn heed_stops<S: Service>(&mut self, service: &mut S, now: Now) -> Loop {
        let stops = std::mem::take(&mut self.stops);
        if stops == 0 {
            return Loop::Continues;
        }
        if stops > 1 || self.stop_told {
            self.lanes.abandon();
            return Loop::Ends;
        }
        self.stop_told = true;
        service.asked_to_stop(now);
        Loop::Continues
    }

    pub(super) fn fire<S: Service>(&mut self, service: &mut S, now: Now) {
        while let Some(due) = self.timers.pop_due(now.mono) {
            match due {
                Due::Connect(id) => {
                    if self.phase_of(id) == Some(Phase::Connecting) {
                        self.not_made(service, now, id, io::ErrorKind::TimedOut.into());
                    }
                }
                Due::Flush(id, waited) => self.flush_due(now.mono, id, waited),
                Due::Linger(id) => {
                    if self.phase_of(id) == Some(Phase::Lingering) {
                        self.remove(id);
                    }
                }
                Due::Accept(id) => {
                    if let Some(listener) = self.listeners.open.get_mut(id.0 as usize) {
                        listener.retry();
                    }
                }
            }
        }
    }

    fn perform<S: Service>(&mut self, service: &mut S, now: Now) {
        while let Some(action) = service.poll_action() {
            match action {
                Action::Send(id, bytes) => self.send(id, bytes),
                Action::Tell(id) => self.tell(id),
                Action::Close(id, how) => self.close(id, how),
                Action::Hold(id) => {
                    if let Some(stream) = self.streams.get_mut(id) {
                        stream.flags.set(Flags::HELD);
                        stream.flags.clear(Flags::SHOW);
                    }
                }
                Action::Show(id) => self.show(id),
                Action::Connect(tag, peer) => {
                    if let Err(error) = self.connect(now, tag, peer) {
                        self.news.push(News::NotConnected(tag, error));
                    }
                }
                Action::Run(lane, job_id, job) => {
                    if let Err(outcome) = self.lanes.run(lane, job_id, job) {
                        self.news.push(News::NotRun(job_id, outcome));
                    }
                }
                // What is dropped here frees its port and, with it, its place in the selector.
                Action::StopListening => self.listeners.open.clear(),
                Action::Exit => {
                    let at = now.mono + self.config.flush_within;
                    self.exit_at = Some(self.exit_at.map_or(at, |earlier| earlier.min(at)));
                }
            }
        }
    }

    fn tell_news<S: Service>(&mut self, service: &mut S, now: Now) {
        if self.news.is_empty() {
            return;
        }
        self.again = true;
        for news in std::mem::take(&mut self.news) {
            match news {
                News::NotConnected(tag, error) => service.connected(now, tag, Err(error)),
                News::NotRun(job, outcome) => service.finished(now, job, outcome),
            }
        }
    }
}

/// A budget of nothing would keep the loop turning for ever without getting anything done.
fn workable(config: &config::Reactor) -> config::Reactor {
    let mut config = config.clone();
    for budget in [
        &mut config.accepts_per_turn_max,
        &mut config.inbox_bytes_max,
        &mut config.read_bytes_per_turn_max,
        &mut config.writes_per_turn_max,
    ] {
        *budget = (*budget).max(1);
    }
    config
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.postbox.close();
    }
}

impl std::fmt::Debug for Reactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reactor")
            .field("connections", &self.streams.len())
            .finish_non_exhaustive()
    }
}
