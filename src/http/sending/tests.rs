//! Answers in pieces: what is sent for them, and how the connection goes on.

use std::time::Duration;

use super::*;
use crate::http::Expired;

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// A connection with a request in hand.
fn asked(request: &str) -> Connection {
    let mut connection = Connection::new(Time::ZERO);
    let mut inbox = request.as_bytes().to_vec();
    let limits = config::Http::default();
    let next = connection.next(Time::ZERO, &limits, &mut &mut inbox[..]);
    assert!(next.unwrap().is_some());
    connection
}

fn begin(connection: &mut Connection, status: u16, length: Length) -> (String, After) {
    let (limits, response) = (config::Http::default(), Response::new(status));
    let answer = connection.begin(Now::default(), &limits, &response, length);
    assert!(answer.body.is_empty());
    (
        String::from_utf8(answer.head.to_vec()).unwrap(),
        answer.after,
    )
}

fn piece(connection: &mut Connection, bytes: &'static [u8]) -> Result<Vec<u8>, TooLong> {
    let framed = connection.piece(Time::ZERO, Bytes::from_static(bytes))?;
    Ok(framed.concat())
}

const NEW: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

#[test]
fn each_length_and_version_has_its_framing() {
    let rows = [
        (
            NEW,
            Length::Known(2),
            "Content-Length: 2\r\n",
            "hi",
            After::KeepAlive,
        ),
        (
            NEW,
            Length::Unknown,
            "Transfer-Encoding: chunked\r\n",
            "2\r\nhi\r\n0\r\n\r\n",
            After::KeepAlive,
        ),
        (
            OLD,
            Length::Known(2),
            "Content-Length: 2\r\n",
            "hi",
            After::KeepAlive,
        ),
        (
            OLD,
            Length::Unknown,
            "Connection: close\r\n",
            "hi",
            After::Close,
        ),
    ];
    for (request, length, header, sent, after) in rows {
        let mut connection = asked(request);
        let (head, begun) = begin(&mut connection, 200, length);
        assert!(head.contains(header) && begun == After::Body, "{head}");
        let mut body = piece(&mut connection, b"").unwrap();
        assert!(body.is_empty(), "an empty chunk would be the last");
        body.extend(piece(&mut connection, b"hi").unwrap());
        assert_eq!(connection.poll_finished(Time::ZERO), None);
        body.extend_from_slice(&connection.finish(Time::ZERO).unwrap());
        assert_eq!(String::from_utf8(body).unwrap(), sent);
        assert!(connection.is_sending(), "the client has not taken it yet");
        assert_eq!(connection.poll_finished(Time::ZERO), Some(after));
        assert_eq!(connection.is_idle(), after == After::KeepAlive);
    }
}

#[test]
fn a_large_piece_is_passed_on_as_it_is() {
    let mut connection = asked(NEW);
    begin(&mut connection, 200, Length::Unknown);
    let large = Bytes::from(vec![b'x'; 5000]);
    let [size, bytes, end] = connection.piece(Time::ZERO, large.clone()).unwrap();
    assert_eq!((&*size, &*end), (&b"1388\r\n"[..], &b"\r\n"[..]));
    assert_eq!(bytes.as_ptr(), large.as_ptr());
}

#[test]
fn head_and_answers_without_a_body_are_out_at_once() {
    let rows = [
        (
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            200,
            "Content-Length: 7\r\n",
        ),
        (NEW, 204, "204 No Content"),
        (NEW, 304, "304 Not Modified"),
    ];
    for (request, status, expected) in rows {
        let mut connection = asked(request);
        let (head, after) = begin(&mut connection, status, Length::Known(7));
        assert!(head.contains(expected), "{head}");
        assert_eq!(head.contains("Content-Length"), status == 200);
        assert_eq!(after, After::KeepAlive);
        assert!(connection.is_idle());
    }
}

#[test]
fn a_declared_length_is_kept_to() {
    let mut connection = asked(NEW);
    begin(&mut connection, 200, Length::Known(3));
    assert_eq!(piece(&mut connection, b"ab"), Ok(b"ab".to_vec()));
    assert_eq!(piece(&mut connection, b"cd"), Err(TooLong));
    assert_eq!(connection.finish(Time::ZERO), Err(TooShort { missing: 1 }));
    assert_eq!(piece(&mut connection, b"c"), Ok(b"c".to_vec()));
    assert_eq!(connection.finish(Time::ZERO), Ok(Shared::new()));
    assert_eq!(piece(&mut connection, b"d"), Ok(Vec::new()));
}

#[test]
fn a_client_that_takes_nothing_is_noticed_and_one_that_has_all_is_not() {
    let limits = config::Http::default();
    let mut connection = asked(NEW);
    begin(&mut connection, 200, Length::Unknown);
    assert_eq!(connection.deadline(&limits), Some(at(30)));
    connection.taken(at(20));
    assert_eq!(connection.deadline(&limits), Some(at(50)));
    assert_eq!(connection.poll_finished(at(20)), None);
    assert_eq!(connection.deadline(&limits), None, "nothing waits");
    connection.piece(at(100), Bytes::from_static(b"x")).unwrap();
    connection.piece(at(110), Bytes::from_static(b"y")).unwrap();
    assert_eq!(connection.deadline(&limits), Some(at(130)));
    assert_eq!(connection.elapsed(at(129), &limits), None);
    let elapsed = connection.elapsed(at(130), &limits);
    assert_eq!(elapsed, Some(Expired::Stalled));
}
