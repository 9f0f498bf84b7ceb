//! Answers as tables for people.

use std::time::Duration;

use serde_json::Value;

use super::table::{Style, Table, cell};
use crate::status::whole_seconds;

/// Writes a view.
pub(super) fn view(name: &str, answer: &Value, style: &Style) -> String {
    let text = match name {
        "status" => {
            headline(answer)
                + &workers(answer).write(style)
                + &last_reload(answer)
                + &orders(answer)
        }
        "workers" => workers(answer).write(style) + &deaths(answer, style),
        "services" => services(answer).write(style),
        "tasks" => tasks(answer).write(style),
        "listeners" => listeners(answer).write(style),
        "config" => config(answer).write(style),
        _ => format!("{answer:#}\n"),
    };
    text + &unanswered(answer)
}

fn headline(answer: &Value) -> String {
    let program = &answer["program"];
    let version = program["version"].as_str().unwrap_or_default();
    let name = format!("{} {version}", cell(&program["name"]));
    format!(
        "{}: {}, up {}, supervisor pid {}\n",
        name.trim_end(),
        cell(&answer["state"]),
        time(&answer["uptime"]),
        cell(&answer["supervisor"]["pid"]),
    )
}

fn last_reload(answer: &Value) -> String {
    let reload = &answer["reload"];
    if reload.is_null() {
        return String::new();
    }
    format!(
        "last reload: {}, {} ago\n",
        cell(&reload["outcome"]),
        time(&reload["ago"])
    )
}

fn orders(answer: &Value) -> String {
    let line = |order: &Value| {
        let [what, sender, outcome] = ["what", "sender", "outcome"].map(|name| cell(&order[name]));
        let ago = time(&order["ago"]);
        format!("order {what}: {outcome} ({sender}, {ago} ago)\n")
    };
    list(answer, "orders").iter().map(line).collect()
}

fn workers(answer: &Value) -> Table {
    let mut table = Table::new(&[
        "SLOT",
        "PID",
        "STATE",
        "GENERATION",
        "AGE",
        "MEMORY",
        "REQUESTS",
        "HEARTBEAT",
        "RESTARTS",
        "ERROR",
    ]);
    let slots = list(answer, "slots");
    for worker in list(answer, "workers") {
        let is_its = |slot: &&Value| slot["number"] == worker["slot"] && slot["of"] == worker["of"];
        let restarts = slots
            .iter()
            .find(is_its)
            .map(|slot| cell(&slot["restarts"]));
        let state = match worker["stopped"] == true {
            true => "stopped".to_owned(),
            false => cell(&worker["state"]),
        };
        table.add([
            slot(worker),
            cell(&worker["pid"]),
            state,
            cell(&worker["generation"]),
            time(&worker["age"]),
            size(&worker["rss"]),
            cell(&worker["requests"]),
            time(&worker["heartbeat_ago"]),
            restarts.unwrap_or_default(),
            worker["error"].as_str().unwrap_or_default().to_owned(),
        ]);
    }
    for empty in slots.iter().filter(|slot| slot["worker"].is_null()) {
        let waits = match &empty["next_worker_in"] {
            Value::Null if empty["held"] == true => "held empty".to_owned(),
            Value::Null => "empty".to_owned(),
            left => format!("empty, next in {}", time(left)),
        };
        let none = || "-".to_owned();
        let mut number = cell(&empty["number"]);
        if let Some(of) = empty["of"].as_str() {
            number = format!("{of}/{number}");
        }
        table.add([
            number,
            none(),
            waits,
            none(),
            none(),
            none(),
            none(),
            none(),
            cell(&empty["restarts"]),
            String::new(),
        ]);
    }
    table
}

fn deaths(answer: &Value, style: &Style) -> String {
    let deaths = list(answer, "deaths");
    if deaths.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["ENDED", "SLOT", "PID", "AGE", "HOW", "ERROR"]);
    for death in deaths {
        table.add([
            format!("{} ago", time(&death["ago"])),
            slot(death),
            cell(&death["pid"]),
            time(&death["age"]),
            cell(&death["how"]),
            death["error"].as_str().unwrap_or_default().to_owned(),
        ]);
    }
    format!("\n{}", table.write(style))
}

fn services(answer: &Value) -> Table {
    let mut table = Table::new(&["SLOT", "PID", "SERVICE", "PHASE", "HEALTH", "STATUS"]);
    for service in list(answer, "services") {
        table.add([
            slot(service),
            cell(&service["pid"]),
            cell(&service["name"]),
            cell(&service["phase"]),
            cell(&service["health"]),
            cell(&service["status"]),
        ]);
    }
    table
}

fn tasks(answer: &Value) -> Table {
    let mut table = Table::new(&[
        "SLOT", "SERVICE", "TASK", "KIND", "AGE", "RUNS", "FAILURES", "RUNNING", "LAST", "NEXT",
    ]);
    for task in list(answer, "tasks") {
        table.add([
            slot(task),
            cell(&task["service"]),
            cell(&task["name"]),
            cell(&task["kind"]),
            time(&task["age"]),
            cell(&task["runs"]),
            cell(&task["failures"]),
            time(&task["running_for"]),
            time(&task["last_run_ago"]),
            time(&task["next_run_in"]),
        ]);
    }
    table
}

fn listeners(answer: &Value) -> Table {
    let mut table = Table::new(&["ADDRESS", "ASKED FOR", "NAME", "SLOT"]);
    for listener in list(answer, "listeners") {
        let [address, asked, name, of] =
            ["address", "asked_for", "name", "of_slot"].map(|field| cell(&listener[field]));
        table.add([address, asked, name, of]);
    }
    table
}

fn config(answer: &Value) -> Table {
    let mut table = Table::new(&["OPTION", "VALUE", "ORIGIN"]);
    for option in list(answer, "options") {
        let value = &option["value"];
        table.add([
            cell(&option["name"]),
            value.to_string(),
            cell(&option["origin"]),
        ]);
    }
    table
}

fn unanswered(answer: &Value) -> String {
    let silent = list(answer, "unanswered").iter();
    silent
        .map(|worker| {
            let pid = cell(&worker["pid"]);
            format!("no answer from slot {}, pid {pid}\n", slot(worker))
        })
        .collect()
}

/// Names the slot of a row, with the service that has it to itself.
fn slot(row: &Value) -> String {
    match row["of"].as_str() {
        Some(of) => format!("{of}/{}", cell(&row["slot"])),
        None => cell(&row["slot"]),
    }
}

fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer[name].as_array().map_or(&[], Vec::as_slice)
}

fn time(value: &Value) -> String {
    let seconds = value.as_f64().map(Duration::try_from_secs_f64);
    match seconds {
        Some(Ok(time)) => whole_seconds(time),
        _ => "-".to_owned(),
    }
}

fn size(value: &Value) -> String {
    match value.as_u64() {
        Some(bytes) => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_one_line_of_the_whole_and_one_for_each_slot() {
        let answer = json!({
            "program": {"name": "hello", "version": "1.2.3"},
            "state": "1 worker", "uptime": 61.5, "supervisor": {"pid": 7},
            "slots": [
                {"number": 0, "of": null, "worker": 8, "restarts": 3},
                {"number": 0, "of": "api", "worker": null, "restarts": 1, "next_worker_in": 2.0},
            ],
            "workers": [{"slot": 0, "of": null, "pid": 8, "state": "ready", "stopped": true,
                "generation": 1, "age": 5.0, "rss": 3_145_728, "requests": 9, "heartbeat_ago": 0.25}],
            "reload": {"outcome": "mutated", "ago": 3.0},
        });
        let text = view("status", &answer, &Style::default());
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            lines[0].join(" "),
            "hello 1.2.3: 1 worker, up 1m 1s, supervisor pid 7"
        );
        assert_eq!(lines[2].join(" "), "0 8 stopped 1 5s 3.0 MiB 9 250ms 3");
        assert_eq!(lines[3].join(" "), "api/0 - empty, next in 2s - - - - - 1");
        assert_eq!(lines[4].join(" "), "last reload: mutated, 3s ago");
    }
}
