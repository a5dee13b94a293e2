//! What must hold of the decoders of Redis and of other nodes for any input: called by the fuzzer, and by a test with its seeds.
//!
//! The first byte of an input chooses what it is read as. Panics if a promise is broken.

use super::classic::Classic;
use super::message::Ignored;
use super::resp::{Reader, Value, Violation};
use super::sharded::Sharded;
use super::wire::{Came, Out, Role, Wire};
use crate::config;
use crate::server::Here;
use crate::server::cluster::Wish;
use crate::time::{Now, Time, UnixMillis};

/// Reads an input as what came by a channel, or as what Redis says.
///
/// # Panics
/// If something does not hold.
pub fn wire(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    match which % 8 {
        0 => message(classic, Role::Broadcasts, "socket.io#/#", rest),
        1 => message(classic, Role::Requests, "socket.io-request#/#", rest),
        2 => message(classic, Role::Responses, "socket.io-response#/#", rest),
        4 => message(sharded, Role::Requests, "socket.io#/#", rest),
        5 => message(sharded, Role::Room, "socket.io#/#deck#", rest),
        6 => message(sharded, Role::Responses, "socket.io#/#uid#", rest),
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

/// One of several nodes, each with a name of its own.
fn node(make: Make, seed: u64) -> Box<dyn Wire> {
    let mut node = make();
    node.seeded(&mut rand::SeedableRng::seed_from_u64(seed));
    node
}

fn hear(
    mut node: Box<dyn Wire>,
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
    let limits = config::Cluster::default();
    for out in hear(node(make, 1), role, channel, payload).unwrap_or_default() {
        let Out::Hear(wish) = out else { continue };
        if let Wish::Emit { values, .. } | Wish::ServerSide { values, .. } = &wish {
            assert!(values.args().is_sound(limits.depth_max));
            assert!(values.attachments.len() <= limits.attachments_max);
        }
        let is_question = matches!(
            wish,
            Wish::Fetch { .. } | Wish::Rooms { .. } | Wish::Reply { .. }
        );
        let has_request = matches!(
            wish,
            Wish::Emit {
                request: Some(_),
                ..
            } | Wish::ServerSide {
                request: Some(_),
                ..
            }
        );
        if is_question || has_request {
            continue;
        }
        let publication = node(make, 2).said(&wish).expect("there is a word for it");
        let said = hear(
            node(make, 3),
            role,
            publication.channel.name(),
            &publication.payload,
        );
        let [Out::Hear(again)] = &said.expect("what we say is understood")[..] else {
            panic!("it was not heard");
        };
        let json = |wish: &Wish| serde_json::to_string(wish).expect("a wish is plain data");
        // Spelled anew, numbers and escapes settle after one round.
        let publication = node(make, 2).said(again).expect("there is a word for it");
        let said = hear(
            node(make, 3),
            role,
            publication.channel.name(),
            &publication.payload,
        );
        let [Out::Hear(third)] = &said.expect("what we say is understood")[..] else {
            panic!("it was not heard");
        };
        assert_eq!(json(third), json(again));
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
