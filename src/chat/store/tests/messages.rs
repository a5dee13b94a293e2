//! Messages, pages of history, catching up, and the search index.

use super::super::*;
use super::{Place, joined, name, say, started};
use crate::config::chat;

#[test]
fn sending_again_stores_nothing_again() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let tea = store
        .job(|w| w.create_room(RoomKind::Open, &name("Tea"), "", anna, 3))
        .unwrap()
        .id;
    let first = say(&mut store, general, anna, "c1");
    assert_eq!((first.seq, first.rev, first.dup), (1, 1, false));
    let other = store
        .job(|w| w.send(tea, anna, "c1", "another text", 99))
        .unwrap();
    assert_eq!(
        other,
        Sent {
            dup: true,
            ..first.clone()
        },
        "what was stored, where it was stored"
    );
    assert_eq!(
        store.job(|w| w.message(first.id)).unwrap().text,
        "text of c1"
    );
    let rooms = store.job(|w| w.rooms()).unwrap();
    assert_eq!((rooms[0].seq, rooms[0].rev, rooms[1].seq), (1, 1, 0));
    // Another's cid is another's.
    let bob = joined(&mut store, "bob");
    assert!(!say(&mut store, general, bob, "c1").dup);
    let nowhere = store.job(|w| w.send(RoomId(99), anna, "c2", "", 9));
    assert_eq!(nowhere, Err(StoreError::NotFound));
    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(json, r#"{"room":1,"id":1,"seq":1,"rev":1,"at":7}"#);
}

#[test]
fn numbers_rise_without_gaps_over_failures_and_reopening() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    for round in 0..5 {
        for n in 0..4 {
            say(&mut store, general, anna, &format!("{round}.{n}"));
            let failed: Result<(), _> = store.job(|w| {
                w.send(general, anna, &format!("{round}.{n}.x"), "never", 7)?;
                Err(StoreError::Gone)
            });
            assert_eq!(failed, Err(StoreError::Gone));
        }
        drop(store);
        store = place.store();
    }
    let page = store.job(|w| w.history(general, Span::Newest, 50)).unwrap();
    let seqs: Vec<_> = page.rows.iter().map(|row| row.seq).collect();
    let revs: Vec<_> = page.rows.iter().map(|row| row.rev).collect();
    assert_eq!(seqs, (1..=20).collect::<Vec<i64>>());
    assert_eq!(revs, seqs);
}

#[test]
fn the_author_has_read_and_a_mark_moves_only_forward() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let bob = joined(&mut store, "bob");
    for n in 0..5 {
        say(&mut store, general, anna, &n.to_string());
    }
    store
        .job(|w| w.mention(general, &[bob, UserId(99)]))
        .unwrap();
    assert_eq!(store.job(|w| w.member(general, anna)).unwrap().read_seq, 5);
    let mut read = |seq| store.job(|w| w.read(general, bob, seq)).unwrap();
    let mark = |seq, mentions| Mark { seq, mentions };
    assert_eq!(read(3), mark(3, 1));
    assert_eq!(read(2), mark(3, 1), "never back");
    assert_eq!(read(-1), mark(3, 1));
    assert_eq!(read(99), mark(5, 0), "never beyond the last");
    assert_eq!(read(i64::MIN), mark(5, 0));
    assert_eq!(store.job(|w| w.member(general, bob)).unwrap().mentions, 0);
    let stranger = store.job(|w| w.read(general, UserId(99), 1));
    assert_eq!(stranger, Err(StoreError::NotFound));
}

#[test]
fn a_deleted_message_keeps_its_place_and_loses_its_text() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let sent = say(&mut store, general, anna, "c1");
    let edited = store.job(|w| w.edit(sent.id, "better", 8)).unwrap();
    assert_eq!((edited.seq, edited.rev, edited.edited), (1, 2, Some(8)));
    let again = store.job(|w| w.edit(sent.id, "better", 9)).unwrap();
    assert_eq!(again, edited, "the same text is no change");
    let deleted = store.job(|w| w.delete(sent.id, anna, 9)).unwrap();
    assert_eq!(deleted.deleted_by, None, "its author");
    assert_eq!(
        (deleted.rev, deleted.text.as_str(), deleted.deleted),
        (3, "", Some(9))
    );
    assert_eq!(store.job(|w| w.delete(sent.id, anna, 10)).unwrap(), deleted);
    assert_eq!(
        store.job(|w| w.edit(sent.id, "again", 10)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.job(|w| w.edit(MessageId(99), "x", 10)),
        Err(StoreError::NotFound)
    );
    assert_eq!(
        store.job(|w| w.delete(MessageId(99), anna, 1)),
        Err(StoreError::NotFound)
    );
    let page = store.job(|w| w.history(general, Span::Newest, 50)).unwrap();
    assert_eq!(page.rows, [deleted]);
    assert!(
        say(&mut store, general, anna, "c1").dup,
        "and may not be sent again"
    );
}

#[test]
fn a_message_that_another_deleted_says_who() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let bob = joined(&mut store, "bob");
    let sent = say(&mut store, general, bob, "c1");
    let deleted = store.job(|w| w.delete(sent.id, anna, 9)).unwrap();
    assert_eq!((deleted.by, deleted.deleted_by), (bob, Some(anna)));
    assert_eq!(store.job(|w| w.message(sent.id)).unwrap(), deleted);
}

#[test]
fn nothing_changes_in_a_room_that_is_archived() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let sent = say(&mut store, general, anna, "c1");
    store
        .job(|w| w.change("UPDATE rooms SET archived_at = 9", []))
        .unwrap();
    let before = store.job(|w| w.message(sent.id)).unwrap();
    let edited = store.job(|w| w.edit(sent.id, "late", 10));
    let deleted = store.job(|w| w.delete(sent.id, anna, 10));
    assert_eq!(
        (edited, deleted),
        (Err(StoreError::NotFound), Err(StoreError::NotFound))
    );
    assert_eq!(store.job(|w| w.message(sent.id)).unwrap(), before);
}

/// In a search, a word finds a message by its latest text, and only within the room that is asked for.
#[test]
fn the_search_index_follows_the_messages() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let tea = store
        .job(|w| w.create_room(RoomKind::Open, &name("Tea"), "", anna, 3))
        .unwrap()
        .id;
    let one = store
        .job(|w| w.send(general, anna, "1", "Grüne Äpfel", 7))
        .unwrap()
        .id;
    let two = store
        .job(|w| w.send(tea, anna, "2", "grune tassen", 7))
        .unwrap()
        .id;
    let find = |store: &mut Store, query: &str| -> Vec<i64> {
        let query = query.to_owned();
        store
            .job(|w| {
                let sql = "SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid";
                w.all(sql, [query], |row| row.get(0))
            })
            .unwrap()
    };
    assert_eq!(find(&mut store, "body:grune"), [one.0, two.0]);
    assert_eq!(find(&mut store, "room:r2 AND body:gru*"), [two.0]);
    store.job(|w| w.edit(one, "rote Birnen", 8)).unwrap();
    store.job(|w| w.delete(two, anna, 8)).unwrap();
    assert!(find(&mut store, "body:grune").is_empty());
    assert_eq!(find(&mut store, "birnen"), [one.0]);
    let check = "INSERT INTO search(search, rank) VALUES ('integrity-check', 1)";
    store.job(|w| w.change(check, [])).unwrap();
}

#[test]
fn history_is_cut_into_pages() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    store
        .batch(&mut |store| {
            for n in 1..=120 {
                say(store, general, anna, &n.to_string());
            }
        })
        .unwrap();
    let mut reader = place.reader();
    let mut page = |span, limit| {
        let page = reader.job(|r| r.history(general, span, limit)).unwrap();
        let ends = page
            .rows
            .first()
            .map(|r| r.seq)
            .zip(page.rows.last().map(|r| r.seq));
        assert!(page.rows.is_sorted_by_key(|row| row.seq));
        (ends, page.start, page.end)
    };
    let table = [
        ((Span::Newest, 50), (Some((71, 120)), false, true)),
        ((Span::Newest, usize::MAX), (Some((71, 120)), false, true)),
        ((Span::Newest, 0), (Some((120, 120)), false, true)),
        ((Span::Before(71), 50), (Some((21, 70)), false, false)),
        ((Span::Before(21), 50), (Some((1, 20)), true, false)),
        ((Span::Before(1), 50), (None, true, false)),
        ((Span::Before(i64::MIN), 50), (None, true, false)),
        ((Span::Before(i64::MAX), 50), (Some((71, 120)), false, true)),
        ((Span::After(0), 50), (Some((1, 50)), true, false)),
        ((Span::After(100), 50), (Some((101, 120)), false, true)),
        ((Span::After(120), 50), (None, false, true)),
        ((Span::After(i64::MAX), 50), (None, false, true)),
        ((Span::Around(60), 20), (Some((50, 69)), false, false)),
        ((Span::Around(1), 20), (Some((1, 20)), true, false)),
        ((Span::Around(120), 20), (Some((110, 120)), false, true)),
        ((Span::Around(500), 20), (Some((111, 120)), false, true)),
    ];
    for ((span, limit), expected) in table {
        assert_eq!(page(span, limit), expected, "{span:?} {limit}");
    }
    let nowhere = reader
        .job(|r| r.history(RoomId(9), Span::Newest, 50))
        .unwrap();
    assert_eq!(
        nowhere,
        Page {
            rows: Vec::new(),
            start: true,
            end: true
        }
    );
}

#[test]
fn catching_up_brings_each_changed_message_once_in_its_last_form() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let ids: Vec<_> = (0..4)
        .map(|n| say(&mut store, general, anna, &n.to_string()).id)
        .collect();
    for n in 0..5 {
        store
            .job(|w| w.edit(ids[1], &format!("edit {n}"), 8))
            .unwrap();
    }
    store.job(|w| w.delete(ids[0], anna, 9)).unwrap();
    let sync = |store: &mut Store, rev| {
        store
            .job(|w| w.sync(general, rev, chat::SYNC_BYTES_MAX))
            .unwrap()
    };
    let all = sync(&mut store, 0);
    assert_eq!((all.rev, all.more, all.reset), (10, false, false));
    let seen: Vec<_> = all.rows.iter().map(|row| (row.seq, row.rev)).collect();
    assert_eq!(seen, [(3, 3), (4, 4), (2, 9), (1, 10)]);
    assert_eq!(all.rows[2].text, "edit 4");
    assert_eq!(all.rows[3].deleted, Some(9));
    assert_eq!(sync(&mut store, 9).rows.len(), 1);
    assert_eq!(
        sync(&mut store, 10),
        Chunk {
            rows: Vec::new(),
            rev: 10,
            more: false,
            reset: false
        }
    );
    assert!(
        sync(&mut store, 11).reset,
        "from a future that was restored away"
    );
    let nowhere = store.job(|w| w.sync(RoomId(9), 0, 9));
    assert_eq!(nowhere, Err(StoreError::NotFound));
}

#[test]
fn catching_up_comes_in_chunks_of_bounded_size() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let text = "\"\u{1}é".repeat(500);
    for n in 0..20 {
        store
            .job(|w| w.send(general, anna, &n.to_string(), &text, 7))
            .unwrap();
    }
    let mut rev = 0;
    let mut seen = Vec::new();
    for chunks in 1.. {
        let chunk = store.job(|w| w.sync(general, rev, 16 * 1024)).unwrap();
        let json = serde_json::to_string(&chunk.rows).unwrap();
        assert!(json.len() <= 16 * 1024, "{}", json.len());
        assert_eq!(chunk.rev, chunk.rows.last().unwrap().rev);
        seen.extend(chunk.rows.iter().map(|row| row.seq));
        rev = chunk.rev;
        if !chunk.more {
            assert!(chunks > 1);
            break;
        }
    }
    assert_eq!(seen, (1..=20).collect::<Vec<i64>>());
    let tiny = store.job(|w| w.sync(general, 0, 1)).unwrap();
    assert_eq!(
        (tiny.rows.len(), tiny.more),
        (1, true),
        "a row that is too large comes alone"
    );
}

#[test]
fn who_is_a_thousand_changes_behind_is_reset() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    store
        .batch(&mut |store| {
            for n in 0..1001 {
                say(store, general, anna, &n.to_string());
            }
        })
        .unwrap();
    let sync = |store: &mut Store, rev, bytes| store.job(|w| w.sync(general, rev, bytes)).unwrap();
    assert!(!sync(&mut store, 1, 1000).reset);
    let reset = sync(&mut store, 0, chat::SYNC_BYTES_MAX);
    assert_eq!(
        (reset.reset, reset.more, reset.rev, reset.rows.len()),
        (true, false, 1001, 50)
    );
    assert_eq!(reset.rows.last().unwrap().seq, 1001);
    assert_eq!(
        sync(&mut store, i64::MIN, 1).rows.len(),
        1,
        "the newest that fits"
    );
    store
        .job(|w| w.change("UPDATE rooms SET rev_floor = 900", []))
        .unwrap();
    assert!(
        sync(&mut store, 899, 1000).reset,
        "what it misses may be pruned"
    );
    assert!(!sync(&mut store, 900, 1000).reset);
    store
        .job(|w| w.change("UPDATE rooms SET rev = rev + 1000000", []))
        .unwrap();
    let restored = sync(&mut store, 1001, 1000);
    assert_eq!((restored.reset, restored.rev), (true, 1_001_001));
}

/// What is asked often is found by an index, and the start never looks at a message.
#[test]
fn no_question_grows_with_the_history() {
    let place = Place::new();
    let store = place.store();
    let plan = |sql: &str| -> String {
        let mut statement = store
            .conn
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let values = vec![0; statement.parameter_count()];
        let lines = statement
            .query_map(rusqlite::params_from_iter(values), |row| {
                row.get::<_, String>(3)
            })
            .unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    for sql in [boot::USERS, boot::MEMBERS, boot::SESSIONS] {
        assert!(!plan(sql).contains("messages"), "{}", plan(sql));
    }
    let rooms = plan(boot::ROOMS);
    let last = "SEARCH messages USING INDEX sqlite_autoindex_messages_1 (room_id=? AND seq=?)";
    assert!(rooms.contains(last), "{rooms}");
    for (sql, index) in [
        (
            history::BELOW,
            "sqlite_autoindex_messages_1 (room_id=? AND seq<?)",
        ),
        (
            history::FROM,
            "sqlite_autoindex_messages_1 (room_id=? AND seq>?)",
        ),
        (history::CHANGED, "messages_rev (room_id=? AND rev>?)"),
        (
            search::FOUND,
            "SEARCH messages USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            messages::RESENT,
            "sqlite_autoindex_messages_2 (author_id=? AND cid=?)",
        ),
    ] {
        let plan = plan(sql);
        assert!(plan.contains(index), "{plan}");
        // The index of words is "scanned" by what it is asked, in the order of its rows.
        let plan = plan.replace("SCAN search VIRTUAL TABLE INDEX", "");
        assert!(
            !plan.contains("SCAN") && !plan.contains("TEMP B-TREE"),
            "{plan}"
        );
    }
}

#[test]
fn places_of_what_was_deleted_long_ago_go_and_who_missed_that_begins_anew() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    for n in 0..1200 {
        say(&mut store, general, anna, &n.to_string());
    }
    let day = 24 * 3600 * 1000;
    store
        .job(|w| {
            for id in 1..=600 {
                w.delete(MessageId(id), anna, day)?;
            }
            w.delete(MessageId(1199), anna, 50 * day)
        })
        .unwrap();
    let clear = |store: &mut Store, at: u64| store.job(|w| w.clear_old(at)).unwrap();
    assert_eq!(clear(&mut store, 91 * day), Cleared::All);
    assert_eq!(place.reader().job(|r| r.rooms()).unwrap()[0].rev, 1801);
    let floor = |place: &Place| -> i64 {
        let reader = place.reader();
        let sql = "SELECT rev_floor FROM rooms";
        reader.conn.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(floor(&place), 0);
    assert_eq!(clear(&mut store, 92 * day), Cleared::Some);
    assert_eq!(clear(&mut store, 92 * day), Cleared::All);
    assert_eq!(floor(&place), 1800);

    let mut reader = place.reader();
    let page = reader
        .job(|r| r.history(general, Span::After(0), 50))
        .unwrap();
    assert_eq!((page.start, page.rows[0].seq), (true, 601));
    // Who saw the last deletion but one misses nothing; who missed one begins anew.
    let sync = |reader: &mut Reader, rev| reader.job(|r| r.sync(general, rev, 1000)).unwrap();
    let chunk = sync(&mut reader, 1800);
    assert_eq!((chunk.reset, chunk.rows.len()), (false, 1));
    assert!(sync(&mut reader, 1799).reset);
    assert_eq!(say(&mut store, general, anna, "more").seq, 1201);
    let report = Keeper::new(place.path(), &GiveUp::default())
        .check()
        .unwrap();
    assert!(
        report.findings.iter().all(|found| found.contains("no id")),
        "{:?}",
        report.findings
    );
}
