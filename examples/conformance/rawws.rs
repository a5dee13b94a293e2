//! RAWWS: a WebSocket that sends everything back, by the layers alone: the loop, HTTP for the handshake, WebSocket.
//!
//! A [`Service`] is all the loop needs. This one shows the smallest sound one: back-pressure (a peer that does not take
//! its echoes is not read from), the answer to a ping, permessage-deflate for who offers it, and an orderly end.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::thread;

use roomcast::buffers::Shared;
use roomcast::config;
use roomcast::http::{self, Request, Response};
use roomcast::reactor::{
    Action, Close, ConnId, JobId, Letter, ListenerId, Peer, Reactor, Service, Tag,
};
use roomcast::time::{Now, Time};
use roomcast::websocket::offers::{self, Agreed};
use roomcast::websocket::{Data, Deflater, Inflater, Message, Reader, Window, frame, handshake};

use super::Addresses;

/// The largest message the suites send, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(crate) fn run(addresses: &Addresses) -> io::Result<()> {
    let mut limits = config::Reactor::default();
    limits.inbox_bytes_max = MESSAGE_BYTES_MAX + 64;
    let mut reactor = Reactor::new(&limits)?;
    for (index, address) in addresses.iter().enumerate() {
        match reactor.listen(*address) {
            Err(error) if index == 0 => return Err(error),
            Err(error) => eprintln!("not listening on {address}: {error}"),
            Ok(_) => {}
        }
    }
    reactor.run(&mut Echo::new())
}

enum Protocol {
    Http(http::Connection),
    WebSocket(Reader, Option<Window>),
}

/// What is to happen to a connection after what it has just sent.
enum Then {
    /// There may be more to take.
    GoOn,
    /// More has to come first.
    Wait,
    /// It is over.
    End,
}

struct Echo {
    http: config::Http,
    websocket: config::WebSocket,
    deflater: Deflater,
    inflater: Inflater,
    conns: HashMap<ConnId, Protocol>,
    actions: VecDeque<Action>,
}

impl Echo {
    fn new() -> Self {
        let mut websocket = config::WebSocket::default();
        websocket.message_bytes_max = MESSAGE_BYTES_MAX;
        // One suite sends its largest message in pieces of 64 bytes.
        websocket.fragments_max = 262_144;
        Self {
            http: config::Http::default(),
            websocket,
            // Whatever becomes shorter is deflated: this is a test of the code, not of the wire.
            deflater: Deflater::new(1),
            inflater: Inflater::new(),
            conns: HashMap::new(),
            actions: VecDeque::new(),
        }
    }

    fn step(&mut self, now: Now, conn: ConnId, input: &mut &mut [u8]) -> Then {
        match self.conns.get_mut(&conn) {
            None => Then::Wait,
            Some(Protocol::Http(http)) => match http.next(now.mono, &self.http, input) {
                Ok(None) => Then::Wait,
                Ok(Some(request)) => {
                    let response = accept(&request);
                    self.answer(now, conn, &response)
                }
                Err(refusal) => {
                    let bytes = http.refuse(now, refusal);
                    self.send(conn, bytes);
                    Then::End
                }
            },
            Some(Protocol::WebSocket(reader, window)) => {
                let window = *window;
                let inflater = window.is_some().then_some(&mut self.inflater);
                match reader.next(&self.websocket, inflater, input) {
                    Ok(None) => Then::Wait,
                    Ok(Some(message)) => self.echo(conn, window, &message),
                    Err(violation) => {
                        self.send(conn, frame::close(violation.close_code(), ""));
                        Then::End
                    }
                }
            }
        }
    }

    fn answer(&mut self, now: Now, conn: ConnId, answer: &Result<Switch, Response>) -> Then {
        let Some(protocol) = self.conns.get_mut(&conn) else {
            return Then::Wait;
        };
        match (answer, &mut *protocol) {
            (Ok(switch), _) => {
                *protocol = Protocol::WebSocket(Reader::new(), switch.window);
                self.send(conn, switch.head.clone());
                Then::GoOn
            }
            (Err(response), Protocol::Http(http)) => {
                let answer = http.answer(now, &self.http, response);
                self.send(conn, answer.head);
                self.send(conn, answer.body);
                Then::End
            }
            (Err(_), Protocol::WebSocket(..)) => Then::End,
        }
    }

    fn echo(&mut self, conn: ConnId, window: Option<Window>, message: &Message<'_>) -> Then {
        let mut deflated = |kind, payload| {
            window.and_then(|window| frame::deflated(&mut self.deflater, window, kind, payload))
        };
        let (bytes, then) = match message {
            Message::Text(text) => {
                let frame = deflated(Data::Text, text.as_bytes());
                (frame.unwrap_or_else(|| frame::text(text)), Then::GoOn)
            }
            Message::Binary(bytes) => {
                let frame = deflated(Data::Binary, bytes);
                (frame.unwrap_or_else(|| frame::binary(bytes)), Then::GoOn)
            }
            Message::Ping(payload) => (frame::pong(payload), Then::GoOn),
            Message::Pong(_) => return Then::GoOn,
            Message::Close(code, _) => (frame::close_answer(*code), Then::End),
        };
        self.send(conn, bytes);
        then
    }

    fn send(&mut self, conn: ConnId, bytes: Shared) {
        if !bytes.is_empty() {
            self.actions.push_back(Action::Send(conn, bytes));
        }
    }

    fn end(&mut self, conn: ConnId) {
        self.conns.remove(&conn);
        let close = Close::Linger {
            bytes: MESSAGE_BYTES_MAX,
            time: self.websocket.close_within,
        };
        self.actions.push_back(Action::Close(conn, close));
    }
}

/// How a connection becomes a WebSocket.
struct Switch {
    head: Shared,
    window: Option<Window>,
}

/// The head that switches protocols, or why not.
fn accept(request: &Request<'_>) -> Result<Switch, Response> {
    match handshake::accept(request.method_name(), |name| request.header(name)) {
        Ok(accept) => {
            let agreed = offers::agree(request.values("sec-websocket-extensions"));
            let extensions = agreed.map(|agreed| ("Sec-WebSocket-Extensions", agreed.header()));
            Ok(Switch {
                head: handshake::response(&accept, extensions.as_slice()),
                window: agreed.map(Agreed::window),
            })
        }
        Err(refusal) => Err(Response::text(refusal.status(), refusal.text())
            .headers(refusal.headers().iter().copied())
            .close()),
    }
}

impl Service for Echo {
    fn accepted(&mut self, now: Now, _: ListenerId, conn: ConnId, _: Peer) {
        let http = http::Connection::new(now.mono);
        self.conns.insert(conn, Protocol::Http(http));
    }

    fn connected(&mut self, _: Now, _: Tag, _: io::Result<ConnId>) {}

    fn received(&mut self, now: Now, conn: ConnId, input: &mut [u8]) -> usize {
        let whole = input.len();
        let mut rest = input;
        loop {
            match self.step(now, conn, &mut rest) {
                Then::GoOn => {}
                Then::Wait => return whole - rest.len(),
                Then::End => {
                    self.end(conn);
                    return whole;
                }
            }
        }
    }

    fn refused(&mut self, _: Now, conn: ConnId, _left: usize) {
        self.actions.push_back(Action::Hold(conn));
    }

    fn drained(&mut self, _: Now, conn: ConnId) {
        self.actions.push_back(Action::Show(conn));
    }

    fn closed(&mut self, _: Now, conn: ConnId, _: io::Result<()>) {
        self.conns.remove(&conn);
    }

    fn finished(&mut self, _: Now, _: JobId, _: thread::Result<Box<dyn Any + Send>>) {}

    fn posted(&mut self, _: Now, _: Letter) {}

    fn elapsed(&mut self, now: Now) {
        let limits = &self.http;
        let late = |protocol: &mut Protocol| match protocol {
            Protocol::Http(http) => http.elapsed(now.mono, limits).is_some(),
            Protocol::WebSocket(..) => false,
        };
        let actions = &mut self.actions;
        self.conns.retain(|conn, protocol| {
            let is_late = late(protocol);
            if is_late {
                actions.push_back(Action::Close(*conn, Close::Flush));
            }
            !is_late
        });
    }

    fn asked_to_stop(&mut self, _: Now) {
        self.actions.push_back(Action::Exit);
    }

    fn deadline(&self) -> Option<Time> {
        let due = |protocol: &Protocol| match protocol {
            Protocol::Http(http) => http.deadline(&self.http),
            Protocol::WebSocket(..) => None,
        };
        self.conns.values().filter_map(due).min()
    }

    fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
}
