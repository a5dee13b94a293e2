//! The chat.

pub mod accounts;
pub mod folder;
pub mod names;
pub mod store;
