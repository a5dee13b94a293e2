//! An emitter: a process without sockets of its own that speaks to those of the cluster, as `@socket.io/redis-emitter` does.
//!
//! A stream to Redis comes in that somebody has opened (a `TcpStream`; anything that reads and writes), events and wishes go
//! out over it, and each call returns when Redis has confirmed it.
//! Knows no loop: it blocks as its stream does. Left out: answers, for which somebody would have to listen.

use std::io::{self, Read, Write};

use serde::Serialize;

use super::classic::Classic;
use super::entry;
use super::resp::{self, Reader, Value};
use super::sharded::Sharded;
use super::streams::Streams;
use super::url::Target;
use super::wire::{Publication, Wire};
use crate::config;
use crate::server::cluster::{Values, Whom, Wish};
use crate::socketio::args;
use crate::socketio::packet::is_reserved;

/// Speaks to the sockets of a cluster from outside.
///
/// ```no_run
/// use std::net::TcpStream;
///
/// use roomcast::cluster::Emitter;
/// use roomcast::config;
///
/// fn main() -> std::io::Result<()> {
///     let stream = TcpStream::connect("127.0.0.1:6379")?;
///     let mut emitter = Emitter::new(stream, "redis://127.0.0.1:6379", config::Cluster::default())?;
///     emitter.of("/").to("kitchen").emit("said", &("tea is ready",))?;
///     emitter.of("/").to("kitchen").join("tea drinkers")?;
///     Ok(())
/// }
/// ```
pub struct Emitter<S> {
    stream: S,
    reader: Reader,
    /// Bytes that were read and not understood yet.
    unread: Vec<u8>,
    wire: Box<dyn Wire>,
    /// The stream, if there is one, and how many of its entries are kept.
    kept: (String, String),
}

/// Whom an emitter speaks to.
pub struct Aim<'e, S> {
    emitter: &'e mut Emitter<S>,
    to: Whom,
    is_volatile: bool,
    stays_plain: bool,
}

impl<S: Read + Write> Emitter<S> {
    /// Says who it is, over a stream to the Redis that `url` names, of which login and database count here.
    ///
    /// # Errors
    /// If the URL is none, the stream fails, or Redis does not let it in.
    pub fn new(stream: S, url: &str, config: config::Cluster) -> io::Result<Self> {
        let target = Target::parse(url);
        let target = target.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let wire: Box<dyn Wire> = match config.wire {
            config::Wire::Classic { replies_to_asker } => {
                Box::new(Classic::emitter(&config, replies_to_asker))
            }
            config::Wire::Sharded { rooms } => Box::new(Sharded::emitter(&config, rooms)),
            config::Wire::Streams { sharded_channels } => {
                Box::new(Streams::emitter(&config, sharded_channels))
            }
        };
        let mut emitter = Self {
            stream,
            reader: Reader::new(config.message_bytes_max),
            unread: Vec::new(),
            wire,
            kept: (config.stream.clone(), config.stream_entries_max.to_string()),
        };
        let mut words: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some((name, password)) = &target.login {
            words.extend([&b"AUTH"[..], name.as_bytes(), password.as_bytes()]);
        }
        emitter.command(&words)?;
        if target.database != 0 {
            emitter.command(&[b"SELECT", target.database.to_string().as_bytes()])?;
        }
        Ok(emitter)
    }

    /// Everybody in a namespace, to be narrowed down.
    pub fn of(&mut self, namespace: &str) -> Aim<'_, S> {
        let slash = if namespace.starts_with('/') { "" } else { "/" };
        Aim {
            emitter: self,
            to: Whom {
                namespace: format!("{slash}{namespace}").into(),
                rooms: Vec::new(),
                except: Vec::new(),
            },
            is_volatile: false,
            stays_plain: false,
        }
    }

    fn say(&mut self, wish: &Wish) -> io::Result<()> {
        let Some(publication) = self.wire.said(wish) else {
            return Ok(());
        };
        match publication {
            Publication::Publish {
                channel, payload, ..
            } => {
                let (command, name) = (channel.publish().as_bytes(), channel.name().as_bytes());
                self.command(&[command, name, &payload])
            }
            Publication::Add(fields) => {
                let (stream, entries_max) = self.kept.clone();
                self.command(&entry::addition(&stream, &entries_max, &fields))
            }
        }
    }

    fn command(&mut self, words: &[&[u8]]) -> io::Result<()> {
        self.stream.write_all(&resp::command(words))?;
        self.stream.flush()?;
        match self.answer()? {
            Value::Error(error) => Err(io::Error::other(String::from(error))),
            _ => Ok(()),
        }
    }

    fn answer(&mut self) -> io::Result<Value> {
        let mut buffer = [0; 4096];
        loop {
            let mut rest = &*self.unread;
            let value = self.reader.next(&mut rest);
            self.unread = rest.to_vec();
            let value = value.map_err(|violation| io::Error::other(violation.0))?;
            if let Some(value) = value {
                return Ok(value);
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.unread.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

impl<S: Read + Write> Aim<'_, S> {
    /// To the members of a room, too: a union of all that are named.
    #[must_use]
    pub fn to(mut self, room: &str) -> Self {
        self.to.rooms.push(room.into());
        self
    }

    /// Not to the members of a room.
    #[must_use]
    pub fn except(mut self, room: &str) -> Self {
        self.to.except.push(room.into());
        self
    }

    /// May be lost: goes only to those who could take it just now.
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.is_volatile = true;
        self
    }

    /// Whether it may be compressed where that was agreed on.
    #[must_use]
    pub const fn compress(mut self, may_be: bool) -> Self {
        self.stays_plain = !may_be;
        self
    }

    /// Sends an event to all of them. A tuple is a list of arguments, anything else one argument.
    ///
    /// # Errors
    /// If the name is reserved, the arguments are no JSON, or Redis cannot be told.
    pub fn emit<T: Serialize + ?Sized>(self, event: &str, values: &T) -> io::Result<()> {
        let wish = Wish::Emit {
            values: encoded(event, values)?,
            to: self.to,
            event: event.into(),
            is_volatile: self.is_volatile,
            stays_plain: self.stays_plain,
            request: None,
        };
        self.emitter.say(&wish)
    }

    /// All of them enter a room.
    ///
    /// # Errors
    /// If Redis cannot be told.
    pub fn join(self, room: &str) -> io::Result<()> {
        let rooms = vec![room.into()];
        self.emitter.say(&Wish::Join { to: self.to, rooms })
    }

    /// All of them leave a room.
    ///
    /// # Errors
    /// If Redis cannot be told.
    pub fn leave(self, room: &str) -> io::Result<()> {
        let rooms = vec![room.into()];
        self.emitter.say(&Wish::Leave { to: self.to, rooms })
    }

    /// All of them leave the namespace.
    ///
    /// # Errors
    /// If Redis cannot be told.
    pub fn disconnect(self) -> io::Result<()> {
        let (to, closes) = (self.to, false);
        self.emitter.say(&Wish::Disconnect { to, closes })
    }

    /// The connections of all of them are closed.
    ///
    /// # Errors
    /// If Redis cannot be told.
    pub fn disconnect_connections(self) -> io::Result<()> {
        let (to, closes) = (self.to, true);
        self.emitter.say(&Wish::Disconnect { to, closes })
    }

    /// Sends an event to the servers that have the namespace, and to no client; rooms count for nothing.
    ///
    /// # Errors
    /// If the name is reserved, the arguments are no JSON, or Redis cannot be told.
    pub fn server_side_emit<T: Serialize + ?Sized>(
        self,
        event: &str,
        values: &T,
    ) -> io::Result<()> {
        let wish = Wish::ServerSide {
            values: encoded(event, values)?,
            namespace: self.to.namespace,
            event: event.into(),
            request: None,
        };
        self.emitter.say(&wish)
    }
}

fn encoded<T: Serialize + ?Sized>(event: &str, values: &T) -> io::Result<Values> {
    if is_reserved(event) {
        let words = format!("\"{event}\" is a reserved event name");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    }
    let encoded = args::encode(values);
    let encoded = encoded.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let list = String::from_utf8(encoded.list).expect("JSON is UTF-8");
    Ok(Values {
        list: list.into(),
        attachments: encoded.attachments,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that has been answered already, and keeps what is said.
    struct Script {
        answers: &'static [u8],
        said: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.answers.len().min(3).min(out.len());
            out[..count].copy_from_slice(&self.answers[..count]);
            self.answers = &self.answers[count..];
            Ok(count)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.said.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn emitter(answers: &'static [u8]) -> io::Result<Emitter<Script>> {
        let said = Vec::new();
        let script = Script { answers, said };
        Emitter::new(script, "redis://:secret@here/2", config::Cluster::default())
    }

    #[test]
    fn each_call_is_one_command_and_waits_until_it_is_confirmed() {
        let mut emitter = emitter(b"%1\r\n+proto\r\n:3\r\n+OK\r\n:2\r\n:0\r\n-ERR no\r\n").unwrap();
        emitter.of("chat").to("room").emit("news", &(1,)).unwrap();
        emitter.of("/").server_side_emit("hello", &(1,)).unwrap();
        let refused = emitter.of("/").join("room");
        assert_eq!(refused.unwrap_err().to_string(), "ERR no");
        let gone = emitter.of("/").leave("room").unwrap_err();
        assert_eq!(gone.kind(), io::ErrorKind::UnexpectedEof);
        let said = String::from_utf8_lossy(&emitter.stream.said).replace("\r\n", " ");
        for part in [
            "HELLO $1 3 $4 AUTH $7 default $6 secret ",
            "SELECT $1 2 ",
            "PUBLISH $21 socket.io#/chat#room# ",
            "socket.io-request#/# $45 {\"uid\":\"emitter\",\"type\":6,\"data\":[\"hello\",1]} ",
            "\"type\":2,\"opts\":{\"rooms\":[],\"except\":[]},\"rooms\":[\"room\"]} ",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_refused_before_anything_is() {
        let mut emitter = emitter(b"+OK\r\n+OK\r\n").unwrap();
        let before = emitter.stream.said.len();
        let refused = emitter.of("/").emit("connect", &()).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(emitter.stream.said.len(), before);
    }
}
