//! Clients of Socket.IO 2.x, where `allow_eio3` lets them in: what their packets mean in the words of today.
//!
//! They are connected to `/` unasked, bring what they have to say for themselves in a namespace's query string, are told
//! no id (they make it up from the session's), and why they were refused as bare text or data.
//! Knows the session's revision, and nothing of transports.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::core::Core;
use super::{App, Server, written};
use crate::engineio::{Revision, SessionId};
use crate::http::query;
use crate::sid::Sid;
use crate::socketio::packet::{self as wire, Kind};
use crate::socketio::{NamespaceId, SocketId};

impl<A: App> Server<A> {
    /// A new session of an older client is in `/` without having asked.
    pub(super) fn connect_unasked(&mut self, session: SessionId) {
        if !self.core.is_older(session) {
            return;
        }
        if let Some(row) = self.core.engine.session(session) {
            self.core.sockets.known_as(session, row.sid());
        }
        let connect = wire::Packet::new(Kind::Connect, 0, "/", None, None);
        self.packet(session, &connect, &[]);
    }
}

/// Parts a namespace's name from its query string, which becomes the JSON that a client of today brings.
pub(super) fn named(namespace: &str) -> (&str, Cow<'static, str>) {
    let Some((name, text)) = namespace.split_once('?') else {
        return (namespace, Cow::Borrowed("{}"));
    };
    let text_value = |value: Cow<'_, str>| Value::String(value.into_owned());
    let values: Map<_, _> = query::pairs(text)
        .map(|(key, value)| (key.into_owned(), text_value(value)))
        .collect();
    (name, Cow::Owned(Value::Object(values).to_string()))
}

impl<A: App> Core<A> {
    /// Whether a session is one of an older client.
    pub(super) fn is_older(&self, session: SessionId) -> bool {
        self.engine
            .session(session)
            .is_some_and(|row| row.revision() != Revision::V4)
    }

    /// Tells a client that it was let in.
    pub(super) fn tell_connected(
        &mut self,
        session: SessionId,
        namespace: NamespaceId,
        id: SocketId,
        pid: Option<Sid>,
    ) {
        let said = match pid {
            _ if self.is_older(session) => String::new(),
            Some(pid) => format!("{{\"sid\":\"{id}\",\"pid\":\"{pid}\"}}"),
            None => format!("{{\"sid\":\"{id}\"}}"),
        };
        let name = self.sockets.name(namespace);
        let parser = self.sockets.parser();
        let packet = written::packet(parser, Kind::Connect, name, |out, name| {
            wire::write_connect(out, name, &said);
        });
        self.engine.send(self.now.mono, session, &packet);
    }

    /// Tells a client that, and why, it was not let in.
    pub(super) fn tell_refused(
        &mut self,
        session: SessionId,
        namespace: NamespaceId,
        message: &str,
        data: Option<&Value>,
    ) {
        let is_older = self.is_older(session);
        let name = self.sockets.name(namespace);
        let parser = self.sockets.parser();
        let write = |out: &mut Vec<u8>, name: &str| match (is_older, data) {
            (false, data) => {
                let data = data.map(ToString::to_string);
                wire::write_connect_error(out, name, message, data.as_deref());
            }
            (true, Some(data)) => wire::write_bare_connect_error(out, name, &data.to_string()),
            (true, None) => {
                wire::write_bare_connect_error(out, name, &Value::from(message).to_string());
            }
        };
        let packet = written::packet(parser, Kind::ConnectError, name, write);
        self.engine.send(self.now.mono, session, &packet);
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_query_string_becomes_what_the_client_brings() {
        let rows = [
            ("/", "/", "{}"),
            ("/chat", "/chat", "{}"),
            ("/chat?", "/chat", "{}"),
            (
                "/chat?token=a%20b&n=1",
                "/chat",
                r#"{"n":"1","token":"a b"}"#,
            ),
            ("/chat?a=1&a=2&b", "/chat", r#"{"a":"2","b":""}"#),
            ("/chat?q=%22%5C", "/chat", r#"{"q":"\"\\"}"#),
        ];
        for (namespace, name, auth) in rows {
            assert_eq!(named(namespace), (name, auth.into()), "{namespace}");
        }
    }
}
