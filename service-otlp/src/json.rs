//! Spans as OTLP writes them in JSON.

use std::time::SystemTime;

use serde_json::{Value as Json, json};

use crate::span::{Span, Value};

/// Writes one request with spans of one process.
pub(crate) fn request(service: &str, spans: &[Span]) -> String {
    let pid = std::process::id().to_string();
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": service}},
        {"key": "process.pid", "value": {"intValue": pid}},
    ]});
    let spans: Vec<Json> = spans.iter().map(span).collect();
    let scope = json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [
        {"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}
    ]})
    .to_string()
}

fn span(span: &Span) -> Json {
    let attributes = span.attributes.iter();
    let attributes: Vec<Json> = attributes
        .map(|(key, value)| json!({"key": key, "value": attribute(value)}))
        .collect();
    let status = match &span.error {
        Some(message) => json!({"code": 2, "message": message}),
        None => json!({}),
    };
    json!({
        "traceId": span.trace.trace_id(),
        "spanId": span.trace.span_id(),
        "parentSpanId": span.trace.parent_span_id().unwrap_or_default(),
        "traceState": span.trace.tracestate().unwrap_or_default(),
        "name": span.name,
        "kind": if span.is_server { 2 } else { 1 },
        "startTimeUnixNano": nanos(span.begun),
        "endTimeUnixNano": nanos(span.ended),
        "attributes": attributes,
        "status": status,
    })
}

fn attribute(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Int(number) => json!({"intValue": number.to_string()}),
        Value::Float(number) => json!({"doubleValue": number}),
        Value::Bool(yes) => json!({"boolValue": yes}),
    }
}

/// As a text, because a number of JSON has too few digits.
fn nanos(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_nanos().to_string()
}
