//! Batches, and what the disk does to them.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::*;
use super::{Place, name, new, say, started};

/// Transactions in the write-ahead log: frames whose header names the size of the database after a commit, which is zero
/// in all others (sqlite.org/fileformat.html, section 4.1).
fn commits(place: &Place) -> usize {
    let log = fs::read(place.path().with_extension("db-wal")).unwrap();
    let page = usize::try_from(u32::from_be_bytes(log[8..12].try_into().unwrap())).unwrap();
    log[32..]
        .chunks_exact(24 + page)
        .filter(|frame| frame[4..8] != [0; 4])
        .count()
}

#[test]
fn five_hundred_jobs_are_one_commit_and_are_seen_only_after_it() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let mut reader = place.reader();
    store.shrink_log().unwrap();
    say(&mut store, general, anna, "before");
    let before = commits(&place);
    assert_eq!(before, 1);
    store
        .batch(&mut |store| {
            for n in 0..500 {
                assert_eq!(say(store, general, anna, &n.to_string()).seq, n + 2);
            }
            let seen = reader.job(|r| r.rooms()).unwrap()[0].seq;
            assert_eq!(seen, 1, "nothing is told before it is stored");
        })
        .unwrap();
    assert_eq!(commits(&place), before + 1);
    assert_eq!(reader.job(|r| r.rooms()).unwrap()[0].seq, 501);
}

#[test]
fn a_job_that_fails_or_panics_takes_nobody_with_it() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    store
        .batch(&mut |store| {
            say(store, general, anna, "1");
            let failed = store.job(|w| {
                w.send(general, anna, "2", "never", 7)?;
                w.create_room(RoomKind::Open, &name("general"), "", anna, 7)
            });
            assert_eq!(failed, Err(StoreError::Taken));
            say(store, general, anna, "3");
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                store.job(|w| -> Result<(), StoreError> {
                    w.send(general, anna, "4", "never", 7)?;
                    panic!("a bug in a job");
                })
            }));
            assert!(panicked.is_err());
            assert_eq!(say(store, general, anna, "5").seq, 3);
        })
        .unwrap();
    let page = place
        .reader()
        .job(|r| r.history(general, Span::Newest, 50))
        .unwrap();
    let cids: Vec<_> = page.rows.iter().map(|row| row.cid.as_str()).collect();
    assert_eq!(cids, ["1", "3", "5"]);
}

#[test]
fn a_batch_that_panics_is_rolled_back_by_the_next() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.batch(&mut |store| {
            say(store, general, anna, "1");
            panic!("a bug in the lane");
        })
    }));
    assert!(panicked.is_err());
    // Also a single job is a batch, and must not take the open one for its own.
    store
        .batch(&mut |store| assert_eq!(say(store, general, anna, "2").seq, 1))
        .unwrap();
    assert_eq!(place.reader().job(|r| r.rooms()).unwrap()[0].seq, 1);
}

#[test]
fn a_full_disk_refuses_whole_batches_until_there_is_space() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    say(&mut store, general, anna, "first");
    let pages: i64 = store
        .conn
        .pragma_query_value(None, "page_count", |r| r.get(0))
        .unwrap();
    let limit = |store: &Store, pages: i64| {
        store
            .conn
            .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
            .unwrap();
    };
    limit(&store, pages + 2);
    let long = "many words ".repeat(1000);
    let mut stored = 0;
    for round in 0..20 {
        let mut failed = 0;
        let outcome = store.batch(&mut |store| {
            for n in 0..3 {
                let sent = store.job(|w| w.send(general, anna, &format!("{round}.{n}"), &long, 7));
                match sent {
                    Ok(_) => assert_eq!(failed, 0, "nothing succeeds in a batch that is lost"),
                    Err(error) => {
                        assert_eq!(error, StoreError::Full);
                        failed += 1;
                    }
                }
            }
        });
        match outcome {
            Ok(()) => stored += 3,
            Err(error) => assert_eq!(error, StoreError::Full),
        }
        assert_eq!(outcome_is_whole(&place, general), stored + 1);
    }
    assert!(stored < 60, "the limit was reached");
    // Reading goes on meanwhile, and so does writing afterwards.
    limit(&store, 1_000_000);
    assert_eq!(say(&mut store, general, anna, "last").seq, stored + 2);
    assert_eq!(place.reader().quick_check().unwrap(), Soundness::Sound);
}

fn outcome_is_whole(place: &Place, room: RoomId) -> i64 {
    let mut reader = place.reader();
    let page = reader.job(|r| r.history(room, Span::Newest, 50)).unwrap();
    let seq = reader.job(|r| r.rooms()).unwrap()[0].seq;
    assert_eq!(page.rows.last().unwrap().seq, seq);
    seq
}

#[test]
fn a_store_that_is_broken_takes_nothing_more() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let fsync = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC);
    let broken = StoreError::from(rusqlite::Error::SqliteFailure(fsync, None));
    let mut rest = None;
    let batch = store.batch(&mut |store| {
        say(store, general, anna, "1");
        let _ = store.job(|_| -> Result<(), _> { Err(broken.clone()) });
        rest = Some(store.job(|w| w.send(general, anna, "2", "never", 7)));
    });
    assert_eq!(rest, Some(Err(broken.clone())));
    assert_eq!(batch, Err(broken.clone()));
    assert_eq!(store.job(|w| w.rooms()), Err(broken.clone()));
    assert_eq!(store.batch(&mut |_| unreachable!()), Err(broken));
    drop(store);
    assert_eq!(place.reader().job(|r| r.rooms()).unwrap()[0].seq, 0);
}

#[test]
fn a_damaged_database_is_noticed() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    for n in 0..50 {
        say(&mut store, general, anna, &n.to_string());
    }
    assert_eq!(place.reader().quick_check().unwrap(), Soundness::Sound);
    drop(store);
    let mut bytes = fs::read(place.path()).unwrap();
    let half = bytes.len() / 2;
    for byte in &mut bytes[half..] {
        *byte ^= 0x55;
    }
    fs::write(place.path(), bytes).unwrap();
    match Reader::open(&place.path()).and_then(|mut reader| reader.quick_check()) {
        Ok(Soundness::Damaged { first }) => assert!(!first.is_empty()),
        Ok(Soundness::Sound) => panic!("not noticed"),
        Err(error) => assert!(error.must_stop(), "{error}"),
    }
}

#[test]
fn the_log_grows_until_a_check_point_and_then_begins_anew() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let mut reader = place.reader();
    let mut most = 0;
    for n in 0..2000 {
        say(&mut store, general, anna, &n.to_string());
        if n % 50 == 0 {
            let done = reader.checkpoint().unwrap();
            assert_eq!(done.log_pages, done.moved_pages, "nobody reads meanwhile");
            most = most.max(done.log_pages);
        }
    }
    assert!(most < 2000, "{most} pages");
    let done = store.shrink_log().unwrap();
    assert_eq!(
        done,
        Checkpoint {
            log_pages: 0,
            moved_pages: 0
        }
    );
    assert_eq!(
        fs::metadata(place.path().with_extension("db-wal"))
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn a_backup_is_a_database_of_its_own() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    say(&mut store, general, anna, "1");
    let copy = place.dir.path().join("copy.db");
    let keeper = Keeper::new(place.path(), &GiveUp::default());
    let copied = keeper.copy_to(&copy).unwrap();
    assert_eq!(copied.bytes, fs::metadata(&copy).unwrap().len());
    say(&mut store, general, anna, "2");
    let mut copied = Store::open(&copy).unwrap();
    assert_eq!(copied.job(|w| w.rooms()).unwrap()[0].seq, 1);
    assert_eq!(
        Reader::open(&copy).unwrap().quick_check().unwrap(),
        Soundness::Sound
    );
}

#[test]
fn a_copy_is_of_one_moment_however_much_is_written_meanwhile_and_however_often() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    let copy = place.dir.path().join("copy.db");
    let long = "many words ".repeat(300);
    for n in 0..400 {
        store
            .job(|w| w.send(general, anna, &format!("a{n}"), &long, 7))
            .unwrap();
    }
    let keeper = Keeper::new(place.path(), &GiveUp::default());
    let target = copy.clone();
    let copying = std::thread::Builder::new()
        .spawn(move || {
            for _ in 0..5 {
                keeper.copy_to(&target).unwrap();
            }
        })
        .unwrap();
    let mut n = 0;
    while !copying.is_finished() {
        store
            .job(|w| w.send(general, anna, &format!("b{n}"), &long, 7))
            .unwrap();
        n += 1;
    }
    copying.join().unwrap();
    let mut copied = Store::open(&copy).unwrap();
    let seq = copied.job(|w| w.rooms()).unwrap()[0].seq;
    assert!((400..=400 + n).contains(&seq), "{seq}");
    let report = Keeper::new(copy, &GiveUp::default()).check().unwrap();
    let names: Vec<_> = report
        .findings
        .iter()
        .filter(|found| !found.contains("no id"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
    assert_eq!(i64::try_from(report.messages).unwrap(), seq);
}

#[test]
fn a_copy_that_is_given_up_or_damaged_leaves_no_file() {
    let place = Place::new();
    let (mut store, anna, general) = started(&place);
    say(&mut store, general, anna, "1");
    let copy = place.dir.path().join("copy.db");
    let give_up = GiveUp::default();
    let keeper = Keeper::new(place.path(), &give_up);
    give_up.now();
    assert!(matches!(keeper.copy_to(&copy), Err(CopyError::GivenUp)));
    // Nobody of that id is there.
    store.conn.execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO members(user_id, room_id, joined_at) VALUES (77, 1, 0)").unwrap();
    let keeper = Keeper::new(place.path(), &GiveUp::default());
    match keeper.copy_to(&copy) {
        Err(CopyError::Damaged(first)) => assert!(first.contains("members"), "{first}"),
        other => panic!("{other:?}"),
    }
    let nowhere = place.dir.path().join("nowhere").join("copy.db");
    assert!(matches!(keeper.copy_to(&nowhere), Err(CopyError::File(..))));
    let left: Vec<_> = fs::read_dir(place.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("copy"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn every_rule_of_the_check_finds_what_breaks_it() {
    for (broken, found) in [
        (
            "DELETE FROM messages WHERE id = 2",
            "room 1: 1 of its 3 messages are missing",
        ),
        ("UPDATE rooms SET seq = 2", "message 3 has the number 3"),
        ("UPDATE rooms SET rev = 2", "message 3 has revision 3"),
        (
            "UPDATE rooms SET rev_floor = 9",
            "its revision 3 is below the number 9",
        ),
        ("UPDATE members SET read_seq = 9", "user 1 has read up to 9"),
        ("UPDATE members SET mentions = -1", "user 1 has read up to"),
        (
            "UPDATE messages SET author_id = 9 WHERE id = 1",
            "message 1: its author 9 is nobody",
        ),
        (
            "UPDATE messages SET deleted_at = 5 WHERE id = 1",
            "message 1 was deleted",
        ),
        ("UPDATE rooms SET name_key = NULL", "a room without a name"),
        ("UPDATE users SET role = 0", "no admin is left"),
        (
            "UPDATE meta SET v = '77' WHERE k = 'general'",
            "the room that everybody is in",
        ),
        ("DELETE FROM meta WHERE k = 'database'", "no id of its own"),
        (
            "INSERT INTO rooms(id, kind, dm_key, created_at) VALUES (5, 2, '1:2', 0);
          INSERT INTO members(user_id, room_id, joined_at) SELECT id, 5, 0 FROM users",
            "room 5 is direct, and 3 people",
        ),
    ] {
        let place = Place::new();
        let (mut store, anna, general) = started(&place);
        store.job(|w| w.name_history()).unwrap();
        for login in ["bo", "cem"] {
            store.job(|w| w.create_user_open(&new(login), 2)).unwrap();
        }
        for n in 0..3 {
            say(&mut store, general, anna, &n.to_string());
        }
        let keeper = Keeper::new(place.path(), &GiveUp::default());
        let sound = keeper.check().unwrap();
        assert_eq!((sound.people, sound.rooms, sound.messages), (3, 1, 3));
        assert_eq!(sound.findings, [""; 0]);
        store.conn.execute_batch(broken).unwrap();
        let report = keeper.check().unwrap();
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.contains(found)),
            "{broken}: {:?}",
            report.findings
        );
        assert!(!report.is_damaged);
    }
}

/// Runs [`what_a_bad_disk_was_said_to_hold_it_holds`] in a process that a command prepares.
#[cfg(unix)]
fn on_a_bad_disk(command: &mut std::process::Command) {
    let place = Place::new();
    let ended = command
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "chat::store::tests::disk::what_a_bad_disk_was_said_to_hold_it_holds",
        ])
        .env("ROOMCAST_BAD_DISK", place.path().parent().unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

/// In a process whose files cannot grow beyond some hundred KiB.
#[test]
#[cfg(unix)]
fn what_was_stored_before_files_could_not_grow_is_kept() {
    let script = "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\"";
    on_a_bad_disk(std::process::Command::new("sh").args(["-c", script]));
}

/// In a process whose flushes fail, and in one whose writes do, for good or a few times.
#[test]
#[cfg(target_os = "linux")]
fn what_was_stored_before_the_disk_failed_is_kept() {
    use std::process::{Command, Stdio};
    let strace = |fault: &str| {
        let mut command = Command::new("strace");
        command.args(["-f", "-o", "/dev/null", "-e", fault]);
        command
    };
    let fsync = "inject=fsync,fdatasync:error=EIO:when=40+";
    let mut trial = strace(fsync);
    trial
        .arg("true")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if !trial.status().is_ok_and(|status| status.success()) {
        return eprintln!("skipped: strace cannot be had here");
    }
    for fault in [
        fsync,
        "inject=fsync,fdatasync:error=EIO:when=60",
        "inject=pwrite64:error=EIO:when=300+",
        "inject=pwrite64:error=ENOSPC:when=300..420",
    ] {
        on_a_bad_disk(&mut strace(fault));
    }
}

/// Also to be run by hand on a disk of its own, say a tmpfs of 512 KiB: whatever that disk does, what was said to be stored is there
/// after opening again.
#[test]
#[ignore = "needs a disk that fails, in ROOMCAST_BAD_DISK: run by `what_was_stored_before_the_disk_failed_is_kept`"]
fn what_a_bad_disk_was_said_to_hold_it_holds() {
    let dir = std::env::var_os("ROOMCAST_BAD_DISK").expect("a folder on a disk that fails");
    let path = Path::new(&dir).join("roomcast.db");
    let mut store = Store::open(&path).unwrap();
    let made = store
        .job(|w| w.create_first_admin(&name("Club"), &new("anna"), 1))
        .unwrap();
    let (anna, general) = (made.user.id, made.members[0].room);
    let (mut stored, mut full, mut failed, mut broken) = (Vec::new(), 0, 0, 0);
    for n in 0..400 {
        let cid = n.to_string();
        match store.job(|w| w.send(general, anna, &cid, &"words ".repeat(50), 7)) {
            Ok(sent) => stored.push((sent.seq, cid)),
            Err(StoreError::Full) => full += 1,
            Err(StoreError::Failed(_)) => failed += 1,
            Err(StoreError::Broken(_)) => broken += 1,
            Err(error) => panic!("{error}"),
        }
    }
    // As after a crash: no check-point, no farewell.
    std::mem::forget(store);
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.quick_check().unwrap(), Soundness::Sound);
    let mut kept: Vec<(i64, String)> = Vec::new();
    loop {
        let from = Span::After(kept.last().map_or(0, |row| row.0));
        let page = reader.job(|r| r.history(general, from, 50)).unwrap();
        kept.extend(page.rows.into_iter().map(|row| (row.seq, row.cid)));
        if page.end {
            break;
        }
    }
    let (said, there) = (stored.len(), kept.len());
    eprintln!("{said} stored, {full} full, {failed} failed, {broken} broken, {there} kept");
    assert!(full + failed + broken > 0, "the disk did not fail");
    assert!(
        kept.starts_with(&stored),
        "all that was acknowledged, in order"
    );
}
