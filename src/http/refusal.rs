//! What a peer may do wrong in HTTP, and the status each leads to.
//!
//! The parsers give back a [`Refusal`]; the connection turns it into bytes and is over. Always: after a broken head or
//! an unread body nobody can tell where the next request starts, and guessing is how requests are smuggled.
//! Knows no bytes and no connection.
//! Left out: refusals of an application (401, 404, 429 …), which are ordinary responses on a connection that lives on.

/// The peer broke a rule of HTTP/1.1, or passed a limit; the connection ends with this answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The head is not HTTP: no colon, an empty name, a control character, a folded line (RFC 9112 §2.2, §5).
    Malformed,
    /// A line ends with a line feed alone. Legal to accept (RFC 9112 §2.2), and a classic way to smuggle.
    BareLineFeed,
    /// The request target is none of the four forms of RFC 9112 §3.2.
    Target,
    /// No Host, more than one, or one that is no host (RFC 9112 §3.2).
    Host,
    /// An absolute target names another host than the Host header: we are nobody's proxy.
    OtherHost,
    /// Content-Length twice, not a plain number, or beside Transfer-Encoding (RFC 9112 §6.3).
    Length,
    /// A Transfer-Encoding that is not exactly `chunked`, or one in HTTP/1.0 (RFC 9112 §6.1).
    TransferCoding,
    /// A chunk or trailer that breaks the grammar of RFC 9112 §7.1.
    Chunk,
    /// HTTP/2 or another version we do not speak.
    Version,
    /// An `Expect` other than `100-continue` (RFC 9110 §10.1.1).
    Expectation,
    /// The request line is longer than [`crate::config::Http::request_line_bytes_max`].
    LineTooLong,
    /// The head, or the trailers, exceed [`crate::config::Http::head_bytes_max`] or [`crate::config::Http::headers_max`].
    HeadTooLarge,
    /// The body exceeds [`crate::config::Http::body_bytes_max`].
    BodyTooLarge,
    /// Chunk extensions, which nobody uses, exceed their limit (CVE-2024-22019 had none).
    ExtensionTooLong,
    /// The head was not complete within [`crate::config::Http::head_within`].
    HeadTooSlow,
    /// The body paused, or trickled, for too long.
    BodyTooSlow,
}

impl Refusal {
    /// Each of them.
    pub const ALL: [Self; 16] = [
        Self::Malformed,
        Self::BareLineFeed,
        Self::Target,
        Self::Host,
        Self::OtherHost,
        Self::Length,
        Self::TransferCoding,
        Self::Chunk,
        Self::Version,
        Self::Expectation,
        Self::LineTooLong,
        Self::HeadTooLarge,
        Self::BodyTooLarge,
        Self::ExtensionTooLong,
        Self::HeadTooSlow,
        Self::BodyTooSlow,
    ];

    /// The status code it is answered with.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed
            | Self::BareLineFeed
            | Self::Target
            | Self::Host
            | Self::Length
            | Self::TransferCoding
            | Self::Chunk => 400,
            Self::HeadTooSlow | Self::BodyTooSlow => 408,
            Self::BodyTooLarge | Self::ExtensionTooLong => 413,
            Self::LineTooLong => 414,
            Self::Expectation => 417,
            Self::OtherHost => 421,
            Self::HeadTooLarge => 431,
            Self::Version => 505,
        }
    }

    /// One line for the person who debugs the client.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Malformed => "malformed request head",
            Self::BareLineFeed => "line feed without carriage return",
            Self::Target => "malformed request target",
            Self::Host => "exactly one valid Host header is needed",
            Self::OtherHost => "this server is not a proxy",
            Self::Length => "ambiguous or malformed Content-Length",
            Self::TransferCoding => "the only transfer coding is chunked",
            Self::Chunk => "malformed chunk",
            Self::Version => "HTTP/1.1 is spoken here",
            Self::Expectation => "the only expectation is 100-continue",
            Self::LineTooLong => "request line too long",
            Self::HeadTooLarge => "request head too large",
            Self::BodyTooLarge => "request body too large",
            Self::ExtensionTooLong => "chunk extensions too long",
            Self::HeadTooSlow => "the request head took too long",
            Self::BodyTooSlow => "the request body took too long",
        }
    }
}
