//! What the tools of the broker see of a service: `nats micro ls`, `info` and `stats` ask by these subjects.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use tests::harness::{LIMIT, until};

use super::broker::Broker;
use super::place::Place;
use super::{Caller, program};

/// Asks as a tool does, in the plain protocol of the broker; returns so many answers.
fn ask(broker: &Broker, subject: &str, count: usize) -> Vec<Value> {
    let url = broker.url();
    let stream = TcpStream::connect(url.strip_prefix("nats://").unwrap()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut stream = BufReader::new(stream);
    let asked = format!("CONNECT {{}}\r\nSUB tool 1\r\nPUB {subject} tool 0\r\n\r\n");
    stream.get_mut().write_all(asked.as_bytes()).unwrap();
    let mut answers = Vec::new();
    while answers.len() < count {
        let mut line = String::new();
        assert!(
            stream.read_line(&mut line).unwrap() > 0,
            "the broker is gone"
        );
        assert!(!line.starts_with("-ERR"), "{line}");
        if line.starts_with("MSG ") {
            let length = line.trim_end().rsplit(' ').next().unwrap();
            let mut body = vec![0; length.parse::<usize>().unwrap() + 2];
            stream.read_exact(&mut body).unwrap();
            answers.push(serde_json::from_slice(&body[..body.len() - 2]).unwrap());
        }
    }
    answers
}

/// What is said of a method.
fn endpoint<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let endpoints = answer["endpoints"].as_array().unwrap();
    let found = endpoints.iter().find(|endpoint| endpoint["name"] == name);
    found.unwrap_or_else(|| panic!("{name} is not in {answer}"))
}

#[test]
fn every_worker_answers_for_each_of_its_topics() {
    let Some(place) = Place::nats() else {
        return;
    };
    let broker = place.broker.as_ref().unwrap();
    let callee = program(&place, "callee").start();
    callee.ready(2);
    // Two workers, three topics.
    let answers = ask(broker, "$SRV.PING", 6);
    let mut names: Vec<_> = answers
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    let twice = [
        "callee",
        "callee",
        "compute",
        "compute",
        "compute-admin",
        "compute-admin",
    ];
    assert_eq!(names, twice);
    let kind = "io.nats.micro.v1.ping_response";
    assert!(
        answers.iter().all(|answer| answer["type"] == kind),
        "{answers:?}"
    );
    let of_one = ask(broker, "$SRV.PING.compute", 2);
    assert_ne!(of_one[0]["id"], of_one[1]["id"]);
    assert!(of_one.iter().all(|answer| answer["name"] == "compute"));
}

#[test]
fn an_answer_names_the_methods_and_where_they_are_called() {
    let Some(place) = Place::nats() else {
        return;
    };
    let broker = place.broker.as_ref().unwrap();
    let callee = program(&place, "callee").args(["--workers", "1"]).start();
    callee.ready(1);
    let info = &ask(broker, "$SRV.INFO.callee", 1)[0];
    assert_eq!(info["type"], "io.nats.micro.v1.info_response");
    assert_eq!(info["version"], "1.2.0");
    assert_eq!(info["metadata"]["server"], "callee-host");
    assert_eq!(info["metadata"]["exchange"], "openstack");
    let who = endpoint(info, "who");
    assert_eq!(who["subject"], "rpc.openstack.callee.any");
    assert_eq!(who["queue_group"], "rpc");
    assert_eq!(endpoint(info, "slow")["metadata"]["since"], "1.2");
}

#[test]
fn calls_and_errors_are_counted_by_method() {
    let Some(place) = Place::nats() else {
        return;
    };
    let broker = place.broker.as_ref().unwrap();
    let both = program(&place, "both").args(["--workers", "1"]).start();
    both.ready(1);
    let mut caller = Caller::of(&both);
    for _ in 0..3 {
        assert!(caller.ask("who").parse::<u32>().is_ok());
    }
    assert!(caller.ask("slow 20").parse::<u32>().is_ok());
    caller.ask("fail");
    let id = ask(broker, "$SRV.PING.callee", 1)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let subject = format!("$SRV.STATS.callee.{id}");
    let stats = || ask(broker, &subject, 1).remove(0);
    until("all calls are counted", || {
        let stats = stats();
        endpoint(&stats, "who")["num_requests"] == 3 && endpoint(&stats, "fail")["num_errors"] == 1
    });
    let stats = stats();
    assert_eq!(stats["type"], "io.nats.micro.v1.stats_response");
    assert!(stats["started"].as_str().unwrap().ends_with('Z'), "{stats}");
    assert_eq!(endpoint(&stats, "who")["num_errors"], 0);
    assert_eq!(endpoint(&stats, "hang")["num_requests"], 0);
    let slow = endpoint(&stats, "slow");
    assert!(
        slow["average_processing_time"].as_u64().unwrap() >= 20_000_000,
        "{slow}"
    );
}
