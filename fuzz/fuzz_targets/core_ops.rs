//! A server, its clients and the loop between them; the bytes are the schedule.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::server::properties::core_ops(data));
