//! Header lines of an answer, checked as they are added.
//!
//! Names and values come in, lines as they will be sent come out. One that would break the head never gets in, so who
//! writes heads need not look again.
//! Never knows which answer they are for.
//! Left out: headers of requests, which stay where they were sent.

use serde::{Deserialize, Serialize};

use super::head::is_token_byte;

/// Written by the connection, and by it alone.
const OWN_HEADERS: [&str; 5] = [
    "Date",
    "Content-Length",
    "Connection",
    "Keep-Alive",
    "Transfer-Encoding",
];

/// Headers of an answer, in the order they were added. The same name may come again: `Set-Cookie` must.
///
/// ```
/// use roomcast::http::Headers;
///
/// let mut headers = Headers::default();
/// headers.add("Set-Cookie", "a=1; Path=/");
/// headers.add("Set-Cookie", "b=2");
/// assert_eq!(headers.value("set-cookie"), Some("a=1; Path=/"));
/// assert_eq!(headers.iter().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Headers {
    /// As they will be sent, each line with its end.
    lines: String,
}

impl Headers {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            lines: String::new(),
        }
    }

    /// Adds one behind the others. One that would break the head (an odd name; CR, LF, NUL or another control in the
    /// value), or that the connection writes itself, is our mistake: it is left out, never split.
    pub fn add(&mut self, name: &str, value: &str) {
        let fits = is_writable(name, value);
        debug_assert!(fits, "header {name:?} with {value:?}");
        if fits {
            for part in [name, ": ", value, "\r\n"] {
                self.lines.push_str(part);
            }
        }
    }

    /// Adds others behind these.
    pub fn append(&mut self, others: &Self) {
        self.lines.push_str(&others.lines);
    }

    /// The first value of a name, in any case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .split_terminator("\r\n")
            .filter_map(|line| line.split_once(": "))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.lines
    }
}

/// Whether these are lines that would be taken, each with its end.
pub(super) fn are_sound(lines: &str) -> bool {
    let is_sound = |line: &str| {
        line.split_once(": ")
            .is_some_and(|(name, value)| is_writable(name, value))
    };
    lines.ends_with("\r\n") && lines.split_terminator("\r\n").all(is_sound)
}

fn is_writable(name: &str, value: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(is_token_byte)
        && !OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name))
        && !value
            .bytes()
            .any(|byte| byte == 0x7f || (byte < b' ' && byte != b'\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_would_break_the_head_is_not_writable() {
        let rows = [
            ("X-A", "plain", true),
            ("X-A", "tab\tand caf\u{e9}", true),
            ("X-A", "a\r\nSet-Cookie: b", false),
            ("X-A", "a\nb", false),
            ("X-A", "a\rb", false),
            ("X-A", "a\0b", false),
            ("X-A", "a\x7fb", false),
            ("X A", "a", false),
            ("X:A", "a", false),
            ("X\r\n", "a", false),
            ("", "a", false),
            ("content-length", "5", false),
            ("Transfer-Encoding", "chunked", false),
        ];
        for (name, value, writable) in rows {
            assert_eq!(is_writable(name, value), writable, "{name:?}: {value:?}");
        }
    }

    #[test]
    fn the_same_name_comes_twice_and_in_order() {
        let mut headers = Headers::new();
        headers.add("Set-Cookie", "a=1: b");
        let mut others = Headers::new();
        others.add("X", "");
        others.add("set-cookie", "b=2");
        headers.append(&others);
        let all: Vec<_> = headers.iter().collect();
        assert_eq!(
            all,
            [("Set-Cookie", "a=1: b"), ("X", ""), ("set-cookie", "b=2")]
        );
        assert_eq!(headers.value("SET-COOKIE"), Some("a=1: b"));
        assert_eq!(headers.value("Y"), None);
    }
}
