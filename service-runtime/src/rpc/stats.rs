//! What is counted of calls: in flight, ended by kind, refused, and how long they took.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::meters::{Meters, RefusalMeter};
use super::method::Method;
use crate::service::Context;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Value,
    /// With the method's own error.
    Expected,
    /// With any other error.
    Failed,
}

/// Why a request was not handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is larger than the limit.
    TooLarge,
    /// It is no request.
    Unreadable,
    /// There is no such method, or not in this version.
    Unsupported,
    /// Its arguments are not those of the method.
    Arguments,
    /// Its caller waits no longer.
    Late,
}

/// What is counted of the topics of a service.
#[derive(Debug, Default)]
pub(super) struct Stats(Mutex<BTreeMap<String, Arc<TopicStats>>>);

/// What is counted of a topic.
#[derive(Debug)]
pub(super) struct TopicStats {
    methods: BTreeMap<&'static str, MethodStats>,
    refused: AtomicU64,
    refusals: RefusalMeter,
}

#[derive(Debug)]
struct MethodStats {
    in_flight: AtomicU64,
    ended: AtomicU64,
    expected: AtomicU64,
    failed: AtomicU64,
    micros: AtomicU64,
    slowest_micros: AtomicU64,
    meters: Meters,
}

/// A call that has begun.
pub(super) struct Counted<'a>(Option<&'a MethodStats>);

/// What there is to report of a method, or of a topic as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MethodReport {
    pub(crate) topic: String,
    pub(crate) method: &'static str,
    pub(crate) in_flight: u64,
    pub(crate) ended: u64,
    /// How many ended with the method's own error.
    pub(crate) expected_errors: u64,
    pub(crate) errors: u64,
    pub(crate) mean: Duration,
    pub(crate) slowest: Duration,
}

/// Returns what there is to report of the methods of a service that were called, and how many requests were
/// refused, by topic.
pub(crate) fn report(cx: &Context) -> (Vec<MethodReport>, Vec<(String, u64)>) {
    let stats = Stats::of(cx);
    let topics = stats.0.lock().unwrap_or_else(PoisonError::into_inner);
    let methods = topics.iter().flat_map(|(topic, stats)| {
        let methods = stats.methods.iter();
        methods.filter_map(|(method, stats)| stats.report(topic, method))
    });
    let refused = topics.iter();
    let refused =
        refused.map(|(topic, stats)| (topic.clone(), stats.refused.load(Ordering::Relaxed)));
    (
        methods.collect(),
        refused.filter(|(_, count)| *count > 0).collect(),
    )
}

impl Stats {
    /// Returns what is counted of a service.
    pub(super) fn of(cx: &Context) -> Arc<Self> {
        match cx.extension(|| Ok::<_, Infallible>(Self::default())) {
            Ok(stats) => stats,
            Err(never) => match never {},
        }
    }

    /// Begins to count a topic, or goes on.
    pub(super) fn topic(&self, topic: &str, methods: &[Method]) -> Arc<TopicStats> {
        let mut topics = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(TopicStats::new(topic, methods));
        Arc::clone(topics.entry(topic.to_owned()).or_insert_with(made))
    }
}

impl TopicStats {
    fn new(topic: &str, methods: &[Method]) -> Self {
        let methods = methods.iter().map(Method::name);
        let methods = methods.map(|name| (name, MethodStats::new(Meters::new(topic, name))));
        Self {
            methods: methods.collect(),
            refused: AtomicU64::new(0),
            refusals: RefusalMeter::new(topic),
        }
    }

    /// Counts a call that begins.
    pub(super) fn begin(&self, method: &str) -> Counted<'_> {
        let stats = self.methods.get(method);
        if let Some(stats) = stats {
            stats.in_flight.fetch_add(1, Ordering::Relaxed);
            stats.meters.begin();
        }
        Counted(stats)
    }

    /// Returns what there is to report of a method, if it was called.
    #[cfg(feature = "nats")]
    pub(super) fn of_method(&self, topic: &str, method: &'static str) -> Option<MethodReport> {
        self.methods.get(method)?.report(topic, method)
    }

    /// Counts a request that is not handled.
    pub(super) fn refused(&self, refusal: Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.refusals.count(refusal.name());
    }
}

impl MethodStats {
    fn new(meters: Meters) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            in_flight: zero(),
            ended: zero(),
            expected: zero(),
            failed: zero(),
            micros: zero(),
            slowest_micros: zero(),
            meters,
        }
    }

    /// Returns what there is to report, if it was called.
    fn report(&self, topic: &str, method: &'static str) -> Option<MethodReport> {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (in_flight, ended) = (of(&self.in_flight), of(&self.ended));
        (in_flight + ended > 0).then(|| MethodReport {
            topic: topic.to_owned(),
            method,
            in_flight,
            ended,
            expected_errors: of(&self.expected),
            errors: of(&self.failed),
            mean: Duration::from_micros(of(&self.micros) / ended.max(1)),
            slowest: Duration::from_micros(of(&self.slowest_micros)),
        })
    }
}

impl Counted<'_> {
    /// Counts its end. A call that is dropped has ended too, as a failed one.
    pub(super) fn end(mut self, end: End, took: Duration) {
        self.ended(end, took);
    }

    fn ended(&mut self, end: End, took: Duration) {
        let Some(stats) = self.0.take() else {
            return;
        };
        stats.in_flight.fetch_sub(1, Ordering::Relaxed);
        stats.ended.fetch_add(1, Ordering::Relaxed);
        match end {
            End::Value => {}
            End::Expected => drop(stats.expected.fetch_add(1, Ordering::Relaxed)),
            End::Failed => drop(stats.failed.fetch_add(1, Ordering::Relaxed)),
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        stats.micros.fetch_add(micros, Ordering::Relaxed);
        stats.slowest_micros.fetch_max(micros, Ordering::Relaxed);
        stats.meters.end(end.name(), took);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.ended(End::Failed, Duration::ZERO);
    }
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Expected => "expected_error",
            Self::Failed => "error",
        }
    }
}

impl Refusal {
    fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::Arguments => "arguments",
            Self::Late => "late",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats() -> TopicStats {
        let method = Method::new("build", |_| Ok(()), |_, ()| async { anyhow::Ok(()) });
        TopicStats::new("compute", &[method])
    }

    #[test]
    fn calls_are_counted_by_how_they_end() {
        let stats = stats();
        assert_eq!(stats.methods["build"].report("compute", "build"), None);
        let running = stats.begin("build");
        for (end, millis) in [(End::Value, 1), (End::Expected, 2), (End::Failed, 6)] {
            stats.begin("build").end(end, Duration::from_millis(millis));
        }
        let report = stats.methods["build"].report("compute", "build").unwrap();
        assert_eq!((report.in_flight, report.ended), (1, 3));
        assert_eq!((report.expected_errors, report.errors), (1, 1));
        assert_eq!(report.mean, Duration::from_millis(3));
        assert_eq!(report.slowest, Duration::from_millis(6));
        // One whose task is dropped does not stay in flight.
        drop(running);
        let report = stats.methods["build"].report("compute", "build").unwrap();
        assert_eq!((report.in_flight, report.errors), (0, 2));
    }

    #[test]
    fn an_unknown_method_adds_no_row() {
        let stats = stats();
        stats.begin("unknown").end(End::Value, Duration::ZERO);
        stats.refused(Refusal::Unsupported);
        assert_eq!(stats.methods.len(), 1);
        assert_eq!(stats.refused.load(Ordering::Relaxed), 1);
    }
}
