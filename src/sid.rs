//! The ids that clients see: of Engine.IO sessions and of Socket.IO sockets.
//!
//! Randomness comes in, twenty URL-safe characters go out; 120 bits cannot be guessed and need no check for doubles.
//! Knows nothing of what it names: each layer says which of its things an id belongs to.
//! Left out: an id of the application's own choice (`generateId`), since other code relies on the length and alphabet.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use rand::Rng;

/// Characters of an id, as the official servers make them.
pub const SID_BYTES: usize = 20;

/// A public id: twenty characters of `A-Z a-z 0-9 - _`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid([u8; SID_BYTES]);

impl Sid {
    /// A fresh id of 120 random bits.
    #[must_use]
    pub fn new(rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut random = [0; SID_BYTES / 4 * 3];
        rng.fill_bytes(&mut random);
        let mut id = [0; SID_BYTES];
        BASE64URL_NOPAD.encode_mut(&random, &mut id);
        Self(id)
    }

    /// The id that `text` spells, or `None` if it cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; SID_BYTES] = text.as_bytes().try_into().ok()?;
        let spelled = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        id.iter().all(spelled).then_some(Self(id))
    }

    /// The id as text, which is also the name of its socket's own room.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("both ways to make an id leave ASCII only")
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn an_id_is_twenty_url_safe_characters_and_reads_back() {
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..1000 {
            let id = Sid::new(&mut rng);
            assert_eq!(id.to_string().len(), SID_BYTES);
            assert_eq!(Sid::parse(id.as_str()), Some(id));
        }
    }

    #[test]
    fn a_seed_decides_the_ids_and_each_is_new() {
        let mut rng = StdRng::seed_from_u64(1);
        let (first, second) = (Sid::new(&mut rng), Sid::new(&mut rng));
        assert_ne!(first, second);
        assert_eq!(Sid::new(&mut StdRng::seed_from_u64(1)), first);
    }

    #[test]
    fn what_cannot_be_an_id_is_refused() {
        for text in [
            "",
            "short",
            "nineteen-characters",
            "twenty-one-characters",
            "with a space in here",
            "with+a+plus+in+there",
            "with/a/slash/in/here",
            "zwanzig-b\u{e4}renpfoten",
        ] {
            assert_eq!(Sid::parse(text), None, "{text}");
        }
    }
}
