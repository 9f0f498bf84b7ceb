//! Random signals to everybody, for a while: the program `chaos` of this package.

use std::process::Command;

#[test]
fn a_program_under_random_signals_fails_only_the_requests_of_killed_workers_and_recovers() {
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_chaos"));
    let ended = chaos
        .args(["--seconds", "20", "--seed", "4711"])
        .output()
        .unwrap();
    let (told, log) = (
        String::from_utf8_lossy(&ended.stdout),
        String::from_utf8_lossy(&ended.stderr),
    );
    println!("{told}");
    assert!(ended.status.success(), "{}\n{told}\n{log}", ended.status);
    assert!(told.contains("all is well"), "{told}");
}
