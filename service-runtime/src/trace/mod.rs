//! The trace that a request belongs to, by the W3C's Trace Context: `traceparent` and `tracestate`.
//!
//! HTTP and calls of services take it from their clients and give it on; what is logged meanwhile has its
//! id. An exporter is not needed for any of that.
//!
//! Anybody can send anything: what is broken begins a new trace, and is never a reason to refuse a request.

mod id;
#[cfg(feature = "http")]
mod late;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use self::id::{Hex, random};
#[cfg(feature = "http")]
pub(crate) use self::late::{LateTrace, Sampling};

/// The header of the trace and its parent.
pub const TRACEPARENT: &str = "traceparent";
/// The header of what the vendors of tracing systems add.
pub const TRACESTATE: &str = "tracestate";

/// The flag of a trace that is recorded.
const SAMPLED: u8 = 1;

tokio::task_local! {
    /// The trace that the current task works for.
    static CURRENT: Arc<dyn HasTrace>;
}

/// What belongs to a trace, and may find out which when it is first asked.
pub(crate) trait HasTrace: Send + Sync {
    fn trace(&self) -> &TraceContext;
}

impl HasTrace for TraceContext {
    fn trace(&self) -> &TraceContext {
        self
    }
}

/// Runs a function for the trace of something.
#[cfg(feature = "http")]
pub(crate) fn in_scope_of<T>(what: Arc<dyn HasTrace>, run: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(what, run)
}

/// A place in a trace: which trace, which step of it, and whether it is recorded.
///
/// # Examples
///
/// What is sent to another service carries the headers of the request that is being answered:
///
/// ```
/// use service_runtime::trace::TraceContext;
///
/// let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let trace = TraceContext::parse(parent, None).unwrap().child();
/// assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// for (name, value) in trace.headers() {
///     println!("{name}: {value}");
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: [u8; 16],
    span: [u8; 8],
    parent: Option<[u8; 8]>,
    flags: u8,
    state: Option<Arc<str>>,
}

impl TraceContext {
    /// Begins a new trace.
    #[must_use]
    pub fn new(sampled: bool) -> Self {
        Self {
            trace: random(),
            span: random(),
            parent: None,
            flags: u8::from(sampled),
            state: None,
        }
    }

    /// Reads what a client has sent; `None` if it is broken, so that a new trace has to begin.
    ///
    /// A `tracestate` that is broken is left out, and the trace goes on without it.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let (trace, span, flags) = parse::traceparent(traceparent)?;
        let state = tracestate.and_then(parse::tracestate);
        Some(Self {
            trace,
            span,
            parent: None,
            flags,
            state: state.map(Into::into),
        })
    }

    /// Returns the trace that the current task works for, if it is one of a request or a call.
    ///
    /// A task that a handler spawns has none, unless it is handed over by [`within`](Self::within).
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|it| it.trace().clone()).ok()
    }

    /// Returns the next step of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span: random(),
            parent: Some(self.span),
            ..self.clone()
        }
    }

    /// Says whether the trace is recorded; other flags stay as they came.
    #[must_use]
    pub fn with_sampled(mut self, sampled: bool) -> Self {
        self.flags = self.flags & !SAMPLED | u8::from(sampled);
        self
    }

    /// Returns whether the trace is one of those that are recorded at this ratio.
    ///
    /// The trace's id decides, so that all services with the same ratio choose the same traces.
    #[must_use]
    pub fn is_within(&self, ratio: f64) -> bool {
        let [.., a, b, c, d, e, f, g, h] = self.trace;
        // As many bits as a number of this type has.
        let place = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11;
        (place as f64) < ratio * (1_u64 << 53) as f64
    }

    /// Returns whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Returns the id of the trace: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        Hex(&self.trace).to_string()
    }

    /// Returns the id of this step: 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> String {
        Hex(&self.span).to_string()
    }

    /// Returns the id of the step before, if it is known.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<String> {
        self.parent.map(|parent| Hex(&parent).to_string())
    }

    /// Returns the value of the header `traceparent` for what is sent on.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let (trace, span, flags) = (Hex(&self.trace), Hex(&self.span), self.flags);
        format!("00-{trace}-{span}-{flags:02x}")
    }

    /// Returns the value of the header `tracestate` for what is sent on.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Returns the headers for what is sent on, with any client of HTTP.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let state = self.state.as_deref().map(str::to_owned);
        let parent = (TRACEPARENT, self.traceparent());
        [parent]
            .into_iter()
            .chain(state.map(|state| (TRACESTATE, state)))
    }

    /// Runs a future for this trace: [`current`](Self::current) returns it there.
    pub async fn within<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(Arc::new(self), future).await
    }

    /// Runs a function for this trace.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Arc::new(self.clone()), run)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceContext")
            .field(&self.traceparent())
            .finish()
    }
}
