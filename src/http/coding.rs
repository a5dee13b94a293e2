//! Content codings (RFC 9110 §8.4): which one a client would like best, and answers compressed on their way out.
//!
//! A request and the codings that are there come in, one of them goes out; a body comes in, a shorter one goes out.
//! Never knows what the body is or whether compressing is wanted.
//! Compressing needs feature `compression`; without it every answer leaves as it is.
//! Left out: Brotli on the way out, which is slow for what it saves in an answer that is sent once; and requests in a
//! coding, which no client of ours sends.

#[cfg(not(feature = "compression"))]
mod absent;
#[cfg(feature = "compression")]
mod zlib;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Request;
#[cfg(not(feature = "compression"))]
pub use absent::Compressor;
#[cfg(feature = "compression")]
pub use zlib::Compressor;

/// How a body is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Coding {
    /// As it is.
    Identity,
    /// zlib's format, for historical reasons called so.
    Deflate,
    /// gzip's format.
    Gzip,
    /// Brotli.
    Brotli,
}

impl Coding {
    /// Its name in headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Deflate => "deflate",
            Self::Gzip => "gzip",
            Self::Brotli => "br",
        }
    }
}

/// Of the codings that are `there`, the one with the greatest weight; of equals the one the client names first (RFC 9110
/// §12.5.3), and under one star, which weighs them all the same, the last.
#[must_use]
pub(super) fn choose(request: &Request<'_>, there: impl IntoIterator<Item = Coding>) -> Coding {
    let asked: Vec<_> = request.list("accept-encoding").map(weighed).collect();
    // A star stands for what is not named; identity is never refused, as somebody must be sent something.
    let rank = |name: &[u8]| {
        let named = asked
            .iter()
            .position(|(coding, _)| coding.eq_ignore_ascii_case(name));
        let place = named.or_else(|| asked.iter().position(|(coding, _)| *coding == b"*"))?;
        Some((asked[place].1, place))
    };
    there
        .into_iter()
        .filter_map(|coding| Some((coding, rank(coding.name().as_bytes())?)))
        .filter(|(_, (weight, _))| *weight > 0)
        .max_by(|(_, a), (_, b)| heavier_then_earlier(*a, *b))
        .map_or(Coding::Identity, |(coding, _)| coding)
}

fn heavier_then_earlier(a: (u16, usize), b: (u16, usize)) -> Ordering {
    a.0.cmp(&b.0).then(b.1.cmp(&a.1))
}

/// A coding and its weight in thousandths; a weight that cannot be read counts as none given.
fn weighed(member: &[u8]) -> (&[u8], u16) {
    let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let coding = parts.next().unwrap_or_default();
    let weight = parts
        .filter_map(|part| {
            part.strip_prefix(b"q=")
                .or_else(|| part.strip_prefix(b"Q="))
        })
        .find_map(thousandths);
    (coding, weight.unwrap_or(1000))
}

/// RFC 9110 §12.4.2: `0`, `1`, and up to three digits behind a point.
fn thousandths(weight: &[u8]) -> Option<u16> {
    let (whole, fraction) = match weight {
        [whole] | [whole, b'.'] => (whole, &[][..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (whole, fraction),
        _ => return None,
    };
    if !matches!(whole, b'0' | b'1') || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| fraction.get(at).map_or(0, |digit| u16::from(digit - b'0'));
    let sum = u16::from(whole - b'0') * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    Some(sum.min(1000))
}

#[cfg(test)]
mod tests;
