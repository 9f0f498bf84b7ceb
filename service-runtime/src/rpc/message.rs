//! What a request and its answer are on the wire.
//!
//! Names are those of oslo.messaging where it has them, so that a transport that speaks with Python
//! peers carries the same things.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The arguments of a call, each as the JSON that it came as.
pub(super) type RawArguments = BTreeMap<String, Box<RawValue>>;

/// A call or a cast.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    #[serde(default)]
    pub(super) args: RawArguments,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    /// 1.0 if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// What the caller wants to be carried on with every call that follows from this one.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) context: Map<String, Value>,
    /// The id of the request, in the logs of both sides.
    pub(super) id: String,
    /// How long the caller still waits; a cast has no deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout_ms: Option<u64>,
    /// Whether nobody waits for a result.
    #[serde(default)]
    pub(super) cast: bool,
}

/// What a server answers: exactly one of the three is there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reply {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
    /// A cast is about to be handled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) accepted: bool,
}

impl Reply {
    pub(super) fn accepted() -> Self {
        Self {
            accepted: true,
            ..Self::default()
        }
    }

    pub(super) fn failed(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }

    pub(super) fn result(result: Box<RawValue>) -> Self {
        Self {
            result: Some(result),
            ..Self::default()
        }
    }
}

/// An error as it crosses the wire.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The name of the error, without its module.
    pub class: String,
    /// Where the error is defined.
    #[serde(default)]
    pub module: String,
    /// The text of the error.
    #[serde(default)]
    pub message: String,
    /// Lines of a trace, which only Python sends.
    #[serde(default)]
    pub tb: Vec<String>,
    /// Arguments by place.
    #[serde(default)]
    pub args: Vec<Value>,
    /// Arguments by name: the fields of a typed error.
    #[serde(default)]
    pub kwargs: Map<String, Value>,
}

/// The module of what a dispatcher itself refuses, in every language.
const DISPATCHER: &str = "oslo_messaging.rpc.dispatcher";
/// The module of what this crate says.
const OWN: &str = "service_runtime.rpc";

impl Failure {
    /// Makes a failure of a class in a module, with a text.
    pub fn new(
        class: impl Into<String>,
        module: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let message = message.into();
        Self {
            class: class.into(),
            module: module.into(),
            args: vec![Value::String(message.clone())],
            message,
            ..Self::default()
        }
    }

    /// Adds a field by name; one that cannot be written as JSON is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &impl Serialize) -> Self {
        if let Ok(value) = serde_json::to_value(value) {
            self.kwargs.insert(name.to_owned(), value);
        }
        self
    }

    /// Reads a field by name; `None` if it is missing or of another type.
    pub fn field<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.kwargs.get(name)?).ok()
    }

    pub(super) fn no_such_method(method: &str) -> Self {
        let message = format!("Endpoint does not support RPC method {method}");
        Self::new("NoSuchMethod", DISPATCHER, message)
    }

    pub(super) fn unsupported_version(version: &str, method: &str) -> Self {
        let message =
            format!("Endpoint does not support RPC version {version}. Attempted method: {method}");
        Self::new("UnsupportedVersion", DISPATCHER, message)
    }

    /// Returns whether a server cannot serve such a call at all.
    pub(super) fn is_unsupported(&self) -> bool {
        self.module == DISPATCHER
            && matches!(self.class.as_str(), "NoSuchMethod" | "UnsupportedVersion")
    }

    /// A request that is none, or arguments that do not fit.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new("TypeError", "builtins", message)
    }

    /// An error that callers are not to see the inside of.
    pub(super) fn internal(method: &str, id: &str) -> Self {
        let message = format!("`{method}` failed, and the log of its server says why (call {id})");
        Self::new("InternalError", OWN, message)
    }

    /// An answer that cannot be sent.
    pub(super) fn no_answer(message: impl Into<String>) -> Self {
        Self::new("NoAnswer", OWN, message)
    }
}
