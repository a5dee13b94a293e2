//! What is said at the door: every way to be refused, in JSON for the page's scripts and as a redirection for its forms.

use std::time::Duration;

use serde_json::{Value, json};

use super::COOKIE;
use crate::chat::reply::{Code, refusal};
use crate::chat::{Chat, millis};
use crate::config::chat as limits;
use crate::http::Response;
use crate::server::Request;

/// How the answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// For the page's scripts.
    Json,
    /// For a form that was sent by the browser itself.
    Form,
}

impl Style {
    pub(super) fn of(request: &Request<'_, Chat>) -> Self {
        let is_json = request
            .header("content-type")
            .is_some_and(|kind| kind.trim_ascii_start().starts_with("application/json"));
        if is_json { Self::Json } else { Self::Form }
    }
}

/// Whether others on the way can read along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// They can, as far as we know.
    Plain,
    /// Somebody before us speaks TLS.
    Encrypted,
}

impl Wire {
    /// As the browser or a proxy says. Who lies here gets a cookie that is of no use, and nobody else's is concerned.
    pub(super) fn of(request: &Request<'_, Chat>) -> Self {
        let is_page_secure = request
            .header("origin")
            .is_some_and(|origin| origin.starts_with("https://"));
        if is_page_secure || request.header("x-forwarded-proto") == Some("https") {
            Self::Encrypted
        } else {
            Self::Plain
        }
    }
}

/// Why somebody does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum No {
    /// Login or password, and nobody is told which.
    Wrong,
    /// Too many tries.
    Slow(Duration),
    /// Too many are hashing.
    Busy,
    /// May not come in any more.
    Banned,
    /// The code is used up, expired or replaced, or never was one.
    Gone,
    /// The login belongs to another.
    Taken,
    /// A field is not as it must be.
    Invalid(&'static str),
    /// From another site's page.
    Foreign,
    /// Our fault, or the disk's.
    Failed(Code),
}

impl No {
    const fn status(self) -> u16 {
        match self {
            Self::Wrong => 401,
            Self::Slow(_) => 429,
            Self::Busy | Self::Failed(Code::Busy) => 503,
            Self::Banned | Self::Foreign => 403,
            Self::Gone => 410,
            Self::Taken => 409,
            Self::Invalid(_) => 400,
            Self::Failed(Code::Full) => 507,
            Self::Failed(_) => 500,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::Slow(_) => "slow",
            Self::Busy => "busy",
            Self::Banned => "banned",
            Self::Gone => "gone",
            Self::Taken => "taken",
            Self::Invalid(_) => "invalid",
            Self::Foreign => "forbidden",
            Self::Failed(code) => code.as_str(),
        }
    }

    /// In JSON, for whoever asked with an event, too.
    pub(super) fn answer(self) -> Value {
        let mut answer = json!({ "ok": false, "code": self.code() });
        match self {
            Self::Failed(code) => return refusal(code),
            Self::Slow(wait) => answer["retryMs"] = millis(wait).into(),
            Self::Invalid(field) => answer["field"] = field.into(),
            _ => {}
        }
        answer
    }

    pub(super) fn response(self, style: Style) -> Response {
        if style == Style::Form {
            return Response::redirect(303, &format!("/?sign-in={}", self.code()));
        }
        let response = json_response(self.status(), &self.answer());
        match self {
            // In whole seconds, and none too few (RFC 9110, section 10.2.3).
            Self::Slow(wait) => response.header("Retry-After", &(wait.as_secs() + 1).to_string()),
            _ => response,
        }
    }
}

pub(super) fn json_response(status: u16, body: &Value) -> Response {
    Response::json(status, body.to_string())
        .header("Cache-Control", "no-store")
        .secured()
}

/// Somebody came in.
pub(super) fn welcome(style: Style, wire: Wire, token: &str) -> Response {
    done(style).header("Set-Cookie", &cookie(token, limits::SESSION_KEPT, wire))
}

/// Somebody went out.
pub(super) fn farewell(style: Style, wire: Wire) -> Response {
    done(style).header("Set-Cookie", &cookie("", Duration::ZERO, wire))
}

fn done(style: Style) -> Response {
    match style {
        Style::Json => json_response(200, &json!({ "ok": true })),
        Style::Form => Response::redirect(303, "/"),
    }
}

/// The cookie's header. No script sees it, and other sites' pages send it only when they are left for ours.
pub(super) fn cookie(token: &str, kept: Duration, wire: Wire) -> String {
    let secure = match wire {
        Wire::Plain => "",
        Wire::Encrypted => "; Secure",
    };
    format!(
        "{COOKIE}={token}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
        kept.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_http_and_our_pages_only_and_over_tls_for_nothing_else() {
        let kept = Duration::from_secs(60);
        let plain = "sid=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(cookie("t", kept, Wire::Plain), plain);
        assert_eq!(
            cookie("t", kept, Wire::Encrypted),
            format!("{plain}; Secure")
        );
    }

    #[test]
    fn every_no_has_a_status_of_an_error_and_a_word() {
        for no in [
            No::Wrong,
            No::Slow(Duration::ZERO),
            No::Busy,
            No::Banned,
            No::Gone,
            No::Taken,
            No::Invalid("name"),
            No::Foreign,
            No::Failed(Code::Full),
            No::Failed(Code::Busy),
            No::Failed(Code::Internal),
        ] {
            assert!((400..600).contains(&no.status()), "{no:?}");
            assert!(!no.code().is_empty());
        }
    }
}
