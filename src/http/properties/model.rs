//! Whole requests, some of them spoiled, against a model that knows what was asked and never sees a byte.
//!
//! A fuzzer's choices come in and become a list of requests. The connection reads them as bytes; the model says
//! from the list alone which statuses must come, in which order, and where the connection ends. Panics where they differ.
//! Left out: bodies in bad framing beyond one example each (`http_body` has them all), and two faults in one request,
//! of which either may be named.

use super::limits;
use crate::http::{After, Connection, Response};
use crate::time::Now;
use crate::world::choices::Choices;

/// What is said at the end of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The next request may come.
    Next,
    /// The connection is over, or no longer HTTP.
    Over,
}

/// One request of a list.
#[derive(Clone, Copy, Debug)]
struct Asked {
    method: &'static str,
    target: Target,
    is_old: bool,
    /// The value of `Connection`, if there is one.
    connection: Option<&'static str>,
    body: Body,
    expects: bool,
    to_websocket: bool,
    /// Empty lines in front of it.
    empty_lines: usize,
    /// Headers of no meaning.
    others: usize,
    is_loud: bool,
    spoilt: Option<Spoilt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Path,
    Absolute,
    AbsoluteWithoutPath,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    Counted(usize),
    Chunked(usize),
}

/// A fault, and the bytes that commit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoilt {
    BareFeed,
    NoColon,
    BlankBeforeColon,
    Folded,
    Control,
    NoHost,
    TwoHosts,
    JoinedHosts,
    OtherHost,
    TwoLengths,
    SignedLength,
    LengthAndChunked,
    OtherCoding,
    TwoCodings,
    BadChunk,
    BadTarget,
    StarWithoutOptions,
    OtherVersion,
    OtherExpectation,
    LongLine,
    LongHead,
    ManyHeaders,
    LargeLength,
    LargeChunk,
}

impl Spoilt {
    const ALL: [Self; 24] = [
        Self::BareFeed,
        Self::NoColon,
        Self::BlankBeforeColon,
        Self::Folded,
        Self::Control,
        Self::NoHost,
        Self::TwoHosts,
        Self::JoinedHosts,
        Self::OtherHost,
        Self::TwoLengths,
        Self::SignedLength,
        Self::LengthAndChunked,
        Self::OtherCoding,
        Self::TwoCodings,
        Self::BadChunk,
        Self::BadTarget,
        Self::StarWithoutOptions,
        Self::OtherVersion,
        Self::OtherExpectation,
        Self::LongLine,
        Self::LongHead,
        Self::ManyHeaders,
        Self::LargeLength,
        Self::LargeChunk,
    ];

    /// The table of statuses in README and in [`crate::http::Refusal`], written down a second time.
    const fn status(self) -> u16 {
        match self {
            Self::LargeLength | Self::LargeChunk => 413,
            Self::LongLine => 414,
            Self::OtherExpectation => 417,
            Self::OtherHost => 421,
            Self::LongHead | Self::ManyHeaders => 431,
            Self::OtherVersion => 505,
            _ => 400,
        }
    }

    /// Whether it lies behind the head, so that a client that asks is told to go on first.
    const fn is_in_body(self) -> bool {
        matches!(self, Self::BadChunk | Self::LargeChunk)
    }

    /// The body that the request must have for it.
    const fn body(self) -> Option<Body> {
        match self {
            Self::BadChunk | Self::LargeChunk | Self::LengthAndChunked | Self::TwoCodings => {
                Some(Body::Chunked(0))
            }
            Self::TwoLengths => Some(Body::Counted(3)),
            Self::SignedLength | Self::LargeLength | Self::OtherCoding => Some(Body::None),
            _ => None,
        }
    }

    /// A line of the head that is wrong, or one too many.
    fn line(self) -> String {
        match self {
            Self::BareFeed => "X-Bare: 1\n".to_owned(),
            Self::NoColon => "X-Colon\r\n".to_owned(),
            Self::BlankBeforeColon => "X-Blank : 1\r\n".to_owned(),
            Self::Folded => "X-Fold: 1\r\n 2\r\n".to_owned(),
            Self::Control => "X-Control: \u{1}\r\n".to_owned(),
            Self::TwoHosts => "hOst: a\r\n".to_owned(),
            Self::TwoLengths => "Content-Length: 3\r\n".to_owned(),
            Self::SignedLength => "Content-Length: +1\r\n".to_owned(),
            Self::LengthAndChunked => "Content-Length: 5\r\n".to_owned(),
            Self::OtherCoding => "Transfer-Encoding: gzip\r\n".to_owned(),
            Self::TwoCodings => "Transfer-Encoding: chunked\r\n".to_owned(),
            Self::OtherExpectation => "Expect: the-unexpected\r\n".to_owned(),
            Self::LongHead => format!("X-Long: {}\r\n", "l".repeat(limits().head_bytes_max)),
            Self::ManyHeaders => "X: 1\r\n".repeat(limits().headers_max),
            Self::LargeLength => format!("Content-Length: {}\r\n", limits().body_bytes_max + 1),
            _ => String::new(),
        }
    }
}

impl Asked {
    fn chosen(choices: &mut Choices<'_>) -> Self {
        let method = *choices.pick(&["GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW", "CONNECT"]);
        let target = *choices.pick(&[Target::Path, Target::Absolute, Target::AbsoluteWithoutPath]);
        let connection = *choices.pick(&[
            None,
            Some("keep-alive"),
            Some("close"),
            Some("Upgrade"),
            Some("TE, , Close"),
            Some("Keep-Alive,upgrade"),
        ]);
        let body = match choices.below(3) {
            0 => Body::None,
            1 => Body::Counted(choices.below(limits().body_bytes_max + 1)),
            _ => Body::Chunked(choices.below(limits().body_bytes_max + 1)),
        };
        let flags = choices.byte();
        let spoilt = choices.once_in(4).then(|| *choices.pick(&Spoilt::ALL));
        let mut asked = Self {
            method,
            target,
            is_old: flags & 1 != 0,
            connection,
            body,
            expects: flags & 2 != 0,
            to_websocket: flags & 4 != 0,
            empty_lines: usize::from(flags >> 3 & 1),
            others: usize::from(flags >> 4 & 3),
            is_loud: flags & 64 != 0,
            spoilt,
        };
        if let Some(spoilt) = spoilt {
            asked.body = spoilt.body().unwrap_or(asked.body);
            asked.is_old = false;
            if spoilt == Spoilt::Folded {
                // Two lines, which with two others would be one too many.
                asked.others = 0;
            }
            asked.expects &= spoilt != Spoilt::OtherExpectation;
            asked.method = match spoilt {
                Spoilt::BadTarget | Spoilt::StarWithoutOptions | Spoilt::OtherHost => "GET",
                _ => asked.method,
            };
        }
        asked
    }

    fn target(&self) -> String {
        match (self.spoilt, self.method, self.target) {
            (Some(Spoilt::BadTarget), ..) => "nowhere".to_owned(),
            (Some(Spoilt::StarWithoutOptions), ..) => "*".to_owned(),
            (Some(Spoilt::OtherHost), ..) => "http://b/".to_owned(),
            (Some(Spoilt::LongLine), ..) => {
                format!("/{}", "l".repeat(limits().request_line_bytes_max))
            }
            (_, "CONNECT", _) => "there:443".to_owned(),
            (_, "OPTIONS", Target::AbsoluteWithoutPath) => "*".to_owned(),
            (_, _, Target::Path) => "/p?q=1".to_owned(),
            (_, _, Target::Absolute) => "http://A/p?q".to_owned(),
            (_, _, Target::AbsoluteWithoutPath) => "https://a".to_owned(),
        }
    }

    fn head(&self) -> String {
        let version = match self.spoilt {
            Some(Spoilt::OtherVersion) => "2.0",
            _ if self.is_old => "1.0",
            _ => "1.1",
        };
        let mut lines = format!("{} {} HTTP/{version}\r\n", self.method, self.target());
        match self.spoilt {
            Some(Spoilt::NoHost) => {}
            Some(Spoilt::JoinedHosts) => lines += "Host: a,b\r\n",
            _ => lines += "Host: a\r\n",
        }
        if let Some(connection) = self.connection {
            lines += &format!("Connection: {connection}\r\n");
        }
        if self.to_websocket {
            lines += "Upgrade: h2c, WebSocket\r\n";
        }
        match self.body {
            Body::None => {}
            Body::Counted(bytes) => lines += &format!("Content-Length: {bytes}\r\n"),
            Body::Chunked(_) => lines += "Transfer-Encoding:\tchunked \r\n",
        }
        if self.expects {
            lines += "Expect: 100-continue\r\n";
        }
        lines += &"X: 1\r\n".repeat(self.others.min(2));
        lines += &self.spoilt.map(Spoilt::line).unwrap_or_default();
        if self.is_loud {
            // Names know no case; the values here that do are in lower case already.
            for name in [
                "Host",
                "Connection",
                "Content-Length",
                "Transfer-Encoding",
                "Expect",
            ] {
                lines = lines.replace(
                    &format!("\n{name}:"),
                    &format!("\n{}:", name.to_uppercase()),
                );
            }
        }
        "\r\n".repeat(self.empty_lines) + &lines + "\r\n"
    }

    fn body(&self) -> String {
        match (self.spoilt, self.body) {
            (Some(Spoilt::BadChunk), _) => "x\r\n".to_owned(),
            (Some(Spoilt::LargeChunk), _) => format!("{:x}\r\n", limits().body_bytes_max + 1),
            (_, Body::None) => String::new(),
            (_, Body::Counted(bytes)) => "b".repeat(bytes),
            (_, Body::Chunked(bytes)) => {
                let (one, other) = (bytes / 3, bytes - bytes / 3);
                let chunk = |bytes| match bytes {
                    0 => String::new(),
                    _ => format!("{bytes:X};e=\"1\"\r\n{}\r\n", "c".repeat(bytes)),
                };
                chunk(one) + &chunk(other) + "0\r\nX-Trailer: 1\r\n\r\n"
            }
        }
    }

    fn is_upgrade(&self) -> bool {
        let asks = matches!(self.connection, Some("Upgrade" | "Keep-Alive,upgrade"));
        asks && self.to_websocket
            && matches!(self.method.as_bytes(), b"GET")
            && !self.is_old
            && matches!(self.body, Body::None | Body::Counted(0))
    }

    /// What must be said in answer, if so many of its bytes come, one by one.
    fn expected(&self, shown: usize, said: &mut Vec<(u16, Then)>) {
        let (head, body) = (self.head().len(), self.body().len());
        let is_body_spoilt = self.spoilt.is_some_and(Spoilt::is_in_body);
        let is_head_sound = self.spoilt.is_none() || is_body_spoilt;
        let is_old_chunked = self.is_old && matches!(self.body, Body::Chunked(_));
        let is_waited_for = self.expects && !self.is_old && body > 0;
        if is_head_sound && !is_old_chunked && shown >= head && is_waited_for {
            said.push((100, Then::Next));
        }
        let answer = match self.spoilt {
            // A fault may be seen before the end, and these requests are never cut.
            Some(spoilt) => (spoilt.status(), Then::Over),
            None if shown < head => return,
            None if is_old_chunked => (400, Then::Over),
            None if shown < head + body => return,
            None if self.is_upgrade() => (101, Then::Over),
            None => (200, self.then()),
        };
        said.push(answer);
    }

    fn then(&self) -> Then {
        let closes = matches!(self.connection, Some("close" | "TE, , Close"));
        let keeps = matches!(self.connection, Some("keep-alive" | "Keep-Alive,upgrade"));
        if self.method == "CONNECT" || closes || (self.is_old && !keeps) {
            Then::Over
        } else {
            Then::Next
        }
    }
}

/// The choices are read as up to eight requests, and last how many bytes of the last one are missing.
///
/// # Panics
/// If the connection says anything but what the model says.
pub fn http_vs_model(data: &[u8]) {
    let mut choices = Choices::new(data);
    let mut asked = Vec::new();
    while asked.len() < 8 && (asked.is_empty() || !choices.are_over()) {
        asked.push(Asked::chosen(&mut choices));
    }
    let mut stream = String::new();
    let mut expected = Vec::new();
    for (index, request) in asked.iter().enumerate() {
        let whole = request.head() + &request.body();
        let missing = match request.spoilt {
            None if index + 1 == asked.len() => choices.below(whole.len()),
            _ => 0,
        };
        let shown = &whole[..whole.len() - missing];
        stream += shown;
        if expected.last().is_none_or(|(_, then)| *then == Then::Next) {
            request.expected(shown.len(), &mut expected);
        }
    }
    let bytewise = said(stream.as_bytes(), 1);
    assert_eq!(bytewise, expected, "{asked:#?}\n{stream:?}");
    // Who is shown a body with its head was not waited for.
    let without_interim = |said: Vec<(u16, Then)>| -> Vec<_> {
        said.into_iter()
            .filter(|(status, _)| *status != 100)
            .collect()
    };
    let whole = said(stream.as_bytes(), stream.len().max(1));
    assert_eq!(
        without_interim(whole),
        without_interim(expected),
        "{stream:?}"
    );
}

/// What a connection says to a stream that comes in pieces of one length.
fn said(stream: &[u8], piece: usize) -> Vec<(u16, Then)> {
    let (limits, now) = (limits(), Now::default());
    let mut connection = Connection::new(now.mono);
    let (mut said, mut inbox) = (Vec::new(), Vec::new());
    for piece in stream.chunks(piece) {
        inbox.extend_from_slice(piece);
        loop {
            let mut input = &mut inbox[..];
            let next = connection.next(now.mono, &limits, &mut input);
            let left = input.len();
            let answer = match next {
                Ok(None) => None,
                Ok(Some(request)) => {
                    let status = if request.is_upgrade() { 101 } else { 200 };
                    Some(connection.answer(now, &limits, &Response::new(status)))
                }
                Err(refusal) => {
                    said.push((status(&connection.refuse(now, refusal)), Then::Over));
                    return said;
                }
            };
            inbox.drain(..inbox.len() - left);
            let Some(answer) = answer else { break };
            let says_close = answer
                .head
                .windows(17)
                .any(|line| line == b"Connection: close");
            let then = match answer.after {
                After::KeepAlive => Then::Next,
                After::Close | After::Linger | After::Switch => Then::Over,
                After::Body => panic!("nothing was to come in pieces"),
            };
            let is_switch = answer.after == After::Switch;
            assert_eq!(
                says_close,
                then == Then::Over && !is_switch,
                "it is said so"
            );
            said.push((status(&answer.head), then));
            if then == Then::Over {
                return said;
            }
        }
        if let Some(interim) = connection.poll_interim() {
            said.push((status(&interim), Then::Next));
        }
    }
    said
}

fn status(answer: &[u8]) -> u16 {
    let digits = answer
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    let digits = str::from_utf8(digits.expect("a status line")).expect("ASCII");
    digits.parse().expect("a status")
}
