//! The metrics of calls, by the names of OpenTelemetry's conventions; nothing without the feature.

#[cfg(feature = "metrics")]
use ::metrics::{Counter, Gauge, Histogram, SharedString};
use std::time::Duration;

/// What the calls of a method count with.
pub(super) struct Meters {
    #[cfg(feature = "metrics")]
    active: Gauge,
    #[cfg(feature = "metrics")]
    labels: [(&'static str, SharedString); 2],
}

/// What refused requests count with.
#[derive(Debug)]
pub(super) struct RefusalMeter {
    #[cfg(feature = "metrics")]
    topic: SharedString,
}

#[cfg(feature = "metrics")]
impl Meters {
    pub(super) fn new(topic: &str, method: &'static str) -> Self {
        describe();
        let labels = [
            ("topic", SharedString::from(topic.to_owned())),
            ("method", SharedString::const_str(method)),
        ];
        let active = ::metrics::gauge!("rpc_server_active_calls", &labels);
        Self { active, labels }
    }

    pub(super) fn begin(&self) {
        self.active.increment(1.0);
    }

    pub(super) fn end(&self, outcome: &'static str, took: Duration) {
        self.active.decrement(1.0);
        let [topic, method] = self.labels.clone();
        let labels = [topic, method, ("outcome", SharedString::const_str(outcome))];
        let count: Counter = ::metrics::counter!("rpc_server_calls_total", &labels);
        count.increment(1);
        let seconds: Histogram = ::metrics::histogram!("rpc_server_duration_seconds", &self.labels);
        seconds.record(took.as_secs_f64());
    }
}

#[cfg(feature = "metrics")]
fn describe() {
    ::metrics::describe_gauge!("rpc_server_active_calls", "Calls that are being handled.");
    ::metrics::describe_counter!(
        "rpc_server_calls_total",
        "Calls that have ended, by how they ended."
    );
    ::metrics::describe_histogram!("rpc_server_duration_seconds", "How long calls took.");
    ::metrics::describe_counter!(
        "rpc_server_refused_total",
        "Requests that were not handled, by why."
    );
}

#[cfg(feature = "metrics")]
impl RefusalMeter {
    pub(super) fn new(topic: &str) -> Self {
        let topic = SharedString::from(topic.to_owned());
        Self { topic }
    }

    pub(super) fn count(&self, why: &'static str) {
        let labels = [
            ("topic", self.topic.clone()),
            ("why", SharedString::const_str(why)),
        ];
        ::metrics::counter!("rpc_server_refused_total", &labels).increment(1);
    }
}

#[cfg(not(feature = "metrics"))]
impl Meters {
    pub(super) fn new(_: &str, _: &'static str) -> Self {
        Self {}
    }

    pub(super) fn begin(&self) {}

    pub(super) fn end(&self, _: &'static str, _: Duration) {}
}

#[cfg(not(feature = "metrics"))]
impl RefusalMeter {
    pub(super) fn new(_: &str) -> Self {
        Self {}
    }

    pub(super) fn count(&self, _: &'static str) {}
}

impl std::fmt::Debug for Meters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
    }
}
