//! Where Redis is and how one is let in, from a `redis://` URL.
//!
//! A text comes in, its parts go out. Knows nobody who connects.
//! Left out: Unix sockets; parameters behind a `?`.

use std::fmt;

use crate::http::query;

/// The parts of a `redis://[name[:password]@]host[:port][/database]`, or `rediss://` with TLS.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    /// A name and a password; `default` where only a password is given.
    pub(super) login: Option<(Box<str>, Box<str>)>,
    pub(super) database: u32,
    pub(super) is_encrypted: bool,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the login: this goes into logs.
        write!(f, "{}:{}/{}", self.host, self.port, self.database)
    }
}

/// Why a URL names no Redis that we can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// It begins with `rediss://`, and this was built without the feature `tls`.
    Encrypted,
    /// It begins with `rediss://`, and there is nobody to believe that Redis is who it says: no certificate could be read.
    Authorities,
    /// It begins with something else than `redis://` or `rediss://`.
    Scheme,
    /// It names no host.
    Host,
    /// Its port is none.
    Port,
    /// Its database is no number.
    Database,
    /// Something follows that would be ignored.
    Parameters,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encrypted => {
                "rediss:// asks for TLS, which this was built without: the feature is called tls"
            }
            Self::Authorities => {
                "rediss:// asks for TLS, and no certificate could be read to verify that of Redis by"
            }
            Self::Scheme => "a Redis URL begins with redis:// or rediss://",
            Self::Host => "the Redis URL names no host",
            Self::Port => "the Redis URL's port is not a number from 1 to 65535",
            Self::Database => "the Redis URL's path is not the number of a database",
            Self::Parameters => "the Redis URL has parameters, and none are known",
        })
    }
}

impl std::error::Error for UrlError {}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let is_encrypted = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(UrlError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(UrlError::Parameters);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let database = match path {
            "" => 0,
            digits => digits.parse().map_err(|_| UrlError::Database)?,
        };
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let decoded = |text: &str| -> Box<str> { query::segment(text).into() };
        let login = login.map(|login| match login.split_once(':') {
            Some(("", password)) => ("default".into(), decoded(password)),
            Some((name, password)) => (decoded(name), decoded(password)),
            None => ("default".into(), decoded(login)),
        });
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, behind) = rest.split_once(']').ok_or(UrlError::Host)?;
                (host, behind.strip_prefix(':'))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        if host.is_empty() {
            return Err(UrlError::Host);
        }
        let port = port.map_or(Ok(6379), str::parse);
        Ok(Self {
            host: host.into(),
            port: port.ok().filter(|port| *port > 0).ok_or(UrlError::Port)?,
            login,
            database,
            is_encrypted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_a_port_a_login_and_a_database() {
        let target = |host: &str, port, login: Option<(&str, &str)>, database| Target {
            host: host.into(),
            port,
            login: login.map(|(name, password)| (name.into(), password.into())),
            database,
            is_encrypted: false,
        };
        for (url, expected) in [
            ("redis://here", target("here", 6379, None, 0)),
            ("redis://here/", target("here", 6379, None, 0)),
            ("redis://10.0.0.1:7000/3", target("10.0.0.1", 7000, None, 3)),
            ("redis://[::1]:7000", target("::1", 7000, None, 0)),
            ("redis://[::1]", target("::1", 6379, None, 0)),
            (
                "redis://:p%40ss@here",
                target("here", 6379, Some(("default", "p@ss")), 0),
            ),
            (
                "redis://me:a:b@here:1",
                target("here", 1, Some(("me", "a:b")), 0),
            ),
            (
                "redis://secret@here",
                target("here", 6379, Some(("default", "secret")), 0),
            ),
        ] {
            assert_eq!(Target::parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_refused_with_a_reason() {
        for (url, expected) in [
            ("here:6379", UrlError::Scheme),
            ("http://here", UrlError::Scheme),
            ("redis://", UrlError::Host),
            ("redis://:6379", UrlError::Host),
            ("redis://[::1", UrlError::Host),
            ("redis://here:0", UrlError::Port),
            ("redis://here:70000", UrlError::Port),
            ("redis://here:", UrlError::Port),
            ("redis://here/a", UrlError::Database),
            ("redis://here?db=1", UrlError::Parameters),
        ] {
            assert_eq!(Target::parse(url), Err(expected), "{url}");
        }
        assert!(Target::parse("rediss://here").unwrap().is_encrypted);
        let target = Target::parse("redis://me:secret@here").unwrap();
        assert!(!format!("{target:?}").contains("secret"));
    }
}
