//! A frozen server whose bytes were changed is refused or borne, never a panic; and what was thawed freezes to the same again.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    roomcast::server::properties::thaw(input);
});
