//! The id of a request: the client's, if it is a decent one, or a new one.

use axum::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header of the id.
pub(super) const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over.
const LONGEST: usize = 128;

/// Returns the id of a request, and sees to it that the handler sees the same.
pub(super) fn take_or_make(headers: &mut HeaderMap) -> HeaderValue {
    if let Some(id) = headers.get(NAME).filter(|id| is_decent(id.as_bytes())) {
        return id.clone();
    }
    let mut text = [0; 32];
    for (place, byte) in text
        .chunks_exact_mut(2)
        .zip(fastrand::u128(..).to_be_bytes())
    {
        place[0] = HEX[usize::from(byte >> 4)];
        place[1] = HEX[usize::from(byte & 15)];
    }
    let id = HeaderValue::from_bytes(&text).expect("hexadecimal digits are visible");
    headers.insert(NAME, id.clone());
    id
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Nothing that could be taken for something else in a log or a shell.
fn is_decent(id: &[u8]) -> bool {
    let decent = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/".contains(byte);
    (1..=LONGEST).contains(&id.len()) && id.iter().all(decent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decent_id_is_taken_over_and_any_other_replaced() {
        for (given, taken) in [("abc-1", true), ("", false), ("a b", false), ("a\"", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(NAME, HeaderValue::from_str(given).unwrap());
            let id = take_or_make(&mut headers);
            assert_eq!(id == given, taken, "{given}");
            assert_eq!(headers[NAME], id);
        }
        let mut headers = HeaderMap::new();
        assert_eq!(take_or_make(&mut headers).len(), 32);
    }
}
