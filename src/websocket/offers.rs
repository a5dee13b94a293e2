//! The handshake's part of permessage-deflate (RFC 7692 §7.1): what a client offers, what we agree to.
//!
//! The values of `Sec-WebSocket-Extensions` come in; the first offer we can keep goes out as an [`Agreed`], with the header
//! of the answer. To agree to nothing is to leave the header out, and never a refusal: the connection is as good without.
//! Never knows whether compression is wanted: whoever does not want it does not ask.
//! Left out: other extensions, of which none is in use.

use super::deflate::Window;

/// What was agreed on with one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The window it asked us to keep to; its answer must then name one (§7.1.2.1).
    asked: Option<Window>,
}

impl Agreed {
    /// How far back we may refer in what we send.
    #[must_use]
    pub fn window(self) -> Window {
        self.asked.unwrap_or(Window::Whole)
    }

    /// The value of `Sec-WebSocket-Extensions` in the answer. Both sides forget each message, whether asked to or not.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self.asked {
            None => "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some(Window::Whole) => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15"
            }
            Some(Window::Small) => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9"
            }
        }
    }
}

/// What we agree to: the first offer of permessage-deflate that we can keep. `values` are those of
/// `Sec-WebSocket-Extensions`, one for each line; if one of them is no list of extensions, to nothing.
pub fn agree<'a>(values: impl IntoIterator<Item = &'a [u8]>) -> Option<Agreed> {
    if cfg!(not(feature = "compression")) {
        return None;
    }
    let mut agreed = None;
    for value in values {
        let mut words = Words(value);
        loop {
            let found = words.extension()?;
            agreed = agreed.or_else(|| found?.agreed());
            match words.next() {
                None => break,
                Some(b',') => {}
                Some(_) => return None,
            }
        }
    }
    agreed
}

/// The parameters of one offer, as far as they were read.
#[derive(Default)]
struct Offer {
    server_takes_none_over: bool,
    client_takes_none_over: bool,
    server_bits: Option<u8>,
    /// Whether it said how far back the client refers at most: we can read any.
    has_client_bits: bool,
    /// A parameter that does not exist, came twice or has a value it cannot have (§7.1): the offer is declined.
    is_broken: bool,
}

impl Offer {
    fn parameter(&mut self, name: &[u8], value: Option<&[u8]>) {
        let first = |seen: &mut bool| !std::mem::replace(seen, true);
        let is_new = match (name, value.map(bits)) {
            (b"server_no_context_takeover", None) => first(&mut self.server_takes_none_over),
            (b"client_no_context_takeover", None) => first(&mut self.client_takes_none_over),
            (b"client_max_window_bits", None | Some(Some(_))) => first(&mut self.has_client_bits),
            (b"server_max_window_bits", Some(Some(bits))) => {
                self.server_bits.replace(bits).is_none()
            }
            _ => false,
        };
        self.is_broken |= !is_new;
    }

    fn agreed(self) -> Option<Agreed> {
        let asked = match (self.is_broken, self.server_bits) {
            // zlib has no window of 8 bits: asked for one, it uses 9, which is more than the client can take.
            (true, _) | (_, Some(8)) => return None,
            (false, None) => None,
            (false, Some(15)) => Some(Window::Whole),
            (false, Some(_)) => Some(Window::Small),
        };
        Some(Agreed { asked })
    }
}

/// From 8 to 15, without leading zeros (§7.1.2).
fn bits(value: &[u8]) -> Option<u8> {
    match *value {
        [digit @ (b'8' | b'9')] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

/// What is left of a header's value.
struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// One extension with its parameters, up to a comma or the end: the offer, if it is of permessage-deflate. None if this is
    /// no extension (RFC 6455 §9.1). An empty member of a list is none, and nothing is wrong with it (RFC 9110 §5.6.1).
    fn extension(&mut self) -> Option<Option<Offer>> {
        if matches!(self.peek(), None | Some(b',')) {
            return Some(None);
        }
        let is_ours = self.token()? == b"permessage-deflate";
        let mut offer = Offer::default();
        while self.peek() == Some(b';') {
            self.next();
            let name = self.token()?;
            let mut value = None;
            if self.peek() == Some(b'=') {
                self.next();
                value = Some(self.value()?);
            }
            offer.parameter(name, value);
        }
        Some(is_ours.then_some(offer))
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        self.peek();
        let is_over = |byte: &u8| !super::handshake::is_token_byte(*byte);
        let length = self.0.iter().position(is_over).unwrap_or(self.0.len());
        (length > 0).then(|| self.take(length))
    }

    /// A token, or one in quotes. One with a backslash in it is read, and is no number.
    fn value(&mut self) -> Option<&'a [u8]> {
        if self.peek() != Some(b'"') {
            return self.token();
        }
        self.next();
        let mut is_escaped = false;
        let length = self.0.iter().position(|byte| match byte {
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            b'\\' => {
                is_escaped = true;
                false
            }
            byte => *byte == b'"',
        })?;
        let value = self.take(length);
        self.take(1);
        Some(value)
    }

    /// The next byte that is no space; it is taken.
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.take(1);
        Some(byte)
    }

    /// The next byte that is no space; it stays.
    fn peek(&mut self) -> Option<u8> {
        self.0 = self.0.trim_ascii_start();
        self.0.first().copied()
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(length);
        self.0 = rest;
        front
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Option<Agreed> = Some(Agreed { asked: None });
    const WHOLE: Option<Agreed> = Some(Agreed {
        asked: Some(Window::Whole),
    });
    const SMALL: Option<Agreed> = Some(Agreed {
        asked: Some(Window::Small),
    });

    #[test]
    fn the_first_offer_that_can_be_kept_is_agreed_to() {
        let rows = [
            ("permessage-deflate", PLAIN),
            ("permessage-deflate; client_max_window_bits", PLAIN),
            (
                " permessage-deflate ;client_max_window_bits = 10 ; server_no_context_takeover",
                PLAIN,
            ),
            ("permessage-deflate;client_max_window_bits=8", PLAIN),
            ("permessage-deflate; client_no_context_takeover", PLAIN),
            ("permessage-deflate; server_max_window_bits=15", WHOLE),
            ("permessage-deflate; server_max_window_bits=\"15\"", WHOLE),
            ("permessage-deflate; server_max_window_bits=14", SMALL),
            ("permessage-deflate; server_max_window_bits=9", SMALL),
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                PLAIN,
            ),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                SMALL,
            ),
            (
                "permessage-deflate; tomorrow=1, permessage-deflate; server_max_window_bits=15",
                WHOLE,
            ),
            ("x-webkit-deflate-frame, permessage-deflate", PLAIN),
            (
                "mux; max-channels=\"4\\\",\"; flow, permessage-deflate",
                PLAIN,
            ),
            (",, permessage-deflate,", PLAIN),
        ];
        for (header, expected) in rows {
            assert_eq!(agree([header.as_bytes()]), expected, "{header}");
        }
    }

    #[test]
    fn an_offer_that_cannot_be_kept_is_declined() {
        let rows = [
            "",
            "permessage-bzip2",
            "Permessage-Deflate",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=1\\0",
            "permessage-deflate; client_max_window_bits=\"1\\0\"",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
            "permessage-deflate; server_no_context_takeover=true",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; client_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; tomorrow",
            "permessage-deflate; SERVER_MAX_WINDOW_BITS=10",
        ];
        for header in rows {
            assert_eq!(agree([header.as_bytes()]), None, "{header}");
        }
    }

    #[test]
    fn a_header_that_is_no_list_agrees_to_nothing() {
        let rows = [
            "permessage-deflate permessage-deflate",
            "permessage-deflate;",
            "permessage-deflate, ;",
            "permessage-deflate; =1",
            "permessage-deflate; client_max_window_bits=\"10",
            "permessage-deflate, \"quoted\"",
            "permessage-deflate\u{e9}",
            "permessage-deflate/",
        ];
        for header in rows {
            assert_eq!(agree([header.as_bytes()]), None, "{header}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let declined = &b"permessage-deflate; server_max_window_bits=8"[..];
        assert_eq!(agree([declined, b"permessage-deflate"]), PLAIN);
        assert_eq!(
            agree([&b"permessage-deflate"[..], b"permessage-deflate;"]),
            None
        );
        assert_eq!(agree([]), None);
    }

    #[test]
    fn the_answer_repeats_the_window_only_if_it_was_asked_for() {
        let rows = [
            (PLAIN, Window::Whole, ""),
            (WHOLE, Window::Whole, "; server_max_window_bits=15"),
            (SMALL, Window::Small, "; server_max_window_bits=9"),
        ];
        for (agreed, window, end) in rows {
            let agreed = agreed.unwrap();
            assert_eq!(agreed.window(), window);
            let start =
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
            assert_eq!(agreed.header(), format!("{start}{end}"));
        }
    }
}
