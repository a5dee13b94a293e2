//! Entries of a stream: their ids, and what Redis says they hold.
//!
//! A list of entries comes in, as `XREAD` and `XRANGE` give it; ids with their fields go out, up to the first that is cut.
//! Knows nothing of what is in them.

use std::fmt;
use std::str::FromStr;

use super::resp::Value;

/// An entry's id: the moment it was added by the clock of Redis, in milliseconds, and a number within it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryId {
    millis: u64,
    number: u64,
}

impl EntryId {
    /// Before all entries.
    pub(super) const ZERO: Self = Self {
        millis: 0,
        number: 0,
    };

    /// The least that is greater.
    pub(super) fn next(self) -> Self {
        match self.number.checked_add(1) {
            Some(number) => Self { number, ..self },
            None => Self {
                millis: self.millis.saturating_add(1),
                number: 0,
            },
        }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

impl FromStr for EntryId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = |digits: &str| {
            let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|_| are_digits)
        };
        let (millis, number) = text.split_once('-').ok_or(())?;
        Ok(Self {
            millis: digits(millis).ok_or(())?,
            number: digits(number).ok_or(())?,
        })
    }
}

/// What an entry holds: names and values by turns; none if it is larger than it may be.
pub(super) type Fields<'a> = Option<&'a [Value]>;

/// The entries of a list, as far as they are whole. One that Redis was cut short in, since there was too much before it, ends
/// them: it is to be asked for again, and then comes first. The first that is too large is too large for ever.
pub(super) fn entries(list: &[Value]) -> Vec<(EntryId, Fields<'_>)> {
    let mut whole = Vec::with_capacity(list.len());
    for (place, entry) in list.iter().enumerate() {
        let Some((id, fields)) = parts(entry) else {
            break;
        };
        let is_whole = fields.is_some();
        if !is_whole && place > 0 {
            break;
        }
        whole.push((id, fields));
        if !is_whole {
            break;
        }
    }
    whole
}

fn parts(entry: &Value) -> Option<(EntryId, Fields<'_>)> {
    let Value::List(parts) = entry else {
        return None;
    };
    let id = std::str::from_utf8(parts.first()?.text()?).ok()?;
    let fields = match parts.get(1)? {
        Value::List(fields) if fields.iter().all(|field| field.text().is_some()) => Some(&**fields),
        _ => None,
    };
    Some((id.parse().ok()?, fields))
}

/// The command that adds an entry to a stream, of which about so many are kept.
pub(super) fn addition<'a>(
    stream: &'a str,
    entries_max: &'a str,
    fields: &'a [(&'static str, String)],
) -> Vec<&'a [u8]> {
    let words = ["XADD", stream, "MAXLEN", "~", entries_max, "*"];
    let fields = fields.iter().flat_map(|(name, value)| [*name, value]);
    words.into_iter().chain(fields).map(str::as_bytes).collect()
}

/// A field's value, as text.
pub(super) fn field<'a>(fields: &'a [Value], name: &str) -> Option<&'a str> {
    let pairs = fields.chunks_exact(2);
    let mut found = pairs.filter(|pair| pair[0].text() == Some(name.as_bytes()));
    std::str::from_utf8(found.next()?[1].text()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(bytes::Bytes::copy_from_slice(text.as_bytes()))
    }

    fn entry(id: &str, fields: Vec<Value>) -> Value {
        Value::List(vec![text(id), Value::List(fields)])
    }

    fn id(text: &str) -> EntryId {
        text.parse().unwrap()
    }

    #[test]
    fn an_id_is_two_numbers_in_order() {
        assert_eq!(id("12-3").to_string(), "12-3");
        assert!(id("9-9") < id("10-0") && id("10-0") < id("10-1"));
        assert_eq!(id("7-1").next(), id("7-2"));
        assert_eq!(id("7-18446744073709551615").next(), id("8-0"));
        for text in [
            "",
            "1",
            "-",
            "1-",
            "-1",
            "+1-1",
            "1-1-1",
            "x-1",
            "1-99999999999999999999",
        ] {
            assert_eq!(text.parse::<EntryId>(), Err(()), "{text}");
        }
    }

    #[test]
    fn what_is_cut_is_asked_for_again_unless_it_is_the_first() {
        let whole = entry("1-0", vec![text("a"), text("b")]);
        let cut = entry("2-0", vec![text("a"), Value::TooLong]);
        let without_id = Value::List(vec![Value::TooLong, Value::List(vec![])]);
        let list = [whole.clone(), cut, whole.clone()];
        let ids = |list: &[Value]| {
            let found = entries(list).into_iter();
            found
                .map(|(id, fields)| (id.to_string(), fields.is_some()))
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&list), [("1-0".to_owned(), true)]);
        assert_eq!(ids(&list[1..]), [("2-0".to_owned(), false)]);
        assert_eq!(ids(&[whole.clone(), without_id.clone()]).len(), 1);
        assert_eq!(ids(&[without_id, whole]), []);
        let found = &list[0];
        let (_, fields) = parts(found).unwrap();
        assert_eq!(field(fields.unwrap(), "a"), Some("b"));
        assert_eq!(field(fields.unwrap(), "b"), None);
    }
}
