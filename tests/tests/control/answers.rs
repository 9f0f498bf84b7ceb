//! What the control socket answers, compared with the description in `docs/control-answers.json`.
//!
//! A field whose name ends with `?` may be missing or `null`. A field that the description does not have, one of
//! another type, and one that is missing fail the test: a field is added to the description with the code that adds
//! it, and none is changed or taken away.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use tests::fixture;
use tests::harness::{Fixture, Program, Scratch, ask, kill, state, until};

/// Compares an answer with its description; returns every difference with its place.
fn differences(answer: &Value, described: &Value, place: &str) -> Vec<String> {
    let kind = match answer {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match (answer, described) {
        (_, Value::String(name)) if name == kind || name == "any" => Vec::new(),
        (Value::Array(items), Value::Array(item)) => items
            .iter()
            .flat_map(|found| differences(found, &item[0], &format!("{place}[]")))
            .collect(),
        (Value::Object(fields), Value::Object(known)) => {
            let mut all = Vec::new();
            for (name, found) in fields {
                let optional = known.get(&format!("{name}?"));
                match known.get(name).or(optional) {
                    None => all.push(format!("{place}.{name} is not described")),
                    Some(_) if optional.is_some() && found.is_null() => {}
                    Some(known) => {
                        all.extend(differences(found, known, &format!("{place}.{name}")))
                    }
                }
            }
            let missing = known
                .keys()
                .filter(|name| !name.ends_with('?') && !fields.contains_key(*name));
            all.extend(missing.map(|name| format!("{place}.{name} is missing")));
            all
        }
        _ => vec![format!("{place} is {kind}, described as {described}")],
    }
}

fn description() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/control-answers.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn conforms(socket: &Path, described: &Value) {
    for (question, described) in described.as_object().unwrap() {
        if let Some(path) = question.strip_prefix("GET ") {
            let (_, body) = ask(socket, "GET", path);
            let found = differences(&serde_json::from_str(&body).unwrap(), described, path);
            assert!(found.is_empty(), "{found:#?}\n{body}");
        }
    }
}

/// Takes a program through what leaves its traces in answers.
fn lived_through(program: Program, described: &Value) {
    let scratch = Scratch::new();
    let socket = scratch.path("admin.sock");
    let program: Fixture = program.arg("--admin").arg(&socket).start();
    program.wait_for(" ready: ");
    conforms(&socket, described);
    let worker = tests::harness::Worker::of(&program.lines().with("worker ready ")[0]);
    kill(worker.pid, Signal::SIGKILL);
    program.wait_for("worker died");
    let order = |question: &str| {
        let (_, body) = ask(&socket, "POST", question);
        let described = &described["POST /v1/orders/…"];
        let found = differences(&serde_json::from_str(&body).unwrap(), described, question);
        assert!(found.is_empty(), "{found:#?}\n{body}");
    };
    order("/v1/orders/reload");
    order("/v1/orders/scale?number=3");
    order("/v1/orders/drain?number=99");
    order("/v1/orders/recycle?wait=no");
    until("the last order has an outcome", || {
        ask(&socket, "GET", "/v1/status")
            .1
            .matches("\"outcome\"")
            .count()
            >= 5
    });
    program.signal(Signal::SIGTTIN);
    program.wait_for("number of workers changed");
    conforms(&socket, described);
    let (_, body) = ask(&socket, "GET", "/v1/workers");
    let workers: Value = serde_json::from_str(&body).unwrap();
    let pid = workers["workers"][0]["pid"].as_i64().unwrap();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    kill(pid, Signal::SIGSTOP);
    until("it is stopped", || state(pid) == Some('T'));
    conforms(&socket, described);
    kill(pid, Signal::SIGCONT);
    let (_, body) = ask(&socket, "GET", "/v1/nothing");
    let error = serde_json::from_str(&body).unwrap();
    assert_eq!(
        differences(&error, &described["any error"], "error"),
        [""; 0]
    );
    order("/v1/orders/stop");
}

#[test]
fn every_answer_is_as_it_is_described() {
    let described = description();
    lived_through(fixture!("echo").args(["--workers", "2"]), &described);
    let pools = "[launch]\nworkers = 2\n[api]\nworkers = 1\n";
    lived_through(fixture!("pools").config(pools), &described);
}

#[test]
fn a_field_that_is_added_changed_or_taken_away_is_found() {
    let described = serde_json::json!({"a": "number", "b?": "string", "c": [{"d": "boolean"}]});
    let found = |answer: Value| differences(&answer, &described, "x");
    assert_eq!(
        found(serde_json::json!({"a": 1, "b": null, "c": [{"d": true}]})),
        [""; 0]
    );
    assert_eq!(
        found(serde_json::json!({"a": "1", "c": [{"d": true, "e": 1}]})),
        [
            "x.a is string, described as \"number\"",
            "x.c[].e is not described"
        ]
    );
    assert_eq!(found(serde_json::json!({"a": 1})), ["x.c is missing"]);
}
