//! The command that is run after each worker's end.

use std::fs;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, Program, Scratch, descriptors, field, kill, parent, state, until};

/// Runs a line of shell after each worker's end.
fn on_exit(program: Program, line: &str) -> Program {
    program
        .arg("--on-worker-exit")
        .arg(format!("[\"sh\", \"-c\", '{line}']"))
}

#[test]
fn the_command_is_told_how_the_worker_ended() {
    let say = "echo told slot=$SERVICE_SLOT pid=$SERVICE_PID generation=$SERVICE_GENERATION \
               program=$SERVICE_PROGRAM exit=$SERVICE_EXIT status=$SERVICE_STATUS \
               core=$SERVICE_CORE expected=$SERVICE_EXPECTED uptime=$SERVICE_UPTIME \
               error=\"$SERVICE_ERROR\" . >&2";
    let echo = on_exit(fixture!("echo"), say).start();
    let workers = echo.ready(2);
    kill(workers[1].pid, Signal::SIGKILL);
    let told = echo.wait_for("told slot=1");
    let pid = workers[1].pid;
    for words in [
        &format!(" pid={pid} generation=1 program=echo ")[..],
        " exit=signal status=SIGKILL core=0 expected=0 uptime=0 ",
    ] {
        assert!(told.contains(words), "{told}");
    }
    echo.ready_worker();
    let mut client = Client::of(&echo);
    client.say("exit").unwrap();
    let told = echo.wait_for("exit=code status=3");
    assert!(told.contains(" expected=0 "), "{told}");
    echo.ready_worker();
    echo.signal(Signal::SIGHUP);
    echo.wait_for(" reloaded ");
    let told = echo.wait_for("expected=1");
    assert!(told.contains(" exit=code status=0 "), "{told}");
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
}

#[test]
fn the_command_is_detached_and_holds_nothing_of_the_supervisor() {
    let look = "echo look $(cut -d\" \" -f5,6 /proc/$$/stat) self=$$ stdin=$(readlink /proc/$$/fd/0) \
                ours=$(ls -l /proc/$$/fd | grep -c -e socket: -e anon_inode: -e memfd:) \
                blocked=$(grep SigBlk /proc/$$/status | cut -f2) \
                ignored=$(grep SigIgn /proc/$$/status | cut -f2) >&2";
    let echo = on_exit(fixture!("echo"), look).start();
    let workers = echo.ready(2);
    kill(workers[0].pid, Signal::SIGKILL);
    let line = echo.wait_for("look ");
    let pid: String = field(&line, "self");
    let own = format!("look {pid} {pid} ");
    assert!(line.contains(&own), "its own group and session: {line}");
    assert!(line.contains("stdin=/dev/null"), "{line}");
    assert_eq!(field::<usize>(&line, "ours"), 0, "{line}");
    for set in ["blocked", "ignored"] {
        let signals = u64::from_str_radix(&field::<String>(&line, set), 16).unwrap();
        // Those above 31 are the C library's own, or come from who started this test.
        assert_eq!(signals & 0x7fff_ffff, 0, "{set}: {line}");
    }
}

#[test]
fn a_command_that_takes_too_long_is_killed_with_its_children() {
    let scratch = Scratch::new();
    let children = scratch.path("children");
    let wait = format!("sleep 1000 & echo $$ $! > {} ; wait", children.display());
    let program = fixture!("greeter").args(["--on-worker-exit-timeout", "200ms"]);
    let greeter = on_exit(program, &wait).start();
    let workers = greeter.ready(2);
    kill(workers[0].pid, Signal::SIGKILL);
    greeter.wait_for("on_worker_exit took longer than on_worker_exit_timeout: killed");
    let pids = fs::read_to_string(children).unwrap();
    for pid in pids.split_whitespace() {
        let pid = Pid::from_raw(pid.parse().unwrap());
        until("the command is gone", || {
            parent(pid).is_none() || state(pid) == Some('Z')
        });
    }
    // The others served meanwhile, and do still.
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn commands_that_fail_or_are_not_there_are_warned_of() {
    let missing = fixture!("greeter")
        .args(["--on-worker-exit", "[\"/nowhere/at/all\"]"])
        .start();
    kill(missing.ready(2)[0].pid, Signal::SIGKILL);
    missing.wait_for("cannot execute `/nowhere/at/all`");
    missing.wait_for("on_worker_exit could not be executed");
    missing.ready_worker();
    let failing = on_exit(fixture!("greeter"), "exit 9").start();
    kill(failing.ready(2)[0].pid, Signal::SIGKILL);
    failing.wait_for("on_worker_exit failed");
    failing.ready_worker();
    failing.signal(Signal::SIGTERM);
    assert_eq!(failing.exit_code(), 0);
}

#[test]
fn in_a_storm_of_deaths_few_commands_run_and_the_rest_is_counted() {
    let scratch = Scratch::new();
    let gate = scratch.path("gate");
    let wait = format!(
        "until test -e {}; do sleep 0.05; done; echo passed >&2",
        gate.display()
    );
    let program = fixture!("greeter").args(["--workers", "8"]);
    let greeter = on_exit(program, &wait).start();
    let workers = greeter.ready(8);
    let open = descriptors(greeter.pid());
    for worker in &workers {
        kill(worker.pid, Signal::SIGKILL);
    }
    greeter.wait_for("on_worker_exit is not run: 4 commands run already");
    for _ in &workers {
        greeter.ready_worker();
    }
    // All eight new ones and the four commands.
    until("the new workers and the commands run", || {
        greeter.children().len() == 12
    });
    fs::write(gate, "").unwrap();
    for _ in 0..4 {
        greeter.wait_for("passed");
    }
    until("the commands are reaped", || {
        descriptors(greeter.pid()) == open
    });
    kill(greeter.children()[0], Signal::SIGKILL);
    greeter.wait_for("skipped=4");
    greeter.wait_for("passed");
    greeter.ready_worker();
    until("the descriptors are as before", || {
        descriptors(greeter.pid()) == open
    });
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn the_command_for_the_last_worker_is_waited_for_and_killed_at_its_time_limit() {
    let told = on_exit(fixture!("greeter"), "sleep 0.2; echo told >&2").start();
    told.ready(2);
    told.signal(Signal::SIGTERM);
    assert_eq!(told.exit_code(), 0);
    assert_eq!(told.lines().with("told").len(), 2);

    let scratch = Scratch::new();
    let children = scratch.path("children");
    let wait = format!("sleep 1000 & echo $$ $! > {} ; wait", children.display());
    let program = fixture!("greeter")
        .args(["--workers", "2"])
        .args(["--on-worker-exit-timeout", "300ms"]);
    let greeter = on_exit(program, &wait).start();
    greeter.ready(2);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.wait_for("on_worker_exit took longer than on_worker_exit_timeout: killed");
    let pids = fs::read_to_string(children).unwrap();
    for pid in pids.split_whitespace() {
        let pid = Pid::from_raw(pid.parse().unwrap());
        until("the command is gone", || {
            parent(pid).is_none() || state(pid) == Some('Z')
        });
    }
}

#[test]
fn an_exit_at_once_leaves_commands_a_moment_and_no_more() {
    let program = fixture!("greeter").args(["--on-worker-exit-timeout", "1h"]);
    let greeter = on_exit(program, "sleep 1000 & echo begun >&2; wait").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGINT);
    assert_eq!(greeter.exit_code(), 1);
    greeter.wait_for("begun");
    greeter.wait_for("on_worker_exit took longer than on_worker_exit_timeout: killed");
}
