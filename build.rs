//! Embeds the browser client and the page, ready compressed, so that a binary needs nothing beside it.
//!
//! The official client is not kept in this repository: `public/package.json` pins it, and what `npm ci` installed is
//! embedded (feature `client`). If it is not installed, this runs `npm ci` once; if that cannot be, it says so in one sentence.
//! `ROOMCAST_CLIENT_DIR` names a folder with the client's files instead, for builds without npm.

use std::env;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

use flate2::Compression;
use flate2::write::GzEncoder;

/// What the official server serves.
const CLIENT: [&str; 8] = [
    "socket.io.js",
    "socket.io.js.map",
    "socket.io.min.js",
    "socket.io.min.js.map",
    "socket.io.esm.min.js",
    "socket.io.esm.min.js.map",
    "socket.io.msgpack.min.js",
    "socket.io.msgpack.min.js.map",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let public = PathBuf::from("public");
    if env::var_os("CARGO_FEATURE_CLIENT").is_some() {
        let folder = client_folder(&public);
        let version = client_version(&folder);
        let files: Vec<_> = CLIENT
            .iter()
            .map(|name| (format!("/{name}"), folder.join(name)))
            .collect();
        write_table(
            &out.join("client.rs"),
            &out,
            &files,
            "public, max-age=0",
            Some(&version),
        );
    }
    if env::var_os("CARGO_FEATURE_CHAT").is_some() {
        println!("cargo::rerun-if-changed=public");
        let mut files = Vec::new();
        walk(&public, &public, &mut files);
        files.sort();
        write_table(&out.join("page.rs"), &out, &files, "no-cache", None);
    }
}

fn client_folder(public: &Path) -> PathBuf {
    println!("cargo::rerun-if-env-changed=ROOMCAST_CLIENT_DIR");
    println!("cargo::rerun-if-changed=public/package-lock.json");
    if let Some(folder) = env::var_os("ROOMCAST_CLIENT_DIR") {
        return PathBuf::from(folder);
    }
    let folder = public.join("node_modules/socket.io-client/dist");
    if !folder.join(CLIENT[0]).is_file() {
        let outcome = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(public)
            .output();
        match outcome {
            Ok(output) if output.status.success() => {}
            Ok(output) => fail(&format!(
                "`npm ci` in public/ failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            )),
            Err(error) => fail(&format!("npm cannot be run: {error}")),
        }
    }
    folder
}

fn client_version(folder: &Path) -> String {
    let head = fs::read(folder.join("socket.io.min.js")).unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..head.len().min(200)]).into_owned();
    // The file begins with its name and version: ` * Socket.IO v4.8.4`.
    let version = head.split_once("Socket.IO v").map(|(_, rest)| rest);
    version
        .and_then(|rest| rest.split(|c: char| c.is_whitespace()).next())
        .map_or_else(
            || fail("the browser client does not say its version"),
            ToOwned::to_owned,
        )
}

fn fail(why: &str) -> ! {
    eprintln!(
        "the browser client cannot be embedded: {why}\n\
         Install Node.js with npm, or set ROOMCAST_CLIENT_DIR to a folder with socket.io-client's dist files, \
         or build without the feature `client`."
    );
    exit(1);
}

/// Every file below `folder` that belongs to the page, by the path it is served under.
fn walk(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("public/ can be read") {
        let path = entry.expect("public/ can be read").path();
        let name = path
            .file_name()
            .and_then(OsStr::to_str)
            .expect("names in public/ are plain");
        if name == "node_modules" || name.starts_with("package") || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(root, &path, files);
        } else {
            let below = path
                .strip_prefix(root)
                .expect("it was found below the root");
            let served = below
                .to_str()
                .expect("names in public/ are plain")
                .replace('\\', "/");
            files.push((format!("/{served}"), path));
        }
    }
}

fn write_table(
    table: &Path,
    out: &Path,
    files: &[(String, PathBuf)],
    cache_control: &str,
    version: Option<&str>,
) {
    let mut rust = String::from("&[\n");
    for (served, path) in files {
        println!("cargo::rerun-if-changed={}", path.display());
        let bytes =
            fs::read(path).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())));
        let bytes = match served.rsplit_once('.') {
            Some((_, "js")) if version.is_none() => without_comments(&bytes),
            Some((_, "css")) => without_blocks(&bytes),
            _ => bytes,
        };
        let plain = out.join(served.replace('/', "_"));
        fs::write(&plain, &bytes).expect("OUT_DIR can be written");
        let packed = out.join(format!("{}.gz", served.replace('/', "_")));
        fs::write(&packed, gzip(&bytes)).expect("OUT_DIR can be written");
        let etag = version.map_or_else(|| format!("{:016x}", hash(&bytes)), ToOwned::to_owned);
        writeln!(
            rust,
            "    Embedded {{ path: {served:?}, content_type: {:?}, etag: {:?}, cache_control: {cache_control:?}, \
             identity: include_bytes!({plain:?}), gzip: include_bytes!({packed:?}) }},",
            content_type(served),
            format!("\"{etag}\""),
        )
        .expect("a String takes everything");
    }
    rust.push_str("]\n");
    fs::write(table, rust).expect("OUT_DIR can be written");
}

/// The page's scripts without comments and indentation, which are a fifth of what a phone would load. No template of ours
/// spans lines, so a line that begins like a comment is one; line numbers stay, for whoever reads an error.
fn without_comments(script: &[u8]) -> Vec<u8> {
    by_line(script, |text| {
        let starts = [&b"//"[..], b"/*", b"*"];
        starts.iter().any(|start| text.starts_with(start))
    })
}

/// The page's style sheets likewise: a comment begins a line, and ends one. Of the blanks only those stay that mean something: none
/// of ours stands behind one of these signs in a string.
fn without_blocks(sheet: &[u8]) -> Vec<u8> {
    let mut is_inside = false;
    let sheet = by_line(sheet, |text| {
        is_inside |= text.starts_with(b"/*");
        let is_comment = is_inside;
        is_inside &= !text.ends_with(b"*/");
        is_comment
    });
    let mut kept: Vec<u8> = Vec::with_capacity(sheet.len());
    for (at, byte) in sheet.iter().enumerate() {
        let is_behind = kept.last().is_some_and(|last| b"{};:,".contains(last));
        let is_before = sheet.get(at + 1).is_some_and(|next| b"{}".contains(next));
        if *byte != b' ' || !(is_behind || is_before) {
            kept.push(*byte);
        }
    }
    kept
}

fn by_line(text: &[u8], mut is_comment: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        if !is_comment(line) {
            kept.extend_from_slice(line);
        }
        kept.push(b'\n');
    }
    kept
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes everything")
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "application/javascript; charset=utf-8",
        Some("map" | "json") => "application/json; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
