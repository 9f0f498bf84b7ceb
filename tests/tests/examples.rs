//! The examples, tried as their docs say.
//!
//! They are programs of this package too, see `Cargo.toml`: an example itself cannot be named by a
//! test of another package, and one that was built before could be an old one.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};

use nix::sys::signal::Signal;
use tests::harness::{Fixture, LIMIT, Program, Scratch, Worker, field, kill};

/// Names an example, to be started.
macro_rules! example {
    ($name:literal) => {
        Program::new(env!(concat!("CARGO_BIN_EXE_example_", $name)))
    };
}

const RELOAD: &str = include_str!("../../examples/reload.toml");

/// Stops a program as an operator does, and expects it to end well.
#[track_caller]
fn stop(program: &Fixture) {
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
}

#[test]
fn hello_greets_in_both_workers() {
    let hello = example!("hello").start();
    for worker in hello.ready(2) {
        hello.wait_for(&format!("pid={} example_hello: hello", worker.pid));
    }
    stop(&hello);
}

#[test]
fn hello_comes_back_after_a_kill() {
    let hello = example!("hello").start();
    let worker = hello.ready(2)[0];
    kill(worker.pid, Signal::SIGKILL);
    let next = hello.ready_worker();
    assert_eq!(next.slot, worker.slot);
    hello.wait_for(&format!("pid={} example_hello: hello", next.pid));
    stop(&hello);
}

#[test]
fn timers_run_to_their_ends() {
    let timers = example!("timers").start();
    for line in [
        "fixed: tick 1",
        "fixed: tick 2",
        "drain: 4 jobs done",
        "connect: connected at try 3",
        "a timer ends, because it timed out",
        "poll: Completed",
        "fetch: got a page",
        "beat: Stopped",
        "a run outlasted its interval",
        "fixed: tick 4",
    ] {
        timers.wait_for(line);
    }
    stop(&timers);
}

#[test]
fn timers_that_are_about_to_start_do_not_spoil_a_stop() {
    let timers = example!("timers").start();
    // `drain` has not ended yet: the others are started while the group takes no more.
    timers.wait_for(": ready");
    stop(&timers);
}

#[test]
fn timers_are_reported() {
    let timers = example!("timers").start();
    timers.wait_for("fixed: tick 2");
    timers.signal(Signal::SIGUSR1);
    let line = timers.wait_for(" task name=fixed ");
    assert_eq!(field::<u64>(&line, "runs"), 2, "{line}");
    stop(&timers);
}

fn echo() -> Program {
    example!("echo").args(["--set", "echo.listen=127.0.0.1:0"])
}

fn address(echo: &Fixture) -> SocketAddr {
    let line = echo.wait_for("listening on ");
    let (_, address) = line.rsplit_once(' ').expect("the line has words");
    address.parse().expect("an address is logged last")
}

/// A client of the echo.
struct Client(BufReader<TcpStream>);

impl Client {
    fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(LIMIT)).expect("not zero");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, line: &str) {
        self.0
            .get_mut()
            .write_all(line.as_bytes())
            .expect("it is connected");
    }

    /// Returns the next line, or nothing at the end of the connection.
    fn receive(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("it answers");
        line
    }

    #[track_caller]
    fn talk(&mut self, line: &str) {
        self.send(line);
        assert_eq!(self.receive(), line);
    }

    fn port(&self) -> u16 {
        self.0
            .get_ref()
            .local_addr()
            .expect("it is connected")
            .port()
    }

    /// Returns the worker that serves this.
    fn worker<'a>(&self, echo: &Fixture, workers: &'a [Worker]) -> &'a Worker {
        let line = echo.wait_for(&format!("connection from 127.0.0.1:{}", self.port()));
        let pid: i32 = field(&line, "pid");
        workers
            .iter()
            .find(|worker| worker.pid.as_raw() == pid)
            .expect("a worker of this program")
    }
}

#[test]
fn echo_serves_over_several_workers_and_outlives_one_of_them() {
    let echo = echo().args(["--workers", "3"]).start();
    let mut workers = echo.ready(3);
    let address = address(&echo);
    let mut clients: Vec<Client> = (0..12).map(|_| Client::new(address)).collect();
    let mut served = Vec::new();
    for client in &mut clients {
        client.talk("hello\n");
        served.push(*client.worker(&echo, &workers));
    }

    let killed = served[0];
    kill(killed.pid, Signal::SIGKILL);
    workers.push(echo.ready_worker());
    for (client, worker) in clients.iter_mut().zip(&served) {
        if *worker == killed {
            assert!(client.0.read_line(&mut String::new()).is_err() || client.receive().is_empty());
        } else {
            client.talk("still here\n");
        }
    }
    let mut late = Client::new(address);
    late.talk("a new one\n");
    assert_ne!(*late.worker(&echo, &workers), killed);
    stop(&echo);
}

#[test]
fn echo_answers_what_was_sent_before_the_stop() {
    let echo = echo().start();
    echo.ready(2);
    let address = address(&echo);
    let mut clients: Vec<Client> = (0..8).map(|_| Client::new(address)).collect();
    for client in &mut clients {
        client.talk("hello\n");
    }
    for client in &mut clients {
        client.send("one\ntwo\n");
    }
    echo.signal(Signal::SIGTERM);
    for client in &mut clients {
        let answers = [client.receive(), client.receive(), client.receive()];
        assert_eq!(answers, ["one\n", "two\n", ""]);
    }
    assert_eq!(echo.exit_code(), 0);
    echo.everybody_is_gone();
}

#[test]
fn echo_loses_no_client_that_waits_for_room_in_a_reload() {
    let echo = echo()
        .args(["--workers", "1", "--set", "echo.max_connections=1"])
        .start();
    let old = echo.ready(1);
    let address = address(&echo);
    let (mut first, mut second) = (Client::new(address), Client::new(address));
    first.talk("hello\n");
    first.worker(&echo, &old);
    second.send("am I served?\n");
    echo.signal(Signal::SIGHUP);
    let new = [echo.ready_worker()];
    assert_eq!(second.receive(), "am I served?\n");
    second.worker(&echo, &new);
    assert_eq!(first.receive(), "", "its worker drains");
    stop(&echo);
}

#[test]
fn echo_says_what_is_wrong_with_its_address() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for (listen, word) in [
        (address.to_string(), "another process listens there"),
        ("127.0.0.1".into(), "there is no port; write `127.0.0.1:80`"),
    ] {
        let set = format!("echo.listen={listen}");
        let (code, _, log) = example!("echo").args(["--set", &set]).run();
        assert_eq!(code, 1, "{log}");
        let failed = log.lines().find(|line| line.contains("launch failed"));
        let failed = failed.unwrap_or_else(|| panic!("{log}"));
        assert!(failed.contains(&listen) && failed.contains(word), "{log}");
    }
}

#[test]
fn reload_takes_mutable_options_over_and_reports_the_other() {
    let reload = example!("reload").config(RELOAD).start();
    let workers = reload.ready(2);
    reload.wait_for("hello world");
    let text = RELOAD.replace("hello", "good day").replace("world", "moon");
    assert_ne!(text, RELOAD);
    reload.rewrite(&text);
    reload.signal(Signal::SIGHUP);
    reload.wait_for("option changed: [greeter] greeting: ");
    reload.wait_for("option needs a restart, it stays as it was: [greeter] name: ");
    for Worker { pid, .. } in workers {
        reload.wait_for(&format!(
            "pid={pid} example_reload: `hello` becomes `good day`"
        ));
        reload.wait_for(&format!("pid={pid} example_reload: good day world"));
    }
    stop(&reload);
}

#[test]
fn reload_refuses_a_wrong_file_with_its_line() {
    let reload = example!("reload").config(RELOAD).start();
    reload.ready(2);
    reload.rewrite(&RELOAD.replace("greeting =", "greting ="));
    reload.signal(Signal::SIGHUP);
    reload.wait_for("config.toml:5: [greeter] greting: unknown key, did you mean `greeting`?");
    stop(&reload);
    assert!(reload.lines().with("becomes").is_empty());
}

#[test]
fn several_start_in_order_and_stop_in_reverse() {
    let several = example!("several").start();
    several.wait_for("several: api open");
    stop(&several);
    let steps = several.lines().with(" example_several: ");
    let steps: Vec<_> = steps
        .iter()
        .filter_map(|line| line.split(" example_several: ").nth(1))
        .collect();
    let expected = [
        "db connected",
        "cache filled",
        "api open",
        "api closed",
        "cache cleared",
        "db disconnected",
    ];
    assert_eq!(steps, expected);
}

#[test]
fn several_restarts_the_service_that_fails() {
    let several = example!("several").start();
    several.wait_for("cache filled");
    let line = several.wait_for("service failed, it is restarted");
    assert!(
        line.contains("hook `serve` failed: out of memory"),
        "{line}"
    );
    assert!(line.contains(r#"service="cache""#), "{line}");
    several.wait_for("api sees that the cache is failed");
    several.wait_for("cache filled");
    several.wait_for("api sees that the cache is ready");
    stop(&several);
    assert_eq!(several.lines().with("api closed").len(), 1);
    assert_eq!(several.lines().with("db disconnected").len(), 1);
}

#[test]
fn several_refuses_a_service_without_what_it_needs() {
    let (code, _, log) = example!("several").args(["--only", "api"]).run();
    assert_eq!(code, 1, "{log}");
    for need in ["db", "cache"] {
        let text = format!("service `api` starts after `{need}`, which is not launched");
        assert!(log.contains(&text), "{log}");
    }
}

#[test]
fn by_hand_runs_in_this_process_or_in_workers() {
    let set = ["--set", "ticker.every=10ms"];
    let alone = example!("by_hand").args(set).start();
    alone.wait_for(&format!(" pid={} example_by_hand: tick 2", alone.pid()));
    stop(&alone);
    alone.wait_for("stopped after");

    let forked = example!("by_hand")
        .args(set)
        .args(["--workers", "2"])
        .start();
    for worker in forked.ready(2) {
        forked.wait_for(&format!("pid={} example_by_hand: tick 2", worker.pid));
    }
    stop(&forked);
}

#[test]
fn args_reach_main_beside_the_launchers_own() {
    let flags = [
        "--name",
        "Ada",
        "--log-level",
        "info",
        "--name",
        "Grace",
        "--shout",
    ];
    let args = example!("args").args(flags).start();
    args.wait_for("HELLO ADA AND GRACE");
    stop(&args);
}

#[test]
fn args_are_in_the_help_and_a_wrong_one_is_refused() {
    let (code, help, _) = example!("args").args(["--help"]).run();
    assert_eq!(code, 0);
    assert!(help.contains("--shout") && help.contains("--graceful-shutdown-timeout"));
    let (code, _, error) = example!("args").args(["--nmae", "Ada"]).run();
    assert_eq!(code, 2);
    assert!(error.contains("--name"), "{error}");
}

#[test]
fn calls_build_and_forget_until_they_are_stopped() {
    let scratch = Scratch::new();
    let directory = format!("rpc.directory={}", scratch.path("rpc").display());
    let calls = example!("calls").args(["--set", &directory]).start();
    calls.ready(2);
    for line in [
        "built debian-",
        "no room: 8 cores at most",
        "forgotten: debian-",
    ] {
        calls.wait_for(line);
    }
    stop(&calls);
}
