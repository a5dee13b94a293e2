//! In the place of zlib, without feature `compression`: nothing is agreed on, so nobody asks anything of these.

use super::Window;
use crate::websocket::Violation;

/// Leaves every payload as it is.
#[derive(Debug)]
pub struct Deflater;

impl Deflater {
    /// The threshold does not matter.
    #[must_use]
    pub const fn new(_bytes_min: usize) -> Self {
        Self
    }

    /// No payload is worth the try.
    #[must_use]
    pub const fn takes(&self, _payload_bytes: usize) -> bool {
        false
    }

    /// It was never asked to compress.
    #[must_use]
    pub const fn deflated(&self) -> u64 {
        0
    }

    /// Nothing becomes shorter.
    pub const fn deflate(&mut self, _: Window, _payload: &[u8], _out: &mut Vec<u8>) -> bool {
        false
    }
}

/// Inflates nothing.
#[derive(Debug, Default)]
pub struct Inflater;

impl Inflater {
    /// The only one there is.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// Nothing was deflated with our consent.
    ///
    /// # Errors
    ///
    /// Always.
    pub const fn inflate(&mut self, _payload: &[u8], _max: usize) -> Result<Vec<u8>, Violation> {
        Err(Violation::InvalidDeflate)
    }
}
