//! What a program inherits from its parent, and what an author's own child processes inherit from it.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Client, Fixture, Program, kill};

/// Kills, reloads, looks at an author's child, and stops.
#[track_caller]
fn behaves_as_always(program: Program) {
    let echo: Fixture = program.start();
    let workers = echo.ready(2);
    kill(workers[0].pid, Signal::SIGKILL);
    echo.ready_worker();
    echo.signal(Signal::SIGHUP);
    echo.wait_for("reloaded generation=2");
    Client::of(&echo).ask("masks").unwrap();
    for set in ["SigBlk", "SigIgn"] {
        let line = echo.wait_for(&format!("a child has {set}:"));
        let bits = line
            .rsplit(' ')
            .next()
            .and_then(|bits| u64::from_str_radix(bits, 16).ok());
        // Numbers 32 and 33 are the C library's own, and no program's.
        assert_eq!(bits.map(|bits| bits & !(0b11 << 31)), Some(0), "{line}");
    }
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
    echo.everybody_is_gone();
}

#[test]
fn a_program_started_with_signals_blocked_behaves_as_always_and_so_do_its_children() {
    let blocked = [
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGCHLD,
        Signal::SIGUSR1,
    ];
    behaves_as_always(blocked.into_iter().fold(fixture!("echo"), Program::blocked));
}

#[test]
fn a_program_started_with_signals_ignored_behaves_as_always_and_so_do_its_children() {
    let ignoring = [
        "sh",
        "-c",
        "trap '' TERM HUP CHLD PIPE USR1 TTOU; exec \"$@\"",
        "sh",
    ];
    behaves_as_always(fixture!("echo").through(ignoring));
    behaves_as_always(fixture!("echo").through(["nohup"]));
}

#[test]
fn descriptors_that_a_parent_has_leaked_change_nothing() {
    let leaks = "exec 3</dev/null 4<. 7>/dev/full 9</dev/zero; exec \"$@\"";
    behaves_as_always(fixture!("echo").through(["sh", "-c", leaks, "sh"]));
}

#[test]
fn a_program_in_a_folder_and_on_a_file_system_that_cannot_be_written_behaves_as_always() {
    let read_only = "mount --bind / / && mount -o remount,ro,bind / && cd / && exec \"$@\"";
    let through = ["unshare", "--mount", "sh", "-c", read_only, "sh"];
    let mut probe = std::process::Command::new(through[0]);
    let probe = probe
        .args(&through[1..])
        .args(["sh", "-c", "! touch /cannot 2>/dev/null"]);
    if !probe
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
    {
        eprintln!("skipped: a mount namespace is not permitted");
        return;
    }
    behaves_as_always(fixture!("echo").through(through));
}
