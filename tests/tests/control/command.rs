//! The command `ctl`: what it shows, whom it finds, and what it exits with.

use std::path::Path;

use nix::sys::signal::Signal;
use nix::unistd::geteuid;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Fixture, Program, Scratch, kill, state, until};

/// Runs `ctl` of a program; returns its exit code, what it printed and what it complained of.
fn ctl(program: Program, directory: &Path, words: &str) -> (i32, String, String) {
    let words = words.split(' ').filter(|word| !word.is_empty());
    program
        .env("XDG_RUNTIME_DIR", directory)
        .arg("ctl")
        .args(words)
        .run()
}

fn greeter(directory: &Path) -> Fixture {
    fixture!("greeter")
        .env("XDG_RUNTIME_DIR", directory)
        .start()
}

#[test]
fn an_instance_is_found_without_a_flag_and_shown_as_a_table_or_as_json() {
    let scratch = Scratch::new();
    let directory = scratch.path("");
    let program = greeter(&directory);
    let workers = program.ready(2);
    let shown = |words: &str| {
        let (code, out, err) = ctl(fixture!("greeter"), &directory, words);
        assert_eq!((code, &*err), (0, ""), "{words}: {out}");
        // Nobody reads a pipe in colour.
        assert!(!out.contains('\x1b'), "{out:?}");
        out
    };
    let status = shown("status");
    let lines: Vec<&str> = status.lines().collect();
    assert!(
        lines[0].starts_with("greeter ") && lines[0].contains("2 workers"),
        "{status}"
    );
    assert!(lines[1].starts_with("SLOT  PID"), "{status}");
    for (worker, line) in workers.iter().zip(&lines[2..]) {
        let begin: Vec<&str> = line.split_whitespace().take(3).collect();
        let (slot, pid) = (worker.slot.to_string(), worker.pid.to_string());
        assert_eq!(begin, [&*slot, &*pid, "ready"], "{status}");
    }
    assert!(
        shown("services")
            .lines()
            .all(|line| line.contains("greeter") || line.starts_with("SLOT"))
    );
    assert!(
        shown("config")
            .lines()
            .any(|line| line.starts_with("greeter.greeting") && line.ends_with("default"))
    );
    assert!(shown("listeners").starts_with("ADDRESS"));
    assert!(shown("tasks").starts_with("SLOT"));
    let report: Value = serde_json::from_str(&shown("report")).unwrap();
    assert_eq!(report["program"]["name"], "greeter");
    let status: Value = serde_json::from_str(&shown("status --json")).unwrap();
    assert_eq!(status["workers"][1]["pid"], workers[1].pid.as_raw());

    kill(workers[0].pid, Signal::SIGSTOP);
    until("it is stopped", || state(workers[0].pid) == Some('T'));
    assert!(
        shown("workers")
            .lines()
            .any(|line| line.contains("stopped"))
    );
    let services = shown("services");
    let silent = format!("no answer from slot 0, pid {}", workers[0].pid);
    assert!(services.contains(&silent), "{services}");
}

#[test]
fn the_exit_code_says_why_there_is_no_answer() {
    let scratch = Scratch::new();
    let directory = scratch.path("");
    let run = |words: &str| ctl(fixture!("greeter"), &directory, words);
    let (code, _, err) = run("status");
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("not running"), "{err}");
    let (code, _, err) = run("status --socket /nowhere/admin.sock");
    assert_eq!(code, 3, "{err}");
    let (code, _, err) = run("status --set launch.admin=off");
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("is \"off\""), "{err}");
    let (code, _, err) = run("stauts");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("'status'"), "{err}");
    let (code, _, err) = run("status --set launch.admin=nonsense");
    assert_eq!(code, 78, "{err}");
    let (code, out, _) = run("--help");
    assert_eq!(code, 0);
    assert!(out.contains("greeter ctl"), "{out}");
}

#[test]
fn several_instances_are_listed_and_one_is_named_by_its_socket() {
    let scratch = Scratch::new();
    let directory = scratch.path("");
    let (first, second) = (greeter(&directory), greeter(&directory));
    first.ready(2);
    second.ready(2);
    let (code, _, err) = ctl(fixture!("greeter"), &directory, "status");
    assert_eq!(code, 2, "{err}");
    let paths: Vec<&str> = err.lines().skip(1).map(str::trim).collect();
    assert_eq!(paths.len(), 2, "{err}");
    let mut pids: Vec<i32> = paths
        .iter()
        .map(|path| {
            let (code, out, err) = ctl(
                fixture!("greeter"),
                &directory,
                &format!("status --json --socket {path}"),
            );
            assert_eq!(code, 0, "{err}");
            let status: Value = serde_json::from_str(&out).unwrap();
            i32::try_from(status["supervisor"]["pid"].as_i64().unwrap()).unwrap()
        })
        .collect();
    pids.sort_unstable();
    let mut expected = [first.pid().as_raw(), second.pid().as_raw()];
    expected.sort_unstable();
    assert_eq!(pids, expected);
}

#[test]
fn a_program_without_a_socket_is_told_by_its_pid_file() {
    let scratch = Scratch::new();
    let set = format!("launch.pid_file={}", scratch.path("pid").display());
    let program = fixture!("greeter").args(["--set", &set]).start();
    program.ready(2);
    let (code, _, err) = ctl(
        fixture!("greeter"),
        &scratch.path(""),
        &format!("status --set {set}"),
    );
    assert_eq!(code, 3);
    assert!(
        err.contains(&format!(
            "pid {} runs without a control socket",
            program.pid()
        )),
        "{err}"
    );
}

#[test]
fn another_user_s_program_is_not_allowed() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can ask as another user");
        return;
    }
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    let program = fixture!("greeter").arg("--admin").arg(&socket).start();
    program.ready(2);
    // The folder of the test may be passed through, the socket is for its owner alone.
    std::process::Command::new("chmod")
        .arg("755")
        .arg(scratch.path(""))
        .status()
        .unwrap();
    let (code, _, err) = fixture!("greeter")
        .through([
            "setpriv",
            "--reuid",
            "12345",
            "--regid",
            "12345",
            "--clear-groups",
            "--",
        ])
        .args(["ctl", "status", "--socket"])
        .arg(&socket)
        .run();
    if code == 127 || err.contains("Permission denied (os error 13)") && code == 126 {
        eprintln!("skipped: another user may not execute the programs of this folder");
        return;
    }
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("not allowed"), "{err}");
}

#[test]
fn nothing_of_the_author_runs_for_it() {
    let scratch = Scratch::new();
    let (code, out, err) = ctl(fixture!("preloaded"), &scratch.path(""), "status");
    assert_eq!(code, 3, "{err}");
    assert_eq!(out, "");
    assert_eq!(err.lines().count(), 1, "{err}");
}
