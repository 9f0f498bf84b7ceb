//! Formats of the access log, and what clients send into its lines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service_runtime::http::fuzzing::access_log;

fuzz_target!(|input: (&str, &[u8])| {
    let (format, agent) = input;
    let _ = access_log(format, agent);
    if let Some(line) = access_log("json", agent) {
        let value: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        assert!(value.is_object() && !line.contains('\n'));
    }
    if let Some(line) = access_log("{agent}", agent) {
        assert!(line.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{line:?}");
    }
});
