//! Durations: as people write them, and as generated code does.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

/// Reads a duration as the configuration does.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| error.to_string())
}

/// An expression for `duration`, with the largest unit that is exact.
pub(crate) fn duration_tokens(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let millis = u64::try_from(duration.as_millis()).ok();
    match (nanos, millis, u64::try_from(duration.as_nanos()).ok()) {
        (0, _, _) => quote!(::core::time::Duration::from_secs(#seconds)),
        (_, Some(millis), _) if nanos % 1_000_000 == 0 => {
            quote!(::core::time::Duration::from_millis(#millis))
        }
        (_, _, Some(nanos)) => quote!(::core::time::Duration::from_nanos(#nanos)),
        (_, _, None) => quote!(::core::time::Duration::new(#seconds, #nanos)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let duration = parse_duration(text).unwrap();
        duration_tokens(duration).to_string().replace(' ', "")
    }

    #[test]
    fn the_largest_exact_unit_is_written() {
        assert_eq!(written("1m"), "::core::time::Duration::from_secs(60u64)");
        assert_eq!(
            written("1500ms"),
            "::core::time::Duration::from_millis(1500u64)"
        );
        assert_eq!(
            written("1s 1us"),
            "::core::time::Duration::from_nanos(1000001000u64)"
        );
        assert_eq!(
            written("1000years 1ns"),
            "::core::time::Duration::new(31557600000u64,1u32)"
        );
    }
}
