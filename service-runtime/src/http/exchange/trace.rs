//! The trace of a request: the client's, if it is one, or a new one.

use axum::http::HeaderMap;

use super::forwarded::Proxies;
use crate::listen::Peer;
use crate::trace::{LateTrace, Sampling, TRACEPARENT, TRACESTATE, TraceContext};

/// Returns the step of a trace that a request is.
///
/// Whether the trace is recorded is believed from a trusted proxy; otherwise the ratio decides, because a
/// stranger could have everything recorded.
pub(super) fn of_request(
    proxies: &Proxies,
    peer: &Peer,
    headers: &HeaderMap,
    ratio: f64,
) -> LateTrace {
    let mut parents = headers.get_all(TRACEPARENT).iter();
    // Of two nobody knows which one is meant.
    let parent = match (parents.next(), parents.next()) {
        (Some(parent), None) => parent.to_str().ok(),
        _ => None,
    };
    let parent = parent.and_then(|parent| {
        let states = headers.get_all(TRACESTATE).iter();
        let states: Result<Vec<_>, _> = states.map(|state| state.to_str()).collect();
        let state = states.ok().map(|states| states.join(","));
        TraceContext::parse(parent, state.as_deref())
    });
    let sampling = match &parent {
        Some(_) if proxies.are_trusted(peer) => Sampling::Believed,
        _ => Sampling::Ratio(ratio),
    };
    LateTrace::new(parent, sampling)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::config::ForwardedHeader;
    use crate::trace::HasTrace;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn trace(peer: &str, parents: &[&str], ratio: f64) -> TraceContext {
        let trusted = ["10.0.0.0/8".to_owned()];
        let proxies = Proxies::new(&trusted, ForwardedHeader::XForwardedFor);
        let mut headers = HeaderMap::new();
        for parent in parents {
            headers.append(TRACEPARENT, parent.parse().unwrap());
        }
        headers.append(TRACESTATE, "a=1".parse().unwrap());
        headers.append(TRACESTATE, "b=2".parse().unwrap());
        let peer = Peer::Tcp(format!("{peer}:1").parse().unwrap());
        of_request(&proxies, &peer, &headers, ratio).trace().clone()
    }

    #[test]
    fn a_trace_goes_on_and_only_a_trusted_proxy_says_whether_it_is_recorded() {
        for (peer, ratio, sampled) in [
            ("10.0.0.1", 0.0, true),
            ("192.0.2.1", 0.0, false),
            ("192.0.2.1", 1.0, true),
        ] {
            let trace = trace(peer, &[PARENT], ratio);
            assert_eq!(trace.trace_id(), PARENT[3..35]);
            assert_eq!(trace.parent_span_id().unwrap(), PARENT[36..52]);
            assert_eq!(trace.tracestate(), Some("a=1,b=2"));
            assert_eq!(trace.is_sampled(), sampled, "{peer} {ratio}");
        }
    }

    #[test]
    fn none_a_broken_one_and_two_begin_a_new_trace() {
        for parents in [&[][..], &["nonsense"], &[PARENT, PARENT]] {
            let trace = trace("10.0.0.1", parents, 0.0);
            assert_ne!(trace.trace_id(), PARENT[3..35]);
            assert_eq!(trace.parent_span_id(), None);
            assert!(!trace.is_sampled());
        }
    }
}
