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
    let labels = "{class=\"2xx\",method=\"GET\",route=\"/count\",service=\"web\"}";
    let requests = value(&text, &format!("http_server_requests_total{labels}"));
    let seconds = format!("http_server_request_duration_seconds_count{labels}");
    assert_eq!(requests, value(&text, &seconds));
    assert_eq!(requests, f64::from(counted));
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
    // One that has just ended has descriptors until it is reaped.
    web.settles(2);
    let before = (arenas_of(web.pid()), descriptors(web.pid()));
    let begun = std::time::Instant::now();
    (0..respawns).for_each(|_| kill_one());
    web.settles(2);
    println!("{respawns} respawns in {:?}: {before:?}", begun.elapsed());
    until("there are as many descriptors as before", || {
        before == (arenas_of(web.pid()), descriptors(web.pid()))
    });
    assert_eq!(
        value(&scrape(&address), "service_workers{state=\"ready\"}"),
        2.0
    );
    stop(&web);
}

/// Starts a program with a listener for metrics alone; returns that listener's address too.
fn with_listener(program: Program, workers: usize) -> (Fixture, String, String) {
    let program = program.args(["--metrics-bind", "127.0.0.2:0"]);
    let (web, address) = serve(program, workers);
    let line = web.wait_for("metrics are told on ");
    let metrics = line.rsplit(' ').next().unwrap().to_owned();
    (web, address, metrics)
}

/// Returns the names of all series that are not the fixture's own, and the kind of each.
fn names(text: &str) -> Vec<(String, String)> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let types = types.filter(|line| !line.starts_with("fixture_"));
    types
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
        .collect()
}

#[test]
fn the_framework_s_own_metrics_tell_what_has_happened_and_are_all_in_the_guide() {
    let web = fixture!("web").config("[web]\nbody_max = '10B'\n");
    let (web, address, metrics) = with_listener(web, 2);
    kill(web.settles(2)[0].pid, Signal::SIGKILL);
    web.wait_for("worker ready");
    web.signal(Signal::SIGHUP);
    web.wait_for("reloaded");
    web.rewrite("[web]\nbody_max = 'much'\n");
    web.signal(Signal::SIGHUP);
    web.wait_for("reload refused");
    web.signal(Signal::SIGUSR2);
    web.wait_for("upgrade failed");
    web.settles(2);
    let mut stream = TcpStream::connect(&address).unwrap();
    let post = "POST /echo HTTP/1.1\r\nhost: test\r\ncontent-length: 11\r\n\r\n";
    stream.write_all(post.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 413");
    for path in 0..50 {
        get(&address, &format!("/nowhere/{path}"), "*/*");
    }
    let text = scrape(&metrics);
    for (series, expected) in [
        ("service_workers{state=\"ready\"}", 2.0),
        ("service_worker_deaths_total{cause=\"signal\"}", 1.0),
        ("service_worker_deaths_total{cause=\"hang\"}", 0.0),
        ("service_worker_respawns_total", 1.0),
        ("service_reloads_total{outcome=\"done\"}", 1.0),
        ("service_reloads_total{outcome=\"refused\"}", 1.0),
        ("service_upgrades_total{outcome=\"failed\"}", 1.0),
        ("service_generation", 2.0),
        ("service_config_last_reload_successful", 0.0),
        (
            "http_server_refused_requests_total{limit=\"body_max\",service=\"web\"}",
            1.0,
        ),
        // A path that no route matches is no series of its own.
        (
            "http_server_requests_total{class=\"4xx\",method=\"GET\",service=\"web\"}",
            50.0,
        ),
    ] {
        assert_eq!(value(&text, series), expected, "{series} in {text}");
    }
    until("both workers have told of themselves", || {
        let text = scrape(&metrics);
        ["0", "1"].iter().all(|slot| {
            text.contains(&format!(
                "process_resident_memory_bytes{{slot=\"{slot}\"}} "
            )) && text.contains(&format!("service_runtime_busy_ratio{{slot=\"{slot}\"}} "))
        })
    });
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/metrics.md");
    let guide = fs::read_to_string(guide).unwrap();
    let names = names(&scrape(&metrics));
    assert!(names.len() > 20, "{names:?}");
    for (name, kind) in names {
        assert!(
            guide.contains(&format!("| `{name}` | {kind}")),
            "{name}, a {kind}"
        );
    }
    stop(&web);
}

#[test]
fn what_is_read_of_a_periodic_task_is_shown() {
    let turns = fixture!("turns")
        .args(["--metrics-bind", "127.0.0.2:0"])
        .start();
    let line = turns.wait_for("metrics are told on ");
    let metrics = line.rsplit(' ').next().unwrap();
    until("a run is counted", || {
        let text = scrape(metrics);
        let runs = text
            .lines()
            .find(|line| line.starts_with("service_task_runs_total{"));
        runs.is_some_and(|runs| !runs.ends_with(" 0"))
    });
    assert!(
        names(&scrape(metrics))
            .iter()
            .any(|(name, _)| name == "service_start_time_seconds")
    );
}

#[test]
fn metrics_are_told_while_the_only_worker_is_busy() {
    let (web, address, metrics) = with_listener(fixture!("web"), 1);
    let blocked = std::thread::spawn(move || get(&address, "/block/3000", "*/*"));
    web.wait_for("blocks");
    let text = scrape(&metrics);
    assert!(
        !blocked.is_finished(),
        "the scrape has waited for the worker"
    );
    assert_eq!(
        value(&text, "http_server_active_requests{service=\"web\"}"),
        1.0
    );
    blocked.join().unwrap();
    stop(&web);
}

#[test]
fn scrapers_that_are_slow_or_say_nothing_keep_nobody_waiting() {
    let (web, address, metrics) = with_listener(fixture!("web"), 2);
    let idle: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(&metrics).unwrap())
        .collect();
    let mut half = TcpStream::connect(&metrics).unwrap();
    half.write_all(b"GET /metr").unwrap();
    // They ask, and take no answer.
    let greedy: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(&metrics).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
            stream
        })
        .collect();
    for round in 0..20 {
        count(&address, 1);
        let (head, _) = get(&address, "/readyz", "*/*");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let text = scrape(&metrics);
        assert_eq!(value(&text, "fixture_counts_total"), f64::from(round + 1));
    }
    half.write_all(b"ics HTTP/1.1\r\n\r\n").unwrap();
    drop((idle, greedy));
    stop(&web);
}

#[test]
fn the_listener_stays_over_reloads_and_upgrades() {
    let (web, address, metrics) = with_listener(fixture!("web"), 2);
    count(&address, 3);
    web.signal(Signal::SIGHUP);
    web.wait_for("reloaded");
    let next = upgrade(&web, web.pid());
    assert_eq!(value(&scrape(&metrics), "fixture_counts_total"), 3.0);
    assert_eq!(
        value(
            &scrape(&metrics),
            "service_upgrades_total{outcome=\"done\"}"
        ),
        1.0
    );
    kill(next, Signal::SIGTERM);
    web.everybody_is_gone();
}

#[test]
fn other_paths_and_methods_are_refused_by_the_listener() {
    let (web, _, metrics) = with_listener(fixture!("web"), 2);
    let (head, _) = get(&metrics, "/", "*/*");
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (head, body) = get(&metrics, "/metrics", "application/openmetrics-text");
    assert!(
        head.contains("application/openmetrics-text; version=1.0.0"),
        "{head}"
    );
    assert!(body.ends_with("# EOF\n"), "{body}");
    stop(&web);
}
