//! The access log: one line for each request, when the last of its answer has left, or when no more will.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering::Relaxed};

use axum::http::header::{HeaderValue, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri, Version};
use tokio::time::Instant;

use crate::http::config::{AccessFormat, Field, HttpConfig, Part};
use crate::log;

/// The status of a request whose client, or whose stop, did not wait for an answer, as nginx logs it.
pub(crate) const NO_ANSWER: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => panic!("it has three digits"),
};

/// What is logged, and how.
#[derive(Debug)]
pub(crate) struct AccessLog {
    format: AccessFormat,
    exclude: Vec<String>,
}

impl AccessLog {
    /// Reads the keys; a format that is none was refused with the configuration.
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            format: AccessFormat::read(&config.access_log).unwrap_or(AccessFormat::Off),
            exclude: config.access_log_exclude.clone(),
        }
    }

    /// Tells whether requests for this path are logged.
    pub(crate) fn logs(&self, path: &str) -> bool {
        let excluded = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == pattern,
        };
        self.format != AccessFormat::Off && !self.exclude.iter().any(excluded)
    }

    /// Logs a request that could not be read, and was answered so.
    pub(crate) fn unreadable(&self, client: Option<IpAddr>, status: StatusCode) {
        if self.format != AccessFormat::Off {
            self.write(&Record {
                client,
                request: None,
                begun: Instant::now(),
                status: AtomicU16::new(status.as_u16()),
                length: AtomicU64::new(0),
                log: None,
            });
        }
    }

    fn write(&self, record: &Record) {
        // A subscriber that writes JSON, or one of the program's own, gets the fields as fields.
        if self.format == AccessFormat::Json && !log::writes_text() {
            record.emit();
        } else {
            tracing::info!(target: "access", "{}", line(&self.format, record));
        }
    }
}

fn line(format: &AccessFormat, record: &Record) -> String {
    let mut line = String::with_capacity(128);
    match format {
        AccessFormat::Off => {}
        AccessFormat::Json => {
            for (n, (name, field)) in Field::ALL.iter().enumerate() {
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
        AccessFormat::Parts(parts) => {
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

/// Reads a format for a fuzzer, and writes a line of it for a request with these values.
#[cfg(fuzzing)]
pub(crate) fn fuzz(format: &str, agent: &[u8]) -> Option<String> {
    let request = axum::http::Request::get("/").header(USER_AGENT, agent);
    let (head, ()) = request.body(()).ok()?.into_parts();
    let record = Record::of(&head, None, None);
    Some(line(&AccessFormat::read(format).ok()?, &record))
}

/// One request, for its line.
pub(super) struct Record {
    client: Option<IpAddr>,
    /// Nothing of one that could not be read.
    request: Option<Asked>,
    begun: Instant,
    status: AtomicU16,
    /// How many bytes of the answer's body have left.
    length: AtomicU64,
    /// Where it is logged when it is dropped, by the last who can count.
    log: Option<Arc<AccessLog>>,
}

struct Asked {
    method: Method,
    uri: Uri,
    version: Version,
    agent: Option<HeaderValue>,
    id: Option<HeaderValue>,
}

impl Asked {
    fn path(&self) -> &str {
        let path = self.uri.path_and_query();
        path.map_or(self.uri.path(), |path| path.as_str())
    }
}

impl Record {
    pub(super) fn new(
        head: &Parts,
        client: Option<IpAddr>,
        id: Option<&HeaderValue>,
        log: Arc<AccessLog>,
    ) -> Arc<Self> {
        let mut record = Self::of(head, client, id);
        record.log = Some(log);
        Arc::new(record)
    }

    fn of(head: &Parts, client: Option<IpAddr>, id: Option<&HeaderValue>) -> Self {
        Self {
            client,
            request: Some(Asked {
                method: head.method.clone(),
                uri: head.uri.clone(),
                version: head.version,
                agent: head.headers.get(USER_AGENT).cloned(),
                id: id.cloned(),
            }),
            begun: Instant::now(),
            status: AtomicU16::new(NO_ANSWER.as_u16()),
            length: AtomicU64::new(0),
            log: None,
        }
    }

    pub(super) fn answered(&self, status: StatusCode) {
        self.status.store(status.as_u16(), Relaxed);
    }

    pub(super) fn sent(&self, length: usize) {
        self.length.fetch_add(length as u64, Relaxed);
    }

    fn emit(&self) {
        let asked = self.request.as_ref();
        let latin = |value: &HeaderValue| -> String {
            value.as_bytes().iter().copied().map(char::from).collect()
        };
        tracing::info!(
            target: "access",
            client = self.client.map(display),
            method = asked.map(|asked| asked.method.as_str()),
            path = asked.map(Asked::path),
            version = asked.map(|asked| tracing::field::debug(asked.version)),
            status = self.status.load(Relaxed),
            length = self.length.load(Relaxed),
            seconds = self.begun.elapsed().as_secs_f64(),
            agent = asked.and_then(|asked| asked.agent.as_ref()).map(latin),
            id = asked.and_then(|asked| asked.id.as_ref()).map(latin),
            "request"
        );
    }

    fn write(&self, field: Field, line: &mut String) {
        let asked = self.request.as_ref();
        let quoted = |value: Option<&HeaderValue>, line: &mut String| match value {
            Some(value) => escape(value.as_bytes(), line),
            None => line.push('-'),
        };
        // Writing into a string does not fail.
        let _ = match field {
            Field::Status => write!(line, "{}", self.status.load(Relaxed)),
            Field::Length => write!(line, "{}", self.length.load(Relaxed)),
            Field::Seconds => write!(line, "{:.6}", self.begun.elapsed().as_secs_f64()),
            Field::Client => match self.client {
                Some(client) => write!(line, "{client}"),
                None => write!(line, "-"),
            },
            Field::Method => match asked {
                Some(asked) => write!(line, "{}", asked.method),
                None => write!(line, "-"),
            },
            Field::Version => match asked {
                Some(asked) => write!(line, "{:?}", asked.version),
                None => write!(line, "-"),
            },
            Field::Path => {
                let path = asked.map_or("-", Asked::path);
                escape(path.as_bytes(), line);
                Ok(())
            }
            Field::Agent => {
                quoted(asked.and_then(|asked| asked.agent.as_ref()), line);
                Ok(())
            }
            Field::Id => {
                quoted(asked.and_then(|asked| asked.id.as_ref()), line);
                Ok(())
            }
        };
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            log.write(self);
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

    fn record(path: &str, agent: &[u8]) -> Record {
        let request = axum::http::Request::get(path)
            .header(USER_AGENT, HeaderValue::from_bytes(agent).unwrap())
            .body(());
        let (head, ()) = request.unwrap().into_parts();
        let record = Record::of(&head, Some([192, 0, 2, 1].into()), None);
        record.answered(StatusCode::OK);
        record.sent(5);
        record
    }

    #[test]
    fn a_path_is_left_out_by_its_name_or_by_its_beginning() {
        let log = AccessLog {
            format: AccessFormat::Json,
            exclude: vec!["/healthz".to_owned(), "/static/*".to_owned()],
        };
        for (path, logged) in [
            ("/healthz", false),
            ("/healthz/x", true),
            ("/static/a.css", false),
            ("/", true),
        ] {
            assert_eq!(log.logs(path), logged, "{path}");
        }
    }

    #[test]
    fn the_text_form_is_the_common_one() {
        let format = AccessFormat::read("text").unwrap();
        let text = line(&format, &record("/a", b"curl"));
        assert!(
            text.starts_with("192.0.2.1 \"GET /a HTTP/1.1\" 200 5 0."),
            "{text}"
        );
        assert!(text.ends_with(" \"curl\" -"), "{text}");
    }

    proptest! {
        #[test]
        fn a_line_of_json_is_json_whatever_a_client_sends(
            agent in proptest::collection::vec(prop_oneof![0x20..=0x7e_u8, 0x80..=0xff_u8], 0..40),
        ) {
            let text = line(&AccessFormat::Json, &record("/", &agent));
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let said: String = agent.iter().copied().map(char::from).collect();
            prop_assert_eq!(value["agent"].as_str(), Some(said.as_str()));
        }
    }

    #[test]
    fn what_a_client_sends_cannot_break_out_of_its_quotes() {
        let text = line(&AccessFormat::Json, &record("/a", b"a\"b\\c\xff"));
        assert!(text.contains(r#""agent":"a\"b\\c\u00ff""#), "{text}");
        assert!(
            text.starts_with(r#"{"client":"192.0.2.1","method":"GET","path":"/a""#),
            "{text}"
        );
        assert!(
            text.contains(r#""status":200,"length":5,"seconds":0."#),
            "{text}"
        );
    }
}
