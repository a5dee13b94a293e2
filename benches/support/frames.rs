//! As much WebSocket as a client of ours needs: text frames in both directions.

#![allow(dead_code, reason = "each bench asks for some of it")]

/// Of a client's frame; not zeros, which a server might know to be no work.
pub(crate) const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

pub(crate) const UPGRADE: &[u8] =
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// First bytes of frames that are whole messages.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;

/// As a server sends it.
pub(crate) fn plain(text: &[u8]) -> Vec<u8> {
    let mut frame = header(text.len(), 0);
    frame.extend_from_slice(text);
    frame
}

/// As a client sends it.
pub(crate) fn masked(text: &[u8]) -> Vec<u8> {
    let mut frame = header(text.len(), 0x80);
    frame.extend_from_slice(&MASK);
    let bytes = text.iter().zip(MASK.iter().cycle());
    frame.extend(bytes.map(|(byte, mask)| byte ^ mask));
    frame
}

fn header(length: usize, mask_bit: u8) -> Vec<u8> {
    let length = u16::try_from(length).expect("no bench says more at once");
    match u8::try_from(length) {
        Ok(length @ 0..=125) => vec![TEXT, mask_bit | length],
        _ => {
            let [high, low] = length.to_be_bytes();
            vec![TEXT, mask_bit | 126, high, low]
        }
    }
}

/// Where the payload of a server's first frame starts and ends, if all of it is there.
pub(crate) fn extent(bytes: &[u8]) -> Option<(usize, usize)> {
    let (start, length): (usize, usize) = match *bytes.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes(*bytes[2..].first_chunk()?)),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(*bytes[2..].first_chunk()?)).ok()?,
        ),
        short => (2, usize::from(short)),
    };
    let end = length.checked_add(start)?;
    (bytes.len() >= end).then_some((start, end))
}
