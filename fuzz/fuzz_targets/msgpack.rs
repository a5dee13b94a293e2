//! A packet of MessagePack and any JSON, one out of the other: written and read again it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::socketio::property::msgpack(data));
