//! The control socket: who is answered, by whom, and what trouble does to it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::{Pid, geteuid};
use serde_json::Value;
use tests::fixture;
use tests::harness::{
    Fixture, Program, Scratch, ask, children, descriptors, is_gone, kill, open_files, state,
    try_ask, until, zombies,
};

/// A program with a control socket in a folder of the test's own.
fn with_socket(program: Program) -> (Program, Scratch, PathBuf) {
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    (program.arg("--admin").arg(&socket), scratch, socket)
}

#[track_caller]
fn get(socket: &Path, path: &str) -> Value {
    let (status, body) = ask(socket, "GET", path);
    assert_eq!(status, 200, "{path}: {body}");
    let value: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(value["schema"], 1);
    value
}

/// Returns the control process of a program, after somebody has asked it.
#[track_caller]
fn control_process(program: &Fixture, workers: &[Pid]) -> Pid {
    let others: Vec<Pid> = children(program.pid())
        .into_iter()
        .filter(|pid| !workers.contains(pid))
        .collect();
    assert_eq!(others.len(), 1, "{others:?}");
    others[0]
}

#[test]
fn nothing_runs_until_somebody_connects_and_nothing_is_left_when_nobody_has_for_a_while() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    let workers: Vec<Pid> = greeter.ready(2).iter().map(|worker| worker.pid).collect();
    greeter.has_children(&workers);
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o600);

    let status = get(&socket, "/v1/status");
    assert_eq!(status["program"]["name"], "greeter");
    assert!(status["state"].as_str().unwrap().starts_with("2 workers"));
    let seen: Vec<i64> = status["workers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|worker| worker["pid"].as_i64().unwrap())
        .collect();
    assert_eq!(
        seen,
        workers
            .iter()
            .map(|pid| i64::from(pid.as_raw()))
            .collect::<Vec<_>>()
    );
    assert!(status["workers"][0]["rss"].as_u64().unwrap() > 100_000);

    let control = control_process(&greeter, &workers);
    until("the control process ends", || is_gone(control));
    until("it is reaped", || zombies(greeter.pid()).is_empty());
    greeter.has_children(&workers);
    // The next one who asks gets another.
    get(&socket, "/v1/workers");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    assert!(!socket.exists());
    assert!(greeter.lines().with("died").is_empty());
}

#[test]
fn the_control_process_has_only_what_it_needs() {
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    let echo = fixture!("echo").arg("--admin").arg(&socket).start();
    let workers: Vec<Pid> = echo.ready(2).iter().map(|worker| worker.pid).collect();
    get(&socket, "/v1/status");
    let control = control_process(&echo, &workers);
    let open = open_files(control);
    let sockets = open
        .iter()
        .filter(|file| file.starts_with("socket:"))
        .count();
    // Where clients wait, and the channel to the supervisor; the log of this test is a pipe.
    assert_eq!(sockets, 2, "{open:?}");
    assert!(
        !open
            .iter()
            .any(|file| file.contains("pidfd") || file.contains("signalfd")),
        "{open:?}"
    );
    let listeners = get(&socket, "/v1/listeners");
    assert!(!listeners["listeners"].as_array().unwrap().is_empty());
}

#[test]
fn what_stands_in_the_place_of_the_socket_is_refused_with_words_and_left_alone() {
    for kind in ["link", "file", "folder"] {
        let (program, scratch, socket) = with_socket(fixture!("greeter"));
        match kind {
            "link" => std::os::unix::fs::symlink(scratch.path("elsewhere"), &socket).unwrap(),
            "file" => fs::write(&socket, "precious").unwrap(),
            _ => fs::create_dir(&socket).unwrap(),
        }
        let greeter = program.start();
        let line = greeter.wait_for("no control socket: ");
        let word = if kind == "link" {
            "symbolic link"
        } else {
            "is no socket"
        };
        assert!(line.contains(word), "{line}");
        greeter.ready(2);
        greeter.signal(Signal::SIGTERM);
        assert_eq!(greeter.exit_code(), 0);
        let found = fs::symlink_metadata(&socket).unwrap();
        assert!(!found.file_type().is_socket());
        assert!(!scratch.path("elsewhere").exists());
    }
}

#[test]
fn without_a_directory_for_it_there_is_no_socket_and_not_a_word_about_it() {
    let greeter = fixture!("greeter").start();
    greeter.ready(2);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    assert!(greeter.lines().with("control").is_empty());
}

#[test]
fn a_directory_that_cannot_be_written_to_is_one_warning_and_the_program_starts() {
    let greeter = fixture!("greeter")
        .env("RUNTIME_DIRECTORY", "/proc")
        .start();
    greeter.wait_for("no control socket: ");
    greeter.ready(2);
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
    assert_eq!(greeter.lines().with("no control socket").len(), 1);
}

#[test]
fn instances_of_one_user_have_a_socket_each() {
    let scratch = Scratch::new();
    let start = || {
        fixture!("greeter")
            .env("XDG_RUNTIME_DIR", scratch.path(""))
            .start()
    };
    let first = start();
    first.ready(2);
    let second = start();
    second.ready(2);
    let directory = scratch.path("greeter");
    assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    let pid_at = |name: &str| get(&directory.join(name), "/v1/status")["supervisor"]["pid"].clone();
    assert_eq!(pid_at("admin.sock"), first.pid().as_raw());
    let own = format!("admin-{}.sock", second.pid());
    assert_eq!(pid_at(&own), second.pid().as_raw());
}

#[test]
fn another_user_is_refused_also_when_the_mode_was_loosened() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can ask as another user");
        return;
    }
    let (program, scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    greeter.ready(2);
    for (path, mode) in [(scratch.path(""), 0o777), (socket.clone(), 0o777)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    for uid in ["12345", "65534"] {
        let output = Command::new("setpriv")
            .args(["--reuid", uid, "--regid", uid, "--clear-groups", "--"])
            .args(["curl", "--silent", "--max-time", "20", "--unix-socket"])
            .arg(&socket)
            .args(["--write-out", "%{http_code}", "http://x/v1/status"])
            .output()
            .unwrap();
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(
            answer.contains("only the user of the program and root may ask"),
            "{answer}"
        );
        assert!(answer.ends_with("403"), "{answer}");
        let line = greeter.wait_for("refused a client of the control socket");
        assert!(line.contains(&format!(", uid {uid}")), "{line}");
    }
}

#[test]
fn a_dozen_deaths_of_the_control_process_are_no_death_of_the_program_and_leave_nothing() {
    let (program, _scratch, socket) =
        with_socket(fixture!("greeter").args(["--restart-limit", "1 in 1h"]));
    let greeter = program.start();
    let workers: Vec<Pid> = greeter.ready(2).iter().map(|worker| worker.pid).collect();
    let is_alone = || greeter.children() == workers && zombies(greeter.pid()).is_empty();
    let mut before = None;
    for _ in 0..12 {
        // After one that was killed young the next is a moment away, and clients wait for it.
        get(&socket, "/v1/status");
        kill(control_process(&greeter, &workers), Signal::SIGKILL);
        greeter.wait_for("the control process died");
        until("the control process is reaped", is_alone);
        let before = *before.get_or_insert_with(|| descriptors(greeter.pid()));
        until("there are as many descriptors as before", || {
            descriptors(greeter.pid()) == before
        });
    }
    assert!(greeter.lines().with("worker died").is_empty());
    let workers_seen = get(&socket, "/v1/workers");
    assert_eq!(workers_seen["workers"][0]["pid"], workers[0].as_raw());
    assert!(
        workers_seen
            .get("deaths")
            .is_none_or(|deaths| deaths.as_array().unwrap().is_empty())
    );
}

#[test]
fn a_stopped_control_process_is_replaced_while_supervision_goes_on() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    let workers: Vec<Pid> = greeter.ready(2).iter().map(|worker| worker.pid).collect();
    get(&socket, "/v1/status");
    let control = control_process(&greeter, &workers);
    kill(control, Signal::SIGSTOP);
    // A client that waits meanwhile is answered by the next one.
    let waiting = {
        let socket = socket.clone();
        std::thread::spawn(move || ask(&socket, "GET", "/v1/status"))
    };
    kill(workers[0], Signal::SIGKILL);
    greeter.wait_for("worker died");
    let next = greeter.ready_worker();
    greeter.wait_for("the control process hangs: killed");
    let (status, body) = waiting.join().unwrap();
    // It had been accepted by nobody, or its connection is cut: then it may ask again.
    let body = if status == 200 {
        body
    } else {
        ask(&socket, "GET", "/v1/status").1
    };
    assert!(body.contains(&format!("\"pid\":{}", next.pid)), "{body}");
    greeter.signal(Signal::SIGTERM);
    assert_eq!(greeter.exit_code(), 0);
}

#[test]
fn stopped_workers_are_named_within_a_second() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    let workers = greeter.ready(2);
    for worker in &workers {
        kill(worker.pid, Signal::SIGSTOP);
        until("it is stopped", || state(worker.pid) == Some('T'));
    }
    let begin = Instant::now();
    let status = get(&socket, "/v1/status");
    assert!(
        begin.elapsed() < Duration::from_secs(1),
        "{:?}",
        begin.elapsed()
    );
    for worker in status["workers"].as_array().unwrap() {
        assert_eq!(worker["stopped"], true);
        assert!(!worker["thread_states"].as_array().unwrap().is_empty());
    }
    // What only they could tell is missing, and said to be.
    let services = get(&socket, "/v1/services");
    assert_eq!(services["unanswered"].as_array().unwrap().len(), 2);
    for worker in &workers {
        kill(worker.pid, Signal::SIGCONT);
    }
    let services = get(&socket, "/v1/services");
    assert_eq!(services["services"][0]["name"], "greeter");
    assert!(
        get(&socket, "/v1/tasks")["unanswered"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn clients_that_say_nothing_or_too_much_hinder_neither_others_nor_the_supervisor() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    let workers = greeter.ready(2);
    let idle: Vec<UnixStream> = (0..15)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    get(&socket, "/v1/status");
    let mut loud = UnixStream::connect(&socket).unwrap();
    let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    // It is cut off in the middle.
    let _ = loud.write_all(head.as_bytes());
    for garbage in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "POST /v1/status HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let _ = stream.write_all(garbage.as_bytes());
    }
    kill(workers[0].pid, Signal::SIGKILL);
    greeter.ready_worker();
    get(&socket, "/v1/status");
    drop(idle);
    assert_eq!(ask(&socket, "GET", "/v1/nothing").0, 404);
    assert_eq!(ask(&socket, "POST", "/v1/status").0, 405);
    assert!(ask(&socket, "GET", "/etc/passwd").1.contains("/v1/status"));
}

#[test]
fn a_page_of_another_origin_is_refused() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    greeter.ready(2);
    let output = Command::new("curl")
        .args(["--silent", "--unix-socket"])
        .arg(&socket)
        .args([
            "-H",
            "Origin: http://evil.example",
            "-w",
            "%{http_code}",
            "http://x/v1/status",
        ])
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no curl");
        return;
    };
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("403"));
}

#[test]
fn the_socket_is_the_new_process_s_after_an_upgrade() {
    let (program, _scratch, socket) = with_socket(fixture!("greeter"));
    let greeter = program.start();
    greeter.ready(2);
    get(&socket, "/v1/status");
    greeter.signal(Signal::SIGUSR2);
    greeter.wait_for("this process has taken over");
    let old = greeter.pid().as_raw();
    let pid = || {
        let (_, body) = try_ask(&socket, "GET", "/v1/status").ok()?;
        serde_json::from_str::<Value>(&body).ok()?["supervisor"]["pid"].as_i64()
    };
    until("the new process answers", || {
        pid().is_some_and(|pid| pid != i64::from(old))
    });
    assert_eq!(greeter.exit_code(), 0);
    // The old one has left the file alone.
    let new = get(&socket, "/v1/status")["supervisor"]["pid"]
        .as_i64()
        .unwrap();
    kill(Pid::from_raw(i32::try_from(new).unwrap()), Signal::SIGTERM);
    greeter.everybody_is_gone();
    assert!(!socket.exists());
}

#[test]
fn a_secret_is_in_no_answer() {
    let text = "[configured]\n[configured.tls]\npassphrase = \"hunter2\"\n";
    let (program, _scratch, socket) = with_socket(fixture!("configured").config(text));
    let program = program
        .args(["--workers", "2", "--set", "configured.tls.pin=7"])
        .env("CONFIGURED__CONFIGURED__TLS__PASSPHRASE", "hunter2")
        .start();
    program.ready(2);
    for path in [
        "status",
        "workers",
        "services",
        "tasks",
        "listeners",
        "config",
        "report",
    ] {
        let (status, body) = ask(&socket, "GET", &format!("/v1/{path}"));
        assert_eq!(status, 200, "{body}");
        assert!(!body.contains("hunter2"), "{path}: {body}");
        assert!(!body.contains("pin=7"), "{path}: {body}");
    }
    let config = get(&socket, "/v1/config");
    let options = config["options"].as_array().unwrap();
    let find = |name: &str| {
        options
            .iter()
            .find(|option| option["name"] == name)
            .unwrap()
    };
    assert_eq!(find("configured.tls.passphrase")["value"], "***");
    assert_eq!(find("configured.pool-size")["origin"], "default");
}
