//! Disks that are full or fail, under the whole process.
//!
//! A small file system of its own needs `unshare` and the right to mount, a quota that is used up and a flush that fails need
//! `strace`: where they cannot be had, the test says so and passes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::process::{Place, Roomcast, binary};

/// Whether a command works here, which is said if it does not.
pub(crate) fn works(command: &mut Command, what: &str) -> bool {
    let works = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !works {
        eprintln!("skipped: {what} cannot be had here");
    }
    works
}

/// In a mount namespace of its own, with a file system of 3 MiB at the folder, of which 2 are taken by a file `ballast`.
fn on_a_small_disk() -> Command {
    const SCRIPT: &str = "mount -t tmpfs -o size=3m tmpfs \"$0\" \
        && head -c 2097152 /dev/zero >\"$0/ballast\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "sh", "-c", SCRIPT]);
    command
}

/// Writes a file until its disk has no room for another block.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    let full = loop {
        if let Err(error) = file.write_all(&[0; 4096]) {
            break error;
        }
    };
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
}

/// Ada tells until there is no space, and again when there is some; bo hears what is stored, when it is, and nothing else.
fn tell_through_want_of_space(server: Roomcast, take_space: impl FnOnce(), give: impl FnOnce()) {
    let cookie = server.set_up();
    let mut ada = server.client(&cookie);
    let bo = server.join("bo");
    let mut bo = server.client(&bo);
    let general = ada.general();
    let long = "many words ".repeat(300);

    let (mut stored, mut refused) = (Vec::new(), Vec::new());
    for n in 0..2 {
        stored.push(format!("c{n}"));
        let answer = ada.tell(general, &stored[n], &long).unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
    }
    take_space();
    while refused.len() < 2 {
        let cid = format!("c{}", stored.len() + refused.len());
        let answer = ada.tell(general, &cid, &long).unwrap();
        if answer["ok"] == json!(true) {
            // What the last page of the log had room for.
            assert!(stored.len() < 10 && refused.is_empty());
            stored.push(cid);
        } else {
            assert_eq!(answer["code"], "full", "{answer}");
            refused.push(cid);
        }
    }
    // Reading goes on, and being told: the others have what was stored and nothing else.
    let there = |rows: &[serde_json::Value]| -> Vec<String> {
        let cid = |row: &serde_json::Value| row["cid"].as_str().unwrap().to_owned();
        rows.iter().map(cid).collect()
    };
    assert_eq!(there(&bo.rows(general).unwrap()), stored);
    for cid in &stored {
        assert_eq!(bo.event("message").unwrap()["cid"], **cid);
    }
    ada.send("typing", &json!({ "room": general, "on": true }))
        .unwrap();
    assert_eq!(bo.event("typing").unwrap()["by"], 1);

    give();
    for cid in &refused {
        let answer = ada.tell(general, cid, &long).unwrap();
        assert_eq!(
            (&answer["ok"], &answer["dup"]),
            (&json!(true), &json!(false)),
            "{answer}"
        );
        assert_eq!(bo.event("message").unwrap()["cid"], **cid);
        stored.push(cid.clone());
    }
    assert_eq!(there(&bo.rows(general).unwrap()), stored);
    assert_eq!(server.terminate(), 0);
}

#[test]
fn on_a_full_disk_nothing_is_said_to_be_stored_that_is_not_and_all_is_well_when_there_is_space() {
    let place = Place::new();
    if !works(
        on_a_small_disk().arg(place.path()).arg("true"),
        "a small disk",
    ) {
        return;
    }
    let mut command = on_a_small_disk();
    command
        .arg(place.path())
        .arg(binary())
        .arg("--data")
        .arg(place.path().join("data"));
    let server = Roomcast::start_as(&mut command);
    // Through the eyes of the process: only there is that disk.
    let disk: PathBuf = format!("/proc/{}/root{}", server.id(), place.path().display()).into();
    let give = || std::fs::remove_file(disk.join("ballast")).unwrap();
    tell_through_want_of_space(server, || fill(&disk.join("more")), give);
}

#[test]
fn beyond_a_limit_on_the_size_of_files_all_is_as_on_a_full_disk() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let pid = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
    let limit = |current| {
        let before = prlimit(
            pid,
            Resource::Fsize,
            Rlimit {
                current,
                maximum: None,
            },
        )
        .unwrap();
        assert_eq!(before.maximum, None, "it can be lifted again");
    };
    // The log of the database is what grows.
    let size = || {
        let log = place.path().join("roomcast.db-wal");
        std::fs::metadata(log).unwrap().len()
    };
    tell_through_want_of_space(server, || limit(Some(size() + 5_000)), || limit(None));
    assert!(place.done(&["check"]).starts_with("All is well"));
}

/// Of what `strace` may do to the process: this call fails so, from the one of that number of a thread on.
fn failing(calls: &str, error: &str, when: &str) -> Command {
    let mut command = Command::new("strace");
    command
        .args(["-D", "-f", "-o", "/dev/null", "-e"])
        .arg(format!("trace={calls}"))
        .arg("-e")
        .arg(format!("inject={calls}:error={error}:when={when}"));
    command
}

#[test]
fn over_quota_all_is_as_on_a_full_disk() {
    // Some of the writes of the thread that stores; the start of what is set up has fewer.
    let over_quota = || failing("pwrite64", "EDQUOT", "20..24");
    if !works(over_quota().arg("true"), "strace") {
        return;
    }
    let place = Place::new();
    let server = Roomcast::start(&place);
    let cookie = server.set_up();
    assert_eq!(server.terminate(), 0);
    let mut command = over_quota();
    command.arg(binary()).arg("--data").arg(place.path());
    let server = Roomcast::start_as(&mut command);
    let mut ada = server.client(&cookie);
    let general = ada.general();
    let (mut stored, mut refused) = (Vec::new(), Vec::new());
    // What is refused is told again, until it is stored.
    while stored.len() < 6 {
        let cid = format!("c{}", stored.len());
        let answer = ada.tell(general, &cid, "words").unwrap();
        if answer["ok"] == json!(true) {
            assert_eq!(answer["dup"], false);
            stored.push(cid);
        } else {
            assert_eq!(answer["code"], "full", "{answer}");
            refused.push(cid);
        }
    }
    assert!(!refused.is_empty() && refused.len() < 10, "{refused:?}");
    let rows = ada.rows(general).unwrap();
    let there: Vec<_> = rows.iter().map(|row| row["cid"].clone()).collect();
    assert_eq!(there, stored);
    assert_eq!(server.terminate(), 0);
    assert!(place.done(&["check"]).starts_with("All is well"));
}

#[test]
fn when_the_disk_fails_to_flush_the_server_stops_and_what_was_acknowledged_is_there() {
    // From the fifth flush of a thread on: the start has fewer, and the first change on the thread that writes has two.
    let failing = || failing("fsync,fdatasync", "EIO", "5+");
    if !works(failing().arg("true"), "strace") {
        return;
    }
    let place = Place::new();
    let server = Roomcast::start(&place);
    let cookie = server.set_up();
    assert_eq!(server.terminate(), 0);
    let mut command = failing();
    command.arg(binary()).arg("--data").arg(place.path());
    let mut server = Roomcast::start_as(command.stderr(Stdio::piped()));
    let mut stderr = server.stderr();
    let mut ada = server.client(&cookie);
    let general = ada.general();
    let mut stored = Vec::new();
    for n in 0.. {
        let cid = format!("c{n}");
        match ada.tell(general, &cid, "words") {
            Ok(answer) if answer["ok"] == json!(true) => stored.push(json!(cid)),
            Ok(answer) => {
                assert_eq!(answer["code"], "internal");
                break;
            }
            Err(_) => break,
        }
        assert!(n < 10, "the disk never failed");
    }
    assert_eq!(server.ends(), 71);
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("stopped, so that nothing is lost"), "{said}");
    assert!(!stored.is_empty());

    let server = Roomcast::start(&place);
    let rows = server.client(&cookie).rows(general).unwrap();
    let there: Vec<_> = rows.iter().map(|row| row["cid"].clone()).collect();
    // The one that was refused may be there: nobody knows after a failed flush, and that is why the process stops.
    assert!(
        there.starts_with(&stored),
        "{there:?} begins with {stored:?}"
    );
    assert!(there.len() <= stored.len() + 1);
    assert!(place.done(&["check"]).starts_with("All is well"));
}
