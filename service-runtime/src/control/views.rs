//! What of the supervisor's answer is shown where, and what is seen of the processes from here.
//!
//! The supervisor tells what it knows without asking anybody. What a process uses is looked at here, so that
//! this takes the supervisor no time.

use nix::unistd::Pid;
use serde_json::{Map, Value};

use crate::os::process::procfs;

/// How long a worker may not have written its heartbeat before its threads are shown, in seconds.
const SILENT: f64 = 3.0;

/// The state of the whole, its slots and workers, and what went on lately.
pub(super) fn status(value: &mut Value) {
    look_at_workers(value);
    look_at(&mut value["supervisor"]);
    keep(
        value,
        &[
            "state",
            "uptime",
            "lost_lines",
            "program",
            "supervisor",
            "slots",
            "workers",
            "reload",
            "orders",
        ],
    );
}

/// Slots, workers, and those that have ended.
pub(super) fn workers(value: &mut Value) {
    look_at_workers(value);
    keep(value, &["program", "slots", "workers", "deaths"]);
}

/// What the program listens on.
pub(super) fn listeners(value: &mut Value) {
    keep(value, &["program", "listeners"]);
}

/// Each option with its value, masked if it is a secret, and where that comes from.
pub(super) fn config(value: &mut Value) {
    keep(value, &["program", "command", "options"]);
}

/// The services of every worker.
pub(super) fn services(value: &mut Value) {
    of_workers(value, "services");
}

/// The tasks of every worker.
pub(super) fn tasks(value: &mut Value) {
    of_workers(value, "tasks");
}

/// Everything.
pub(super) fn report(value: &mut Value) {
    look_at_workers(value);
    look_at(&mut value["supervisor"]);
}

/// Puts the rows of one kind of all workers into one list, each with its worker, and names those that have
/// not answered.
fn of_workers(value: &mut Value, kind: &str) {
    let workers = value["workers"].as_array().cloned().unwrap_or_default();
    let (mut rows, mut silent) = (Vec::new(), Vec::new());
    for worker in &workers {
        match worker[kind].as_array() {
            Some(own) => rows.extend(own.iter().map(|row| belonging(row, worker))),
            // A worker without a task has an answer all the same.
            None if worker["services"].is_array() => {}
            None => silent.push(belonging(&Value::Object(Map::new()), worker)),
        }
    }
    value[kind] = rows.into();
    value["unanswered"] = silent.into();
    keep(value, &["program", kind, "unanswered"]);
}

fn belonging(row: &Value, worker: &Value) -> Value {
    let mut row = row.clone();
    for name in ["slot", "of", "pid"] {
        row[name] = worker[name].clone();
    }
    row
}

fn look_at_workers(value: &mut Value) {
    let Some(workers) = value["workers"].as_array_mut() else {
        return;
    };
    for worker in workers {
        look_at(worker);
        let is_silent = worker["heartbeat_ago"]
            .as_f64()
            .is_some_and(|ago| ago > SILENT);
        if (is_silent || worker["stopped"] == true)
            && let Some(pid) = pid_of(worker)
        {
            worker["thread_states"] = procfs::threads(pid).into();
        }
    }
}

/// Adds what a process uses.
fn look_at(process: &mut Value) {
    let Some(glance) = pid_of(process).and_then(procfs::glance) else {
        return;
    };
    process["rss"] = glance.resident.into();
    process["threads"] = glance.threads.into();
    process["traced"] = glance.is_traced.into();
    process["stopped"] = (glance.state == 'T').into();
}

fn pid_of(process: &Value) -> Option<Pid> {
    let pid = i32::try_from(process["pid"].as_i64()?).ok()?;
    (pid > 0).then(|| Pid::from_raw(pid))
}

/// Leaves only what is named.
fn keep(value: &mut Value, names: &[&str]) {
    if let Some(map) = value.as_object_mut() {
        map.retain(|name, _| names.contains(&name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn program() -> Value {
        json!({
            "state": "1 worker", "options": [{"name": "a.b"}],
            "program": {"name": "hello"}, "supervisor": {"pid": std::process::id()},
            "workers": [
                {"slot": 0, "of": null, "pid": std::process::id(), "heartbeat_ago": 9.5,
                 "services": [{"name": "api"}], "tasks": [{"name": "tick"}]},
                {"slot": 1, "of": null, "pid": 0, "heartbeat_ago": 0.1},
            ],
        })
    }

    #[test]
    fn a_view_shows_its_part_and_the_threads_of_who_is_silent() {
        let mut value = program();
        status(&mut value);
        assert!(value.get("options").is_none());
        assert!(value["supervisor"]["rss"].as_u64().unwrap() > 0);
        let workers = value["workers"].as_array().unwrap();
        assert!(!workers[0]["thread_states"].as_array().unwrap().is_empty());
        assert_eq!(workers[0]["stopped"], false);
        assert!(workers[1].get("thread_states").is_none());
    }

    #[test]
    fn the_services_of_all_workers_are_one_list_and_who_has_not_answered_is_named() {
        let mut value = program();
        services(&mut value);
        assert_eq!(value["services"][0]["name"], "api");
        assert_eq!(value["services"][0]["slot"], 0);
        assert_eq!(value["unanswered"][0]["slot"], 1);
        assert!(value.get("workers").is_none());
    }
}
