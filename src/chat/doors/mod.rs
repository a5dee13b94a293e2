//! The doors: signing in and out, the first account, coming by invite, a new password.
//!
//! A form, its JSON, or the event of a program comes in; an answer goes out once the password was hashed on its lane and the
//! session is on disk. Plain HTTP, so that a form works without scripts; programs have `/door`, where they get the token that a
//! page never sees. Each door is a row of steps, one function a step, since between them others have their turn.
//! Ending a session is the sessions' business.
//! Left out: second factors.

mod account;
mod answer;
mod password;
mod program;
mod sign;

use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::throttle::Key;
use super::{Chat, accounts, people, sessions};
use crate::config::chat as limits;
use crate::http::query;
use crate::server::{Ack, Answer, Io, Request, RequestId};

pub(super) use account::{join, set_up};
use answer::{No, Style, Wire, cookie, json_response};
pub(super) use password::{change, new_link, path, reset};
pub(super) use program::{PLACE as PROGRAMS, arrived, knock, open, unknown};
pub(super) use sign::{sign_in, sign_out};

/// The cookie that is a session. It is the only copy of the token: the store has its hash.
pub(super) const COOKIE: &str = "sid";

/// Who stands at the door, kept while the answer is being made.
#[derive(Debug)]
struct Visitor {
    way: Way,
    address: Option<IpAddr>,
    agent: Option<String>,
}

/// By which way the answer goes.
#[derive(Debug)]
enum Way {
    Request(RequestId, Style, Wire),
    Event(Ack),
}

impl Visitor {
    fn of(request: &Request<'_, Chat>) -> Self {
        Self {
            way: Way::Request(request.id(), Style::of(request), Wire::of(request)),
            address: counted(request.address()),
            agent: request.header("user-agent").map(ToOwned::to_owned),
        }
    }

    /// What its address is counted by, if that can be known.
    fn key(&self) -> Option<Key> {
        self.address.map(Key::address)
    }

    fn refuse(self, io: &mut Io<'_, Chat>, no: No) {
        match self.way {
            Way::Request(id, style, _) => io.answer(id, &no.response(style)),
            Way::Event(ack) => ack.send(io, &no.answer()),
        }
    }
}

/// The fields of a form, or of its JSON, from a page of ours or from no page.
fn fields<T: DeserializeOwned>(request: &Request<'_, Chat>) -> Result<T, No> {
    if !request.is_same_origin() {
        return Err(No::Foreign);
    }
    let fields = match Style::of(request) {
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

/// The answer to a request whose steps have begun, or why they did not.
fn answer(request: &Request<'_, Chat>, begun: Result<(), No>) -> Answer {
    match begun {
        Ok(()) => Answer::Later,
        Err(no) => no.response(Style::of(request)).into(),
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
        "contact": workspace.contact,
    });
    if let Some(hash) = hash
        && let Some(state) = workspace.is_shut_out(&hash, at)
    {
        answer["ended"] = sessions::Why::shut_out(state).as_str().into();
    }
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
