//! The adapter against a table of broadcasts and a slow model.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

const NONE: [&str; 0] = [];

struct Hall {
    adapter: Adapter,
    keys: Vec<SocketKey>,
    ids: Vec<SocketId>,
}

fn hall(sockets: u32) -> Hall {
    let mut rng = StdRng::seed_from_u64(20);
    let mut adapter = Adapter::new();
    let keys: Vec<_> = (0..sockets)
        .map(|slot| SocketKey::from_parts(slot, 7))
        .collect();
    let ids: Vec<_> = keys.iter().map(|_| Sid::new(&mut rng)).collect();
    for (&key, &id) in keys.iter().zip(&ids) {
        adapter.add(key, id);
    }
    Hall { adapter, keys, ids }
}

fn told(adapter: &mut Adapter) -> Vec<String> {
    std::iter::from_fn(|| adapter.poll_event())
        .map(|event| match event {
            RoomEvent::Created(room) => format!("create {room}"),
            RoomEvent::Deleted(room) => format!("delete {room}"),
            RoomEvent::Joined(room, id) => format!("join {room} {id}"),
            RoomEvent::Left(room, id) => format!("leave {room} {id}"),
        })
        .collect()
}

fn selected(adapter: &mut Adapter, to: &[&str], except: &[&str]) -> BTreeSet<SocketKey> {
    let mut into = Vec::new();
    adapter.select(to, except, &mut into);
    let unique: BTreeSet<_> = into.iter().copied().collect();
    assert_eq!(unique.len(), into.len(), "nobody is selected twice");
    unique
}

#[test]
fn a_socket_is_in_the_room_of_its_own_id_which_costs_nothing() {
    let Hall {
        mut adapter,
        keys,
        ids,
    } = hall(2);
    let own = ids[0].as_str();
    assert_eq!(adapter.rooms(keys[0]).collect::<Vec<_>>(), [own]);
    assert_eq!((adapter.size(own), adapter.rooms.len()), (1, 0));
    assert_eq!(
        selected(&mut adapter, &[own], &[]),
        BTreeSet::from([keys[0]])
    );
    assert_eq!(adapter.room_names().count(), 2);
    assert!(!adapter.join(keys[0], own));
}

#[test]
fn an_own_room_becomes_real_when_another_joins_it() {
    let Hall {
        mut adapter,
        keys,
        ids,
    } = hall(2);
    let own = ids[0].as_str();
    adapter.join(keys[0], "lobby");
    adapter.record_events(true);
    assert!(adapter.join(keys[1], own));
    assert_eq!(told(&mut adapter), [format!("join {own} {}", ids[1])]);
    assert_eq!((adapter.size(own), adapter.room_names().count()), (2, 3));
    assert_eq!(adapter.rooms(keys[0]).collect::<Vec<_>>(), [own, "lobby"]);
    assert!(adapter.leave(keys[0], own));
    assert_eq!(adapter.rooms(keys[0]).collect::<Vec<_>>(), ["lobby"]);
    assert_eq!(adapter.members(own).collect::<Vec<_>>(), [keys[1]]);
    assert!(adapter.leave(keys[1], own));
    assert_eq!(adapter.size(own), 0);
}

#[test]
fn room_events_come_in_the_official_order_and_once() {
    let Hall {
        mut adapter,
        keys,
        ids,
    } = hall(1);
    let own = ids[0];
    assert_eq!(adapter.poll_event(), None, "nobody asked");
    adapter.record_events(true);
    assert!(adapter.join(keys[0], "a"));
    assert!(!adapter.join(keys[0], "a"));
    assert!(adapter.leave(keys[0], "a"));
    assert!(!adapter.leave(keys[0], "a"));
    assert!(adapter.join(keys[0], "b"));
    adapter.remove(keys[0]);
    adapter.remove(keys[0]);
    let expected = [
        "create a".to_owned(),
        format!("join a {own}"),
        format!("leave a {own}"),
        "delete a".to_owned(),
        "create b".to_owned(),
        format!("join b {own}"),
        format!("leave {own} {own}"),
        format!("delete {own}"),
        format!("leave b {own}"),
        "delete b".to_owned(),
    ];
    assert_eq!(told(&mut adapter), expected);
    adapter.add(keys[0], own);
    assert_eq!(
        told(&mut adapter),
        [format!("create {own}"), format!("join {own} {own}")]
    );
}

#[test]
fn a_broadcast_reaches_the_union_once_and_nobody_excepted() {
    let Hall {
        mut adapter,
        keys,
        ids,
    } = hall(5);
    for (socket, room) in [(0, "a"), (1, "a"), (1, "b"), (2, "b"), (3, "c")] {
        adapter.join(keys[socket], room);
    }
    let pick = |sockets: &[usize]| sockets.iter().map(|&at| keys[at]).collect::<BTreeSet<_>>();
    let rows: &[(&[&str], &[&str], &[usize])] = &[
        (&[], &[], &[0, 1, 2, 3, 4]),
        (&["a"], &[], &[0, 1]),
        (&["a", "b"], &[], &[0, 1, 2]),
        (&["a", "a"], &[], &[0, 1]),
        (&["a", "nowhere"], &["b"], &[0]),
        (&["nowhere"], &[], &[]),
        (&[], &["a", "c"], &[2, 4]),
        (&[], &["nowhere"], &[0, 1, 2, 3, 4]),
        (&["b"], &[ids[1].as_str()], &[2]),
        (&["b", ids[4].as_str()], &["a"], &[2, 4]),
    ];
    for (to, except, expected) in rows {
        assert_eq!(
            selected(&mut adapter, to, except),
            pick(expected),
            "{to:?} {except:?}"
        );
    }
}

#[test]
fn stamps_start_anew_when_they_run_out() {
    let Hall {
        mut adapter, keys, ..
    } = hall(2);
    adapter.join(keys[0], "a");
    selected(&mut adapter, &[], &["a"]);
    adapter.stamp = u32::MAX;
    assert_eq!(selected(&mut adapter, &["a", "a"], &[]).len(), 1);
    assert_eq!(
        selected(&mut adapter, &[], &["a"]),
        BTreeSet::from([keys[1]])
    );
}

#[test]
fn a_stale_key_is_nobody() {
    let Hall {
        mut adapter,
        keys,
        ids,
    } = hall(1);
    let next = SocketKey::from_parts(keys[0].slot(), 8);
    assert!(!adapter.join(next, "a"));
    adapter.remove(keys[0]);
    adapter.add(next, ids[0]);
    assert!(!adapter.join(keys[0], "a"));
    assert_eq!(adapter.rooms(keys[0]).count(), 0);
    adapter.remove(keys[0]);
    assert_eq!((adapter.len(), adapter.key(ids[0])), (1, Some(next)));
}

#[test]
fn a_socket_in_a_thousand_rooms_leaves_them_one_by_one() {
    let Hall {
        mut adapter, keys, ..
    } = hall(2);
    let names: Vec<_> = (0..1000).map(|number| format!("room {number}")).collect();
    for name in &names {
        assert!(adapter.join(keys[0], name));
        assert!(!adapter.join(keys[0], name));
    }
    assert_eq!(adapter.rooms(keys[0]).count(), 1001);
    for name in &names {
        assert!(adapter.leave(keys[0], name));
    }
    assert_eq!(
        (adapter.wide.len(), adapter.rooms.len(), adapter.names.len()),
        (0, 0, 0)
    );
    for name in &names {
        adapter.join(keys[0], name);
    }
    adapter.remove(keys[0]);
    assert_eq!(
        (adapter.wide.len(), adapter.rooms.len(), adapter.names.len()),
        (0, 0, 0)
    );
}

/// What the adapter must agree with: maps of sets, slow and obvious.
#[derive(Default)]
struct Model {
    ids: BTreeMap<SocketKey, SocketId>,
    rooms: BTreeMap<String, BTreeSet<SocketKey>>,
    told: Vec<String>,
}

impl Model {
    fn join(&mut self, key: SocketKey, room: &str) -> bool {
        let Some(id) = self.ids.get(&key) else {
            return false;
        };
        if !self.rooms.contains_key(room) {
            self.told.push(format!("create {room}"));
        }
        let joined = self.rooms.entry(room.to_owned()).or_default().insert(key);
        if joined {
            self.told.push(format!("join {room} {id}"));
        }
        joined
    }

    fn leave(&mut self, key: SocketKey, room: &str) -> bool {
        let Some(members) = self.rooms.get_mut(room) else {
            return false;
        };
        let left = members.remove(&key);
        if left {
            self.told.push(format!("leave {room} {}", self.ids[&key]));
        }
        if members.is_empty() {
            self.rooms.remove(room);
            self.told.push(format!("delete {room}"));
        }
        left
    }

    fn select(&self, to: &[&str], except: &[&str]) -> BTreeSet<SocketKey> {
        let union = |rooms: &[&str]| -> BTreeSet<SocketKey> {
            rooms
                .iter()
                .filter_map(|&room| self.rooms.get(room))
                .flatten()
                .copied()
                .collect()
        };
        let all = if to.is_empty() {
            self.ids.keys().copied().collect()
        } else {
            union(to)
        };
        &all - &union(except)
    }
}

fn agree(adapter: &Adapter, model: &Model) {
    assert_eq!(adapter.len(), model.ids.len());
    let names: BTreeSet<_> = adapter.room_names().map(str::to_owned).collect();
    assert_eq!(names, model.rooms.keys().cloned().collect());
    for (room, members) in &model.rooms {
        assert_eq!(
            adapter.members(room).collect::<BTreeSet<_>>(),
            *members,
            "{room}"
        );
        assert_eq!(adapter.size(room), members.len());
    }
    for (index, room) in &adapter.rooms {
        assert!(!room.members.is_empty() && room.members.len() == room.links.len());
        for (at, (key, &link)) in room.members.iter().zip(&room.links).enumerate() {
            let row = &adapter.sockets[adapter.row_of(*key).unwrap() as usize];
            let joined = row.joined[link as usize];
            assert_eq!((joined.room as usize, joined.member as usize), (index, at));
        }
    }
}

fn live(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut adapter, mut model) = (Adapter::new(), Model::default());
    adapter.record_events(true);
    let ids: Vec<_> = (0..12).map(|_| Sid::new(&mut rng)).collect();
    let mut names: Vec<String> = (0..24).map(|number| format!("r{number}")).collect();
    names.extend(ids.iter().map(Sid::to_string));
    for step in 0..600 {
        let slot = rng.random_range(0..12_u32);
        let key = SocketKey::from_parts(slot, rng.random_range(0..2));
        let room = names[rng.random_range(0..names.len())].as_str();
        match rng.random_range(0..20) {
            0..=2 => {
                let id = ids[slot as usize];
                if !model.ids.values().any(|taken| *taken == id) {
                    adapter.add(key, id);
                    model.ids.insert(key, id);
                    model.join(key, id.as_str());
                }
            }
            3 => {
                let order: Vec<String> = adapter.rooms(key).map(str::to_owned).collect();
                adapter.remove(key);
                for room in &order {
                    assert!(model.leave(key, room), "{room}");
                }
                assert!(model.rooms.values().all(|members| !members.contains(&key)));
                model.ids.remove(&key);
            }
            4..=12 => assert_eq!(adapter.join(key, room), model.join(key, room)),
            13..=16 => assert_eq!(adapter.leave(key, room), model.leave(key, room)),
            _ => {
                let some = |rng: &mut StdRng| {
                    let count = rng.random_range(0..4);
                    (0..count)
                        .map(|_| names[rng.random_range(0..names.len())].as_str())
                        .collect()
                };
                let (to, except): (Vec<&str>, Vec<&str>) = (some(&mut rng), some(&mut rng));
                assert_eq!(
                    selected(&mut adapter, &to, &except),
                    model.select(&to, &except)
                );
            }
        }
        let is_member = model
            .rooms
            .get(room)
            .is_some_and(|members| members.contains(&key));
        assert_eq!(adapter.is_in(key, room), is_member);
        assert_eq!(
            told(&mut adapter),
            std::mem::take(&mut model.told),
            "step {step}"
        );
        agree(&adapter, &model);
    }
}

#[test]
fn it_agrees_with_maps_of_sets_whatever_happens() {
    for seed in 0..40 {
        eprintln!("seed {seed}");
        live(seed);
    }
}

#[test]
fn nothing_is_selected_from_nobody() {
    let mut adapter = Adapter::new();
    let mut into = Vec::new();
    adapter.select(&NONE, &NONE, &mut into);
    assert!(into.is_empty() && adapter.is_empty());
}
