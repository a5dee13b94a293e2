//! In the place of zlib, without feature `compression`.

use super::Coding;
use crate::http::{Request, Response};

/// Compresses nothing.
#[derive(Debug, Default)]
pub struct Compressor;

impl Compressor {
    /// The only one there is.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// Every answer is sent as it is.
    #[must_use]
    pub const fn wanted(_request: &Request<'_>) -> Coding {
        Coding::Identity
    }

    /// The answer as it came.
    #[must_use]
    pub const fn compressed(&mut self, _: Coding, _bytes_min: usize, answer: Response) -> Response {
        answer
    }
}
