//! Whose pages may talk to us, against the rule in words.

use crate::config::{self, Origins};
use crate::http::Request;
use crate::server::cors;

/// Lines are: the Origin, the Host, headers asked for in a preflight, and then the origins that are listed.
///
/// A page of the same host is let in, one of another only if any is or it is listed as it stands; only a listed one is
/// named in an answer, or the fixed one to everybody; and a preflight's answer promises the headers that were asked for
/// and no line besides.
///
/// # Panics
/// If not.
pub(super) fn origin(lines: &[&[u8]]) {
    let &[origin, host, wanted, ref listed @ ..] = lines else {
        return;
    };
    let head = [
        b"OPTIONS / HTTP/1.1\r\nHost: ",
        host,
        b"\r\nOrigin: ",
        origin,
        b"\r\nAccess-Control-Request-Headers: ",
        wanted,
        b"\r\n\r\n",
    ]
    .concat();
    let Ok(request) = Request::from_head(head) else {
        return;
    };
    if request.headers().count() != 3 {
        return;
    }
    let (origin, host) = (origin.trim_ascii(), host.trim_ascii());
    // The scheme is compared as it stands: browsers write it in lower case.
    let is_same = [&b"http://"[..], b"https://"]
        .iter()
        .filter_map(|scheme| origin.strip_prefix(*scheme))
        .any(|named| named.eq_ignore_ascii_case(host));
    let listed: Vec<_> = listed
        .iter()
        .filter_map(|line| str::from_utf8(line).ok())
        .map(ToOwned::to_owned)
        .collect();
    let is_listed = listed.iter().any(|allowed| allowed.as_bytes() == origin);
    let rows = [
        (Origins::Same, is_same, None),
        (Origins::Any, true, Some(&b"*"[..])),
        (
            Origins::Listed(listed),
            is_same || is_listed,
            is_listed.then_some(origin),
        ),
        (
            Origins::Fixed("http://fixed".to_owned()),
            is_same || origin == b"http://fixed",
            Some(b"http://fixed"),
        ),
    ];
    for (origins, is_allowed, named) in rows {
        assert_eq!(
            cors::is_allowed(&origins, &request),
            is_allowed,
            "{origins:?}"
        );
        let config = config::Engine {
            origins,
            ..config::Engine::default()
        };
        let Some(answer) = cors::preflight(&config, &request) else {
            assert_eq!(
                config.origins,
                Origins::Same,
                "only a closed house answers no preflight"
            );
            continue;
        };
        let value = |name| answer.value(name).map(str::as_bytes);
        assert_eq!(value("Access-Control-Allow-Origin"), named);
        if let Some(allowed) = value("Access-Control-Allow-Headers") {
            assert_eq!(allowed, wanted.trim_ascii());
        }
        assert_eq!(answer.value("Access-Control-Allow-Credentials"), None);
    }
}
