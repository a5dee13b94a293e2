//! The `roomcast` binary.
fn main() {}
