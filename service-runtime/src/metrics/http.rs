//! Metrics of the requests of HTTP, by the names of OpenTelemetry's conventions.

use std::sync::OnceLock;
use std::time::Duration;

use ::metrics::HistogramFn;

use super::handle::{Buckets, Cell};
use super::layout::Kind;
use super::recorder::own;
use super::registry::Registry;

/// The classes of answers; the first is none.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// What requests of HTTP count with.
struct HttpMetrics {
    active: Option<Cell>,
    by_class: [(Option<Cell>, Option<Buckets>); CLASSES.len()],
}

static HTTP: OnceLock<Option<HttpMetrics>> = OnceLock::new();

impl HttpMetrics {
    fn new(registry: &Registry) -> Self {
        let (active, requests) = ("http_server_active_requests", "http_server_requests_total");
        let seconds = "http_server_request_duration_seconds";
        registry.describe(active, "Requests that are being answered.");
        registry.describe(
            requests,
            "Requests that have ended, by the class of the answer.",
        );
        registry.describe(
            seconds,
            "How long requests took, by the class of the answer.",
        );
        let cell = |kind, name, labels: &[_]| Some(registry.cell(kind, name, labels)?.handle);
        Self {
            active: cell(Kind::Gauge, active, &[]),
            by_class: CLASSES.map(|class| {
                let labels = [("class", class)];
                let histogram = registry.histogram(seconds, &labels);
                (
                    cell(Kind::Counter, requests, &labels),
                    histogram.map(|found| found.handle),
                )
            }),
        }
    }

    /// Returns what this process counts with, if it counts.
    fn own() -> Option<&'static Self> {
        HTTP.get_or_init(|| own().map(Self::new)).as_ref()
    }
}

/// Counts a request that has begun.
pub(super) fn begin() {
    if let Some(active) = HttpMetrics::own().and_then(|http| http.active.as_ref()) {
        active.add(1.0);
    }
}

/// Counts its end: with the status of its answer, or with none.
pub(super) fn end(status: Option<u16>, took: Duration) {
    let Some(http) = HttpMetrics::own() else {
        return;
    };
    if let Some(active) = &http.active {
        active.add(-1.0);
    }
    let class = usize::from(status.unwrap_or(0) / 100).min(CLASSES.len() - 1);
    let (count, seconds) = &http.by_class[class];
    if let Some(count) = count {
        count.increment(1);
    }
    if let Some(seconds) = seconds {
        seconds.record(took.as_secs_f64());
    }
}
