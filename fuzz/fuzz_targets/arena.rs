//! The memory of metrics that another process has written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service_runtime::fuzzing::arena;

fuzz_target!(|words: Vec<u64>| {
    if let Some(text) = arena(&words) {
        assert!(text.ends_with("# EOF\n"));
    }
});
