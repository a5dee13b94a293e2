//! What is known of a session's end besides its reason: a close code, a broken rule, an error of the network.
//!
//! Noted when it is found out, read by the handlers of the sockets that leave, and gone with the session.
//! Left out: a list of kinds. It is for people, as the official server's `description` is.

use super::App;
use super::core::Core;
use super::socket::Socket;
use crate::engineio::SessionId;

/// The words for a client's goodbye.
pub(super) fn of_close(code: Option<u16>, words: &str) -> String {
    match (code, words) {
        (None, _) => "closed without a code".to_owned(),
        (Some(code), "") => format!("closed with {code}"),
        (Some(code), words) => format!("closed with {code}: {words}"),
    }
}

impl<A: App> Core<A> {
    /// Keeps why a session ends, if this is the first that is known of it and somebody may ask.
    pub(super) fn note_detail(&mut self, session: SessionId, words: impl FnOnce() -> String) {
        // Of a session without sockets nobody asks, and it may be gone already.
        let has_sockets = !self.sockets.of_session(session).is_empty();
        if has_sockets && self.details.get(session).is_none() {
            self.details.insert(session, words().into());
        }
    }
}

impl<A: App> Socket<'_, A> {
    /// What is known of the end of its connection besides the reason, in words for people: the code and the text that a
    /// WebSocket was closed with, the rule that was broken, the network's error. For the handlers of
    /// [`Namespace::on_disconnecting`](super::Namespace::on_disconnecting) and `on_disconnect`.
    #[must_use]
    pub fn end_detail(&self) -> Option<&str> {
        let session = self.io.core.sockets.session(self.key)?;
        self.io.core.details.get(session).map(|words| &**words)
    }
}
