//! Answers that have no body, whatever their handler has made (RFC 9110, sections 6.4.1 and 9.3.2).

use axum::http::header::{CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use axum::http::{Response, StatusCode, Version};
use http_body::Body;

use super::AnswerBody;

/// Takes away a body that the status or the method forbids, with the headers that would promise it.
///
/// hyper leaves out the body of an answer to HEAD over HTTP/1 by itself, but not over HTTP/2.
pub(super) fn leave_out_body<B>(
    answer: &mut Response<AnswerBody<B>>,
    version: Version,
    is_head: bool,
) where
    AnswerBody<B>: Body,
{
    let status = answer.status();
    let none = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
    if none {
        answer.headers_mut().remove(CONTENT_LENGTH);
        answer.headers_mut().remove(TRANSFER_ENCODING);
    }
    if none || status == StatusCode::NOT_MODIFIED {
        answer.body_mut().discard();
    } else if is_head && version == Version::HTTP_2 {
        let length = answer.body().size_hint().exact();
        if let Some(length) = length.filter(|length| *length > 0) {
            let headers = answer.headers_mut();
            headers
                .entry(CONTENT_LENGTH)
                .or_insert_with(|| HeaderValue::from(length));
        }
        answer.body_mut().discard();
    }
}
