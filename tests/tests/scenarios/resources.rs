//! A machine that is short of processes, threads, descriptors or memory.

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, geteuid};
use tests::fixture;
use tests::harness::{
    Client, Crowd, Fixture, Program, Scratch, Target, kill, processor_time, until,
};

use super::NOISE;

/// How soon all is well again after a limit's end.
const WELL_AGAIN: Duration = Duration::from_secs(1);

/// The words that a supervisor has for a fork that was refused.
const REFUSED: &str = "no new worker, tried again in";

/// A user of its own: limits on the number of processes do not bind root, and count all that a user
/// has.
struct User {
    prefix: Vec<String>,
    /// A copy of the program where every user can reach it.
    copy: Scratch,
}

static NEXT: AtomicU32 = AtomicU32::new(1);

impl User {
    fn new() -> Self {
        let mut prefix = Vec::new();
        if geteuid().is_root() {
            let id = 1_000_000 + std::process::id() * 16 + NEXT.fetch_add(1, Ordering::Relaxed);
            let words = [format!("--reuid={id}"), format!("--regid={id}")];
            prefix.push("setpriv".to_owned());
            prefix.extend(words);
            prefix.push("--clear-groups".to_owned());
        }
        let copy = Scratch::new();
        fs::copy(env!("CARGO_BIN_EXE_echo"), copy.path("echo")).unwrap();
        Self { prefix, copy }
    }

    /// The program, run by this user and through these other words.
    fn echo(&self, through: &[&str]) -> Program {
        let words = self.prefix.iter().map(String::as_str);
        let words: Vec<&str> = words.chain(through.iter().copied()).collect();
        let echo = Program::new(self.copy.path("echo"));
        if words.is_empty() {
            echo
        } else {
            echo.through(words)
        }
    }

    /// Changes a limit of a process, as that process could itself.
    #[track_caller]
    fn limit(&self, pid: Pid, name: &str, soft: u64) {
        let limit = [format!("--pid={pid}"), format!("--{name}={soft}:")];
        let words = self
            .prefix
            .iter()
            .cloned()
            .chain(["prlimit".to_owned()])
            .chain(limit);
        let words: Vec<String> = words.collect();
        let status = Command::new(&words[0]).args(&words[1..]).status();
        assert!(status.is_ok_and(|status| status.success()), "{words:?}");
    }

    #[track_caller]
    fn lift(&self, pid: Pid, name: &str, resource: Resource) -> Instant {
        // As high as it may be.
        self.limit(pid, name, getrlimit(resource).unwrap().1);
        Instant::now()
    }
}

#[track_caller]
fn well_again(since: Instant) {
    let took = since.elapsed();
    println!("well again after {took:?}");
    assert!(took < WELL_AGAIN * NOISE, "{took:?}");
}

#[test]
fn a_fork_that_is_refused_at_the_start_is_tried_until_it_works() {
    let user = User::new();
    let echo = user.echo(&["prlimit", "--nproc=1:"]).start();
    for _ in 0..6 {
        echo.wait_for(REFUSED);
    }
    let lifted = user.lift(echo.pid(), "nproc", Resource::RLIMIT_NPROC);
    echo.ready(2);
    well_again(lifted);
    Client::of(&echo).ask("hello").unwrap();
}

#[test]
fn a_fork_that_is_refused_at_a_respawn_is_tried_until_it_works_and_the_others_serve() {
    let user = User::new();
    let echo = user.echo(&[]).start();
    let workers = echo.ready(2);
    user.limit(echo.pid(), "nproc", 1);
    kill(workers[0].pid, Signal::SIGKILL);
    for _ in 0..6 {
        echo.wait_for(REFUSED);
    }
    let crowd = Crowd::begin(&Target::of(&echo), 4, Duration::from_millis(1));
    crowd.goes_on_for(500);
    let tally = crowd.end();
    tally.is_whole();
    assert!(tally.by.keys().all(|by| *by == workers[1].pid));
    // A reload is refused as a whole, and the program as it is goes on.
    echo.signal(Signal::SIGHUP);
    echo.wait_for("reload refused, nothing is changed");
    let lifted = user.lift(echo.pid(), "nproc", Resource::RLIMIT_NPROC);
    assert_eq!(echo.ready_worker().slot, 0);
    well_again(lifted);
    assert_eq!(echo.settles(2)[1], workers[1]);
}

#[test]
fn a_fork_that_is_refused_in_the_middle_of_a_reload_is_tried_until_it_works() {
    let user = User::new();
    let echo = user.echo(&[]).args(["--set", "echo.boot=500ms"]).start();
    echo.ready(2);
    let crowd = Crowd::begin(&Target::of(&echo), 4, Duration::from_millis(2));
    echo.signal(Signal::SIGHUP);
    echo.wait_for("reload begins generation=2");
    // The first successor is being born, the second will not be.
    user.limit(echo.pid(), "nproc", 1);
    for _ in 0..6 {
        echo.wait_for(REFUSED);
    }
    crowd.goes_on_for(100);
    let lifted = user.lift(echo.pid(), "nproc", Resource::RLIMIT_NPROC);
    echo.wait_for("reloaded generation=2");
    assert!(lifted.elapsed() < WELL_AGAIN * NOISE + Duration::from_millis(500));
    let workers = echo.settles(2);
    assert!(workers.iter().all(|worker| worker.generation == 2));
    crowd.end().is_whole();
}

#[test]
fn a_worker_that_gets_no_thread_is_tried_again_like_one_that_was_not_forked() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can be a user who has nothing else running");
        return;
    }
    let user = User::new();
    let echo = user.echo(&[]).start();
    let workers = echo.ready(2);
    // The supervisor, the other worker's two threads, and one more: a process, but no thread in it.
    user.limit(echo.pid(), "nproc", 4);
    kill(workers[0].pid, Signal::SIGKILL);
    // Long enough that a delay for early deaths would have grown to seconds.
    for _ in 0..10 {
        echo.wait_for("cannot set a worker up: ");
    }
    Client::of(&echo).ask("hello").unwrap();
    let lifted = user.lift(echo.pid(), "nproc", Resource::RLIMIT_NPROC);
    assert_eq!(echo.ready_worker().slot, 0);
    well_again(lifted);
}

/// Lowers the limit of a process to the first number that it has not given to a descriptor: it keeps
/// those that it has, and gets only what it closes among the lower ones.
#[track_caller]
fn exhaust(user: &User, pid: Pid) {
    let path = |number: &u64| format!("/proc/{pid}/fd/{number}");
    let free = (0..).find(|number| fs::symlink_metadata(path(number)).is_err());
    user.limit(pid, "nofile", free.expect("every process has a first gap"));
}

#[test]
fn a_supervisor_without_descriptors_tries_again_and_the_others_serve() {
    let user = User::new();
    let echo = user.echo(&[]).start();
    let workers = echo.ready(2);
    exhaust(&user, echo.pid());
    let before = processor_time(echo.pid());
    let begun = Instant::now();
    kill(workers[1].pid, Signal::SIGKILL);
    for _ in 0..6 {
        echo.wait_for(REFUSED);
    }
    let spent = processor_time(echo.pid()) - before;
    assert!(
        spent < begun.elapsed() / 4,
        "{spent:?} of {:?}",
        begun.elapsed()
    );
    let crowd = Crowd::begin(&Target::of(&echo), 4, Duration::from_millis(1));
    crowd.goes_on_for(500);
    crowd.end().is_whole();
    let lifted = user.lift(echo.pid(), "nofile", Resource::RLIMIT_NOFILE);
    assert_eq!(echo.ready_worker().slot, 1);
    well_again(lifted);
    echo.signal(Signal::SIGHUP);
    echo.wait_for("reloaded generation=2");
}

#[test]
fn a_worker_without_descriptors_does_not_spin_and_takes_its_clients_later() {
    let user = User::new();
    let echo = user.echo(&[]).args(["--workers", "1"]).start();
    let worker = echo.ready(1)[0];
    exhaust(&user, worker.pid);
    let mut clients: Vec<_> = (0..4).map(|_| Client::of(&echo)).collect();
    for client in &mut clients {
        client.say("hello").unwrap();
    }
    echo.wait_for("connections wait until this process can accept them");
    let before = processor_time(worker.pid);
    // Whether it spins shows only with time.
    std::thread::sleep(Duration::from_secs(1));
    let spent = processor_time(worker.pid) - before;
    assert!(spent < Duration::from_millis(250), "{spent:?}");
    let lifted = user.lift(worker.pid, "nofile", Resource::RLIMIT_NOFILE);
    for client in &mut clients {
        assert_eq!(client.answer("hello").unwrap(), worker.pid);
    }
    well_again(lifted);
}

#[test]
fn a_worker_without_memory_dies_alone() {
    let echo: Fixture = fixture!("echo").start();
    let workers = echo.ready(2);
    let mut client = Client::of(&echo);
    let by = client.ask("hello").unwrap();
    let status = fs::read_to_string(format!("/proc/{by}/status")).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let size = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    tests::harness::prlimit(by, &format!("--as={}:", (size.unwrap() + 64 * 1024) * 1024));
    tests::harness::prlimit(by, "--core=0:");
    client.say("eat").unwrap();
    let died = echo.wait_for("worker died");
    assert!(
        died.contains(&format!(" pid={by} ")) && died.contains("how=killed by SIGABRT"),
        "{died}"
    );
    echo.ready_worker();
    let other = workers.iter().find(|worker| worker.pid != by).unwrap();
    until("the other one is still there", || {
        echo.settles(2).contains(other)
    });
}
