//! Addresses to listen on, one and a list of them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use service_runtime::http::Bind;
use service_runtime::listen::Address;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<Address>() {
        // What is shown is read as the same again.
        assert_eq!(address.to_string().parse(), Ok(address));
    }
    let list: StrDeserializer<'_, Error> = text.into_deserializer();
    if let Ok(bind) = Bind::deserialize(list) {
        assert!(!bind.addresses().is_empty());
        for address in bind.addresses() {
            assert!(address.parse::<Address>().is_ok(), "{address}");
        }
    }
});
