//! Log lines: who writes them, how they look, what is heard, and that they never tear.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::LIMIT;

#[test]
fn json_lines_tell_who_writes() {
    let greeter = fixture!("greeter").arg("--log-format=json").start();
    for _ in 0..2 {
        greeter.wait_for(r#""worker ready"#);
    }
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    greeter.everybody_is_gone();
    let mut slots: BTreeMap<u64, u64> = BTreeMap::new();
    for line in greeter.lines().all() {
        let object: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        for key in ["timestamp", "level", "target", "pid"] {
            assert!(!object[key].is_null(), "no {key}: {line}");
        }
        let pid = object["pid"].as_u64().unwrap();
        match object["slot"].as_u64() {
            Some(slot) => assert_eq!(*slots.entry(slot).or_insert(pid), pid, "{line}"),
            None => {
                assert_eq!(object["supervisor"], true, "{line}");
                assert_eq!(
                    pid,
                    u64::try_from(greeter.pid().as_raw()).unwrap(),
                    "{line}"
                );
            }
        }
    }
    assert_eq!(slots.into_keys().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn long_lines_of_several_workers_never_tear() {
    let (lines, letters) = (50, 20_000);
    // A reader that stands still for long costs lines, so this one does nothing but read.
    let (log, stderr) = std::io::pipe().unwrap();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines() {
            tell.send(line.unwrap()).unwrap();
        }
    });
    let chatty = fixture!("chatty")
        .args([
            "--workers=4",
            "--log-format=json",
            "--set=chatty.ends=false",
        ])
        .args([
            format!("--set=chatty.lines={lines}"),
            format!("--set=chatty.letters={letters}"),
        ])
        .stderr(stderr)
        .start();
    let mut came = Vec::new();
    let mut ended = 0;
    while ended < 4 {
        let line: String = told.recv_timeout(LIMIT).unwrap();
        ended += usize::from(line.contains("has said everything"));
        came.push(line);
    }
    chatty.signal(Signal::SIGTERM);
    assert_eq!(chatty.exit_code(), 0);
    came.extend(told);
    let mut said: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for line in came {
        let object: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:.100}"));
        let fields = &object["fields"];
        let Some(text) = fields["text"].as_str() else {
            continue;
        };
        let slot = object["slot"].as_u64().unwrap();
        let letter = ["a", "b", "c", "d"][usize::try_from(slot).unwrap()];
        assert_eq!(text, letter.repeat(letters));
        said.entry(slot)
            .or_default()
            .push(fields["number"].as_u64().unwrap());
    }
    let all: Vec<u64> = (0..lines).collect();
    for slot in 0..4 {
        assert_eq!(said[&slot], all, "slot {slot}");
    }
}

#[test]
fn the_level_decides_what_is_heard() {
    let chatty = || fixture!("chatty").args(["--set=chatty.lines=1", "--set=chatty.letters=1"]);
    let heard = |log: &str| (log.contains("a word to itself"), log.contains("says"));
    let (_, _, log) = chatty().run();
    assert_eq!(heard(&log), (false, true), "{log}");
    let (_, _, log) = chatty().arg("--log-level=debug").run();
    assert_eq!(heard(&log), (true, true), "{log}");
    let (_, _, log) = chatty().arg("--log-level=warn").run();
    assert_eq!(log, "");
    let (_, _, log) = chatty().arg("--log-level=warn,chatty=debug").run();
    assert_eq!(heard(&log), (true, true), "{log}");
    assert!(!log.contains("service_runtime"), "{log}");
    let (_, _, log) = chatty()
        .arg("--log-level=debug")
        .env("RUST_LOG", "off")
        .run();
    assert_eq!(log, "");
}

#[test]
fn a_level_that_is_none_is_refused() {
    let (code, _, log) = fixture!("chatty").arg("--log-level=inof").run();
    assert_eq!(code, 2);
    assert!(log.contains("expected a level"), "{log}");
    let (code, _, log) = fixture!("chatty").env("RUST_LOG", "chatty=loud").run();
    assert_eq!(code, 78);
    assert!(
        log.contains("`chatty=loud` in RUST_LOG does not say what to log"),
        "{log}"
    );
}

#[test]
fn a_reload_can_change_the_level() {
    let text =
        |level: &str| format!("[launch]\nrestart_method = 'mutate'\nlog_level = '{level}'\n");
    let program = fixture!("settled").config(&text("info")).start();
    program.wait_for(" ready");
    program.rewrite(&text("error"));
    program.signal(Signal::SIGHUP);
    program.wait_for("option changed: [launch] log_level");
    program.rewrite(&text("info"));
    program.signal(Signal::SIGHUP);
    program.wait_for("mutated");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
    program.everybody_is_gone();
    assert_eq!(program.lines().with("mutated").len(), 1);
}

#[test]
fn an_authors_own_subscriber_wins() {
    for (workers, stop) in [
        ("--workers=1", "TERM: stops gracefully"),
        ("--workers=2", "SIGTERM of the supervisor: stops gracefully"),
    ] {
        let program = fixture!("heard").arg(workers).start();
        program.wait_for("own subscriber: a word from the service");
        program.signal(Signal::SIGTERM);
        program.wait_for(&format!("own subscriber: {stop}"));
        assert_eq!(program.exit_code(), 0);
        program.everybody_is_gone();
        let words = program.lines().with("a word from the service");
        let own = |line: &String| line.starts_with("own subscriber: ");
        assert!(words.iter().all(own), "{words:?}");
    }
}
