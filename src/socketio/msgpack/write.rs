//! JSON and attachments to MessagePack: the shortest form of each value, as `notepack.io` writes it.
//!
//! Two walks over the text, neither of which recurses: the first counts what each list and each map holds, since that
//! stands in front of them; the second writes.
//! Knows no packet. Expects sound JSON; of any other it makes something, and neither panics nor hangs.

use std::ops::Range;

use bytes::Bytes;

use crate::socketio::json;

/// Writes one JSON value; a placeholder that names an attachment becomes its bytes.
pub(super) fn value(out: &mut Vec<u8>, text: &str, attachments: &[Bytes]) {
    let placeholders = match attachments {
        [] => Vec::new(),
        _ => json::placeholders(text),
    };
    let mut counts = Vec::new();
    let mut open = Vec::new();
    walk(text, &placeholders, attachments, |part| {
        if !matches!(part, Part::End)
            && let Some(&container) = open.last()
        {
            let count: &mut usize = &mut counts[container];
            *count += 1;
        }
        match part {
            Part::List | Part::Map => {
                open.push(counts.len());
                counts.push(0);
            }
            Part::End => {
                open.pop();
            }
            Part::Scalar(_) | Part::Bytes(_) => {}
        }
    });
    let mut counts = counts.into_iter();
    walk(text, &placeholders, attachments, |part| match part {
        Part::List => list(out, counts.next().unwrap_or_default()),
        Part::Map => map(out, counts.next().unwrap_or_default() / 2),
        Part::End => {}
        Part::Scalar(token) => scalar(out, token),
        Part::Bytes(bytes) => binary(out, bytes),
    });
}

enum Part<'a> {
    List,
    Map,
    /// Of a list or a map.
    End,
    /// A key, or a value that holds no others.
    Scalar(&'a str),
    Bytes(&'a Bytes),
}

fn walk<'a>(
    text: &'a str,
    placeholders: &[(Range<usize>, usize)],
    attachments: &'a [Bytes],
    mut show: impl FnMut(Part<'a>),
) {
    let bytes = text.as_bytes();
    let mut placeholders = placeholders.iter();
    let mut next = placeholders.next();
    let mut at = json::skip_space(bytes, 0);
    while let Some(&byte) = bytes.get(at) {
        let mut end = at + 1;
        match byte {
            b'{' if next.is_some_and(|(range, _)| range.start == at) => {
                let named = next.and_then(|(range, index)| Some((range, attachments.get(*index)?)));
                next = placeholders.next();
                match named {
                    Some((range, bytes)) => {
                        end = range.end;
                        show(Part::Bytes(bytes));
                    }
                    None => show(Part::Map),
                }
            }
            b'{' => show(Part::Map),
            b'[' => show(Part::List),
            b'}' | b']' => show(Part::End),
            b',' | b':' => {}
            b'"' => {
                end = json::string_end(bytes, at);
                show(Part::Scalar(text.get(at..end).unwrap_or_default()));
            }
            _ => {
                end = json::scalar_end(bytes, at).max(at + 1);
                show(Part::Scalar(text.get(at..end).unwrap_or_default()));
            }
        }
        at = json::skip_space(bytes, end);
    }
}

fn scalar(out: &mut Vec<u8>, token: &str) {
    match token {
        "null" => out.push(0xc0),
        "false" => out.push(0xc2),
        "true" => out.push(0xc3),
        _ => match token.strip_prefix('"') {
            Some(rest) => text(out, &json::unescape(rest.strip_suffix('"').unwrap_or(rest))),
            None => number(out, token),
        },
    }
}

fn number(out: &mut Vec<u8>, token: &str) {
    /// From here on not every integer is a float.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    if let Ok(number) = token.parse() {
        return unsigned(out, number);
    }
    if let Ok(number) = token.parse() {
        return signed(out, number);
    }
    let number: f64 = token.parse().unwrap_or(f64::NAN);
    if number.fract() == 0.0 && number.abs() < WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        return signed(out, number as i64);
    }
    out.push(0xcb);
    out.extend_from_slice(&number.to_be_bytes());
}

pub(super) fn unsigned(out: &mut Vec<u8>, number: u64) {
    if let Ok(byte) = u8::try_from(number) {
        if byte >= 0x80 {
            out.push(0xcc);
        }
        out.push(byte);
    } else if let Ok(number) = u16::try_from(number) {
        out.push(0xcd);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = u32::try_from(number) {
        out.push(0xce);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xcf);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn signed(out: &mut Vec<u8>, number: i64) {
    if let Ok(number) = u64::try_from(number) {
        unsigned(out, number);
    } else if let Ok(number) = i8::try_from(number) {
        if number < -0x20 {
            out.push(0xd0);
        }
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xd1);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xd2);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xd3);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(length) if length < 0x20 => out.push(0xa0 | length),
        _ => counted(out, [0xd9, 0xda, 0xdb], text.len()),
    }
    out.extend_from_slice(text.as_bytes());
}

fn binary(out: &mut Vec<u8>, bytes: &[u8]) {
    counted(out, [0xc4, 0xc5, 0xc6], bytes.len());
    out.extend_from_slice(bytes);
}

fn list(out: &mut Vec<u8>, count: usize) {
    container(out, 0x90, [0xdc, 0xdd], count);
}

pub(super) fn map(out: &mut Vec<u8>, count: usize) {
    container(out, 0x80, [0xde, 0xdf], count);
}

fn container(out: &mut Vec<u8>, short: u8, long: [u8; 2], count: usize) {
    match u8::try_from(count) {
        Ok(count) if count < 0x10 => out.push(short | count),
        _ => match u16::try_from(count) {
            Ok(count) => {
                out.push(long[0]);
                out.extend_from_slice(&count.to_be_bytes());
            }
            Err(_) => {
                out.push(long[1]);
                out.extend_from_slice(&length(count));
            }
        },
    }
}

fn counted(out: &mut Vec<u8>, heads: [u8; 3], count: usize) {
    if let Ok(count) = u8::try_from(count) {
        out.extend_from_slice(&[heads[0], count]);
    } else if let Ok(count) = u16::try_from(count) {
        out.push(heads[1]);
        out.extend_from_slice(&count.to_be_bytes());
    } else {
        out.push(heads[2]);
        out.extend_from_slice(&length(count));
    }
}

fn length(count: usize) -> [u8; 4] {
    u32::try_from(count)
        .expect("nobody has four gigabytes to say at once")
        .to_be_bytes()
}
