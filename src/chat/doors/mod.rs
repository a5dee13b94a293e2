//! The doors: signing in and out, the first account, coming by invite. Plain HTTP, so that a form works without scripts.
//!
//! A form or its JSON comes in; an answer goes out once the password was hashed on its lane and the session is on disk. Each
//! door is a row of steps, one function a step, since between them others have their turn.
//! Knows no sockets: ending a session is the sessions' business.
//! Left out: a new password, reset links, and the list of one's devices.

mod account;
mod answer;
mod sign;

use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::throttle::Key;
use super::{Chat, accounts, people, sessions};
use crate::config::chat as limits;
use crate::http::query;
use crate::server::{Answer, Context, Request, RequestId};

pub(super) use account::{join, set_up};
use answer::{No, Style, Wire, cookie, json_response};
pub(super) use sign::{sign_in, sign_out};

/// The cookie that is a session. It is the only copy of the token: the store has its hash.
pub(super) const COOKIE: &str = "sid";

/// Who stands at the door, kept while the answer is being made.
#[derive(Clone, Debug)]
struct Visitor {
    request: RequestId,
    style: Style,
    wire: Wire,
    address: Option<IpAddr>,
    agent: Option<String>,
}

impl Visitor {
    fn of(request: &Request<'_, Chat>) -> Self {
        let is_json = request
            .header("content-type")
            .is_some_and(|kind| kind.trim_ascii_start().starts_with("application/json"));
        Self {
            request: request.id(),
            style: if is_json { Style::Json } else { Style::Form },
            wire: Wire::of(request),
            address: counted(request.address()),
            agent: request.header("user-agent").map(ToOwned::to_owned),
        }
    }

    /// The fields of a form, or of its JSON.
    fn read<T: DeserializeOwned>(&self, request: &Request<'_, Chat>) -> Result<T, No> {
        if !request.is_same_origin() {
            return Err(No::Foreign);
        }
        let fields = match self.style {
            Style::Json => serde_json::from_slice(request.body()).ok(),
            Style::Form => {
                let pairs = query::pairs(request.body());
                let fields: Map<_, _> = pairs
                    .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
                    .collect();
                serde_json::from_value(Value::Object(fields)).ok()
            }
        };
        fields.ok_or(No::Invalid("body"))
    }

    /// What its address is counted by, if that can be known.
    fn key(&self) -> Option<Key> {
        self.address.map(Key::address)
    }

    fn refuse(&self, context: &mut Context<'_, Chat>, no: No) {
        context.io.answer(self.request, &no.response(self.style));
    }
}

/// By which address somebody is counted: that of the connection, or of the client whom a trusted proxy names.
///
/// By none from this machine: that is somebody at home, or a proxy that was not named as trusted and so brings everybody from
/// there, where one who guesses must not make all others wait.
fn counted(address: Option<IpAddr>) -> Option<IpAddr> {
    address.filter(|address| !address.to_canonical().is_loopback())
}

/// What the page asks first: who am I, and which doors are there.
pub(super) fn session(request: &mut Request<'_, Chat>) -> Answer {
    let at = request.at().0;
    let token = request.cookie(COOKIE).map(ToOwned::to_owned);
    let hash = token.as_deref().map(accounts::token_hash);
    let workspace = &request.app.workspace;
    let me = hash
        .and_then(|hash| workspace.session(&hash, at))
        .and_then(|session| workspace.user(session.user));
    let mut answer = json!({
        "signedIn": me.is_some(),
        "setup": workspace.is_new(),
        "signUp": request.app.sign_up.as_str(),
        "workspace": workspace.name,
    });
    let (Some(me), Some(token), Some(hash)) = (me, token, hash) else {
        return json_response(200, &answer).into();
    };
    answer["me"] = people::self_shown(me);
    sessions::touch(request.app, &mut request.io, &hash);
    json_response(200, &answer)
        .header(
            "Set-Cookie",
            &cookie(&token, limits::SESSION_KEPT, Wire::of(request)),
        )
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_from_this_machine_is_counted_by_no_address() {
        for (address, is_counted) in [
            ("192.0.2.1", true),
            ("2001:db8::1", true),
            ("10.0.0.1", true),
            ("127.0.0.1", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(counted(Some(address)).is_some(), is_counted, "{address}");
        }
        assert_eq!(counted(None), None, "over a Unix socket");
    }
}
