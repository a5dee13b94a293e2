//! The official browser client, served under the Socket.IO path.
//!
//! With feature `client` the files that the build embedded; without it none, and a request for one is the engine's to refuse.
//! Left out: a strong entity tag, which the official server has, but which must not be one for all codings of a file (RFC
//! 9110 §8.8.3.3): ours is the same version, weak where the file is sent in a coding. And the `deflate` coding, as every
//! client that knows it knows gzip.

use crate::config;
use crate::http::{Request, Response};

/// The answer to a request for one of the client's files; none if it is for something else.
#[cfg(feature = "client")]
pub(super) fn file(config: &config::Engine, request: &Request<'_>) -> Option<Response> {
    use crate::http::{Method, files};

    if !config.serve_client || !matches!(request.method(), Method::Get | Method::Head) {
        return None;
    }
    let name = request.path().strip_prefix(&config.path)?;
    Some(files::serve(
        crate::embedded::client().find(&format!("/{name}"))?,
        request,
    ))
}

/// The answer to a request for one of the client's files: there are none.
#[cfg(not(feature = "client"))]
pub(super) const fn file(_config: &config::Engine, _request: &Request<'_>) -> Option<Response> {
    None
}
