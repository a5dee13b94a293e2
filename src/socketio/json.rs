//! Just enough of JSON to leave it alone: whether a text is sound, and where its values end.
//!
//! Text comes in, slices of it go out; no tree is built and nothing recurses, so depth costs no stack. All but
//! [`is_sound`] expect a text that passed it; on any other they give nonsense, but neither panic nor hang.
//! Knows nothing of packets. Left out: the grammar itself, which `serde_json` checks.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;

/// Whether `text` is one JSON value of at most `depth_max` levels.
///
/// Takes what `JSON.parse` takes: lone surrogates and numbers beyond an f64, which a tree of Rust types cannot hold.
pub(super) fn is_sound(text: &str, depth_max: usize) -> bool {
    // Each level takes two bytes, so most texts are too short to be too deep.
    let is_shallow = text.len() / 2 <= depth_max || depth(text.as_bytes()) <= depth_max;
    is_shallow && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn depth(text: &[u8]) -> usize {
    let (mut now, mut most, mut at) = (0_usize, 0, 0);
    while let Some(byte) = text.get(at) {
        match byte {
            b'[' | b'{' => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            b'"' => {
                at = string_end(text, at);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    most
}

/// The first place from `at` on that is no white space.
pub(super) fn skip_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_space(**byte)).count()
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The place after the string whose opening quote is at `at`.
pub(super) fn string_end(text: &[u8], mut at: usize) -> usize {
    at += 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// The place after the number, `true`, `false` or `null` that starts at `at`.
pub(super) fn scalar_end(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|&&byte| !is_space(byte) && !matches!(byte, b',' | b':' | b']' | b'}'))
        .count()
}

/// The place after the value that starts at `at`.
pub(super) fn value_end(text: &[u8], mut at: usize) -> usize {
    let mut open = 0_usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'[' | b'{' => {
                open += 1;
                at += 1;
            }
            b']' | b'}' => {
                open = open.saturating_sub(1);
                at += 1;
            }
            b'"' => at = string_end(text, at),
            _ if open == 0 => return scalar_end(text, at),
            _ => at += 1,
        }
        if open == 0 {
            return at;
        }
    }
    text.len()
}

/// The text of each value in a list without its brackets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    list: &'a str,
    at: usize,
}

impl<'a> Values<'a> {
    pub(super) const fn new(list: &'a str) -> Self {
        Self::starting_at(list, 0)
    }

    /// The values behind the one that ends at `at`.
    pub(super) const fn starting_at(list: &'a str, at: usize) -> Self {
        Self { list, at }
    }

    /// What is left of the list, without the comma in front of it.
    pub(super) fn rest(self) -> &'a str {
        let bytes = self.list.as_bytes();
        let mut at = skip_space(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        self.list.get(at..).unwrap_or_default()
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        let start = self.list.len() - rest.len();
        let end = value_end(self.list.as_bytes(), start);
        // In an unsound list a value may be empty; the byte is stepped over so that the end is always reached.
        self.at = end.max(start + 1);
        Some(self.list.get(start..end).unwrap_or_default())
    }
}

/// The inside of an array, without its brackets and the space next to them.
pub(super) fn list(array: &str) -> &str {
    let inside = array
        .trim_ascii()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inside.unwrap_or_default().trim_ascii()
}

/// What the inside of a string literal says; half a surrogate pair says U+FFFD.
pub(super) fn unescape(inside: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'\\', inside.as_bytes()) else {
        return Cow::Borrowed(inside);
    };
    let mut said = String::with_capacity(inside.len());
    let (plain, mut rest) = inside.split_at(first);
    said.push_str(plain);
    while let Some(escaped) = rest.strip_prefix('\\') {
        let (character, behind) = escape(escaped);
        said.push(character);
        let plain = memchr(b'\\', behind.as_bytes()).unwrap_or(behind.len());
        said.push_str(&behind[..plain]);
        rest = &behind[plain..];
    }
    Cow::Owned(said)
}

/// The character that stands for what follows a backslash, and the text behind it.
fn escape(escaped: &str) -> (char, &str) {
    let mut characters = escaped.chars();
    let character = match characters.next() {
        Some('u') => return unicode_escape(characters.as_str()),
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(itself) => itself,
        None => char::REPLACEMENT_CHARACTER,
    };
    (character, characters.as_str())
}

fn unicode_escape(digits: &str) -> (char, &str) {
    let Some((high, behind)) = code_unit(digits) else {
        return (char::REPLACEMENT_CHARACTER, digits);
    };
    if let Some(character) = char::from_u32(u32::from(high)) {
        return (character, behind);
    }
    let low = behind.strip_prefix("\\u").and_then(code_unit);
    if let Some((low, behind_both)) = low
        && let Some(Ok(character)) = char::decode_utf16([high, low]).next()
    {
        return (character, behind_both);
    }
    (char::REPLACEMENT_CHARACTER, behind)
}

fn code_unit(digits: &str) -> Option<(u16, &str)> {
    let (digits, behind) = digits.split_at_checked(4)?;
    Some((u16::from_str_radix(digits, 16).ok()?, behind))
}

/// Whether every object that says it stands for an attachment names one of `attachments`.
///
/// The reference looks at no object inside a placeholder; here all are looked at, since none has a reason to be there.
pub(super) fn placeholders_fit(text: &str, attachments: usize) -> bool {
    let fits = |_, index: Option<usize>| match index {
        Some(index) if index < attachments => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    each_placeholder(text, fits).is_continue()
}

/// Where each attachment stands, and which: in the order of the text, without what is inside another one.
pub(super) fn placeholders(text: &str) -> Vec<(Range<usize>, usize)> {
    let mut found: Vec<(Range<usize>, usize)> = Vec::new();
    let _ = each_placeholder(text, |range, index| {
        while found
            .pop_if(|(inner, _)| inner.start > range.start)
            .is_some()
        {}
        found.extend(index.map(|index| (range, index)));
        ControlFlow::Continue(())
    });
    found
}

/// Shows every object that says it stands for an attachment, at its end: where it is, and which attachment it names.
fn each_placeholder(
    text: &str,
    mut found: impl FnMut(Range<usize>, Option<usize>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let bytes = text.as_bytes();
    // One entry for each open container; arrays are entries whose keys nobody reads.
    let mut open: Vec<Container> = Vec::new();
    let mut at = skip_space(bytes, 0);
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'"' => string_end(bytes, at),
            b'[' | b'{' | b']' | b'}' | b',' | b':' => at + 1,
            _ => scalar_end(bytes, at).max(at + 1),
        };
        let token = text.get(at..end).unwrap_or_default();
        match byte {
            b']' | b'}' => {
                let closed = open.pop().unwrap_or_default();
                if closed.is_placeholder {
                    found(closed.start..end, closed.index)?;
                }
            }
            b':' => {}
            b',' => {
                if let Some(container) = open.last_mut() {
                    container.key = Key::Due;
                }
            }
            _ => {
                if let Some(container) = open.last_mut() {
                    container.saw(token);
                }
                if matches!(byte, b'{' | b'[') {
                    open.push(Container {
                        is_array: byte == b'[',
                        start: at,
                        ..Container::default()
                    });
                }
            }
        }
        at = skip_space(bytes, end);
    }
    ControlFlow::Continue(())
}

/// What is known of an object that is still open. The last of two equal keys wins, as in `JSON.parse`.
#[derive(Default)]
struct Container {
    is_array: bool,
    start: usize,
    key: Key,
    is_placeholder: bool,
    index: Option<usize>,
}

#[derive(Default)]
enum Key {
    #[default]
    Due,
    Placeholder,
    Number,
    Other,
}

impl Container {
    fn saw(&mut self, token: &str) {
        match self.key {
            _ if self.is_array => {}
            Key::Due => {
                let inside = token.get(1..token.len().max(2) - 1).unwrap_or_default();
                self.key = match &*unescape(inside) {
                    "_placeholder" => Key::Placeholder,
                    "num" => Key::Number,
                    _ => Key::Other,
                };
            }
            Key::Placeholder => self.is_placeholder = token == "true",
            Key::Number => self.index = placeholder_index(token),
            Key::Other => {}
        }
    }
}

/// The index that a JSON number names, however it is written (`1`, `1.0`, `1e0` are the same in JavaScript).
pub(super) fn placeholder_index(number: &str) -> Option<usize> {
    if let Ok(index) = number.parse() {
        return Some(index);
    }
    let number: f64 = number.parse().ok()?;
    let is_index = number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked just above"
    )]
    is_index.then_some(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soundness_is_what_json_parse_says_but_for_depth() {
        for text in [
            "1",
            " [1 ,2] ",
            "\"\\ud800\"",
            "1e999",
            "{\"a\":1,\"a\":2}",
            "{\"__proto__\":1}",
        ] {
            assert!(is_sound(text, 128), "{text}");
        }
        for text in [
            "",
            "[",
            "[1,]",
            "{a:1}",
            "'a'",
            "01",
            "\"\u{1}\"",
            "[1] 2",
            "NaN",
            "\u{feff}1",
        ] {
            assert!(!is_sound(text, 128), "{text}");
        }
    }

    #[test]
    fn depth_is_counted_outside_strings_and_limited_exactly() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(is_sound(&nested(128), 128));
        assert!(!is_sound(&nested(129), 128));
        assert!(!is_sound(&nested(100_000), 128));
        assert!(is_sound(
            &format!("[\"{}\\\"{}\"]", "[".repeat(300), "{".repeat(300)),
            128
        ));
        assert!(is_sound(&format!("[{}[]]", "[],".repeat(300)), 128));
    }

    #[test]
    fn values_are_cut_at_their_own_ends() {
        let list = list(" [ 1 , \"a,]\\\"\" ,[2,[3]], {\"k\":\"}\"},null ] ");
        let cut: Vec<_> = Values::new(list).collect();
        assert_eq!(
            cut,
            ["1", "\"a,]\\\"\"", "[2,[3]]", "{\"k\":\"}\"}", "null"]
        );
        let mut values = Values::new(list);
        values.next();
        assert!(values.rest().starts_with("\"a,]"));
        assert_eq!(Values::new("").count(), 0);
    }

    #[test]
    fn unsound_text_neither_hangs_nor_panics() {
        for text in [
            "]", "}}", ",,,", ":::", "\"", "\"\\", "[\"", "{", "\\u", "a]b",
        ] {
            let _ = Values::new(text).count();
            let _ = placeholders_fit(text, 1);
            let _ = unescape(text);
            let _ = unescape("\\ud8");
        }
    }

    #[test]
    fn escapes_say_what_they_say_in_javascript() {
        let rows = [
            ("plain", "plain"),
            ("a\\n\\\"\\\\\\/\\b\\f\\r\\tb", "a\n\"\\/\u{8}\u{c}\r\tb"),
            ("\\u0063onnect", "connect"),
            ("\\ud83d\\ude00!", "\u{1f600}!"),
            ("\\ud83d", "\u{fffd}"),
            ("\\ud83d\\ud83d\\ude00", "\u{fffd}\u{1f600}"),
            ("\\ude00x", "\u{fffd}x"),
        ];
        for (inside, said) in rows {
            assert_eq!(unescape(inside), said);
        }
    }

    #[test]
    fn placeholders_are_found_where_they_stand_and_not_inside_one_another() {
        let found = |text| -> Vec<(&str, usize)> {
            let found = placeholders(text).into_iter();
            found.map(|(range, index)| (&text[range], index)).collect()
        };
        let (one, other) = (
            r#"{"_placeholder":true,"num":1}"#,
            r#"{ "num" : 0, "_placeholder" : true }"#,
        );
        let text = format!(r#"[{one},{{"a":[{other}]}},{{"_placeholder":false}},{one}]"#);
        assert_eq!(placeholders(&text).len(), 3);
        assert_eq!(found(text.leak()), [(one, 1), (other, 0), (one, 1)]);
        let nested = r#"[{"_placeholder":true,"x":[{"_placeholder":true,"num":1}],"num":0}]"#;
        assert_eq!(found(nested), [(&nested[1..nested.len() - 1], 0)]);
    }

    #[test]
    fn placeholders_must_name_an_attachment_that_is_there() {
        let fit = [
            r#"[{"_placeholder":true,"num":0},{"num":1,"_placeholder":true}]"#,
            r#"[{"_placeholder":true,"num":1.0},{"_placeholder":true,"num":1e0}]"#,
            r#"[{"_placeholder":false,"num":9},{"_placeholder":"true"},{"num":"x"}]"#,
            r#"[{"_placeholder":true,"num":9,"num":0}]"#,
            r#"["_placeholder",true,"num",9,"{\"_placeholder\":true}"]"#,
            r#"{"a":{"b":[{"_placeholder":true,"num":0,"x":[true]}]}}"#,
        ];
        for text in fit {
            assert!(is_sound(text, 9) && placeholders_fit(text, 2), "{text}");
        }
        let unfit = [
            r#"[{"_placeholder":true,"num":2}]"#,
            r#"[{"_placeholder":true,"num":-1}]"#,
            r#"[{"_placeholder":true,"num":1e9}]"#,
            r#"[{"_placeholder":true,"num":1.5}]"#,
            r#"[{"_placeholder":true,"num":"0"}]"#,
            r#"[{"_placeholder":true,"num":[0]}]"#,
            r#"[{"_placeholder":true}]"#,
            r#"[{"_placeh\u006flder":true}]"#,
            r#"{"a":[[{"b":{"_placeholder" : true , "num" : null}}]]}"#,
        ];
        for text in unfit {
            assert!(is_sound(text, 9) && !placeholders_fit(text, 2), "{text}");
        }
    }
}
