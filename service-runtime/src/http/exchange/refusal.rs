//! What is refused before a handler sees it.

use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};

use crate::http::config::HttpConfig;

/// Returns the status that a head gets that breaks a limit.
pub(super) fn refusal(head: &Parts, config: &HttpConfig) -> Option<StatusCode> {
    let over = |length: usize, limit: u64| limit > 0 && length as u64 > limit;
    let url = head
        .uri
        .path_and_query()
        .map_or(0, |url| url.as_str().len());
    if over(url, config.url_max.bytes()) {
        return Some(StatusCode::URI_TOO_LONG);
    }
    let header_max = config.header_max.bytes();
    let line =
        |(name, value): (&HeaderName, &axum::http::HeaderValue)| name.as_str().len() + value.len();
    if head
        .headers
        .iter()
        .any(|header| over(line(header), header_max))
    {
        return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
    let body_max = config.body_max.bytes();
    let length = head.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if body_max > 0 && length.is_some_and(|length| length > body_max) {
        return Some(StatusCode::PAYLOAD_TOO_LARGE);
    }
    None
}
