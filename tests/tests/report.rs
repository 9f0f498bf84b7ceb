//! The report of SIGUSR1: everything, in one text or one JSON object.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Client, Fixture, Scratch, kill};

/// Asks for a report and returns the file that it becomes.
#[track_caller]
fn ask(program: &Fixture) -> String {
    program.signal(Signal::SIGUSR1);
    let line = program.wait_for("report: written to `");
    let path = line.split('`').nth(1).unwrap();
    fs::read_to_string(path).unwrap()
}

#[track_caller]
fn json(program: &Fixture) -> Value {
    serde_json::from_str(&ask(program)).unwrap()
}

/// Finds the row of a list whose field has this value.
#[track_caller]
fn find<'a>(rows: &'a Value, field: &str, value: impl Into<Value>) -> &'a Value {
    let value = value.into();
    let found = rows
        .as_array()
        .and_then(|rows| rows.iter().find(|row| row[field] == value));
    found.unwrap_or_else(|| panic!("no {field} = {value}: {rows:#}"))
}

fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_report_into_the_log_is_lines_of_one_process() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    greeter.signal(Signal::SIGUSR1);
    for begin in [
        "report: 2 workers, generation 1 ",
        "report: program name=greeter ",
        "report: command file=",
        "report: option name=greeter.greeting value=\"hello\" origin=default",
        "report: option name=launch.workers value=\"2\" origin=\"attribute workers\"",
        "report: supervisor pid=",
        "report: slot number=0 ",
    ] {
        let line = greeter.wait_for(begin);
        assert!(
            line.contains(&format!("supervisor pid={} ", greeter.pid())),
            "{line}"
        );
    }
    for worker in workers {
        greeter.wait_for(&format!(
            "report: worker slot={} pid={} ",
            worker.slot, worker.pid
        ));
        greeter.wait_for("report:   service name=greeter phase=ready health=pass");
    }
    greeter.wait_for("report: signal name=SIGUSR1 sender=\"pid ");
}

#[test]
fn a_report_in_json_is_a_file_with_everything_that_happened() {
    let scratch = Scratch::new();
    let echo = fixture!("echo")
        .args(["--report-format", "json", "--report-dir"])
        .arg(scratch.path(""))
        .start();
    let workers = echo.ready(2);
    kill(workers[0].pid, Signal::SIGKILL);
    let next = echo.ready_worker();
    echo.signal(Signal::SIGHUP);
    echo.wait_for(" reloaded ");
    let now = [echo.ready_worker(), echo.ready_worker()];
    let report = json(&echo);

    let state = report["state"].as_str().unwrap();
    assert!(state.starts_with("2 workers, generation 2"), "{state}");
    assert_eq!(report["program"]["name"], "echo");
    assert_eq!(report["program"]["pid"], echo.pid().as_raw());
    assert_eq!(
        find(&report["options"], "name", "launch.report_format")["value"],
        "json"
    );
    assert_eq!(report["supervisor"]["threads"], 1);
    assert!(find(&report["slots"], "number", 0)["restarts"].as_u64() >= Some(1));
    for worker in now {
        let row = find(&report["workers"], "pid", worker.pid.as_raw());
        assert_eq!(row["slot"], worker.slot);
        assert_eq!(
            (&row["generation"], &row["state"]),
            (&2.into(), &"ready".into())
        );
        for figure in ["rss", "descriptors", "threads", "heartbeat_ago", "age"] {
            assert!(row[figure].as_f64() > Some(0.0), "{figure}: {row:#}");
        }
        assert_eq!(row["traced"], false);
        let service = find(&row["services"], "name", "echo");
        assert_eq!(
            (&service["phase"], &service["status"]),
            (&"ready".into(), &"listening".into())
        );
        let task = find(&row["tasks"], "name", "accept");
        assert_eq!(
            (&task["service"], &task["kind"]),
            (&"echo".into(), &"task".into())
        );
    }
    let address = report["listeners"][0]["address"].as_str().unwrap();
    assert!(
        address.starts_with("127.0.0.1:") && !address.ends_with(":0"),
        "{address}"
    );
    let death = find(&report["deaths"], "pid", workers[0].pid.as_raw());
    assert_eq!(
        (&death["how"], &death["expected"]),
        (&"killed by SIGKILL".into(), &false.into())
    );
    let death = find(&report["deaths"], "pid", next.pid.as_raw());
    assert_eq!(
        (&death["how"], &death["expected"]),
        (&"exit code 0".into(), &true.into())
    );
    assert_eq!(report["reload"]["outcome"], "generation 2 has taken over");
    let sender = find(&report["signals"], "name", "SIGHUP")["sender"]
        .as_str()
        .unwrap();
    assert!(
        sender.starts_with(&format!("pid {},", std::process::id())),
        "{sender}"
    );

    // Whole from the first moment on, and nothing beside it.
    let files = files(&scratch.path(""));
    assert_eq!(files.len(), 1, "{files:?}");
    let begin = format!("echo-{}-", echo.pid());
    assert!(
        files[0].starts_with(&begin) && files[0].ends_with(".json"),
        "{files:?}"
    );
}

#[test]
fn a_worker_that_hangs_does_not_hold_the_report_up_and_tells_where_it_is() {
    let scratch = Scratch::new();
    let echo = fixture!("echo")
        .args(["--report-format", "json", "--report-dir"])
        .arg(scratch.path(""))
        .start();
    let workers = echo.ready(2);
    let mut client = Client::of(&echo);
    let blocked = client.ask("who").unwrap();
    client.say("block").unwrap();
    echo.wait_for("blocks");
    let report = json(&echo);
    let silent = find(&report["workers"], "pid", blocked.as_raw());
    assert_eq!(silent["answer"], "none");
    let threads = silent["thread_states"].as_array().unwrap();
    assert!(
        threads
            .iter()
            .any(|thread| { thread["doing"].as_str().unwrap().contains("sleep") }),
        "{threads:?}"
    );
    let other = workers.iter().find(|worker| worker.pid != blocked).unwrap();
    let other = find(&report["workers"], "pid", other.pid.as_raw());
    assert_eq!(find(&other["services"], "name", "echo")["phase"], "ready");
    // The supervisor was not held up either.
    kill(blocked, Signal::SIGKILL);
    echo.ready_worker();
}

#[test]
fn a_worker_that_starts_says_so() {
    let scratch = Scratch::new();
    let picky = fixture!("picky")
        .config("[picky]\nhang_in = [1]\n")
        .args(["--report-format", "json", "--report-dir"])
        .arg(scratch.path(""))
        .start();
    picky.ready_worker();
    let report = json(&picky);
    let starting = find(&report["workers"], "slot", 1);
    assert_eq!(starting["state"], "starting");
    assert_eq!(
        find(&starting["services"], "name", "picky")["phase"],
        "starting"
    );
}

#[test]
fn a_refused_reload_is_in_the_report_with_its_reason() {
    let scratch = Scratch::new();
    let greeter = fixture!("greeter")
        .config("")
        .args(["--report-format", "json", "--report-dir"])
        .arg(scratch.path(""))
        .start();
    greeter.ready(2);
    greeter.rewrite("[greeter]\ngreting = 'servus'\n");
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for("reload refused");
    let report = json(&greeter);
    let outcome = report["reload"]["outcome"].as_str().unwrap();
    assert!(
        outcome.contains("refused") && outcome.contains("config.toml:2"),
        "{outcome}"
    );
    assert_eq!(find(&report["slots"], "number", 1)["restarts"], 0);
}

#[test]
fn a_program_without_a_supervisor_reports_as_much() {
    let scratch = Scratch::new();
    let program = fixture!("unlucky")
        .args([
            "--only=exits,bystander",
            "--report-format",
            "json",
            "--report-dir",
        ])
        .arg(scratch.path(""))
        .start();
    program.wait_for(" ready");
    let report = json(&program);
    assert_eq!(report["state"], "one process");
    assert_eq!(report["program"]["name"], "unlucky");
    assert_eq!(report["process"]["pid"], program.pid().as_raw());
    assert!(report["process"]["rss"].as_u64() > Some(0));
    let service = find(&report["services"], "name", "exits");
    assert_eq!(service["phase"], "ready");
    let look = find(&report["tasks"], "name", "look");
    assert_eq!(look["kind"], "periodic task");
    assert!(look["next_run_in"].is_number() || look["running_for"].is_number());
    assert_eq!(report["signals"][0]["name"], "SIGUSR1");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_text_report_is_a_file_too_and_a_directory_that_is_not_there_sends_it_to_the_log() {
    let scratch = Scratch::new();
    let config = |dir: &Path| format!("[launch]\nreport_dir = '{}'\n", dir.display());
    let greeter = fixture!("greeter")
        .config(&config(&scratch.path("no/where")))
        .start();
    greeter.ready(2);
    greeter.signal(Signal::SIGUSR1);
    greeter.wait_for("report: cannot be written to a file in ");
    greeter.wait_for("report: 2 workers, generation 1 ");
    greeter.wait_for("report: signal name=SIGUSR1");
    // The next reload mends it.
    greeter.rewrite(&config(&scratch.path("")));
    greeter.signal(Signal::SIGHUP);
    greeter.wait_for(" reloaded ");
    let text = ask(&greeter);
    assert!(text.starts_with("2 workers, generation 2"), "{text}");
    assert!(
        text.lines().any(|line| line.starts_with("worker slot=1 ")),
        "{text}"
    );
    assert!(
        text.lines()
            .any(|line| line.starts_with("  service name=greeter ")),
        "{text}"
    );
}

#[test]
fn reuse_port_gives_each_slot_a_socket_of_its_own() {
    let scratch = Scratch::new();
    let start = |yes: &str| {
        let echo = fixture!("echo")
            .args(["--reuse-port", yes])
            .args(["--report-format", "json", "--report-dir"])
            .arg(scratch.path(""))
            .start();
        echo.ready(2);
        let report = json(&echo);
        let listeners = report["listeners"].as_array().unwrap().clone();
        let slots = listeners.into_iter().map(|held| held["of_slot"].clone());
        slots.collect::<Vec<Value>>()
    };
    assert_eq!(start("false"), [Value::Null]);
    let mut slots = start("true");
    slots.sort_by_key(Value::to_string);
    assert_eq!(slots, [0, 1]);
}

#[test]
fn a_worker_that_is_asked_itself_logs_its_own_part() {
    let greeter = fixture!("greeter").start();
    let workers = greeter.ready(2);
    kill(workers[1].pid, Signal::SIGUSR1);
    let line = greeter.wait_for("report: service name=greeter phase=ready");
    assert!(
        line.contains(&format!("slot=1 pid={} ", workers[1].pid)),
        "{line}"
    );
    assert!(greeter.lines().with("report: program").is_empty());
}

#[test]
fn no_secret_is_in_a_report() {
    let scratch = Scratch::new();
    let program = fixture!("configured")
        .args(["--set", "configured.tls.passphrase=hunter2"])
        .arg("--set=configured.tls.pin=7")
        .args(["--report-dir"])
        .arg(scratch.path(""))
        .start();
    program.wait_for(" ready");
    let text = ask(&program);
    for masked in [
        "configured.tls.passphrase=***",
        "--set=configured.tls.pin=***",
    ] {
        assert!(text.contains(masked), "{text}");
    }
    assert!(
        text.contains("option name=configured.tls.passphrase value=\"***\""),
        "{text}"
    );
    assert!(!text.contains("hunter2"), "{text}");
}
