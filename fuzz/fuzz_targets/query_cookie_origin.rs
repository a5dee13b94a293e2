//! Queries, cookies and origins, against slow readers of the same rules.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::server::properties::query_cookie_origin(data));
