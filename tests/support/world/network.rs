//! Virtual time, the way between clients and server, and the loop's part of the bargain.
//!
//! Bytes go in at one end of a [`Link`] and come out at the other: late, in pieces, or never. Towards the server this
//! file keeps every promise of `reactor::Service`, in the reactor's own order; it is the reactor without a kernel.
//! Knows no protocol.
//! Left out: `Action::Connect` and letters: the server asks for neither.

mod turn;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use roomcast::buffers::Shared;
use roomcast::reactor::lanes::Worker;
use roomcast::reactor::{ConnId, Job, JobId, ListenerId, Peer, Service};
use roomcast::time::{Now, Time, UnixMillis};

use super::chance::Chance;
use super::report::{Marks, Trace};
use super::weights::Weights;

/// A connection, by its number in the order they were opened; never given twice.
pub type LinkId = usize;

const FLUSH_WITHIN: Duration = Duration::from_secs(2);
/// What the kernel is told with `TCP_USER_TIMEOUT`.
const UNACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(45);
const INBOX_BYTES_MAX: usize = 1_200_000;
const JOBS_WAITING_MAX: usize = 3;
/// Turns that follow each other without waiting: as many as it takes to empty the largest queue in small pieces, and some.
const TURNS_AT_ONCE_MAX: u32 = 20_000;

/// What the world will do, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A piece arrives at the server.
    Up(LinkId),
    /// A piece arrives at the client.
    Down(LinkId),
    /// A client does something.
    Wake(usize),
    /// A closing connection has had its time.
    Flush(LinkId),
    Linger(LinkId),
    /// Nobody acknowledges anything.
    Unacknowledged(LinkId),
    /// A job comes home.
    Job,
    /// There are descriptors again for a connection that waited.
    Accept(LinkId),
    /// Everybody does something at the same instant.
    Herd,
}

/// The server's end of a connection; as `reactor::stream` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Open,
    Ended,
    Flushing,
    Lingering,
    Gone,
}

/// What a client hears of its connection.
pub enum ToClient {
    Bytes(Vec<u8>),
    End,
    Reset,
}

pub struct Link {
    pub conn: ConnId,
    pub client: usize,
    pub phase: Phase,
    /// When the client was last heard by the server.
    pub heard_at: u64,
    /// Whether the server knows of it: until then what comes waits in the kernel.
    is_accepted: bool,
    held: bool,
    show: bool,
    refused: bool,
    /// Whether the server is to be told when all is written.
    tell: bool,
    listed: bool,
    to_write: bool,
    inbox: Vec<u8>,
    outbox: VecDeque<Shared>,
    outbox_bytes: usize,
    /// While it is being closed: what waited when it was last given time.
    flush_bytes: usize,
    linger: Option<(usize, Duration)>,
    /// In the server's kernel.
    arrived: VecDeque<u8>,
    has_arrived_end: bool,
    is_broken: bool,
    /// Under way to the server.
    up: VecDeque<u8>,
    up_end: bool,
    is_up_scheduled: bool,
    /// Under way to the client.
    down: VecDeque<u8>,
    down_end: bool,
    down_reset: bool,
    is_down_scheduled: bool,
    capacity: usize,
    /// How often the client is slow to read, in a thousand.
    pub slow: u64,
    /// Whether the client has stopped reading for good.
    pub is_stuck: bool,
    /// Whether the client's end is there.
    pub is_open: bool,
    /// Whether the way is cut, and nobody was told.
    pub is_dead: bool,
}

impl Link {
    pub const fn outbox_bytes(&self) -> usize {
        self.outbox_bytes
    }
}

struct Running {
    id: JobId,
    run: Job,
    is_refused: bool,
}

/// What a lane's thread owns in this world.
pub struct Desk;

impl Worker for Desk {}

pub struct Network {
    pub now: u64,
    pub chance: Chance,
    pub weights: Weights,
    pub marks: Marks,
    pub trace: Trace,
    pub links: Vec<Link>,
    pub is_listening: bool,
    pub has_exited: bool,
    pub events: u64,
    heap: BinaryHeap<Reverse<(u64, u64, u64, Event)>>,
    count: u64,
    slots: Vec<(u32, Option<LinkId>)>,
    listed: Vec<LinkId>,
    to_write: Vec<LinkId>,
    settling: Vec<LinkId>,
    jobs: VecDeque<Running>,
    is_told_again: bool,
    deaf_until: u64,
    /// What the server's clock is ahead of the world's.
    ahead: u64,
}

impl Network {
    pub fn new(weights: Weights, chance: Chance) -> Self {
        Self {
            now: 0,
            chance,
            weights,
            marks: Marks::default(),
            trace: Trace::default(),
            links: Vec::new(),
            is_listening: true,
            has_exited: false,
            events: 0,
            heap: BinaryHeap::new(),
            count: 0,
            slots: Vec::new(),
            listed: Vec::new(),
            to_write: Vec::new(),
            settling: Vec::new(),
            jobs: VecDeque::new(),
            is_told_again: false,
            deaf_until: 0,
            ahead: 0,
        }
    }

    /// From now on nothing goes wrong any more, also on ways that were narrow so far.
    pub fn heal(&mut self) {
        self.weights.heal();
        for link in &mut self.links {
            link.capacity = self.weights.capacity as usize;
        }
    }

    pub fn at(&mut self, delay_us: u64, event: Event) {
        // The tie is broken by chance, then by age, so that a run repeats whatever the heap does.
        self.count += 1;
        let tie = self.chance.next();
        self.heap
            .push(Reverse((self.now + delay_us, tie, self.count, event)));
    }

    /// When something happens next in the world.
    pub fn next_at(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next event that is due.
    pub fn pop_due(&mut self) -> Option<Event> {
        let Reverse((at, _, _, event)) = *self.heap.peek()?;
        if at > self.now {
            return None;
        }
        self.heap.pop();
        self.events += 1;
        self.trace.note(self.now, event);
        Some(event)
    }

    /// The server goes on by another clock, which has counted from another start.
    pub fn change_clock(&mut self) {
        self.ahead = *self
            .chance
            .pick(&[self.ahead, 0, 40_000_000, 90_000_000_000]);
    }

    /// When that is by the world's time.
    pub const fn world_time(&self, at: Time) -> u64 {
        at.0.saturating_sub(self.ahead)
    }

    pub const fn clock(&self) -> Now {
        Now {
            mono: Time(self.now + self.ahead),
            wall: UnixMillis(1_750_000_000_000 + self.now / 1000),
        }
    }

    /// Whether bytes wait in an inbox, too few for what they begin.
    pub fn has_left_over(&self) -> bool {
        let open = self.links.iter().filter(|link| link.phase == Phase::Open);
        open.into_iter().any(|link| !link.inbox.is_empty())
    }

    pub fn connect(
        &mut self,
        server: &mut impl Service,
        client: usize,
        slow: u64,
    ) -> Option<LinkId> {
        if !self.is_listening {
            return None;
        }
        let id = self.links.len();
        self.links.push(Link {
            // Nobody has this generation.
            conn: ConnId::from_parts(0, 0),
            client,
            phase: Phase::Open,
            heard_at: self.now,
            is_accepted: false,
            held: false,
            show: false,
            refused: false,
            tell: false,
            listed: false,
            to_write: false,
            inbox: Vec::new(),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            flush_bytes: 0,
            linger: None,
            arrived: VecDeque::new(),
            has_arrived_end: false,
            is_broken: false,
            up: VecDeque::new(),
            up_end: false,
            is_up_scheduled: false,
            down: VecDeque::new(),
            down_end: false,
            down_reset: false,
            is_down_scheduled: false,
            capacity: self.weights.capacity as usize,
            slow,
            is_stuck: false,
            is_open: true,
            is_dead: false,
        });
        if self.now < self.deaf_until {
            self.marks.hit("waited for a descriptor");
            self.at(self.deaf_until - self.now, Event::Accept(id));
        } else {
            self.accept(server, id);
        }
        Some(id)
    }

    /// The server has no descriptors left for a while.
    pub fn run_out_of_descriptors(&mut self) {
        self.deaf_until = self.now + self.chance.below(5_000_000);
    }

    /// The server takes a connection that was made.
    pub fn accept(&mut self, server: &mut impl Service, id: LinkId) {
        if !self.is_listening {
            // Its listener is closed, and the kernel tells who waits there.
            self.links[id].down_reset = true;
            self.remove(id);
            return self.schedule_down(id);
        }
        let free = self.slots.iter().position(|(_, link)| link.is_none());
        let slot = free.unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() - 1
        });
        self.slots[slot].0 += 1;
        self.slots[slot].1 = Some(id);
        let conn = ConnId::from_parts(slot as u32, self.slots[slot].0);
        let now = self.now;
        let link = &mut self.links[id];
        (link.conn, link.is_accepted, link.heard_at) = (conn, true, now);
        let address = SocketAddr::from(([10, 0, 0, link.client as u8], 40_000));
        server.accepted(self.clock(), ListenerId(0), conn, Peer::Tcp(address));
        self.list(id);
    }

    /// A client reads again.
    pub fn go_on_reading(&mut self, id: LinkId) {
        self.links[id].is_stuck = false;
        self.schedule_down(id);
    }

    pub fn write(&mut self, id: LinkId, bytes: &[u8]) {
        let link = &mut self.links[id];
        if link.is_open && !link.up_end && !link.is_dead {
            link.up.extend(bytes);
            self.schedule_up(id);
        }
    }

    /// The client says that it has nothing more to say, and may go on reading.
    pub fn end(&mut self, id: LinkId) {
        self.links[id].up_end = true;
        self.schedule_up(id);
    }

    /// The client closes its end, and reads nothing any more.
    pub fn close(&mut self, id: LinkId) {
        self.links[id].is_open = false;
        self.end(id);
    }

    /// A reset: what is under way is lost.
    pub fn reset(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        link.is_open = false;
        link.up.clear();
        link.down.clear();
        if !link.is_dead && link.phase != Phase::Gone {
            link.is_broken = true;
            self.list(id);
        }
    }

    /// The way is cut, and nobody is told.
    pub fn vanish(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        link.is_dead = true;
        link.is_open = false;
        link.up.clear();
        if link.phase != Phase::Gone && (!link.down.is_empty() || link.outbox_bytes > 0) {
            self.at(
                UNACKNOWLEDGED_WITHIN.as_micros() as u64,
                Event::Unacknowledged(id),
            );
        }
    }

    fn delay(&mut self) -> u64 {
        let usual = 1000 + self.chance.below(self.weights.latency_ms * 1000 + 1);
        if self.chance.often(self.weights.stall) {
            return usual + self.chance.below(20_000_000);
        }
        usual
    }

    fn schedule_up(&mut self, id: LinkId) {
        let link = &self.links[id];
        let is_full = link.arrived.len() >= link.capacity;
        if link.is_up_scheduled || link.is_dead || is_full || (link.up.is_empty() && !link.up_end) {
            return;
        }
        self.links[id].is_up_scheduled = true;
        let delay = self.delay();
        self.at(delay, Event::Up(id));
    }

    fn schedule_down(&mut self, id: LinkId) {
        let link = &self.links[id];
        let has_something = !link.down.is_empty() || link.down_end || link.down_reset;
        let is_stuck = link.is_stuck && !link.down_reset;
        if link.is_down_scheduled || link.is_dead || is_stuck || !has_something {
            return;
        }
        let slow = link.slow;
        self.links[id].is_down_scheduled = true;
        let mut delay = self.delay();
        if self.chance.often(slow) {
            delay += self.chance.below(5_000_000);
        }
        self.at(delay, Event::Down(id));
    }

    fn piece(&mut self) -> usize {
        self.chance.between(1, self.weights.chunk_bytes) as usize
    }

    /// A piece arrives at the server's kernel.
    pub fn arrive_up(&mut self, id: LinkId) {
        let most = self.piece();
        let now = self.now;
        let link = &mut self.links[id];
        link.is_up_scheduled = false;
        if link.is_dead || link.is_broken {
            return;
        }
        let count = most.min(link.up.len()).min(link.capacity.max(1));
        let piece: Vec<u8> = link.up.drain(..count).collect();
        if link.phase == Phase::Gone {
            // The kernel answers for a socket that is no more, and the answer overtakes what was said before.
            if count > 0 && link.is_open {
                link.down.clear();
                link.down_reset = true;
                self.marks.hit("reset after the end");
                self.schedule_down(id);
            }
            return;
        }
        self.trace.bytes(&piece);
        link.arrived.extend(&piece);
        link.heard_at = now;
        if link.up.is_empty() && link.up_end {
            link.has_arrived_end = true;
        }
        self.list(id);
        if !self.links[id].has_arrived_end {
            self.schedule_up(id);
        }
    }

    /// A piece arrives at the client.
    pub fn arrive_down(&mut self, id: LinkId) -> Option<ToClient> {
        let most = self.piece();
        let link = &mut self.links[id];
        link.is_down_scheduled = false;
        if link.is_dead {
            return None;
        }
        if link.down_reset {
            link.down_reset = false;
            link.down_end = false;
            link.is_open = false;
            return Some(ToClient::Reset);
        }
        let count = most.min(link.down.len());
        if count == 0 && link.down_end {
            link.down_end = false;
            return Some(ToClient::End);
        }
        let piece: Vec<u8> = link.down.drain(..count).collect();
        let is_writable = link.refused;
        let is_open = link.is_open;
        self.trace.bytes(&piece);
        if is_writable {
            self.heat(id);
        }
        self.schedule_down(id);
        is_open.then_some(ToClient::Bytes(piece))
    }
}
