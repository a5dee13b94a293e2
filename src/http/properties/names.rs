//! Queries and cookies, against readers that are slow and obviously right.
//!
//! The text of a query, or of `Cookie` lines, comes in. Panics if what is read differs, or is not read again from its writing.
//! Left out: what any name means.

use crate::http::{Request, query as parser};

/// A query is read as the plainest reader reads it; written, it is read as the same pairs; of several the last is the value.
///
/// # Panics
/// If not.
pub fn query(data: &[u8]) {
    let pairs: Vec<(String, String)> = parser::pairs(data)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let mut slowly = Vec::new();
    for pair in data.split(|byte| *byte == b'&') {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next());
        if !pair.is_empty() {
            slowly.push((decoded(name), decoded(value.unwrap_or_default())));
        }
    }
    assert_eq!(pairs, slowly);
    let written: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    let written = written.join("&");
    let again: Vec<_> = parser::pairs(&written)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    assert_eq!(pairs, again, "{written}");
    for (name, _) in &pairs {
        let last = pairs.iter().rev().find(|(other, _)| other == name);
        assert_eq!(
            parser::value(data, name).as_deref(),
            last.map(|(_, value)| &**value)
        );
    }
    if let Ok(text) = str::from_utf8(data) {
        assert_eq!(
            parser::segment(text),
            decoded(&text.replace('+', "%2B").into_bytes())
        );
        assert_eq!(parser::segment(&encoded(text)), text);
    }
}

/// Byte by byte, as the URL standard's "percent-decode" has it.
fn decoded(raw: &[u8]) -> String {
    let mut bytes = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let pair = raw.get(at + 1..at + 3).unwrap_or_default();
        let is_encoded =
            raw[at] == b'%' && pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        if is_encoded {
            let digits = str::from_utf8(pair).expect("digits");
            bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
            at += 3;
        } else {
            bytes.push(if raw[at] == b'+' { b' ' } else { raw[at] });
            at += 1;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Cookies are all pairs of all lines in order; the first of a name is its value; written in one line they are the same.
///
/// # Panics
/// If not.
pub fn cookies(lines: &[&[u8]]) {
    let mut head = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for line in lines {
        head.extend_from_slice(b"Cookie: ");
        head.extend_from_slice(line);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    let Ok(request) = Request::from_head(head) else {
        return;
    };
    if request.headers().count() != lines.len() + 1 {
        // What was meant to be one line was several: they are cookies or not, by their own names.
        return;
    }
    let read: Vec<_> = request.cookies().collect();
    let mut slowly = Vec::new();
    for line in lines.iter().filter_map(|line| str::from_utf8(line).ok()) {
        for pair in line.split(';') {
            let pair = pair.trim_matches([' ', '\t', '\r', '\n', '\x0c']);
            if let Some(equals) = pair.find('=') {
                slowly.push((&pair[..equals], &pair[equals + 1..]));
            }
        }
    }
    assert_eq!(read, slowly);
    for (name, value) in &read {
        let first = read.iter().find(|(other, _)| other == name);
        assert_eq!(request.cookie(name), first.map(|(_, value)| *value));
        assert!(!name.contains(['=', ';']) && !value.contains(';'));
    }
    let written: Vec<_> = read
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
        written.join("; ")
    );
    let again = Request::from_head(head.into_bytes()).expect("what was accepted once");
    assert_eq!(again.cookies().collect::<Vec<_>>(), read);
}
