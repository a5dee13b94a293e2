//! Whose pages may talk to us: the Origin check and the CORS headers (Fetch standard, "CORS protocol").
//!
//! A question of configuration and two headers; answers are headers or a yes or no.
//! Left out for now: credentials, exposed headers and methods of one's own.

use crate::config::Origins;
use crate::http::{Request, Response};

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

/// The origin that the answer to this request must name, if it is one of a list.
pub(super) fn origin_to_echo(origins: &Origins, request: &Request<'_>) -> Option<Box<str>> {
    let Origins::Listed(listed) = origins else {
        return None;
    };
    let origin = request.header("origin")?;
    listed
        .iter()
        .any(|allowed| allowed == origin)
        .then(|| origin.into())
}

/// Adds what the answer to a request must say.
pub(super) fn add(origins: &Origins, echoed: Option<&str>, response: Response) -> Response {
    match (origins, echoed) {
        (Origins::Same, _) => response,
        (Origins::Any, _) => response.header("Access-Control-Allow-Origin", "*"),
        (Origins::Listed(_), None) => response.header("Vary", "Origin"),
        (Origins::Listed(_), Some(origin)) => response
            .header("Access-Control-Allow-Origin", origin)
            .header("Vary", "Origin"),
    }
}

/// The answer to a preflight, if pages of other origins are allowed at all.
pub(super) fn preflight(origins: &Origins, request: &Request<'_>) -> Option<Response> {
    if *origins == Origins::Same {
        return None;
    }
    let echoed = origin_to_echo(origins, request);
    let mut response = add(origins, echoed.as_deref(), Response::new(204)).header(
        "Access-Control-Allow-Methods",
        "GET,HEAD,PUT,PATCH,POST,DELETE",
    );
    if let Some(headers) = request.header("access-control-request-headers") {
        response = response
            .header("Access-Control-Allow-Headers", headers)
            .header("Vary", "Access-Control-Request-Headers");
    }
    Some(response)
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
