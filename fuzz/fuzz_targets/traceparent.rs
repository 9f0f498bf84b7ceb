//! The headers of a trace.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service_runtime::trace::TraceContext;

fuzz_target!(|headers: (&str, &str)| {
    let (parent, state) = headers;
    if let Some(trace) = TraceContext::parse(parent, Some(state)) {
        let written = trace.traceparent();
        assert_eq!(TraceContext::parse(&written, trace.tracestate()), Some(trace));
    }
});
