//! The parts that each message passes through, one by one and without a kernel.
//!
//! A message is the one of the load bench: 64 bytes of payload in an event. A name given to the command picks some of
//! them: `cargo bench --manifest-path benches/codecs/Cargo.toml -- websocket`.

use std::time::Duration;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

mod resp;

/// Packets of one payload, frames of one read.
const SEVERAL: usize = 16;
/// Sockets of a namespace, timers of a loop.
const MANY: u32 = 10_000;
const ROOM_MEMBERS: u32 = 10;

/// So that one slow moment is not a tenth of a measurement.
const EACH_FOR_AT_LEAST: Duration = Duration::from_millis(100);

fn main() {
    divan::Divan::from_args().min_time(EACH_FOR_AT_LEAST).main();
}

/// A message of Engine.IO: the packet of Socket.IO behind its digit.
fn message() -> String {
    format!("42[\"msg\",\"{}\"]", "x".repeat(64))
}

mod socketio_packet {
    use super::*;
    use roomcast::config::SocketIo;
    use roomcast::socketio::packet::{EventName, decode, write_event};

    #[divan::bench]
    fn read(bencher: Bencher<'_, '_>) {
        let (message, limits) = (message(), SocketIo::default());
        let packet = &message[1..];
        bencher.counter(BytesCount::of_str(packet)).bench(|| {
            let packet = decode(black_box(packet), &limits).expect("it is one");
            black_box(packet.event().is_some())
        });
    }

    #[divan::bench]
    fn write(bencher: Bencher<'_, '_>) {
        let arguments = format!("\"{}\"", "x".repeat(64));
        let mut out = Vec::with_capacity(256);
        bencher.bench_local(|| {
            out.clear();
            let name = EventName::Text("msg".into());
            write_event(
                &mut out,
                "/",
                None,
                0,
                black_box(&name),
                black_box(arguments.as_bytes()),
            );
            black_box(out.len())
        });
    }
}

mod engineio_payload {
    use super::*;
    use roomcast::engineio::packet::Packet;
    use roomcast::engineio::payload::{Packets, join};

    #[divan::bench(args = [1, SEVERAL])]
    fn read(bencher: Bencher<'_, '_>, count: usize) {
        let body = vec![message(); count].join("\u{1e}");
        bencher
            .counter(ItemsCount::new(count))
            .bench(|| Packets::new(black_box(&body)).filter(Result::is_ok).count());
    }

    #[divan::bench(args = [1, SEVERAL])]
    fn write(bencher: Bencher<'_, '_>, count: usize) {
        let text = message();
        let packet = Packet::message(|out| out.extend_from_slice(&text.as_bytes()[1..]));
        let packets = vec![packet; count];
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| join(black_box(packets.iter())));
    }
}

mod websocket {
    use super::*;
    use roomcast::config::WebSocket;
    use roomcast::websocket::{Reader, frame};

    const MASK: [u8; 4] = [0x5a, 0xa5, 0x3c, 0xc3];

    /// As a client sends them, one behind the other.
    fn masked(text: &str, count: usize) -> Vec<u8> {
        let length = u16::try_from(text.len()).expect("it is short");
        let mut frame = match u8::try_from(length) {
            Ok(length @ 0..=125) => vec![0x81, 0x80 | length],
            _ => [&[0x81, 0x80 | 126], &length.to_be_bytes()[..]].concat(),
        };
        frame.extend_from_slice(&MASK);
        frame.extend(
            text.bytes()
                .zip(MASK.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        frame.repeat(count)
    }

    fn read_all(reader: &mut Reader, limits: &WebSocket, mut input: &mut [u8]) -> usize {
        let mut count = 0;
        while let Ok(Some(message)) = reader.next(limits, None, &mut input) {
            black_box(&message);
            count += 1;
        }
        count
    }

    #[divan::bench(args = [1, SEVERAL])]
    fn read(bencher: Bencher<'_, '_>, count: usize) {
        let (frames, limits) = (masked(&message(), count), WebSocket::default());
        let mut reader = Reader::new();
        bencher
            .counter(ItemsCount::new(count))
            .with_inputs(|| frames.clone())
            .bench_local_refs(|input| read_all(&mut reader, &limits, input));
    }

    #[divan::bench(args = [1024, 16_384])]
    fn read_large(bencher: Bencher<'_, '_>, bytes: usize) {
        let (frames, limits) = (masked(&"x".repeat(bytes), 1), WebSocket::default());
        let mut reader = Reader::new();
        bencher
            .counter(BytesCount::new(bytes))
            .with_inputs(|| frames.clone())
            .bench_local_refs(|input| read_all(&mut reader, &limits, input));
    }

    #[divan::bench]
    fn write(bencher: Bencher<'_, '_>) {
        let text = message();
        bencher.bench(|| frame::text(black_box(&text)));
    }
}

mod http {
    use super::*;
    use roomcast::config::Http;
    use roomcast::http::{Connection, query};
    use roomcast::time::Time;

    const POLL: &str = "GET /socket.io/?EIO=4&transport=polling&sid=abcdefghijklmnopqrst HTTP/1.1\r\n\
        Host: chat.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
        Accept: */*\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n\
        Connection: keep-alive\r\nReferer: https://chat.example.org/\r\nCookie: sid=0123456789abcdef\r\n\r\n";

    #[divan::bench]
    fn request(bencher: Bencher<'_, '_>) {
        let limits = Http::default();
        bencher
            .with_inputs(|| (Connection::new(Time::ZERO), POLL.as_bytes().to_vec()))
            .bench_local_refs(|(connection, input)| {
                let request = connection.next(Time::ZERO, &limits, &mut &mut input[..]);
                black_box(request.is_ok_and(|request| request.is_some()))
            });
    }

    #[divan::bench]
    fn query_value(bencher: Bencher<'_, '_>) {
        let text = "EIO=4&transport=polling&sid=abcdefghijklmnopqrst";
        bencher.bench(|| query::value(black_box(text), "sid"));
    }
}

mod rooms {
    use super::*;
    use roomcast::sid::Sid;
    use roomcast::slots::Id;
    use roomcast::socketio::{Adapter, SocketKey};

    fn key(number: u32) -> SocketKey {
        Id::from_parts(number, 0)
    }

    /// Many sockets, in rooms of ten.
    fn full() -> Adapter {
        let mut adapter = Adapter::new();
        for number in 0..MANY {
            adapter.add(key(number), id(number));
            adapter.join(key(number), &room(number));
        }
        adapter
    }

    /// Scattered like those of a server, which are drawn at random.
    fn id(number: u32) -> Sid {
        let scattered = u64::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Sid::parse(&format!("{scattered:016x}{:04x}", number & 0xffff)).expect("it is an id")
    }

    fn room(number: u32) -> String {
        format!("r{}", number / ROOM_MEMBERS)
    }

    #[divan::bench]
    fn join_and_leave(bencher: Bencher<'_, '_>) {
        let mut adapter = full();
        bencher.bench_local(|| {
            adapter.join(black_box(key(77)), "another");
            adapter.leave(black_box(key(77)), "another")
        });
    }

    #[divan::bench]
    fn come_and_go(bencher: Bencher<'_, '_>) {
        let mut adapter = full();
        let id = id(MANY);
        bencher.bench_local(|| {
            adapter.add(black_box(key(MANY)), id);
            adapter.join(key(MANY), "r7");
            adapter.remove(key(MANY));
        });
    }

    fn select(bencher: Bencher<'_, '_>, to: &[&str], except: &[&str], count: usize) {
        let mut adapter = full();
        let mut into = Vec::with_capacity(count);
        bencher.counter(ItemsCount::new(count)).bench_local(|| {
            into.clear();
            adapter.select(black_box(to), black_box(except), &mut into);
            black_box(into.len())
        });
    }

    #[divan::bench]
    fn select_one_room(bencher: Bencher<'_, '_>) {
        select(bencher, &["r77"], &[], ROOM_MEMBERS as usize);
    }

    #[divan::bench]
    fn select_two_rooms(bencher: Bencher<'_, '_>) {
        select(bencher, &["r77", "r78"], &[], 2 * ROOM_MEMBERS as usize);
    }

    #[divan::bench]
    fn select_all(bencher: Bencher<'_, '_>) {
        select(bencher, &[], &[], MANY as usize);
    }

    #[divan::bench]
    fn select_all_but_a_room(bencher: Bencher<'_, '_>) {
        select(bencher, &[], &["r77"], (MANY - ROOM_MEMBERS) as usize);
    }
}

mod timers {
    use super::*;
    use roomcast::time::Time;
    use roomcast::timers::Timers;

    const HEARTBEAT_MICROS: u64 = 25_000_000;

    /// A heartbeat each, spread over their period.
    fn full() -> Timers<u32> {
        let mut timers = Timers::new();
        for number in 0..MANY {
            let at = u64::from(number) * HEARTBEAT_MICROS / u64::from(MANY);
            timers.arm(Time(at), number);
        }
        timers
    }

    #[divan::bench]
    fn arm_and_cancel(bencher: Bencher<'_, '_>) {
        let mut timers = full();
        bencher.bench_local(|| {
            let id = timers.arm(black_box(Time(HEARTBEAT_MICROS)), 0);
            timers.cancel(id)
        });
    }

    /// What comes of a heartbeat: the earliest fires and is armed again.
    #[divan::bench]
    fn fire_and_arm(bencher: Bencher<'_, '_>) {
        let mut timers = full();
        bencher.bench_local(|| {
            let due = timers.next_due().expect("there are many");
            let key = timers.pop_due(due).expect("it is due");
            timers.arm(Time(due.0 + HEARTBEAT_MICROS), key)
        });
    }
}
