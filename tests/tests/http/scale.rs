//! Very many connections, and those whose client is no longer there.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

use super::client::Client;
use super::web;

/// Returns the memory of a process, in KiB.
pub(crate) fn memory(pid: Pid) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}

/// Lets this process, and the programs that it starts, have as many files open as it may; returns
/// how many that are.
fn many_files() -> u64 {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    most
}

#[test]
fn ten_thousand_idle_connections_cost_little_and_keep_nobody_from_being_served() {
    let connections = many_files().saturating_sub(1000).min(10_000);
    assert!(connections >= 1000, "only {connections} files may be open");
    let limit = format!("max_connections={}", connections + 100);
    let (web, address) = web(1, &[&limit, "client_socket_timeout=10m"]);
    let worker = web.children()[0];
    let mut decent = Client::connect(&address).unwrap();
    decent.get("/").unwrap();
    let before = memory(worker);
    let idle: Vec<_> = (0..connections)
        .map(|_| {
            let mut client = Client::connect(&address).unwrap();
            assert_eq!(client.get("/").unwrap().status, 200);
            client
        })
        .collect();
    let grown = memory(worker) - before;
    let each = grown * 1024 / connections;
    let mut longest = Duration::ZERO;
    for _ in 0..100 {
        let begun = Instant::now();
        assert_eq!(decent.get("/").unwrap().status, 200);
        longest = longest.max(begun.elapsed());
    }
    println!(
        "{connections} idle connections: {grown} KiB, {each} bytes for each; another waited \
         {longest:?} at most"
    );
    assert!(each < 24 * 1024, "{each} bytes for each");
    // Generous: these machines are busy.
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    drop(idle);
    assert_eq!(decent.get("/").unwrap().status, 200);
}

#[test]
fn a_client_that_has_vanished_is_asked_for_after_tcp_keepidle() {
    let (_web, address) = web(1, &["tcp_keepidle=300s"]);
    let mut client = Client::connect(&address).unwrap();
    client.get("/").unwrap();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();
    // Connections as the kernel shows them: of ours, and with the clock of keep-alive (02) running.
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let ours = table.lines().map(|line| line.split_whitespace().collect());
    let ours: Vec<Vec<&str>> = ours
        .filter(|fields: &Vec<&str>| {
            let local = fields
                .get(1)
                .is_some_and(|it| it.ends_with(&format!(":{port:04X}")));
            local && fields.get(3) == Some(&"01")
        })
        .collect();
    assert_eq!(ours.len(), 1, "{table}");
    let (clock, left) = ours[0][5].split_once(':').unwrap();
    let left = u64::from_str_radix(left, 16).unwrap() / 100;
    assert_eq!(clock, "02", "{:?}", ours[0]);
    assert!((200..=300).contains(&left), "{left} s");
}

#[test]
fn without_descriptors_a_worker_waits_says_so_once_and_goes_on() {
    let limited = ["sh", "-c", "ulimit -n 40; exec \"$0\" \"$@\""];
    let web = tests::fixture!("web")
        .through(limited)
        .args(["--workers", "1", "--set", "web.bind=127.0.0.1:0"])
        .start();
    let line = web.wait_for("listening on 127.0.0.1:");
    let address = line.split("listening on ").nth(1).unwrap();
    let address = address.split(' ').next().unwrap();
    web.ready(1);
    let mut first = Client::connect(address).unwrap();
    first.get("/").unwrap();
    let more: Vec<_> = (0..60).map(|_| Client::connect(address).unwrap()).collect();
    web.wait_for("connections wait until this process can accept them");
    for _ in 0..100 {
        assert_eq!(first.get("/").unwrap().status, 200);
    }
    let said = web.lines().with("connections wait until");
    assert_eq!(said.len(), 1, "{said:?}");
    drop(more);
    web.wait_for("connections are accepted again");
    let mut late = Client::connect(address).unwrap();
    assert_eq!(late.get("/").unwrap().status, 200);
}
