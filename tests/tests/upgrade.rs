//! USR2: another process of the program takes over.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, Fixture, NotifySocket, Program, Scratch, field, kill, until};

/// The path of a fixture program.
macro_rules! path {
    ($name:literal) => {
        Path::new(env!(concat!("CARGO_BIN_EXE_", $name)))
    };
}

/// A copy of a program that a test may replace.
fn copy(scratch: &Scratch, program: &Path) -> PathBuf {
    let path = scratch.path("program");
    written_by("cp", &[program.as_ref(), path.as_ref()]);
    path
}

/// Has another program write a file that is to be executed.
///
/// A descriptor of this process that writes it would be inherited by whatever another test starts at that
/// moment, and a file that somebody has open for writing cannot be executed.
fn written_by(program: &str, arguments: &[&std::ffi::OsStr]) {
    let status = std::process::Command::new(program).args(arguments).status();
    assert!(status.unwrap().success(), "{program} {arguments:?}");
}

/// Puts another file into the place of a program that may be running.
fn replace(scratch: &Scratch, path: &Path, script: &str) {
    let new = scratch.path("new");
    let write = "printf %s \"$2\" >\"$1\" && chmod 755 \"$1\"";
    let arguments = [
        "-c".as_ref(),
        write.as_ref(),
        "sh".as_ref(),
        new.as_ref(),
        script.as_ref(),
    ];
    written_by("sh", &arguments);
    fs::rename(new, path).unwrap();
}

/// Asks for an upgrade and waits until the new process has taken over; returns its pid.
#[track_caller]
fn upgrade(program: &Fixture, supervisor: Pid) -> Pid {
    kill(supervisor, Signal::SIGUSR2);
    let begins = program.wait_for("upgrade begins");
    let next = Pid::from_raw(field(&begins, "pid"));
    program.wait_for("this process has taken over");
    next
}

#[test]
fn a_new_process_takes_over_and_the_old_one_ends() {
    let echo = fixture!("echo").start();
    let workers = echo.ready(2);
    let address = Client::of(&echo);
    let mut open = address;
    open.ask("before").unwrap();
    let next = upgrade(&echo, echo.pid());
    assert_eq!(echo.exit_code(), 0);
    assert_ne!(next, echo.pid());
    let pid = Client::of(&echo).ask("after").unwrap();
    assert!(workers.iter().all(|worker| worker.pid != pid));
    assert!(tests::harness::children(next).contains(&pid));
    kill(next, Signal::SIGTERM);
    echo.everybody_is_gone();
}

#[test]
fn no_connection_is_lost_over_several_upgrades() {
    let echo = fixture!("echo").start();
    echo.ready(2);
    let said = echo.lines().with("listening on ");
    let address = said[0].rsplit(' ').next().unwrap().to_owned();
    let end = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (address, end, answered) =
                (address.clone(), Arc::clone(&end), Arc::clone(&answered));
            thread::spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    Client::connect(&address).unwrap().ask("hello").unwrap();
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut supervisor = echo.pid();
    for _ in 0..5 {
        let before = answered.load(Ordering::Relaxed);
        let next = upgrade(&echo, supervisor);
        until("clients are answered", || {
            answered.load(Ordering::Relaxed) > before + 20
        });
        supervisor = next;
    }
    end.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("no request fails");
    }
    kill(supervisor, Signal::SIGTERM);
    echo.everybody_is_gone();
}

#[test]
fn a_unix_socket_keeps_its_file_until_the_last_process_ends() {
    let scratch = Scratch::new();
    let path = scratch.path("echo.sock");
    let echo = fixture!("echo")
        .args(["--set", &format!("echo.listen=unix:{}", path.display())])
        .start();
    echo.ready(2);
    let next = upgrade(&echo, echo.pid());
    assert_eq!(echo.exit_code(), 0);
    Client::connect_unix(&path).unwrap().ask("hello").unwrap();
    kill(next, Signal::SIGTERM);
    echo.everybody_is_gone();
    assert!(!path.exists());
}

#[test]
fn a_file_that_was_replaced_is_what_is_started() {
    let scratch = Scratch::new();
    let path = copy(&scratch, path!("echo"));
    let echo = Program::new(&path).start();
    echo.ready(2);
    replace(
        &scratch,
        &path,
        &format!(
            "#!/bin/sh\necho new >&2\nexec {} \"$@\"\n",
            path!("echo").display()
        ),
    );
    let next = upgrade(&echo, echo.pid());
    assert_eq!(
        echo.lines().with("new").first().map(String::as_str),
        Some("new")
    );
    Client::of(&echo).ask("hello").unwrap();
    kill(next, Signal::SIGTERM);
    echo.everybody_is_gone();
}

#[test]
fn a_file_that_was_deleted_is_started_from_what_runs() {
    let scratch = Scratch::new();
    let path = copy(&scratch, path!("echo"));
    let echo = Program::new(&path).start();
    echo.ready(2);
    fs::remove_file(&path).unwrap();
    let next = upgrade(&echo, echo.pid());
    let further = upgrade(&echo, next);
    Client::of(&echo).ask("hello").unwrap();
    kill(further, Signal::SIGTERM);
    echo.everybody_is_gone();
}

/// Upgrades to what does not get ready, and checks that the workers serve on.
#[track_caller]
fn fails(echo: &Fixture, what: &str) {
    let before = echo.children();
    echo.signal(Signal::SIGUSR2);
    echo.wait_for("upgrade begins");
    let line = echo.wait_for(what);
    echo.wait_for("upgrade failed, this process serves on");
    until("nobody else is left", || echo.children() == before);
    Client::of(echo)
        .ask("hello")
        .unwrap_or_else(|error| panic!("{line}: {error}"));
}

#[test]
fn a_program_that_crashes_leaves_the_old_one_in_place() {
    let scratch = Scratch::new();
    let path = copy(&scratch, path!("echo"));
    let echo = Program::new(&path).start();
    echo.ready(2);
    replace(&scratch, &path, "#!/bin/sh\nexit 3\n");
    fails(
        &echo,
        "the new process ended before it was ready: exit code 3",
    );
    replace(&scratch, &path, "no program at all");
    fails(&echo, "cannot start");
    // And the next good one works.
    replace(
        &scratch,
        &path,
        &format!("#!/bin/sh\nexec {} \"$@\"\n", path!("echo").display()),
    );
    let next = upgrade(&echo, echo.pid());
    kill(next, Signal::SIGTERM);
    echo.everybody_is_gone();
}

#[test]
fn a_wrong_configuration_is_told_in_the_log_of_the_old_process() {
    let echo = fixture!("echo").config("[echo]\n").start();
    echo.ready(2);
    echo.rewrite("[echo]\nlisten = 5\n");
    let before = echo.children();
    echo.signal(Signal::SIGUSR2);
    let line = echo.wait_for("the new process ended before it was ready");
    assert!(line.contains("[echo] listen: expected a string"), "{line}");
    echo.wait_for("upgrade failed, this process serves on");
    echo.has_children(&before);
}

#[test]
fn workers_that_do_not_start_leave_the_old_ones_in_place() {
    let picky = fixture!("picky").config("[picky]\n").start();
    picky.ready(2);
    picky.rewrite("[picky]\nfail_in = [0, 1]\n");
    let before = picky.children();
    picky.signal(Signal::SIGUSR2);
    let line = picky.wait_for("the new process ended before it was ready");
    assert!(line.contains("is empty"), "{line}");
    picky.wait_for("upgrade failed, this process serves on");
    until("nobody else is left", || picky.children() == before);
}

#[test]
fn a_program_that_never_gets_ready_is_ended_at_the_time_limit() {
    let picky = fixture!("picky")
        .config("[picky]\n")
        .args(["--upgrade-timeout", "300ms", "--start-timeout", "0s"])
        .start();
    picky.ready(2);
    picky.rewrite("[picky]\nhang_in = [0, 1]\n");
    let before = picky.children();
    picky.signal(Signal::SIGUSR2);
    picky.wait_for("was not ready within upgrade_timeout (300ms)");
    until("nobody else is left", || picky.children() == before);
    picky.signal(Signal::SIGTERM);
    assert_eq!(picky.exit_code(), 0);
    picky.everybody_is_gone();
}

#[test]
fn an_upgrade_during_an_upgrade_or_a_reload_is_refused() {
    let picky = fixture!("picky")
        .config("[picky]\n")
        .args(["--start-timeout", "0s"])
        .start();
    picky.ready(2);
    picky.rewrite("[picky]\nhang_in = [0]\n");
    picky.signal(Signal::SIGUSR2);
    picky.wait_for("hangs");
    picky.signal(Signal::SIGUSR2);
    picky.wait_for("upgrade refused, nothing is changed: another upgrade is under way");
    // A stop ends both.
    picky.signal(Signal::SIGTERM);
    assert_eq!(picky.exit_code(), 0);
    picky.everybody_is_gone();

    let picky = fixture!("picky")
        .config("[picky]\n")
        .args(["--start-timeout", "0s"])
        .start();
    picky.ready(2);
    picky.rewrite("[picky]\nhang_in = [0]\n");
    picky.signal(Signal::SIGHUP);
    picky.wait_for("hangs");
    picky.signal(Signal::SIGUSR2);
    picky.wait_for("upgrade refused, nothing is changed: a reload is under way");
    assert_eq!(picky.lines().with("upgrade begins").len(), 0);
}

#[test]
fn the_service_manager_is_told_who_the_main_process_is() {
    let manager = NotifySocket::path();
    let echo = fixture!("echo")
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    echo.ready(2);
    manager.messages().wait_for("READY=1");
    let next = upgrade(&echo, echo.pid());
    manager.messages().wait_for(&format!("MAINPID={next}"));
    manager
        .messages()
        .wait_for("READY=1\nSTATUS=2 workers, generation 1");
    assert_eq!(echo.exit_code(), 0);
    kill(next, Signal::SIGTERM);
    echo.everybody_is_gone();
    let messages = manager.close();
    let stopping = messages
        .iter()
        .filter(|message| message.contains("STOPPING=1"));
    assert_eq!(stopping.count(), 1, "{messages:#?}");
}

/// Puts a program in its place that waits until something is written to the pipe that this returns.
fn put_behind_a_gate(scratch: &Scratch, path: &Path) -> PathBuf {
    let gate = scratch.path("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let program = path!("echo").display();
    let script = format!(
        "#!/bin/sh\nread line < {}\nexec {program} \"$@\"\n",
        gate.display()
    );
    replace(scratch, path, &script);
    gate
}

#[test]
fn a_reload_that_was_asked_for_during_an_upgrade_is_the_new_process_s() {
    let scratch = Scratch::new();
    let path = copy(&scratch, path!("echo"));
    let echo = Program::new(&path).start();
    echo.ready(2);
    let gate = put_behind_a_gate(&scratch, &path);
    echo.signal(Signal::SIGUSR2);
    let begins = echo.wait_for("upgrade begins");
    echo.signal(Signal::SIGHUP);
    echo.wait_for("HUP: reloads");
    fs::write(&gate, "go\n").unwrap();
    echo.wait_for("this process has taken over");
    echo.wait_for("reloaded generation=2");
    kill(Pid::from_raw(field(&begins, "pid")), Signal::SIGTERM);
    echo.everybody_is_gone();
}

#[test]
fn a_killed_predecessor_leaves_the_field() {
    let scratch = Scratch::new();
    let path = copy(&scratch, path!("echo"));
    let echo = Program::new(&path).start();
    echo.ready(2);
    let gate = put_behind_a_gate(&scratch, &path);
    echo.signal(Signal::SIGUSR2);
    let begins = echo.wait_for("upgrade begins");
    echo.signal(Signal::SIGKILL);
    let _ = echo.exit_status();
    fs::write(&gate, "go\n").unwrap();
    echo.wait_for("this process has taken over");
    kill(Pid::from_raw(field(&begins, "pid")), Signal::SIGTERM);
    echo.everybody_is_gone();
}

#[test]
fn several_hundred_sockets_are_handed_over() {
    let scratch = Scratch::new();
    let late = fixture!("late")
        .args(["--workers", "1", "--set"])
        .arg(format!("late.sockets_in={}", scratch.path("").display()))
        .start();
    late.ready(1);
    let sockets: Vec<_> = (0..300)
        .map(|number| scratch.path(format!("{number}")))
        .collect();
    let ids = |path: &PathBuf| fs::metadata(path).map(|file| file.ino()).unwrap();
    let before: Vec<u64> = sockets.iter().map(ids).collect();
    let next = upgrade(&late, late.pid());
    assert_eq!(late.exit_code(), 0);
    // They are the same, and not bound anew.
    assert_eq!(sockets.iter().map(ids).collect::<Vec<_>>(), before);
    for socket in &sockets {
        UnixStream::connect(socket).unwrap();
    }
    kill(next, Signal::SIGTERM);
    late.everybody_is_gone();
}

#[test]
fn a_pid_file_that_the_new_process_does_not_use_is_removed_by_the_old_one() {
    let scratch = Scratch::new();
    let (first, second) = (scratch.path("first.pid"), scratch.path("second.pid"));
    let configured = |file: &Path| format!("[launch]\npid_file = '{}'\n", file.display());
    let echo = fixture!("echo").config(&configured(&first)).start();
    echo.ready(2);
    assert_eq!(
        fs::read_to_string(&first).unwrap(),
        format!("{}\n", echo.pid())
    );
    echo.rewrite(&configured(&second));
    let next = upgrade(&echo, echo.pid());
    assert_eq!(echo.exit_code(), 0);
    assert!(!first.exists());
    assert_eq!(fs::read_to_string(&second).unwrap(), format!("{next}\n"));
    // The same file is handed over, and one that is not configured any more is removed.
    let third = upgrade(&echo, next);
    until("the file names the third", || {
        fs::read_to_string(&second).unwrap() == format!("{third}\n")
    });
    echo.rewrite("");
    let last = upgrade(&echo, third);
    until("the file is removed", || !second.exists());
    kill(last, Signal::SIGTERM);
    echo.everybody_is_gone();
}
