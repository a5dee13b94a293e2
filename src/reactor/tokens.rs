//! What the selector calls things: a slot and a generation, with the uppermost slots kept for what is no stream.
//!
//! Names of streams and listeners come in, tokens go out, and the other way round.
//! The generation keeps an event for a socket that was closed earlier in the turn from its successor. With 64 bits it is
//! whole; with 32, twelve bits of it are left, which a slot would have to be reused 4,096 times in a turn to fool.
//! Knows neither sockets nor events.

use mio::Token;

use super::ConnId;
use super::stream::Stream;
use crate::slots::Slots;

const SLOT_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };
const SLOT_MASK: usize = usize::MAX >> (usize::BITS - SLOT_BITS);
const LISTENERS_MAX: usize = 62;
const FIRST_LISTENER: usize = SLOT_MASK - 63;

pub(super) const WAKER: Token = Token(SLOT_MASK);
pub(super) const SIGNALS: Token = Token(SLOT_MASK - 1);
/// Streams that have a name.
pub(super) const CONNECTIONS_MAX: usize = FIRST_LISTENER;

pub(super) fn of_listener(number: u32) -> Option<Token> {
    let number = usize::try_from(number)
        .ok()
        .filter(|number| *number < LISTENERS_MAX)?;
    Some(Token(FIRST_LISTENER + number))
}

pub(super) fn listener_of(token: Token) -> Option<usize> {
    token
        .0
        .checked_sub(FIRST_LISTENER)
        .filter(|number| *number < LISTENERS_MAX)
}

pub(super) fn of_stream(id: ConnId) -> Token {
    Token((id.generation() as usize) << SLOT_BITS | id.slot() as usize)
}

pub(super) fn stream_of(token: Token, streams: &Slots<Stream>) -> Option<ConnId> {
    let slot = u32::try_from(token.0 & SLOT_MASK).ok()?;
    streams.id_at(slot).filter(|id| of_stream(*id) == token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_and_streams_do_not_share_tokens() {
        assert_eq!(listener_of(of_listener(0).unwrap()), Some(0));
        assert_eq!(listener_of(of_listener(61).unwrap()), Some(61));
        assert_eq!(of_listener(62), None);
        assert_eq!((listener_of(WAKER), listener_of(SIGNALS)), (None, None));
        let last = u32::try_from(CONNECTIONS_MAX - 1).unwrap();
        assert_eq!(listener_of(of_stream(ConnId::from_parts(last, 0))), None);
        assert_eq!(listener_of(of_stream(ConnId::from_parts(0, 1))), None);
    }
}
