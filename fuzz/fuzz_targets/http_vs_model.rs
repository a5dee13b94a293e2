//! Lists of requests, some spoiled: the answers, their order and the end are those of a model.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| roomcast::http::properties::http_vs_model(data));
