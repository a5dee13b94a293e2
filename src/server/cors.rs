//! Whose pages may talk to us: the Origin check and the CORS headers (Fetch standard, "CORS protocol").
//!
//! Configuration and a request's headers come in; headers or a yes or no go out.
//! Knows nothing of sessions.
//! Left out: origins by a function, which a server's `allow_request` and `middleware` can be; and a status other than 204
//! for a preflight, which browsers of this decade do not need.

use crate::config::{self, Origins};
use crate::http::{Headers, Request, Response};

/// Whether a page of this request's origin may open a session. Requests without an Origin come from no page of
/// another site.
pub(super) fn is_allowed(origins: &Origins, request: &Request<'_>) -> bool {
    // As bytes: an origin that is no text must not pass for none.
    let Some(origin) = request.header_bytes("origin") else {
        return true;
    };
    match origins {
        Origins::Any => true,
        Origins::Same => is_same(origin, request),
        Origins::Listed(listed) => {
            is_same(origin, request) || listed.iter().any(|allowed| allowed.as_bytes() == origin)
        }
        Origins::Fixed(fixed) => is_same(origin, request) || fixed.as_bytes() == origin,
    }
}

/// The scheme is left to whatever stands before us: behind a proxy that speaks TLS we cannot know our own.
fn is_same(origin: &[u8], request: &Request<'_>) -> bool {
    let host = origin
        .strip_prefix(b"http://")
        .or_else(|| origin.strip_prefix(b"https://"));
    match (host, request.header_bytes("host")) {
        (Some(origin), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// What the answer to a request must say, whatever else it says.
pub(super) fn headers(config: &config::Engine, request: &Request<'_>) -> Headers {
    let mut headers = Headers::new();
    let asking = || request.header("origin");
    let credentials = config.cors.credentials;
    let named = match &config.origins {
        Origins::Same => return headers,
        Origins::Any if credentials => asking(),
        Origins::Any => Some("*"),
        Origins::Listed(listed) => {
            asking().filter(|origin| listed.iter().any(|allowed| allowed == origin))
        }
        Origins::Fixed(fixed) => Some(fixed.as_str()),
    };
    if let Some(origin) = named {
        headers.add("Access-Control-Allow-Origin", origin);
        if credentials {
            headers.add("Access-Control-Allow-Credentials", "true");
        }
    }
    if named != Some("*") {
        headers.add("Vary", "Origin");
    }
    if !config.cors.exposed_headers.is_empty() {
        let exposed = config.cors.exposed_headers.join(",");
        headers.add("Access-Control-Expose-Headers", &exposed);
    }
    headers
}

/// The answer to a preflight, if pages of other origins are allowed at all.
pub(super) fn preflight(config: &config::Engine, request: &Request<'_>) -> Option<Response> {
    if config.origins == Origins::Same {
        return None;
    }
    let cors = &config.cors;
    let mut headers = headers(config, request);
    headers.add("Access-Control-Allow-Methods", &cors.methods.join(","));
    match &cors.allowed_headers {
        Some(allowed) if allowed.is_empty() => {}
        Some(allowed) => headers.add("Access-Control-Allow-Headers", &allowed.join(",")),
        None => {
            if let Some(wanted) = request.header("access-control-request-headers") {
                headers.add("Access-Control-Allow-Headers", wanted);
            }
            headers.add("Vary", "Access-Control-Request-Headers");
        }
    }
    if let Some(age) = cors.max_age {
        headers.add("Access-Control-Max-Age", &age.as_secs().to_string());
    }
    Some(Response::new(204).append(&headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_that_is_no_text_is_that_of_another_page() {
        let head = b"GET / HTTP/1.1\r\nHost: here\r\nOrigin: https://there\xff\r\n\r\n";
        let request = Request::from_head(&head[..]).unwrap();
        assert!(!is_allowed(&Origins::Same, &request));
        assert!(!is_allowed(
            &Origins::Listed(vec!["https://there".to_owned()]),
            &request
        ));
        assert!(is_allowed(&Origins::Any, &request));
    }
}
