//! What a program with `workers = N` does where there are worker processes, and where there are none.
//!
//! Built with `SERVICE_RUNTIME_NO_WORKERS` set, Linux stands for the systems that have none.

use nix::sys::signal::Signal;
use tests::fixture;

const NO_WORKERS: bool = option_env!("SERVICE_RUNTIME_NO_WORKERS").is_some();

#[test]
fn workers_are_forked_where_there_are_any_and_else_one_process_says_that_it_serves_alone() {
    let greeter = fixture!("greeter").arg("--workers").arg("2").start();
    if NO_WORKERS {
        greeter.wait_for("worker processes need Linux: the services run in this one process");
        greeter.wait_for(": ready");
        assert_eq!(greeter.children(), []);
    } else {
        assert_eq!(greeter.ready(2).len(), 2);
    }
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    let stopped = greeter.lines().with("stopped");
    assert!(!stopped.is_empty(), "{:?}", greeter.lines().all());
    assert_eq!(
        greeter.lines().with("worker processes need Linux").len(),
        usize::from(NO_WORKERS)
    );
}
