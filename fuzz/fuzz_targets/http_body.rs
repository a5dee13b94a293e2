//! Bodies in both framings, against a decoder that is slow and obviously right; what follows is the next request.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::http::properties::http_body(data));
