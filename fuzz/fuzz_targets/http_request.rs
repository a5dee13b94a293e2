//! One HTTP connection: the same requests and refusals however the stream is cut, limits held, linear work.
#![no_main]

use libfuzzer_sys::fuzz_target;
use roomcast::http::properties;

fuzz_target!(|data: &[u8]| properties::http_request(data));
