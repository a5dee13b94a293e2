//! Routes whose bodies come and go in pieces: an export at the client's pace, and an upload that is held once.
//!
//! Bytes say where they stand, so that one comparison shows what was lost, doubled or of somebody else.

use std::time::Duration;

use roomcast::http::{Length, Method, Response};
use roomcast::server::{Feed, Part};
use roomcast::{Answer, Server};

use super::app::Town;

/// Bytes of an export that are written at once.
const PIECE_BYTES: usize = 1500;

/// Bytes that say where they stand.
pub fn pattern(start: usize, bytes: usize) -> Vec<u8> {
    let at = |place: usize| (place % 251) as u8;
    (start..start + bytes).map(at).collect()
}

pub fn describe(server: &mut Server<Town>) {
    server.route(Method::Get, "/export", |request| {
        let whole: usize = request.query().parse().unwrap_or_default();
        let length = match whole % 2 {
            0 => Length::Known(whole as u64),
            _ => Length::Unknown,
        };
        let id = request.id();
        request.io.begin(id, &Response::new(200), length);
        let mut written = 0;
        request.io.feed(id, move |context, feed| match feed {
            Feed::Broken(_) => {}
            Feed::More if written == whole => context.io.finish(id),
            Feed::More => {
                let piece = pattern(written, PIECE_BYTES.min(whole - written));
                written += piece.len();
                context.io.write(id, piece).expect("it was asked for");
            }
        });
        Answer::Later
    });
    server.route_in_pieces(Method::Put, "/upload", |request| {
        let id = request.id();
        let mut taken = 0;
        request.io.take(id, None, move |context, part| match part {
            Part::Bytes(bytes) => {
                if bytes != pattern(taken, bytes.len()) {
                    let wrong = format!("I8: an upload is another's from {taken} on");
                    context.app.books.borrow_mut().wrong(wrong);
                }
                if taken == 0 {
                    context.io.hold(id);
                    let pause = Duration::from_millis(50);
                    let later = context
                        .io
                        .after(pause, move |context| context.io.resume(id));
                    later.expect("few wait");
                }
                taken += bytes.len();
            }
            Part::End => context
                .io
                .answer(id, &Response::text(200, taken.to_string())),
            Part::Broken(_) => {}
        });
        Answer::Later
    });
}
