//! Request heads: where one ends, and what it says about its body and its connection.
//!
//! Bytes come in, cut anywhere; out comes the place of the blank line, then once per request the [`Parts`]: places
//! within the head, never copies. `httparse` splits the head; the rules it leaves open are here (bare line feeds, Host,
//! Content-Length against Transfer-Encoding, the forms of a target).
//! Never knows the time, the body's bytes, or what a request is for.
//! Left out: obsolete line folding and HTTP/0.9, which are refused.

use std::mem::MaybeUninit;
use std::ops::Range;

use memchr::memchr;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::request::{Method, Version, ascii};
use super::{Refusal, work};
use crate::config;

/// The search for the blank line, resumed where it stopped: each byte is looked at once however the head is cut.
///
/// Every verdict depends on the position of a byte alone, so it is the same for every cutting.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Search {
    searched: u32,
    line_start: u32,
    lines: u32,
}

impl Search {
    /// How many headers there are in the head that was found.
    pub(super) const fn headers(self) -> usize {
        (self.lines as usize).saturating_sub(1)
    }

    /// The length of the head with its blank line, once that was found.
    pub(super) const fn found(self) -> usize {
        self.line_start as usize + 2
    }

    /// The length of the head with its blank line, once that is there.
    pub(super) fn blank_line(
        &mut self,
        limits: &config::Http,
        input: &[u8],
    ) -> Result<Option<usize>, Refusal> {
        if input.first().is_some_and(|first| !is_token_byte(*first)) {
            // A TLS hello on the plain port ends here, at its first byte.
            return Err(Refusal::Malformed);
        }
        let head_max = limits.head_bytes_max.min(u32::MAX as usize);
        loop {
            let (line_max, too_long) = match self.lines {
                0 if limits.request_line_bytes_max <= head_max => {
                    (limits.request_line_bytes_max, Refusal::LineTooLong)
                }
                _ => (head_max, Refusal::HeadTooLarge),
            };
            let end = input.len().min(line_max);
            let from = (self.searched as usize).min(end);
            let Some(found) = memchr(b'\n', &input[from..end]) else {
                work::spent(end - from);
                self.searched = narrow(end);
                return if end == line_max {
                    Err(too_long)
                } else {
                    Ok(None)
                };
            };
            work::spent(found + 1);
            let feed = from + found;
            if feed == 0 || input[feed - 1] != b'\r' {
                return Err(Refusal::BareLineFeed);
            }
            if feed == self.line_start as usize + 1 {
                return Ok(Some(feed + 1));
            }
            if self.lines as usize > limits.headers_max {
                return Err(Refusal::HeadTooLarge);
            }
            self.lines += 1;
            self.searched = narrow(feed + 1);
            self.line_start = narrow(feed + 1);
        }
    }
}

/// Headers of a request for which no memory is asked: a browser sends ten to fifteen.
const HEADERS_INLINE: usize = 16;

/// A place within a head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl Place {
    fn of(part: &[u8], whole: &[u8]) -> Self {
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        debug_assert!(
            start + part.len() <= whole.len(),
            "a part lies within its whole"
        );
        Self {
            start: narrow(start),
            end: narrow(start + part.len()),
        }
    }

    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// How the end of the body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// Whether the client waits for our word before it sends the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Expects {
    #[default]
    Nothing,
    Continue,
}

/// What a head says, as places in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parts {
    pub(super) method: Method,
    pub(super) method_name: Place,
    pub(super) path: Place,
    pub(super) query: Option<Place>,
    pub(super) version: Version,
    pub(super) headers: SmallVec<[(Place, Place); HEADERS_INLINE]>,
    pub(super) framing: Framing,
    pub(super) expects: Expects,
    pub(super) keep_alive: bool,
    pub(super) upgrade: bool,
}

impl Parts {
    /// The path within the head, which `input` starts with.
    pub(super) fn path<'a>(&self, input: &'a [u8]) -> &'a str {
        ascii(&input[self.path.range()])
    }
}

/// Splits a complete head of so many headers and applies the rules.
pub(super) fn parse(head: &[u8], headers: usize) -> Result<Parts, Refusal> {
    // Once by httparse, once by the rules below.
    work::spent(2 * head.len());
    let mut request = httparse::Request::new(&mut []);
    let (mut inline, mut more);
    let room = if headers <= HEADERS_INLINE {
        inline = [MaybeUninit::uninit(); HEADERS_INLINE];
        &mut inline[..headers]
    } else {
        more = vec![MaybeUninit::uninit(); headers];
        &mut more[..]
    };
    match request.parse_with_uninit_headers(head, room) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Refusal::Malformed),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(_) if names_another_version(head) => return Err(Refusal::Version),
        Err(_) => return Err(Refusal::Malformed),
    }
    let (Some(method_name), Some(target), Some(minor)) =
        (request.method, request.path, request.version)
    else {
        return Err(Refusal::Malformed);
    };
    let method = Method::from_name(method_name);
    let version = if minor == 0 {
        Version::Http10
    } else {
        Version::Http11
    };
    let mut rules = Rules::default();
    let mut headers = SmallVec::new();
    for header in &*request.headers {
        let value = header.value.trim_ascii();
        rules.look_at(header.name, value)?;
        headers.push((
            Place::of(header.name.as_bytes(), head),
            Place::of(value, head),
        ));
    }
    if version == Version::Http11 && rules.host.is_none() {
        return Err(Refusal::Host);
    }
    let target = split_target(method, target, rules.host)?;
    let framing = rules.framing(version)?;
    Ok(Parts {
        method,
        method_name: Place::of(method_name.as_bytes(), head),
        path: if target.path.is_empty() {
            // `http://host` without a path; its slash is borrowed from the scheme.
            let slash = memchr(b'/', head).expect("an absolute target has a scheme");
            Place::of(&head[slash..=slash], head)
        } else {
            Place::of(target.path.as_bytes(), head)
        },
        query: target.query.map(|query| Place::of(query.as_bytes(), head)),
        version,
        headers,
        framing,
        expects: if version == Version::Http11 {
            rules.expects
        } else {
            Expects::Nothing
        },
        keep_alive: rules.keep_alive(method, version),
        upgrade: rules.upgrade(method, version, framing),
    })
}

/// What is gathered from the headers that HTTP itself acts on.
#[derive(Default)]
struct Rules<'a> {
    host: Option<&'a [u8]>,
    length: Option<u64>,
    chunked: bool,
    expects: Expects,
    says_close: bool,
    says_keep_alive: bool,
    says_upgrade: bool,
    to_websocket: bool,
}

impl<'a> Rules<'a> {
    fn look_at(&mut self, name: &str, value: &'a [u8]) -> Result<(), Refusal> {
        if name.eq_ignore_ascii_case("host") {
            if self.host.is_some() || !value.iter().all(|byte| is_host_byte(*byte)) {
                return Err(Refusal::Host);
            }
            self.host = Some(value);
        } else if name.eq_ignore_ascii_case("content-length") {
            // Equal duplicates may be accepted (RFC 9110 §8.6); refusing them is the simplest safe rule.
            if self.length.is_some() {
                return Err(Refusal::Length);
            }
            self.length = Some(decimal(value).ok_or(Refusal::Length)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Refusal::TransferCoding);
            }
            self.chunked = true;
        } else if name.eq_ignore_ascii_case("expect") {
            if !value.eq_ignore_ascii_case(b"100-continue") {
                return Err(Refusal::Expectation);
            }
            self.expects = Expects::Continue;
        } else if name.eq_ignore_ascii_case("connection") {
            for token in tokens(value) {
                self.says_close |= token.eq_ignore_ascii_case(b"close");
                self.says_keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                self.says_upgrade |= token.eq_ignore_ascii_case(b"upgrade");
            }
        } else if name.eq_ignore_ascii_case("upgrade") {
            self.to_websocket |=
                tokens(value).any(|token| token.eq_ignore_ascii_case(b"websocket"));
        }
        Ok(())
    }

    fn framing(&self, version: Version) -> Result<Framing, Refusal> {
        match (self.chunked, self.length) {
            (true, Some(_)) => Err(Refusal::Length),
            (true, None) if version == Version::Http10 => Err(Refusal::TransferCoding),
            (true, None) => Ok(Framing::Chunked),
            (false, length) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }

    const fn keep_alive(&self, method: Method, version: Version) -> bool {
        // What follows a CONNECT is meant for somebody else, whatever we answer.
        !self.says_close
            && !matches!(method, Method::Connect)
            && match version {
                Version::Http11 => true,
                Version::Http10 => self.says_keep_alive,
            }
    }

    /// RFC 6455 §4.1: GET, HTTP/1.1. A body would leave it open where the first frame starts.
    fn upgrade(&self, method: Method, version: Version, framing: Framing) -> bool {
        self.says_upgrade
            && self.to_websocket
            && method == Method::Get
            && version == Version::Http11
            && framing == Framing::Length(0)
    }
}

struct Target<'a> {
    path: &'a str,
    query: Option<&'a str>,
}

/// The four forms of RFC 9112 §3.2.
fn split_target<'a>(
    method: Method,
    target: &'a str,
    host: Option<&[u8]>,
) -> Result<Target<'a>, Refusal> {
    // Without a way out of the loop, the compiler looks at sixteen bytes at a time.
    let is_plain = |byte: u8| byte.is_ascii_graphic() & (byte != b'#');
    if !target.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return Err(Refusal::Target);
    }
    if method == Method::Connect {
        // Authority form; no route has such a path.
        return Ok(Target {
            path: target,
            query: None,
        });
    }
    if target == "*" {
        return match method {
            Method::Options => Ok(Target {
                path: target,
                query: None,
            }),
            _ => Err(Refusal::Target),
        };
    }
    let origin_form = if target.starts_with('/') {
        target
    } else {
        let (scheme, rest) = target.split_once("://").ok_or(Refusal::Target)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(Refusal::Target);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, origin_form) = rest.split_at(end);
        if host.is_some_and(|host| !host.eq_ignore_ascii_case(authority.as_bytes())) {
            return Err(Refusal::OtherHost);
        }
        origin_form
    };
    Ok(match origin_form.split_once('?') {
        Some((path, query)) => Target {
            path,
            query: Some(query),
        },
        None => Target {
            path: origin_form,
            query: None,
        },
    })
}

/// Whether the request line ends as one of another version does, such as `PRI * HTTP/2.0`.
fn names_another_version(head: &[u8]) -> bool {
    let line = &head[..memchr(b'\r', head).unwrap_or(head.len())];
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    match version {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] => {
            major.is_ascii_digit()
                && minor.is_ascii_digit()
                && !(*major == b'1' && matches!(minor, b'0' | b'1'))
        }
        _ => false,
    }
}

/// The members of a comma-separated list (RFC 9110 §5.6.1).
pub(super) fn tokens(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// RFC 9110 §5.6.2.
pub(super) const fn is_token_byte(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0_u8;
        while byte < 128 {
            table[byte as usize] = byte.is_ascii_alphanumeric();
            byte += 1;
        }
        let (mut at, others) = (0, b"!#$%&'*+-.^_`|~");
        while at < others.len() {
            table[others[at] as usize] = true;
            at += 1;
        }
        table
    };
    TABLE[byte as usize]
}

/// RFC 3986 §3.2.2 and §3.2.3, without the comma: two hosts joined by a proxy are no host.
const fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'['
                | b']'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b';'
                | b'='
        )
}

/// Digits and nothing else: no sign, no list, no blank (RFC 9110 §8.6).
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a head is searched only up to u32::MAX bytes"
)]
const fn narrow(position: usize) -> u32 {
    position as u32
}
