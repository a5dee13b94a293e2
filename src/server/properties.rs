//! What must hold of the switchboard for any input: called by the fuzzers, and by a test with their seeds.
//!
//! Bytes come in and are read as choices. Panics if a promise is broken.
//! Left out: what a single layer can promise alone; each has properties of its own.

mod origin;
mod sessions;
mod strict;
mod thaw;

use crate::http::properties::{cookies, query};

pub use self::sessions::core_ops;
pub use self::thaw::{Thawed, thaw};

/// The small readers of what a browser sends along: the first byte chooses one of them.
///
/// # Panics
/// If one of them is not as its slow model.
pub fn query_cookie_origin(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let lines: Vec<_> = rest.split(|byte| *byte == b'\n').collect();
    match which % 3 {
        0 => query(rest),
        1 => cookies(&lines),
        _ => origin::origin(&lines),
    }
}
