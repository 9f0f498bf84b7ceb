//! What `main` may be: async, with the configuration, and with flags.

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Lines, Program, kill};

fn shared() -> Program {
    fixture!("shared")
}

/// Whether the lines with these texts came in this order.
#[track_caller]
fn assert_order(lines: &Lines, texts: &[&str]) {
    let all = lines.with("");
    let place = |text: &&str| all.iter().position(|line| line.contains(*text));
    let places: Vec<_> = texts.iter().map(place).collect();
    assert!(places.iter().all(Option::is_some), "{places:?} {all:#?}");
    assert!(places.is_sorted(), "{places:?} {all:#?}");
}

#[test]
fn what_main_builds_is_shared_by_services_and_dropped_after_the_last() {
    for workers in ["1", "2"] {
        let args = [
            "--workers",
            workers,
            "--set",
            "pool.name=lake",
            "--say",
            "hello",
        ];
        let program = shared().args(args).start();
        program.wait_for("stock uses lake and says hello");
        if workers == "1" {
            program.wait_for("shared of generation 1 in slot None");
        } else {
            program.wait_for("shared of generation 1 in slot Some(0)");
            program.wait_for("shared of generation 1 in slot Some(1)");
        }
        program.wait_for(" ready");
        program.signal(Signal::SIGTERM);
        assert_eq!(program.exit_code(), 0);
        let lines = program.lines();
        let wanted = workers.parse::<usize>().unwrap();
        for text in ["opened lake", "closed lake"] {
            assert_eq!(lines.with(text).len(), wanted, "{text}");
        }
        assert_order(
            lines,
            &[
                "opened lake",
                "shop uses lake",
                "shop has stopped",
                "closed lake",
            ],
        );
    }
}

#[test]
fn a_table_of_no_service_is_checked_like_any_other() {
    let check = |set: &str| shared().args(["--check-config", "--set", set]).run();
    let (code, _, log) = check("pool.name=lake");
    assert_eq!(code, 0, "{log}");
    let (code, _, log) = check("pool.nmae=lake");
    assert_eq!(code, 78, "{log}");
    assert!(log.contains("did you mean `name`?"), "{log}");
    let (code, _, log) = check("pool.takes=long");
    assert_eq!(code, 78, "{log}");
    let (code, sample, log) = shared().arg("--sample-config").run();
    assert_eq!(code, 0, "{log}");
    assert!(
        sample.contains("[pool]") && sample.contains("What it is called."),
        "{sample}"
    );
}

#[test]
fn an_async_main_that_fails_says_why() {
    let args = ["--workers", "1", "--set", "pool.name=none"];
    let (code, _, log) = shared().args(args).run();
    assert_eq!(code, 1, "{log}");
    assert!(
        log.contains("`main` failed: there is no pool of this name"),
        "{log}"
    );
}

#[test]
fn a_reload_builds_it_anew_and_a_failed_one_keeps_what_was() {
    let program = shared()
        .args(["--workers", "2", "--healthy-after", "0s"])
        .start();
    program.ready(2);
    program.signal(Signal::SIGHUP);
    program.wait_for("reloaded generation=2");
    program.wait_for("shared of generation 2 in slot");
    kill(program.children()[0], Signal::SIGKILL);
    program.ready_worker();
}

#[test]
fn a_main_that_waits_for_ever_is_ended_by_the_start_timeout() {
    let args = [
        "--workers",
        "2",
        "--set",
        "pool.takes=1h",
        "--start-timeout",
        "1s",
    ];
    let program = shared().args(args).start();
    program.wait_for("worker is not ready within start_timeout: killed");
    program.wait_for("launch failed, no worker ever got ready");
    assert_eq!(program.exit_code(), 1);
}
