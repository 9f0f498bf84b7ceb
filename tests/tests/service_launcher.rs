//! Services in one process: signals, the graceful timeout, reloads in place, ends.

use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use tests::fixture;
use tests::harness::{Fixture, Program, Scratch};

/// A program with one service, in which something never ends.
fn unwilling(what: &str) -> Program {
    fixture!("unwilling").arg(format!("--set=unwilling.{what}"))
}

/// Starts one that tells of reloads, with this configuration.
fn settled(config: &str) -> Fixture {
    let program = fixture!("settled").config(config).start();
    program.wait_for("built");
    program.wait_for(" ready");
    program
}

#[track_caller]
fn ends_well(program: &Fixture) {
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
}

#[test]
fn a_service_whose_run_hook_ends_is_done_and_the_last_one_ends_the_program() {
    let (code, _, log) = fixture!("jobs").run();
    assert_eq!(code, 0, "{log}");
    let place = |text: &str| {
        log.find(text)
            .unwrap_or_else(|| panic!("no `{text}`: {log}"))
    };
    assert!(place("ticked: Some(3)") < place("first stops"), "{log}");
    assert!(
        place(r#"service is done service="first""#) < place("second succeeded at try 3"),
        "{log}"
    );
    assert!(
        place(r#"service is done service="second""#) < place("every service has ended"),
        "{log}"
    );
}

#[test]
fn a_stop_that_runs_out_of_time_names_the_hook() {
    let program = unwilling("hook=stop")
        .arg("--graceful-shutdown-timeout=50ms")
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    program.wait_for("the graceful stop did not end within 50ms");
    let line = program.wait_for("service `unwilling` still runs");
    assert!(line.contains("hook `on_stop` for "), "{line}");
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn a_stop_that_runs_out_of_time_names_the_tasks() {
    let program = unwilling("task=true")
        .arg("--graceful-shutdown-timeout=50ms")
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    let line = program.wait_for("service `unwilling` still runs");
    assert!(line.contains("task `endless` for "), "{line}");
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn a_stop_names_a_start_that_does_not_give_its_thread_back() {
    let program = unwilling("hook=block")
        .arg("--graceful-shutdown-timeout=50ms")
        .start();
    program.wait_for("blocks in start");
    program.signal(Signal::SIGTERM);
    let line = program.wait_for("service `unwilling` still runs");
    assert!(line.contains("hook `on_start` for "), "{line}");
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn a_stop_does_not_wait_for_a_start_that_hangs() {
    let program = unwilling("hook=start").start();
    program.wait_for("hangs in start");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_blocked_runtime_still_ends_after_the_graceful_timeout() {
    let program = unwilling("runtime=true")
        .args([
            "--runtime=current_thread",
            "--graceful-shutdown-timeout=50ms",
        ])
        .start();
    program.wait_for("blocks");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn a_second_term_exits_at_once() {
    let program = unwilling("hook=stop")
        .arg("--graceful-shutdown-timeout=0s")
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGTERM);
    program.wait_for("hangs in stop");
    tell_until_it_has_ended(&program, Signal::SIGTERM);
    assert_eq!(program.exit_code(), 1);
    program.wait_for("TERM again: exits at once");
}

/// Sends the signal until the program has ended: those of the stop's first moment count as one.
#[track_caller]
fn tell_until_it_has_ended(program: &Fixture, signal: Signal) {
    tests::harness::until("told again, it has ended", || {
        let _ = nix::sys::signal::kill(program.pid(), signal);
        program.has_ended()
    });
}

#[test]
fn two_terms_at_the_same_moment_are_one_graceful_stop() {
    // As timeout(1) gives them: to its child, and to the whole group.
    let program = unwilling("hook=stop")
        .arg("--graceful-shutdown-timeout=200ms")
        .start();
    program.wait_for(" ready");
    for _ in 0..2 {
        program.signal(Signal::SIGTERM);
    }
    program.wait_for("hangs in stop");
    program.wait_for("the graceful stop did not end within 200ms");
    assert!(program.lines().with("exits at once").is_empty());
}

#[test]
fn quit_stops_gracefully_and_a_second_time_at_once() {
    let program = unwilling("hook=stop")
        .arg("--graceful-shutdown-timeout=0s")
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGQUIT);
    program.wait_for("QUIT: stops gracefully sender=");
    program.wait_for("hangs in stop");
    tell_until_it_has_ended(&program, Signal::SIGQUIT);
    assert_eq!(program.exit_code(), 1);
    program.wait_for("QUIT again: exits at once");
}

#[test]
fn a_second_term_ends_a_blocked_runtime_too() {
    let program = unwilling("runtime=true")
        .args(["--runtime=current_thread", "--graceful-shutdown-timeout=0s"])
        .start();
    program.wait_for("blocks");
    program.signal(Signal::SIGTERM);
    // Two signals that nobody has taken yet would be one.
    tests::harness::until("the first one is taken", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", program.pid()));
        status.unwrap().contains("ShdPnd:\t0000000000000000")
    });
    tell_until_it_has_ended(&program, Signal::SIGTERM);
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn int_exits_at_once() {
    let program = unwilling("hook=stop").start();
    program.wait_for(" ready");
    program.signal(Signal::SIGINT);
    assert_eq!(program.exit_code(), 1);
    program.everybody_is_gone();
    assert!(program.lines().with("hangs in stop").is_empty());
}

#[test]
fn int_ends_a_start_that_hangs() {
    let program = unwilling("hook=start").start();
    program.wait_for("hangs in start");
    program.signal(Signal::SIGINT);
    assert_eq!(program.exit_code(), 1);
}

#[test]
fn a_restart_in_place_closes_the_socket_of_an_address_that_was_given_up() {
    let scratch = Scratch::new();
    let (old, new) = (scratch.path("old"), scratch.path("new"));
    let at = |path: &Path| format!("[settled]\nlisten = 'unix:{}'\n", path.display());
    let program = settled(&at(&old));
    UnixStream::connect(&old).unwrap();
    program.rewrite(&at(&new));
    program.signal(Signal::SIGHUP);
    let closed = program.wait_for("no service listens on this any more: closed");
    assert!(closed.contains(&format!("{}", old.display())), "{closed}");
    program.wait_for("reloaded, services restarted");
    UnixStream::connect(&old).unwrap_err();
    UnixStream::connect(&new).unwrap();
    // One that is kept is not closed.
    program.rewrite(&format!("{}place = 'stairs'\n", at(&new)));
    program.signal(Signal::SIGHUP);
    program.wait_for("reloaded, services restarted");
    UnixStream::connect(&new).unwrap();
    ends_well(&program);
    assert_eq!(program.lines().with("no service listens").len(), 1);
}

#[test]
fn hup_restarts_the_services_in_place_with_the_new_configuration() {
    let program = settled("[settled]\nplace = 'window'\n");
    program.rewrite("[settled]\nplace = 'stairs'\n");
    program.signal(Signal::SIGHUP);
    program.wait_for("stops at the window");
    let built = program.wait_for("built");
    assert!(built.contains(r#"place="stairs""#), "{built}");
    assert!(
        built.contains(&format!(" pid={} ", program.pid())),
        "{built}"
    );
    program.wait_for("reloaded, services restarted");
    ends_well(&program);
    assert!(program.lines().with("stops at the stairs").len() == 1);
}

#[test]
fn a_broken_file_changes_nothing() {
    for restart_method in ["reload", "mutate"] {
        let launch = format!("[launch]\nrestart_method = '{restart_method}'\n");
        let program = settled(&format!("{launch}[settled]\ngreeting = 'hi'\n"));
        program.rewrite(&format!("{launch}[settled]\ngreting = 'hey'\n"));
        program.signal(Signal::SIGHUP);
        let line = program.wait_for("reload refused, nothing is changed");
        assert!(
            line.contains("config.toml:4: [settled] greting: "),
            "{line}"
        );
        assert!(line.contains("did you mean `greeting`?"), "{line}");
        ends_well(&program);
        for sign in ["stops at", "built"] {
            assert_eq!(program.lines().with(sign).len(), 1);
        }
        assert!(program.lines().with(" reset ").is_empty());
    }
}

#[test]
fn services_that_do_not_start_with_the_new_configuration_get_the_old_one_back() {
    let program = settled("[settled]\nplace = 'window'\n");
    program.rewrite("[settled]\nplace = 'nowhere'\n");
    program.signal(Signal::SIGHUP);
    let line = program.wait_for("reload undone");
    assert!(
        line.contains("service `settled` could not be started"),
        "{line}"
    );
    assert!(line.contains("nobody can stand nowhere"), "{line}");
    let built = program.wait_for("built");
    assert!(built.contains(r#"place="window""#), "{built}");
    // A later reload finds everything as it was.
    program.rewrite("[settled]\nplace = 'stairs'\n");
    program.signal(Signal::SIGHUP);
    let built = program.wait_for("built");
    assert!(built.contains(r#"place="stairs""#), "{built}");
    program.wait_for("reloaded, services restarted");
    ends_well(&program);
}

#[test]
fn mutate_takes_over_what_is_mutable_and_reports_what_is_not() {
    let config = |greeting: &str, place: &str, password: &str| {
        format!(
            "[launch]\nrestart_method = 'mutate'\n\
             [settled]\ngreeting = '{greeting}'\nplace = '{place}'\npassword = '{password}'\n"
        )
    };
    let program = settled(&config("hi", "window", "sesame"));
    program.rewrite(&config("hey", "stairs", "barley"));
    program.signal(Signal::SIGHUP);
    let line = program.wait_for("option needs a restart, it stays as it was");
    assert!(
        line.contains("[settled] place:") && line.contains("stairs"),
        "{line}"
    );
    program.wait_for("changed from hi to hey");
    let reset = program.wait_for("reset");
    assert!(
        reset.contains(r#"greeting="hey" place="window""#),
        "{reset}"
    );
    program.wait_for("mutated");
    ends_well(&program);
    assert_eq!(program.lines().with("built").len(), 1);
    assert_eq!(program.lines().with("option changed: ").len(), 2);
    let log = program.lines().all().join("\n");
    assert!(!log.contains("sesame") && !log.contains("barley"), "{log}");
}

#[test]
fn an_error_of_a_reset_is_told_and_the_service_goes_on() {
    let launch = "[launch]\nrestart_method = 'mutate'\n";
    let program = settled(launch);
    program.rewrite(&format!("{launch}[settled]\ngreeting = 'silence'\n"));
    program.signal(Signal::SIGHUP);
    let line = program.wait_for("service failed to take over the configuration");
    assert!(
        line.contains("hook `on_reset` failed: nothing to say"),
        "{line}"
    );
    program.wait_for("mutated");
    ends_well(&program);
}

#[test]
fn a_stop_does_not_wait_for_a_reset_that_hangs() {
    let program = unwilling("hook=reset")
        .arg("--restart-method=mutate")
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGHUP);
    program.wait_for("hangs in reset");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_reset_that_hangs_is_named_after_the_graceful_timeout_and_the_service_goes_on() {
    let program = unwilling("hook=reset")
        .args([
            "--restart-method=mutate",
            "--graceful-shutdown-timeout=50ms",
        ])
        .start();
    program.wait_for(" ready");
    program.signal(Signal::SIGHUP);
    let line = program.wait_for("service `unwilling` still runs");
    assert!(line.contains("hook `on_reset` for "), "{line}");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn the_first_term_during_a_reload_is_a_graceful_stop() {
    let scratch = Scratch::new();
    let gate = scratch.path("gate");
    nix::unistd::mkfifo(&gate, Mode::S_IRWXU).unwrap();
    let program = settled(&format!("[settled]\nplace = 'gate {}'\n", gate.display()));
    program.signal(Signal::SIGHUP);
    program.wait_for("stops at the gate");
    program.signal(Signal::SIGTERM);
    program.wait_for("TERM: stops gracefully");
    std::fs::write(&gate, "open").unwrap();
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert_eq!(program.lines().with("built").len(), 1);
}

#[test]
fn a_hup_during_a_reload_is_one_more_reload_after_it() {
    let scratch = Scratch::new();
    let gate = scratch.path("gate");
    nix::unistd::mkfifo(&gate, Mode::S_IRWXU).unwrap();
    let program = settled(&format!("[settled]\nplace = 'gate {}'\n", gate.display()));
    program.rewrite("[settled]\nplace = 'stairs'\n");
    program.signal(Signal::SIGHUP);
    program.wait_for("stops at the gate");
    program.wait_for("HUP: reloads");
    program.rewrite("[settled]\nplace = 'window'\n");
    program.signal(Signal::SIGHUP);
    program.wait_for("HUP: reloads");
    std::fs::write(&gate, "open").unwrap();
    program.wait_for("stops at the stairs");
    let built = program.wait_for(r#"place="window""#);
    assert!(built.contains("built"), "{built}");
    program.wait_for("reloaded, services restarted");
    program.wait_for("reloaded, services restarted");
    ends_well(&program);
}

#[test]
fn a_process_launches_once() {
    let (code, _, log) = fixture!("twice").run();
    assert_eq!(code, 1, "{log}");
    assert!(
        log.contains("launched within a launch refused=true"),
        "{log}"
    );
    assert!(log.contains("the first launch ended: true"), "{log}");
    assert!(
        log.contains("again: a launch is already under way in this process, or has ended"),
        "{log}"
    );
    assert!(
        log.contains("twice: a launch is already under way in this process, or has ended"),
        "{log}"
    );
}

#[test]
fn a_start_that_hangs_is_given_up_when_its_time_is_up() {
    let program = unwilling("hook=start").arg("--start-timeout=300ms").start();
    let line = program.wait_for("could not be started: not ready within start_timeout");
    assert!(line.contains("service `unwilling`"), "{line}");
    assert_eq!(program.exit_code(), 1);
}
