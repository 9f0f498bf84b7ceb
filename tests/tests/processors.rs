//! As many workers as there are processors, and each on its own.

use std::fs;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::Fixture;

/// Returns the processors that this test may use.
fn allowed() -> Vec<usize> {
    let mask = sched_getaffinity(Pid::from_raw(0)).unwrap();
    (0..CpuSet::count())
        .filter(|cpu| mask.is_set(*cpu).unwrap())
        .collect()
}

fn processors(pid: Pid) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    line.unwrap().trim().to_owned()
}

fn of_workers(program: &Fixture, workers: usize) -> Vec<String> {
    program
        .ready(workers)
        .iter()
        .map(|worker| processors(worker.pid))
        .collect()
}

#[test]
fn auto_is_one_worker_a_processor_of_the_mask_and_a_reload_looks_again() {
    let allowed = allowed();
    let one = allowed[0].to_string();
    // `launch` without a number: even one processor gets a supervisor.
    let auto = fixture!("arranged")
        .through(["taskset", "-c", &one])
        .args(["--service=a", "--workers=auto"])
        .start();
    assert_eq!(of_workers(&auto, 1), [one]);
    if allowed.len() < 2 {
        eprintln!("ONE PROCESSOR: that a reload finds more is not tested");
        return;
    }
    let mut two = CpuSet::new();
    two.set(allowed[0]).unwrap();
    two.set(allowed[1]).unwrap();
    sched_setaffinity(auto.pid(), &two).unwrap();
    auto.signal(Signal::SIGHUP);
    auto.wait_for("number of workers changed workers=2");
    auto.signal(Signal::SIGTERM);
    assert_eq!(auto.exit_code(), 0);
}

#[test]
fn slots_are_pinned_round_the_allowed_processors() {
    let allowed = allowed();
    let workers = allowed.len() + 1;
    let greeter = fixture!("greeter")
        .args(["--cpu-affinity", "true", "--workers", &workers.to_string()])
        .start();
    let pinned = of_workers(&greeter, workers);
    let expected: Vec<String> = (0..workers)
        .map(|slot| allowed[slot % allowed.len()].to_string())
        .collect();
    assert_eq!(pinned, expected);
    // The supervisor itself is not.
    if allowed.len() > 1 {
        assert_ne!(processors(greeter.pid()), pinned[0]);
    }
}

#[test]
fn a_program_for_one_process_refuses_auto() {
    let (code, _, log) = fixture!("single").args(["--workers", "auto"]).run();
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("runs its services in one process"), "{log}");
}
