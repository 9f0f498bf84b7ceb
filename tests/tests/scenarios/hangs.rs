//! Workers that hang, and such as only look like it.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::net::TcpStream;
use tests::fixture;
use tests::harness::{Client, Fixture, Worker, kill, state, until};

/// How long a heartbeat may stand still here: as short as it may be.
const HEARTBEAT: Duration = Duration::from_secs(3);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(2);

fn start(workers: &str) -> Fixture {
    fixture!("echo")
        .args(["--workers", workers, "--heartbeat-timeout", "3s"])
        .args(["--set", "echo.side=true"])
        .start()
}

/// Returns a connection to this worker.
#[track_caller]
fn client_of(echo: &Fixture, worker: Pid) -> Client<TcpStream> {
    let mut found = None;
    until("the worker takes a connection", || {
        let mut client = Client::of(echo);
        if client.ask("hello").is_ok_and(|by| by == worker) {
            found = Some(client);
        }
        found.is_some()
    });
    found.expect("it was found")
}

#[test]
fn stopped_spinning_and_deadlocked_workers_are_replaced_with_a_dump_and_a_long_request_is_no_hang()
{
    let echo = start("4");
    let workers = echo.ready(4);
    // Connections first: those that hang may get more, and keep them.
    let mut healthy = client_of(&echo, workers[3].pid);
    let mut spinning = client_of(&echo, workers[1].pid);
    let mut deadlocked = client_of(&echo, workers[2].pid);
    healthy.say("sleep 6000").unwrap();
    let begun = Instant::now();
    kill(workers[0].pid, Signal::SIGSTOP);
    spinning.say("stall").unwrap();
    deadlocked.say("deadlock").unwrap();
    let mut replaced: Vec<usize> = (0..3).map(|_| echo.ready_worker().slot).collect();
    let took = begun.elapsed();
    replaced.sort_unstable();
    assert_eq!(replaced, [0, 1, 2]);
    println!("the last of them was replaced after {took:?}");
    assert!(
        took < HEARTBEAT + Duration::from_secs(1) + SLACK,
        "{took:?}"
    );

    let states = ["T (stopped)", "R (running)", "S (sleeping)"];
    for (worker, state) in workers.iter().zip(states) {
        let hangs = format!(
            "worker hangs, its heartbeat stood still for 3s slot={}",
            worker.slot
        );
        let hangs = hangs
            .split(" slot=")
            .next()
            .expect("that is the begin")
            .to_owned();
        let own = format!("slot={} pid={}", worker.slot, worker.pid);
        let said = echo.lines().with(hangs.trim_end_matches("3s"));
        assert_eq!(
            said.iter().filter(|line| line.contains(&own)).count(),
            1,
            "{said:?}"
        );
        let dump = echo.lines().with(&format!("thread {} `", worker.pid));
        assert_eq!(dump.len(), 1, "{dump:?}");
        assert!(
            dump[0].contains(state) && dump[0].contains(&own),
            "{dump:?}"
        );
    }
    // The two that run die of SIGABRT, the stopped one of the KILL after that.
    for _ in 0..3 {
        echo.wait_for("worker stopped");
    }
    let stopped = echo.lines().with("worker stopped");
    let how = |worker: &Worker, how: &str| {
        let of = |line: &&String| Worker::of(line) == *worker;
        assert!(
            stopped
                .iter()
                .find(of)
                .is_some_and(|line| line.contains(how)),
            "{stopped:#?}"
        );
    };
    how(&workers[0], "killed by SIGKILL");
    how(&workers[1], "killed by SIGABRT");
    how(&workers[2], "killed by SIGABRT");
    assert_eq!(healthy.answer("sleep 6000").unwrap(), workers[3].pid);
}

#[test]
fn a_program_that_was_suspended_as_a_whole_kills_nobody_for_it() {
    // Whatever the moment of the return is to the last heartbeat that was looked at.
    thread::scope(|scope| {
        for milliseconds in [2600, 2900, 3200, 3500, 3800, 6000] {
            scope.spawn(move || suspended(milliseconds));
        }
    });
}

fn suspended(milliseconds: u64) {
    let echo = start("2");
    let workers = echo.ready(2);
    for _ in 0..2 {
        let everybody = [echo.pid(), workers[0].pid, workers[1].pid];
        for pid in everybody {
            kill(pid, Signal::SIGSTOP);
        }
        until("all are stopped", || {
            everybody.iter().all(|pid| state(*pid) == Some('T'))
        });
        thread::sleep(Duration::from_millis(milliseconds));
        for pid in everybody {
            kill(pid, Signal::SIGCONT);
        }
        // A healthy worker would have been hung for long by now.
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(echo.settles(2), workers, "{milliseconds} ms");
    }
    for worker in workers {
        client_of(&echo, worker.pid).ask("hello").unwrap();
    }
    assert!(echo.lines().with("hangs").is_empty(), "{milliseconds} ms");
}

#[test]
fn a_supervisor_that_was_suspended_alone_kills_nobody_for_it_and_takes_up_what_it_missed() {
    let echo = start("2");
    let workers = echo.ready(2);
    echo.signal(Signal::SIGSTOP);
    until("it is stopped", || state(echo.pid()) == Some('T'));
    // Clients are served meanwhile, and a worker dies.
    client_of(&echo, workers[0].pid).ask("hello").unwrap();
    kill(workers[1].pid, Signal::SIGKILL);
    thread::sleep(HEARTBEAT + Duration::from_millis(1500));
    echo.signal(Signal::SIGCONT);
    echo.wait_for(&format!("worker died slot=1 pid={} ", workers[1].pid));
    let now = echo.settles(2);
    assert_eq!(now[0], workers[0]);
    assert!(echo.lines().with("hangs").is_empty());
}
