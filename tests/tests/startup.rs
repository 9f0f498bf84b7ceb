//! From the start of a program to its readiness, and what may come between.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{NotifySocket, field, writer};

#[test]
fn term_at_every_millisecond_of_the_start_is_a_clean_stop() {
    for millisecond in 0..=60 {
        let manager = NotifySocket::path();
        let greeter = fixture!("greeter")
            .args(["--graceful-shutdown-timeout", "10s"])
            .env("NOTIFY_SOCKET", manager.name())
            .start();
        // The one sleep that is meant: the moment of the signal is what this is about.
        thread::sleep(Duration::from_millis(millisecond));
        let told = Instant::now();
        greeter.signal(Signal::SIGTERM);
        let status = greeter.exit_status();
        assert!(told.elapsed() < Duration::from_secs(10), "{millisecond} ms");
        greeter.everybody_is_gone();
        let messages = manager.close();
        if status.code() != Some(0) {
            // Before `main` has begun nobody can handle a signal, and there is nothing to stop.
            assert_eq!(
                status.signal(),
                Some(Signal::SIGTERM as i32),
                "{millisecond} ms"
            );
            assert!(
                greeter.lines().all().is_empty() && messages.is_empty(),
                "{millisecond} ms"
            );
            continue;
        }
        let place = |text: &str| messages.iter().position(|message| message.contains(text));
        let stopping = place("STOPPING=1").expect("a stop is told");
        assert!(
            place("READY=1").is_none_or(|ready| ready < stopping),
            "{messages:?}"
        );
        assert!(
            greeter.lines().with("killed").is_empty(),
            "{millisecond} ms"
        );
    }
}

#[test]
fn a_start_that_fails_everywhere_fails_the_launch_after_three_tries() {
    let manager = NotifySocket::path();
    let picky = fixture!("picky")
        .args(["--workers", "1", "--respawn-delay", "10ms"])
        .args(["--set", "picky.fail_in=[0]"])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    assert_eq!(picky.exit_code(), 1);
    picky.everybody_is_gone();
    let tried = picky
        .lines()
        .with("service_runtime: service `picky` could not be started");
    assert_eq!(tried.len(), 3);
    let failed = picky.wait_for("launch failed, no worker ever got ready");
    assert!(failed.contains("the larder of slot 0 is empty"), "{failed}");
    let messages = manager.close();
    assert!(
        messages.iter().all(|message| !message.contains("READY=1")),
        "{messages:?}"
    );
}

#[test]
fn a_slot_that_never_gets_ready_keeps_the_program_from_being_ready() {
    let manager = NotifySocket::path();
    let picky = fixture!("picky")
        .args(["--respawn-delay", "10ms", "--respawn-delay-max", "10ms"])
        .args(["--set", "picky.fail_in=[1]"])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    assert_eq!(picky.ready_worker().slot, 0);
    for _ in 0..5 {
        let died = picky.wait_for("worker died");
        assert_eq!(field::<usize>(&died, "slot"), 1);
        assert!(field::<String>(&died, "error").contains("the larder of slot 1 is empty"));
    }
    picky.signal(Signal::SIGTERM);
    assert_eq!(picky.exit_code(), 0);
    picky.everybody_is_gone();
    let messages = manager.close();
    assert!(
        messages.iter().all(|message| !message.contains("READY=1")),
        "{messages:?}"
    );
}

#[test]
fn an_address_in_use_ends_the_launch_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let manager = NotifySocket::path();
    let (code, _, log) = fixture!("echo")
        .args(["--set", &format!("echo.listen={address}")])
        .env("NOTIFY_SOCKET", manager.name())
        .run();
    assert_eq!(code, 1);
    let failed: Vec<_> = log
        .lines()
        .filter(|line| line.contains("launch failed"))
        .collect();
    assert_eq!(failed.len(), 1, "{log}");
    for words in [&address.to_string(), "Address already in use", "`ss -ltnp`"] {
        assert!(failed[0].contains(words), "{log}");
    }
    assert!(!log.contains("worker died"), "{log}");
    let messages = manager.close();
    assert!(
        messages.iter().all(|message| !message.contains("READY=1")),
        "{messages:?}"
    );
}

#[test]
fn a_broken_configuration_ends_the_program_with_78() {
    for (text, words) in [
        (
            "[greeter]\ngreting = 'hello'\n",
            &["config.toml:2", "greting", "greeting"][..],
        ),
        (
            "[greeter]\ngreeting = 7\n",
            &["config.toml:2", "[greeter] greeting", "string"],
        ),
        (
            "[launch]\nworkers = 0\n",
            &["config.toml:2", "[launch] workers", "1 to 1000"],
        ),
        ("[greeter\n", &["config.toml:1"]),
        (
            "[greter]\ngreeting = 'hello'\n",
            &["config.toml:1", "greter", "greeter"],
        ),
    ] {
        let (code, _, log) = fixture!("greeter").config(text).run();
        assert_eq!(code, 78, "{text}: {log}");
        assert!(
            words.iter().all(|words| log.contains(words)),
            "{text}: {log}"
        );
        assert!(!log.contains("started"), "{log}");
    }
    let (code, _, log) = fixture!("greeter")
        .args(["--config-file", "/nowhere/at.toml"])
        .run();
    assert_eq!(code, 78, "{log}");
    assert!(log.contains("/nowhere/at.toml"), "{log}");
}

#[test]
fn a_wrong_command_line_ends_the_program_with_2() {
    for (args, words) in [
        (["--workers", "0"], "1 to 1000"),
        (["--wokers", "2"], "--workers"),
    ] {
        let (code, _, log) = fixture!("greeter").args(args).run();
        assert_eq!(code, 2, "{log}");
        assert!(log.contains(words), "{log}");
    }
}

#[test]
fn a_worker_that_hangs_at_its_start_is_killed_and_ends_the_launch_after_three_tries() {
    let picky = fixture!("picky")
        .args([
            "--workers",
            "1",
            "--start-timeout",
            "100ms",
            "--respawn-delay",
            "10ms",
        ])
        .args(["--set", "picky.hang_in=[0]"])
        .start();
    for _ in 0..3 {
        picky.wait_for("worker is not ready within start_timeout: killed");
    }
    assert_eq!(picky.exit_code(), 1);
    picky.everybody_is_gone();
    let failed = picky.wait_for("launch failed, no worker ever got ready");
    assert!(failed.contains("killed by SIGKILL"), "{failed}");
}

#[test]
fn a_thread_that_preload_leaves_behind_is_refused_and_named() {
    let stray = fixture!("stray").start();
    let refused = stray.wait_for("cannot fork while other threads run");
    assert!(refused.contains("`stray-counter`"), "{refused}");
    assert!(refused.contains("start them in `main`"), "{refused}");
    assert_eq!(stray.exit_code(), 1);
    stray.everybody_is_gone();
}

#[test]
fn workers_share_what_preload_has_loaded() {
    let preloaded = fixture!("preloaded").start();
    preloaded.ready(2);
    let shared = [(); 2].map(|()| preloaded.wait_for("shared loaded_by"));
    let place = |line: &String| field::<String>(line, "at");
    for line in &shared {
        assert_eq!(field::<i32>(line, "loaded_by"), preloaded.pid().as_raw());
        assert_eq!(field::<u64>(line, "sum"), 500_000_500_000);
        assert_ne!(writer(line), preloaded.pid());
    }
    assert_eq!(place(&shared[0]), place(&shared[1]));
    // One that comes later has it too, and it is not loaded again.
    tests::harness::kill(writer(&shared[0]), Signal::SIGKILL);
    assert_eq!(
        place(&preloaded.wait_for("shared loaded_by")),
        place(&shared[0])
    );
    let loaded = preloaded.lines().all();
    assert_eq!(loaded.iter().filter(|line| *line == "preloaded").count(), 1);
}

#[test]
fn signals_that_were_blocked_at_the_start_work_all_the_same() {
    let blocked = [
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGCHLD,
        Signal::SIGINT,
    ];
    let greeter = blocked
        .into_iter()
        .fold(fixture!("greeter"), tests::harness::Program::blocked)
        .start();
    works(&greeter);
}

#[test]
fn signals_that_were_ignored_at_the_start_work_all_the_same() {
    let ignoring = ["sh", "-c", "trap '' TERM HUP INT CHLD; exec \"$@\"", "sh"];
    works(&fixture!("greeter").through(ignoring).start());
    works(&fixture!("greeter").through(["nohup"]).start());
}

/// Reloads, replaces a worker and stops.
#[track_caller]
fn works(greeter: &tests::harness::Fixture) {
    let workers = greeter.ready(2);
    greeter.signal(Signal::SIGHUP);
    let workers = [workers, greeter.ready(2)].concat();
    tests::harness::kill(workers[3].pid, Signal::SIGKILL);
    greeter.ready_worker();
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
}

#[test]
fn a_program_with_standard_output_and_error_closed_goes_on() {
    let manager = NotifySocket::path();
    let closed = ["sh", "-c", "exec \"$@\" >&- 2>&- <&-", "sh"];
    let greeter = fixture!("greeter")
        .through(closed)
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    goes_on_unheard(&greeter, &manager);
}

#[test]
fn a_program_whose_log_nobody_reads_goes_on() {
    let manager = NotifySocket::path();
    let (reader, log) = std::io::pipe().unwrap();
    let (_, output) = std::io::pipe().unwrap();
    let greeter = fixture!("greeter")
        .stderr(log)
        .stdout(output)
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    drop(reader);
    goes_on_unheard(&greeter, &manager);
}

/// Replaces a worker, reloads, reports and stops, with no line of the log to tell.
#[track_caller]
fn goes_on_unheard(greeter: &tests::harness::Fixture, manager: &NotifySocket) {
    let one_is_missing = "STATUS=2 workers, generation 1, 1 ready";
    let none_is_missing = "STATUS=2 workers, generation 1\n";
    for message in [one_is_missing, "READY=1", none_is_missing] {
        manager.messages().wait_for(message);
    }
    tests::harness::kill(greeter.children()[0], Signal::SIGKILL);
    for message in [one_is_missing, none_is_missing] {
        manager.messages().wait_for(message);
    }
    greeter.signal(Signal::SIGUSR1);
    greeter.signal(Signal::SIGHUP);
    manager.messages().wait_for("RELOADING=1");
    manager.messages().wait_for("READY=1");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    tests::harness::until("nobody is left", || greeter.processes().is_empty());
}
