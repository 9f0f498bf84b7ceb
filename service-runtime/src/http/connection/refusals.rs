//! Requests of HTTP/2 that the library refuses by itself, so that no handler and no log hears of them.
//!
//! How many they are is exact: heads that came, less requests that were begun. What each was answered with
//! is seen in the frames that the server sends: RST_STREAM, or an answer of one field alone, for every
//! other answer has a date as well.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

use super::frames::FrameEnd;

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const REFUSED_STREAM: u32 = 7;

/// Where `:status` begins and ends in the static table of HPACK (RFC 7541, appendix A).
const STATUS: std::ops::RangeInclusive<u8> = 8..=14;

/// What a connection of HTTP/2 has seen of requests that were refused without being begun.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Something was refused since the last look.
    news: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    heads: u64,
    refused: Vec<(u32, StatusCode)>,
    logged: u64,
    /// The client was told that later requests are not looked at, and to ask elsewhere.
    went_away: bool,
}

impl Refusals {
    /// Takes note of heads that have come whole.
    pub(super) fn heads(&self, number: u64) {
        self.lock().heads += number;
    }

    /// Takes note of a frame that the server has sent.
    pub(super) fn sent(&self, frame: &FrameEnd) {
        let status = match frame.kind {
            RST_STREAM if frame.number() == Some(REFUSED_STREAM) => StatusCode::SERVICE_UNAVAILABLE,
            RST_STREAM => StatusCode::BAD_REQUEST,
            HEADERS if frame.flags & END_STREAM != 0 && is_one_field(frame.payload()) => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            GOAWAY => {
                self.lock().went_away = true;
                return;
            }
            _ => return,
        };
        let mut seen = self.lock();
        if seen
            .refused
            .iter()
            .all(|(stream, _)| *stream != frame.stream)
        {
            seen.refused.push((frame.stream, status));
            self.news.store(true, Relaxed);
        }
    }

    /// Returns the status of each request that was refused since the last look, when all that has come
    /// was looked at and so many requests were begun.
    pub(super) fn take(&self, begun: u64) -> Vec<StatusCode> {
        if !self.news.swap(false, Relaxed) {
            return Vec::new();
        }
        let mut seen = self.lock();
        let missing = seen.missing(begun);
        seen.take(missing)
    }

    /// Returns the same at the end of the connection; `otherwise` stands for what was not even refused.
    pub(super) fn take_rest(&self, begun: u64, otherwise: StatusCode) -> Vec<StatusCode> {
        let mut seen = self.lock();
        let missing = seen.missing(begun);
        let mut statuses = seen.take(missing);
        if !seen.went_away || otherwise == StatusCode::BAD_REQUEST {
            statuses.resize(missing, otherwise);
        }
        statuses
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn missing(&self, begun: u64) -> usize {
        let missing = self.heads.saturating_sub(begun + self.logged);
        usize::try_from(missing).unwrap_or(usize::MAX)
    }

    fn take(&mut self, missing: usize) -> Vec<StatusCode> {
        // The end of a stream whose request was begun looks like a refusal; an answer of one field does not.
        self.refused
            .sort_by_key(|(stream, status)| (status.as_u16() == 400, *stream));
        let length = missing.min(self.refused.len());
        let taken = self.refused.drain(..length);
        let statuses: Vec<_> = taken.map(|(_, status)| status).collect();
        if length == missing {
            self.refused.clear();
        }
        self.logged += statuses.len() as u64;
        statuses
    }
}

/// Tells whether a block of headers is one status and nothing else.
fn is_one_field(mut block: &[u8]) -> bool {
    // A change of the table's size may come first.
    while let [first, rest @ ..] = block
        && first & 0xe0 == 0x20
    {
        block = rest;
    }
    match block {
        // Of the static or the dynamic table.
        [field] => field & 0x80 != 0,
        // A literal with a name of the table.
        [name, length, value @ ..] => {
            let index = if name & 0xc0 == 0x40 {
                name & 0x3f
            } else {
                name & 0x0f
            };
            name & 0x80 == 0 && STATUS.contains(&index) && value.len() == usize::from(length & 0x7f)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(refusals: &Refusals, stream: u32, code: u8) {
        refusals.sent(&FrameEnd::new(RST_STREAM, 0, stream, &[0, 0, 0, code]));
    }

    #[test]
    fn what_was_refused_is_told_once_and_what_was_begun_is_not() {
        let refusals = Refusals::default();
        refusals.heads(3);
        reset(&refusals, 1, 1);
        reset(&refusals, 1, 1);
        assert_eq!(refusals.take(2), [400]);
        assert_eq!(refusals.take(2), [0; 0]);
        refusals.heads(1);
        // The body of a request that was begun.
        reset(&refusals, 7, 1);
        assert_eq!(refusals.take(3), [0; 0]);
        assert_eq!(refusals.take_rest(3, StatusCode::BAD_REQUEST), [0; 0]);
    }

    #[test]
    fn an_answer_of_one_field_is_one_of_the_library() {
        let refusals = Refusals::default();
        refusals.heads(2);
        let literal = [0x48, 0x82, 0x68, 0x01];
        refusals.sent(&FrameEnd::new(HEADERS, 5, 1, &literal));
        reset(&refusals, 1, 1);
        refusals.sent(&FrameEnd::new(HEADERS, 5, 3, &[0x88, 0xbe, 0xbf]));
        assert_eq!(refusals.take(1), [431]);
        refusals.heads(1);
        refusals.sent(&FrameEnd::new(HEADERS, 5, 5, &[0xbe]));
        assert_eq!(refusals.take(1), [431]);
    }

    #[test]
    fn a_stream_for_which_there_is_no_room_was_not_taken() {
        let refusals = Refusals::default();
        refusals.heads(1);
        reset(&refusals, 1, 7);
        assert_eq!(refusals.take(0), [503]);
    }

    #[test]
    fn heads_that_nobody_looked_at_are_told_at_the_end_unless_the_client_asks_elsewhere() {
        let refusals = Refusals::default();
        refusals.heads(2);
        let left = StatusCode::from_u16(499).unwrap();
        assert_eq!(refusals.take(0), [0; 0]);
        assert_eq!(refusals.take_rest(1, left), [499]);
        refusals.sent(&FrameEnd::new(GOAWAY, 0, 0, &[0; 8]));
        assert_eq!(refusals.take_rest(1, left), [0; 0]);
    }
}
