//! Metrics of the requests of HTTP, by the names of OpenTelemetry's conventions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use ::metrics::HistogramFn;

use super::handle::{Buckets, Cell};
use super::layout::Kind;
use super::own;
use super::recorder;
use super::registry::Registry;

/// The classes of answers; the first is none.
const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The methods that are told apart.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
];

/// What the requests of one service count with.
#[derive(Default)]
pub(crate) struct HttpMetrics(Option<Counted>);

struct Counted {
    /// Told apart from every other of the process by this number.
    number: u64,
    registry: &'static Registry,
    service: String,
    active: Option<Cell>,
    connections: Option<Cell>,
    routes: RwLock<Routes>,
}

/// By the route's template, which is empty for none, the method and the class of the answer.
type Routes = HashMap<String, HashMap<(&'static str, usize), Ended>>;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// How many kinds of requests a thread keeps at hand.
const RECENT: usize = 8;

thread_local! {
    /// What requests of late have counted with: found without a lock and a hash.
    static RECENTLY: RefCell<[Option<Recent>; RECENT]> = const { RefCell::new([const { None }; RECENT]) };
}

struct Recent {
    number: u64,
    route: String,
    method: &'static str,
    class: usize,
    ended: Ended,
}

#[derive(Clone, Default)]
struct Ended {
    requests: Option<Cell>,
    seconds: Option<Buckets>,
}

/// A request, as it is counted at its end.
pub(crate) struct EndedRequest<'a> {
    pub(crate) method: &'a str,
    /// The template of its route, if it has one.
    pub(crate) route: Option<&'a str>,
    /// The status of its answer, if it got one.
    pub(crate) status: Option<u16>,
    pub(crate) took: Duration,
}

/// Returns the name under which requests of a method count.
fn method_label(method: &str) -> &'static str {
    let known = METHODS.iter().find(|known| **known == method);
    known.copied().unwrap_or("other")
}

impl HttpMetrics {
    /// Returns what the requests of a service count with, if this process counts.
    pub(crate) fn of(service: &str) -> Self {
        Self(recorder::own().map(|registry| {
            let gauge = |name| registry.own(Kind::Gauge, name, &[("service", service)]);
            Counted {
                number: NEXT.fetch_add(1, Relaxed),
                registry,
                service: service.to_owned(),
                active: gauge("http_server_active_requests"),
                connections: gauge("http_server_open_connections"),
                routes: RwLock::default(),
            }
        }))
    }

    /// Counts a request that has begun.
    pub(crate) fn begin(&self) {
        if let Some(active) = self.0.as_ref().and_then(|counted| counted.active.as_ref()) {
            active.add(1.0);
        }
    }

    /// Counts its end.
    pub(crate) fn end(&self, request: &EndedRequest<'_>) {
        let Some(counted) = &self.0 else { return };
        if let Some(active) = &counted.active {
            active.add(-1.0);
        }
        let class = usize::from(request.status.unwrap_or(0) / 100).min(CLASSES.len() - 1);
        let (route, method) = (request.route.unwrap_or(""), method_label(request.method));
        // As different as their lengths: a few routes are what a service has.
        let place = (route.len() + method.len() + class) % RECENT;
        let _ = RECENTLY.try_with(|recently| {
            let recent = &mut recently.borrow_mut()[place];
            let known = recent.as_ref().filter(|it| {
                let same = (it.number, it.method, it.class) == (counted.number, method, class);
                same && it.route == route
            });
            if known.is_none() {
                *recent = Some(Recent {
                    number: counted.number,
                    route: route.to_owned(),
                    method,
                    class,
                    ended: counted.ended(route, method, class),
                });
            }
            if let Some(recent) = recent {
                recent.ended.count(request.took);
            }
        });
    }

    /// Counts connections that were opened, or closed if it is negative.
    pub(crate) fn connections(&self, more: f64) {
        let connections = self.0.as_ref().and_then(|it| it.connections.as_ref());
        if let Some(connections) = connections {
            connections.add(more);
        }
    }

    /// Counts a request that was refused, and because of which key.
    pub(crate) fn refused(&self, limit: &str) {
        if let Some(counted) = &self.0 {
            let labels = [("service", &*counted.service), ("limit", limit)];
            let name = "http_server_refused_requests_total";
            counted.registry.count(name, &labels, 1);
        }
    }
}

impl Ended {
    fn count(&self, took: Duration) {
        if let Some(requests) = &self.requests {
            requests.increment(1);
        }
        if let Some(seconds) = &self.seconds {
            seconds.record(took.as_secs_f64());
        }
    }
}

impl Counted {
    fn ended(&self, route: &str, method: &'static str, class: usize) -> Ended {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = routes.get(route).and_then(|it| it.get(&(method, class))) {
            return ended.clone();
        }
        drop(routes);
        let mut labels = vec![
            ("service", &*self.service),
            ("method", method),
            ("class", CLASSES[class]),
        ];
        if !route.is_empty() {
            labels.push(("route", route));
        }
        let seconds = "http_server_request_duration_seconds";
        if let Some(own) = own::find(seconds) {
            self.registry.describe(seconds, own.help);
        }
        let histogram = self.registry.histogram(seconds, &labels);
        let requests = "http_server_requests_total";
        let ended = Ended {
            requests: self.registry.own(Kind::Counter, requests, &labels),
            seconds: histogram.map(|found| found.handle),
        };
        // Templates are written by the author, so there are not many.
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let known = routes.entry(route.to_owned()).or_default();
        known.insert((method, class), ended.clone());
        ended
    }
}
