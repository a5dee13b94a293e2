//! Files, served from a table in memory.
//!
//! A table comes in once, with each file's forms ready made; a request comes in, a [`Response`] goes out that shares the
//! file's bytes. A path is found if the table has it, byte for byte: there is no folder to climb out of.
//! Never looks at a file system or a clock.
//! Left out: byte ranges (the files are small), dates (entity tags say it better), and compressing on the way out, which
//! [`super::Compressor`] does for other answers.

use std::borrow::Cow;

use bytes::Bytes;

use super::coding::{self, Coding};
use super::{Method, Request, Response, SECURITY_HEADERS};

/// One file in the forms it can be sent in. All of it can be written in a `static`.
#[derive(Clone, Debug)]
pub struct File {
    /// The path as it stands in a request, percent-encoded where it must be.
    pub path: Cow<'static, str>,
    /// The Content-Type.
    pub content_type: Cow<'static, str>,
    /// The entity tag, with its quotes.
    pub etag: Cow<'static, str>,
    /// The Cache-Control.
    pub cache_control: Cow<'static, str>,
    /// Further headers, such as a page's Content-Security-Policy.
    pub headers: Cow<'static, [(&'static str, &'static str)]>,
    /// The bytes as they are.
    pub identity: Bytes,
    /// And compressed by gzip.
    pub gzip: Option<Bytes>,
    /// And compressed by Brotli.
    pub brotli: Option<Bytes>,
}

/// A table of files.
#[derive(Clone, Debug)]
pub struct Files {
    table: Cow<'static, [File]>,
    /// Places in the table, by path.
    by_path: Vec<usize>,
}

impl Files {
    /// From a table, embedded or made at the start. Of two files with one path either may be found.
    #[must_use]
    pub fn new(table: impl Into<Cow<'static, [File]>>) -> Self {
        let table = table.into();
        let mut by_path: Vec<_> = (0..table.len()).collect();
        by_path.sort_unstable_by(|a, b| table[*a].path.cmp(&table[*b].path));
        Self { table, by_path }
    }

    /// The file of a raw path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&File> {
        let place = self
            .by_path
            .binary_search_by(|place| (*self.table[*place].path).cmp(path))
            .ok()?;
        Some(&self.table[self.by_path[place]])
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &File> {
        self.table.iter()
    }
}

/// The answer to a GET or HEAD of a file: whole, or 304 if the client has it; 405 to any other method.
#[must_use]
pub fn serve(file: &File, request: &Request<'_>) -> Response {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Response::method_not_allowed("GET, HEAD");
    }
    let forms = [
        (Coding::Identity, Some(&file.identity)),
        (Coding::Gzip, file.gzip.as_ref()),
        (Coding::Brotli, file.brotli.as_ref()),
    ];
    let there = forms.iter().filter(|(_, form)| form.is_some());
    let coding = coding::choose(request, there.map(|(coding, _)| *coding));
    let body = forms
        .into_iter()
        .find_map(|(form, bytes)| bytes.filter(|_| form == coding))
        .unwrap_or(&file.identity);
    // A strong tag promises the same bytes, and the compressed forms are other bytes (RFC 9110 §8.8.3.3).
    let weak = if coding != Coding::Identity && !file.etag.starts_with("W/") {
        "W/"
    } else {
        ""
    };
    let fresh = has_it_already(file, request);
    let mut response = Response::new(if fresh { 304 } else { 200 })
        .header("ETag", &format!("{weak}{}", file.etag))
        .header("Cache-Control", &file.cache_control);
    if file.gzip.is_some() || file.brotli.is_some() {
        response = response.header("Vary", "Accept-Encoding");
    }
    response = response
        .headers(SECURITY_HEADERS)
        .headers(file.headers.iter().copied());
    if fresh {
        return response;
    }
    if coding != Coding::Identity {
        response = response.header("Content-Encoding", coding.name());
    }
    response
        .header("Content-Type", &file.content_type)
        .body(body.clone())
}

/// If-None-Match, which compares weakly (RFC 9110 §13.1.2).
fn has_it_already(file: &File, request: &Request<'_>) -> bool {
    let opaque = file
        .etag
        .strip_prefix("W/")
        .unwrap_or(&file.etag)
        .as_bytes();
    request
        .list("if-none-match")
        .any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == opaque)
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: [File; 2] = [
        File {
            path: Cow::Borrowed("/page.js"),
            content_type: Cow::Borrowed("text/javascript; charset=utf-8"),
            etag: Cow::Borrowed("\"v1\""),
            cache_control: Cow::Borrowed("no-cache"),
            headers: Cow::Borrowed(&[("X-More", "1")]),
            identity: Bytes::from_static(b"plain"),
            gzip: Some(Bytes::from_static(b"gzip")),
            brotli: Some(Bytes::from_static(b"br")),
        },
        File {
            path: Cow::Borrowed("/"),
            content_type: Cow::Borrowed("text/html; charset=utf-8"),
            etag: Cow::Borrowed("\"v2\""),
            cache_control: Cow::Borrowed("no-cache"),
            headers: Cow::Borrowed(&[]),
            identity: Bytes::from_static(b"<!doctype html>"),
            gzip: None,
            brotli: None,
        },
    ];

    fn asked(path: &str, headers: &str) -> Response {
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n").into_bytes();
        serve(
            Files::new(&TABLE[..]).find(path).unwrap(),
            &Request::from_head(head).unwrap(),
        )
    }

    #[test]
    fn only_what_is_in_the_table_is_found() {
        let files = Files::new(&TABLE[..]);
        assert_eq!(files.find("/").unwrap().identity, "<!doctype html>");
        for path in [
            "",
            "//",
            "/.",
            "/./page.js",
            "/../page.js",
            "/page.js/",
            "//page.js",
            "/page.js%00",
            "/%70age.js",
            "/..%2fpage.js",
            "/PAGE.JS",
            "*",
        ] {
            assert!(files.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn the_coding_follows_the_clients_order_and_weights() {
        let rows = [
            ("", "plain"),
            ("Accept-Encoding:\r\n", "plain"),
            ("Accept-Encoding: gzip,br,deflate\r\n", "gzip"),
            ("Accept-Encoding: br, gzip\r\n", "br"),
            ("Accept-Encoding: deflate, BR\r\n", "br"),
            ("Accept-Encoding: deflate\r\n", "plain"),
            ("Accept-Encoding: gzip;q=0.5, br;q=0.8\r\n", "br"),
            ("Accept-Encoding: gzip;q=0, br;q=0.000\r\n", "plain"),
            ("Accept-Encoding: gzip; q=0.001\r\n", "gzip"),
            ("Accept-Encoding: *\r\n", "br"),
            ("Accept-Encoding: *, br;q=0\r\n", "gzip"),
            ("Accept-Encoding: *;q=0\r\n", "plain"),
            ("Accept-Encoding: identity, gzip;q=0.9\r\n", "plain"),
            ("Accept-Encoding: identity;q=0\r\n", "plain"),
            ("Accept-Encoding: gzip;q=nonsense\r\n", "gzip"),
            (
                "Accept-Encoding: deflate\r\nAccept-Encoding: gzip\r\n",
                "gzip",
            ),
        ];
        for (header, body) in rows {
            let response = asked("/page.js", header);
            assert_eq!(response.content(), body, "{header}");
            let coding = (body != "plain").then_some(body);
            assert_eq!(response.value("content-encoding"), coding, "{header}");
            assert_eq!(response.value("vary"), Some("Accept-Encoding"));
            let etag = if coding.is_some() {
                "W/\"v1\""
            } else {
                "\"v1\""
            };
            assert_eq!(response.value("etag"), Some(etag));
        }
    }

    #[test]
    fn a_file_the_client_has_is_not_sent_again() {
        let rows = [
            ("\"v1\"", 304),
            ("W/\"v1\"", 304),
            ("\"v0\", W/\"v1\"", 304),
            ("*", 304),
            ("\"v0\"", 200),
            ("v1", 200),
            ("", 200),
        ];
        for (tags, status) in rows {
            let response = asked("/page.js", &format!("If-None-Match: {tags}\r\n"));
            assert_eq!(response.status(), status, "{tags}");
            assert_eq!(response.content().is_empty(), status == 304);
            assert_eq!(response.value("cache-control"), Some("no-cache"));
        }
    }

    #[test]
    fn a_file_carries_its_headers_and_the_security_ones() {
        let response = asked("/page.js", "");
        assert_eq!(response.value("x-more"), Some("1"));
        assert_eq!(response.value("x-content-type-options"), Some("nosniff"));
        assert_eq!(asked("/", "Accept-Encoding: gzip\r\n").value("vary"), None);
    }

    #[test]
    fn a_file_is_only_read() {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n";
        let response = serve(&TABLE[1], &Request::from_head(&head[..]).unwrap());
        assert_eq!(
            (response.status(), response.value("allow")),
            (405, Some("GET, HEAD"))
        );
    }
}
