//! Work that takes a while: a lane, which is a thread with something of its own, here the primes it has found so far. The
//! loop goes on meanwhile, and the client is answered when the job comes home. Listens on 127.0.0.1:3000, or on the
//! address it is given.
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! await socket.emitWithAck("prime", 10_000); // { prime: 104729 }
//! await socket.emitWithAck("prime", 0);      // { error: "from the 1st to the 1000000th" }
//! ```

use std::io;

use roomcast::reactor::lanes::Worker;
use roomcast::server::JobError;
use roomcast::{Config, Server};
use serde_json::json;

const NUMBER_MAX: usize = 1_000_000;
/// Jobs that may wait for the lane; whoever asks beyond that is told to come back.
const WAITING_MAX: usize = 64;

/// What the thread owns. Nobody else ever sees it, so it needs no lock.
struct Primes {
    found: Vec<u32>,
}

impl Worker for Primes {}

impl Primes {
    fn nth(&mut self, number: usize) -> u32 {
        let mut candidate = self.found.last().map_or(2, |last| last + 1);
        while self.found.len() < number {
            let mut small = self.found.iter().take_while(|p| *p * *p <= candidate);
            if !small.any(|p| candidate.is_multiple_of(*p)) {
                self.found.push(candidate);
            }
            candidate += 1;
        }
        self.found[number - 1]
    }
}

fn main() -> io::Result<()> {
    let mut server = Server::new(Config::default(), ());
    let primes = server.lane("primes", WAITING_MAX, || Primes { found: Vec::new() });
    server
        .of("/")
        .on("prime", move |socket, (number,): (usize,), ack| {
            if !(1..=NUMBER_MAX).contains(&number) {
                let error = format!("from the 1st to the {NUMBER_MAX}th");
                return ack.send(&mut socket.io, &json!({ "error": error }));
            }
            // The first closure runs on the lane's thread; the second one here again, when the socket may have left: then
            // the answer goes nowhere.
            let job = move |primes: &mut Primes| primes.nth(number);
            socket.io.run(primes, job, |context, outcome| {
                let answer = match outcome {
                    Ok(prime) => json!({ "prime": prime }),
                    Err(JobError::Busy) => json!({ "error": "busy, come back later" }),
                    Err(_) => json!({ "error": "the job failed" }),
                };
                ack.send(&mut context.io, &answer);
            });
        })
        // Answered at once, however long the primes take.
        .on("ping", |socket, (): (), ack| {
            ack.send(&mut socket.io, &"pong")
        });
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    server.listen(address.parse().expect("an address"))?.run()
}
