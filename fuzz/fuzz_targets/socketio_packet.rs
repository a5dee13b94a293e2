//! Any text as one client's Socket.IO messages: see `roomcast::socketio::property`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &str| roomcast::socketio::property::holds(input));
