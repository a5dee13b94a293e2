//! A payload of long-polling: read, written and read again is the same, and no body makes more packets than it has separators.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| roomcast::engineio::payload::property::holds(input));
