//! Any JSON as arguments: read as Rust types, written and read again it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::socketio::property::arguments(data));
