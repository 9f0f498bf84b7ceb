//! A trace that begins when somebody first asks for it.

use std::sync::OnceLock;

use super::{HasTrace, TraceContext};

/// The trace of a request: most are never asked for theirs, and ids cost random bytes.
#[derive(Debug)]
pub(crate) struct LateTrace {
    parent: Option<TraceContext>,
    sampling: Sampling,
    made: OnceLock<TraceContext>,
}

/// Who says whether a trace is recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sampling {
    /// The parent.
    Believed,
    /// The ratio of all traces that are.
    Ratio(f64),
}

impl LateTrace {
    /// Goes on with the trace of a parent, or will begin a new one.
    pub(crate) fn new(parent: Option<TraceContext>, sampling: Sampling) -> Self {
        let made = OnceLock::new();
        Self {
            parent,
            sampling,
            made,
        }
    }
}

impl HasTrace for LateTrace {
    fn trace(&self) -> &TraceContext {
        self.made.get_or_init(|| {
            let parent = self.parent.as_ref();
            let trace = parent.map_or_else(|| TraceContext::new(false), TraceContext::child);
            match self.sampling {
                Sampling::Believed => trace,
                Sampling::Ratio(ratio) => {
                    let is_sampled = trace.is_within(ratio);
                    trace.with_sampled(is_sampled)
                }
            }
        })
    }
}
