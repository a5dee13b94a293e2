//! What comes from Redis and from other nodes: sound or ignored, and the same however it is cut or said again.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::cluster::properties::wire(data));
