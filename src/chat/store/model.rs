//! The store against a model of it: the same random wishes to both, and the same answers from both.
//!
//! Now and then the store is closed and opened again, or a whole batch is thrown away. A failure names its seed; set
//! `ROOMCAST_SEED` to run that one again.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::tests::{Place, name, new};
use super::*;

/// What a room has been told, message by message.
#[derive(Clone, Default)]
struct RoomModel {
    rows: Vec<Row>,
    rev: i64,
    read: BTreeMap<UserId, i64>,
}

#[derive(Clone, Default)]
struct Model {
    rooms: BTreeMap<RoomId, RoomModel>,
    /// By author and cid: where it is.
    sent: BTreeMap<(UserId, String), (RoomId, usize)>,
    last_id: i64,
}

impl Model {
    fn send(&mut self, room: RoomId, by: UserId, cid: &str, text: &str, at: u64) -> Sent {
        let key = (by, cid.to_owned());
        if let Some((room, place)) = self.sent.get(&key) {
            let row = &self.rooms[room].rows[*place];
            let (room, id, seq, rev, at) = (row.room, row.id, row.seq, row.rev, row.at);
            return Sent {
                room,
                id,
                seq,
                rev,
                at,
                dup: true,
            };
        }
        let there = self.rooms.get_mut(&room).unwrap();
        self.last_id += 1;
        there.rev += 1;
        let seq = i64::try_from(there.rows.len()).unwrap() + 1;
        let (id, rev) = (MessageId(self.last_id), there.rev);
        self.sent.insert(key, (room, there.rows.len()));
        if let Some(read) = there.read.get_mut(&by) {
            *read = seq;
        }
        there.rows.push(Row {
            room,
            id,
            seq,
            rev,
            by,
            cid: cid.to_owned(),
            at,
            text: text.to_owned(),
            edited: None,
            deleted: None,
            deleted_by: None,
        });
        Sent {
            room,
            id,
            seq,
            rev,
            at,
            dup: false,
        }
    }

    fn row(&mut self, id: MessageId) -> Option<(&mut Row, &mut i64)> {
        self.rooms.values_mut().find_map(|room| {
            let rev = &mut room.rev;
            room.rows
                .iter_mut()
                .find(|row| row.id == id)
                .map(|row| (row, rev))
        })
    }

    fn edit(&mut self, id: MessageId, text: &str, at: u64) -> Result<Row, StoreError> {
        match self.row(id) {
            Some((row, _)) if row.deleted.is_none() && row.text == text => Ok(row.clone()),
            Some((row, rev)) if row.deleted.is_none() => {
                *rev += 1;
                row.rev = *rev;
                row.text = text.to_owned();
                row.edited = Some(at);
                Ok(row.clone())
            }
            _ => Err(StoreError::NotFound),
        }
    }

    fn delete(&mut self, id: MessageId, by: UserId, at: u64) -> Result<Row, StoreError> {
        let (row, rev) = self.row(id).ok_or(StoreError::NotFound)?;
        if row.deleted.is_none() {
            *rev += 1;
            row.rev = *rev;
            row.text.clear();
            row.deleted = Some(at);
            row.deleted_by = (by != row.by).then_some(by);
        }
        Ok(row.clone())
    }

    fn read(&mut self, room: RoomId, user: UserId, seq: i64) -> Result<i64, StoreError> {
        let there = self.rooms.get_mut(&room).unwrap();
        let last = i64::try_from(there.rows.len()).unwrap();
        let mark = there.read.get_mut(&user).ok_or(StoreError::NotFound)?;
        *mark = (*mark).max(seq.min(last));
        Ok(*mark)
    }
}

/// One random wish, to both.
fn step(chance: &mut StdRng, store: &mut Store, model: &mut Model, users: &[UserId], at: u64) {
    let rooms: Vec<_> = model.rooms.keys().copied().collect();
    let room = rooms[chance.random_range(0..rooms.len())];
    let user = users[chance.random_range(0..users.len())];
    let id = MessageId(chance.random_range(0..model.last_id + 3));
    let seq = chance.random_range(-2..60);
    // Few enough that some come again, also from another room.
    let cid = format!("c{}", chance.random_range(0..200));
    let text = "🌊 \"x\"\u{1} ".repeat(chance.random_range(0..40));
    match chance.random_range(0..12) {
        0..=5 => {
            let sent = store.job(|w| w.send(room, user, &cid, &text, at)).unwrap();
            assert_eq!(sent, model.send(room, user, &cid, &text, at));
        }
        6 => assert_eq!(
            store.job(|w| w.edit(id, &text, at)),
            model.edit(id, &text, at)
        ),
        7 => assert_eq!(
            store.job(|w| w.delete(id, user, at)),
            model.delete(id, user, at)
        ),
        8 => assert_eq!(
            store.job(|w| w.read(room, user, seq)).map(|mark| mark.seq),
            model.read(room, user, seq)
        ),
        9 => {
            let joined = store.job(|w| w.join(room, user, at)).unwrap();
            let there = model.rooms.get_mut(&room).unwrap();
            let last = i64::try_from(there.rows.len()).unwrap();
            assert_eq!(joined.read_seq, *there.read.entry(user).or_insert(last));
        }
        10 => {
            let left = store.job(|w| w.leave(room, user));
            let was_there = model.rooms.get_mut(&room).unwrap().read.remove(&user);
            assert_eq!(left.is_ok(), was_there.is_some());
        }
        _ => {
            let failed = store.job(|w| {
                w.send(room, user, "never", &text, at)?;
                w.delete(MessageId(1), user, at)?;
                Err::<(), _>(StoreError::Gone)
            });
            assert!(failed.is_err());
        }
    }
}

/// Everything that can be asked, compared with what was told.
fn compare(place: &Place, model: &Model) {
    let mut reader = place.reader();
    let boot = reader.job(|r| r.load(0)).unwrap();
    assert_eq!(reader.quick_check().unwrap(), Soundness::Sound);
    for (id, room) in &model.rooms {
        let stands = boot.rooms.iter().find(|there| there.id == *id).unwrap();
        assert_eq!(stands.rev, room.rev);
        assert_eq!(stands.seq, i64::try_from(room.rows.len()).unwrap());
        let members: BTreeMap<_, _> = boot
            .members
            .iter()
            .filter(|member| member.room == *id)
            .map(|member| (member.user, member.read_seq))
            .collect();
        assert_eq!(members, room.read);

        let mut pages = Vec::new();
        let mut from = 0;
        loop {
            let page = reader
                .job(|r| r.history(*id, Span::After(from), 17))
                .unwrap();
            assert_eq!(page.start, from == 0 || room.rows.is_empty());
            from = page.rows.last().map_or(from, |row| row.seq);
            pages.extend(page.rows);
            if page.end {
                break;
            }
        }
        assert_eq!(pages, room.rows);

        // From anywhere, catching up leads to the same rows.
        for start in [0, room.rev / 3, room.rev - 1] {
            let mut known: BTreeMap<i64, Row> = BTreeMap::new();
            let mut rev = start.max(0);
            loop {
                let chunk = reader.job(|r| r.sync(*id, rev, 2000)).unwrap();
                assert!(!chunk.reset);
                known.extend(chunk.rows.into_iter().map(|row| (row.seq, row)));
                rev = chunk.rev;
                if !chunk.more {
                    break;
                }
            }
            assert_eq!(rev, room.rev);
            let changed = room.rows.iter().filter(|row| row.rev > start);
            assert!(known.values().eq(changed));
        }
    }
}

fn run(seed: u64) {
    let mut chance = StdRng::seed_from_u64(seed);
    let place = Place::new();
    let mut store = place.store();
    let mut model = Model::default();
    let admin = store
        .job(|w| w.create_first_admin(&name("Club"), &new("u0"), 1))
        .unwrap();
    let mut users = vec![admin.user.id];
    let general = admin.members[0].room;
    for n in 2..5 {
        users.push(
            store
                .job(|w| w.create_user_open(&new(&format!("u{n}")), 1))
                .unwrap()
                .user
                .id,
        );
    }
    // Open: a private one that everybody has left is archived, and would be silent from then on.
    let tea = store
        .job(|w| w.create_room(RoomKind::Open, &name("Tea"), "", users[0], 1))
        .unwrap();
    let read = users.iter().map(|user| (*user, 0)).collect();
    model.rooms.insert(
        general,
        RoomModel {
            read,
            ..RoomModel::default()
        },
    );
    let read = BTreeMap::from([(users[0], 0)]);
    model.rooms.insert(
        tea.id,
        RoomModel {
            read,
            ..RoomModel::default()
        },
    );

    for round in 0..40 {
        let before = model.clone();
        let keep = chance.random_ratio(9, 10);
        let outcome = store.batch(&mut |store| {
            for _ in 0..chance.random_range(0..20) {
                step(&mut chance, store, &mut model, &users, round);
            }
            if !keep {
                // As if the disk had become full at this point.
                store.conn.execute_batch("ROLLBACK").unwrap();
                let _ = store.job(|_| -> Result<(), _> { Err(StoreError::Full) });
            }
        });
        assert_eq!(outcome.is_ok(), keep);
        if !keep {
            model = before;
        }
        if chance.random_ratio(1, 8) {
            compare(&place, &model);
            drop(store);
            store = place.store();
        }
    }
    compare(&place, &model);
}

#[test]
fn whatever_is_wished_the_store_does_what_the_model_does() {
    let seeds = match std::env::var("ROOMCAST_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=8).collect(),
    };
    for seed in seeds {
        // Shown only if it fails.
        eprintln!("seed {seed}");
        run(seed);
    }
}
