//! Backups while the chat runs, and what becomes of everybody when one is restored.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::client::Client;
use crate::disk::works;
use crate::process::{Place, Roomcast, binary};

#[test]
fn a_restored_backup_is_what_everybody_finds_and_what_was_there_before_is_kept() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let cookie = server.set_up();
    let mut ada = server.client(&cookie);
    let general = ada.general();
    for n in 0..4 {
        ada.tell(general, &format!("old{n}"), "before the backup")
            .unwrap();
    }
    let backup = place.done(&["backup"]);
    let (backup, _) = backup.split_once(" (").unwrap();
    let last = ada.tell(general, "new", "after the backup").unwrap();
    assert_eq!((&last["seq"], &last["rev"]), (&json!(5), &json!(5)));

    // While the server runs: it begins anew, at the same address.
    let said = place.done(&["restore", backup]);
    assert!(
        said.starts_with("Restored: 1 account, 1 room, 4 messages."),
        "{said}"
    );
    ada.event("server:restarting").unwrap();
    ada.outlive();
    server.begins_anew();
    let before = ada.hello["database"].clone();
    let mut ada = server.client(&cookie);
    assert_ne!(ada.hello["database"], before, "another history");
    let rows = ada.rows(general).unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(ada.hello["rooms"][0]["rev"], 1_000_004);
    // Who knows more than there is begins anew.
    let sync = ada
        .ask("sync", &json!({ "room": general, "rev": 5 }))
        .unwrap();
    assert_eq!(sync["reset"], true);
    assert_eq!(sync["rows"].as_array().unwrap().len(), 4);
    // The same id is a new message now.
    let again = ada.tell(general, "new", "after the restore").unwrap();
    assert_eq!((&again["seq"], &again["dup"]), (&json!(5), &json!(false)));
    assert!(place.done(&["check"]).starts_with("All is well"));

    // Without a server: the other way round, with what was kept.
    assert_eq!(server.terminate(), 0);
    let replaced: Vec<_> = place
        .backups()
        .into_iter()
        // With its log, if who closed it last was not who writes.
        .filter(|path| path.extension().is_some_and(|ending| ending == "db"))
        .filter(|path| path.to_str().unwrap().contains("replaced-"))
        .collect();
    assert_eq!(replaced.len(), 1, "{replaced:?}");
    place.done(&["restore", replaced[0].to_str().unwrap()]);
    let server = Roomcast::start(&place);
    let mut ada = server.client(&cookie);
    let rows = ada.rows(general).unwrap();
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[4]["text"], "after the backup");
}

#[test]
fn what_is_no_backup_of_ours_changes_nothing() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let cookie = server.set_up();
    assert_eq!(server.terminate(), 0);
    place.fill(100, &"some words ".repeat(30));
    let server = Roomcast::start(&place);
    let mut ada = server.client(&cookie);
    let general = ada.general();
    let backup = place.done(&["backup"]);
    let (backup, _) = backup.split_once(" (").unwrap();
    let mut bytes = fs::read(backup).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let letter = dir.path().join("letter.db");
    fs::write(&letter, "Dear diary").unwrap();
    let half = bytes.len() / 2;
    for byte in &mut bytes[half..] {
        *byte ^= 0x55;
    }
    let damaged = dir.path().join("damaged.db");
    fs::write(&damaged, &bytes).unwrap();
    let cut = dir.path().join("cut.db");
    fs::write(&cut, &bytes[..half]).unwrap();

    let database = place.database();
    let missing = dir.path().join("missing.db");
    let wrong = [
        (&letter, 65, "is not a backup of a Roomcast."),
        (&damaged, 65, "damaged"),
        (&cut, 65, "damaged"),
        (&database, 64, "That is the database itself"),
        (&missing, 66, "cannot be read"),
    ];
    let all_are_refused = || {
        for (path, code, why) in wrong {
            let (status, said) = place.refused(&["restore", path.to_str().unwrap()]);
            assert_eq!(status, code, "{said}");
            assert!(
                said.contains(why) && said.contains("Nothing was changed."),
                "{said}"
            );
        }
    };
    all_are_refused();
    assert_eq!(ada.rows(general).unwrap().len(), 100, "the chat goes on");
    assert_eq!(server.terminate(), 0);
    all_are_refused();
    let server = Roomcast::start(&place);
    assert_eq!(server.client(&cookie).rows(general).unwrap().len(), 100);
    let names: Vec<_> = fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("restor"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn an_admin_fetches_a_backup_and_nobody_else_does() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let ada = server.set_up();
    let bo = server.join("bo");
    assert_eq!(server.terminate(), 0);
    place.fill(50, &"many words ".repeat(300));
    let server = Roomcast::start(&place);
    let get = |cookie: &str, more: &str| {
        server.request(
            &format!("GET /backup HTTP/1.1\r\nCookie: sid={cookie}\r\n{more}"),
            "",
        )
    };
    assert_eq!(get("nobody", "").0, 401);
    assert_eq!(get(&bo, "").0, 403);
    assert_eq!(get(&ada, "Sec-Fetch-Site: cross-site\r\n").0, 403);
    let (status, head, body) = get(&ada, "");
    assert_eq!(status, 200);
    assert!(head.contains("attachment; filename=\"chat-20"), "{head}");
    assert!(body.len() > 200_000, "{} bytes", body.len());
    assert!(place.backups().is_empty(), "nothing is left of a download");

    let file = place.path().join("backup").join("fetched.db");
    fs::write(&file, body).unwrap();
    let other = Place::new();
    let said = other.done(&["restore", file.to_str().unwrap()]);
    assert!(
        said.starts_with("Restored: 2 accounts, 1 room, 50 messages."),
        "{said}"
    );

    // And by an event, beside the database.
    assert!(Client::open_in(server.address(), &bo, "/admin,").is_err());
    let mut admin = Client::open_in(server.address(), &ada, "/admin,").unwrap();
    let yes = admin.ask("backup:now", &json!({})).unwrap();
    let file = place
        .path()
        .join("backup")
        .join(yes["file"].as_str().unwrap());
    assert_eq!(
        fs::metadata(&file).unwrap().len(),
        yes["bytes"].as_u64().unwrap()
    );
}

/// A folder and what is in it, as it is on disk just now.
fn copied(place: &Place) -> Place {
    let copy = Place::new();
    fs::create_dir(copy.path().join("backup")).unwrap();
    for (from, to) in [
        (place.path().to_owned(), copy.path().to_owned()),
        (place.path().join("backup"), copy.path().join("backup")),
    ] {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }
    copy
}

#[test]
fn a_restore_that_is_killed_at_any_rename_is_done_by_the_next_start_or_was_not_begun() {
    // The process ends before its rename of that number is made.
    let killed_at = |number: usize| {
        let mut command = Command::new("strace");
        command
            .args(["-D", "-f", "-o", "/dev/null", "-e"])
            .arg("trace=rename,renameat,renameat2")
            .arg("-e")
            .arg(format!(
                "inject=rename,renameat,renameat2:signal=KILL:when={number}"
            ));
        command
    };
    if !works(killed_at(1).arg("true"), "strace") {
        return;
    }
    let place = Place::new();
    let mut server = Roomcast::start(&place);
    let cookie = server.set_up();
    let mut ada = server.client(&cookie);
    let general = ada.general();
    ada.tell(general, "old", "before the backup").unwrap();
    place.done(&["backup"]);
    ada.tell(general, "new", "after the backup").unwrap();
    // Without a word, so that there is a log which has to go along.
    server.kill();

    let mut kills = 0;
    loop {
        let place = copied(&place);
        let backup = place.backups().remove(0);
        let ended = killed_at(kills + 1)
            .arg(binary())
            .arg("restore")
            .arg(backup)
            .arg("--data")
            .arg(place.path())
            .output()
            .unwrap();
        let server = Roomcast::start(&place);
        let mut ada = server.client(&cookie);
        let said = |rows: &[serde_json::Value]| -> Vec<String> {
            let text = |row: &serde_json::Value| row["text"].as_str().unwrap().to_owned();
            rows.iter().map(text).collect()
        };
        let rows = said(&ada.rows(general).unwrap());
        let all = ["before the backup", "after the backup"];
        if kills == 0 {
            assert_eq!(rows, all, "nothing was ready yet");
        } else {
            assert_eq!(rows, all[..1], "killed at rename {}", kills + 1);
            // What was there before is a backup now.
            let kept = place.backups().into_iter().find(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                name.starts_with("replaced-") && name.ends_with(".db")
            });
            assert_eq!(server.terminate(), 0);
            let said = place.done(&["restore", kept.unwrap().to_str().unwrap()]);
            assert!(said.contains("2 messages"), "{said}");
        }
        if ended.status.success() {
            break;
        }
        kills += 1;
    }
    // What is ready gets its name, the database and its log go, and the new one comes.
    assert_eq!(kills, 4);
}
