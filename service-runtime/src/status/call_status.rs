//! The calls that the services of a process have handled.

use super::row::Row;
use crate::rpc::{MethodReport, report};
use crate::service::Context;

/// The methods that were called, and the requests that were refused, of the services of a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallStatus {
    methods: Vec<(String, MethodReport)>,
    /// How many requests were refused, by service and topic.
    refused: Vec<(String, String, u64)>,
}

impl CallStatus {
    /// Adds what there is to tell of a service.
    pub(crate) fn add(&mut self, cx: &Context) {
        let (methods, refused) = report(cx);
        let service = || cx.name().to_owned();
        let methods = methods.into_iter().map(|method| (service(), method));
        self.methods.extend(methods);
        let refused = refused
            .into_iter()
            .map(|(topic, count)| (service(), topic, count));
        self.refused.extend(refused);
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row> {
        let methods = self.methods.iter().map(|(service, method)| {
            Row::of_many("rpc", "rpc_methods")
                .with("method", method.method)
                .with("topic", method.topic.as_str())
                .with("service", service.as_str())
                .with("in_flight", method.in_flight)
                .with("ended", method.ended)
                .with("expected_errors", method.expected_errors)
                .with("errors", method.errors)
                .with("mean", method.mean)
                .with("slowest", method.slowest)
        });
        let refused = self.refused.iter().map(|(service, topic, count)| {
            Row::of_many("rpc_refused", "rpc_refusals")
                .with("topic", topic.as_str())
                .with("service", service.as_str())
                .with("requests", *count)
        });
        methods.chain(refused)
    }
}
