//! What operators see of calls: the report, the log and metrics.

use nix::sys::signal::Signal;
use tests::harness::field;

use super::place::Place;
use super::{Caller, get, program};

pub(crate) fn a_report_tells_of_each_method_and_of_what_was_refused(place: &Place) {
    let args = ["--workers", "1", "--set", "rpc.slow_call=1ms"];
    let callee = program(place, "callee").args(args).start();
    callee.ready(1);
    let caller = program(place, "caller").args(["--workers", "1"]).start();
    caller.ready(1);
    let mut caller = Caller::of(&caller);
    caller.ask("who");
    caller.ask("refuse much");
    caller.ask("fail");
    caller.ask("newer");
    caller.ask("slow 5");
    // Any other call may have been slow as well.
    let line = callee.wait_for(r#"topic="callee" method="slow""#);
    assert!(line.contains("slow call: it took "), "{line}");
    caller.say("hang");
    callee.wait_for("hangs");
    callee.signal(Signal::SIGUSR1);
    let row = |method: &str| {
        callee.wait_for(&format!("rpc method={method} topic=callee service=callee "))
    };
    let line = row("fail");
    assert_eq!(
        (field::<u64>(&line, "ended"), field::<u64>(&line, "errors")),
        (1, 1)
    );
    let line = row("hang");
    assert_eq!(
        (
            field::<u64>(&line, "in_flight"),
            field::<u64>(&line, "ended")
        ),
        (1, 0)
    );
    let line = row("refuse");
    assert_eq!(field::<u64>(&line, "expected_errors"), 1, "{line}");
    assert_eq!(field::<u64>(&line, "errors"), 0, "{line}");
    let line = row("slow");
    assert_eq!(field::<u64>(&line, "in_flight"), 0, "{line}");
    assert!(line.contains("slowest="), "{line}");
    row("who");
    let line = callee.wait_for("rpc_refused topic=callee");
    assert_eq!(field::<u64>(&line, "requests"), 1, "{line}");
}

pub(crate) fn calls_are_metrics_by_topic_method_and_outcome(place: &Place) {
    let args = ["--workers", "1", "--set", "front.metrics=true"];
    let front = program(place, "front").args(args).start();
    let address = super::address_of(&front);
    front.ready(1);
    let caller = program(place, "caller").args(["--workers", "1"]).start();
    caller.ready(1);
    let mut caller = Caller::of(&caller);
    for order in ["who", "who", "refuse much", "newer"] {
        caller.ask(order);
    }
    // An answer is sent after its call was counted; a refusal is counted before it is sent.
    let (_, text) = get(&address, "/metrics");
    for sample in [
        r#"rpc_server_calls_total{topic="callee",method="who",outcome="value"} 2"#,
        r#"rpc_server_calls_total{topic="callee",method="refuse",outcome="expected_error"} 1"#,
        r#"rpc_server_refused_total{topic="callee",why="unsupported"} 1"#,
        r#"rpc_server_active_calls{topic="callee",method="who"} 0"#,
        r#"rpc_server_duration_seconds_count{topic="callee",method="who"} 2"#,
    ] {
        assert!(has_sample(&text, sample), "no {sample} in\n{text}");
    }
}

/// Whether a sample is there, whatever the order of its labels.
fn has_sample(text: &str, sample: &str) -> bool {
    let parts = |line: &str| {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.split_once("} ")?;
        let mut labels: Vec<_> = labels.split(',').map(str::to_owned).collect();
        labels.sort();
        Some((name.to_owned(), labels, value.parse::<f64>().ok()?))
    };
    let wanted = parts(sample);
    text.lines().any(|line| parts(line) == wanted)
}
