//! engineio.
