//! What a service manager sees and gives: notify messages, sockets, variables.

use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Client, NotifySocket, Scratch, Worker, kill, until};

#[test]
fn the_life_of_a_program_is_told() {
    for manager in [NotifySocket::path(), NotifySocket::abstract_name()] {
        let greeter = fixture!("greeter")
            .config("[greeter]\n")
            .env("NOTIFY_SOCKET", manager.name())
            .start();
        greeter.ready(2);
        manager
            .messages()
            .wait_for("READY=1\nSTATUS=2 workers, generation 1\n");
        greeter.signal(Signal::SIGHUP);
        greeter.ready(2);
        manager
            .messages()
            .wait_for("READY=1\nSTATUS=2 workers, generation 2");
        greeter.rewrite("[greeter\n");
        greeter.signal(Signal::SIGHUP);
        greeter.wait_for("reload refused");
        manager.messages().wait_for("READY=1");
        greeter.signal(Signal::SIGTERM);
        assert_eq!(greeter.exit_code(), 0);

        let messages = manager.close();
        let state = ["READY=1", "RELOADING=1", "STOPPING=1"];
        let states: Vec<&str> = messages
            .iter()
            .filter_map(|message| message.lines().next())
            .filter(|first| state.contains(first))
            .collect();
        let expected = [
            "READY=1",
            "RELOADING=1",
            "READY=1",
            "RELOADING=1",
            "READY=1",
            "STOPPING=1",
        ];
        assert_eq!(states, expected, "{messages:#?}");
        for reloading in messages
            .iter()
            .filter(|message| message.contains("RELOADING=1"))
        {
            let stamp = reloading
                .lines()
                .find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
            let stamp: u64 = stamp.and_then(|stamp| stamp.parse().ok()).expect("a stamp");
            assert!(stamp > 0, "{reloading}");
        }
    }
}

#[test]
fn ready_is_told_when_every_worker_is() {
    let manager = NotifySocket::path();
    let picky = fixture!("picky")
        .config("[picky]\nhang_in = [1]\n")
        .args(["--start-timeout", "0s"])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    picky.ready_worker();
    manager
        .messages()
        .wait_for("STATUS=2 workers, generation 1, 1 ready");
    assert!(manager.messages().with("READY=1").is_empty());
    // Until a reload brings one that starts.
    picky.rewrite("[picky]\n");
    picky.signal(Signal::SIGHUP);
    manager.messages().wait_for("READY=1");
}

#[test]
fn a_mutation_is_told_as_a_reload() {
    let manager = NotifySocket::path();
    let greeter = fixture!("greeter")
        .args(["--restart-method", "mutate"])
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    greeter.ready(2);
    manager.messages().wait_for("READY=1");
    greeter.signal(Signal::SIGHUP);
    manager.messages().wait_for("RELOADING=1\nMONOTONIC_USEC=");
    manager.messages().wait_for("READY=1");
}

#[test]
fn the_status_follows_the_number_of_workers_and_what_services_say() {
    let manager = NotifySocket::path();
    let echo = fixture!("echo")
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    let workers = echo.ready(2);
    manager.messages().wait_for("; echo: listening");
    echo.signal(Signal::SIGTTIN);
    manager
        .messages()
        .wait_for("STATUS=3 workers, generation 1, 2 ready");
    manager
        .messages()
        .wait_for("STATUS=3 workers, generation 1\n");
    kill(workers[0].pid, Signal::SIGKILL);
    manager
        .messages()
        .wait_for("STATUS=3 workers, generation 1, 2 ready");
    echo.signal(Signal::SIGTTOU);
    manager
        .messages()
        .wait_for("STATUS=2 workers, generation 1");
}

#[test]
fn a_notify_socket_that_is_gone_changes_nothing() {
    let scratch = Scratch::new();
    let path = scratch.path("notify");
    drop(UnixDatagram::bind(&path).unwrap());
    let dead = path.to_str().unwrap();
    for socket in [
        dead,
        "/nowhere/at/all",
        "@nobody-listens-here",
        "vsock:2:1234",
        "relative",
        "",
    ] {
        let greeter = fixture!("greeter").env("NOTIFY_SOCKET", socket).start();
        greeter.ready(2);
        greeter.signal(Signal::SIGHUP);
        greeter.ready(2);
        greeter.signal(Signal::SIGTERM);
        assert_eq!(greeter.exit_code(), 0);
        let loud = [" WARN ", "ERROR "].map(|level| greeter.lines().with(level).len());
        assert_eq!(loud, [0, 0], "{socket}");
    }
}

#[test]
fn the_manager_s_variables_do_not_reach_workers_and_their_children() {
    let manager = NotifySocket::path();
    let environ = fixture!("environ")
        .through(["sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh"])
        .env("NOTIFY_SOCKET", manager.name())
        .env("WATCHDOG_USEC", "60000000")
        .env("LISTEN_FDS", "0")
        .env("LISTEN_FDNAMES", "")
        .env("VISIBLE_HERE", "yes")
        .start();
    environ.ready(2);
    assert_eq!(
        environ.lines().with("environ: sees: VISIBLE_HERE.").len(),
        2
    );
    assert_eq!(
        environ
            .lines()
            .with("its child sees: VISIBLE_HERE=yes.")
            .len(),
        2
    );
    manager.messages().wait_for("READY=1");
}

/// Starts the program with one listening socket, as systemd would: the socket is descriptor 3.
const PASSES: &str = "export LISTEN_PID=$$ LISTEN_FDS=1; exec 3<&0 </dev/null; exec \"$@\"";

#[test]
fn a_socket_that_was_passed_is_used_by_its_name_and_by_its_address() {
    let scratch = Scratch::new();
    for by_name in [true, false] {
        let path = scratch.path(format!("socket-{by_name}"));
        let listener = UnixListener::bind(&path).unwrap();
        let address = match by_name {
            true => "systemd:web".to_owned(),
            false => format!("unix:{}", path.display()),
        };
        let echo = fixture!("echo")
            .through(["sh", "-c", PASSES, "sh"])
            .env("LISTEN_FDNAMES", "web")
            .args(["--set", &format!("echo.listen={address}")])
            .stdin(OwnedFd::from(listener))
            .start();
        let workers = pids(&echo.ready(2));
        assert!(workers.contains(&ask(&path)));
        echo.signal(Signal::SIGHUP);
        let workers = pids(&echo.ready(2));
        until("a new worker answers", || workers.contains(&ask(&path)));
        echo.signal(Signal::SIGTERM);
        assert_eq!(echo.exit_code(), 0);
        // The file is systemd's.
        assert!(path.exists());
    }
}

#[test]
fn sockets_for_another_process_are_not_taken() {
    let scratch = Scratch::new();
    let listener = UnixListener::bind(scratch.path("socket")).unwrap();
    let echo = fixture!("echo")
        .through(["sh", "-c", &PASSES.replace("=$$", "=1"), "sh"])
        .env("LISTEN_FDNAMES", "web")
        .args(["--set", "echo.listen=systemd:web"])
        .stdin(OwnedFd::from(listener))
        .start();
    assert_eq!(echo.exit_code(), 1);
    echo.everybody_is_gone();
    let failed = echo.wait_for("launch failed");
    assert!(failed.contains("systemd passed no socket"), "{failed}");
}

#[test]
fn a_program_is_activated_by_systemd() {
    let tool = "systemd-socket-activate";
    let version = Command::new(tool)
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("skipped: {tool} is not installed");
        return;
    }
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let listen = path.to_str().unwrap();
    let echo = fixture!("echo")
        .through([
            tool,
            "-l",
            listen,
            "--fdname=web",
            "-E",
            "SERVICE_RUNTIME_FIXTURE",
        ])
        .args(["--set", "echo.listen=systemd:web"])
        .start();
    echo.wait_for("Listening on");
    // The first connection starts the program, and is answered by it.
    let mut first = Client::connect_unix(&path).unwrap();
    first.say("hello").unwrap();
    let workers = pids(&echo.ready(2));
    assert!(workers.contains(&first.answer("hello").unwrap()));
    assert!(workers.contains(&ask(&path)));
    drop(first);
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
    echo.everybody_is_gone();
}

fn ask(path: &Path) -> Pid {
    Client::connect_unix(path)
        .and_then(|mut client| client.ask("hello"))
        .expect("a worker answers")
}

fn pids(workers: &[Worker]) -> Vec<Pid> {
    workers.iter().map(|worker| worker.pid).collect()
}

#[test]
fn more_time_is_asked_for_while_a_stop_goes_on() {
    for program in [
        fixture!("stubborn").args(["--set", "stubborn.task=true"]),
        fixture!("unwilling").args(["--set", "unwilling.task=true"]),
    ] {
        let manager = NotifySocket::path();
        let program = program.env("NOTIFY_SOCKET", manager.name()).start();
        manager.messages().wait_for("READY=1");
        program.signal(Signal::SIGTERM);
        manager.messages().wait_for("STOPPING=1");
        manager.messages().wait_for("EXTEND_TIMEOUT_USEC=15000000");
        program.signal(Signal::SIGINT);
        assert_eq!(program.exit_code(), 1);
    }
}

#[test]
fn a_socket_is_given_to_the_service_manager_once_and_taken_back_when_it_is_given_up() {
    let manager = NotifySocket::path();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap().to_string();
    drop(port);
    let echo = fixture!("echo")
        .config(&format!("[echo]\nlisten = '{address}'\n"))
        .env("NOTIFY_SOCKET", manager.name())
        .start();
    echo.ready(2);
    let name = address.replace(':', "-");
    let stored = format!("FDSTORE=1\nFDPOLL=0\nFDNAME={name}\n");
    manager.messages().wait_for(&stored);
    echo.rewrite("[echo]\nlisten = '127.0.0.1:0'\n");
    echo.signal(Signal::SIGHUP);
    manager
        .messages()
        .wait_for(&format!("FDSTOREREMOVE=1\nFDNAME={name}\n"));
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
    let messages = manager.close();
    let stored = messages
        .iter()
        .filter(|message| message.contains("FDSTORE=1"));
    assert_eq!(stored.count(), 1, "{messages:#?}");
}

#[test]
fn a_manager_that_keeps_unix_sockets_finds_their_files_again() {
    let manager = NotifySocket::path();
    let scratch = Scratch::new();
    let path = scratch.path("echo.sock");
    let echo = fixture!("echo")
        .args(["--set", &format!("echo.listen=unix:{}", path.display())])
        .env("NOTIFY_SOCKET", manager.name())
        .env("FDSTORE", "16")
        .start();
    echo.ready(2);
    manager.messages().wait_for("FDSTORE=1");
    echo.signal(Signal::SIGTERM);
    assert_eq!(echo.exit_code(), 0);
    assert!(path.exists());
}
