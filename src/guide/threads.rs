//! Other threads: work that takes a while, news that come from elsewhere, and what happens later.
//!
//! ```no_run
//! use std::sync::mpsc;
//! use std::thread;
//! use std::time::Duration;
//!
//! use roomcast::reactor::lanes::Worker;
//! use roomcast::server::JobError;
//! use roomcast::{Config, Context, Server};
//!
//! /// What the lane's thread owns: a connection to a database, a cache, a file.
//! struct Archive {
//!     texts: Vec<String>,
//! }
//!
//! impl Worker for Archive {}
//!
//! /// Tells the time, and again in a minute.
//! fn strike(context: &mut Context<'_, ()>) {
//!     let now = context.io.now().wall;
//!     context.io.of("/").emit("time", &(now.0,));
//!     let again = context.io.after(Duration::from_secs(60), strike);
//!     again.expect("this one has left its place");
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let mut server = Server::new(Config::default(), ());
//!     let archive = server.lane("archive", 1000, || Archive { texts: Vec::new() });
//!     server.of("/").on("keep", move |socket, (text,): (String,), ack| {
//!         let job = move |archive: &mut Archive| {
//!             archive.texts.push(text);
//!             archive.texts.len()
//!         };
//!         socket.io.run(archive, job, move |context, outcome| match outcome {
//!             Ok(number) => ack.send(&mut context.io, &number),
//!             Err(JobError::Busy) => ack.send(&mut context.io, &"busy"),
//!             Err(_) => ack.send(&mut context.io, &"failed"),
//!         });
//!     });
//!     let first = server.with(|context| context.io.after(Duration::from_secs(60), strike));
//!     first.expect("nothing waits yet");
//!
//!     let mut listening = server.listen(([127, 0, 0, 1], 3000).into())?;
//!     listening.handle_signals()?;
//!     let handle = listening.handle();
//!     let (_sensor, readings) = mpsc::channel::<f64>();
//!     thread::spawn(move || {
//!         for degrees in readings {
//!             let told = handle.run(move |context| context.io.of("/").emit("degrees", &(degrees,)));
//!             if let Err(error) = told {
//!                 log::warn!("a reading is lost: {error}");
//!             }
//!         }
//!     });
//!     listening.run()
//! }
//! ```
//!
//! ```js
//! const socket = io("http://127.0.0.1:3000");
//! socket.on("degrees", (degrees) => console.log(degrees));
//! const number = await socket.emitWithAck("keep", "a text");
//! ```
//!
//! # Lanes
//!
//! One thread serves all clients, so a handler that waits for a disk keeps everybody waiting. A [lane](crate::Server::lane) is a
//! thread that owns something, made on that thread: no lock, no `Sync`. [`Io::run`](crate::Io::run) sends it a job; what the job
//! returns comes home to a closure on the loop, with the application lent to it again. Meanwhile the socket may have left: find
//! it by its id, or move the [`Ack`](crate::Ack) along, which goes nowhere then.
//!
//! Jobs of one lane run one after the other. Those that wait are bounded; one more is
//! [`JobError::Busy`](crate::server::JobError::Busy) at once, before any thread is troubled. A lane sees all that wait for it as
//! one [batch](crate::reactor::lanes::Worker::batch): a store makes one transaction of it. For more threads, name more lanes.
//!
//! # News from elsewhere
//!
//! A [`Handle`](crate::server::Handle) reaches the loop from any thread, and is cheap to clone. Its closure runs on the loop like a
//! handler. [`letters_max`](crate::config::Reactor::letters_max) may wait (1,024); who posts more is told so.
//! An async runtime is reached in the same way, from both sides: it is just another thread.
//!
//! # Later
//!
//! [`Io::after`](crate::Io::after) runs something after a time, on the loop. [`later_max`](crate::config::SocketIo::later_max) may
//! wait (100,000), and who asks for one more is told so: a client that comes and goes may not fill the memory with what it leaves
//! behind. What is called has left its place, so what goes on by the clock finds one. An idle server sleeps, so let nothing tick
//! that nobody hears. [`Server::with`](crate::Server::with) is for what is to be done before the loop starts.
