//! Any bytes, any limits, any cutting: the properties are stated in `roomcast::websocket::properties`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::websocket::properties::check(data));
