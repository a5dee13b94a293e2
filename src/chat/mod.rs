//! The chat.

pub mod accounts;
pub mod names;
pub mod store;
