//! What must hold of any input at all: called by the fuzzer, and by a test with the fuzzer's seeds.
//!
//! Arbitrary bytes come in; they are read as a way to cut and a stream to be cut. Panics if a promise is broken.
//! Knows the connection by its public face alone, and decodes what it accepted a second time in the plainest way.
//! Left out: time, which the unit tests move by hand.

mod body;
mod model;
mod names;

pub use self::body::http_body;
pub use self::model::http_vs_model;
pub use self::names::{cookies, query};

use crate::config;
use crate::http::{After, Connection, Method, Refusal, Request, Response, Version, work};
use crate::time::{Now, Time};

/// Small limits, so that a fuzzer reaches all of them.
#[must_use]
pub fn limits() -> config::Http {
    config::Http {
        request_line_bytes_max: 64,
        head_bytes_max: 256,
        headers_max: 8,
        body_bytes_max: 128,
        ..config::Http::default()
    }
}

/// What the parsers of this thread have spent so far, in bytes looked at or copied.
#[must_use]
pub fn work_so_far() -> u64 {
    work::so_far()
}

/// Same answer however the input is cut; limits are held; what was accepted obeys the rules; the work is linear.
///
/// The first byte is the number of cuts (modulo 16), then come their distances, then the stream.
///
/// # Panics
/// If one of these does not hold.
pub fn http_request(data: &[u8]) {
    let Some((count, rest)) = data.split_first() else {
        return;
    };
    let (distances, stream) = rest.split_at(usize::from(count % 16).min(rest.len()));
    let mut distances = distances
        .iter()
        .map(|distance| usize::from(*distance))
        .cycle();
    let whole = outcomes(stream, std::iter::repeat(stream.len()));
    let cut = outcomes(
        stream,
        std::iter::from_fn(|| distances.next().or(Some(stream.len()))),
    );
    let bytewise = outcomes(stream, std::iter::repeat(1));
    assert_eq!(whole, cut, "cut as told");
    assert_eq!(whole, bytewise, "cut into bytes");
}

/// What came of a stream, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A request that ended at this place in the stream.
    Request {
        /// Its head.
        head: Vec<u8>,
        /// Its body.
        body: Vec<u8>,
        /// Where it ended.
        end: usize,
        /// What followed its answer.
        after: After,
    },
    /// The end of the connection.
    Refused(Refusal),
}

/// Feeds a stream in pieces of the given lengths, answers every request, and checks each.
///
/// # Panics
/// If a promise is broken.
pub fn outcomes(stream: &[u8], lengths: impl Iterator<Item = usize>) -> Vec<Outcome> {
    let mut driven = Driven::new(stream);
    for length in lengths {
        let piece = driven.shown..(driven.shown + length.max(1)).min(stream.len());
        driven.shown = piece.end;
        driven.inbox.extend_from_slice(&stream[piece]);
        while driven.step() == Step::Further {}
        if driven.is_over() || driven.shown == stream.len() {
            break;
        }
    }
    let Driven {
        spent,
        shown,
        outcomes,
        ..
    } = driven;
    assert!(
        spent <= 4 * shown as u64,
        "{spent} bytes of work for {shown}"
    );
    outcomes
}

#[derive(PartialEq, Eq)]
enum Step {
    Further,
    Waits,
}

/// A connection, what it was shown, and what came of it.
struct Driven<'s> {
    stream: &'s [u8],
    limits: config::Http,
    connection: Connection,
    inbox: Vec<u8>,
    shown: usize,
    taken: usize,
    spent: u64,
    outcomes: Vec<Outcome>,
}

impl<'s> Driven<'s> {
    fn new(stream: &'s [u8]) -> Self {
        Self {
            stream,
            limits: limits(),
            connection: Connection::new(Time::ZERO),
            inbox: Vec::new(),
            shown: 0,
            taken: 0,
            spent: 0,
            outcomes: Vec::new(),
        }
    }

    fn is_over(&self) -> bool {
        match self.outcomes.last() {
            None => false,
            Some(Outcome::Request { after, .. }) => *after != After::KeepAlive,
            Some(Outcome::Refused(_)) => true,
        }
    }

    /// Asks for one request, and answers it.
    fn step(&mut self) -> Step {
        let (now, before) = (Now::default(), work::so_far());
        let mut input = &mut self.inbox[..];
        let next = self.connection.next(now.mono, &self.limits, &mut input);
        self.spent += work::so_far() - before;
        let left = input.len();
        match next {
            Ok(None) => {}
            Ok(Some(request)) => {
                let end = self.shown - left;
                check(&request, &self.stream[..end], &self.limits);
                let status = if request.is_upgrade() { 101 } else { 200 };
                let answer = self
                    .connection
                    .answer(now, &self.limits, &Response::new(status));
                let (head, body) = (request.head().to_vec(), request.body().to_vec());
                self.outcomes.push(Outcome::Request {
                    head,
                    body,
                    end,
                    after: answer.after,
                });
                self.take(left);
                return if self.is_over() {
                    Step::Waits
                } else {
                    Step::Further
                };
            }
            Err(refusal) => {
                assert!(
                    self.connection
                        .refuse(now, refusal)
                        .starts_with(b"HTTP/1.1 ")
                );
                self.outcomes.push(Outcome::Refused(refusal));
                return Step::Waits;
            }
        }
        self.take(left);
        let held = self.inbox.len();
        let held_max = self.limits.head_bytes_max + self.limits.body_bytes_max;
        assert!(held <= held_max, "{held} bytes are held");
        Step::Waits
    }

    fn take(&mut self, left: usize) {
        let taken = self.inbox.len() - left;
        self.inbox.drain(..taken);
        self.taken += taken;
        assert_eq!(self.taken + left, self.shown, "nothing is lost");
    }
}

/// What was accepted obeys the rules of faults this house promises to keep out.
fn check(request: &Request<'_>, stream: &[u8], limits: &config::Http) {
    let (head, body) = (request.head(), request.body());
    assert!(head.len() <= limits.head_bytes_max && body.len() <= limits.body_bytes_max);
    assert!(head.ends_with(b"\r\n\r\n") && request.headers().count() <= limits.headers_max);
    for (at, _) in head.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        assert_eq!(head[at - 1], b'\r', "a bare line feed was accepted");
    }
    let hosts = request.values("host").count();
    assert!(hosts == 1 || (hosts == 0 && request.version() == Version::Http10));
    let lengths: Vec<_> = request.values("content-length").collect();
    let is_chunked = request.values("transfer-encoding").count() == 1;
    assert!(
        lengths.len() + usize::from(is_chunked) <= 1,
        "two ways to find the end of a body"
    );
    let path = request.path();
    assert!(
        path.starts_with('/') || path == "*" || request.method() == Method::Connect,
        "the path {path}"
    );
    assert!(request.path_and_query().starts_with(path));

    let raw = if is_chunked {
        raw_chunks(head, stream)
    } else {
        body
    };
    if is_chunked {
        assert_eq!(joined(raw), body);
    } else {
        let said = lengths.first().map_or(0, |text| {
            str::from_utf8(text)
                .expect("digits")
                .parse::<usize>()
                .expect("a number")
        });
        assert_eq!(said, body.len());
    }
    assert!(
        stream.ends_with(&[head, raw].concat()),
        "a request ends where the next one starts"
    );
    let again = Request::from_head(head).expect("a head that was accepted once");
    assert_eq!(
        again.headers().collect::<Vec<_>>(),
        request.headers().collect::<Vec<_>>()
    );
}

/// The raw bytes behind the last place in the stream where this head stands followed by a whole chunked body.
fn raw_chunks<'s>(head: &[u8], stream: &'s [u8]) -> &'s [u8] {
    (0..stream.len().saturating_sub(head.len()))
        .rev()
        .filter(|at| stream[*at..].starts_with(head))
        .map(|at| &stream[at + head.len()..])
        .find(|raw| reference(raw).is_some())
        .expect("a chunked body follows its head")
}

fn joined(raw: &[u8]) -> Vec<u8> {
    reference(raw).expect("raw_chunks has looked")
}

/// A chunked body that fills `raw` exactly, decoded the plainest way.
fn reference(raw: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut body) = (raw, Vec::new());
    loop {
        let (line, behind) = line(rest)?;
        let digits = line
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let size = usize::from_str_radix(str::from_utf8(&line[..digits]).ok()?, 16).ok()?;
        rest = behind;
        if size == 0 {
            break;
        }
        let (data, behind) = rest.split_at_checked(size)?;
        body.extend_from_slice(data);
        rest = behind.strip_prefix(b"\r\n")?;
    }
    loop {
        let (trailer, behind) = line(rest)?;
        rest = behind;
        if trailer.is_empty() {
            return rest.is_empty().then_some(body);
        }
    }
}

fn line(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = raw.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&raw[..end], &raw[end + 2..]))
}
