//! Metrics of a program, from outside: what processes count that come and go.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::fixture;
use tests::harness::{Fixture, LIMIT, Program, Scratch, field, kill, until};

fn start(workers: usize) -> (Fixture, String) {
    serve(fixture!("web"), workers)
}

fn serve(web: Program, workers: usize) -> (Fixture, String) {
    let web = web
        .arg("--workers")
        .arg(workers.to_string())
        .arg("--set=web.bind=127.0.0.1:0")
        .arg("--set=web.metrics=true")
        .start();
    let line = web.wait_for("listening on 127.0.0.1:");
    if workers > 1 {
        web.ready(workers);
    } else {
        web.wait_for(" ready");
    }
    let address = line.split("listening on ").nth(1).unwrap();
    let address = address.split(' ').next().unwrap().to_owned();
    (web, address)
}

/// Asks on a connection of its own; returns head and body.
fn get(address: &str, path: &str, accept: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: test\r\naccept: {accept}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn scrape(address: &str) -> String {
    let (head, body) = get(address, "/metrics", "*/*");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    body
}

/// Returns the value of a series.
fn value(text: &str, series: &str) -> f64 {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}"))
        .parse()
        .unwrap()
}

/// Counts `times` requests, each on a connection of its own.
fn count(address: &str, times: usize) {
    for _ in 0..times {
        let (head, _) = get(address, "/count", "*/*");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
}

fn stop(program: &Fixture) {
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn totals_outlive_workers_that_are_killed_and_reloads_and_gauges_do_not() {
    let (web, address) = start(3);
    let mut counted = 0;
    for round in 0..4 {
        count(&address, 15);
        counted += 15;
        let text = scrape(&address);
        assert_eq!(
            value(&text, "fixture_counts_total"),
            f64::from(counted),
            "round {round}"
        );
        // Whichever workers have lived: as many as live now.
        assert_eq!(value(&text, "fixture_workers"), 3.0, "round {round}");
        if round % 2 == 0 {
            let workers = web.settles(3);
            kill(workers[0].pid, Signal::SIGKILL);
            web.wait_for("worker ready");
        } else {
            web.signal(Signal::SIGHUP);
            web.wait_for("reloaded");
        }
        web.settles(3);
    }
    let text = scrape(&address);
    assert_eq!(value(&text, "fixture_counts_total"), f64::from(counted));
    let requests = "http_server_requests_total{class=\"2xx\"}";
    let seconds = "http_server_request_duration_seconds_count{class=\"2xx\"}";
    assert_eq!(value(&text, requests), value(&text, seconds));
    assert_eq!(value(&text, requests), f64::from(counted));
    stop(&web);
}

#[test]
fn scrapes_never_see_a_total_go_back_while_workers_are_killed() {
    let (web, address) = start(4);
    let mut last = 0.0;
    for round in 0..100 {
        if round % 20 == 10 {
            let workers = web.settles(4);
            kill(workers[0].pid, Signal::SIGKILL);
            web.wait_for("worker ready");
            web.settles(4);
        }
        count(&address, 1);
        let now = value(&scrape(&address), "fixture_counts_total");
        assert_eq!(now, last + 1.0, "round {round}");
        last = now;
    }
    stop(&web);
}

#[test]
fn one_process_counts_by_itself_also_what_main_has_begun() {
    let (web, address) = start(1);
    count(&address, 5);
    let text = scrape(&address);
    assert_eq!(value(&text, "fixture_counts_total"), 5.0);
    assert_eq!(value(&text, "fixture_workers"), 1.0);
    stop(&web);
}

#[test]
fn metrics_are_not_answered_unless_they_are_asked_for() {
    let web = fixture!("web").arg("--set=web.bind=127.0.0.1:0").start();
    let line = web.wait_for("listening on 127.0.0.1:");
    web.wait_for(" ready");
    let address = line.split("listening on ").nth(1).unwrap();
    let address = address.split(' ').next().unwrap();
    let (head, _) = get(address, "/metrics", "*/*");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    stop(&web);
}

#[test]
fn openmetrics_is_answered_to_those_who_accept_it() {
    let (web, address) = start(1);
    let accept = "application/openmetrics-text; version=1.0.0";
    let (head, body) = get(&address, "/metrics", accept);
    assert!(
        head.contains("application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"), "{body}");
    stop(&web);
}

#[test]
fn promtool_is_content_with_the_text() {
    let (web, address) = start(2);
    count(&address, 3);
    let text = scrape(&address);
    stop(&web);
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        println!("skipped: promtool is not installed (Debian: prometheus)");
        return;
    };
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    // Authors' metrics of the fixture have no help; everything else is an error.
    let errors: Vec<_> = said
        .lines()
        .filter(|line| !line.ends_with("no help text"))
        .collect();
    assert!(errors.is_empty(), "{said}\n{text}");
}

/// Has a new process take over; returns its pid.
#[track_caller]
fn upgrade(program: &Fixture, supervisor: Pid) -> Pid {
    kill(supervisor, Signal::SIGUSR2);
    let begins = program.wait_for("upgrade begins");
    program.wait_for("this process has taken over");
    Pid::from_raw(field(&begins, "pid"))
}

#[test]
fn totals_are_exact_over_upgrades_and_kills_while_clients_count() {
    let (web, address) = start(2);
    let (end, counted) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (address, end, counted) = (address.clone(), Arc::clone(&end), Arc::clone(&counted));
            std::thread::spawn(move || {
                while !end.load(Ordering::Relaxed) {
                    count(&address, 1);
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let (mut supervisor, mut last) = (web.pid(), 0.0);
    for round in 0..4 {
        supervisor = upgrade(&web, supervisor);
        for _ in 0..20 {
            let answered = counted.load(Ordering::Relaxed) as f64;
            let now = value(&scrape(&address), "fixture_counts_total");
            assert!(
                now >= last && now >= answered,
                "round {round}: {now}, {last}, {answered}"
            );
            last = now;
        }
    }
    end.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("no request fails");
    }
    let all = counted.load(Ordering::Relaxed) as f64;
    let text = scrape(&address);
    assert_eq!(value(&text, "fixture_counts_total"), all);
    until("only the last two workers are there", || {
        value(&scrape(&address), "fixture_workers") == 2.0
    });
    // A worker that is killed after an upgrade loses nothing either.
    kill(tests::harness::children(supervisor)[0], Signal::SIGKILL);
    web.wait_for("worker ready");
    assert_eq!(value(&scrape(&address), "fixture_counts_total"), all);
    kill(supervisor, Signal::SIGTERM);
    web.everybody_is_gone();
}

#[test]
fn an_upgrade_that_fails_changes_no_total() {
    let scratch = Scratch::new();
    let path = scratch.path("program");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_web"));
    assert!(
        Command::new("cp")
            .args([program, &path])
            .status()
            .unwrap()
            .success()
    );
    let (web, address) = serve(Program::new(&path), 2);
    count(&address, 7);
    let new = scratch.path("new");
    for broken in ["#!/bin/sh\nexit 3\n", "no program at all"] {
        // Another program writes it: a file that this process has open could not be executed.
        let write = [
            "-c",
            "printf %s \"$2\" >\"$1\"",
            "sh",
            new.to_str().unwrap(),
            broken,
        ];
        assert!(Command::new("sh").args(write).status().unwrap().success());
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&new, &path).unwrap();
        web.signal(Signal::SIGUSR2);
        web.wait_for("upgrade failed, this process serves on");
        let text = scrape(&address);
        assert_eq!(value(&text, "fixture_counts_total"), 7.0);
        assert_eq!(value(&text, "fixture_workers"), 2.0);
    }
    stop(&web);
}

/// Returns how long the memory file of the arenas of a process is.
fn arenas_of(pid: Pid) -> u64 {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let is_arenas = |path: &fs::DirEntry| {
        let to = fs::read_link(path.path()).unwrap_or_default();
        to.to_string_lossy().contains("service-runtime-metrics")
    };
    let mut found: Vec<_> = files.filter(is_arenas).collect();
    assert_eq!(found.len(), 1, "{pid} holds one file of arenas");
    fs::metadata(found.remove(0).path()).unwrap().len()
}

/// Kills workers again and again; `RESPAWNS` says how often (60).
#[test]
fn respawns_leave_no_arena_descriptor_or_memory_behind() {
    let respawns = std::env::var("RESPAWNS").map_or(60, |count| count.parse().unwrap());
    let quick = ["--respawn-delay", "1ms", "--respawn-delay-max", "1ms"];
    let (web, address) = serve(fixture!("web").args(quick), 2);
    let descriptors = |pid: Pid| fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let kill_one = || {
        kill(web.settles(2)[0].pid, Signal::SIGKILL);
        web.wait_for("worker ready");
    };
    (0..10).for_each(|_| kill_one());
    let before = (
        arenas_of(web.pid()),
        descriptors(web.pid()),
        scrape(&address).lines().count(),
    );
    let begun = std::time::Instant::now();
    (0..respawns).for_each(|_| kill_one());
    web.settles(2);
    let after = (
        arenas_of(web.pid()),
        descriptors(web.pid()),
        scrape(&address).lines().count(),
    );
    println!(
        "{respawns} respawns in {:?}: {before:?}, {after:?}",
        begun.elapsed()
    );
    assert_eq!(before, after);
    stop(&web);
}
