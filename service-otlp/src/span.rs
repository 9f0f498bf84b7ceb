//! One span, from its beginning to its export.

use std::fmt;
use std::time::SystemTime;

use service_runtime::trace::TraceContext;
use tracing::field::{Field, Visit};

/// The most attributes of a span.
const MOST_ATTRIBUTES: usize = 64;

/// The longest text of an attribute, in bytes.
const LONGEST_TEXT: usize = 4096;

/// What is known of a span.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    pub(crate) trace: TraceContext,
    /// Whether a client has asked for it.
    pub(crate) is_server: bool,
    pub(crate) begun: SystemTime,
    pub(crate) ended: SystemTime,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    /// The text of an error that was logged in it.
    pub(crate) error: Option<String>,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl Span {
    fn add(&mut self, field: &Field, value: Value) {
        if self.attributes.len() < MOST_ATTRIBUTES {
            self.attributes.push((field.name(), value));
        }
    }
}

/// Cuts a text at a length, between letters.
fn cut(text: &str) -> String {
    let most = LONGEST_TEXT.min(text.len());
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or(0)].to_owned()
}

impl Visit for Span {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::Text(cut(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let value =
            i64::try_from(value).map_or_else(|_| Value::Text(value.to_string()), Value::Int);
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::Bool(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, Value::Text(cut(&format!("{value:?}"))));
    }
}

/// The message of an event.
#[derive(Debug, Default)]
pub(crate) struct Message(pub(crate) String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = cut(&format!("{value:?}"));
        }
    }
}
