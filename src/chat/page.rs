//! The page: its files, with the headers that keep a page of ours a page of ours.
//!
//! Served from the binary; with a folder named (`--public`, for working on the page) read from there at each request, on the
//! reading lane.
//! Left out: caching beyond a question per file, which is what makes a new version show at once.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::Chat;
use crate::http::files::{File, Files};
use crate::http::{Response, SECURITY_HEADERS};
use crate::server::{Answer, JobError, Request, Server};

/// What the page may do (CSP level 3): its own scripts and styles, talk to its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
    media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

const HTML_HEADERS: &[(&str, &str)] = &[("Content-Security-Policy", POLICY)];

/// Where pages are, beside `/` and their files' own paths: links with a code in their path, which the page puts out of sight at
/// once, and the page for admins.
const OTHER_PATHS: [(&str, &str); 3] = [
    ("/join/{code}", "/index.html"),
    ("/reset/{code}", "/index.html"),
    ("/admin", "/admin/index.html"),
];

/// The page's version: changes whenever one of its files does.
pub(super) fn build() -> String {
    let tags = crate::embedded::page();
    let mut build = 0_u64;
    for file in &tags {
        let tag = u64::from_str_radix(file.etag.trim_matches('"'), 16).unwrap_or(0);
        build = build.rotate_left(7) ^ tag;
    }
    format!("{build:016x}")
}

/// Serves the page from the binary.
pub(super) fn serve_embedded(server: &mut Server<Chat>) {
    let mut table = crate::embedded::page();
    for file in &mut table {
        if file.content_type.starts_with("text/html") {
            file.headers = Cow::Borrowed(HTML_HEADERS);
        }
    }
    let find = |path: &str| table.iter().find(|file| file.path == path).cloned();
    for (path, name) in OTHER_PATHS {
        let page = find(name).expect("the build embeds both pages");
        server.route(crate::http::Method::Get, path, move |request| {
            crate::http::files::serve(&page, request.http()).into()
        });
    }
    let index = find("/index.html").expect("the build embeds both pages");
    table.push(File {
        path: "/".into(),
        ..index
    });
    server.serve(Files::new(table));
}

/// Serves the page from a folder.
pub(super) fn serve_folder(server: &mut Server<Chat>, folder: PathBuf) {
    for (path, name) in OTHER_PATHS {
        let page = folder.join(name.trim_start_matches('/'));
        server.route(crate::http::Method::Get, path, move |request| {
            from_disk(request, &page)
        });
    }
    server.fallback(move |request| match below(&folder, request.http().path()) {
        Some(path) => from_disk(request, &path),
        None => not_found().into(),
    });
}

/// The file a path names; none if it names anything but plain names below the folder.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let name = if path == "/" { "/index.html" } else { path };
    let is_plain = |segment: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !segment.is_empty() && !segment.starts_with('.') && segment.chars().all(plain)
    };
    let segments = name.strip_prefix('/')?.split('/');
    segments
        .clone()
        .all(is_plain)
        .then(|| folder.join(name.trim_start_matches('/')))
}

fn from_disk(request: &mut Request<'_, Chat>, path: &Path) -> Answer {
    let (id, lane, path) = (request.id(), request.app.lanes.read, path.to_owned());
    let content_type = content_type(&path);
    request.io.run(
        lane,
        move |_| std::fs::read(path),
        move |context, outcome: Result<std::io::Result<Vec<u8>>, JobError>| {
            let response = match outcome {
                Ok(Ok(bytes)) => Response::new(200)
                    .header("Content-Type", content_type)
                    .header("Cache-Control", "no-store")
                    .headers(SECURITY_HEADERS)
                    .headers(HTML_HEADERS.iter().copied())
                    .body(bytes),
                Ok(Err(_)) => not_found(),
                Err(_) => Response::text(503, "Busy\n"),
            };
            context.io.answer(id, &response);
        },
    );
    Answer::Later
}

fn not_found() -> Response {
    Response::text(404, "Not Found\n")
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "application/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_below_the_folder_are_files() {
        let folder = Path::new("/page");
        let found = |path| below(folder, path);
        assert_eq!(found("/"), Some(folder.join("index.html")));
        assert_eq!(found("/chat.js"), Some(folder.join("chat.js")));
        assert_eq!(
            found("/parts/a-b_c.js"),
            Some(folder.join("parts/a-b_c.js"))
        );
        for path in [
            "/../etc/passwd",
            "/a/../b",
            "/.git/config",
            "//etc",
            "/a//b",
            "/%2e%2e/x",
            "",
            "x",
            "/a\0b",
        ] {
            assert_eq!(found(path), None, "{path:?}");
        }
    }
}
