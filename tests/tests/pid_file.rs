//! The pid file and its lock.

use std::fs;
use std::os::unix::fs::symlink;

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{NotifySocket, Scratch, kill, writer};

#[test]
fn the_file_names_the_supervisor_before_it_is_ready_and_is_removed_at_the_end() {
    let scratch = Scratch::new();
    let file = scratch.path("pid");
    let manager = NotifySocket::path();
    let greeter = fixture!("greeter")
        .arg("--pid-file")
        .arg(&file)
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    manager.messages().wait_for("READY=1");
    let own = format!("{}\n", greeter.pid());
    assert_eq!(fs::read_to_string(&file).unwrap(), own);
    // The end of a worker, and a reload, leave it alone.
    let workers = greeter.ready(2);
    kill(workers[0].pid, Signal::SIGTERM);
    greeter.ready_worker();
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for(" reloaded ");
    assert_eq!(fs::read_to_string(&file).unwrap(), own);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    assert!(!file.exists());
}

#[test]
fn a_second_instance_is_refused_with_the_pid_of_the_first() {
    let scratch = Scratch::new();
    let file = scratch.path("pid");
    let first = fixture!("greeter").arg("--pid-file").arg(&file).start();
    first.ready(2);
    for program in [fixture!("greeter"), fixture!("single")] {
        let (code, _, log) = program.arg("--pid-file").arg(&file).run();
        assert_eq!(code, 1, "{log}");
        let who = format!("another instance is running, pid {}: ", first.pid());
        assert!(log.contains(&who), "{log}");
        assert!(!log.contains("started"), "{log}");
    }
    let own = format!("{}\n", first.pid());
    assert_eq!(fs::read_to_string(&file).unwrap(), own);
}

#[test]
fn a_file_of_a_living_stranger_does_not_stop_a_start() {
    let scratch = Scratch::new();
    // This test lives, and is no instance.
    let file = scratch.write("pid", &format!("{}\n", std::process::id()));
    let greeter = fixture!("greeter").arg("--pid-file").arg(&file).start();
    greeter.ready(2);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("{}\n", greeter.pid())
    );
}

#[test]
fn a_killed_supervisor_gives_the_lock_back_while_its_workers_still_live() {
    let scratch = Scratch::new();
    let file = scratch.path("pid");
    // Its worker does not stop for a long time, and holds nothing of the lock.
    let first = fixture!("stubborn").arg("--pid-file").arg(&file).start();
    first.ready_worker();
    first.signal(Signal::SIGKILL);
    first.exit_status();
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("{}\n", first.pid())
    );
    let second = fixture!("greeter").arg("--pid-file").arg(&file).start();
    second.ready(2);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("{}\n", second.pid())
    );
}

#[test]
fn a_program_without_a_supervisor_has_a_pid_file_too() {
    let scratch = Scratch::new();
    let file = scratch.path("pid");
    let single = fixture!("single").arg("--pid-file").arg(&file).start();
    single.wait_for(" ready");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("{}\n", single.pid())
    );
    single.signal(Signal::SIGTERM);
    assert_eq!(single.exit_code(), 0);
    assert!(!file.exists());
}

#[test]
fn a_file_that_was_replaced_by_another_stays_at_the_end() {
    let scratch = Scratch::new();
    let file = scratch.path("pid");
    let greeter = fixture!("greeter").arg("--pid-file").arg(&file).start();
    greeter.ready(2);
    scratch.write("pid", "another\n");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "another\n");
}

#[test]
fn a_file_that_cannot_be_made_ends_the_program_with_one_line() {
    let scratch = Scratch::new();
    let link = scratch.path("link");
    symlink(scratch.path("target"), &link).unwrap();
    let nowhere = scratch.path("no/such/pid");
    for (file, why) in [(nowhere, "No such file"), (link, "it is a symbolic link")] {
        let program = fixture!("greeter").arg("--pid-file").arg(&file);
        let (code, _, log) = program.run();
        assert_eq!(code, 1, "{log}");
        let words = format!("cannot lock the pid file `{}`: {why}", file.display());
        assert!(log.contains(&words), "{log}");
        assert_eq!(log.lines().count(), 1, "{log}");
    }
}

#[test]
fn an_upgrade_hands_the_file_over_and_one_that_fails_leaves_it() {
    let scratch = Scratch::new();
    let file = scratch.path("pid");
    let greeter = fixture!("greeter")
        .config("")
        .arg("--pid-file")
        .arg(&file)
        .start();
    greeter.ready(2);
    let own = format!("{}\n", greeter.pid());
    greeter.rewrite("[greeter]\ngreting = 'typo'\n");
    greeter.signal(Signal::SIGUSR2);
    greeter.wait_for("the new process ended before it was ready");
    assert_eq!(fs::read_to_string(&file).unwrap(), own);
    greeter.rewrite("");
    greeter.signal(Signal::SIGUSR2);
    let new = writer(&greeter.wait_for("this process has taken over"));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{new}\n"));
    assert_eq!(greeter.exit_code(), 0);
    // The old one's end left it alone, and it is locked still.
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{new}\n"));
    let (code, _, log) = fixture!("greeter").arg("--pid-file").arg(&file).run();
    assert_eq!(code, 1, "{log}");
    assert!(log.contains(&format!("running, pid {new}:")), "{log}");
    kill(new, Signal::SIGTERM);
    greeter.everybody_is_gone();
    assert!(!file.exists());
}
