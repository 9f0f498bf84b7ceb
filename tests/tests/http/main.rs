//! HTTP as a service, from outside: real sockets, clients that behave and clients that do not.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

mod access;
mod client;
mod clients;
mod drain;
mod hostile;
mod http2;
mod http2_rules;
mod limits;
mod load;
mod phases;
mod reload;
mod scale;
mod secure;
mod serving;
mod targets;
mod tls;
mod tls_rules;
mod websocket;

use tests::fixture;
use tests::harness::Fixture;

/// Starts the fixture program with more keys in its table, and returns it with its address.
fn web(workers: usize, keys: &[&str]) -> (Fixture, String) {
    let web = fixture!("web");
    start(
        "web",
        web.arg("--workers").arg(workers.to_string()),
        workers,
        keys,
    )
}

/// Starts a program whose service of this name serves HTTP; returns its address too.
fn start(
    service: &str,
    mut program: tests::harness::Program,
    workers: usize,
    keys: &[&str],
) -> (Fixture, String) {
    for key in ["bind=127.0.0.1:0"].iter().chain(keys) {
        program = match key.strip_prefix("launch.") {
            Some(_) => program.arg("--set").arg(key),
            None => program.arg("--set").arg(format!("{service}.{key}")),
        };
    }
    let web = program.start();
    let line = web.wait_for("listening on 127.0.0.1:");
    web.ready(workers);
    let address = line
        .split("listening on ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next());
    let address = address.unwrap().to_owned();
    (web, address)
}
