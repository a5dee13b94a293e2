//! Redis' protocol: ours beside the two crates of its kind, on what nodes are told.
//!
//! What comes is read in pieces, as a socket gives them; of each value only its texts are looked at.

use bytes::{Bytes, BytesMut};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use roomcast::cluster::properties;

/// As much as the loop reads at once.
const READ_BYTES: usize = 64 * 1024;

/// A broadcast of 64 bytes, as Redis tells it, so many times.
fn broadcasts() -> Vec<u8> {
    let payload = "x".repeat(100);
    let pattern = "socket.io#/#*";
    let one = format!(
        ">4\r\n$8\r\npmessage\r\n${}\r\n{pattern}\r\n$12\r\nsocket.io#/#\r\n${}\r\n{payload}\r\n",
        pattern.len(),
        payload.len()
    );
    one.repeat(400).into_bytes()
}

/// One of a megabyte.
fn large() -> Vec<u8> {
    let payload = vec![b'x'; 1024 * 1024];
    let mut bytes = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1048576\r\n".to_vec();
    bytes.extend_from_slice(&payload);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// What is read, and how it is cut.
#[derive(Clone, Copy, Debug)]
enum Sample {
    Broadcasts,
    BroadcastsInSegments,
    Large,
}

const SAMPLES: [Sample; 3] = [
    Sample::Broadcasts,
    Sample::BroadcastsInSegments,
    Sample::Large,
];

impl Sample {
    fn bytes(self) -> (Vec<u8>, usize) {
        match self {
            Self::Broadcasts => (broadcasts(), READ_BYTES),
            Self::BroadcastsInSegments => (broadcasts(), 1448),
            Self::Large => (large(), READ_BYTES),
        }
    }
}

fn read(bencher: Bencher<'_, '_>, sample: Sample, read: impl Fn(&[u8], usize) -> usize + Sync) {
    let (bytes, piece) = sample.bytes();
    let expected = properties::read(&bytes, piece);
    bencher.counter(BytesCount::of_slice(&*bytes)).bench(|| {
        let texts = read(black_box(&bytes), piece);
        assert_eq!(texts, expected);
    });
}

#[divan::bench(args = SAMPLES)]
fn ours(bencher: Bencher<'_, '_>, sample: Sample) {
    read(bencher, sample, properties::read);
}

#[divan::bench(args = SAMPLES)]
fn resp_rs(bencher: Bencher<'_, '_>, sample: Sample) {
    use resp_rs::resp3::{Frame, Parser};
    read(bencher, sample, |bytes, piece| {
        let (mut parser, mut texts) = (Parser::new(), 0);
        for piece in bytes.chunks(piece) {
            parser.feed(Bytes::copy_from_slice(piece));
            while let Some(frame) = parser.next_frame().expect("it is Redis that speaks") {
                let Frame::Push(values) = frame else {
                    unreachable!("there are only pushes")
                };
                let lengths = values.iter().filter_map(Frame::as_bytes).map(Bytes::len);
                texts += lengths.sum::<usize>();
            }
        }
        texts
    });
}

#[divan::bench(args = SAMPLES)]
fn redis_protocol(bencher: Bencher<'_, '_>, sample: Sample) {
    use redis_protocol::resp3::decode::complete::decode_bytes_mut;
    use redis_protocol::resp3::types::{BytesFrame, Resp3Frame};
    read(bencher, sample, |bytes, piece| {
        let (mut buffer, mut texts) = (BytesMut::new(), 0);
        for piece in bytes.chunks(piece) {
            buffer.extend_from_slice(piece);
            while let Some((frame, _, _)) =
                decode_bytes_mut(&mut buffer).expect("it is Redis that speaks")
            {
                let BytesFrame::Push { data, .. } = frame else {
                    unreachable!("there are only pushes")
                };
                let lengths = data
                    .iter()
                    .filter_map(|value| Some(value.as_bytes()?.len()));
                texts += lengths.sum::<usize>();
            }
        }
        texts
    });
}
