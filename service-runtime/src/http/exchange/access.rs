//! The access log: one line for each request, when its answer has ended.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::{HeaderValue, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri, Version};
use tokio::time::Instant;

/// How a line looks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AccessLog {
    Off,
    Json,
    Format(Vec<Part>),
}

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Field(Field),
}

/// What can be said of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Client,
    Method,
    Path,
    Version,
    Status,
    Length,
    Seconds,
    Agent,
    Id,
}

const FIELDS: [(&str, Field); 9] = [
    ("client", Field::Client),
    ("method", Field::Method),
    ("path", Field::Path),
    ("version", Field::Version),
    ("status", Field::Status),
    ("length", Field::Length),
    ("seconds", Field::Seconds),
    ("agent", Field::Agent),
    ("id", Field::Id),
];

const TEXT: &str =
    "{client} \"{method} {path} {version}\" {status} {length} {seconds} \"{agent}\" {id}";

impl AccessLog {
    /// Reads the key; an unknown field stands in the line as it was written.
    pub(crate) fn new(text: &str) -> Self {
        match text {
            "off" | "" => Self::Off,
            "json" => Self::Json,
            "text" => Self::Format(parts(TEXT)),
            format => Self::Format(parts(format)),
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        *self != Self::Off
    }

    fn line(&self, record: &Record) -> String {
        let mut line = String::with_capacity(128);
        match self {
            Self::Off => {}
            Self::Json => {
                for (n, (name, field)) in FIELDS.iter().enumerate() {
                    let start = if n == 0 { '{' } else { ',' };
                    let _ = write!(line, "{start}\"{name}\":");
                    let plain = matches!(field, Field::Status | Field::Length | Field::Seconds);
                    let quote = if plain { "" } else { "\"" };
                    line.push_str(quote);
                    record.write(*field, &mut line);
                    line.push_str(quote);
                }
                line.push('}');
            }
            Self::Format(parts) => {
                for part in parts {
                    match part {
                        Part::Text(text) => line.push_str(text),
                        Part::Field(field) => record.write(*field, &mut line),
                    }
                }
            }
        }
        line
    }
}

/// Reads a format for a fuzzer, and writes a line of it for a request with these values.
#[cfg(fuzzing)]
pub(crate) fn fuzz(format: &str, agent: &[u8]) -> Option<String> {
    let request = axum::http::Request::get("/").header(USER_AGENT, agent);
    let (head, ()) = request.body(()).ok()?.into_parts();
    Some(AccessLog::new(format).line(&Record::new(&head, None, None, Arc::new(AccessLog::Json))))
}

fn parts(format: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        let known = after.split_once('}').and_then(|(name, after)| {
            let field = FIELDS.iter().find(|(known, _)| *known == name)?;
            Some((field.1, after))
        });
        match known {
            Some((field, after)) => {
                parts.push(Part::Text(before.to_owned()));
                parts.push(Part::Field(field));
                rest = after;
            }
            None => {
                parts.push(Part::Text(format!("{before}{{")));
                rest = after;
            }
        }
    }
    parts.push(Part::Text(rest.to_owned()));
    parts.retain(|part| *part != Part::Text(String::new()));
    parts
}

/// One request, for its line.
pub(super) struct Record {
    client: Option<IpAddr>,
    method: Method,
    uri: Uri,
    version: Version,
    agent: Option<HeaderValue>,
    id: Option<HeaderValue>,
    begun: Instant,
    status: u16,
    length: u64,
    is_answered: bool,
    log: Arc<AccessLog>,
}

impl Record {
    pub(super) fn new(
        head: &Parts,
        client: Option<IpAddr>,
        id: Option<&HeaderValue>,
        log: Arc<AccessLog>,
    ) -> Box<Self> {
        Box::new(Self {
            client,
            method: head.method.clone(),
            uri: head.uri.clone(),
            version: head.version,
            agent: head.headers.get(USER_AGENT).cloned(),
            id: id.cloned(),
            begun: Instant::now(),
            status: 0,
            length: 0,
            is_answered: false,
            log,
        })
    }

    pub(super) fn answered(&mut self, status: StatusCode) {
        self.status = status.as_u16();
        self.is_answered = true;
    }

    pub(super) fn sent(&mut self, length: usize) {
        self.length += length as u64;
    }

    fn write(&self, field: Field, line: &mut String) {
        let quoted = |value: &Option<HeaderValue>, line: &mut String| match value {
            Some(value) => escape(value.as_bytes(), line),
            None => line.push('-'),
        };
        // Writing into a string does not fail.
        let _ = match field {
            Field::Client => match self.client {
                Some(client) => write!(line, "{client}"),
                None => write!(line, "-"),
            },
            Field::Method => write!(line, "{}", self.method),
            Field::Path => {
                let path = self.uri.path_and_query().map_or("-", |path| path.as_str());
                escape(path.as_bytes(), line);
                Ok(())
            }
            Field::Version => write!(line, "{:?}", self.version),
            Field::Status => write!(line, "{}", self.status),
            Field::Length => write!(line, "{}", self.length),
            Field::Seconds => write!(line, "{:.6}", self.begun.elapsed().as_secs_f64()),
            Field::Agent => {
                quoted(&self.agent, line);
                Ok(())
            }
            Field::Id => {
                quoted(&self.id, line);
                Ok(())
            }
        };
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.is_answered {
            tracing::info!(target: "access", "{}", self.log.line(self));
        }
    }
}

/// Writes what a client sent so that it can neither end a quote nor begin a line.
fn escape(bytes: &[u8], line: &mut String) {
    for byte in bytes {
        match byte {
            b'"' | b'\\' => {
                line.push('\\');
                line.push(char::from(*byte));
            }
            0x20..=0x7e => line.push(char::from(*byte)),
            _ => {
                let _ = write!(line, "\\u{byte:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(path: &str, agent: &'static [u8]) -> Box<Record> {
        let request = axum::http::Request::get(path)
            .header(USER_AGENT, HeaderValue::from_bytes(agent).unwrap())
            .body(());
        let (head, ()) = request.unwrap().into_parts();
        let mut record = Record::new(
            &head,
            Some([192, 0, 2, 1].into()),
            None,
            Arc::new(AccessLog::Json),
        );
        record.status = 200;
        record.sent(5);
        record
    }

    #[test]
    fn a_format_names_fields_and_keeps_the_rest() {
        let log = AccessLog::new("{status} {path} {what} {");
        assert_eq!(log.line(&record("/a?b", b"x")), "200 /a?b {what} {");
        assert!(!AccessLog::new("off").is_on());
    }

    #[test]
    fn the_text_form_is_the_common_one() {
        let line = AccessLog::new("text").line(&record("/a", b"curl"));
        assert!(
            line.starts_with("192.0.2.1 \"GET /a HTTP/1.1\" 200 5 0."),
            "{line}"
        );
        assert!(line.ends_with(" \"curl\" -"), "{line}");
    }

    proptest! {
        #[test]
        fn no_format_is_lost_or_panics(format in "([{}a-z]|\\{(client|path|id|x)\\}|\\PC){0,40}") {
            let written = parts(&format).into_iter().map(|part| match part {
                Part::Text(text) => text,
                Part::Field(field) => {
                    let name = FIELDS.iter().find(|(_, its)| *its == field);
                    format!("{{{}}}", name.unwrap().0)
                }
            });
            prop_assert_eq!(written.collect::<String>(), format.as_str());
            let line = AccessLog::Format(parts(&format)).line(&record("/a", b"x"));
            let plain = !format.contains('{');
            prop_assert!(!plain || line == format);
        }

        #[test]
        fn a_line_of_json_is_json_whatever_a_client_sends(
            agent in proptest::collection::vec(prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8], 0..40),
        ) {
            let request = axum::http::Request::get("/")
                .header(USER_AGENT, HeaderValue::from_bytes(&agent).unwrap());
            let (head, ()) = request.body(()).unwrap().into_parts();
            let line = AccessLog::Json.line(&Record::new(&head, None, None, Arc::new(AccessLog::Json)));
            let value: serde_json::Value = serde_json::from_str(&line).unwrap();
            let said: String = agent.iter().copied().map(char::from).collect();
            prop_assert_eq!(value["agent"].as_str(), Some(said.as_str()));
        }
    }

    #[test]
    fn what_a_client_sends_cannot_break_out_of_its_quotes() {
        let line = AccessLog::new("json").line(&record("/a", b"a\"b\\c\xff"));
        assert!(line.contains(r#""agent":"a\"b\\c\u00ff""#), "{line}");
        assert!(
            line.starts_with(r#"{"client":"192.0.2.1","method":"GET","path":"/a""#),
            "{line}"
        );
        assert!(
            line.contains(r#""status":200,"length":5,"seconds":0."#),
            "{line}"
        );
    }
}
