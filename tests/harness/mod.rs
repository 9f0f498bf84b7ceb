//! Fixture programs as processes: started, listened to, signalled, and cleaned up.
//!
//! A test waits for a line, a message or an end, never for a while. Every wait has one generous
//! [`LIMIT`], which only ends a test that has failed. When a test fails, everything that its program
//! has printed is printed again.
//!
//! ```text
//! let greeter = fixture!("greeter").args(["--workers", "2"]).start();
//! let workers = greeter.ready(2);
//! greeter.signal(Signal::SIGTERM);
//! assert_eq!(greeter.exit_code(), 0);
//! ```

mod client;
mod control;
mod crowd;
mod fixture;
mod line;
mod lines;
mod notify;
mod processes;
mod program;
mod scratch;

use std::time::Duration;

pub use client::Client;
pub use control::{ask, try_ask};
pub use crowd::{Crowd, Failure, Habit, Tally, Target};
pub use fixture::Fixture;
pub use line::{Worker, field, stamp, writer};
pub use lines::Lines;
pub use notify::NotifySocket;
pub use processes::{
    become_reaper, children, descriptors, exit_of_orphan, is_gone, kill, memory, open_files,
    parent, prlimit, processor_time, state, until, zombies,
};
pub use program::Program;
pub use scratch::Scratch;

/// How long anything is waited for before the test has failed.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Names a fixture program of this package, to be started.
#[macro_export]
macro_rules! fixture {
    ($name:literal) => {
        $crate::harness::Program::new(env!(concat!("CARGO_BIN_EXE_", $name)))
    };
}
