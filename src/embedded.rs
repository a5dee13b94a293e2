//! The files that the build embedded: the browser client, and the chat's page.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::http::files::{File, Files};

/// One embedded file in its two forms, as `build.rs` writes it down.
struct Embedded {
    path: &'static str,
    content_type: &'static str,
    etag: &'static str,
    cache_control: &'static str,
    identity: &'static [u8],
    gzip: &'static [u8],
}

impl Embedded {
    fn file(&self) -> File {
        File {
            path: self.path.into(),
            content_type: self.content_type.into(),
            etag: self.etag.into(),
            cache_control: self.cache_control.into(),
            headers: (&[]).into(),
            identity: Bytes::from_static(self.identity),
            gzip: Some(Bytes::from_static(self.gzip)),
            brotli: None,
        }
    }
}

/// The official browser client, each file by its name behind a slash.
pub(crate) fn client() -> &'static Files {
    static CLIENT: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/client.rs"));
    static TABLE: OnceLock<Files> = OnceLock::new();
    TABLE.get_or_init(|| Files::new(CLIENT.iter().map(Embedded::file).collect::<Vec<_>>()))
}

/// The chat's page, each file by the path it is served under.
#[cfg(feature = "chat")]
pub(crate) fn page() -> Vec<File> {
    static PAGE: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/page.rs"));
    PAGE.iter().map(Embedded::file).collect()
}
