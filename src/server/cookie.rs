//! The cookie that names a session to a proxy (RFC 6265 §4.1).
//!
//! Configuration and a session's id come in, the value of `Set-Cookie` goes out.
//! Never read back: a session is found by the id in a request's query.
//! Left out: `Expires`, which every browser takes from `Max-Age`; `Partitioned` and `Priority`, which are no standard yet. A
//! `Set-Cookie` of one's own can say them (see [`super::Server::initial_headers`]).

use std::fmt::Write as _;

use crate::config::{Cookie, SameSite};
use crate::sid::Sid;

/// The value of `Set-Cookie`, its parts in the order of the official server.
pub(super) fn value(cookie: &Cookie, sid: Sid) -> String {
    let mut value = format!("{}={sid}", cookie.name);
    if let Some(age) = cookie.max_age {
        // Writing to a String cannot fail.
        let _ = write!(value, "; Max-Age={}", age.as_secs());
    }
    if let Some(domain) = &cookie.domain {
        let _ = write!(value, "; Domain={domain}");
    }
    if let Some(path) = &cookie.path {
        let _ = write!(value, "; Path={path}");
    }
    if cookie.http_only {
        value.push_str("; HttpOnly");
    }
    if cookie.secure {
        value.push_str("; Secure");
    }
    match cookie.same_site {
        None => {}
        Some(SameSite::Strict) => value.push_str("; SameSite=Strict"),
        Some(SameSite::Lax) => value.push_str("; SameSite=Lax"),
        Some(SameSite::None) => value.push_str("; SameSite=None"),
    }
    value
}
