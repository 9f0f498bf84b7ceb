//! The trace that a call belongs to, which goes along in its context.

use serde_json::{Map, Value};

use crate::trace::{TRACEPARENT, TRACESTATE, TraceContext};

/// Gives on the trace that the current task works for, if it is one of a request or a call.
pub(super) fn add_to(context: &mut Map<String, Value>) {
    if let Some(trace) = TraceContext::current() {
        context.remove(TRACESTATE);
        let headers = trace.headers();
        context.extend(headers.map(|(name, value)| (name.to_owned(), value.into())));
    }
}

/// Returns the step of a trace that a call is: its caller's trace goes on, or a new one begins.
///
/// A caller is a program of the same user, and believed.
pub(super) fn of_call(context: &Map<String, Value>) -> TraceContext {
    let text = |name| context.get(name).and_then(Value::as_str);
    let parent = text(TRACEPARENT);
    let parent = parent.and_then(|parent| TraceContext::parse(parent, text(TRACESTATE)));
    parent.map_or_else(|| TraceContext::new(false), |parent| parent.child())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_along_and_a_broken_one_begins_anew() {
        let state = Some("a=1");
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = TraceContext::parse(parent, state).unwrap();
        let mut context = Map::new();
        trace.in_scope(|| add_to(&mut context));
        let call = of_call(&context);
        assert_eq!(call.trace_id(), trace.trace_id());
        assert_eq!(call.parent_span_id(), Some(trace.span_id()));
        assert_eq!(call.tracestate(), state);
        assert!(call.is_sampled());
        context.insert(TRACEPARENT.to_owned(), "nonsense".into());
        assert_ne!(of_call(&context).trace_id(), trace.trace_id());
    }

    #[test]
    fn without_a_trace_nothing_is_added() {
        let mut context = Map::new();
        add_to(&mut context);
        assert!(context.is_empty());
    }
}
