//! What a request and its answer are on the wire.
//!
//! Names are those of oslo.messaging where it has them, so that a transport that speaks with Python
//! peers carries the same things.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::id::new_id;

/// The ping that every topic answers, by the name of oslo.messaging.
pub(super) const PING: &str = "oslo_rpc_server_ping";

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

impl Request {
    /// Makes the ping that every topic answers.
    pub(super) fn ping() -> Self {
        Self {
            method: PING.to_owned(),
            args: RawArguments::new(),
            namespace: None,
            version: None,
            context: Map::new(),
            id: new_id(),
            timeout_ms: None,
            cast: false,
        }
    }
}

/// What a server answers: exactly one of the three is there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Reply {
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) result: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) failure: Option<Failure>,
    /// A cast is about to be handled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) accepted: bool,
}

/// Reads what is there as it is: `null` is the result of a method that returns nothing, and not no result.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

impl Reply {
    pub(super) fn accepted() -> Self {
        Self {
            accepted: true,
            ..Self::default()
        }
    }

    /// Reads the answer to a ping.
    ///
    /// # Errors
    ///
    /// Returns an error if it cannot be read, or is a failure.
    pub(super) fn of_ping(body: &[u8]) -> anyhow::Result<()> {
        let reply: Self = serde_json::from_slice(body)?;
        anyhow::ensure!(reply.result.is_some(), "a ping was answered with a failure");
        Ok(())
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

    /// A request whose caller waits no longer, as far as its server knows.
    pub(super) fn late() -> Self {
        Self::new("Late", OWN, "the time of the call was over before it began")
    }

    /// Returns whether the call's time was over before it began.
    pub(super) fn is_late(&self) -> bool {
        self.module == OWN && self.class == "Late"
    }

    /// An answer that cannot be sent.
    pub(super) fn no_answer(message: impl Into<String>) -> Self {
        Self::new("NoAnswer", OWN, message)
    }
}

/// What fuzzers and property tests check of the bytes of a request and of an answer.
#[cfg(any(test, fuzzing))]
pub(super) fn check_bytes(bytes: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<Request>(bytes) {
        let written = serde_json::to_vec(&request).expect("what was read can be written");
        let read: Request = serde_json::from_slice(&written).expect("what was written can be read");
        assert_eq!(read.method, request.method);
        assert_eq!(read.context, request.context);
        assert_eq!(read.args.len(), request.args.len());
    }
    if let Ok(reply) = serde_json::from_slice::<Reply>(bytes) {
        let written = serde_json::to_vec(&reply).expect("what was read can be written");
        let read: Reply = serde_json::from_slice(&written).expect("what was written can be read");
        assert_eq!(read.failure, reply.failure);
        assert_eq!(
            (read.result.is_some(), read.accepted),
            (reply.result.is_some(), reply.accepted)
        );
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn null_is_a_result_and_nothing_is_none() {
        let read = |text: &str| serde_json::from_str::<Reply>(text).unwrap();
        let null = read(r#"{"result":null}"#).result.unwrap();
        assert_eq!(null.get(), "null");
        let written = serde_json::to_string(&Reply::result(null)).unwrap();
        assert_eq!(written, r#"{"result":null}"#);
        assert!(read("{}").result.is_none());
    }

    #[test]
    fn a_request_needs_a_method_and_an_id_alone() {
        let request: Request =
            serde_json::from_str(r#"{"method":"build","id":"1","new":[]}"#).unwrap();
        assert!(request.args.is_empty() && request.timeout_ms.is_none() && !request.cast);
        for wrong in [
            "",
            "[]",
            "null",
            "{}",
            r#"{"method":1,"id":"1"}"#,
            r#"{"method":"a","id":"1","args":[]}"#,
        ] {
            assert!(serde_json::from_str::<Request>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_and_texts_of_arguments_stay_as_they_came() {
        let args =
            r#"{"big":1180591620717411303424,"text":"ä\u0000\ud83e\udd80","empty":{},"none":null}"#;
        let text = format!(r#"{{"method":"a","args":{args},"id":"1"}}"#);
        let request: Request = serde_json::from_str(&text).unwrap();
        assert_eq!(request.args["big"].get(), "1180591620717411303424");
        assert_eq!(request.args["text"].get(), r#""ä\u0000\ud83e\udd80""#);
        assert_eq!(
            (request.args["empty"].get(), request.args["none"].get()),
            ("{}", "null")
        );
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(".{0,8}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Objects whose keys are those of a request and an answer, with values of any kind.
    fn envelope() -> impl Strategy<Value = Value> {
        let keys = prop::sample::select(vec![
            "method",
            "args",
            "namespace",
            "version",
            "context",
            "id",
            "timeout_ms",
            "cast",
            "result",
            "failure",
            "accepted",
            "class",
            "unknown",
        ]);
        prop::collection::btree_map(keys.prop_map(str::to_owned), json(), 0..10)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_request_is_read_as_it_was_written(
            method in ".{0,16}", context in prop::collection::btree_map(".{0,8}", json(), 0..4),
            timeout_ms in any::<Option<u64>>(), cast in any::<bool>(), namespace in any::<Option<String>>(),
        ) {
            let request = Request {
                method: method.clone(),
                namespace: namespace.clone(),
                context: context.into_iter().collect(),
                timeout_ms,
                cast,
                ..Request::ping()
            };
            let written = serde_json::to_vec(&request).unwrap();
            let read: Request = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!((read.method, read.namespace), (method, namespace));
            prop_assert_eq!((read.context, read.timeout_ms), (request.context, timeout_ms));
            prop_assert_eq!((read.cast, read.id), (cast, request.id));
        }

        #[test]
        fn a_failure_is_read_as_it_was_written(class in ".{0,16}", message in ".{0,32}", field in json()) {
            let failure = Failure::new(class, "module", message).with("field", &field);
            let written = serde_json::to_vec(&Reply::failed(failure.clone())).unwrap();
            let read: Reply = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!(read.failure, Some(failure.clone()));
            prop_assert_eq!(failure.field::<Value>("field"), Some(field));
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
            check_bytes(&bytes);
        }

        #[test]
        fn no_object_makes_reading_panic(value in envelope()) {
            check_bytes(value.to_string().as_bytes());
        }
    }
}
