use std::io::Read as _;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::*;
use crate::http::Response;

fn wanted(headers: &str) -> Coding {
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n").into_bytes();
    Compressor::wanted(&Request::from_head(head).unwrap())
}

fn long() -> Vec<u8> {
    b"4[\"message\",\"hello\"]\x1e".repeat(50)
}

#[test]
fn an_answer_is_coded_as_the_client_would_like_best_and_never_in_brotli() {
    let rows = [
        ("", Coding::Identity),
        ("Accept-Encoding:\r\n", Coding::Identity),
        ("Accept-Encoding: gzip, deflate\r\n", Coding::Gzip),
        ("Accept-Encoding: gzip, deflate, br\r\n", Coding::Gzip),
        ("Accept-Encoding: deflate, gzip\r\n", Coding::Deflate),
        ("Accept-Encoding: deflate\r\n", Coding::Deflate),
        ("Accept-Encoding: GZIP\r\n", Coding::Gzip),
        ("Accept-Encoding: br\r\n", Coding::Identity),
        ("Accept-Encoding: identity\r\n", Coding::Identity),
        ("Accept-Encoding: *\r\n", Coding::Gzip),
        ("Accept-Encoding: *;q=0\r\n", Coding::Identity),
        ("Accept-Encoding: gzip;q=0, *\r\n", Coding::Deflate),
        (
            "Accept-Encoding: gzip;q=0.2, deflate;q=0.3\r\n",
            Coding::Deflate,
        ),
        ("Accept-Encoding: gzip;q=0\r\n", Coding::Identity),
        (
            "Accept-Encoding: identity, gzip;q=0.5\r\n",
            Coding::Identity,
        ),
        ("Accept-Encoding: br;q=1, gzip;q=0.1\r\n", Coding::Gzip),
        ("Accept-Encoding: x-gzip\r\n", Coding::Identity),
    ];
    for (headers, coding) in rows {
        assert_eq!(wanted(headers), coding, "{headers}");
    }
}

#[test]
fn a_request_for_no_body_is_answered_plain() {
    let head = b"HEAD / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n";
    let request = Request::from_head(&head[..]).unwrap();
    assert_eq!(Compressor::wanted(&request), Coding::Identity);
}

#[test]
fn a_compressed_answer_says_so_and_is_the_same_within() {
    let mut compressor = Compressor::new();
    for _ in 0..2 {
        for coding in [Coding::Gzip, Coding::Deflate] {
            let answer = compressor.compressed(coding, 64, Response::text(200, long()));
            assert_eq!(answer.value("content-encoding"), Some(coding.name()));
            assert_eq!(answer.value("vary"), Some("Accept-Encoding"));
            assert!(answer.content().len() < 100);
            let mut back = Vec::new();
            match coding {
                Coding::Gzip => GzDecoder::new(&answer.content()[..]).read_to_end(&mut back),
                _ => ZlibDecoder::new(&answer.content()[..]).read_to_end(&mut back),
            }
            .unwrap();
            assert_eq!(back, long(), "{coding:?}");
        }
    }
}

#[test]
fn an_answer_that_is_short_or_noise_or_coded_already_stays_as_it_is() {
    let mut compressor = Compressor::new();
    let short = Response::text(200, long()[..63].to_vec());
    let kept = compressor.compressed(Coding::Gzip, 64, short.clone());
    assert_eq!(kept, short);
    let coded = Response::text(200, long()).header("Content-Encoding", "br");
    let kept = compressor.compressed(Coding::Gzip, 64, coded.clone());
    assert_eq!(kept, coded);
    // These depend on the request nevertheless, or would for another.
    let noise: Vec<u8> = (0..=255).collect();
    for (coding, body) in [(Coding::Gzip, noise), (Coding::Identity, long())] {
        let answer = compressor.compressed(coding, 64, Response::text(200, body.clone()));
        assert_eq!(answer.value("content-encoding"), None);
        assert_eq!(answer.value("vary"), Some("Accept-Encoding"));
        assert_eq!(answer.content(), &body);
    }
}
