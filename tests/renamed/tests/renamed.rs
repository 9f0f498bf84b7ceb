//! What a program does that knows the framework by another name: all of what it would do otherwise.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[test]
fn a_program_with_another_name_for_the_framework_does_what_it_says() {
    let dir = env!("CARGO_TARGET_TMPDIR");
    let mut program = Command::new(env!("CARGO_BIN_EXE_renamed"))
        .args(["--set", "greeter.more=[{word=\"ab\"},{word=\"abc\"}]"])
        .args(["--set", &format!("rpc.directory={dir}/rpc-renamed")])
        .args(["--set", &format!("store.url=sqlite:{dir}/renamed.db")])
        .args(["--set", "other.bind=127.0.0.1:0"])
        .args(["--set", "web.bind=127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let printed = BufReader::new(program.stdout.take().unwrap());
    let mut lines = printed.lines().map_while(Result::ok);
    let begun: Vec<_> = lines.by_ref().take(2).collect();
    let pid = Pid::from_raw(program.id().try_into().unwrap());
    // What it says instead, if it has ended, is in its log.
    let _gone = kill(pid, Signal::SIGTERM);
    let mut log = String::new();
    let mut stderr = program.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert_eq!(
        begun,
        ["other begins", "greeter says hello, 5 letters more"],
        "{log}"
    );
    assert!(program.wait().unwrap().success(), "{log}");
}
