//! Commands from the terminal, with a server and without.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

use serde_json::json;

use crate::process::{Place, Roomcast};

#[test]
fn what_the_shell_asks_is_done_by_the_server_that_runs_and_without_one_by_itself() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let (code, said) = place.refused(&["invite"]);
    assert_eq!(code, 69);
    assert!(said.contains("Nobody has set this chat up yet"), "{said}");
    let ada = server.set_up();
    let mut ada = server.client(&ada);
    let general = ada.general();

    let everything = |when: &str| {
        let list = place.done(&["user", "list"]);
        let lines: Vec<_> = list.lines().collect();
        assert!(lines[0].starts_with("LOGIN"), "{when}: {list}");
        let is_ada = |line: &&str| line.starts_with("ada ") && line.contains("admin");
        assert!(lines.iter().any(is_ada), "{when}: {list}");
        let check = place.done(&["check"]);
        assert!(check.starts_with("All is well: "), "{when}: {check}");
        let backup = place.done(&["backup"]);
        let (file, _) = backup.split_once(" (").unwrap();
        let mode = fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{when}");
        assert!(
            file.contains("/backup/chat-20") && file.ends_with("Z.db"),
            "{when}: {file}"
        );
        let invite = place.done(&["invite"]);
        let link = invite.lines().next().unwrap();
        link.rsplit_once('/').unwrap().1.to_owned()
    };
    let code = everything("with a server");
    assert!(place.path().join("control.sock").exists());
    server.join_by("bo", Some(&code));
    assert_eq!(ada.event("person").unwrap()["login"], "bo");
    ada.tell(general, "c1", "still here").unwrap();

    assert_eq!(server.terminate(), 0);
    assert!(!place.path().join("control.sock").exists());
    let code = everything("without a server");
    let server = Roomcast::start(&place);
    server.join_by("cem", Some(&code));
    let list = place.done(&["user", "list"]);
    assert_eq!(list.lines().count(), 4, "{list}");
}

#[test]
fn nothing_over_the_network_reaches_the_door_of_the_shell() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let list = json!({ "do": "user-list" }).to_string();
    let post = "POST /control HTTP/1.1\r\nContent-Type: application/json\r\n";
    assert_eq!(server.request(post, &list).0, 404);
    let forged = "POST /control HTTP/1.1\r\nX-Forwarded-For: unix\r\n";
    assert_eq!(server.request(forged, &list).0, 404);

    let path = place.path().join("control.sock");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for (body, status) in [("{}", "400"), ("{\"do\":\"rm\"}", "400"), (&list, "200")] {
        let mut door = UnixStream::connect(&path).unwrap();
        write!(
            door,
            "POST /control HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        door.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
}

#[test]
fn a_command_that_cannot_be_done_says_why_and_has_the_exit_code_for_it() {
    let place = Place::new();
    let nowhere = Place::new();
    fs::remove_dir(nowhere.path()).unwrap();
    let (code, said) = nowhere.refused(&["check"]);
    assert_eq!(code, 66);
    assert!(said.contains("There is no folder "), "{said}");
    assert!(!nowhere.path().exists(), "and none was made");

    let (code, said) = place.refused(&["user", "list"]);
    assert_eq!(code, 69);
    assert!(said.contains("There is no chat in "), "{said}");
    assert!(!place.database().exists(), "and none was made");

    let (code, _) = place.refused(&["restore", "/nonexistent/backup.db"]);
    assert_eq!(code, 66);

    // A server whose door was taken away.
    let mut server = Roomcast::start(&place);
    fs::remove_file(place.path().join("control.sock")).unwrap();
    let (code, said) = place.refused(&["check"]);
    assert_eq!(code, 69);
    assert!(said.contains("does not answer"), "{said}");

    // What a kill leaves there keeps nobody from anything.
    server.kill();
    let mut server = Roomcast::start(&place);
    server.kill();
    assert!(place.path().join("control.sock").exists());
    place.done(&["check"]);
    let server = Roomcast::start(&place);
    assert!(
        place
            .done(&["check"])
            .starts_with("All is well: 0 accounts")
    );
    assert_eq!(server.terminate(), 0);
}

#[test]
fn a_damaged_database_is_found_by_the_check() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    server.set_up();
    assert_eq!(server.terminate(), 0);
    place.fill(100, &"some words ".repeat(30));
    let mut bytes = fs::read(place.database()).unwrap();
    let half = bytes.len() / 2;
    for byte in &mut bytes[half..] {
        *byte ^= 0x55;
    }
    fs::write(place.database(), bytes).unwrap();
    let (code, said) = place.refused(&["check"]);
    assert!(matches!(code, 65 | 74), "{code}: {said}");
}

#[test]
fn accounts_are_made_reset_and_ranked_with_a_server_and_without() {
    let place = Place::new();
    let server = Roomcast::start(&place);
    let ada = server.set_up();
    let mut client = server.client(&ada);
    let link = |said: &str, site: &str| {
        let line = said.lines().next().unwrap();
        line.strip_prefix(&format!("{site}/reset/"))
            .unwrap()
            .to_owned()
    };
    let site = format!("http://{}", server.address());
    let said = place.done(&[
        "user",
        "add",
        "bo",
        "--name",
        "Bo B.",
        "--role",
        "moderator",
    ]);
    let person = client.event("person").unwrap();
    assert_eq!(
        (&person["login"], &person["name"], &person["role"]),
        (&json!("bo"), &json!("Bo B."), &json!("moderator"))
    );
    // A link opens once, and what it sets is the password.
    let open = |server: &Roomcast, code: &str, password: &str| {
        server
            .post("/reset", &json!({ "code": code, "password": password }))
            .0
    };
    let sign_in = |server: &Roomcast, password: &str| {
        server
            .post("/session", &json!({ "login": "bo", "password": password }))
            .0
    };
    let code = link(&said, &site);
    assert_eq!(open(&server, &code, "first password"), 200);
    assert_eq!(open(&server, &code, "second password"), 410);
    assert_eq!(sign_in(&server, "first password"), 200);
    let code = link(&place.done(&["user", "reset", "bo"]), &site);
    assert_eq!(
        sign_in(&server, "first password"),
        200,
        "until then the old one holds"
    );

    let refusals = |when: &str| {
        for (words, code, why) in [
            (&["user", "add", "b0", "--name", "X"][..], 77, "is taken"),
            (&["user", "add", "x"], 64, "too short"),
            (&["user", "add", "fine", "--name", " "], 64, "too short"),
            (
                &["user", "reset", "nobody"],
                67,
                "Nobody signs in as nobody.",
            ),
            (
                &["user", "role", "nobody", "admin"],
                67,
                "Nobody signs in as nobody.",
            ),
            (
                &["user", "role", "ada", "member"],
                77,
                "There must be an admin.",
            ),
        ] {
            let (status, said) = place.refused(words);
            assert_eq!(status, code, "{when}: {words:?}: {said}");
            assert!(said.contains(why), "{when}: {words:?}: {said}");
        }
    };
    refusals("with a server");
    assert_eq!(
        place.done(&["user", "role", "bo", "admin"]),
        "bo is admin from now on.\n"
    );
    assert_eq!(client.event("person").unwrap()["role"], "admin");
    place.done(&["user", "role", "bo", "member"]);

    assert_eq!(server.terminate(), 0);
    refusals("without a server");
    place.done(&["user", "role", "bo", "moderator"]);
    let said = place.done(&["user", "add", "cem", "--role", "admin"]);
    assert!(said.contains("sets the password of cem"), "{said}");
    let server = Roomcast::start(&place);
    assert_eq!(open(&server, &code, "third password"), 200);
    assert_eq!(sign_in(&server, "first password"), 401);
    assert_eq!(sign_in(&server, "third password"), 200);
    let code = link(&said, "http://127.0.0.1:3000");
    assert_eq!(open(&server, &code, "password of cem"), 200);
    let list = place.done(&["user", "list"]);
    let line = |login: &str| {
        let line = list
            .lines()
            .find(|line| line.starts_with(&format!("{login} ")));
        line.unwrap().split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        [line("ada"), line("bo"), line("cem")],
        ["admin", "moderator", "admin"]
    );
}
