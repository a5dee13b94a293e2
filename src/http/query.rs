//! Queries and forms: `name=value` pairs in percent-encoding (the URL standard's `application/x-www-form-urlencoded`).
//!
//! The raw text of a query, or the body of a form, comes in; decoded pairs go out, borrowed where nothing was encoded.
//! Never knows which names have a meaning.
//! Left out: nested names (`a[b]=c`), which neither Engine.IO nor our own pages use.

use std::borrow::Cow;

/// The pairs in order. A pair without `=` has an empty value; empty pairs are skipped; what is not UTF-8 becomes U+FFFD.
pub fn pairs<'a>(
    query: &'a (impl AsRef<[u8]> + ?Sized),
) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
    raw_pairs(query.as_ref())
        .map(|(name, value)| (decode(name, Plus::Blank), decode(value, Plus::Blank)))
        .map(|(name, value)| (text(name), text(value)))
}

/// The pairs as they were sent. They are short, so a loop over their bytes is quicker than a search for each sign.
fn raw_pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = query.split(|byte| *byte == b'&');
    pairs.filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=');
        let equals = equals.unwrap_or(pair.len());
        (&pair[..equals], pair.get(equals + 1..).unwrap_or(b""))
    })
}

/// The value of a name; of several the last, as everywhere in this house.
#[must_use]
pub fn value<'a>(query: &'a (impl AsRef<[u8]> + ?Sized), name: &str) -> Option<Cow<'a, str>> {
    let [value] = values(query, [name]);
    value
}

/// The values of several names, found in one pass.
#[must_use]
pub fn values<'a, const N: usize>(
    query: &'a (impl AsRef<[u8]> + ?Sized),
    names: [&str; N],
) -> [Option<Cow<'a, str>>; N] {
    raw_values(query, names).map(|value| value.map(text))
}

/// The same, decoded but not yet text: for who compares them with what is known.
pub(crate) fn raw_values<'a, const N: usize>(
    query: &'a (impl AsRef<[u8]> + ?Sized),
    names: [&str; N],
) -> [Option<Cow<'a, [u8]>>; N] {
    let mut values = [None; N];
    for (key, value) in raw_pairs(query.as_ref()) {
        let mut key = decode(key, Plus::Blank);
        if !key.is_ascii() {
            // A name that is no text is compared as the text that stands for it.
            key = match text(key) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            };
        }
        for (name, found) in names.iter().zip(&mut values) {
            if *key == *name.as_bytes() {
                *found = Some(value);
            }
        }
    }
    values.map(|value| value.map(|value| decode(value, Plus::Blank)))
}

/// One segment of a path, decoded: here a plus is a plus.
#[must_use]
pub fn segment(raw: &str) -> Cow<'_, str> {
    text(decode(raw.as_bytes(), Plus::Plus))
}

/// What a `+` stands for.
#[derive(Clone, Copy)]
enum Plus {
    Blank,
    Plus,
}

/// As text: what is not UTF-8 becomes U+FFFD.
fn text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        ),
    }
}

fn decode(raw: &[u8], plus: Plus) -> Cow<'_, [u8]> {
    // Nearly always nothing stands for something else.
    let is_encoded = match plus {
        Plus::Blank => raw.iter().any(|byte| matches!(byte, b'%' | b'+')),
        Plus::Plus => raw.contains(&b'%'),
    };
    if !is_encoded {
        return Cow::Borrowed(raw);
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, behind)) = rest.split_first() {
        let (byte, next) = match (first, plus) {
            (b'+', Plus::Blank) => (b' ', behind),
            (b'%', _) => match hex_pair(behind) {
                Some(byte) => (byte, &behind[2..]),
                // Not an encoding: kept as it stands, as browsers do.
                None => (b'%', behind),
            },
            _ => (*first, behind),
        };
        bytes.push(byte);
        rest = next;
    }
    Cow::Owned(bytes)
}

fn hex_pair(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let rows: [(&str, &[(&str, &str)]); 9] = [
            ("", &[]),
            ("a=1&b=2", &[("a", "1"), ("b", "2")]),
            ("a&=b&&c=", &[("a", ""), ("", "b"), ("c", "")]),
            ("a=b=c", &[("a", "b=c")]),
            ("a+b=c+d%2B", &[("a b", "c d+")]),
            ("%61=%C3%a9", &[("a", "\u{e9}")]),
            (
                "a=%&b=%4&c=%zz&d=%%41",
                &[("a", "%"), ("b", "%4"), ("c", "%zz"), ("d", "%A")],
            ),
            ("a=%ff", &[("a", "\u{fffd}")]),
            ("a=%00%0d%0a", &[("a", "\0\r\n")]),
        ];
        for (query, expected) in rows {
            let found: Vec<_> = pairs(query).collect();
            let found: Vec<_> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
            assert_eq!(found, expected, "{query}");
        }
    }

    #[test]
    fn of_repeated_names_the_last_wins() {
        assert_eq!(value("sid=a&x=1&sid=b", "sid").as_deref(), Some("b"));
        assert_eq!(value("sid=a", "SID"), None);
        assert_eq!(
            value(b"login=a%40b".as_slice(), "login").as_deref(),
            Some("a@b")
        );
    }

    #[test]
    fn a_name_that_is_no_text_is_found_by_what_stands_for_it() {
        assert_eq!(value("%ff=1", "\u{fffd}").as_deref(), Some("1"));
        assert_eq!(
            value(b"\xff=2".as_slice(), "\u{fffd}").as_deref(),
            Some("2")
        );
        assert_eq!(value("%C3%A9=3", "\u{e9}").as_deref(), Some("3"));
        assert_eq!(value("a+b=4", "a b").as_deref(), Some("4"));
    }

    #[test]
    fn in_a_segment_a_plus_is_a_plus() {
        assert_eq!(segment("a+b%2F"), "a+b/");
        assert!(matches!(segment("plain+"), Cow::Borrowed("plain+")));
    }
}
