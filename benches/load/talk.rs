//! Who says what to whom: groups of sockets, in which each message must reach each member, once, whole and in order.
//!
//! An echo is a group of one; a broadcast is one group of all; rooms lie between. A sender says its next when all have
//! heard the one before, so that nothing else of it may come. What is said and what must be heard are ready-made frames, of
//! which eight digits change.

use std::io;
use std::time::{Duration, Instant};

use crate::frames::{MASK, masked, plain};
use crate::lines::{PATIENCE, wrong};
use crate::sockets::Sockets;

/// What a bench server answers: to the sender, to all, to the sender's room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Echo,
    Broadcast,
    Room,
}

#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) event: Event,
    pub(crate) groups: usize,
    pub(crate) members: usize,
    /// Members who talk, in each group.
    pub(crate) senders: usize,
    pub(crate) payload_bytes: usize,
}

impl Shape {
    pub(crate) fn sockets(&self) -> usize {
        self.groups * self.members
    }
}

/// How long to talk. What is under way then is still waited for.
#[derive(Clone, Copy)]
pub(crate) enum Length {
    For(Duration),
    /// By all senders together.
    Messages(u64),
}

struct Sender {
    socket: usize,
    audience: usize,
    /// Goes out, and where its digits are.
    frame: Vec<u8>,
    digits: usize,
    /// Comes back, and where its digits are.
    heard: Vec<u8>,
    heard_digits: usize,
    /// Messages so far: the number of the last one.
    said: u32,
    /// Who has not heard it yet.
    missing: usize,
    /// When it was said, if that is asked for.
    at: Option<Instant>,
}

pub(crate) struct Talk {
    senders: Vec<Sender>,
    /// The first sender of a socket's group.
    first: Vec<usize>,
    senders_per_group: usize,
    /// What each socket has heard last from each sender of its group.
    last: Vec<u32>,
    /// A sender whose messages are timed, and how long each took.
    timed: Option<usize>,
    pub(crate) times: Vec<Duration>,
}

/// What was heard, by all.
pub(crate) struct Heard {
    pub(crate) deliveries: u64,
    pub(crate) elapsed: Duration,
}

impl Talk {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut talk = Self {
            senders: Vec::new(),
            first: Vec::new(),
            senders_per_group: shape.senders,
            last: vec![0; shape.sockets() * shape.senders],
            timed: None,
            times: Vec::new(),
        };
        for group in 0..shape.groups {
            let first = talk.senders.len();
            for number in 0..shape.senders {
                let socket = group * shape.members + number;
                let sender = Sender::new(
                    shape.event,
                    group,
                    number,
                    shape.payload_bytes,
                    socket,
                    shape.members,
                );
                talk.senders.push(sender);
            }
            talk.first.extend(std::iter::repeat_n(first, shape.members));
        }
        talk
    }

    /// A broadcast to all, and beside it the last of them who echoes, and is timed.
    pub(crate) fn beside_a_broadcast(members: usize, payload_bytes: usize) -> Self {
        let shape = Shape {
            event: Event::Broadcast,
            groups: 1,
            members,
            senders: 1,
            payload_bytes,
        };
        let mut talk = Self::new(shape);
        talk.senders_per_group = 2;
        talk.last = vec![0; members * 2];
        talk.timed = Some(1);
        let echo = Sender::new(Event::Echo, 0, 1, payload_bytes, members - 1, 1);
        talk.senders.push(echo);
        talk
    }

    pub(crate) fn timed(mut self) -> Self {
        self.timed = Some(0);
        self
    }

    /// Talks, and counts what is heard; anything that must not be heard is an error.
    pub(crate) fn run(&mut self, sockets: &mut Sockets, length: Length) -> io::Result<Heard> {
        self.run_with(sockets, length, || Ok(()))
    }

    /// One message of each sender; `said` is called when all of them are out, before anything is heard.
    pub(crate) fn round(
        &mut self,
        sockets: &mut Sockets,
        said: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Heard> {
        let each_once = Length::Messages(self.senders.len() as u64);
        self.run_with(sockets, each_once, said)
    }

    fn run_with(
        &mut self,
        sockets: &mut Sockets,
        length: Length,
        said: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Heard> {
        let began = Instant::now();
        let mut left = match length {
            Length::For(_) => u64::MAX,
            Length::Messages(count) => count,
        };
        let mut under_way = 0;
        let mut deliveries = 0;
        for number in 0..self.senders.len() {
            if left > 0 {
                left -= 1;
                under_way += 1;
                let (frame, socket) = self.next(number);
                sockets.say(socket, frame)?;
            }
        }
        said()?;
        while under_way > 0 {
            if let Length::For(duration) = length
                && began.elapsed() >= duration
            {
                left = 0;
            }
            let some = sockets.turn(PATIENCE, |streams, socket, frame| {
                deliveries += 1;
                let Some(number) = self.hear(socket, frame)? else {
                    return Ok(());
                };
                if left == 0 {
                    under_way -= 1;
                    return Ok(());
                }
                left -= 1;
                let (frame, socket) = self.next(number);
                io::Write::write_all(&mut &streams[socket], frame)
            })?;
            if !some {
                return Err(self.silence());
            }
        }
        let elapsed = began.elapsed();
        // What is said twice comes close behind.
        sockets.turn(Duration::from_millis(2), |_, socket, frame| {
            Err(wrong(socket, "more than was said", frame))
        })?;
        Ok(Heard {
            deliveries,
            elapsed,
        })
    }

    /// The next frame of a sender, and its socket.
    fn next(&mut self, number: usize) -> (&[u8], usize) {
        let sender = &mut self.senders[number];
        sender.say_next();
        if self.timed == Some(number) {
            sender.at = Some(Instant::now());
        }
        (&sender.frame, sender.socket)
    }

    /// A frame has come; the sender, if it was the last that had to.
    #[inline]
    fn hear(&mut self, socket: usize, frame: &[u8]) -> io::Result<Option<usize>> {
        let key = frame.len().checked_sub(KEY_FROM_END).map(|at| frame[at]);
        let key = key.map_or(usize::MAX, |key| usize::from(key.wrapping_sub(KEY_FIRST)));
        if key >= self.senders_per_group {
            return Err(wrong(socket, "said by nobody", frame));
        }
        let number = self.first[socket] + key;
        let sender = &mut self.senders[number];
        if frame != sender.heard {
            return Err(wrong(socket, "not what was said", frame));
        }
        let last = &mut self.last[socket * self.senders_per_group + key];
        if *last == sender.said || sender.missing == 0 {
            return Err(wrong(socket, "twice", frame));
        }
        *last = sender.said;
        sender.missing -= 1;
        if sender.missing > 0 {
            return Ok(None);
        }
        if let Some(at) = sender.at.take() {
            self.times.push(at.elapsed());
        }
        Ok(Some(number))
    }

    fn silence(&self) -> io::Error {
        let missing: usize = self.senders.iter().map(|sender| sender.missing).sum();
        io::Error::other(format!(
            "{missing} deliveries are missing after {PATIENCE:?}"
        ))
    }
}

/// The last character of a payload says which sender of the group it is, before `"]`.
const KEY_FROM_END: usize = 3;
const KEY_FIRST: u8 = b'0';
/// Of a message's number, at the start of the payload.
const DIGITS: usize = 8;

impl Sender {
    fn new(
        event: Event,
        group: usize,
        key: usize,
        payload_bytes: usize,
        socket: usize,
        audience: usize,
    ) -> Self {
        let key = KEY_FIRST + u8::try_from(key).expect("few members of a group talk");
        let padding = "x".repeat(payload_bytes - DIGITS - 1);
        let payload = format!("{}{padding}{}", "0".repeat(DIGITS), char::from(key));
        let (frame, heard) = frames(event, group, &payload);
        let from_end = payload_bytes + 2;
        Self {
            socket,
            audience,
            digits: frame.len() - from_end,
            frame,
            heard_digits: heard.len() - from_end,
            heard,
            said: 0,
            missing: 0,
            at: None,
        }
    }

    fn say_next(&mut self) {
        self.said += 1;
        self.missing = self.audience;
        // Behind a header of two or four bytes, and the mask itself.
        let masked_from = if self.frame[1] & 0x7f < 126 { 6 } else { 8 };
        let digits = &mut self.heard[self.heard_digits..][..DIGITS];
        write_digits(digits, self.said);
        let frame = self.frame.iter_mut().enumerate().skip(self.digits);
        for ((at, byte), digit) in frame.zip(digits) {
            *byte = *digit ^ MASK[(at - masked_from) % MASK.len()];
        }
    }
}

/// A number as decimal digits, as many as there is room for.
pub(crate) fn write_digits(into: &mut [u8], mut number: u32) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("it is a digit");
        number /= 10;
    }
}

/// What is said, and how it is heard.
pub(crate) fn frames(event: Event, group: usize, payload: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, room) = match event {
        Event::Echo => ("msg", String::new()),
        Event::Broadcast => ("bcast", String::new()),
        Event::Room => ("room", format!("\"{}\",", room(group))),
    };
    let said = format!("42[\"{name}\",{room}\"{payload}\"]");
    let heard = format!("42[\"{name}\",\"{payload}\"]");
    (masked(said.as_bytes()), plain(heard.as_bytes()))
}

/// A room's name, of one length for all.
fn room(group: usize) -> String {
    format!("r{group:03}")
}

/// Brings each socket into the room of its group, and waits until it is there: an echo of each comes behind.
pub(crate) fn join(sockets: &mut Sockets, shape: Shape) -> io::Result<()> {
    for socket in 0..sockets.len() {
        let join = format!("42[\"join\",\"{}\"]", room(socket / shape.members));
        sockets.say(socket, &masked(join.as_bytes()))?;
    }
    let echoes = Shape {
        event: Event::Echo,
        groups: sockets.len(),
        members: 1,
        senders: 1,
        payload_bytes: 64,
    };
    Talk::new(echoes).round(sockets, || Ok(())).map(drop)
}
