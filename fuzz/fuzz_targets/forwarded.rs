//! The client behind a proxy, and the proxies that are trusted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use service_runtime::http::fuzzing::{forwarded, network};

fuzz_target!(|value: &[u8]| {
    for name in ["forwarded", "x-forwarded-for"] {
        let _ = forwarded(name, value);
    }
    if let Some((address, bits)) = std::str::from_utf8(value).ok().and_then(network) {
        assert!(bits <= if address.is_ipv4() { 32 } else { 128 });
        assert_eq!(network(&format!("{address}/{bits}")), Some((address, bits)));
    }
});
