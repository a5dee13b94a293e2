//! A payload of Engine.IO 3, of text and of bytes: read, written and read again is the same, wherever one began.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| roomcast::engineio::payload_v3::property::holds(input));
