//! What is read, what begins anew, and that nothing that is sent does harm.

use proptest::prelude::*;

use super::TraceContext;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn given_on(traceparent: &str) -> Option<String> {
    TraceContext::parse(traceparent, None).map(|trace| trace.traceparent())
}

#[test]
fn what_is_right_is_given_on_with_its_unknown_flags() {
    for flags in ["00", "01", "ff", "a0"] {
        let parent = format!("00-{TRACE}-{SPAN}-{flags}");
        assert_eq!(given_on(&parent).unwrap(), parent);
    }
    let trace = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-a1"), None).unwrap();
    assert!(trace.is_sampled());
    let child = trace.child().with_sampled(false);
    assert!(!child.is_sampled());
    assert_eq!(child.trace_id(), TRACE);
    assert_eq!(child.parent_span_id().unwrap(), SPAN);
    assert_ne!(child.span_id(), SPAN);
    assert!(child.traceparent().ends_with("-a0"), "{child:?}");
}

#[test]
fn a_later_version_is_read_as_far_as_this_one_goes() {
    for more in ["", "-", "-what-comes-later"] {
        let parent = format!("01-{TRACE}-{SPAN}-01{more}");
        assert_eq!(given_on(&parent).unwrap(), format!("00-{TRACE}-{SPAN}-01"));
    }
}

#[test]
fn what_is_broken_begins_a_new_trace() {
    let zeros = "0".repeat(32);
    for broken in [
        String::new(),
        "nonsense".to_owned(),
        format!("ff-{TRACE}-{SPAN}-01"),
        format!("00-{TRACE}-{SPAN}-01-more"),
        format!("00-{TRACE}-{SPAN}-1"),
        format!("00-{TRACE}-{SPAN}"),
        format!("00-{zeros}-{SPAN}-01"),
        format!("00-{TRACE}-{}-01", &zeros[..16]),
        format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        format!("00-{}-{SPAN}-01", &TRACE[1..]),
        format!("00-{TRACE}-{SPAN}g-01"),
        format!("01-{TRACE}-{SPAN}-01x"),
        format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"),
        format!("00-ä{}-{SPAN}-01", &TRACE[2..]),
    ] {
        assert_eq!(given_on(&broken), None, "{broken}");
    }
}

#[test]
fn a_state_is_given_on_whole_or_not_at_all() {
    let state = |text: &str| {
        let trace = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-01"), Some(text)).unwrap();
        trace.tracestate().map(str::to_owned)
    };
    assert_eq!(state("a=1, b@c=x y ,,").unwrap(), "a=1,b@c=x y");
    let many = |count: usize| {
        let members: Vec<_> = (0..count).map(|number| format!("k{number}=v")).collect();
        members.join(",")
    };
    assert!(state(&many(32)).is_some());
    for broken in [
        "", "a", "A=1", "a=1,a=2", "a=", "=1", "a=b=c", "1a=x", "a=\u{e4}", "a@1b=x",
    ] {
        assert_eq!(state(broken), None, "{broken}");
    }
    assert_eq!(state(&many(33)), None);
    assert_eq!(state(&format!("a={}", "x".repeat(257))), None);
}

#[test]
fn the_ratio_chooses_by_the_id_of_the_trace() {
    let all: Vec<_> = (0..4000).map(|_| TraceContext::new(false)).collect();
    let within = |ratio| all.iter().filter(|trace| trace.is_within(ratio)).count();
    assert_eq!((within(0.0), within(1.0)), (0, all.len()));
    assert!((600..1400).contains(&within(0.25)), "{}", within(0.25));
    assert!(
        all.iter()
            .all(|trace| trace.is_within(0.5) == trace.child().is_within(0.5))
    );
}

#[tokio::test]
async fn a_task_works_for_a_trace_while_it_is_told_so() {
    assert_eq!(TraceContext::current(), None);
    let trace = TraceContext::new(true);
    let inside = trace.clone().within(async { TraceContext::current() });
    assert_eq!(inside.await.unwrap(), trace);
    assert_eq!(trace.in_scope(TraceContext::current).unwrap(), trace);
    assert_eq!(TraceContext::current(), None);
    let headers: Vec<_> = trace.headers().collect();
    assert_eq!(headers, [("traceparent", trace.traceparent())]);
}

/// Nearly a `traceparent`, or anything.
fn header() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
        "[0-9a-fA-F]{1,3}-[0-9a-fg]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}(-.{0,5})?",
        ".{0,70}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(27),
        failure_persistence: None,
        cases: 2000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_read_is_given_on_and_read_again_as_the_same(parent in header(), state in ".{0,40}") {
        if let Some(trace) = TraceContext::parse(&parent, Some(&state)) {
            let written = trace.traceparent();
            prop_assert_eq!(written.len(), 55);
            let again = TraceContext::parse(&written, trace.tracestate()).unwrap();
            prop_assert_eq!(again, trace);
        }
    }

    #[test]
    fn every_traceparent_of_this_version_is_read(
        trace in any::<[u8; 16]>(), span in any::<[u8; 8]>(), flags: u8,
    ) {
        prop_assume!(trace != [0; 16] && span != [0; 8]);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let parent = format!("00-{}-{}-{flags:02x}", hex(&trace), hex(&span));
        prop_assert_eq!(given_on(&parent), Some(parent));
    }
}
