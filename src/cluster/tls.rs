//! TLS between a link and its Redis: plain bytes on one side, records on the other.
//!
//! Commands come in and records go out; records come in, and what they held goes out with what is to be sent back. The link
//! moves the bytes: here is no socket. What Redis is must be certified by an authority that is known
//! ([`config::Cluster::authorities`]), for the host of the URL, in TLS 1.2 or 1.3.
//! The library has its own look at the calendar, to see whether a certificate has expired, and its own randomness.
//! Left out: certificates of our own, by which Redis would know us (`tls-auth-clients`); a login does that.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::link::{Cipher, Ciphers};
use bytes::Bytes;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// Whom a link believes, and whom it wants to speak to: enough for a session over each of its connections.
#[derive(Clone)]
pub(super) struct Identity {
    config: Arc<ClientConfig>,
    host: ServerName<'static>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.host).finish()
    }
}

impl Identity {
    /// Reads the authorities: those of a file in PEM, or those that the system trusts.
    ///
    /// # Errors
    /// If there are none, or the host is neither a name nor an address.
    pub(super) fn of(host: &str, authorities: Option<&Path>) -> io::Result<Self> {
        let found = match authorities {
            Some(path) => CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect)
                .map_err(io::Error::other)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        let (taken, _) = roots.add_parsable_certificates(found);
        if taken == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            host: ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
        })
    }
}

impl Ciphers for Identity {
    fn cipher(&self) -> Box<dyn Cipher> {
        let (config, host) = (Arc::clone(&self.config), self.host.clone());
        let mut connection = ClientConnection::new(config, host)
            .expect("a configuration that was made is one that works");
        // What waits before the handshake is over is the link's greeting, and its limits hold.
        connection.set_buffer_limit(None);
        Box::new(Session(connection))
    }
}

/// One connection's keys and records.
#[derive(Debug)]
struct Session(ClientConnection);

impl Cipher for Session {
    fn seal(&mut self, plain: &[u8]) -> Bytes {
        // Into memory without a limit, which takes everything.
        let _ = self.0.writer().write_all(plain);
        self.records()
    }

    fn open(&mut self, mut input: &[u8], plain: &mut Vec<u8>) -> io::Result<Bytes> {
        while !input.is_empty() {
            self.0.read_tls(&mut input)?;
            let state = self.0.process_new_packets().map_err(io::Error::other)?;
            let fresh = state.plaintext_bytes_to_read();
            let before = plain.len();
            plain.resize(before + fresh, 0);
            self.0.reader().read_exact(&mut plain[before..])?;
            if state.peer_has_closed() {
                break; // what follows is not from whom we spoke to
            }
        }
        Ok(self.records())
    }
}

impl Session {
    /// Of what was sealed nothing before the handshake is over.
    fn records(&mut self) -> Bytes {
        let mut records = Vec::new();
        while self.0.wants_write() {
            let written = self.0.write_tls(&mut records);
            written.expect("memory takes all that it is given");
        }
        records.into()
    }
}
