//! Events: those of lately, or each as it happens.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use serde_json::Value;

use super::client::{self, ClientError};
use super::table::cell;
use super::{Failure, Outcome};
use crate::escape::Escaped;
use crate::exit::Exit;

/// Prints events until there are no more.
///
/// One that follows goes on after an interruption with the event that it has not seen, and ends with the program.
pub(super) fn show(socket: &Path, follow: bool, as_json: bool) -> Outcome {
    let path = if follow {
        "/v1/events"
    } else {
        "/v1/events?follow=no"
    };
    let mut last: Option<String> = None;
    loop {
        let stream = match client::stream(socket, path, last.as_deref()) {
            Ok(stream) => stream,
            // The control process was replaced.
            Err(ClientError::Broken { .. }) if follow && last.is_some() => continue,
            Err(error) => return Err(error.into()),
        };
        if print(stream, &mut last, as_json)? || !follow {
            return Ok(String::new());
        }
    }
}

/// Prints what comes; returns whether the program has ended with it.
fn print(stream: impl Read, last: &mut Option<String>, as_json: bool) -> Result<bool, Failure> {
    let mut id = None;
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return Ok(false) };
        if let Some(number) = line.strip_prefix("id: ") {
            id = Some(number.to_owned());
        }
        let Some(data) = line.strip_prefix("data: ") else {
            continue;
        };
        *last = id.take();
        let Ok(event) = serde_json::from_str::<Value>(data) else {
            continue;
        };
        let text = if as_json {
            data.to_owned()
        } else {
            words(&event)
        };
        let mut out = std::io::stdout();
        let written = writeln!(out, "{text}").and_then(|()| out.flush());
        // Nobody reads any more.
        written.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        if event["event"] == "ended" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes an event in a line: its name, and what belongs to it.
fn words(event: &Value) -> String {
    if event["event"] == "snapshot" {
        return Escaped(&cell(&event["state"])).to_string();
    }
    let mut line = cell(&event["event"]);
    for (name, value) in event.as_object().into_iter().flatten() {
        if name != "event" && !value.is_null() {
            line.push_str(&format!(" {name}={}", cell(value)));
        }
    }
    Escaped(&line).to_string()
}
