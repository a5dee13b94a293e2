//! Sessions: which token opens this workspace, for whom, and until when.
//!
//! Filled and emptied with the store's table; a token's digest comes in, a session or nothing goes out.
//! Never sees a token, and never says why it does not open.

use super::Workspace;
use crate::chat::accounts::Digest;
use crate::chat::ranks::may_come_in;
use crate::chat::store::{Session, SessionId, State, UserId};

impl Workspace {
    /// A new session.
    pub fn add_session(&mut self, session: Session) {
        self.sessions.insert(session.token_hash, session);
    }

    /// A session has ended.
    pub fn remove_session(&mut self, token_hash: &Digest) {
        self.sessions.remove(token_hash);
    }

    /// Sessions that were closed by their ids.
    pub fn remove_sessions(&mut self, ids: &[SessionId]) {
        if !ids.is_empty() {
            self.sessions
                .retain(|_, session| !ids.contains(&session.id));
        }
    }

    /// Forgets sessions that have expired, and says which.
    pub fn remove_expired(&mut self, at: u64) -> Vec<SessionId> {
        self.sessions
            .extract_if(|_, session| session.expires_at <= at)
            .map(|(_, session)| session.id)
            .collect()
    }

    /// Whether a token's session opens nothing since its owner was shut out, and how.
    #[must_use]
    pub fn is_shut_out(&self, token_hash: &Digest, at: u64) -> Option<State> {
        let session = self.sessions.get(token_hash)?;
        let state = self.user(session.user)?.state;
        let is_out = matches!(state, State::Banned | State::Left);
        (session.expires_at > at && is_out).then_some(state)
    }

    /// The owner of a session.
    #[must_use]
    pub fn owner(&self, session: SessionId) -> Option<UserId> {
        let mut sessions = self.sessions.values();
        Some(sessions.find(|one| one.id == session)?.user)
    }

    /// The session of a token, if it has not expired and its user may come in.
    #[must_use]
    pub fn session(&self, token_hash: &Digest, at: u64) -> Option<&Session> {
        let session = self
            .sessions
            .get(token_hash)
            .filter(|session| session.expires_at > at)?;
        self.user(session.user).filter(|user| may_come_in(user))?;
        Some(session)
    }

    /// A session was used: it lasts longer.
    pub fn touch_session(&mut self, token_hash: &Digest, at: u64, expires_at: u64) {
        if let Some(session) = self.sessions.get_mut(token_hash) {
            session.used_at = at;
            session.expires_at = expires_at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::of_ada;
    use super::*;

    const ADA: UserId = UserId(1);

    fn session(expires_at: u64) -> Session {
        Session {
            id: SessionId(1),
            token_hash: [7; 32],
            user: ADA,
            expires_at,
            used_at: 0,
        }
    }

    #[test]
    fn a_session_that_has_expired_opens_nothing_even_before_it_is_forgotten() {
        let mut workspace = of_ada();
        workspace.add_session(session(100));
        assert!(workspace.session(&[7; 32], 99).is_some());
        assert!(workspace.session(&[7; 32], 100).is_none());
        assert_eq!(workspace.remove_expired(99), []);
        assert_eq!(workspace.remove_expired(100), [SessionId(1)]);
        assert_eq!(workspace.remove_expired(100), []);
    }

    #[test]
    fn a_session_of_somebody_who_may_not_come_in_opens_nothing() {
        let mut workspace = of_ada();
        workspace.add_session(session(100));
        for (state, opens) in [
            (State::Muted, true),
            (State::Banned, false),
            (State::Left, false),
        ] {
            let mut user = workspace.user(ADA).unwrap().clone();
            user.state = state;
            workspace.add_person(user);
            assert_eq!(workspace.session(&[7; 32], 1).is_some(), opens, "{state:?}");
        }
    }
}
