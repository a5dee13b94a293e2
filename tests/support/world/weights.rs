//! Swarm testing: every seed draws which faults there are in its world, and how often.
//!
//! Most weights are zero in most worlds: a world in which everything goes wrong never gets anywhere
//! interesting, and a fault that is always there hides the bugs that need its absence.

use std::time::Duration;

use roomcast::Config;

use super::chance::Chance;

/// Broadcasts that may await answers at once.
pub const GATHERINGS_MAX: usize = 5;

/// What one world is like. Printed with the seed when something fails. Weights are times in a thousand.
#[derive(Clone, Debug)]
pub struct Weights {
    pub clients: u64,
    /// How long the faults last, in seconds.
    pub storm_s: u64,
    /// Between two deeds of a client, at most, in milliseconds.
    pub pause_ms: u64,
    /// One way, at most, in milliseconds.
    pub latency_ms: u64,
    /// Bytes that arrive at once, at most.
    pub chunk_bytes: u64,
    /// Bytes that the kernel takes for one connection.
    pub capacity: u64,
    /// Bytes the loop reads at once.
    pub read_bytes: u64,
    /// How late the loop is, at most, in microseconds.
    pub lateness_us: u64,
    /// A piece of the way takes much longer.
    pub stall: u64,
    pub reset: u64,
    pub half_close: u64,
    /// The client's machine is gone, and nobody is told.
    pub vanish: u64,
    pub upgrade_abandoned: u64,
    /// Clients that do not answer pings.
    pub never_pong: u64,
    /// Clients that send nonsense.
    pub hostile: u64,
    /// Clients that read slowly.
    pub slow: u64,
    pub flood: u64,
    pub kick: u64,
    pub binary: u64,
    pub job: u64,
    /// Exports and uploads, in pieces.
    pub body: u64,
    pub question: u64,
    pub namespace_churn: u64,
    pub session_churn: u64,
    /// Packets and frames that break the protocol.
    pub wrong: u64,
    pub fresh_links: u64,
    /// Clients that stop reading, and go on talking.
    pub stuck: u64,
    /// The server runs out of descriptors after a turn.
    pub deaf: u64,
    /// Everybody does something at once, after a turn.
    pub herd: u64,
    /// The server is frozen and thawed after a turn.
    pub freeze: u64,
    /// Bytes that may wait for one client.
    pub queue_bytes_max: usize,
    pub ping_every_s: u64,
    /// Packets of one post handled in one turn.
    pub packets_per_turn: usize,
    /// Whether the world ends by a signal to the server.
    pub by_signal: bool,
}

impl Weights {
    pub fn draw(chance: &mut Chance) -> Self {
        let mut sometimes = |most: u64| {
            if chance.often(400) {
                chance.between(1, most)
            } else {
                0
            }
        };
        let (stall, reset, half_close, vanish) =
            (sometimes(60), sometimes(15), sometimes(15), sometimes(8));
        let (upgrade_abandoned, never_pong) = (sometimes(400), sometimes(300));
        let (hostile, slow, flood, kick) =
            (sometimes(300), sometimes(500), sometimes(80), sometimes(30));
        let (binary, job, question) = (sometimes(200), sometimes(150), sometimes(200));
        let (namespace_churn, session_churn, wrong) = (sometimes(80), sometimes(40), sometimes(30));
        let fresh_links = sometimes(700);
        let freeze = sometimes(30);
        let (stuck, deaf, herd) = (sometimes(20), sometimes(4), sometimes(4));
        let body = sometimes(30);
        Self {
            clients: chance.between(2, 7),
            storm_s: chance.between(10, 50),
            pause_ms: *chance.pick(&[100, 400, 1500, 5000]),
            latency_ms: *chance.pick(&[0, 1, 20, 200]),
            chunk_bytes: *chance.pick(&[7, 100, 1500, 65_536]),
            capacity: *chance.pick(&[16, 64, 1024, 8192, 65_536]),
            read_bytes: *chance.pick(&[5, 512, 65_536]),
            lateness_us: *chance.pick(&[0, 500, 30_000]),
            stall,
            reset,
            half_close,
            vanish,
            upgrade_abandoned,
            never_pong,
            hostile,
            slow,
            flood,
            kick,
            binary,
            job,
            body,
            question,
            namespace_churn,
            session_churn,
            wrong,
            fresh_links,
            freeze,
            stuck,
            deaf,
            herd,
            queue_bytes_max: *chance.pick(&[8 * 1024, 64 * 1024, 1024 * 1024]),
            ping_every_s: *chance.pick(&[2, 11, 25]),
            packets_per_turn: *chance.pick(&[1, 2, 1000]),
            by_signal: chance.often(250),
        }
    }

    /// From now on nothing goes wrong any more.
    pub const fn heal(&mut self) {
        self.stall = 0;
        self.reset = 0;
        self.half_close = 0;
        self.vanish = 0;
        self.upgrade_abandoned = 0;
        self.never_pong = 0;
        self.hostile = 0;
        self.slow = 0;
        self.flood = 0;
        self.kick = 0;
        self.namespace_churn = 0;
        self.session_churn = 0;
        self.wrong = 0;
        self.stuck = 0;
        self.deaf = 0;
        self.herd = 0;
        self.pause_ms = 3000;
        self.capacity = 65_536;
        self.chunk_bytes = 65_536;
        if self.latency_ms > 20 {
            self.latency_ms = 20;
        }
    }

    /// The server's limits: small, so that they are reached.
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.engine.queue_bytes_max = self.queue_bytes_max;
        config.engine.queue_bytes_soft_max = self.queue_bytes_max / 4;
        config.engine.ping_every = Duration::from_secs(self.ping_every_s);
        config.engine.payload_bytes_max = 100_000;
        config.engine.packets_per_turn_max = self.packets_per_turn;
        config.socketio.acks_max = 20;
        config.socketio.gatherings_max = GATHERINGS_MAX;
        config.socketio.packet_bytes_max = config.engine.payload_bytes_max;
        config
    }
}
