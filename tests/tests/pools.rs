//! Services with workers of their own, under one supervisor.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use tests::fixture;
use tests::harness::{Fixture, NotifySocket, Worker, field, kill};

/// The service and the pid of a worker that runs.
fn runs(program: &Fixture, count: usize) -> BTreeMap<String, Vec<i32>> {
    let mut pids: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for _ in 0..count {
        let line = program.wait_for(" runs service=");
        let pid = tests::harness::writer(&line).as_raw();
        pids.entry(field(&line, "service")).or_default().push(pid);
    }
    pids
}

/// Waits for as many ready workers as the status tells of.
#[track_caller]
fn ready(program: &Fixture, status: &str) {
    program.wait_for(&format!(" ready: {status}"));
}

const FOUR: &str = "[api]\nworkers = 2\n[metadata]\nworkers = 1\n";

#[test]
fn each_service_has_the_workers_that_its_table_asks_for() {
    let program = fixture!("pools").config(FOUR).start();
    ready(
        &program,
        "4 workers (2 of api, 1 of metadata), generation 1",
    );
    let pids = runs(&program, 4);
    let counts: Vec<(&str, usize)> = pids
        .iter()
        .map(|(name, pids)| (name.as_str(), pids.len()))
        .collect();
    assert_eq!(counts, [("api", 2), ("metadata", 1), ("rest", 1)]);
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
}

#[test]
fn a_killed_worker_is_replaced_by_one_of_its_own_service() {
    let program = fixture!("pools").config(FOUR).start();
    ready(&program, "4 workers");
    let pids = runs(&program, 4);
    kill(
        nix::unistd::Pid::from_raw(pids["metadata"][0]),
        Signal::SIGKILL,
    );
    let died = program.wait_for("worker died");
    assert!(died.contains(" slot=0 of=\"metadata\" "), "{died}");
    let next = program.wait_for(" runs service=");
    assert_eq!(field::<String>(&next, "service"), "metadata");
}

#[test]
fn with_workers_of_its_own_for_every_service_nobody_else_stays() {
    let program = fixture!("pools")
        .config(FOUR)
        .args(["--set", "rest.workers=1"])
        .start();
    program.wait_for("worker has nothing left to do");
    program.signal(Signal::SIGUSR1);
    let report = program.wait_for("report: ");
    assert!(
        report.contains("4 workers (2 of api, 1 of metadata, 1 of rest)"),
        "{report}"
    );
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_task_of_scope_program_runs_in_one_worker_of_its_service() {
    let program = fixture!("pools").config("[api]\nworkers = 3\n").start();
    ready(&program, "4 workers");
    let api = runs(&program, 5)["api"].clone();
    let ticks: Vec<i32> = (0..20)
        .map(|_| program.wait_for(" ticks service=\"api\""))
        .map(|line| tests::harness::writer(&line).as_raw())
        .collect();
    assert!(ticks.iter().all(|pid| *pid == ticks[0]), "{ticks:?}");
    assert!(api.contains(&ticks[0]));
}

#[test]
fn the_lines_of_a_worker_name_the_service_that_it_belongs_to() {
    let program = fixture!("pools").config(FOUR).start();
    for _ in 0..4 {
        let line = program.wait_for(" runs service=");
        let service = field::<String>(&line, "service");
        let of = format!(" of=\"{service}\" pid=");
        assert_eq!(line.contains(&of), service != "rest", "{line}");
        assert_eq!(line.contains(" of="), service != "rest", "{line}");
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_reload_changes_the_number_of_one_service_alone() {
    let program = fixture!("pools").config(FOUR).start();
    ready(&program, "4 workers");
    program.rewrite("[api]\nworkers = 3\n[metadata]\nworkers = 1\n");
    program.signal(Signal::SIGHUP);
    let scaled = program.wait_for("number of workers changed");
    assert!(scaled.contains("workers=3 of=\"api\""), "{scaled}");
    ready(
        &program,
        "5 workers (3 of api, 1 of metadata), generation 2",
    );
}

#[test]
fn a_reload_gives_a_service_workers_of_its_own_before_the_others_leave_it() {
    let program = fixture!("pools")
        .config("[launch]\nworkers = 1\n[metadata]\nworkers = 1\n")
        .start();
    ready(&program, "2 workers (1 of metadata), generation 1");
    let before = runs(&program, 3);
    program.rewrite(FOUR);
    program.signal(Signal::SIGHUP);
    ready(
        &program,
        "4 workers (2 of api, 1 of metadata), generation 2",
    );
    let ready: Vec<String> = program.lines().with("worker ready");
    let first = ready.iter().find(|line| line.contains("generation=2"));
    let first = first.expect("a worker of the new generation is ready");
    assert!(first.contains("of=\"api\""), "{first}");
    let stopped = program.lines().with("worker stopped");
    assert!(
        stopped.iter().all(|line| line.contains("generation=1")),
        "{stopped:?}"
    );
    assert_eq!(before["api"], before["rest"]);
}

#[test]
fn a_new_pool_that_does_not_start_takes_the_reload_back() {
    let program = fixture!("pools")
        .config("[metadata]\nworkers = 1\n")
        .start();
    ready(&program, "2 workers (1 of metadata), generation 1");
    let before = program.children();
    program.rewrite("[api]\nworkers = 2\nfail = true\n[metadata]\nworkers = 1\n");
    program.signal(Signal::SIGHUP);
    program.wait_for("reload failed, it is undone");
    program.wait_for("reload undone");
    program.has_children(&before);
    program.rewrite(FOUR);
    program.signal(Signal::SIGHUP);
    ready(&program, "4 workers (2 of api, 1 of metadata)");
}

#[test]
fn the_watchdog_waits_for_every_service() {
    let manager = NotifySocket::path();
    let program = fixture!("pools")
        .config("[api]\nworkers = 1\n[metadata]\nworkers = 1\n")
        .env("NOTIFY_SOCKET", manager.name())
        .env("WATCHDOG_USEC", "20000")
        .args(["--respawn-delay", "1h", "--respawn-delay-max", "1h"])
        .start();
    ready(&program, "3 workers");
    manager.messages().wait_for("WATCHDOG=1");
    // From the second early death in a row on, the slot waits for an hour.
    for _ in 0..2 {
        let line = program.wait_for(" runs service=\"api\"");
        kill(tests::harness::writer(&line), Signal::SIGKILL);
        program.wait_for("worker died");
    }
    manager.messages().wait_for("2 ready");
    let fed = manager.messages().with("WATCHDOG=1").len();
    // The next message comes after the loop has turned many times.
    program.signal(Signal::SIGTTIN);
    manager.messages().wait_for("STATUS=4 workers");
    assert!(manager.messages().with("WATCHDOG=1").len() <= fed + 1);
}

#[test]
fn settings_of_its_own_hold_for_the_workers_of_one_service() {
    let program = fixture!("pools")
        .config("[api]\nworkers = 1\n[launch.pools.api]\nmax_lifetime = \"50ms\"\n")
        .start();
    ready(&program, "2 workers (1 of api)");
    let worn = program.wait_for("worker has reached a limit of its life");
    assert!(worn.contains(" of=\"api\" "), "{worn}");
}

#[test]
fn a_pool_of_no_service_is_refused_with_the_near_miss() {
    let (code, _, log) = fixture!("pools")
        .config("[launch.pools.apo]\nworkers = 2\n")
        .run();
    assert_eq!(code, 78);
    assert!(
        log.contains("no service has this name: did you mean `api`?"),
        "{log}"
    );
}

#[test]
fn settings_of_its_own_without_workers_of_its_own_are_refused() {
    let (code, _, log) = fixture!("pools")
        .config("[launch.pools.api]\ndrain_timeout = \"1s\"\n")
        .run();
    assert_eq!(code, 78);
    assert!(
        log.contains("how many workers run `api` and nothing else"),
        "{log}"
    );
}

#[test]
fn services_that_all_end_by_themselves_end_the_launch() {
    let program = fixture!("pools")
        .args(["--workers", "2"])
        .config("[api]\ndone = true\n[metadata]\ndone = true\n[rest]\ndone = true\n")
        .start();
    assert_eq!(program.exit_code(), 0);
    program.wait_for("every worker has nothing left to do");
    assert!(program.lines().with("worker died").is_empty());
}

#[test]
fn a_worker_whose_work_is_done_is_not_replaced() {
    let program = fixture!("pools")
        .config("[api]\nworkers = 1\ndone = true\n")
        .start();
    program.wait_for("worker has nothing left to do");
    let stopped = program.wait_for("worker stopped");
    assert!(stopped.contains("how=exit code 0"), "{stopped}");
    assert_eq!(Worker::of(&stopped).slot, 0);
    program.signal(Signal::SIGUSR1);
    program.wait_for("report: 1 worker, generation 1");
}

#[test]
fn a_service_that_loses_its_own_workers_is_run_by_the_shared_ones_again() {
    let own = "[api]\nworkers = 1\n[metadata]\nworkers = 1\n";
    let program = fixture!("pools")
        .config(&format!("{own}[rest]\nworkers = 1\n"))
        .start();
    program.wait_for("worker has nothing left to do");
    let before = runs(&program, 3);
    program.rewrite(own);
    program.signal(Signal::SIGHUP);
    ready(
        &program,
        "3 workers (1 of api, 1 of metadata), generation 2",
    );
    let after = runs(&program, 3);
    assert_eq!(after["rest"].len(), 1);
    assert_ne!(after["rest"], before["rest"]);
    // Not an empty file, which looks like one that was cut off.
    program.rewrite("# no service has workers of its own\n");
    program.signal(Signal::SIGHUP);
    ready(&program, "1 worker, generation 3");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn shared_workers_stay_until_it_is_certain_that_they_are_not_needed() {
    // Every service gets workers of its own, so the shared ones find nothing to do; and the last of the
    // others does not start.
    let program = fixture!("pools")
        .args(["--workers", "2"])
        .config("")
        .start();
    ready(&program, "2 workers, generation 1");
    let before = program.children();
    let own = "[api]\nworkers = 1\n[metadata]\nworkers = 1\n[rest]\nworkers = 1\nfail = true\n";
    program.rewrite(own);
    program.signal(Signal::SIGHUP);
    program.wait_for("reload undone");
    program.has_children(&before);
    program.rewrite(&own.replace("fail = true\n", ""));
    program.signal(Signal::SIGHUP);
    ready(&program, "3 workers (1 of api, 1 of metadata, 1 of rest)");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}
