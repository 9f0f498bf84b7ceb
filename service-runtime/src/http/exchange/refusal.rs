//! What is refused before a handler sees it.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, Version, header};

use super::target;
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
    if head.headers.len() > config.headers_max.get() {
        return Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
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
    if !target::is_clear(head) {
        return Some(StatusCode::BAD_REQUEST);
    }
    if head.version != Version::HTTP_2
        && head.headers.contains_key(header::TRANSFER_ENCODING)
        && let Some(status) = refused_coding(&head.headers)
    {
        return Some(status);
    }
    let body_max = config.body_max.bytes();
    let length = head.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if body_max > 0 && length.is_some_and(|length| length > body_max) {
        return Some(StatusCode::PAYLOAD_TOO_LARGE);
    }
    None
}

/// Returns the key of the limit that a status stands for, if it is refused for one.
pub(crate) fn limit_of(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        StatusCode::BAD_REQUEST | StatusCode::NOT_IMPLEMENTED => "malformed",
        StatusCode::REQUEST_TIMEOUT => "body_timeout",
        StatusCode::PAYLOAD_TOO_LARGE => "body_max",
        StatusCode::URI_TOO_LONG => "url_max",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "header_max",
        StatusCode::SERVICE_UNAVAILABLE => "request_timeout",
        _ => return None,
    })
}

/// Returns the status for transfer codings other than `chunked` alone: what is not decoded must not
/// reach a handler as if it were.
fn refused_coding(headers: &HeaderMap) -> Option<StatusCode> {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let codings: Vec<_> = values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|coding| !coding.is_empty())
        .collect();
    let (last, others) = codings.split_last()?;
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if !is_chunked(last) || others.iter().any(|coding| is_chunked(coding)) {
        return Some(StatusCode::BAD_REQUEST);
    }
    (!others.is_empty()).then_some(StatusCode::NOT_IMPLEMENTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_alone_is_understood() {
        for (values, status) in [
            (&["chunked"][..], None),
            (&["Chunked "], None),
            (&["chunked, chunked"], Some(400)),
            (&["chunked", "chunked"], Some(400)),
            (&["gzip, chunked"], Some(501)),
            (&["gzip", "chunked"], Some(501)),
            (&["chunked, gzip"], Some(400)),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::TRANSFER_ENCODING, value.parse().unwrap());
            }
            let found = refused_coding(&headers).map(|status| status.as_u16());
            assert_eq!(found, status, "{values:?}");
        }
    }
}
