use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn conn(number: u32) -> ConnId {
    ConnId::from_parts(number, 1)
}

fn link(url: &str) -> Link<u32> {
    Link::new(Target::parse(url).unwrap(), config::Cluster::default())
}

fn wanted(link: &mut Link<u32>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(wanted) = link.poll_wanted() {
        all.push(match wanted {
            Carried::Send(_, bytes) => String::from_utf8(bytes.to_vec())
                .unwrap()
                .replace("\r\n", " "),
            other => format!("{other:?}"),
        });
    }
    all
}

fn events(link: &mut Link<u32>) -> Vec<Event<u32>> {
    std::iter::from_fn(|| link.poll_event()).collect()
}

fn at(millis: u64) -> Time {
    Time(millis * 1000)
}

/// A link that is up, at the time zero, with nothing left to tell.
fn up() -> Link<u32> {
    let mut link = link("redis://127.0.0.1");
    link.elapsed(at(0));
    link.connected(at(0), Tag(1), Ok(conn(1)));
    link.received(at(0), conn(1), b"%1\r\n+server\r\n+redis\r\n");
    assert_eq!(events(&mut link), [Event::Up]);
    wanted(&mut link);
    link
}

#[test]
fn it_connects_says_who_it_is_and_is_up() {
    let mut link = link("redis://me:secret@127.0.0.1:7000/2");
    link.elapsed(at(0));
    assert_eq!(wanted(&mut link), ["Connect(Tag(1), 127.0.0.1:7000)"]);
    link.connected(at(1), Tag(1), Ok(conn(1)));
    assert_eq!(
        wanted(&mut link),
        [
            "*7 $5 HELLO $1 3 $4 AUTH $2 me $6 secret $7 SETNAME $8 roomcast ",
            "*2 $6 SELECT $1 2 "
        ]
    );
    link.received(at(2), conn(1), b"%1\r\n+proto\r\n:3\r\n");
    assert!(!link.is_up());
    link.received(at(2), conn(1), b"+OK\r\n");
    assert!(link.is_up());
    assert_eq!(events(&mut link), [Event::Up]);
    assert_eq!(link.deadline(), None, "nothing is owed");
}

#[test]
fn a_name_is_asked_for_and_of_its_addresses_each_is_tried_in_turn() {
    let mut link = link("redis://redis.house");
    let addresses = || {
        Ok(vec![
            "10.0.0.1:6379".parse().unwrap(),
            "10.0.0.2:6379".parse().unwrap(),
        ])
    };
    link.elapsed(at(0));
    assert_eq!(wanted(&mut link), ["Resolve(\"redis.house\", 6379)"]);
    assert_eq!(link.deadline(), None);
    link.resolved(at(1), addresses());
    assert_eq!(wanted(&mut link), ["Connect(Tag(1), 10.0.0.1:6379)"]);
    link.connected(at(2), Tag(1), Err(io::ErrorKind::ConnectionRefused.into()));
    link.elapsed(at(1000));
    link.resolved(at(1001), addresses());
    assert_eq!(wanted(&mut link)[1..], ["Connect(Tag(2), 10.0.0.2:6379)"]);
    link.connected(
        at(1002),
        Tag(2),
        Err(io::ErrorKind::ConnectionRefused.into()),
    );
    link.elapsed(at(3000));
    link.resolved(at(3001), Err(io::ErrorKind::NotFound.into()));
    assert!(link.deadline().is_some(), "it tries again");
}

#[test]
fn answers_come_in_order_also_those_of_subscriptions_and_messages_come_between() {
    let mut link = up();
    for (words, token) in [([&b"A"[..]], 1), ([b"SUBSCRIBE"], 2), ([b"B"], 3)] {
        link.command(at(0), &words, token, SECOND).unwrap();
    }
    assert_eq!(wanted(&mut link).len(), 3);
    link.received(
        at(1),
        conn(1),
        b":7\r\n>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n-NO\r\n",
    );
    let text = |text: &'static str| Value::Text(Bytes::from_static(text.as_bytes()));
    assert_eq!(
        events(&mut link),
        [
            Event::Reply(1, Value::Number(7)),
            Event::Push(vec![text("message"), text("c"), text("x")]),
            Event::Reply(
                2,
                Value::List(vec![text("subscribe"), text("c"), Value::Number(1)])
            ),
            Event::Reply(3, Value::Error("NO".into())),
        ]
    );
    assert_eq!(link.pending_bytes(), 0);
}

#[test]
fn who_does_not_confirm_in_time_is_given_up_and_what_was_pending_is_lost() {
    let mut link = up();
    let within = config::Cluster::default().confirmed_within;
    link.command(at(0), &[b"A"], 1, within).unwrap();
    link.command(at(100), &[b"B"], 2, within).unwrap();
    assert_eq!(link.deadline(), Some(at(0) + within));
    link.elapsed(at(4999));
    assert!(link.is_up());
    link.elapsed(at(5000));
    assert!(wanted(&mut link).contains(&format!("Close({:?})", conn(1))));
    assert_eq!(
        events(&mut link),
        [Event::Lost(1), Event::Lost(2), Event::Down]
    );
    assert_eq!(link.command(at(5000), &[b"C"], 3, within), Err(3));
    link.received(at(5001), conn(1), b"+late\r\n");
    assert!(
        events(&mut link).is_empty(),
        "the old connection is nobody's"
    );
    link.elapsed(link.deadline().unwrap());
    link.connected(at(5200), Tag(2), Ok(conn(2)));
    link.received(at(5200), conn(2), b"+OK\r\n");
    assert_eq!((events(&mut link), link.joined()), (vec![Event::Up], 2));
}

#[test]
fn each_try_in_vain_doubles_the_pause_up_to_its_end() {
    let limits = config::Cluster::default();
    let mut link = link("redis://127.0.0.1");
    let mut now = at(0);
    for tries in 0..10 {
        link.elapsed(now);
        link.connected(
            now,
            Tag(tries + 1),
            Err(io::ErrorKind::ConnectionRefused.into()),
        );
        let pause = link.deadline().unwrap().since(now);
        let whole = limits.retry_after * (1 << tries);
        let whole = whole.min(limits.retry_after_max);
        assert!(
            pause >= whole / 2 && pause <= whole,
            "{pause:?} of {whole:?}"
        );
        now = link.deadline().unwrap();
    }
}

#[test]
fn one_that_is_not_made_or_not_greeted_in_time_is_given_up() {
    let within = config::Cluster::default().connect_within;
    let mut link = link("redis://127.0.0.1");
    link.elapsed(at(0));
    assert_eq!(link.deadline(), Some(at(0) + within));
    link.elapsed(at(0) + within);
    wanted(&mut link);
    link.connected(at(6000), Tag(1), Ok(conn(1)));
    assert_eq!(
        wanted(&mut link),
        [format!("Close({:?})", conn(1))],
        "too late"
    );
    link.elapsed(at(6000));
    link.connected(at(6000), Tag(2), Ok(conn(2)));
    link.elapsed(at(6000) + within);
    assert!(wanted(&mut link).contains(&format!("Close({:?})", conn(2))));
    assert!(events(&mut link).is_empty(), "it never was up");
}

#[test]
fn who_is_not_let_in_or_finds_something_else_there_tries_again() {
    for answer in [
        &b"-WRONGPASS no\r\n"[..],
        b"-ERR unknown command 'HELLO'\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"+OK\r\n+and more\r\n",
    ] {
        let mut link = link("redis://127.0.0.1");
        link.elapsed(at(0));
        link.connected(at(0), Tag(1), Ok(conn(1)));
        link.received(at(0), conn(1), answer);
        assert!(!link.is_up() && link.deadline().is_some());
        assert!(wanted(&mut link).contains(&format!("Close({:?})", conn(1))));
    }
}

#[test]
fn no_more_waits_than_may_and_what_is_confirmed_makes_room() {
    let mut link = up();
    link.limits.waiting_bytes_max = 100;
    let word = [b'x'; 60];
    assert_eq!(link.command(at(0), &[&word], 1, SECOND), Ok(()));
    assert_eq!(link.command(at(0), &[&word], 2, SECOND), Err(2));
    link.received(at(0), conn(1), b":1\r\n");
    assert_eq!(link.command(at(0), &[&word], 3, SECOND), Ok(()));
}

#[test]
fn one_that_was_stopped_stays_so() {
    let mut link = up();
    link.command(at(0), &[b"A"], 1, SECOND).unwrap();
    link.stop();
    assert_eq!(events(&mut link), [Event::Lost(1)]);
    link.closed(at(1), conn(1), &Ok(()));
    assert_eq!((link.deadline(), link.is_up()), (None, false));
}

/// Adds one to each byte that is said and takes one off each that comes; a zero ends it.
#[derive(Debug)]
struct AddOne {
    has_greeted: bool,
}

impl Ciphers for AddOne {
    fn cipher(&self) -> Box<dyn Cipher> {
        Box::new(Self { has_greeted: false })
    }
}

impl Cipher for AddOne {
    fn seal(&mut self, plain: &[u8]) -> Bytes {
        plain.iter().map(|byte| byte + 1).collect()
    }

    fn open(&mut self, input: &[u8], plain: &mut Vec<u8>) -> io::Result<Bytes> {
        if input.contains(&0) {
            return Err(io::Error::other("not from whom it should be"));
        }
        plain.extend(input.iter().map(|byte| byte - 1));
        let is_first = !std::mem::replace(&mut self.has_greeted, true);
        Ok(Bytes::from_static(if is_first {
            b"a word of its own"
        } else {
            b""
        }))
    }
}

#[test]
fn what_is_sealed_goes_and_comes_by_its_cipher_and_each_connection_has_one() {
    let mut link = link("redis://127.0.0.1");
    link.sealed_by(Rc::new(AddOne { has_greeted: false }));
    let more = |text: &[u8]| AddOne { has_greeted: true }.seal(text);
    for tag in 1..3 {
        link.elapsed(link.deadline().unwrap());
        link.connected(at(0), Tag(tag), Ok(conn(1)));
        let greeting = wanted(&mut link).pop().unwrap();
        assert!(greeting.contains("IFMMP"), "{greeting}");
        link.received(at(0), conn(1), &more(b"+OK\r\n"));
        assert!(link.is_up());
        assert_eq!(wanted(&mut link), ["a word of its own"]);
        link.command(at(0), &[b"A"], 1, SECOND).unwrap();
        link.received(at(0), conn(1), &more(b":1\r\n"));
        assert!(events(&mut link).contains(&Event::Reply(1, Value::Number(1))));
        wanted(&mut link);
        link.received(at(0), conn(1), &[0]);
        assert!(!link.is_up());
        assert_eq!(wanted(&mut link), [format!("Close({:?})", conn(1))]);
    }
}
