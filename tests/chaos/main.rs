//! Random signals to a supervisor and its workers, under load, for a while; then a look at what is left.
//!
//! ```text
//! cargo run -p tests --bin chaos -- --seconds 600 --seed 7
//! ```
//!
//! Prints its seed first: chance draws the same again with the same seed, though the program is never
//! twice at the same point when a signal comes. Ends with code 0 if all is as it has to be, and panics with what is
//! not.

mod hand;
mod verdict;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use tests::harness::{Crowd, Habit, Program, Target, become_reaper};

use hand::Hand;

/// What the program is told.
#[derive(Debug, Parser)]
struct Flags {
    /// For how long signals are sent.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// What chance is made of; any number, another one each time if it is left out.
    #[arg(long)]
    seed: Option<u64>,
    /// How many workers there are at first.
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// How many clients ask all the time.
    #[arg(long, default_value_t = 6)]
    clients: usize,
    /// Whether the program is started anew by USR2 now and then.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    upgrades: bool,
    /// The fixture program `echo`; the one beside this program if it is left out.
    #[arg(long)]
    echo: Option<PathBuf>,
}

fn main() {
    let flags = Flags::parse();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seed = flags
        .seed
        .unwrap_or_else(|| now.unwrap_or_default().as_nanos() as u64 % 1_000_000);
    println!(
        "seed {seed}, {} s, {} workers",
        flags.seconds, flags.workers
    );
    let beside = || {
        let own = std::env::current_exe().expect("this program has a path");
        own.with_file_name("echo")
    };
    // A new supervisor and what is left of an old one are this process's children.
    become_reaper();
    let echo = Program::new(flags.echo.unwrap_or_else(beside))
        .args(["--workers", &flags.workers.to_string()])
        .args(["--heartbeat-timeout", "3s", "--start-timeout", "10s"])
        .args([
            "--drain-timeout",
            "5s",
            "--graceful-shutdown-timeout",
            "10s",
        ])
        .args(["--healthy-after", "100ms", "--respawn-delay", "20ms"])
        .args(["--respawn-delay-max", "500ms"])
        .args(["--set", "echo.greets=true", "--set", "echo.side=true"])
        .start();
    echo.ready(flags.workers);
    let target = Target::of(&echo);
    let pause = Duration::from_millis(1);
    let crowd = Crowd::with(&target, flags.clients, pause, Habit::Greeted);
    let mut hand = Hand::new(&echo, seed, flags.upgrades);
    hand.warm_up();
    verdict::calm(&mut hand);
    let before = verdict::Held::settled(&mut hand);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(flags.seconds) {
        hand.strike();
    }
    hand.let_go();
    let calm = verdict::calm(&mut hand);
    crowd.goes_on_for(200);
    let tally = crowd.end();
    println!("sent: {hand}");
    verdict::nothing_grew(&mut hand, before);
    verdict::only_killed_workers_failed(&echo, &hand, &tally);
    verdict::ends(hand, &calm);
    println!("all is well");
}
