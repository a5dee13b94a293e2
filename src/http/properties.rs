//! What must hold of any input at all: called by the fuzzer, and by a test with the fuzzer's seeds.
//!
//! Arbitrary bytes come in; they are read as a way to cut and a stream to be cut. Panics if a promise is broken.
//! Knows the connection by its public face alone, and decodes what it accepted a second time in the plainest way.
//! Left out: time, which the unit tests move by hand.

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
    let (limits, now, mut spent) = (limits(), Now::default(), 0);
    let mut connection = Connection::new(Time::ZERO);
    let (mut inbox, mut outcomes) = (Vec::new(), Vec::new());
    let (mut shown, mut taken) = (0, 0);
    for length in lengths {
        let piece = &stream[shown..(shown + length.max(1)).min(stream.len())];
        shown += piece.len();
        inbox.extend_from_slice(piece);
        loop {
            let mut input = &mut inbox[..];
            let available = input.len();
            let before = work::so_far();
            let next = connection.next(now.mono, &limits, &mut input);
            spent += work::so_far() - before;
            let now_taken = available - input.len();
            let outcome = match next {
                Ok(None) => None,
                Ok(Some(request)) => {
                    let end = taken + now_taken;
                    check(&request, &stream[..end], &limits);
                    let status = if request.is_upgrade() { 101 } else { 200 };
                    let answer = connection.answer(now, &limits, &Response::new(status));
                    let (head, body) = (request.head().to_vec(), request.body().to_vec());
                    Some(Outcome::Request {
                        head,
                        body,
                        end,
                        after: answer.after,
                    })
                }
                Err(refusal) => {
                    assert!(connection.refuse(now, refusal).starts_with(b"HTTP/1.1 "));
                    Some(Outcome::Refused(refusal))
                }
            };
            taken += now_taken;
            inbox.drain(..now_taken);
            let is_over = !matches!(
                outcome,
                None | Some(Outcome::Request {
                    after: After::KeepAlive,
                    ..
                })
            );
            let wants_more = outcome.is_none();
            outcomes.extend(outcome);
            if is_over && !wants_more {
                linear(spent, taken + inbox.len());
                return outcomes;
            }
            if wants_more {
                break;
            }
        }
        let held = inbox.len();
        assert!(
            held <= limits.head_bytes_max + limits.body_bytes_max,
            "{held} bytes are held"
        );
        if shown == stream.len() {
            break;
        }
    }
    linear(spent, stream.len());
    outcomes
}

fn linear(spent: u64, bytes: usize) {
    assert!(
        spent <= 4 * bytes as u64,
        "{spent} bytes of work for {bytes}"
    );
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
