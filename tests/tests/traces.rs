//! Traces from outside: ids in the log, over HTTP, calls and tasks, and their export.
#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Fixture, LIMIT, Program, Scratch};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn start(program: Program, settings: &[&str]) -> (Fixture, String, Scratch) {
    let scratch = Scratch::new();
    let directory = format!("--set=rpc.directory={}", scratch.path("rpc").display());
    let settings = settings
        .iter()
        .map(|setting| format!("--set=front.{setting}"));
    let program = program
        .args(["--set=front.bind=127.0.0.1:0", "--workers=2"])
        .arg(directory)
        .args(settings)
        .start();
    let line = program.wait_for("listening on 127.0.0.1:");
    program.settles(2);
    let address = line.split("listening on ").nth(1).unwrap();
    let address = address.split(' ').next().unwrap().to_owned();
    (program, address, scratch)
}

/// Asks with some headers; returns the body.
fn ask(address: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    body.to_owned()
}

fn stop(program: &Fixture) {
    program.signal(Signal::SIGTERM);
    assert_eq!(program.exit_code(), 0);
}

#[test]
fn a_trace_goes_on_through_a_call_and_a_task_and_is_in_every_line() {
    let (program, address, _files) = start(fixture!("traced"), &[]);
    let parent = format!("traceparent: 00-{TRACE}-{SPAN}-01\r\n");
    assert_eq!(ask(&address, &parent), TRACE);
    for line in ["asked", "called", "in a task"] {
        let line = program.wait_for(&format!(": {line}"));
        assert!(line.contains(&format!("trace_id={TRACE}")), "{line}");
        // An own subscriber loses nothing of who writes.
        assert!(line.contains(" slot=") && line.contains(" pid="), "{line}");
    }
    stop(&program);
}

#[test]
fn a_broken_or_doubled_parent_begins_a_new_trace_and_is_no_error() {
    let (program, address, _files) = start(fixture!("traced"), &[]);
    let good = format!("traceparent: 00-{TRACE}-{SPAN}-01\r\n");
    for headers in [
        String::new(),
        "traceparent: nonsense\r\n".to_owned(),
        format!("traceparent: ff-{TRACE}-{SPAN}-01\r\n"),
        good.repeat(2),
        good.to_uppercase().replace("TRACEPARENT", "traceparent"),
    ] {
        let trace = ask(&address, &headers);
        assert_eq!(trace.len(), 32, "{headers}: {trace}");
        assert_ne!(trace, TRACE, "{headers}");
    }
    stop(&program);
}

#[test]
fn an_own_subscriber_follows_the_level_of_the_log() {
    let (program, address, _files) = start(
        fixture!("traced").config("[launch]\nlog_level = 'info'\n"),
        &[],
    );
    ask(&address, "");
    program.wait_for(": asked");
    assert!(program.lines().with("in detail").is_empty());
    program.rewrite("[launch]\nlog_level = 'debug'\n");
    program.signal(Signal::SIGHUP);
    program.wait_for("reloaded");
    program.settles(2);
    ask(&address, "");
    program.wait_for("asked, in detail");
    stop(&program);
}

/// A collector that takes what it is sent.
fn collector() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            let mut line = String::new();
            while stream.read_line(&mut line).unwrap() > 2 {
                let line = std::mem::take(&mut line).to_lowercase();
                if let Some(value) = line.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            stream.get_mut().write_all(answer).unwrap();
            if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (address, received)
}

fn spans_of(request: &Value) -> Vec<Value> {
    let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
    spans.unwrap().clone()
}

#[test]
fn a_collector_gets_a_trace_that_spans_http_a_call_and_a_task() {
    let (address, received) = collector();
    let program = fixture!("traced").env("COLLECTOR", address);
    let (program, address, _files) = start(program, &["trusted_proxies=['127.0.0.1']"]);
    let parent = format!("traceparent: 00-{TRACE}-{SPAN}-01\r\n");
    assert_eq!(ask(&address, &parent), TRACE);
    // What is left is sent by the stop.
    stop(&program);
    let mut spans: Vec<Value> = Vec::new();
    while spans.len() < 3 {
        let request = received.recv_timeout(LIMIT).unwrap();
        let resource = request["resourceSpans"][0]["resource"].to_string();
        assert!(resource.contains("\"traced\""), "{resource}");
        spans.extend(spans_of(&request));
    }
    assert_eq!(spans.len(), 3, "{spans:#?}");
    let span = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
    let (request, call, task) = (span("request"), span("call"), span("task"));
    for span in &spans {
        assert_eq!(span["traceId"], TRACE);
        let time = |key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    }
    assert_eq!(request["parentSpanId"], SPAN);
    assert_eq!(call["parentSpanId"], request["spanId"]);
    assert_eq!(task["parentSpanId"], call["spanId"]);
    assert_eq!(
        (&request["kind"], &task["kind"]),
        (&Value::from(2), &Value::from(1))
    );
    assert!(task["attributes"].to_string().contains("\"7\""), "{task}");
}

#[test]
fn a_stranger_does_not_say_what_is_exported() {
    let (collector, received) = collector();
    let program = fixture!("traced").env("COLLECTOR", collector);
    let (program, address, _files) = start(program, &["trusted_proxies=['192.0.2.1']"]);
    let parent = format!("traceparent: 00-{TRACE}-{SPAN}-01\r\n");
    for _ in 0..20 {
        ask(&address, &parent);
    }
    stop(&program);
    assert!(received.try_recv().is_err());
}

#[test]
fn a_collector_that_is_gone_or_never_answers_does_not_make_a_stop_late() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    // The first is closed by now; the second takes connections and says nothing.
    for collector in [silent, format!("http://{}", deaf.local_addr().unwrap())] {
        let program = fixture!("traced").env("COLLECTOR", &collector);
        let (program, address, _files) = start(program, &["trace_sample_ratio=1.0"]);
        // More than there is room for.
        for _ in 0..100 {
            assert_eq!(ask(&address, "").len(), 32);
        }
        let begun = Instant::now();
        stop(&program);
        program.wait_for("not every span has reached the collector");
        // Its share of a stop is a second; the rest is for a machine with much else to do.
        assert!(begun.elapsed() < Duration::from_secs(10), "{collector}");
    }
}
