//! The version of an interface, as `since` says it.

use crate::args::Given;

/// Reads `since = "1.2"`.
pub(super) fn version(given: &Given) -> syn::Result<(u32, u32)> {
    let text = given.text()?.value();
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    let parts = text.split_once('.');
    let parsed = parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    parsed.ok_or_else(|| {
        given.wrong_value(format_args!(
            "`{text}` is not a version: expected two numbers"
        ))
    })
}
