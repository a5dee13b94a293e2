//! What must hold of the decoders of Redis and of other nodes for any input: called by the fuzzer, and by a test with its seeds.
//!
//! The first byte of an input chooses what it is read as. Panics if a promise is broken.

use std::time::Duration;

use super::classic::Classic;
use super::message::{self, Ignored, Message};
use super::resp::{Reader, Value, Violation};
use super::sessions;
use super::sharded::Sharded;
use super::streams::Streams;
use super::wire::{Came, Out, Publication, Read, Role, Wire};
use crate::config;
use crate::server::cluster::{Reply, Request, Values, Whom, Wish};
use crate::server::{Here, KeptSession};
use crate::socketio::args::Args;
use crate::time::{Now, Time, UnixMillis};

/// Reads an input as what came by a channel, or as what Redis says.
///
/// # Panics
/// If something does not hold.
pub fn wire(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    match which % 16 {
        0 => message(classic, Role::Broadcasts, "socket.io#/#", rest),
        1 => message(classic, Role::Requests, "socket.io-request#/#", rest),
        2 => message(classic, Role::Responses, "socket.io-response#/#", rest),
        4 => message(sharded, Role::Requests, "socket.io#/#", rest),
        5 => message(sharded, Role::Room, "socket.io#/#deck#", rest),
        6 => message(sharded, Role::Responses, "socket.io#/#uid#", rest),
        7 => entry(rest),
        8 => message(streams, Role::Requests, "socket.io#/#", rest),
        9 => message(streams, Role::Responses, "socket.io#/#uid#", rest),
        10 => session(rest),
        _ => redis(rest),
    }
}

struct Everywhere;

impl Here for Everywhere {
    fn has_room(&self, _namespace: &str, _room: &str) -> bool {
        true
    }
}

const NOW: Now = Now {
    mono: Time::ZERO,
    wall: UnixMillis(0),
};

type Make = fn() -> Box<dyn Wire>;

fn classic() -> Box<dyn Wire> {
    Box::new(Classic::new(&config::Cluster::default(), false))
}

fn sharded() -> Box<dyn Wire> {
    let rooms = config::RoomChannels::Public;
    Box::new(Sharded::new(&config::Cluster::default(), rooms))
}

fn streams() -> Box<dyn Wire> {
    Box::new(Streams::new(&config::Cluster::default(), false))
}

/// One of several nodes, each with a name of its own.
fn node(make: Make, seed: u64) -> Box<dyn Wire> {
    let mut node = make();
    node.seeded(&mut rand::SeedableRng::seed_from_u64(seed));
    node
}

fn hear(
    node: &mut dyn Wire,
    role: Role,
    channel: &str,
    payload: &[u8],
) -> Result<Vec<Out>, Ignored> {
    let mut out = Vec::new();
    let came = Came {
        role,
        namespace: "/",
        channel,
        payload,
    };
    node.heard(NOW, &came, &Everywhere, &mut out)?;
    Ok(out)
}

/// What was heard is sound, and said again it is heard as the same.
fn message(make: Make, role: Role, channel: &str, payload: &[u8]) {
    let mut node = node(make, 1);
    let name = asked(&mut *node);
    let payload = named(payload, &name);
    for out in hear(&mut *node, role, channel, &payload).unwrap_or_default() {
        let Out::Hear(wish) = out else { continue };
        is_sound(&wish);
        let json = |wish: &Wish| serde_json::to_string(wish).expect("a wish is plain data");
        // Spelled anew, numbers and escapes settle after one round.
        let (again, third) = if let Wish::Reply { request, reply, .. } = &wish {
            assert_eq!(*request, QUESTION, "no other was put");
            let again = replied_again(make, reply);
            let Wish::Reply { reply, .. } = &again else {
                panic!("a reply was heard as something else");
            };
            let third = replied_again(make, reply);
            (again, third)
        } else if is_question(&wish) {
            continue;
        } else {
            let again = said_again(make, role, &wish);
            let third = said_again(make, role, &again);
            (again, third)
        };
        assert_eq!(json(&third), json(&again));
    }
}

const QUESTION: Request = Request { node: 1, number: 1 };

fn everybody() -> Whom {
    Whom {
        namespace: "/".into(),
        rooms: Vec::new(),
        except: Vec::new(),
    }
}

/// Puts a question, and gives the name that it has among the nodes.
fn asked(node: &mut dyn Wire) -> String {
    let (to, request) = (everybody(), QUESTION);
    let publication = node.said(&Wish::Fetch { to, request });
    let Some(Publication::Publish { payload, .. }) = publication else {
        panic!("there is no word for it");
    };
    let limits = message::limits(&config::Cluster::default());
    let message = Message::either(&payload, &limits).expect("what we say is understood");
    let message: serde_json::Value = message.parse().expect("it is JSON");
    let name = message.get("requestId");
    let name = name.or_else(|| message.get("data")?.get("requestId"));
    let name = name.and_then(serde_json::Value::as_str);
    name.expect("a question has a name").to_owned()
}

/// With the name in the place of as many question marks: no input can know it.
fn named(payload: &[u8], name: &str) -> Vec<u8> {
    let mut payload = payload.to_vec();
    if let Some(at) = memchr::memmem::find(&payload, "?".repeat(name.len()).as_bytes()) {
        payload[at..at + name.len()].copy_from_slice(name.as_bytes());
    }
    payload
}

fn is_sound(wish: &Wish) {
    let limits = config::Cluster::default();
    let values = |values: &Values| {
        assert!(values.args().is_sound(limits.depth_max));
        assert!(values.attachments.len() <= limits.attachments_max);
    };
    match wish {
        Wish::Emit { values: list, .. } | Wish::ServerSide { values: list, .. } => values(list),
        Wish::Reply { reply, .. } => match reply {
            Reply::Values(list) => values(list),
            Reply::Answer(answer) => {
                assert!(answer.args().is_sound(limits.depth_max));
                assert!(answer.args().attachments().len() <= limits.attachments_max);
            }
            Reply::Sockets(sockets) => {
                for socket in sockets {
                    assert!(Args::new(socket.raw_data(), &[]).is_sound(limits.depth_max));
                }
            }
            Reply::Asked(_) | Reply::Gone(_) | Reply::Rooms(_) => {}
        },
        _ => {}
    }
}

fn is_question(wish: &Wish) -> bool {
    request_of(wish).is_some()
}

fn request_of(wish: &Wish) -> Option<Request> {
    match wish {
        Wish::Emit {
            request: Some((request, _)),
            ..
        }
        | Wish::ServerSide {
            request: Some(request),
            ..
        }
        | Wish::Fetch { request, .. }
        | Wish::Rooms { request, .. } => Some(*request),
        _ => None,
    }
}

/// What a third node hears when a second says this.
fn said_again(make: Make, role: Role, wish: &Wish) -> Wish {
    let said = node(make, 2).said(wish).expect("there is a word for it");
    only(&mut *node(make, 3), role, &said)
}

fn only(node: &mut dyn Wire, role: Role, said: &Publication) -> Wish {
    let heard = match said {
        Publication::Publish {
            channel, payload, ..
        } => hear(node, role, channel.name(), payload),
        Publication::Add(fields) => {
            let pairs = fields.iter();
            let texts =
                pairs.flat_map(|(name, value)| [text(name.as_bytes()), text(value.as_bytes())]);
            let fields: Vec<_> = texts.collect();
            match node.read(NOW, &fields) {
                Ok(Read::Wish(wish)) => Ok(vec![Out::Hear(wish)]),
                other => panic!("it was not read: {other:?}"),
            }
        }
    };
    let heard = heard.expect("what we say is understood");
    let [Out::Hear(wish)] = <[Out; 1]>::try_from(heard).expect("it is one thing") else {
        panic!("it was not heard");
    };
    wish
}

fn text(bytes: &[u8]) -> Value {
    Value::Text(bytes.to_vec().into())
}

/// The same of an entry of the stream, whose kind is its first byte and whose data follows. What those have missed who come
/// back is what those heard who were there.
fn entry(bytes: &[u8]) {
    let Some((kind, data)) = bytes.split_first() else {
        return;
    };
    let kind = (kind % 16).to_string();
    let pairs = [
        ("uid", &b"x"[..]),
        ("nsp", b"/"),
        ("type", kind.as_bytes()),
        ("data", data),
    ];
    let texts = pairs
        .iter()
        .flat_map(|(name, value)| [text(name.as_bytes()), text(value)]);
    let fields: Vec<_> = texts.collect();
    let read = node(streams, 1).read(NOW, &fields);
    let missed = node(streams, 1).missed(&fields);
    let json = |wish: &Wish| serde_json::to_string(wish).expect("a wish is plain data");
    let Ok(Read::Wish(wish)) = read else {
        return assert!(missed.is_none());
    };
    is_sound(&wish);
    if matches!(wish, Wish::Emit { request: None, .. }) {
        assert_eq!(missed.as_ref().map(json), Some(json(&wish)));
    }
    if !is_question(&wish) && !matches!(wish, Wish::Reply { .. }) {
        let again = said_again(streams, Role::Requests, &wish);
        let third = said_again(streams, Role::Requests, &again);
        assert_eq!(json(&third), json(&again));
    }
}

/// A session is read as it was written.
fn session(value: &[u8]) {
    let limits = message::limits(&config::Cluster::default());
    let Some((mut session, namespace)) = sessions::read(value, &limits) else {
        return;
    };
    session.namespace = namespace.unwrap_or_default();
    let again = |session: &KeptSession| {
        let written = sessions::written(session);
        let (again, namespace) =
            sessions::read(written.as_bytes(), &limits).expect("what we write is read");
        KeptSession {
            namespace: namespace.unwrap_or_default(),
            ..again
        }
    };
    // Spelled anew, numbers and escapes settle after one round.
    let settled = again(&session);
    assert_eq!(again(&settled), settled);
}

/// What the node that asks hears when another replies this to a question of the kind.
fn replied_again(make: Make, reply: &Reply) -> Wish {
    let (to, request) = (everybody(), QUESTION);
    let question = match reply {
        Reply::Asked(_) | Reply::Answer(_) => Wish::Emit {
            to,
            event: "a".into(),
            values: Values::default(),
            is_volatile: false,
            stays_plain: false,
            request: Some((request, Duration::from_secs(1))),
        },
        Reply::Values(_) => Wish::ServerSide {
            namespace: to.namespace,
            event: "a".into(),
            values: Values::default(),
            request: Some(request),
        },
        _ => Wish::Fetch { to, request },
    };
    let (mut asker, mut other) = (node(make, 1), node(make, 2));
    let put = asker.said(&question).expect("there is a word for it");
    let wish = only(&mut *other, Role::Requests, &put);
    let reply = Wish::Reply {
        request: request_of(&wish).expect("it is a question"),
        from: 2,
        reply: reply.clone(),
    };
    let said = other.said(&reply).expect("there is a word for it");
    match only(&mut *asker, Role::Responses, &said) {
        // Each that is heard has a number of its own.
        Wish::Reply { request, reply, .. } => Wish::Reply {
            request,
            from: 2,
            reply,
        },
        _ => panic!("a reply was heard as something else"),
    }
}

/// Reads what Redis says in pieces, for a bench; the bytes of all texts in lists that nobody asked for.
pub fn read(bytes: &[u8], piece: usize) -> usize {
    let (mut reader, mut texts) = (Reader::new(usize::MAX), 0);
    for mut piece in bytes.chunks(piece) {
        while let Ok(Some(value)) = reader.next(&mut piece) {
            if let Value::Push(values) = value {
                let lengths = values.iter().filter_map(Value::text).map(<[u8]>::len);
                texts += lengths.sum::<usize>();
            }
        }
    }
    texts
}

/// However it is cut, the same is read, and no more is held than has come.
fn redis(bytes: &[u8]) {
    const TEXT_BYTES_MAX: usize = 64;
    let whole = read(bytes, bytes.len().max(1));
    for piece in [1, 2, 7] {
        assert_eq!(read(bytes, piece), whole, "in pieces of {piece}");
    }

    fn read(bytes: &[u8], piece: usize) -> (Vec<Value>, Option<Violation>) {
        let (mut reader, mut values) = (Reader::new(TEXT_BYTES_MAX), Vec::new());
        for mut piece in bytes.chunks(piece) {
            loop {
                match reader.next(&mut piece) {
                    Ok(Some(value)) => values.push(value),
                    Ok(None) => break,
                    Err(violation) => return (values, Some(violation)),
                }
            }
        }
        (values, None)
    }
}
