//! The compressor, on zlib's algorithms in Rust (flate2 and zlib-rs).

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::{Coding, choose};
use crate::http::{Method, Request, Response};

/// As fast as the fastest and nearly as thorough as zlib's own choice; measured in `websocket::deflate`.
const LEVEL: Compression = Compression::new(2);

/// 32 KiB: what every client can read.
const WINDOW_BITS: u8 = 15;

/// The one compressor of a loop. It has no memory before its first use, and some 300 KB a coding from then on.
#[derive(Debug, Default)]
pub struct Compressor {
    gzip: Option<Compress>,
    deflate: Option<Compress>,
}

impl Compressor {
    /// One that has not been used.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            gzip: None,
            deflate: None,
        }
    }

    /// How the answer to a request may be compressed: gzip or deflate, whichever the client would like better; not at all if
    /// it would like neither, or asks for no body.
    #[must_use]
    pub fn wanted(request: &Request<'_>) -> Coding {
        if request.method() == Method::Head {
            return Coding::Identity;
        }
        choose(request, [Coding::Identity, Coding::Deflate, Coding::Gzip])
    }

    /// The answer in this coding; as it came if its body has fewer bytes, would not become shorter or is coded already. Caches
    /// are told where the request's header made a difference (RFC 9110 §12.5.5).
    #[must_use]
    pub fn compressed(
        &mut self,
        coding: Coding,
        bytes_min: usize,
        mut answer: Response,
    ) -> Response {
        if answer.content().len() < bytes_min || answer.value("content-encoding").is_some() {
            return answer;
        }
        answer = answer.header("Vary", "Accept-Encoding");
        match self.compress(coding, answer.content()) {
            Some(body) => answer.header("Content-Encoding", coding.name()).body(body),
            None => answer,
        }
    }

    /// A body, if that makes it shorter: no more than its length is ever allocated for it.
    fn compress(&mut self, coding: Coding, body: &[u8]) -> Option<Bytes> {
        let compress = match coding {
            Coding::Identity | Coding::Brotli => return None,
            Coding::Gzip => self
                .gzip
                .get_or_insert_with(|| Compress::new_gzip(LEVEL, WINDOW_BITS)),
            Coding::Deflate => self
                .deflate
                .get_or_insert_with(|| Compress::new_with_window_bits(LEVEL, true, WINDOW_BITS)),
        };
        compress.reset();
        let mut out = Vec::new();
        out.reserve_exact(body.len());
        let outcome = compress.compress_vec(body, &mut out, FlushCompress::Finish);
        if !matches!(outcome, Ok(Status::StreamEnd)) || out.len() >= body.len() {
            return None;
        }
        // It may wait for long, and weighs what it holds.
        out.shrink_to_fit();
        Some(Bytes::from(out))
    }
}
